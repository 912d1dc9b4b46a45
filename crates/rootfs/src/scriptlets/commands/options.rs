//! Options as `getopt_long` reads them.

use super::super::ScriptletError;

/// What was given.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Letters with their values, in order.
    pub options: Vec<(char, String)>,
    /// All that is no option.
    pub operands: Vec<String>,
}

impl Parsed {
    pub(super) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(own, _)| *own == letter)
    }

    /// The last value of an option.
    pub(super) fn value(&self, letter: char) -> Option<&str> {
        self.options.iter().rev().find(|(own, _)| *own == letter).map(|(_, value)| value.as_str())
    }
}

/// Reads arguments. `letters`: those without a value, and with a colon behind it those with one.
/// `names`: long options and the letters they stand for.
pub(super) fn parse(
    command: &str,
    words: &[String],
    letters: &str,
    names: &[(&str, char)],
) -> Result<Parsed, ScriptletError> {
    let unknown = |option: &str| ScriptletError::unsupported(format!("{command} {option}"));
    let takes_value = |letter: char| {
        let at = letters.find(letter)?;
        Some(letters[at + letter.len_utf8()..].starts_with(':'))
    };
    let mut parsed = Parsed::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            parsed.operands.extend(words.cloned());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let letter = names.iter().find(|(own, _)| *own == name).map(|(_, letter)| *letter);
            let letter = letter.ok_or_else(|| unknown(&format!("--{name}")))?;
            let value = match (takes_value(letter), value) {
                (Some(true), None) => words.next().cloned().ok_or_else(|| unknown(word))?,
                (_, value) => value.unwrap_or_default(),
            };
            parsed.options.push((letter, value));
            continue;
        }
        let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) else {
            parsed.operands.push(word.clone());
            continue;
        };
        for (at, letter) in short.char_indices() {
            if letter == ':' {
                return Err(unknown(word));
            }
            let rest = &short[at + letter.len_utf8()..];
            match takes_value(letter) {
                None => return Err(unknown(word)),
                Some(false) => parsed.options.push((letter, String::new())),
                Some(true) => {
                    let value = if rest.is_empty() {
                        words.next().cloned().ok_or_else(|| unknown(word))?
                    } else {
                        rest.to_owned()
                    };
                    parsed.options.push((letter, value));
                    break;
                }
            }
        }
    }
    Ok(parsed)
}
