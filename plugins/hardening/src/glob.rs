//! Patterns of paths.

/// Whether a path is what a pattern says: `*` and `?` stand for what has no `/`, `**` for anything.
pub fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<_> = pattern.chars().collect();
    let path: Vec<_> = path.chars().collect();
    // which beginnings of the path the pattern so far can be
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let mut position = 0;
    while let Some(letter) = pattern.get(position) {
        let double = *letter == '*' && pattern.get(position + 1) == Some(&'*');
        let mut next = vec![false; path.len() + 1];
        for at in 0..=path.len() {
            let before = at.checked_sub(1);
            next[at] = match letter {
                '*' => {
                    reached[at]
                        || before
                            .is_some_and(|before| next[before] && (double || path[before] != '/'))
                }
                '?' => before.is_some_and(|before| reached[before] && path[before] != '/'),
                letter => before.is_some_and(|before| reached[before] && path[before] == *letter),
            };
        }
        reached = next;
        position += if double { 2 } else { 1 };
    }
    reached[path.len()]
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
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/usr/*", "/usr/bin/su"),
            ("/usr/bin/s", "/usr/bin/su"),
            ("/usr/bin/su", "/usr/bin/s"),
            ("/usr?bin", "/usr/bin"),
            ("", "/"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let pattern = "*a".repeat(50);
        assert!(!matches(&pattern, &"a".repeat(2000).replace('a', "ab")));
    }
}
