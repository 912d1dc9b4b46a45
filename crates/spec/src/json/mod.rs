//! A JSON reader ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)) that keeps the place of
//! every value, and whose errors point at what has to be mended.

mod balance;
mod scalar;

use crate::{
    Place, Source, SpecError,
    error::{Problem, closing},
    value::{Entry, Node, Value, index, join, short},
};
use balance::Brackets;
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// Deepest nesting of lists and objects.
pub(crate) const DEEPEST: usize = 64;

/// Reads a whole text as one value.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, SpecError> {
    read_at(source, 0)
}

/// Reads what follows `start` as one value; places count from the beginning of the source.
pub(crate) fn read_at(source: &Arc<Source>, start: usize) -> Result<Node, SpecError> {
    let mut reader = Reader {
        source,
        text: source.text(),
        at: start,
        path: String::new(),
        open: Brackets::new(),
    };
    if reader.text.get(start..).is_some_and(|text| text.starts_with('\u{feff}')) {
        reader.at += '\u{feff}'.len_utf8();
    }
    reader.white_space()?;
    if reader.peek().is_none() {
        return Err(reader.error(start..start, Problem::Empty));
    }
    let node = reader.value(None)?;
    reader.white_space()?;
    match reader.peek() {
        None => Ok(node),
        Some(c) => Err(reader.error_at(c, Problem::TrailingText)),
    }
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    text: &'a str,
    at: usize,
    /// Path of the value that is being read.
    path: String,
    open: Brackets,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn error(&self, span: Range<usize>, problem: Problem) -> SpecError {
        Place::new(self.source, span, self.path.clone()).error(problem)
    }

    /// An error about the character ahead.
    fn error_at(&self, c: char, problem: Problem) -> SpecError {
        self.error(self.at..self.at + c.len_utf8(), problem)
    }

    fn white_space(&mut self) -> Result<(), SpecError> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
        let length = match self.rest() {
            rest if rest.starts_with("//") || rest.starts_with("/*") => 2,
            rest if rest.starts_with('#') => 1,
            _ => return Ok(()),
        };
        Err(self.error(self.at..self.at + length, Problem::Comment))
    }

    /// Reads a value; `key` is the one it belongs to, for the error when there is none.
    fn value(&mut self, key: Option<&str>) -> Result<Node, SpecError> {
        let start = self.at;
        let value = match self.peek() {
            Some('{') => self.object()?,
            Some('[') => self.list()?,
            Some('"') => Value::Text(self.string()?),
            Some(c @ (',' | '}' | ']')) => {
                return Err(match key {
                    Some(key) => self.error_at(c, Problem::MissingValue { key: short(key) }),
                    None if c == ',' => self.error_at(c, Problem::RepeatedComma),
                    None => self.error_at(c, Problem::Unexpected { found: c }),
                });
            }
            Some(c) => self.word(c)?,
            None => return Err(self.unclosed()),
        };
        Ok(Node { value, span: start..self.at })
    }

    fn enter(&mut self, open: char) -> Result<(), SpecError> {
        if self.open.depth() >= DEEPEST {
            return Err(self.error_at(open, Problem::TooDeep { limit: DEEPEST }));
        }
        self.open.push(open, self.at);
        self.at += open.len_utf8();
        self.white_space()
    }

    fn leave(&mut self) {
        self.open.pop(self.at, self.source);
        self.at += 1;
    }

    fn list(&mut self) -> Result<Value, SpecError> {
        self.enter('[')?;
        let mut items = Vec::new();
        if self.peek() == Some(']') {
            self.leave();
            return Ok(Value::List(items));
        }
        loop {
            let outer = self.path.len();
            self.path = index(&self.path, items.len());
            let item = self.value(None)?;
            self.path.truncate(outer);
            let end = item.span.end;
            items.push(item);
            if self.separator(']', end, None)? {
                return Ok(Value::List(items));
            }
        }
    }

    fn object(&mut self) -> Result<Value, SpecError> {
        self.enter('{')?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        if self.peek() == Some('}') {
            self.leave();
            return Ok(Value::Object(entries));
        }
        loop {
            let key_start = self.at;
            let key = self.key()?;
            let key_span = key_start..self.at;
            if let Some(first) = seen.insert(key.clone(), key_start) {
                let line = Place::new(self.source, first..first, "").line();
                let key = short(&key);
                return Err(self.error(key_span, Problem::DuplicateKey { key, line }));
            }
            self.white_space()?;
            if self.peek() != Some(':') {
                return Err(match self.peek() {
                    None => self.unclosed(),
                    Some(c @ ('=' | ';')) => self.error_at(c, Problem::Unexpected { found: c }),
                    _ => {
                        let key = short(&key);
                        self.error(key_span.end..key_span.end, Problem::MissingColon { key })
                    }
                });
            }
            self.at += 1;
            self.white_space()?;
            let outer = self.path.len();
            self.path = join(&self.path, &key);
            let value = self.value(Some(&key))?;
            self.path.truncate(outer);
            let end = value.span.end;
            let done = self.separator('}', end, Some(&key))?;
            entries.push(Entry { key, key_span, value });
            if done {
                return Ok(Value::Object(entries));
            }
        }
    }

    fn key(&mut self) -> Result<String, SpecError> {
        match self.peek() {
            Some('"') => self.string(),
            Some(c @ ('}' | ']' | '[' | '{' | ':')) => {
                Err(self.error_at(c, Problem::Unexpected { found: c }))
            }
            Some(c @ ',') => Err(self.error_at(c, Problem::RepeatedComma)),
            Some(c) => Err(self.unquoted_key(c)),
            None => Err(self.unclosed()),
        }
    }

    /// Reads what stands between two elements; true when the container ends. `end` is the end of
    /// the element before, `key` its key.
    fn separator(&mut self, close: char, end: usize, key: Option<&str>) -> Result<bool, SpecError> {
        self.white_space()?;
        let Some(c) = self.peek() else { return Err(self.unclosed()) };
        if c == close {
            self.leave();
            return Ok(true);
        }
        if c == ',' {
            let comma = self.at;
            self.at += 1;
            self.white_space()?;
            return match self.peek() {
                Some(close @ ('}' | ']')) => {
                    Err(self.error(comma..comma + 1, Problem::TrailingComma { close }))
                }
                Some(',') => Err(self.error(self.at..self.at + 1, Problem::RepeatedComma)),
                _ => Ok(false),
            };
        }
        Err(match c {
            '}' | ']' => self.mismatched(c),
            '"' | '{' | '[' => self.missing_comma(end, key),
            c if scalar::in_word(c) => self.missing_comma(end, key),
            c if scalar::is_quote(c) => self.error_at(c, Problem::WrongQuotes { quote: c }),
            c => self.error_at(c, Problem::Unexpected { found: c }),
        })
    }

    fn missing_comma(&mut self, end: usize, key: Option<&str>) -> SpecError {
        let after = match (key, self.peek()) {
            (Some(_), Some('"')) => self.string().ok(),
            _ => None,
        };
        let before = key.map(short);
        let after = after.map(|key: String| short(&key));
        self.error(end..end, Problem::MissingComma { before, after })
    }

    fn mismatched(&self, found: char) -> SpecError {
        let Some((open, at)) = self.open.last() else {
            return self.error_at(found, Problem::Unexpected { found });
        };
        let line = Place::new(self.source, at..at, "").line();
        self.error_at(found, Problem::Mismatched { found, open, line })
    }

    /// The text ends too early.
    fn unclosed(&self) -> SpecError {
        let missing: String = self.open.iter().rev().filter_map(closing).collect();
        let (open, at, guessed) = match (self.open.suspect(), self.open.last()) {
            (Some((open, at)), _) => (open, at, true),
            (None, Some((open, at))) => (open, at, false),
            (None, None) => return self.error(self.at..self.at, Problem::Empty),
        };
        Place::new(self.source, at..at + 1, "").error(Problem::Unclosed { open, missing, guessed })
    }
}
