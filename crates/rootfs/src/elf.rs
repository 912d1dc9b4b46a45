//! What `ldconfig` and the merge need to know of an ELF file, read from hostile bytes.
//!
//! Sources: the System V ABI (`elf(5)`), the Linux extensions to it (program property notes), and
//! the notes of glibc's `elf.h`. Only headers that the dynamic loader uses are looked at: program
//! headers and the dynamic segment, never sections. Work and memory are bounded by the file's size.

mod notes;
mod reader;

use reader::{Reader, Segment};
use serde::{Deserialize, Serialize};

/// `EM_386`
pub const EM_386: u16 = 3;
/// `EM_PPC64`
pub const EM_PPC64: u16 = 21;
/// `EM_S390`
pub const EM_S390: u16 = 22;
/// `EM_ARM`
pub const EM_ARM: u16 = 40;
/// `EM_X86_64`
pub const EM_X86_64: u16 = 62;
/// `EM_AARCH64`
pub const EM_AARCH64: u16 = 183;
/// `EM_RISCV`
pub const EM_RISCV: u16 = 243;

/// Longest soname that is kept: longer ones cannot be file names.
const NAME_MAX: usize = 255;

/// `EI_CLASS`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// `ELFCLASS32`
    Elf32,
    /// `ELFCLASS64`
    Elf64,
}

/// `EI_DATA`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Endian {
    /// `ELFDATA2LSB`
    Little,
    /// `ELFDATA2MSB`
    Big,
}

/// The facts of one ELF file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elf {
    /// Word size.
    pub class: Class,
    /// Byte order.
    pub endian: Endian,
    /// `e_machine`
    pub machine: u16,
    /// `e_flags`
    #[serde(default, skip_serializing_if = "is_default")]
    pub flags: u32,
    /// Whether `ldconfig` takes it for a library: of type `ET_DYN`, with a dynamic segment and a
    /// string table. The fields below are empty otherwise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shared: bool,
    /// `DT_SONAME`, where it is a possible file name: UTF-8, 1 to 255 bytes, no slash, neither `.`
    /// nor `..`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub soname: Option<String>,
    /// Whether it is bound to glibc: needs `libc.so.6` or `libm.so.6`, or names glibc's loader as
    /// interpreter. Caches of glibc before 2.37 tell such libraries apart on 32-bit machines.
    #[serde(default, skip_serializing_if = "is_default")]
    pub libc6: bool,
    /// The oldest kernel it runs on by `NT_GNU_ABI_TAG`, as glibc before 2.36 stores it: operating
    /// system, major, minor, patch, a byte each; 0 without the note.
    #[serde(default, skip_serializing_if = "is_default")]
    pub os_version: u32,
    /// Highest bit of the needed x86 ISA levels (`GNU_PROPERTY_X86_ISA_1_NEEDED`); 0 without it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub isa_level: u32,
    /// Of glibc's `libc.so.6`: how it names itself, as `(GNU libc) stable release version 2.39`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub libc_release: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Reads the facts of an ELF file; nothing for other files and for what is too short to tell.
pub fn inspect(bytes: &[u8]) -> Option<Elf> {
    let (reader, header) = Reader::open(bytes)?;
    let mut elf = Elf {
        class: header.class,
        endian: header.endian,
        machine: header.machine,
        flags: header.flags,
        shared: false,
        soname: None,
        libc6: false,
        os_version: 0,
        isa_level: 0,
        libc_release: None,
    };
    if !header.shared_object {
        return Some(elf);
    }
    let Some(segments) = reader.segments(&header) else {
        return Some(elf);
    };
    let Some(dynamic) = Dynamic::read(&reader, &segments) else {
        return Some(elf);
    };
    elf.shared = true;
    elf.soname = dynamic.soname;
    elf.libc6 = dynamic.needs_libc || segments.iter().any(|s| is_glibc_loader(&reader, s));
    elf.os_version = notes::os_version(&reader, &segments);
    if matches!(elf.machine, EM_386 | EM_X86_64) {
        elf.isa_level = notes::isa_level(&reader, &segments);
    }
    if elf.soname.as_deref() == Some("libc.so.6") {
        elf.libc_release = libc_release(bytes);
    }
    Some(elf)
}

/// What the dynamic segment says.
struct Dynamic {
    soname: Option<String>,
    needs_libc: bool,
}

impl Dynamic {
    const DT_NULL: u64 = 0;
    const DT_NEEDED: u64 = 1;
    const DT_STRTAB: u64 = 5;
    const DT_SONAME: u64 = 14;

    /// Nothing when there is no dynamic segment or no string table, or when it lies outside.
    fn read(reader: &Reader<'_>, segments: &[Segment]) -> Option<Self> {
        let place = segments.iter().rfind(|s| s.kind == Segment::DYNAMIC)?;
        if place.file_size == 0 {
            return None;
        }
        let entries = || {
            let all = reader.dynamic_entries(place.offset);
            all.take_while(|(tag, _)| *tag != Self::DT_NULL)
        };
        let (_, address) = entries().find(|(tag, _)| *tag == Self::DT_STRTAB)?;
        let strings = file_offset(segments, address);
        if strings > reader.len() {
            return None;
        }
        let mut found = Self { soname: None, needs_libc: false };
        for (tag, value) in entries() {
            let name = || reader.text(strings.checked_add(value)?, NAME_MAX);
            match tag {
                Self::DT_SONAME => found.soname = name().and_then(file_name),
                Self::DT_NEEDED if !found.needs_libc => {
                    found.needs_libc = matches!(name(), Some(b"libc.so.6" | b"libm.so.6"));
                }
                _ => {}
            }
        }
        Some(found)
    }
}

/// Where an address lies in the file. One that no segment covers is taken as an offset, as
/// `ldconfig` does.
fn file_offset(segments: &[Segment], address: u64) -> u64 {
    let covers = |s: &&Segment| {
        s.kind == Segment::LOAD
            && address.checked_sub(s.address).is_some_and(|inside| inside < s.file_size)
    };
    match segments.iter().find(covers) {
        Some(s) => address.wrapping_sub(s.address.wrapping_sub(s.offset)),
        None => address,
    }
}

fn file_name(name: &[u8]) -> Option<String> {
    if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
        return None;
    }
    String::from_utf8(name.to_vec()).ok()
}

fn is_glibc_loader(reader: &Reader<'_>, segment: &Segment) -> bool {
    if segment.kind != Segment::INTERP {
        return false;
    }
    let path = reader.text(segment.offset, NAME_MAX).unwrap_or_default();
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    let known: [&[u8]; 4] = [b"ld-linux", b"ld64.so.", b"ld.so.", b"ld-2."];
    known.iter().any(|start| name.starts_with(start))
}

/// The text with which glibc's `libc.so.6` introduces itself when it is run. `ldconfig` of the same
/// build writes the same text into its cache.
fn libc_release(bytes: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"GNU C Library ";
    const LONGEST: usize = 200;
    let mut rest = bytes;
    loop {
        let at = rest.iter().position(|b| *b == MARK[0])?;
        rest = rest.get(at..)?;
        if rest.starts_with(MARK) {
            let text = rest.get(MARK.len()..)?;
            let text = text.get(..text.len().min(LONGEST))?;
            let end = text.iter().position(|b| matches!(b, 0 | b'\n'));
            let line = end.and_then(|end| std::str::from_utf8(text.get(..end)?).ok());
            if let Some(line) = line.filter(|line| line.contains(" release version ")) {
                return Some(line.trim_end_matches('.').to_owned());
            }
        }
        rest = rest.get(1..)?;
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
