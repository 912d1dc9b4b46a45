//! Patterns for names and paths in repositories.
//!
//! Shell patterns as `fnmatch(3)` reads them without flags, which is how dnf does it: `*` and `?`
//! also match `/` and a leading `.`, `[…]` is a set, `\` takes the next character as it stands.

/// Whether a text is a pattern at all, by dnf's test.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether `text` matches `pattern`. Takes at most the product of both lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // where to go on when the last `*` has to swallow one byte more
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            star = Some((p, t));
            continue;
        }
        let step = match text.get(t) {
            None if p == pattern.len() => return true,
            None => return false,
            Some(byte) => pattern.get(p..).and_then(|rest| one(rest, *byte)),
        };
        match (step, star) {
            (Some(used), _) => {
                p += used;
                t += 1;
            }
            (None, Some((after, swallowed))) => {
                p = after;
                t = swallowed + 1;
                star = Some((after, t));
            }
            (None, None) => return false,
        }
    }
}

/// How many bytes of the pattern match `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'\\' => match pattern.get(1) {
            Some(next) => (*next == byte).then_some(2),
            None => (byte == b'\\').then_some(1),
        },
        b'[' => match set(pattern, byte) {
            Some((true, used)) => Some(used),
            Some((false, _)) => None,
            // without its `]` the bracket is an ordinary character
            None => (byte == b'[').then_some(1),
        },
        plain => (*plain == byte).then_some(1),
    }
}

/// `[…]` at the start of the pattern: whether it has the byte, and its length.
fn set(pattern: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(1), Some(b'!' | b'^'));
    let first = if negated { 2 } else { 1 };
    let mut at = first;
    let mut found = false;
    loop {
        match *pattern.get(at)? {
            b']' if at > first => return Some((found != negated, at + 1)),
            low => match (pattern.get(at + 1), pattern.get(at + 2)) {
                (Some(b'-'), Some(high)) if *high != b']' => {
                    found |= (low..=*high).contains(&byte);
                    at += 3;
                }
                _ => {
                    found |= low == byte;
                    at += 1;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn as_fnmatch() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("*", "", true),
            ("*/env", "/usr/bin/env", true),
            ("python3-[a-c]*", "python3-babel", true),
            ("python3-[!a-c]*", "python3-babel", false),
            ("x[", "x[", true),
            ("[]]", "]", true),
            ("a?c", "abc", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a*b*c*d", "aXbXcXe", false),
            ("", "", true),
            ("", "a", false),
            ("*-debug", "a-debug-debug", true),
            ("[a-c]x", "bx", true),
            ("a\\*", "a*", true),
            ("libstdc++*", "libstdc++-devel", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "*a".repeat(500);
        assert!(!matches(&pattern, &"a".repeat(499)));
        assert!(!matches(&format!("{pattern}b"), &"a".repeat(2000)));
    }
}
