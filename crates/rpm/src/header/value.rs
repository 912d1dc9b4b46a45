//! One value of a header, read in place.

use super::validate::Type;

/// A tag's value. Numbers are big-endian in the file and decoded on the way.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// `CHAR` and the integers of every width.
    Ints(Ints<'a>),
    /// `BIN`
    Bin(&'a [u8]),
    /// `STRING`, `STRING_ARRAY` and `I18NSTRING`.
    Strings(Strings<'a>),
}

impl<'a> Value<'a> {
    pub(super) fn new(kind: Type, count: usize, data: &'a [u8]) -> Option<Self> {
        Some(match kind {
            Type::Bin => Self::Bin(data),
            Type::Char | Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => {
                Self::Ints(Ints { data, width: kind.width()? })
            }
            Type::String | Type::StringArray | Type::I18nString => {
                Self::Strings(Strings { data, left: count })
            }
        })
    }

    pub(super) fn strings(self) -> Option<Strings<'a>> {
        match self {
            Self::Strings(strings) => Some(strings),
            _ => None,
        }
    }

    pub(super) fn ints(self) -> Option<Ints<'a>> {
        match self {
            Self::Ints(ints) => Some(ints),
            _ => None,
        }
    }
}

/// The numbers of a tag.
#[derive(Debug, Clone)]
pub struct Ints<'a> {
    data: &'a [u8],
    width: usize,
}

impl Ints<'_> {
    /// Bytes of one number in the file.
    pub fn width(&self) -> usize {
        self.width
    }
}

impl Iterator for Ints<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (first, rest) = self.data.split_at_checked(self.width)?;
        self.data = rest;
        Some(first.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.data.len() / self.width;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Ints<'_> {}

/// The strings of a tag, without their NUL.
#[derive(Debug, Clone)]
pub struct Strings<'a> {
    data: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        let end = self.data.iter().position(|byte| *byte == 0)?;
        let (string, rest) = self.data.split_at_checked(end)?;
        self.data = rest.get(1..).unwrap_or_default();
        self.left -= 1;
        Some(string)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Strings<'_> {}
