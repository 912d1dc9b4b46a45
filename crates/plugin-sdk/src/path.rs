//! Patterns of paths.

/// Whether a path is what a pattern says: `*` and `?` stand for what has no `/`, `[a-z]` and
/// `[!a-z]` for one character that is none, `**` for anything. A `[` that nothing closes stands
/// for itself.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern, path);
    // Where to try once more: behind the last `*`, and behind the last `**`, with a character more
    // for it. Stars before those need no second look: what they took was as little as it could be.
    let (mut single, mut double) = (None, None);
    loop {
        if let Some(rest) = pattern.strip_prefix('*') {
            pattern = rest.trim_start_matches('*');
            if pattern.len() == rest.len() {
                single = Some((pattern, path));
            } else {
                (single, double) = (None, Some((pattern, path)));
            }
        } else if pattern.is_empty() && path.is_empty() {
            return true;
        } else if let Some(next) = step(pattern, path) {
            (pattern, path) = next;
        } else if let Some((after, from)) = single
            && let Some(rest) = behind(from, |letter| letter != '/')
        {
            single = Some((after, rest));
            (pattern, path) = (after, rest);
        } else if let Some((after, from)) = double
            && let Some(rest) = behind(from, |_| true)
        {
            (single, double) = (None, Some((after, rest)));
            (pattern, path) = (after, rest);
        } else {
            return false;
        }
    }
}

/// What follows in both when the first of the pattern, no star, is that of the path.
fn step<'a>(pattern: &'a str, path: &'a str) -> Option<(&'a str, &'a str)> {
    let first = pattern.chars().next()?;
    let letter = path.chars().next()?;
    let mut rest = &pattern[first.len_utf8()..];
    let same = match first {
        '?' => letter != '/',
        '[' => match set(rest, letter) {
            Some((is_in, after)) => {
                rest = after;
                is_in && letter != '/'
            }
            None => letter == '[',
        },
        first => first == letter,
    };
    same.then(|| (rest, &path[letter.len_utf8()..]))
}

/// Whether a letter is in the set that stands before a `]`, and what follows it.
fn set(text: &str, letter: char) -> Option<(bool, &str)> {
    let inner = text.strip_prefix(['!', '^']).unwrap_or(text);
    let negated = inner.len() < text.len();
    let mut letters = inner.chars();
    let mut is_in = false;
    let mut first = true;
    loop {
        let from = letters.next()?;
        if from == ']' && !first {
            return Some((is_in != negated, letters.as_str()));
        }
        first = false;
        let mut ahead = letters.clone();
        let to = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) if to != ']' => {
                letters = ahead;
                to
            }
            _ => from,
        };
        is_in |= (from..=to).contains(&letter);
    }
}

/// The text without its first letter, if that is a fitting one.
fn behind(text: &str, fits: impl Fn(char) -> bool) -> Option<&str> {
    let letter = text.chars().next().filter(|letter| fits(*letter))?;
    Some(&text[letter.len_utf8()..])
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stop_at_directories_unless_there_are_two() {
        for (pattern, path) in [
            ("/usr/bin/su", "/usr/bin/su"),
            ("/usr/bin/*", "/usr/bin/su"),
            ("/usr/bin/s?", "/usr/bin/su"),
            ("/usr/**", "/usr/bin/su"),
            ("**/su", "/usr/bin/su"),
            ("/usr/*/su*", "/usr/bin/sudo"),
            ("/usr/**/x/*", "/usr/a/b/x/c"),
            ("**/a*b/c", "/a/x/ab/ab/c"),
            ("**a*/*b**c", "/xa/ya/yb/c"),
            ("***", "/a"),
            ("a*", "a"),
            ("", ""),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/usr/*", "/usr/bin/su"),
            ("/usr/bin/s", "/usr/bin/su"),
            ("/usr/bin/su", "/usr/bin/s"),
            ("/usr?bin", "/usr/bin"),
            ("*b", "abc"),
            ("", "/"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn sets_are_those_of_the_shell() {
        for (pattern, path) in [
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]a]", "]"),
            ("[a-]", "-"),
            ("[é]", "é"),
            ("[a", "[a"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [("[a-c]x", "dx"), ("[^a]", "a"), ("a[!x]b", "a/b"), ("[a]", "[a]")]
        {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let pattern = "*a".repeat(50);
        assert!(!matches(&pattern, &"a".repeat(2000).replace('a', "ab")));
    }
}
