//! The syntax of unit files: lines, sections, assignments.
//!
//! Source: systemd.syntax(7).

use crate::words::WHITESPACE;
use std::rc::Rc;

/// A place in a file of the image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: Rc<str>,
    /// Its line, from 1.
    pub line: Option<u32>,
}

/// `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Name of the section, `Service`.
    pub section: Rc<str>,
    /// Key.
    pub key: String,
    /// Value without white space around it.
    pub value: String,
    /// Where it stands: the first line of those that a backslash joins.
    pub place: Place,
}

/// A line that systemd ignores with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Why.
    pub message: String,
    /// Where.
    pub place: Place,
}

/// A parsed file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Assignments in order, of all sections.
    pub assignments: Vec<Assignment>,
    /// Lines without meaning.
    pub ignored: Vec<Ignored>,
    /// A line after which systemd reads no further.
    pub fatal: Option<Ignored>,
}

/// Parses a file's content.
pub fn parse(path: &str, content: &[u8]) -> Parsed {
    let path: Rc<str> = path.into();
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut parser = Parser { path, section: None, parsed: Parsed::default() };
    let mut joined: Option<(u32, Vec<u8>)> = None;
    for (number, line) in (1u32..).zip(content.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Comments are taken out of joined lines, too.
        let start = line.iter().position(|byte| !byte.is_ascii_whitespace());
        if start.is_some_and(|start| matches!(line[start], b'#' | b';')) {
            continue;
        }
        let (first, mut text) = match joined.take() {
            Some((first, mut text)) => {
                text.extend_from_slice(line);
                (first, text)
            }
            None => (number, line.to_vec()),
        };
        let escaped = text.iter().fold(false, |escaped, byte| !escaped && *byte == b'\\');
        if escaped {
            text.pop();
            text.push(b' ');
            joined = Some((first, text));
            continue;
        }
        if !parser.line(first, &text) {
            return parser.parsed;
        }
    }
    if let Some((first, text)) = joined {
        parser.line(first, &text);
    }
    parser.parsed
}

struct Parser {
    path: Rc<str>,
    section: Option<Rc<str>>,
    parsed: Parsed,
}

impl Parser {
    /// Whether to go on.
    fn line(&mut self, number: u32, text: &[u8]) -> bool {
        let place = Place { path: Rc::clone(&self.path), line: Some(number) };
        let Ok(text) = std::str::from_utf8(text) else {
            self.ignore("the line is not UTF-8", place);
            return true;
        };
        let text = text.trim_matches(WHITESPACE);
        if text.is_empty() {
            return true;
        }
        if let Some(section) = text.strip_prefix('[') {
            let Some(section) = section.strip_suffix(']') else {
                let message = format!("`{text}` is no section: the `]` is missing");
                self.parsed.fatal = Some(Ignored { message, place });
                return false;
            };
            self.section = Some(section.into());
            return true;
        }
        let Some(section) = &self.section else {
            self.ignore("the line stands before the first section", place);
            return true;
        };
        let Some((key, value)) = text.split_once('=') else {
            self.ignore(&format!("`{text}` has no `=`"), place);
            return true;
        };
        let key = key.trim_matches(WHITESPACE);
        if key.is_empty() {
            self.ignore("there is no key before the `=`", place);
            return true;
        }
        self.parsed.assignments.push(Assignment {
            section: Rc::clone(section),
            key: key.to_owned(),
            value: value.trim_matches(WHITESPACE).to_owned(),
            place,
        });
        true
    }

    fn ignore(&mut self, message: &str, place: Place) {
        self.parsed.ignored.push(Ignored { message: message.to_owned(), place });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(String, String, u32)> {
        let parsed = parse("/x", text.as_bytes());
        let line = |a: &Assignment| a.place.line.unwrap();
        parsed
            .assignments
            .iter()
            .map(|a| (format!("{}.{}", a.section, a.key), a.value.clone(), line(a)))
            .collect()
    }

    fn line(key: &str, value: &str, number: u32) -> (String, String, u32) {
        (key.into(), value.into(), number)
    }

    #[test]
    fn comments_inside_joined_lines_are_left_out() {
        let text = "[A]\nx = a \\\n# comment \\\n ; another\n  b\\\n\ny=1";
        assert_eq!(lines(text), [line("A.x", "a    b", 2), line("A.y", "1", 7)]);
    }

    #[test]
    fn lines_may_end_as_on_other_systems() {
        assert_eq!(
            lines("[A]\r\nx=a \\\r\n  b\r\ny=1\r\n"),
            [line("A.x", "a    b", 2), line("A.y", "1", 4)]
        );
    }

    #[test]
    fn two_backslashes_join_nothing() {
        assert_eq!(lines("[A]\nx=a\\\\\ny=b"), [line("A.x", "a\\\\", 2), line("A.y", "b", 3)]);
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        let parsed = parse("/x", b"\xef\xbb\xbfa=b\n[A]\nfoo\n=x\n\xff=1\n[B\nz=1\n");
        assert_eq!(parsed.ignored.len(), 4);
        assert_eq!(parsed.fatal.unwrap().place.line, Some(6));
        assert!(parsed.assignments.is_empty());
    }
}
