//! Words as systemd splits them: quotes and C escapes, no shell.
//!
//! Source: systemd.syntax(7) *Quoting*, systemd.service(5) *Command lines*.

/// What separates words.
pub const WHITESPACE: &[char] = &[' ', '\t', '\n', '\r'];

/// Why a text is no list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordError {
    /// A quote that is not closed, or a backslash at the very end.
    Unbalanced,
    /// A backslash that begins no escape.
    Escape,
    /// The escapes make bytes that are not UTF-8.
    NotUtf8,
}

impl WordError {
    /// In words.
    pub fn message(self) -> &'static str {
        match self {
            Self::Unbalanced => "a quote is not closed",
            Self::Escape => "a backslash begins no escape",
            Self::NotUtf8 => "its escapes give bytes that are not UTF-8",
        }
    }
}

/// A word that was taken off the front of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// Without quotes and escapes.
    pub text: String,
    /// What follows, without leading white space.
    pub rest: &'a str,
}

/// How strict to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Command lines: C escapes; unknown ones stay as they are.
    Command,
    /// Lists: C escapes; an unknown one is an error.
    List,
    /// The value of a variable: a backslash takes the next character as it is, and a quote that
    /// is not closed ends with the text.
    Variable,
}

/// Takes the first word of `text`; none when only white space is left.
pub fn first_word(text: &str, mode: Mode) -> Result<Option<Word<'_>>, WordError> {
    let text = text.trim_start_matches(WHITESPACE);
    if text.is_empty() {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut quote = None;
    let mut rest = text;
    loop {
        let Some(c) = rest.chars().next() else {
            if quote.is_some() && mode != Mode::Variable {
                return Err(WordError::Unbalanced);
            }
            break;
        };
        rest = &rest[c.len_utf8()..];
        if c == '\\' {
            match (mode, rest.chars().next()) {
                (Mode::Variable, None) => {}
                (_, None) if quote.is_some() => return Err(WordError::Unbalanced),
                (Mode::List, None) => return Err(WordError::Escape),
                // systemd retries in its relaxed mode, which keeps a last backslash
                (Mode::Command, None) => out.push(b'\\'),
                (Mode::Variable, Some(next)) => {
                    push(&mut out, next);
                    rest = &rest[next.len_utf8()..];
                }
                (_, Some(next)) => match unescape(rest) {
                    Some((Unescaped::Byte(byte), length)) => {
                        out.push(byte);
                        rest = &rest[length..];
                    }
                    Some((Unescaped::Char(c), length)) => {
                        push(&mut out, c);
                        rest = &rest[length..];
                    }
                    None if mode == Mode::List => return Err(WordError::Escape),
                    None => {
                        out.push(b'\\');
                        push(&mut out, next);
                        rest = &rest[next.len_utf8()..];
                    }
                },
            }
        } else if quote == Some(c) {
            quote = None;
        } else if quote.is_some() {
            push(&mut out, c);
        } else if c == '"' || c == '\'' {
            quote = Some(c);
        } else if WHITESPACE.contains(&c) {
            break;
        } else {
            push(&mut out, c);
        }
    }
    let text = String::from_utf8(out).map_err(|_| WordError::NotUtf8)?;
    Ok(Some(Word { text, rest: rest.trim_start_matches(WHITESPACE) }))
}

/// All words up to an error.
pub fn words(text: &str, mode: Mode) -> (Vec<String>, Option<WordError>) {
    let mut all = Vec::new();
    let mut rest = text;
    loop {
        match first_word(rest, mode) {
            Ok(Some(word)) => {
                all.push(word.text);
                rest = word.rest;
            }
            Ok(None) => return (all, None),
            Err(error) => return (all, Some(error)),
        }
    }
}

enum Unescaped {
    Byte(u8),
    Char(char),
}

/// What stands behind a backslash, and its length; none when it is no escape.
fn unescape(text: &str) -> Option<(Unescaped, usize)> {
    let first = text.chars().next()?;
    let simple = |byte| Some((Unescaped::Byte(byte), 1));
    let digits = |from: usize, count: usize, radix| {
        let digits = text.get(from..from + count)?;
        if !digits.chars().all(|digit| digit.is_digit(radix)) {
            return None;
        }
        u32::from_str_radix(digits, radix).ok().filter(|number| *number != 0)
    };
    match first {
        'a' => simple(0x07),
        'b' => simple(0x08),
        'f' => simple(0x0c),
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        'v' => simple(0x0b),
        's' => simple(b' '),
        '\\' | '"' | '\'' => simple(first as u8),
        'x' => u8::try_from(digits(1, 2, 16)?).ok().map(|byte| (Unescaped::Byte(byte), 3)),
        '0'..='7' => u8::try_from(digits(0, 3, 8)?).ok().map(|byte| (Unescaped::Byte(byte), 3)),
        'u' => char::from_u32(digits(1, 4, 16)?).map(|c| (Unescaped::Char(c), 5)),
        'U' => char::from_u32(digits(1, 8, 16)?).map(|c| (Unescaped::Char(c), 9)),
        _ => None,
    }
}

fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Vec<String> {
        let (words, error) = words(text, Mode::Command);
        assert_eq!(error, None);
        words
    }

    #[test]
    fn quotes_may_stand_anywhere() {
        assert_eq!(unit(r#" a  "b c" 'd "e' f"g h"i '' "#), ["a", "b c", "d \"e", "fg hi", ""]);
        assert_eq!(unit(r"it''s"), ["its"]);
    }

    #[test]
    fn escapes_are_those_of_c() {
        assert_eq!(
            unit(r#"\x41\u00e9\t.\s "\101\"\\" \q \x4 \xc3\xa9"#),
            ["Aé\t. ", "A\"\\", "\\q", "\\x4", "é"]
        );
        assert_eq!(words(r"\xff", Mode::Command), (vec![], Some(WordError::NotUtf8)));
    }

    #[test]
    fn what_stands_before_an_error_counts() {
        let one = |error| (vec!["a".to_owned()], Some(error));
        for mode in [Mode::Command, Mode::List] {
            assert_eq!(words("a \"b c", mode), one(WordError::Unbalanced));
        }
        for text in [r"a \q c", r#"a "b\q" c"#, r"a b\"] {
            assert_eq!(words(text, Mode::List), one(WordError::Escape), "{text}");
        }
    }

    #[test]
    fn variables_have_no_errors() {
        assert_eq!(words("a \"b c", Mode::Variable).0, ["a", "b c"]);
        assert_eq!(words(r"a\ b \n", Mode::Variable).0, ["a b", "n"]);
    }
}
