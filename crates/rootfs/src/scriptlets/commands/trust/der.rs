//! DER, as far as certificates need it.

/// A value: its tag, what is in it, and all of it with its head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
}

/// Takes one value off the front.
pub(super) fn split(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (tag, first) = (*bytes.first()?, usize::from(*bytes.get(1)?));
    // tags of more than one byte do not occur
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (length, head) = match first {
        0..=0x7f => (first, 2),
        0x81..=0x84 => {
            let count = first - 0x80;
            let digits = bytes.get(2..2 + count)?;
            (digits.iter().fold(0, |all, digit| all << 8 | usize::from(*digit)), 2 + count)
        }
        _ => return None,
    };
    let end = head.checked_add(length)?;
    let (whole, rest) = (bytes.get(..end)?, bytes.get(end..)?);
    Some((Value { tag, content: &whole[head..], whole }, rest))
}

/// All values, one behind the other.
pub(super) fn all(mut bytes: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        let (value, rest) = split(bytes)?;
        values.push(value);
        bytes = rest;
    }
    Some(values)
}

/// What a value holds that is alone and has this tag.
pub(super) fn only(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (value, rest) = split(bytes)?;
    (value.tag == tag && rest.is_empty()).then_some(value.content)
}

/// A value with its head.
pub(super) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => out.push(length),
        _ => {
            let digits = content.len().to_be_bytes();
            let zeros = digits.iter().take_while(|digit| **digit == 0).count();
            out.push(0x80 | u8::try_from(digits.len() - zeros).unwrap_or(0));
            out.extend(&digits[zeros..]);
        }
    }
    out.extend(content);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_all_lengths() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let bytes = wrap(4, &vec![7; length]);
            let (value, rest) = split(&bytes).unwrap();
            assert_eq!((value.tag, value.content.len(), rest.len()), (4, length, 0));
            assert!(split(&bytes[..bytes.len() - 1]).is_none());
        }
        for wrong in [&[0x30u8][..], &[0x30, 0x80], &[0x1f, 1, 0], &[4, 0x84, 255, 255, 255, 255]] {
            assert!(split(wrong).is_none());
        }
    }
}
