//! The words of `os-release`: <https://www.freedesktop.org/software/systemd/man/os-release.html>.
//!
//! Knows nothing of the host, and so is tested natively.

/// The value of a key and its line, from 1. The last one counts, as in a shell.
pub fn value(text: &str, key: &str) -> Option<(u32, String)> {
    let values = (1..).zip(text.lines()).filter_map(|(line, assignment)| {
        let value = assignment.trim().strip_prefix(key)?.strip_prefix('=')?;
        Some((line, unquoted(value)))
    });
    values.last().filter(|(_, value)| !value.is_empty())
}

/// Without quotes, and without the backslashes that quote a letter.
fn unquoted(value: &str) -> String {
    let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(literal) = inner('\'') {
        return literal.to_owned();
    }
    let mut letters = inner('"').unwrap_or(value).chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_lose_their_quotes_and_keep_their_line() {
        let text = "# who\nNAME=\"Debian \\\"12\\\"\"\nID=debian\nHOME_URL='https://debian.org/'\n";
        assert_eq!(value(text, "NAME"), Some((2, "Debian \"12\"".to_owned())));
        assert_eq!(value(text, "ID"), Some((3, "debian".to_owned())));
        assert_eq!(value(text, "HOME_URL"), Some((4, "https://debian.org/".to_owned())));
        assert_eq!(value(text, "HOME"), None);
        assert_eq!(value("NAME=\n", "NAME"), None);
    }
}
