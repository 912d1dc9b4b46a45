//! Type strings of GVariant: `a{sv}`, `(ii)`, `ms` …
//! <https://docs.gtk.org/glib/gvariant-format-strings.html>

/// How deeply types may nest.
const DEPTH: usize = 64;
/// Longest type; each value of a default carries its own.
const LENGTH: usize = 255;

/// Takes one complete type off the front.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let end = end(text.as_bytes(), 0, 0)?;
    Some(text.split_at(end))
}

/// Whether it is one complete type.
pub(super) fn is_definite(text: &str) -> bool {
    text.len() <= LENGTH && split(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// Where the type that starts at `at` ends.
fn end(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH {
        return None;
    }
    match text.get(at)? {
        b'a' | b'm' => end(text, at + 1, depth + 1),
        b'(' => {
            let mut at = at + 1;
            while *text.get(at)? != b')' {
                at = end(text, at, depth + 1)?;
            }
            Some(at + 1)
        }
        b'{' => {
            if !is_basic(*text.get(at + 1)?) {
                return None;
            }
            let at = end(text, at + 2, depth + 1)?;
            (*text.get(at)? == b'}').then_some(at + 1)
        }
        b'v' => Some(at + 1),
        letter => is_basic(*letter).then_some(at + 1),
    }
}

fn is_basic(letter: u8) -> bool {
    b"bynqiuxthdsog".contains(&letter)
}

/// The element of an array or a maybe.
pub(super) fn element(text: &str) -> &str {
    text.get(1..).unwrap_or_default()
}

/// The types inside of a tuple or an entry.
pub(super) fn members(text: &str) -> Vec<&str> {
    let mut rest = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut all = Vec::new();
    while let Some((member, more)) = split(rest) {
        all.push(member);
        rest = more;
    }
    all
}

/// What a value's start is a multiple of.
pub(super) fn alignment(text: &str) -> usize {
    match text.as_bytes().first() {
        Some(b'n' | b'q') => 2,
        Some(b'i' | b'u' | b'h') => 4,
        Some(b'x' | b't' | b'd' | b'v') => 8,
        Some(b'a' | b'm') => alignment(element(text)),
        Some(b'(' | b'{') => members(text).into_iter().map(alignment).max().unwrap_or(1),
        _ => 1,
    }
}

/// The size of every value; none where they differ.
pub(super) fn size(text: &str) -> Option<usize> {
    match text.as_bytes().first()? {
        b'b' | b'y' => Some(1),
        b'n' | b'q' => Some(2),
        b'i' | b'u' | b'h' => Some(4),
        b'x' | b't' | b'd' => Some(8),
        b'(' | b'{' => {
            let members = members(text);
            let mut total = 0usize;
            for member in &members {
                total = total.next_multiple_of(alignment(member)) + size(member)?;
            }
            Some(total.next_multiple_of(alignment(text)).max(1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_apart() {
        for good in ["s", "as", "a{sv}", "(ii)", "()", "m(sa{uv})", "aay"] {
            assert!(is_definite(good), "{good}");
        }
        for bad in ["", "a", "{sv", "{vs}", "(", "ss", "z", "{s}", "*", "r"] {
            assert!(!is_definite(bad), "{bad}");
        }
        assert!(!is_definite(&("a".repeat(5000) + "s")));
        assert_eq!(members("(sa{sv}i)"), ["s", "a{sv}", "i"]);
        assert_eq!((size("(yi)"), alignment("(yi)"), size("()")), (Some(8), 4, Some(1)));
        assert_eq!(size("(ys)"), None);
    }
}
