//! Patterns for absolute paths: `?`, `*` within a directory, `**` across directories.

/// Whether a pattern is more than a path.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether the whole path fits. Linear in path times pattern.
pub(super) fn matches(pattern: &[u8], path: &[u8]) -> bool {
    // reached[i]: the pattern so far matches the first i bytes
    let mut reached = vec![false; path.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut rest = pattern;
    while let Some((&token, after)) = rest.split_first() {
        let deep = token == b'*' && after.first() == Some(&b'*');
        rest = if deep { after.get(1..).unwrap_or_default() } else { after };
        let mut next = vec![false; path.len() + 1];
        for i in 0..=path.len() {
            let here = reached.get(i).copied().unwrap_or(false);
            let last = i.checked_sub(1).and_then(|i| path.get(i));
            let before =
                |row: &[bool]| i.checked_sub(1).and_then(|i| row.get(i)).copied().unwrap_or(false);
            let fits = match token {
                b'*' => here || (before(&next) && last.is_some_and(|b| deep || *b != b'/')),
                b'?' => before(&reached) && last.is_some_and(|b| *b != b'/'),
                byte => before(&reached) && last == Some(&byte),
            };
            if let Some(slot) = next.get_mut(i) {
                *slot = fits;
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/etc/a.conf", "/etc/a.conf", true),
            ("/etc/*.conf", "/etc/a.conf", true),
            ("/etc/*.conf", "/etc/d/a.conf", false),
            ("/etc/**.conf", "/etc/d/a.conf", true),
            ("/etc/**", "/etc/d/e/f", true),
            ("/etc/**", "/etc", false),
            ("/etc/?", "/etc/a", true),
            ("/etc/?", "/etc/ab", false),
            ("/etc?a", "/etc/a", false),
            ("/*/*/x", "/a/b/x", true),
            ("/*/x", "/a/b/x", false),
            ("*", "", true),
            ("", "", true),
            ("", "/", false),
            ("/usr/**/bin/*", "/usr/local/lib/bin/x", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
    }
}
