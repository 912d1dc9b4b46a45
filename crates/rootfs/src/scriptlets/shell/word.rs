//! The inside of a word: quotes, parameters, substitutions. Read in one pass, in linear time.

use crate::scriptlets::ScriptletError;

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Unquoted text.
    Text(String),
    /// Text that quotes or a backslash protect.
    Quoted(String),
    /// `"…"`
    Double(Vec<Part>),
    /// `$x`, `${x…}`
    Parameter { name: String, form: Form },
    /// `$(…)` or backquotes, and how many lines into the word it begins.
    Command(String, usize),
    /// `$((…))`
    Arithmetic(Vec<Part>),
}

/// What is done with a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Its value.
    Plain,
    /// `${#x}`
    Length,
    /// `-`, `=`, `?`, `+`; with a colon an empty value counts as none.
    Test { operator: char, colon: bool, word: Vec<Part> },
    /// `#`, `##`, `%`, `%%`
    Remove { suffix: bool, longest: bool, pattern: Vec<Part> },
    /// `${x/a/b}` of bash.
    Replace { all: bool, pattern: Vec<Part>, with: Vec<Part> },
    /// `${x:a:b}` of bash.
    Slice { offset: Vec<Part>, length: Option<Vec<Part>> },
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Outside of quotes.
    Plain,
    /// Inside of double quotes.
    Double,
    /// In a here-document.
    Document,
}

type Parsed<T> = Result<T, ScriptletError>;

/// Reads a whole word.
pub(super) fn parse(text: &str, mode: Mode) -> Parsed<Vec<Part>> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, depth: 0, line: 0 };
    reader.parts(mode, &[])
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    line: usize,
}

fn bad(message: &str) -> ScriptletError {
    ScriptletError::Syntax { line: 0, message: message.to_owned() }
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.peek() == Some(c);
        if there {
            self.next();
        }
        there
    }

    /// Reads up to an unquoted stop character, which stays.
    fn parts(&mut self, mode: Mode, stop: &[char]) -> Parsed<Vec<Part>> {
        self.depth += 1;
        if self.depth > 40 {
            return Err(bad("the word nests too deeply"));
        }
        let mut out: Vec<Part> = Vec::new();
        while let Some(c) = self.peek() {
            if stop.contains(&c) {
                break;
            }
            self.next();
            match (c, mode) {
                ('\\', Mode::Plain) => match self.next() {
                    Some('\n') => {}
                    Some(c) => quoted(&mut out, c),
                    None => quoted(&mut out, '\\'),
                },
                ('\\', _) => match self.peek() {
                    Some('\n') => {
                        self.next();
                    }
                    Some(c)
                        if matches!(c, '$' | '`' | '\\')
                            || c == '"' && mode == Mode::Double
                            || stop.contains(&c) =>
                    {
                        self.next();
                        quoted(&mut out, c);
                    }
                    _ => text(&mut out, '\\'),
                },
                ('\'', Mode::Plain) => {
                    let mut inner = String::new();
                    loop {
                        match self.next() {
                            Some('\'') => break,
                            Some(c) => inner.push(c),
                            None => return Err(bad("a quote does not end")),
                        }
                    }
                    out.push(Part::Quoted(inner));
                }
                // inside of quotes only a word of `${…}` can have these
                ('"', Mode::Plain | Mode::Double) => {
                    let inner = self.parts(Mode::Double, &['"'])?;
                    if !self.take('"') {
                        return Err(bad("a quote does not end"));
                    }
                    out.push(Part::Double(inner));
                }
                ('`', _) => {
                    let line = self.line;
                    out.push(Part::Command(self.backquoted(mode)?, line));
                }
                ('$', _) => self.dollar(mode, &mut out)?,
                _ => text(&mut out, c),
            }
        }
        self.depth -= 1;
        Ok(out)
    }

    fn backquoted(&mut self, mode: Mode) -> Parsed<String> {
        let mut inner = String::new();
        loop {
            match self.next() {
                Some('`') => return Ok(inner),
                Some('\\') => match self.next() {
                    Some(c) if matches!(c, '$' | '`' | '\\') => inner.push(c),
                    Some('"') if mode == Mode::Double => inner.push('"'),
                    Some(c) => inner.extend(['\\', c]),
                    None => inner.push('\\'),
                },
                Some(c) => inner.push(c),
                None => return Err(bad("a backquote does not end")),
            }
        }
    }

    fn dollar(&mut self, mode: Mode, out: &mut Vec<Part>) -> Parsed<()> {
        let plain = |name: String| Part::Parameter { name, form: Form::Plain };
        match self.peek() {
            Some('(') => {
                let start = self.at;
                let line = self.line;
                if self.chars.get(self.at + 1) == Some(&'(')
                    && let Some(part) = self.arithmetic()?
                {
                    out.push(part);
                    return Ok(());
                }
                (self.at, self.line) = (start + 1, line);
                let end = command_end(&self.chars, self.at)
                    .ok_or_else(|| bad("a substitution does not end"))?;
                let inner: String = self.chars[self.at..end].iter().collect();
                self.line += inner.matches('\n').count();
                self.at = end + 1;
                out.push(Part::Command(inner, line));
            }
            Some('{') => {
                self.next();
                out.push(self.braced(mode)?);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let mut name = String::new();
                while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.next();
                }
                out.push(plain(name));
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.next();
                out.push(plain(c.to_string()));
            }
            Some('\'') if mode == Mode::Plain => {
                self.next();
                let mut inner = String::new();
                loop {
                    match self.next() {
                        Some('\'') => break,
                        Some('\\') => inner.push(self.escape()?),
                        Some(c) => inner.push(c),
                        None => return Err(bad("a quote does not end")),
                    }
                }
                out.push(Part::Quoted(inner));
            }
            Some('"') if mode == Mode::Plain => {}
            _ => text(out, '$'),
        }
        Ok(())
    }

    /// What a backslash and what follows it stand for in `$'…'`.
    fn escape(&mut self) -> Parsed<char> {
        let c = self.next().ok_or_else(|| bad("a quote does not end"))?;
        Ok(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'e' | 'E' => '\x1b',
            'f' => '\x0c',
            'v' => '\x0b',
            '\\' | '\'' | '"' | '?' => c,
            _ => return Err(ScriptletError::unsupported(format!("$'\\{c}'"))),
        })
    }

    /// `$((…))`, if it is one and no subshell in a substitution.
    fn arithmetic(&mut self) -> Parsed<Option<Part>> {
        let mut depth = 0usize;
        let mut end = self.at;
        loop {
            match self.chars.get(end) {
                Some('(') => depth += 1,
                Some(')') => depth -= 1,
                Some(_) => {}
                None => return Ok(None),
            }
            if depth == 1 && end > self.at && self.chars[end] == ')' {
                // the outer one must follow at once
                if self.chars.get(end + 1) != Some(&')') {
                    return Ok(None);
                }
                break;
            }
            end += 1;
        }
        let inner: String = self.chars[self.at + 2..end].iter().collect();
        self.line += inner.matches('\n').count();
        self.at = end + 2;
        let mut reader =
            Reader { chars: inner.chars().collect(), at: 0, depth: self.depth, line: 0 };
        Ok(Some(Part::Arithmetic(reader.parts(Mode::Double, &[])?)))
    }

    /// `${…}` whose opening has been read.
    fn braced(&mut self, mode: Mode) -> Parsed<Part> {
        let unsupported = |what: &str| ScriptletError::unsupported(format!("${{{what}}}"));
        if self.peek() == Some('#') && !matches!(self.chars.get(self.at + 1), Some('}')) {
            self.next();
            let name = self.name()?;
            if !self.take('}') {
                return Err(unsupported(&format!("#{name}…")));
            }
            return Ok(Part::Parameter { name, form: Form::Length });
        }
        let name = self.name()?;
        let operator = self.next();
        let form = match operator {
            Some('}') => return Ok(Part::Parameter { name, form: Form::Plain }),
            Some(':') if matches!(self.peek(), Some('-' | '=' | '?' | '+')) => {
                let operator = self.next().unwrap_or_default();
                Form::Test { operator, colon: true, word: self.parts(mode, &['}'])? }
            }
            Some(operator @ ('-' | '=' | '?' | '+')) => {
                Form::Test { operator, colon: false, word: self.parts(mode, &['}'])? }
            }
            Some(operator @ ('#' | '%')) => {
                let longest = self.take(operator);
                let pattern = self.parts(Mode::Plain, &['}'])?;
                Form::Remove { suffix: operator == '%', longest, pattern }
            }
            Some('/') => {
                let all = self.take('/');
                if matches!(self.peek(), Some('#' | '%')) {
                    return Err(unsupported(&format!("{name}/#…")));
                }
                let pattern = self.parts(Mode::Plain, &['/', '}'])?;
                let with = if self.take('/') { self.parts(mode, &['}'])? } else { Vec::new() };
                Form::Replace { all, pattern, with }
            }
            Some(':') => {
                let offset = self.parts(Mode::Double, &[':', '}'])?;
                let length =
                    if self.take(':') { Some(self.parts(Mode::Double, &['}'])?) } else { None };
                Form::Slice { offset, length }
            }
            _ => return Err(unsupported(&format!("{name}{}", operator.unwrap_or(' ')))),
        };
        if !self.take('}') {
            return Err(bad("a parameter does not end"));
        }
        Ok(Part::Parameter { name, form })
    }

    fn name(&mut self) -> Parsed<String> {
        let mut name = String::new();
        match self.peek() {
            Some(c) if "@*#?-$!".contains(c) => {
                name.push(c);
                self.next();
            }
            _ => {
                while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.next();
                }
            }
        }
        let digits = name.chars().all(|c| c.is_ascii_digit());
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) && !digits {
            return Err(ScriptletError::unsupported("parameter expansion of this form"));
        }
        Ok(name)
    }
}

fn text(out: &mut Vec<Part>, c: char) {
    match out.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => out.push(Part::Text(c.to_string())),
    }
}

fn quoted(out: &mut Vec<Part>, c: char) {
    match out.last_mut() {
        Some(Part::Quoted(text)) => text.push(c),
        _ => out.push(Part::Quoted(c.to_string())),
    }
}

/// Where the parenthesis is that ends a substitution. Patterns of `case` have some of their own.
fn command_end(chars: &[char], mut at: usize) -> Option<usize> {
    let mut stack = vec!['('];
    let mut word = String::new();
    let mut boundary = true;
    while let Some(&c) = chars.get(at) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            at += 1;
            continue;
        }
        match word.as_str() {
            "case" if boundary => stack.push('c'),
            "esac" if boundary && stack.last() == Some(&'c') => {
                stack.pop();
            }
            _ => {}
        }
        let had_word = !std::mem::take(&mut word).is_empty();
        let ends = matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')');
        boundary = ends || boundary && !had_word && c.is_whitespace();
        match c {
            '\\' => at += 1,
            '\'' => at += 1 + chars.get(at + 1..)?.iter().position(|c| *c == '\'')?,
            '"' => at = double_end(chars, at + 1)?,
            '`' => at += 1 + chars.get(at + 1..)?.iter().position(|c| *c == '`')?,
            '#' if at == 0 || matches!(chars[at - 1], ' ' | '\t' | '\n' | ';' | '(') => {
                at += chars[at..].iter().position(|c| *c == '\n')?;
            }
            '(' => stack.push('('),
            ')' if stack.last() == Some(&'c') => {}
            ')' => {
                stack.pop();
                if stack.is_empty() {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the double quote is that ends a text.
fn double_end(chars: &[char], mut at: usize) -> Option<usize> {
    loop {
        match chars.get(at)? {
            '"' => return Some(at),
            '\\' => at += 1,
            '$' if chars.get(at + 1) == Some(&'(') => at = command_end(chars, at + 2)?,
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn reads_nested_quotes() {
        let parts = parse(r#"a'b c'"$x${y:-"q"}"\ $(echo "a)" ')' `x`)"#, Mode::Plain).unwrap();
        assert_eq!(parts.len(), 5);
        assert_eq!(parts[4], Part::Command("echo \"a)\" ')' `x`".to_owned(), 0));
        let case = "$(case $x in a) echo 1;; (b) echo 2;; esac)z";
        assert!(
            matches!(&parse(case, Mode::Plain).unwrap()[..], [Part::Command(..), Part::Text(z)] if z == "z")
        );
        assert!(matches!(
            &parse("$(( (1+2)*3 ))", Mode::Plain).unwrap()[..],
            [Part::Arithmetic(_)]
        ));
        assert!(matches!(&parse("$((a); (b))", Mode::Plain).unwrap()[..], [Part::Command(..)]));
    }

    #[test]
    fn bad_texts_are_errors() {
        for text in ["$(a", "${a", "'a", "\"a", "`a", "${", "${1a}"] {
            assert!(parse(text, Mode::Plain).is_err(), "{text}");
        }
        let deep = "${a:-".repeat(100);
        assert!(parse(&deep, Mode::Plain).is_err());
    }
}
