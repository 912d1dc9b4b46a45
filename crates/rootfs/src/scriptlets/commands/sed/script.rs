//! The language of `sed`.

use crate::scriptlets::{ScriptletError, regex};
use ::regex::bytes::{Captures, Regex};
use std::collections::BTreeMap;

/// One command with its addresses.
#[derive(Debug)]
pub(super) struct Edit {
    pub addresses: Vec<Address>,
    pub negated: bool,
    pub command: Command,
}

#[derive(Debug)]
pub(super) enum Address {
    Line(usize),
    Last,
    Match(Regex),
    /// `0` before a comma: the range can end in the first line.
    Start,
    /// `+N` after a comma: so many lines more.
    More(usize),
    /// `FIRST~STEP`
    Step(usize, usize),
}

#[derive(Debug)]
pub(super) enum Command {
    Delete,
    Print,
    Quit,
    /// `{`: what is not selected goes on behind its end.
    Block(usize),
    /// `}`, or a label.
    Nothing,
    /// `b`: on at this place; behind the last one the cycle ends.
    Jump(usize),
    /// `t`: the same after a substitution.
    JumpIf(usize),
    /// `h`, `H`
    Hold {
        add: bool,
    },
    /// `g`, `G`
    Get {
        add: bool,
    },
    /// `x`
    Exchange,
    /// `n`
    Next,
    /// `N`
    NextMore,
    /// `D`
    DeleteFirst,
    /// `P`
    PrintFirst,
    /// `=`
    Number,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<u8>, Vec<u8>),
    Substitute(Substitution),
}

#[derive(Debug)]
pub(super) struct Substitution {
    regex: Regex,
    with: Vec<Piece>,
    all: bool,
    which: usize,
    pub print: bool,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

impl Substitution {
    /// The text after it; none where nothing matched.
    pub(super) fn apply(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = 0;
        let mut changed = false;
        for (index, found) in self.regex.captures_iter(text).enumerate() {
            if index + 1 < self.which {
                continue;
            }
            let whole = found.get(0)?;
            out.extend_from_slice(&text[at..whole.start()]);
            self.expand(&found, &mut out);
            at = whole.end();
            changed = true;
            if !self.all {
                break;
            }
        }
        out.extend_from_slice(&text[at..]);
        changed.then_some(out)
    }

    fn expand(&self, found: &Captures<'_>, out: &mut Vec<u8>) {
        for piece in &self.with {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Group(group) => {
                    out.extend_from_slice(found.get(*group).map_or(&[], |part| part.as_bytes()));
                }
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    /// The last expression, for an empty one.
    last: Option<Regex>,
    /// The place of the command that is read.
    here: usize,
    /// Blocks that are open.
    blocks: Vec<usize>,
    /// The block that the last command closed.
    closed: Option<usize>,
    labels: BTreeMap<String, usize>,
    /// Jumps and where they lead.
    jumps: Vec<(usize, String)>,
}

/// Reads a script.
pub(super) fn parse(text: &str, extended: bool) -> Result<Vec<Edit>, ScriptletError> {
    let unsupported = || ScriptletError::unsupported(format!("sed '{text}'"));
    let mut reader = Reader { chars: text.chars().collect(), at: 0, extended, ..Reader::default() };
    let mut edits: Vec<Edit> = Vec::new();
    loop {
        while matches!(reader.peek(), Some(' ' | '\t' | '\n' | ';')) {
            reader.at += 1;
        }
        if reader.peek().is_none() {
            return reader.resolve(edits).ok_or_else(unsupported);
        }
        if reader.peek() == Some('#') {
            while !matches!(reader.peek(), None | Some('\n')) {
                reader.at += 1;
            }
            continue;
        }
        reader.here = edits.len();
        let edit = reader.edit()?.ok_or_else(unsupported)?;
        if let Some(begin) = reader.closed.take() {
            edits[begin].command = Command::Block(edits.len() + 1);
        }
        edits.push(edit);
    }
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn edit(&mut self) -> Result<Option<Edit>, ScriptletError> {
        let mut addresses = Vec::new();
        loop {
            match self.address()? {
                Some(Some(address)) => addresses.push(address),
                Some(None) => return Ok(None),
                None => break,
            }
            self.spaces();
            if self.peek() != Some(',') || addresses.len() == 2 {
                break;
            }
            self.at += 1;
            self.spaces();
        }
        if matches!(addresses.as_slice(), [Address::Start] | [Address::More(_), ..]) {
            return Ok(None);
        }
        self.spaces();
        let negated = self.peek() == Some('!');
        if negated {
            self.at += 1;
            self.spaces();
        }
        let Some(letter) = self.next() else { return Ok(None) };
        let command = match letter {
            'd' => Command::Delete,
            'p' => Command::Print,
            'q' => Command::Quit,
            '{' => {
                self.blocks.push(self.here);
                return Ok(Some(Edit { addresses, negated, command: Command::Block(0) }));
            }
            '}' => {
                self.closed = self.blocks.pop();
                if self.closed.is_none() || !addresses.is_empty() {
                    return Ok(None);
                }
                Command::Nothing
            }
            ':' => {
                let label = self.label();
                self.labels.insert(label, self.here);
                Command::Nothing
            }
            'b' | 't' => {
                let label = self.label();
                self.jumps.push((self.here, label));
                if letter == 'b' { Command::Jump(0) } else { Command::JumpIf(0) }
            }
            'h' | 'H' => Command::Hold { add: letter == 'H' },
            'g' | 'G' => Command::Get { add: letter == 'G' },
            'x' => Command::Exchange,
            'n' => Command::Next,
            'N' => Command::NextMore,
            'D' => Command::DeleteFirst,
            'P' => Command::PrintFirst,
            '=' => Command::Number,
            'a' | 'i' | 'c' => {
                let text = self.text();
                match letter {
                    'a' => Command::Append(text),
                    'i' => Command::Insert(text),
                    _ => Command::Change(text),
                }
            }
            'y' => {
                let Some(delimiter) = self.next() else { return Ok(None) };
                let (Some(from), Some(to)) = (self.until(delimiter), self.until(delimiter)) else {
                    return Ok(None);
                };
                if from.len() != to.len() || from.contains('\\') || to.contains('\\') {
                    return Ok(None);
                }
                Command::Translate(from.into_bytes(), to.into_bytes())
            }
            's' => match self.substitution()? {
                Some(substitution) => Command::Substitute(substitution),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.spaces();
        if !matches!(self.peek(), None | Some(';' | '\n' | '#' | '}')) {
            return Ok(None);
        }
        Ok(Some(Edit { addresses, negated, command }))
    }

    /// A label ends with the line, or at a semicolon.
    fn label(&mut self) -> String {
        self.spaces();
        let mut label = String::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, ';' | '\n' | '}' | ' ' | '\t')) {
            label.push(c);
            self.at += 1;
        }
        label
    }

    /// Puts in where jumps lead. None when a label or the end of a block is missing.
    fn resolve(self, mut edits: Vec<Edit>) -> Option<Vec<Edit>> {
        if !self.blocks.is_empty() {
            return None;
        }
        for (at, label) in self.jumps {
            let place = if label.is_empty() { edits.len() } else { *self.labels.get(&label)? };
            match &mut edits.get_mut(at)?.command {
                Command::Jump(to) | Command::JumpIf(to) => *to = place,
                _ => return None,
            }
        }
        Some(edits)
    }

    /// None: there is none; inner none: not understood.
    fn address(&mut self) -> Result<Option<Option<Address>>, ScriptletError> {
        let Some(c) = self.peek() else { return Ok(None) };
        match c {
            '$' => {
                self.at += 1;
                Ok(Some(Some(Address::Last)))
            }
            '0'..='9' => {
                let line = self.number();
                if self.peek() == Some('~') {
                    self.at += 1;
                    let step = self.number();
                    let both = line.zip(step);
                    return Ok(Some(both.map(|(first, step)| Address::Step(first, step))));
                }
                let address = |line| if line == 0 { Address::Start } else { Address::Line(line) };
                Ok(Some(line.map(address)))
            }
            '+' => {
                self.at += 1;
                Ok(Some(self.number().map(Address::More)))
            }
            '/' | '\\' => {
                self.at += 1;
                let delimiter = if c == '\\' { self.next() } else { Some('/') };
                let Some(pattern) = delimiter.and_then(|delimiter| self.until(delimiter)) else {
                    return Ok(Some(None));
                };
                let ignore_case = self.peek() == Some('I');
                if ignore_case {
                    self.at += 1;
                }
                let regex = self.regex(&pattern, ignore_case)?;
                Ok(Some(regex.map(Address::Match)))
            }
            _ => Ok(None),
        }
    }

    fn number(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        digits.parse().ok()
    }

    fn regex(&mut self, pattern: &str, ignore_case: bool) -> Result<Option<Regex>, ScriptletError> {
        if !pattern.is_empty() {
            self.last = Some(regex::compile(pattern, self.extended, ignore_case)?);
        }
        Ok(self.last.clone())
    }

    /// Text up to a delimiter, which loses its backslash.
    fn until(&mut self, delimiter: char) -> Option<String> {
        let mut text = String::new();
        let mut bracket = false;
        loop {
            let c = self.next()?;
            match c {
                '\\' if !bracket => {
                    let escaped = self.next()?;
                    if escaped == delimiter
                        && !matches!(delimiter, '.' | '*' | '[' | ']' | '^' | '$' | '|' | '+' | '?')
                    {
                        text.push(delimiter);
                    } else {
                        text.extend(['\\', escaped]);
                    }
                }
                c if c == delimiter => return Some(text),
                _ => {
                    bracket = false;
                    text.push(c);
                }
            }
        }
    }

    fn substitution(&mut self) -> Result<Option<Substitution>, ScriptletError> {
        let Some(delimiter) = self.next() else { return Ok(None) };
        let (Some(pattern), Some(with)) = (self.until(delimiter), self.until(delimiter)) else {
            return Ok(None);
        };
        let (mut all, mut which, mut print, mut ignore_case) = (false, 1, false, false);
        while let Some(c) = self.peek() {
            match c {
                'g' => all = true,
                'p' => print = true,
                'i' | 'I' => ignore_case = true,
                '1'..='9' => which = c as usize - '0' as usize,
                _ => break,
            }
            self.at += 1;
        }
        let Some(regex) = self.regex(&pattern, ignore_case)? else { return Ok(None) };
        let Some(with) = pieces(&with) else { return Ok(None) };
        let groups = regex.captures_len();
        if with.iter().any(|piece| matches!(piece, Piece::Group(group) if *group >= groups)) {
            return Ok(None);
        }
        Ok(Some(Substitution { regex, with, all, which, print }))
    }

    /// The text of `a`, `i` and `c`: in the same line, or after a backslash in the next one.
    fn text(&mut self) -> String {
        self.spaces();
        if self.peek() == Some('\\') {
            self.at += 1;
            let kept = self.at;
            self.spaces();
            match self.peek() {
                Some('\n') => self.at += 1,
                // what follows the backslash is kept, spaces too
                _ => self.at = kept,
            }
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(c) => text.push(c),
                    None => break,
                },
                '\n' => {
                    self.at -= 1;
                    break;
                }
                _ => text.push(c),
            }
        }
        text
    }
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut literal = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let group = match c {
            '&' => Some(0),
            '\\' => match chars.next()? {
                digit @ '0'..='9' => Some(digit as usize - '0' as usize),
                'n' => {
                    literal.push(b'\n');
                    None
                }
                't' => {
                    literal.push(b'\t');
                    None
                }
                'U' | 'L' | 'E' | 'u' | 'l' => return None,
                c => {
                    literal.extend(c.to_string().into_bytes());
                    None
                }
            },
            c => {
                literal.extend(c.to_string().into_bytes());
                None
            }
        };
        if let Some(group) = group {
            out.push(Piece::Text(std::mem::take(&mut literal)));
            out.push(Piece::Group(group));
        }
    }
    out.push(Piece::Text(literal));
    Some(out)
}
