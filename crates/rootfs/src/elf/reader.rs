//! Bounds-checked access to the words, headers and strings of an ELF file.

use super::{Class, Endian};

/// The file's bytes with its word size and byte order.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    class: Class,
    endian: Endian,
}

/// What the ELF header says.
pub(super) struct FileHeader {
    pub class: Class,
    pub endian: Endian,
    pub machine: u16,
    pub flags: u32,
    /// `e_type` is `ET_DYN`
    pub shared_object: bool,
    segments: u64,
    segment_count: u16,
}

/// One program header.
pub(super) struct Segment {
    pub kind: u32,
    pub offset: u64,
    pub address: u64,
    pub file_size: u64,
    pub align: u64,
}

impl Segment {
    /// `PT_LOAD`
    pub const LOAD: u32 = 1;
    /// `PT_DYNAMIC`
    pub const DYNAMIC: u32 = 2;
    /// `PT_INTERP`
    pub const INTERP: u32 = 3;
    /// `PT_NOTE`
    pub const NOTE: u32 = 4;
    /// `PT_GNU_PROPERTY`
    pub const GNU_PROPERTY: u32 = 0x6474_e553;
}

impl<'a> Reader<'a> {
    /// Nothing when the magic, class or byte order is not ELF's, or the header is cut off.
    pub fn open(bytes: &'a [u8]) -> Option<(Self, FileHeader)> {
        const ET_DYN: u16 = 3;
        let class = match bytes.get(..5)? {
            b"\x7fELF\x01" => Class::Elf32,
            b"\x7fELF\x02" => Class::Elf64,
            _ => return None,
        };
        let endian = match bytes.get(5)? {
            1 => Endian::Little,
            2 => Endian::Big,
            _ => return None,
        };
        let reader = Self { bytes, class, endian };
        let (segments, flags, count, end) = match class {
            Class::Elf32 => (u64::from(reader.u32(28)?), 36, 44, 52),
            Class::Elf64 => (reader.u64(32)?, 48, 56, 64),
        };
        if bytes.len() < end {
            return None;
        }
        let header = FileHeader {
            class,
            endian,
            machine: reader.u16(18)?,
            flags: reader.u32(flags)?,
            shared_object: reader.u16(16)? == ET_DYN,
            segments,
            segment_count: reader.u16(count)?,
        };
        Some((reader, header))
    }

    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub fn word_size(&self) -> u64 {
        match self.class {
            Class::Elf32 => 4,
            Class::Elf64 => 8,
        }
    }

    /// The bytes from an offset on, at most `len` of them.
    pub fn up_to(&self, offset: u64, len: u64) -> &'a [u8] {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(rest.len());
        rest.get(..len).unwrap_or_default()
    }

    fn array<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        self.up_to(offset, N as u64).try_into().ok()
    }

    fn u16(&self, offset: u64) -> Option<u16> {
        let raw = self.array(offset)?;
        Some(match self.endian {
            Endian::Little => u16::from_le_bytes(raw),
            Endian::Big => u16::from_be_bytes(raw),
        })
    }

    pub fn u32(&self, offset: u64) -> Option<u32> {
        let raw = self.array(offset)?;
        Some(match self.endian {
            Endian::Little => u32::from_le_bytes(raw),
            Endian::Big => u32::from_be_bytes(raw),
        })
    }

    fn u64(&self, offset: u64) -> Option<u64> {
        let raw = self.array(offset)?;
        Some(match self.endian {
            Endian::Little => u64::from_le_bytes(raw),
            Endian::Big => u64::from_be_bytes(raw),
        })
    }

    /// All program headers; nothing when one lies outside the file.
    pub fn segments(&self, header: &FileHeader) -> Option<Vec<Segment>> {
        let size = match self.class {
            Class::Elf32 => 32,
            Class::Elf64 => 56,
        };
        let offset = |index: u16| {
            let inside = u64::from(index) * size;
            header.segments.checked_add(inside)
        };
        (0..header.segment_count).map(|index| self.segment(offset(index)?)).collect()
    }

    fn segment(&self, at: u64) -> Option<Segment> {
        let field = |offset: u64| at.checked_add(offset);
        let word = |offset: u64| self.u32(field(offset)?).map(u64::from);
        let long = |offset: u64| self.u64(field(offset)?);
        let kind = self.u32(at)?;
        Some(match self.class {
            Class::Elf32 => Segment {
                kind,
                offset: word(4)?,
                address: word(8)?,
                file_size: word(16)?,
                align: word(28)?,
            },
            Class::Elf64 => Segment {
                kind,
                offset: long(8)?,
                address: long(16)?,
                file_size: long(32)?,
                align: long(48)?,
            },
        })
    }

    /// Tag and value of each dynamic entry from an offset to the end of the file.
    pub fn dynamic_entries(&self, offset: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let word = self.word_size();
        let mut next = Some(offset);
        std::iter::from_fn(move || {
            let at = next?;
            let (tag, value) = match self.class {
                Class::Elf32 => {
                    (u64::from(self.u32(at)?), u64::from(self.u32(at.checked_add(word)?)?))
                }
                Class::Elf64 => (self.u64(at)?, self.u64(at.checked_add(word)?)?),
            };
            next = at.checked_add(2 * word);
            Some((tag, value))
        })
    }

    /// The NUL-terminated text at an offset; nothing when it is longer than `longest`.
    pub fn text(&self, offset: u64, longest: usize) -> Option<&'a [u8]> {
        let window = self.up_to(offset, longest as u64 + 1);
        let end = window.iter().position(|b| *b == 0)?;
        window.get(..end)
    }
}
