//! Permissions as rpm's `posix` writes and reads them.

/// `rwxr-xr-x`, with `s` or `S` for set-id bits.
pub(super) fn text(mode: u16) -> String {
    let mut out: Vec<char> = (0..9)
        .map(|bit| {
            let set = mode & (0o400 >> bit) != 0;
            if set { ['r', 'w', 'x'][bit % 3] } else { '-' }
        })
        .collect();
    for (bit, at, runs) in [(0o4000, 2, 0o100), (0o2000, 5, 0o010)] {
        if mode & bit != 0 {
            out[at] = if mode & runs != 0 { 's' } else { 'S' };
        }
    }
    out.into_iter().collect()
}

/// A mode as written: `0755`, `rwxr-xr-x` or `u+x,g=r`; none when it is no such text. The type of
/// the file is not part of it.
pub(super) fn parse(old: u16, text: &[u8]) -> Option<u16> {
    match text.first() {
        Some(b'r' | b'-') => long(old, text),
        Some(b'0'..=b'7') => {
            let digits = str::from_utf8(text).ok()?;
            u32::from_str_radix(digits, 8).ok().map(|mode| (mode & 0o7777) as u16)
        }
        _ => symbolic(old, text),
    }
}

/// Letters that are neither the right one nor `-` leave their bit as it was.
fn long(old: u16, text: &[u8]) -> Option<u16> {
    let mut mode = old & !0o6000;
    for place in 0..9 {
        let bit = 0o400 >> place;
        match text.get(place) {
            Some(letter) if *letter == b"rwx"[place % 3] => mode |= bit,
            Some(b'-') => mode &= !bit,
            Some(b's') if place == 2 => mode |= 0o4100,
            Some(b's') if place == 5 => mode |= 0o2010,
            Some(b's') => return None,
            _ => {}
        }
    }
    Some(mode)
}

fn symbolic(old: u16, text: &[u8]) -> Option<u16> {
    let mut mode = old;
    for clause in text.split(|b| *b == b',') {
        let clause: Vec<u8> = clause.iter().copied().filter(|b| *b != b' ').collect();
        // a clause may also be one of the other forms, which then is the last
        if matches!(clause.first(), Some(b'r' | b'-' | b'0'..=b'7')) {
            return parse(mode, &clause);
        }
        let who = clause.iter().take_while(|b| b"ugoa".contains(b));
        let mut affected = 0;
        let mut at = 0;
        for letter in who {
            at += 1;
            affected |= match letter {
                b'u' => 0o4700,
                b'g' => 0o2070,
                b'o' => 0o1007,
                _ => 0o7777,
            };
        }
        if affected == 0 {
            affected = 0o7777;
        }
        let operator = *clause.get(at).filter(|b| b"+-=".contains(b))?;
        let mut bits = 0;
        for letter in &clause[at + 1..] {
            bits |= match letter {
                b'r' => 0o444,
                b'w' => 0o222,
                b'x' => 0o111,
                b's' => 0o6000,
                _ => return None,
            };
        }
        bits &= affected;
        // an empty list changes nothing, not even with `=`
        if clause.len() == at + 1 {
            continue;
        }
        mode = match operator {
            b'+' => mode | bits,
            b'-' => mode & !bits,
            _ => bits,
        };
    }
    Some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_in_all_forms() {
        let cases: [(u16, &str, Option<u16>); 10] = [
            (0o644, "0755", Some(0o755)),
            (0o644, "rwxr-x---", Some(0o750)),
            (0o4755, "rwxr-xr-x", Some(0o755)),
            (0o644, "rwsr-sr-x", Some(0o6755)),
            (0o644, "u+x", Some(0o744)),
            (0o644, "a+x,o-r", Some(0o751)),
            (0o644, "u=rw", Some(0o600)),
            (0o644, "+s", Some(0o6644)),
            (0o644, "u?x", None),
            (0o644, "09", None),
        ];
        for (old, written, expected) in cases {
            assert_eq!(parse(old, written.as_bytes()), expected, "{written}");
        }
        assert_eq!(text(0o4755), "rwsr-xr-x");
        assert_eq!(text(0o2640), "rw-r-S---");
    }
}
