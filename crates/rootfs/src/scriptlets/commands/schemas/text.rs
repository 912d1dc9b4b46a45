//! The text form of GVariant: `['a', 'b']`, `{'k': <1>}`, `@as []`, `uint32 7` …
//! <https://docs.gtk.org/glib/gvariant-text-format.html>
//!
//! A text is parsed first, and gets its types then, from the type that is wanted, or where that
//! is open, inside of a variant, from the text alone.

use super::types;
use super::value::{Data, Value};

/// How deeply values may nest.
const DEPTH: usize = 64;
/// Longest text.
const LENGTH: usize = 1 << 20;

/// A text's parts, before they have types.
#[derive(Debug, Clone)]
enum Part {
    Bool(bool),
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    Maybe(Option<Box<Part>>),
    Array(Vec<Part>),
    Tuple(Vec<Part>),
    Entries(Vec<(Part, Part)>),
    /// An entry that is no member of a dictionary.
    Entry(Box<(Part, Part)>),
    Variant(Box<Part>),
    Typed(String, Box<Part>),
}

type Result<T> = std::result::Result<T, String>;

/// The value that a text stands for, of a certain type.
pub(super) fn parse(kind: &str, text: &str) -> Result<Value> {
    if text.len() > LENGTH {
        return Err("it is too long".to_owned());
    }
    let mut reader = Reader { text: text.as_bytes(), at: 0, depth: 0 };
    let part = reader.part()?;
    reader.space();
    if reader.at < text.len() {
        return Err("expected end of input".to_owned());
    }
    build(&part, kind)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|b| b.is_ascii_whitespace() || *b == 0x0b) {
            self.at += 1;
        }
    }

    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn need(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) {
            return Ok(());
        }
        Err(format!("{}: expected `{}`", self.at, char::from(byte)))
    }

    fn word(&mut self) -> String {
        self.space();
        let start = self.at;
        let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
        while self.text.get(self.at).is_some_and(inside) {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.text[start..self.at]).into_owned()
    }

    fn part(&mut self) -> Result<Part> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it nests too deeply".to_owned());
        }
        let part = self.inner()?;
        self.depth -= 1;
        Ok(part)
    }

    fn inner(&mut self) -> Result<Part> {
        let first = self.peek().ok_or("expected value")?;
        let next = self.text.get(self.at + 1).copied();
        match first {
            b'[' => {
                self.at += 1;
                Ok(Part::Array(self.list(b']')?))
            }
            b'(' => self.tuple(),
            b'{' => self.braces(),
            b'<' => {
                self.at += 1;
                let part = self.part()?;
                self.need(b'>')?;
                Ok(Part::Variant(Box::new(part)))
            }
            b'@' => {
                self.at += 1;
                let rest = std::str::from_utf8(&self.text[self.at..]).unwrap_or_default();
                let (kind, _) = types::split(rest)
                    .filter(|(kind, _)| types::is_definite(kind))
                    .ok_or("invalid type declaration")?;
                let kind = kind.to_owned();
                self.at += kind.len();
                Ok(Part::Typed(kind, Box::new(self.part()?)))
            }
            b'\'' | b'"' => Ok(Part::Text(self.string()?)),
            b'b' if matches!(next, Some(b'\'' | b'"')) => self.bytes(),
            _ => self.keyword(),
        }
    }

    fn keyword(&mut self) -> Result<Part> {
        let start = self.at;
        let word = self.word();
        let kind = match word.as_str() {
            "true" => return Ok(Part::Bool(true)),
            "false" => return Ok(Part::Bool(false)),
            "nothing" => return Ok(Part::Maybe(None)),
            "just" => return Ok(Part::Maybe(Some(Box::new(self.part()?)))),
            "boolean" => "b",
            "byte" => "y",
            "int16" => "n",
            "uint16" => "q",
            "int32" => "i",
            "handle" => "h",
            "uint32" => "u",
            "int64" => "x",
            "uint64" => "t",
            "double" => "d",
            "string" => "s",
            "objectpath" => "o",
            "signature" => "g",
            _ => {
                let digits = word.trim_start_matches(['-', '+']);
                let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                    || digits.starts_with("inf")
                    || digits.starts_with("nan");
                return number
                    .then_some(Part::Number(word))
                    .ok_or_else(|| format!("{start}: unknown keyword"));
            }
        };
        Ok(Part::Typed(kind.to_owned(), Box::new(self.part()?)))
    }

    /// Values with commas between, up to a closing mark.
    fn list(&mut self, end: u8) -> Result<Vec<Part>> {
        let mut all = Vec::new();
        while !self.take(end) {
            if !all.is_empty() {
                self.need(b',')?;
            }
            all.push(self.part()?);
        }
        Ok(all)
    }

    /// A tuple of one has a comma behind it.
    fn tuple(&mut self) -> Result<Part> {
        self.at += 1;
        let mut all = Vec::new();
        while !self.take(b')') {
            match all.len() {
                0 => {}
                1 => {
                    self.need(b',')?;
                    if self.take(b')') {
                        break;
                    }
                }
                _ => self.need(b',')?,
            }
            all.push(self.part()?);
            if all.len() == 1 && self.peek() != Some(b',') {
                return Err(format!("{}: expected `,`", self.at));
            }
        }
        Ok(Part::Tuple(all))
    }

    /// A dictionary, or an entry of one.
    fn braces(&mut self) -> Result<Part> {
        self.at += 1;
        let mut all = Vec::new();
        while !self.take(b'}') {
            if !all.is_empty() {
                self.need(b',')?;
            }
            let key = self.part()?;
            if all.is_empty() && self.take(b',') {
                let value = self.part()?;
                self.need(b'}')?;
                return Ok(Part::Entry(Box::new((key, value))));
            }
            self.need(b':')?;
            all.push((key, self.part()?));
        }
        Ok(Part::Entries(all))
    }

    fn string(&mut self) -> Result<String> {
        let quote = self.text[self.at];
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let byte = *self.text.get(self.at).ok_or("unterminated string constant")?;
            self.at += 1;
            match byte {
                byte if byte == quote => break,
                b'\\' => {
                    let escape = *self.text.get(self.at).ok_or("unterminated string constant")?;
                    self.at += 1;
                    let simple = match escape {
                        b'a' => 7,
                        b'b' => 8,
                        b'f' => 12,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'v' => 11,
                        b'\n' => continue,
                        b'u' | b'U' => {
                            let c = self.unicode(if escape == b'u' { 4 } else { 8 })?;
                            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
                            continue;
                        }
                        other => other,
                    };
                    out.push(simple);
                }
                byte => out.push(byte),
            }
        }
        String::from_utf8(out).map_err(|_| "invalid UTF-8".to_owned())
    }

    fn unicode(&mut self, digits: usize) -> Result<char> {
        let wrong = "invalid unicode character";
        let text = self.text.get(self.at..self.at + digits).ok_or(wrong)?;
        if !text.iter().all(u8::is_ascii_hexdigit) {
            return Err(wrong.to_owned());
        }
        self.at += digits;
        let text = std::str::from_utf8(text).map_err(|_| wrong)?;
        let code = u32::from_str_radix(text, 16).map_err(|_| wrong)?;
        char::from_u32(code).filter(|c| *c != '\0').ok_or_else(|| wrong.to_owned())
    }

    /// A string of bytes, which is an array that ends with a zero.
    fn bytes(&mut self) -> Result<Part> {
        self.at += 1;
        let quote = self.text[self.at];
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let byte = *self.text.get(self.at).ok_or("unterminated string constant")?;
            self.at += 1;
            match byte {
                byte if byte == quote => break,
                b'\\' => {
                    let escape = *self.text.get(self.at).ok_or("unterminated string constant")?;
                    self.at += 1;
                    match escape {
                        b'0'..=b'7' => {
                            let mut number = u32::from(escape - b'0');
                            for _ in 0..2 {
                                let digit = self.text.get(self.at).copied().unwrap_or_default();
                                if !(b'0'..=b'7').contains(&digit) {
                                    break;
                                }
                                number = number * 8 + u32::from(digit - b'0');
                                self.at += 1;
                            }
                            out.push((number & 0xff) as u8);
                        }
                        b'a' => out.push(7),
                        b'b' => out.push(8),
                        b'f' => out.push(12),
                        b'n' => out.push(b'\n'),
                        b'r' => out.push(b'\r'),
                        b't' => out.push(b'\t'),
                        b'v' => out.push(11),
                        b'\n' => {}
                        other => out.push(other),
                    }
                }
                byte => out.push(byte),
            }
        }
        out.push(0);
        Ok(Part::Bytes(out))
    }
}

mod build;
use build::build;
