//! Source files: patterns of names, and below them indented properties.
//! <https://www.freedesktop.org/software/systemd/man/latest/hwdb.html>

use super::{
    Form,
    trie::{Source, Trie},
};
use crate::scriptlets::{ScriptletError, limits::Budget};

/// Longest line that is read.
const LINE: usize = 1 << 20;

#[derive(PartialEq, Eq)]
enum State {
    Between,
    Patterns,
    Properties,
}

/// Reads a file into the trie; gives what is wrong with it, with line numbers.
pub(super) fn read(
    trie: &mut Trie,
    budget: &mut Budget,
    bytes: &[u8],
    path: &str,
    priority: u16,
    form: Form,
) -> Result<Vec<String>, ScriptletError> {
    let mut problems = Vec::new();
    let mut patterns: Vec<&[u8]> = Vec::new();
    let mut state = State::Between;
    let path = (form == Form::Full).then_some(path);
    for (line, text) in (1u32..).zip(lines(bytes)) {
        if text.len() > LINE {
            problems.push(format!("{line}: the line is too long"));
            break;
        }
        if text.starts_with(b"#") {
            continue;
        }
        let text = text.split(|byte| *byte == b'#').next().unwrap_or_default();
        let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
        let text = &text[..end];
        match (text.first(), &state) {
            (None, State::Between) => {}
            (None, _) => {
                if state == State::Patterns {
                    problems.push(format!("{line}: Property expected"));
                }
                patterns.clear();
                state = State::Between;
            }
            (Some(b' '), State::Between) => problems.push(format!("{line}: Match expected")),
            (Some(b' '), _) => {
                state = State::Properties;
                budget.steps(patterns.len() as u64)?;
                let source = Source { path, line, priority };
                if let Err(problem) = property(trie, &patterns, text, source) {
                    problems.push(format!("{line}: {problem}"));
                }
            }
            (Some(_), State::Properties) => {
                problems.push(format!("{line}: Property or empty line expected"));
                patterns.clear();
                state = State::Between;
            }
            (Some(_), _) => {
                state = State::Patterns;
                patterns.push(text);
            }
        }
    }
    if trie.is_full() {
        return Err(ScriptletError::Limit { what: "properties of a name" });
    }
    Ok(problems)
}

fn property(
    trie: &mut Trie,
    patterns: &[&[u8]],
    text: &[u8],
    source: Source<'_>,
) -> Result<(), &'static str> {
    let equal = text.iter().position(|byte| *byte == b'=').ok_or("Key-value pair expected")?;
    let (mut key, value) = (&text[..equal], &text[equal + 1..]);
    while let [b' ' | b'\t', rest @ ..] = key
        && matches!(rest.first(), Some(b' ' | b'\t'))
    {
        key = rest;
    }
    if key.len() < 2 {
        return Err("Empty key");
    }
    for pattern in patterns {
        trie.insert(pattern, key, value, source);
    }
    Ok(())
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// Lines as systemd reads them: different marks for the end, one behind the other, are one end.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r' | 0);
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(is_end).unwrap_or(rest.len());
        let (line, more) = rest.split_at(end);
        let mut seen: Vec<u8> = Vec::new();
        let marks = more.iter().take_while(|byte| {
            let fresh = is_end(byte) && !seen.contains(byte);
            seen.push(**byte);
            fresh
        });
        rest = &more[marks.count()..];
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_lines() {
        let all: Vec<&[u8]> = lines(b"a\n\nb\r\nc\n\rd\0e").collect();
        assert_eq!(all, [&b"a"[..], b"", b"b", b"c", b"d", b"e"]);
    }
}
