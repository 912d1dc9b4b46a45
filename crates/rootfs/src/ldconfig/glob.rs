//! Shell patterns for one path component, as `glob(3)` in the C locale.

/// Whether a component is a pattern and not a name.
pub(super) fn is_pattern(part: &[u8]) -> bool {
    part.iter().any(|b| matches!(b, b'*' | b'?' | b'[' | b'\\'))
}

/// Whether a name fits a pattern. A leading dot fits only a dot.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut p, mut n) = (pattern, name);
    // Where to go on when the last `*` has to take one character more.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some((b'*', rest)) = p.split_first() {
            p = rest;
            retry = Some((p, n));
            continue;
        }
        let step = n.split_first().and_then(|(c, rest)| Some((one(p, *c)?, rest)));
        match step {
            Some((after, rest)) => (p, n) = (after, rest),
            None if p.is_empty() && n.is_empty() => return true,
            None => match retry.and_then(|(p, n)| Some((p, n.split_first()?.1))) {
                Some(again) => {
                    (p, n) = again;
                    retry = Some(again);
                }
                None => return false,
            },
        }
    }
}

/// Takes from the pattern what stands for one character, if that fits it.
fn one(pattern: &[u8], c: u8) -> Option<&[u8]> {
    let (first, rest) = pattern.split_first()?;
    match first {
        b'?' => Some(rest),
        b'[' => match bracket(rest, c) {
            Some((fits, after)) => fits.then_some(after),
            None => (c == b'[').then_some(rest),
        },
        b'\\' => {
            let (escaped, after) = rest.split_first()?;
            (*escaped == c).then_some(after)
        }
        literal => (*literal == c).then_some(rest),
    }
}

/// A bracket expression after its `[`: whether the character fits, and what follows the `]`.
/// Nothing when it is never closed.
fn bracket(pattern: &[u8], c: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match pattern.split_first()? {
        (b'!' | b'^', rest) => (true, rest),
        _ => (false, pattern),
    };
    let mut fits = false;
    let mut first = true;
    loop {
        let (low, after) = rest.split_first()?;
        if *low == b']' && !first {
            return Some((fits != negated, after));
        }
        first = false;
        rest = after;
        let high = match after {
            [b'-', high, after @ ..] if *high != b']' => {
                rest = after;
                high
            }
            _ => low,
        };
        fits |= (*low..=*high).contains(&c);
    }
}
