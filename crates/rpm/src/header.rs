//! RPM header structures: checked once, then a typed view of the bytes.
//!
//! Source: rpm's `docs/manual/format_header.md`. Every accessor is total: what is absent or of
//! another type is `None`, and nothing is read that `validate` has not walked before.

mod build;
mod validate;
mod value;

pub use build::{Data, HeaderBuilder};
pub use validate::HeaderError;
pub use value::{Ints, Strings, Value};

use crate::Tag;
use std::{borrow::Cow, fmt, sync::Arc};
use validate::{Entry, Layout, Type};

const MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
/// Magic, index length and data length.
const INTRO: usize = 16;

/// Which of a package's two header structures; rpm's limits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderKind {
    /// Digests and signatures, before the main header.
    Signature,
    /// The package's description: immutable, and covered by the digests.
    Main,
}

impl fmt::Display for HeaderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "signature header",
            Self::Main => "header",
        })
    }
}

/// A header structure that passed validation. Cloning shares the bytes.
#[derive(Clone)]
pub struct Header {
    /// Index and data.
    bytes: Arc<[u8]>,
    /// Sorted by tag.
    entries: Arc<[Entry]>,
    /// Where the data begin in `bytes`.
    data: usize,
}

impl Header {
    /// The first eight bytes of every header structure in a file. They are part of what the
    /// digests of a header cover.
    pub const MAGIC: [u8; 8] = MAGIC;

    /// A package's main header, magic included, at the start of `bytes`; also says how many bytes
    /// it takes up.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), HeaderError> {
        Self::parse_kind(bytes, HeaderKind::Main)
    }

    /// Either header structure.
    pub fn parse_kind(bytes: &[u8], kind: HeaderKind) -> Result<(Self, usize), HeaderError> {
        let Layout { index, data, entries } = validate::validate(bytes, kind)?;
        let end = data + validate::be32(bytes, 12) as usize;
        let body = bytes.get(index..end).unwrap_or_default();
        Ok((Self { bytes: body.into(), entries: entries.into(), data: data - index }, end))
    }

    /// How many bytes of a header structure are needed to parse it, from its first 16; `None` when
    /// there are fewer. What is not a header structure is an error.
    pub fn needed(bytes: &[u8], kind: HeaderKind) -> Result<Option<usize>, HeaderError> {
        if bytes.len() < INTRO {
            return Ok(None);
        }
        validate::lengths(bytes, kind).map(|(il, dl)| Some(INTRO + il * 16 + dl))
    }

    /// Index and data of the region exactly as in the file, without magic and lengths. In a package
    /// the region of the main header is all of it.
    pub fn region(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of index entries, the region's own included.
    pub fn index_len(&self) -> usize {
        self.data / 16
    }

    /// The tags that are present, ascending, without the region's own.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        self.entries.iter().map(|entry| entry.tag)
    }

    /// The value of a tag.
    pub fn get(&self, tag: Tag) -> Option<Value<'_>> {
        let at = self.entries.binary_search_by_key(&tag, |entry| entry.tag).ok()?;
        let entry = self.entries.get(at)?;
        let data = self.bytes.get(self.data + entry.start..self.data + entry.end)?;
        Value::new(entry.kind, entry.count, data)
    }

    /// The value of a tag, to be written again.
    fn data_of(&self, entry: &Entry) -> Option<Data> {
        let numbers = |width| match self.get(entry.tag)? {
            Value::Ints(ints) if ints.width() == width => Some(ints),
            _ => None,
        };
        let texts = || self.strings(entry.tag).map(|all| all.map(<[u8]>::to_vec));
        Some(match entry.kind {
            Type::Char | Type::Int8 => Data::Char(numbers(1)?.map(|n| n as u8).collect()),
            Type::Int16 => Data::Int16(numbers(2)?.map(|n| n as u16).collect()),
            Type::Int32 => Data::Int32(numbers(4)?.map(|n| n as u32).collect()),
            Type::Int64 => Data::Int64(numbers(8)?.collect()),
            Type::String => Data::String(texts()?.next()?),
            Type::Bin => Data::Bin(self.bin(entry.tag)?.to_vec()),
            Type::StringArray => Data::StringArray(texts()?.collect()),
            Type::I18nString => Data::I18nString(texts()?.next()?),
        })
    }

    /// All values, to be changed and written again. Types and order stay, translations do not.
    pub fn to_builder(&self) -> HeaderBuilder {
        let mut builder = HeaderBuilder::new();
        for entry in self.entries.iter() {
            if let Some(data) = self.data_of(entry) {
                builder.set(entry.tag, data);
            }
        }
        builder
    }

    /// Whether the tag is there.
    pub fn has(&self, tag: Tag) -> bool {
        self.entries.binary_search_by_key(&tag, |entry| entry.tag).is_ok()
    }

    /// A string, or the first of several (which is the untranslated one).
    pub fn string(&self, tag: Tag) -> Option<&[u8]> {
        self.get(tag)?.strings()?.next()
    }

    /// [`string`](Self::string) as text; what is not UTF-8 is replaced.
    pub fn text(&self, tag: Tag) -> Option<Cow<'_, str>> {
        self.string(tag).map(String::from_utf8_lossy)
    }

    /// All strings of a tag.
    pub fn strings(&self, tag: Tag) -> Option<Strings<'_>> {
        self.get(tag)?.strings()
    }

    /// All numbers of a tag, of whatever width.
    pub fn ints(&self, tag: Tag) -> Option<Ints<'_>> {
        self.get(tag)?.ints()
    }

    /// All numbers of a tag; `None` when one of them needs more than 32 bits.
    pub fn u32_array(&self, tag: Tag) -> Option<Vec<u32>> {
        self.ints(tag)?.map(|n| u32::try_from(n).ok()).collect()
    }

    /// The first number of a tag.
    pub fn u64(&self, tag: Tag) -> Option<u64> {
        self.ints(tag)?.next()
    }

    /// The first number of a tag, when 32 bits are enough for it.
    pub fn u32(&self, tag: Tag) -> Option<u32> {
        self.u64(tag).and_then(|n| u32::try_from(n).ok())
    }

    /// A binary value.
    pub fn bin(&self, tag: Tag) -> Option<&[u8]> {
        match self.get(tag)? {
            Value::Bin(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Whether it belongs to a source package: rpm goes by the missing `SOURCERPM`.
    pub fn is_source(&self) -> bool {
        self.has(Tag::SOURCEPACKAGE) || !self.has(Tag::SOURCERPM)
    }

    /// Whether it belongs to a delta package, which can only be applied to an older package.
    pub fn is_delta(&self) -> bool {
        self.string(Tag::PAYLOADFORMAT) == Some(b"drpm")
    }

    /// `name-[epoch:]version-release.arch`, for messages; missing parts are `?`.
    pub fn display_name(&self) -> String {
        let part = |tag| self.text(tag).unwrap_or(Cow::Borrowed("?"));
        let epoch = self.u64(Tag::EPOCH).filter(|e| *e != 0).map(|e| format!("{e}:"));
        format!(
            "{}-{}{}-{}.{}",
            part(Tag::NAME),
            epoch.unwrap_or_default(),
            part(Tag::VERSION),
            part(Tag::RELEASE),
            if self.is_source() { Cow::Borrowed("src") } else { part(Tag::ARCH) },
        )
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({}, {} tags)", self.display_name(), self.entries.len())
    }
}
