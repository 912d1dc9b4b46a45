//! Writes header structures: for `pack`, and for tests that need one with a particular flaw.

use super::{HeaderKind, MAGIC};
use crate::Tag;
use std::collections::BTreeMap;

/// A value to be written.
#[derive(Debug, Clone)]
pub enum Data {
    /// `CHAR`
    Char(Vec<u8>),
    /// `INT16`
    Int16(Vec<u16>),
    /// `INT32`
    Int32(Vec<u32>),
    /// `INT64`
    Int64(Vec<u64>),
    /// `STRING`
    String(Vec<u8>),
    /// `BIN`
    Bin(Vec<u8>),
    /// `STRING_ARRAY`
    StringArray(Vec<Vec<u8>>),
    /// `I18NSTRING` with the untranslated text only.
    I18nString(Vec<u8>),
}

impl Data {
    fn type_count(&self) -> (u32, usize) {
        match self {
            Self::Char(v) => (1, v.len()),
            Self::Int16(v) => (3, v.len()),
            Self::Int32(v) => (4, v.len()),
            Self::Int64(v) => (5, v.len()),
            Self::String(_) => (6, 1),
            Self::Bin(v) => (7, v.len()),
            Self::StringArray(v) => (8, v.len()),
            Self::I18nString(_) => (9, 1),
        }
    }

    fn align(&self) -> usize {
        match self {
            Self::Int16(_) => 2,
            Self::Int32(_) => 4,
            Self::Int64(_) => 8,
            _ => 1,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Char(v) | Self::Bin(v) => out.extend(v),
            Self::Int16(v) => out.extend(v.iter().flat_map(|n| n.to_be_bytes())),
            Self::Int32(v) => out.extend(v.iter().flat_map(|n| n.to_be_bytes())),
            Self::Int64(v) => out.extend(v.iter().flat_map(|n| n.to_be_bytes())),
            Self::String(v) | Self::I18nString(v) => {
                out.extend(v);
                out.push(0);
            }
            Self::StringArray(v) => {
                for string in v {
                    out.extend(string);
                    out.push(0);
                }
            }
        }
    }
}

/// Collects tags and lays them out as rpm does: ascending, the region's trailer last.
#[derive(Debug, Clone, Default)]
pub struct HeaderBuilder {
    entries: BTreeMap<Tag, Data>,
}

impl HeaderBuilder {
    /// Without tags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a tag. Empty arrays are left out, as the format has no way to write them.
    pub fn set(&mut self, tag: Tag, data: Data) -> &mut Self {
        if data.type_count().1 > 0 {
            self.entries.insert(tag, data);
        }
        self
    }

    /// Sets a string.
    pub fn string(&mut self, tag: Tag, text: &str) -> &mut Self {
        self.set(tag, Data::String(text.as_bytes().to_vec()))
    }

    /// Removes a tag.
    pub fn remove(&mut self, tag: Tag) -> &mut Self {
        self.entries.remove(&tag);
        self
    }

    /// The header structure, magic included. Strings must not contain NUL.
    pub fn build(&self, kind: HeaderKind) -> Vec<u8> {
        let region = match kind {
            HeaderKind::Signature => Tag::HEADERSIGNATURES,
            HeaderKind::Main => Tag::HEADERIMMUTABLE,
        };
        let mut index = Vec::new();
        let mut data = Vec::new();
        let entry = |out: &mut Vec<u8>, tag: Tag, kind: u32, offset: u32, count: usize| {
            for number in [tag.0, kind, offset, count as u32] {
                out.extend(number.to_be_bytes());
            }
        };
        for (tag, value) in &self.entries {
            data.resize(data.len().next_multiple_of(value.align()), 0);
            let (kind, count) = value.type_count();
            entry(&mut index, *tag, kind, data.len() as u32, count);
            value.write(&mut data);
        }
        let trailer = data.len() as u32;
        let length = index.len() as u32 + 16;
        entry(&mut data, region, 7, length.wrapping_neg(), 16);

        let mut out = MAGIC.to_vec();
        out.extend((length / 16).to_be_bytes());
        out.extend((data.len() as u32).to_be_bytes());
        entry(&mut out, region, 7, trailer, 16);
        out.extend(index);
        out.extend(data);
        out
    }
}
