//! Words that a plugin wrote, made fit to be shown: they must not move the cursor of a terminal,
//! nor look like lines of strata's own.

use crate::limits;

/// One line of at most [`limits::LINE`] bytes, without control characters.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(limits::LINE) {
        match c {
            '\n' | '\t' => out.push(' '),
            '\r' => {}
            c if harmful(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
        if out.len() > limits::LINE {
            break;
        }
    }
    out.truncate(out.floor_char_boundary(limits::LINE));
    out.truncate(out.trim_end().len());
    out
}

/// Control characters, those that turn the direction of writing, and those that end a line.
pub(crate) fn harmful(c: char) -> bool {
    let turns = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A text from a plugin in an error: quoted, short, escaped.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 80;
    let mut shown: String = text.chars().take(MOST).flat_map(escape).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn escape(c: char) -> Box<dyn Iterator<Item = char>> {
    match c {
        '\n' | '\t' | '\r' | '\0' => Box::new(c.escape_default()),
        c if harmful(c) => Box::new(c.escape_unicode()),
        c => Box::new(std::iter::once(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines() {
        assert_eq!(line("a\nb\u{1b}[31mc\r\n"), "a b\\u{1b}[31mc");
        assert_eq!(line(&"ä".repeat(5000)).len(), limits::LINE);
        assert_eq!(line(&"\0".repeat(5000)).len(), limits::LINE);
        for c in "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}".chars() {
            assert_eq!(line(&format!("{c}x")), format!("{}x", c.escape_unicode()));
        }
    }

    #[test]
    fn quotes_are_short() {
        assert_eq!(quoted("a\0b"), "`a\\u{0}b`");
        assert_eq!(quoted(&"x".repeat(100)), format!("`{}…`", "x".repeat(80)));
    }
}
