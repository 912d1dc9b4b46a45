//! The formats of `file:read`.

use super::{
    arguments::Out,
    host::{Answer, Failure},
};

/// What to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A line, with its end or without.
    Line { end: bool },
    /// All that is left.
    All,
    /// So many bytes.
    Count(i64),
    /// A number.
    Number,
}

impl Format {
    pub(super) fn new(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"*").unwrap_or(text).first()? {
            b'l' => Some(Self::Line { end: false }),
            b'L' => Some(Self::Line { end: true }),
            b'a' => Some(Self::All),
            b'n' => Some(Self::Number),
            _ => None,
        }
    }
}

/// Reads by formats, until one of them finds nothing.
pub(super) fn read(bytes: &[u8], at: &mut usize, formats: &[Format]) -> Answer {
    let mut out = Vec::new();
    for format in formats {
        let rest = bytes.get(*at..).unwrap_or_default();
        let (length, taken) = match format {
            Format::All => (rest.len(), Some(rest)),
            Format::Count(count) => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX).min(rest.len());
                (count, (!rest.is_empty()).then_some(&rest[..count]))
            }
            Format::Line { end } => match rest.iter().position(|b| *b == b'\n') {
                Some(line) => (line + 1, Some(&rest[..line + usize::from(*end)])),
                None => (rest.len(), (!rest.is_empty()).then_some(rest)),
            },
            Format::Number => return Err(Failure::unsupported("file:read of a number")),
        };
        *at += length;
        let Some(taken) = taken else {
            out.push(Out::Nil);
            break;
        };
        out.push(Out::text(taken));
    }
    Ok(out)
}
