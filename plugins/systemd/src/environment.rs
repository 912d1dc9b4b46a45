//! Variables: files that set them, and command lines that use them.
//!
//! Source: systemd.exec(5) `EnvironmentFile=`, systemd.service(5) *Command lines*.

use crate::words::{self, Mode};

/// `NAME=value` of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value without quotes.
    pub value: String,
    /// Line of its name, from 1.
    pub line: u32,
}

/// Whether a variable may be called so.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

enum State {
    BeforeKey,
    Key,
    BeforeValue,
    Value,
    Escape,
    Single,
    Double,
    DoubleEscape,
    Comment,
}

/// Parses an environment file. Lines that set nothing are skipped, as systemd does.
pub fn parse(text: &str) -> Vec<Variable> {
    let mut all = Vec::new();
    let (mut key, mut value) = (String::new(), String::new());
    // What of `value` stays when white space at its end is cut off: quoted text does.
    let mut kept = 0;
    let (mut line, mut start) = (1, 1);
    let mut state = State::BeforeKey;
    for c in text.chars() {
        let newline = c == '\n' || c == '\r';
        state = match state {
            State::BeforeKey => match c {
                '#' | ';' => State::Comment,
                c if c.is_ascii_whitespace() => State::BeforeKey,
                c => {
                    (key, value, kept, start) = (c.to_string(), String::new(), 0, line);
                    State::Key
                }
            },
            State::Key if newline => State::BeforeKey,
            State::Key if c == '=' => State::BeforeValue,
            State::Key => {
                key.push(c);
                State::Key
            }
            State::BeforeValue | State::Value if newline => {
                value.truncate(value.trim_end().len().max(kept));
                all.push((key.trim().to_owned(), value.clone(), start));
                State::BeforeKey
            }
            State::BeforeValue => match c {
                '\'' => State::Single,
                '"' => State::Double,
                '\\' => State::Escape,
                c if c.is_ascii_whitespace() => State::BeforeValue,
                c => {
                    value.push(c);
                    State::Value
                }
            },
            State::Value if c == '\\' => State::Escape,
            State::Value => {
                value.push(c);
                State::Value
            }
            State::Escape => {
                if !newline {
                    value.push(c);
                    kept = value.len();
                }
                State::Value
            }
            State::Single | State::Double
                if c == if matches!(state, State::Single) { '\'' } else { '"' } =>
            {
                kept = value.len();
                State::BeforeValue
            }
            State::Double if c == '\\' => State::DoubleEscape,
            State::DoubleEscape => {
                if !"\"\\`$\n".contains(c) {
                    value.push('\\');
                }
                if c != '\n' {
                    value.push(c);
                }
                State::Double
            }
            quoted @ (State::Single | State::Double) => {
                value.push(c);
                kept = value.len();
                quoted
            }
            State::Comment if newline => State::BeforeKey,
            State::Comment => State::Comment,
        };
        line += u32::from(c == '\n');
    }
    if !matches!(state, State::BeforeKey | State::Key | State::Comment) {
        value.truncate(value.trim_end().len().max(kept));
        all.push((key.trim().to_owned(), value, start));
    }
    all.into_iter()
        .filter(|(name, ..)| is_name(name))
        .map(|(name, value, line)| Variable { name, value, line })
        .collect()
}

/// Sets a value in a list by name, of which each is there once.
pub fn set<T>(list: &mut Vec<(String, T)>, name: &str, value: T) {
    match list.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
        Ok(at) => list[at].1 = value,
        Err(at) => list.insert(at, (name.to_owned(), value)),
    }
}

/// The value of a name in such a list.
fn value<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let at = list.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
    Some(&list[at].1)
}

fn note(unset: &mut Vec<String>, name: &str) {
    if let Err(at) = unset.binary_search_by(|known| known.as_str().cmp(name)) {
        unset.insert(at, name.to_owned());
    }
}

/// A command line with its variables replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replaced {
    /// The words.
    pub words: Vec<String>,
    /// Variables that nothing sets, in order.
    pub unset: Vec<String>,
}

/// Replaces `$NAME` that is a word of its own by the words of its value, `${NAME}` anywhere by
/// its value, and `$$` by `$`.
pub fn replace(words: &[String], variables: &[(String, String)]) -> Replaced {
    let mut out = Replaced::default();
    for word in words {
        match word.strip_prefix('$') {
            Some(name) if !name.starts_with(['$', '{']) => match value(variables, name) {
                Some(value) => out.words.extend(words::words(value, Mode::Variable).0),
                None => {
                    note(&mut out.unset, name);
                }
            },
            _ => {
                let word = replace_in(word, variables, &mut out.unset);
                out.words.push(word);
            }
        }
    }
    out
}

fn replace_in(word: &str, variables: &[(String, String)], unset: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) =
            after.strip_prefix('{').and_then(|inside| inside.split_once('}'))
        {
            match value(variables, name) {
                Some(value) => out.push_str(value),
                None => {
                    note(unset, name);
                }
            }
            rest = after;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).into_iter().map(|variable| (variable.name, variable.value)).collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[test]
    fn files() {
        let text =
            "# c\n; d\nA=1 2  \nB = \"x \\\"y\\n\"  \nC='a\\b '\nD=a\\\nb\\ \n1=x\nnothing\nE=";
        assert_eq!(
            pairs(text),
            [
                pair("A", "1 2"),
                pair("B", "x \"y\\n"),
                pair("C", "a\\b "),
                pair("D", "ab "),
                pair("E", "")
            ]
        );
        assert_eq!(parse(text)[3].line, 6);
    }

    #[test]
    fn variables() {
        let values = [pair("A", "1 '2 3'"), pair("B", ""), pair("C", "x")];
        let words: Vec<String> =
            ["$A", "${A}", "$B", "${B}", "a$C", "${C}y$$z", "$$A", "$N", "${N}"]
                .map(str::to_owned)
                .to_vec();
        let replaced = replace(&words, &values);
        assert_eq!(replaced.words, ["1", "2 3", "1 '2 3'", "", "a$C", "xy$z", "$A", ""]);
        assert_eq!(replaced.unset, ["N"]);
    }
}
