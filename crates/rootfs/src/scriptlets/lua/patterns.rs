//! Lua's patterns. The library's own matcher runs where nothing counts its steps, and a short
//! pattern can keep it busy for ever; this one counts.

/// How deeply a match may nest, as in Lua.
const DEPTH: u32 = 200;
/// How many captures there may be.
const CAPTURES: usize = 32;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatternError {
    /// Not a pattern: an error of the script.
    Wrong(String),
    /// It took more steps than are left.
    Limit,
}

/// Part of the subject, from and to, or a position alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    Open(usize),
    Part(usize, usize),
    Position(usize),
}

/// A match: where, and its captures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub start: usize,
    pub end: usize,
    pub captures: Vec<Capture>,
}

type Found = Result<Option<usize>, PatternError>;

/// A pattern on a subject.
pub(super) struct Matcher<'a> {
    subject: &'a [u8],
    pattern: &'a [u8],
    captures: Vec<Capture>,
    depth: u32,
    /// Steps that are left.
    pub steps: u64,
}

fn wrong<T>(text: impl Into<String>) -> Result<T, PatternError> {
    Err(PatternError::Wrong(text.into()))
}

impl<'a> Matcher<'a> {
    pub(super) fn new(subject: &'a [u8], pattern: &'a [u8], steps: u64) -> Self {
        Self { subject, pattern, captures: Vec::new(), depth: DEPTH, steps }
    }

    /// The first match at or after a place, or there alone; not one that ends at `last`.
    pub(super) fn find(
        &mut self,
        from: usize,
        anchored: bool,
        last: Option<usize>,
    ) -> Result<Option<Match>, PatternError> {
        for start in from..=self.subject.len() {
            self.captures.clear();
            self.depth = DEPTH;
            if let Some(end) = self.at(start, 0)?
                && last != Some(end)
            {
                let captures = std::mem::take(&mut self.captures);
                return Ok(Some(Match { start, end, captures }));
            }
            if anchored {
                break;
            }
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<(), PatternError> {
        self.steps = self.steps.checked_sub(1).ok_or(PatternError::Limit)?;
        Ok(())
    }

    /// Matches the pattern from `p` on at `s`: where it ends.
    fn at(&mut self, s: usize, p: usize) -> Found {
        if self.depth == 0 {
            return wrong("pattern too complex");
        }
        self.depth -= 1;
        let result = self.rest(s, p);
        self.depth += 1;
        result
    }

    fn rest(&mut self, mut s: usize, mut p: usize) -> Found {
        loop {
            self.step()?;
            let Some(&first) = self.pattern.get(p) else { return Ok(Some(s)) };
            let second = self.pattern.get(p + 1).copied();
            match (first, second) {
                (b'(', Some(b')')) => return self.open(Capture::Position(s), s, p + 2),
                (b'(', _) => return self.open(Capture::Open(s), s, p + 1),
                (b')', _) => return self.close(s, p + 1),
                (b'$', None) => return Ok((s == self.subject.len()).then_some(s)),
                (b'%', Some(b'b')) => match self.balanced(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (b'%', Some(b'f')) => {
                    p += 2;
                    if self.pattern.get(p) != Some(&b'[') {
                        return wrong("missing '[' after '%f' in pattern");
                    }
                    let end = self.class_end(p)?;
                    let before = s.checked_sub(1).map_or(0, |at| self.subject[at]);
                    let here = self.subject.get(s).copied().unwrap_or(0);
                    if self.in_set(before, p, end - 1) || !self.in_set(here, p, end - 1) {
                        return Ok(None);
                    }
                    p = end;
                }
                (b'%', Some(digit @ b'0'..=b'9')) => match self.again(s, digit)? {
                    Some(end) => (s, p) = (end, p + 2),
                    None => return Ok(None),
                },
                _ => {
                    let end = self.class_end(p)?;
                    let fits = self.single(s, p, end);
                    match self.pattern.get(end) {
                        Some(b'?') => {
                            if fits && let Some(found) = self.at(s + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'+') => {
                            return if fits { self.longest(s + 1, p, end) } else { Ok(None) };
                        }
                        Some(b'*') => return self.longest(s, p, end),
                        Some(b'-') => return self.shortest(s, p, end),
                        _ if fits => (s, p) = (s + 1, end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    fn open(&mut self, capture: Capture, s: usize, p: usize) -> Found {
        if self.captures.len() >= CAPTURES {
            return wrong("too many captures");
        }
        self.captures.push(capture);
        let length = self.captures.len();
        let found = self.at(s, p)?;
        if found.is_none() {
            self.captures.truncate(length - 1);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> Found {
        let open = self.captures.iter().rposition(|capture| matches!(capture, Capture::Open(_)));
        let Some(index) = open else { return wrong("invalid pattern capture") };
        let Capture::Open(start) = self.captures[index] else { return Ok(None) };
        self.captures[index] = Capture::Part(start, s);
        let found = self.at(s, p)?;
        if found.is_none() {
            self.captures[index] = Capture::Open(start);
        }
        Ok(found)
    }

    fn longest(&mut self, s: usize, p: usize, end: usize) -> Found {
        let mut count = 0;
        while self.single(s + count, p, end) {
            self.step()?;
            count += 1;
        }
        loop {
            if let Some(found) = self.at(s + count, end + 1)? {
                return Ok(Some(found));
            }
            let Some(less) = count.checked_sub(1) else { return Ok(None) };
            count = less;
        }
    }

    fn shortest(&mut self, mut s: usize, p: usize, end: usize) -> Found {
        loop {
            if let Some(found) = self.at(s, end + 1)? {
                return Ok(Some(found));
            }
            if !self.single(s, p, end) {
                return Ok(None);
            }
            self.step()?;
            s += 1;
        }
    }

    fn balanced(&mut self, s: usize, p: usize) -> Found {
        let (Some(&open), Some(&close)) = (self.pattern.get(p), self.pattern.get(p + 1)) else {
            return wrong("malformed pattern (missing arguments to '%b')");
        };
        if self.subject.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1;
        for at in s + 1..self.subject.len() {
            self.step()?;
            let byte = self.subject[at];
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%1`: what a capture took, once more.
    fn again(&mut self, s: usize, digit: u8) -> Found {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let (from, to) = match index.and_then(|at| self.captures.get(at)).copied() {
            Some(Capture::Part(from, to)) => (from, to),
            // a position counts as longer than any subject
            Some(Capture::Position(_)) => return Ok(None),
            Some(Capture::Open(_)) | None => {
                return wrong(format!("invalid capture index %{}", i32::from(digit) - 48));
            }
        };
        let part = &self.subject[from..to];
        self.steps = self.steps.checked_sub(part.len() as u64).ok_or(PatternError::Limit)?;
        Ok(self.subject[s..].starts_with(part).then_some(s + part.len()))
    }

    /// Where a class that begins at `p` ends.
    fn class_end(&self, p: usize) -> Result<usize, PatternError> {
        match self.pattern[p] {
            b'%' if p + 1 == self.pattern.len() => wrong("malformed pattern (ends with '%')"),
            b'%' => Ok(p + 2),
            b'[' => {
                let mut at = p + 1;
                if self.pattern.get(at) == Some(&b'^') {
                    at += 1;
                }
                loop {
                    // the first one may be the bracket itself
                    let Some(&byte) = self.pattern.get(at) else {
                        return wrong("malformed pattern (missing ']')");
                    };
                    at += if byte == b'%' { 2 } else { 1 };
                    match self.pattern.get(at) {
                        Some(b']') => return Ok(at + 1),
                        Some(_) => {}
                        None => return wrong("malformed pattern (missing ']')"),
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(&byte) = self.subject.get(s) else { return false };
        match self.pattern[p] {
            b'.' => true,
            b'%' => in_class(byte, self.pattern[p + 1]),
            b'[' => self.in_set(byte, p, end - 1),
            own => own == byte,
        }
    }

    /// Whether a byte is in the set from `[` at `p` to `]` at `end`.
    fn in_set(&self, byte: u8, p: usize, end: usize) -> bool {
        let negated = self.pattern[p + 1] == b'^';
        let mut at = p + 1 + usize::from(negated);
        while at < end {
            let own = self.pattern[at];
            if own == b'%' {
                if in_class(byte, self.pattern[at + 1]) {
                    return !negated;
                }
                at += 2;
            } else if self.pattern[at + 1] == b'-' && at + 2 < end {
                if (own..=self.pattern[at + 2]).contains(&byte) {
                    return !negated;
                }
                at += 3;
            } else {
                if own == byte {
                    return !negated;
                }
                at += 1;
            }
        }
        negated
    }
}

/// `%a` and the like, as the C locale has them; capital letters turn them round.
fn in_class(byte: u8, class: u8) -> bool {
    let inside = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        _ => return class == byte,
    };
    inside != class.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// The library itself is the oracle: all short patterns of an alphabet on some subjects.
    #[test]
    fn matches_what_the_library_matches() {
        let lua = mlua::Lua::new();
        let find: mlua::Function = lua
            .load(
                "local s, p = ... local function all(ok, a, b, ...)
                    if not ok then return 'error' end
                    local out = { a, b, ... }
                    for i = 1, select('#', ...) + 2 do out[i] = tostring(out[i]) end
                    return table.concat(out, ' ')
                end
                return all(pcall(string.find, s, p))",
            )
            .into_function()
            .unwrap();
        let letters: Vec<&[u8]> = vec![
            b"a", b"b", b".", b"*", b"+", b"-", b"?", b"(", b")", b"[", b"]", b"^", b"$", b"%",
            b"%a", b"%1", b"%b", b"%f", b"[^", b"%W", b"()",
        ];
        let mut patterns: Vec<Vec<u8>> = vec![Vec::new()];
        let mut last = patterns.clone();
        for _ in 0..4 {
            let longer =
                last.iter().flat_map(|head| letters.iter().map(|tail| [head, *tail].concat()));
            last = longer.collect();
            // all of three, a part of those of four
            let keep = if last.len() > 20_000 { 23 } else { 1 };
            patterns.extend(last.iter().step_by(keep).cloned());
        }
        let subjects: [&[u8]; 5] = [b"", b"ab", b"aab(b)", b"a]b-^", b"abab%"];
        let mut compared = 0;
        for pattern in &patterns {
            for subject in subjects {
                let arguments =
                    (lua.create_string(subject).unwrap(), lua.create_string(pattern).unwrap());
                let theirs: String = find.call(arguments).unwrap();
                assert_eq!(
                    ours(subject, pattern),
                    theirs,
                    "{:?} {:?}",
                    String::from_utf8_lossy(subject),
                    String::from_utf8_lossy(pattern)
                );
                compared += 1;
            }
        }
        assert!(compared > 80_000, "{compared}");
    }

    fn ours(subject: &[u8], pattern: &[u8]) -> String {
        // what has no special characters is searched for as it is
        if !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte)) {
            let mut places = 0..=subject.len();
            return match places.find(|at| subject[*at..].starts_with(pattern)) {
                Some(at) => format!("{} {}", at + 1, at + pattern.len()),
                None => "nil nil".to_owned(),
            };
        }
        let anchored = pattern.first() == Some(&b'^');
        let rest = if anchored { &pattern[1..] } else { pattern };
        match Matcher::new(subject, rest, 1 << 30).find(0, anchored, None) {
            Err(_) => "error".to_owned(),
            Ok(None) => "nil nil".to_owned(),
            Ok(Some(found)) => {
                let mut out = format!("{} {}", found.start + 1, found.end);
                for capture in &found.captures {
                    match capture {
                        Capture::Open(_) => return "error".to_owned(),
                        Capture::Position(at) => out += &format!(" {}", at + 1),
                        Capture::Part(from, to) => {
                            out += &format!(" {}", String::from_utf8_lossy(&subject[*from..*to]));
                        }
                    }
                }
                out
            }
        }
    }
}
