//! Index keys of a rich dependency: the names in it, those under a negation marked with `!`.
//!
//! This follows rpm's own reading of the text rather than strata's, because what counts is which
//! rows rpm would have written: for a text that rpm cannot read there are none.

/// rpm has no limit and dies of a deeper one.
const DEEPEST: usize = 100;

/// The keys in order, each once.
pub(super) fn index_keys(text: &[u8]) -> Vec<Vec<u8>> {
    let mut parser = Parser { rest: text, negated: false, names: Vec::new() };
    if parser.group(0).is_none() {
        return Vec::new();
    }
    let mut names = parser.names;
    names.sort();
    names.dedup();
    let key = |mut name: Vec<u8>| {
        if name.first() == Some(&b' ') {
            name.remove(0);
        }
        name
    };
    names.into_iter().map(key).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    And,
    Or,
    If,
    Unless,
    Else,
    With,
    Without,
}

impl Op {
    fn is_condition(self) -> bool {
        matches!(self, Self::If | Self::Unless)
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    negated: bool,
    /// With a leading ` ` or `!`.
    names: Vec<Vec<u8>>,
}

impl<'a> Parser<'a> {
    /// From the opening to the closing parenthesis. Says whether something in it may not stand
    /// below `with`.
    fn group(&mut self, depth: usize) -> Option<bool> {
        self.rest = self.rest.strip_prefix(b"(").filter(|_| depth < DEEPEST)?;
        let mut condition = self.names.len();
        let (mut first, mut last, mut chain) = (None, None, None);
        let mut no_with = false;
        loop {
            self.skip_space();
            match self.rest.first()? {
                b')' => return None,
                b'(' => no_with |= self.group(depth + 1)?,
                _ => self.simple()?,
            }
            self.skip_space();
            if self.rest.first()? == &b')' {
                break;
            }
            let op = self.op()?;
            first = first.or(Some(op));
            last = Some(op);
            if op == Op::Else && chain.is_some_and(Op::is_condition) {
                chain = None;
            }
            if let Some(chain) = chain
                && (chain != op || !matches!(op, Op::And | Op::Or | Op::With))
            {
                return None;
            }
            chain = Some(op);
            if op.is_condition() {
                condition = self.names.len();
                self.negated = !self.negated;
            }
            if op == Op::Else {
                self.repeat_inverted(condition)?;
                self.negated = !self.negated;
            }
        }
        let with = matches!(first, Some(Op::With | Op::Without));
        if with && no_with {
            return None;
        }
        self.rest = self.rest.get(1..)?;
        if last.is_some_and(Op::is_condition) {
            self.negated = !self.negated;
        }
        Some(no_with || matches!(last, Some(Op::And | Op::If | Op::Unless | Op::Else)))
    }

    /// Under `else` the condition holds the other way round.
    fn repeat_inverted(&mut self, from: usize) -> Option<()> {
        // Nested conditions double the list; real ones have a handful of names.
        const MOST: usize = 10_000;
        let mut again = self.names.get(from..)?.to_vec();
        for name in &mut again {
            if let Some(mark) = name.first_mut() {
                *mark ^= b' ' ^ b'!';
            }
        }
        self.names.extend(again);
        (self.names.len() <= MOST).then_some(())
    }

    fn simple(&mut self) -> Option<()> {
        let name = self.word();
        if name.is_empty() {
            return None;
        }
        self.skip_space();
        let before = self.rest;
        let comparison = self.word();
        if matches!(comparison, b"<=" | b"=<" | b"<" | b"==" | b"=" | b">=" | b"=>" | b">") {
            self.skip_space();
            if self.word().is_empty() {
                return None;
            }
        } else {
            self.rest = before;
        }
        if !name.starts_with(b"rpmlib(") {
            let mark = if self.negated { b'!' } else { b' ' };
            self.names.push([&[mark], name].concat());
        }
        Some(())
    }

    fn op(&mut self) -> Option<Op> {
        let end = self.rest.iter().position(|b| is_space(*b) || *b == b')');
        let (word, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        Some(match word {
            b"and" => Op::And,
            b"or" => Op::Or,
            b"if" => Op::If,
            b"unless" => Op::Unless,
            b"else" => Op::Else,
            b"with" => Op::With,
            b"without" => Op::Without,
            _ => return None,
        })
    }

    /// Up to white space, a comma, or a parenthesis that it did not open.
    fn word(&mut self) -> &'a [u8] {
        let mut open = 0usize;
        let ends = |b: &u8| match b {
            b'(' => {
                open += 1;
                false
            }
            b')' if open == 0 => true,
            b')' => {
                open -= 1;
                false
            }
            b => is_space(*b) || *b == b',',
        };
        let end = self.rest.iter().position(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn skip_space(&mut self) {
        let space = |b: &u8| is_space(*b) || *b == b',';
        while let Some((_, rest)) = self.rest.split_first().filter(|(b, _)| space(b)) {
            self.rest = rest;
        }
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
