//! Strings, numbers and words.

use super::Reader;
use crate::{
    SpecError,
    error::Problem,
    value::{Value, short},
};

/// Whether a character can be part of a number or of a word without quotes.
pub(super) fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '+' | '-' | '.' | '$' | '@')
}

/// Quotes that people write, or their editors put, where JSON wants `"`.
pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '\'' | '`' | '“' | '”' | '„' | '‘' | '’' | '«' | '»')
}

/// Whether a text is a number of JSON.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

impl Reader<'_> {
    fn take_word(&self) -> &str {
        let rest = self.rest();
        let end = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or("")
    }

    /// Reads `true`, `false`, `null` or a number; explains anything else.
    pub(super) fn word(&mut self, first: char) -> Result<Value, SpecError> {
        if is_quote(first) {
            return Err(self.error_at(first, Problem::WrongQuotes { quote: first }));
        }
        let word = self.take_word().to_owned();
        let span = self.at..self.at + word.len();
        let value = match word.as_str() {
            "" => return Err(self.error_at(first, Problem::Unexpected { found: first })),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            number if is_number(number) => Value::Number(word),
            _ if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') => {
                return Err(self.error(span, Problem::BadNumber { text: short(&word) }));
            }
            _ => return Err(self.error(span, Problem::UnquotedValue { word: short(&word) })),
        };
        self.at = span.end;
        Ok(value)
    }

    /// The error for something that stands where a key in quotes should be.
    pub(super) fn unquoted_key(&self, first: char) -> SpecError {
        if is_quote(first) {
            return self.error_at(first, Problem::WrongQuotes { quote: first });
        }
        match self.take_word() {
            "" => self.error_at(first, Problem::Unexpected { found: first }),
            word => self
                .error(self.at..self.at + word.len(), Problem::UnquotedKey { word: short(word) }),
        }
    }

    /// Reads a string; the opening quote is ahead.
    pub(super) fn string(&mut self) -> Result<String, SpecError> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || u32::from(c) < 0x20)
                .unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or(""));
            self.at += plain;
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some('\\') => out.push(self.escape()?),
                None | Some('\n' | '\r') => {
                    return Err(self.error(start..start + 1, Problem::UnclosedString));
                }
                Some(c) => {
                    let code = u32::from(c);
                    return Err(self.error_at(c, Problem::ControlCharacter { code }));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, SpecError> {
        let start = self.at;
        let mut ahead = self.rest().chars().skip(1);
        let plain = match ahead.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                self.at += 2;
                return self.unicode().ok_or_else(|| self.bad_escape(start, 6));
            }
            _ => return Err(self.bad_escape(start, 2)),
        };
        self.at += 2;
        Ok(plain)
    }

    fn bad_escape(&self, start: usize, length: usize) -> SpecError {
        let rest = self.text.get(start..).unwrap_or("");
        let escape: String =
            rest.chars().take(length).take_while(|c| !c.is_control() && *c != '"').collect();
        self.error(start..start + escape.len(), Problem::BadEscape { escape })
    }

    /// Four hexadecimal digits, or a surrogate pair.
    fn unicode(&mut self) -> Option<char> {
        let high = self.hex4()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        if !self.rest().starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let low = self.hex4()?;
        if !(0xdc00..0xe000).contains(&low) {
            return None;
        }
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let code = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(code)
    }
}
