//! What a header structure must satisfy before a single value is read from it.
//!
//! The rules are those of rpm 4.18's `hdrblobVerifyLengths`, `hdrblobVerifyRegion` and
//! `hdrblobVerifyInfo`, with two additions: the main header must have a region (packages of rpm 3
//! have none, and rpm 6 refuses them), and no tag may occur twice.

use super::{HeaderKind, INTRO, MAGIC};
use crate::Tag;

/// Why bytes are not a header structure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The data end before the structure does.
    #[error("the {kind} is cut short: {needed} bytes are needed, {have} are there")]
    Truncated {
        /// Which structure.
        kind: HeaderKind,
        /// Bytes needed.
        needed: usize,
        /// Bytes at hand.
        have: usize,
    },
    /// It does not begin with the magic.
    #[error("no {0} here: the magic bytes are missing")]
    Magic(HeaderKind),
    /// It claims to be larger than rpm allows.
    #[error("the {kind} claims {tags} tags and {bytes} bytes of data, more than is allowed")]
    Size {
        /// Which structure.
        kind: HeaderKind,
        /// Index entries claimed.
        tags: u32,
        /// Data bytes claimed.
        bytes: u32,
    },
    /// The region is damaged or missing.
    #[error("the {kind}'s region is bad: {reason}")]
    Region {
        /// Which structure.
        kind: HeaderKind,
        /// What is wrong.
        reason: &'static str,
    },
    /// An index entry is damaged.
    #[error(
        "the {kind}'s tag {tag} (entry {index}: type {data_type}, offset {offset}, count {count}) is bad: {reason}"
    )]
    Entry {
        /// Which structure.
        kind: HeaderKind,
        /// Position in the index.
        index: usize,
        /// Its tag.
        tag: Tag,
        /// Its type.
        data_type: u32,
        /// Its offset.
        offset: u32,
        /// Its count.
        count: u32,
        /// What is wrong.
        reason: &'static str,
    },
}

impl HeaderError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Truncated { .. } => "download the package again",
                Self::Magic(_) => "is this an RPM package?",
                Self::Region { reason: NO_REGION, .. } => {
                    "packages made by rpm 3 are not supported; rebuild it with a newer rpm"
                }
                _ => "the package is damaged or was tampered with; download it again",
            }
            .to_owned(),
        )
    }
}

/// An index entry whose data have been measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub tag: Tag,
    pub kind: Type,
    pub count: usize,
    /// Where its data begin, from the start of the data.
    pub start: usize,
    pub end: usize,
}

/// Where things are.
pub(super) struct Layout {
    /// Start of the index.
    pub index: usize,
    /// Start of the data.
    pub data: usize,
    /// Sorted by tag, without the region.
    pub entries: Vec<Entry>,
}

/// The data types of an index entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Char,
    Int8,
    Int16,
    Int32,
    Int64,
    String,
    Bin,
    StringArray,
    I18nString,
}

impl Type {
    fn new(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Char,
            2 => Self::Int8,
            3 => Self::Int16,
            4 => Self::Int32,
            5 => Self::Int64,
            6 => Self::String,
            7 => Self::Bin,
            8 => Self::StringArray,
            9 => Self::I18nString,
            _ => return None,
        })
    }

    /// Bytes of one item; none for strings.
    pub(super) fn width(self) -> Option<usize> {
        match self {
            Self::Char | Self::Int8 | Self::Bin => Some(1),
            Self::Int16 => Some(2),
            Self::Int32 => Some(4),
            Self::Int64 => Some(8),
            Self::String | Self::StringArray | Self::I18nString => None,
        }
    }

    fn is_string(self) -> bool {
        self.width().is_none()
    }
}

const NO_REGION: &str = "there is none";
const TRAILER: usize = 16;
const ARRAY_MAX: u32 = 0x000f_ffff;

pub(super) fn be32(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..at.saturating_add(4)) {
        Some(&[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// Index entries and data bytes that the first 16 bytes claim, when they are within rpm's limits.
pub(super) fn lengths(bytes: &[u8], kind: HeaderKind) -> Result<(usize, usize), HeaderError> {
    if bytes.len() < INTRO {
        return Err(HeaderError::Truncated { kind, needed: INTRO, have: bytes.len() });
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(HeaderError::Magic(kind));
    }
    let (il, dl) = (be32(bytes, 8), be32(bytes, 12));
    let (il_max, dl_max) = match kind {
        HeaderKind::Signature => (32, 64 << 20),
        HeaderKind::Main => (0xffff, 0x0fff_ffff),
    };
    if il > il_max || dl > dl_max {
        return Err(HeaderError::Size { kind, tags: il, bytes: dl });
    }
    Ok((il as usize, dl as usize))
}

/// Checks a header structure at the start of `bytes`.
pub(super) fn validate(bytes: &[u8], kind: HeaderKind) -> Result<Layout, HeaderError> {
    let (il, dl) = lengths(bytes, kind)?;
    let data_start = INTRO + il * 16;
    let needed = data_start + dl;
    let index = bytes.get(INTRO..data_start);
    let (Some(index), Some(data)) = (index, bytes.get(data_start..needed)) else {
        return Err(HeaderError::Truncated { kind, needed, have: bytes.len() });
    };
    let region_end = region(index, data, kind)?;
    let first = usize::from(region_end.is_some());

    // every entry has at least one byte of data, so the index is bounded by what is there
    let mut entries = Vec::with_capacity(il.saturating_sub(first));
    let mut end = 0;
    for (i, raw) in index.chunks_exact(16).enumerate().skip(first) {
        let (tag, number) = (Tag(be32(raw, 0)), be32(raw, 4));
        let (offset, count) = (be32(raw, 8), be32(raw, 12));
        let wrong = |reason| HeaderError::Entry {
            kind,
            index: i,
            tag,
            data_type: number,
            offset,
            count,
            reason,
        };
        let entry = entry(tag, number, offset, count, data, kind).map_err(wrong)?;
        if entry.start < end {
            return Err(wrong("its data overlap those of the entry before"));
        }
        end = entry.end;
        if let Some(region_end) = region_end
            && end > region_end - TRAILER
            && entry.start < region_end
        {
            return Err(wrong("its data overlap the region's trailer"));
        }
        entries.push(entry);
    }
    entries.sort_by_key(|entry| entry.tag);
    if let Some(pair) = entries.windows(2).find(|pair| matches!(pair, [a, b] if a.tag == b.tag))
        && let [entry, _] = pair
    {
        return Err(HeaderError::Entry {
            kind,
            index: 0,
            tag: entry.tag,
            data_type: 0,
            offset: entry.start as u32,
            count: entry.count as u32,
            reason: "it occurs twice",
        });
    }
    Ok(Layout { index: INTRO, data: data_start, entries })
}

/// Checks the region tag and its trailer; gives the end of the region's data.
fn region(index: &[u8], data: &[u8], kind: HeaderKind) -> Result<Option<usize>, HeaderError> {
    let bad = |reason| HeaderError::Region { kind, reason };
    if index.is_empty() {
        return Err(bad("there are no tags"));
    }
    let expected = match kind {
        HeaderKind::Signature => Tag::HEADERSIGNATURES,
        HeaderKind::Main => Tag::HEADERIMMUTABLE,
    };
    if be32(index, 0) != expected.0 {
        return match kind {
            HeaderKind::Signature => Ok(None),
            HeaderKind::Main => Err(bad(NO_REGION)),
        };
    }
    if be32(index, 4) != 7 || be32(index, 12) as usize != TRAILER {
        return Err(bad("its tag has another type or count"));
    }
    let start = be32(index, 8) as usize;
    let end = start.saturating_add(TRAILER);
    let trailer = data.get(start..end).ok_or_else(|| bad("its trailer lies outside the data"))?;
    let tag = be32(trailer, 0);
    // rpm 4.0 wrote HEADERIMAGE (61) into the trailer of the signature header
    let tag_fits = tag == expected.0 || (kind == HeaderKind::Signature && tag == 61);
    if !tag_fits || be32(trailer, 4) != 7 || be32(trailer, 12) as usize != TRAILER {
        return Err(bad("its trailer has another tag, type or count"));
    }
    let length = be32(trailer, 8).wrapping_neg() as usize;
    if !length.is_multiple_of(16) || length > index.len() {
        return Err(bad("its trailer names a wrong number of tags"));
    }
    if length != index.len() || end != data.len() {
        return Err(bad("it does not cover the whole of it"));
    }
    Ok(Some(end))
}

fn entry(
    tag: Tag,
    number: u32,
    offset: u32,
    count: u32,
    data: &[u8],
    kind: HeaderKind,
) -> Result<Entry, &'static str> {
    if tag < Tag::HEADERI18NTABLE {
        return Err("the tag is reserved for regions");
    }
    let data_type = Type::new(number).ok_or("there is no such type")?;
    if count == 0 || count as usize > data.len() {
        return Err("the count is out of range");
    }
    if data_type != Type::Bin && count > ARRAY_MAX {
        return Err("the count is out of range");
    }
    if kind == HeaderKind::Main && expected(tag).is_some_and(|e| !e.allows(data_type)) {
        return Err("the tag has another type");
    }
    let (start, items) = (offset as usize, count as usize);
    let rest = data.get(start..).ok_or("the offset lies outside the data")?;
    let length = match data_type.width() {
        Some(width) => {
            if data_type != Type::Bin && !start.is_multiple_of(width) {
                return Err("the data are not aligned");
            }
            let length = items * width;
            (length <= rest.len()).then_some(length)
        }
        None if data_type == Type::String && items != 1 => {
            return Err("a string has a count other than 1");
        }
        None => rest
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == 0)
            .nth(items - 1)
            .map(|(at, _)| at + 1),
    };
    let length = length.ok_or("the data reach beyond the end")?;
    Ok(Entry { tag, kind: data_type, count: items, start, end: start + length })
}

/// What rpm's tag table says of a tag's type.
enum Expected {
    /// Any of the string types: rpm lets them stand in for each other.
    Strings,
    Exactly(Type),
}

impl Expected {
    fn allows(&self, found: Type) -> bool {
        match self {
            Self::Strings => found.is_string(),
            Self::Exactly(wanted) => found == *wanted,
        }
    }
}

/// Only the tags that are read here; unknown ones may have any type, as with rpm.
fn expected(tag: Tag) -> Option<Expected> {
    use Expected::{Exactly, Strings};
    Some(match tag {
        Tag::NAME
        | Tag::VERSION
        | Tag::RELEASE
        | Tag::SUMMARY
        | Tag::DESCRIPTION
        | Tag::VENDOR
        | Tag::LICENSE
        | Tag::URL
        | Tag::OS
        | Tag::ARCH
        | Tag::SOURCERPM
        | Tag::PREIN
        | Tag::POSTIN
        | Tag::PREUN
        | Tag::POSTUN
        | Tag::PRETRANS
        | Tag::POSTTRANS
        | Tag::PREUNTRANS
        | Tag::POSTUNTRANS
        | Tag::VERIFYSCRIPT
        | Tag::PREINPROG
        | Tag::POSTINPROG
        | Tag::PREUNPROG
        | Tag::POSTUNPROG
        | Tag::PRETRANSPROG
        | Tag::POSTTRANSPROG
        | Tag::PREUNTRANSPROG
        | Tag::POSTUNTRANSPROG
        | Tag::VERIFYSCRIPTPROG
        | Tag::TRIGGERSCRIPTS
        | Tag::TRIGGERSCRIPTPROG
        | Tag::TRIGGERNAME
        | Tag::TRIGGERVERSION
        | Tag::FILETRIGGERSCRIPTS
        | Tag::FILETRIGGERSCRIPTPROG
        | Tag::FILETRIGGERNAME
        | Tag::FILETRIGGERVERSION
        | Tag::TRANSFILETRIGGERSCRIPTS
        | Tag::TRANSFILETRIGGERSCRIPTPROG
        | Tag::TRANSFILETRIGGERNAME
        | Tag::TRANSFILETRIGGERVERSION
        | Tag::OLDFILENAMES
        | Tag::BASENAMES
        | Tag::DIRNAMES
        | Tag::FILEDIGESTS
        | Tag::FILELINKTOS
        | Tag::FILEUSERNAME
        | Tag::FILEGROUPNAME
        | Tag::FILELANGS
        | Tag::FILECAPS
        | Tag::PROVIDENAME
        | Tag::PROVIDEVERSION
        | Tag::REQUIRENAME
        | Tag::REQUIREVERSION
        | Tag::CONFLICTNAME
        | Tag::CONFLICTVERSION
        | Tag::OBSOLETENAME
        | Tag::OBSOLETEVERSION
        | Tag::RECOMMENDNAME
        | Tag::RECOMMENDVERSION
        | Tag::SUGGESTNAME
        | Tag::SUGGESTVERSION
        | Tag::SUPPLEMENTNAME
        | Tag::SUPPLEMENTVERSION
        | Tag::ENHANCENAME
        | Tag::ENHANCEVERSION
        | Tag::PAYLOADFORMAT
        | Tag::PAYLOADCOMPRESSOR
        | Tag::PAYLOADDIGEST
        | Tag::PAYLOADDIGESTALT => Strings,
        Tag::FILEMODES | Tag::FILERDEVS => Exactly(Type::Int16),
        Tag::EPOCH
        | Tag::BUILDTIME
        | Tag::SIZE
        | Tag::FILESIZES
        | Tag::FILEMTIMES
        | Tag::FILEFLAGS
        | Tag::FILEDEVICES
        | Tag::FILEINODES
        | Tag::FILECOLORS
        | Tag::DIRINDEXES
        | Tag::FILEDIGESTALGO
        | Tag::PROVIDEFLAGS
        | Tag::REQUIREFLAGS
        | Tag::CONFLICTFLAGS
        | Tag::OBSOLETEFLAGS
        | Tag::RECOMMENDFLAGS
        | Tag::SUGGESTFLAGS
        | Tag::SUPPLEMENTFLAGS
        | Tag::ENHANCEFLAGS
        | Tag::TRIGGERFLAGS
        | Tag::TRIGGERINDEX
        | Tag::FILETRIGGERFLAGS
        | Tag::FILETRIGGERINDEX
        | Tag::FILETRIGGERPRIORITIES
        | Tag::TRANSFILETRIGGERFLAGS
        | Tag::TRANSFILETRIGGERINDEX
        | Tag::TRANSFILETRIGGERPRIORITIES
        | Tag::PAYLOADDIGESTALGO => Exactly(Type::Int32),
        Tag::LONGFILESIZES | Tag::LONGSIZE => Exactly(Type::Int64),
        _ => return None,
    })
}
