//! Permission bits as `chmod` writes them.

/// The bits after a change; none when the text is no mode.
pub(super) fn change(text: &str, old: u16, directory: bool, umask: u16) -> Option<u16> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let mode = u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777)?;
        // a directory keeps its set-id bits unless they are spelled out
        let keep = if directory && text.len() < 5 { old & 0o6000 } else { 0 };
        return Some(mode | keep);
    }
    let mut mode = old;
    for clause in text.split(',') {
        let who_end = clause.find(|c| !"ugoa".contains(c))?;
        let (who, mut rest) = clause.split_at(who_end);
        let implied = who.is_empty();
        let mut mask = 0;
        for c in who.chars() {
            mask |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                _ => 0o7777,
            };
        }
        if implied {
            mask = 0o7777;
        }
        while let Some(operator) = rest.chars().next() {
            if !"+-=".contains(operator) {
                return None;
            }
            rest = &rest[1..];
            let end = rest.find(|c| "+-=".contains(c)).unwrap_or(rest.len());
            let mut bits = 0;
            for c in rest[..end].chars() {
                bits |= match c {
                    'r' => 0o444,
                    'w' => 0o222,
                    'x' => 0o111,
                    'X' if directory || mode & 0o111 != 0 => 0o111,
                    'X' => 0,
                    's' => 0o6000,
                    't' => 0o1000,
                    'u' => (mode >> 6 & 7) * 0o111,
                    'g' => (mode >> 3 & 7) * 0o111,
                    'o' => (mode & 7) * 0o111,
                    _ => return None,
                };
            }
            rest = &rest[end..];
            let mut bits = bits & mask;
            if implied {
                bits &= !umask;
            }
            mode = match operator {
                '+' => mode | bits,
                '-' => mode & !bits,
                _ => {
                    let cleared = mask & if directory { 0o0777 } else { 0o7777 };
                    let cleared = if who.contains('o') || implied || who.contains('a') {
                        cleared
                    } else {
                        cleared & !0o1000
                    };
                    mode & !cleared | bits
                }
            };
        }
    }
    Some(mode)
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn octal_and_symbolic() {
        for (text, old, directory, expected) in [
            ("644", 0o4755, false, 0o644),
            ("755", 0o2700, true, 0o2755),
            ("00755", 0o2700, true, 0o755),
            ("u+x,go-w", 0o666, false, 0o744),
            ("+x", 0o644, false, 0o755),
            ("+w", 0o444, false, 0o644),
            ("a+w", 0o444, false, 0o666),
            ("u=rwX,g=u", 0o644, false, 0o664),
            ("go=", 0o755, false, 0o700),
            ("+X", 0o644, true, 0o755),
            ("u+s,g+s", 0o755, false, 0o6755),
            ("o+t", 0o755, true, 0o1755),
        ] {
            assert_eq!(change(text, old, directory, 0o022), Some(expected), "{text}");
        }
        assert_eq!(change("q", 0, false, 0), None);
        assert_eq!(change("9", 0, false, 0), None);
    }
}
