//! Shared libraries for tests, built in code.

use super::reader::Segment;

/// A minimal 64-bit little-endian shared library: ELF header, program headers, then one segment
/// with dynamic entries, notes and strings, mapped at an address unlike its offset.
pub(crate) fn library(machine: u16, soname: &str, needed: &[&str]) -> Vec<u8> {
    const BASE: u64 = 0x10000;
    let mut strings = vec![0];
    let mut add = |text: &str| {
        let at = strings.len() as u64;
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at
    };
    let mut entries: Vec<(u64, u64)> = needed.iter().map(|n| (1, add(n))).collect();
    if !soname.is_empty() {
        entries.push((14, add(soname)));
    }
    let start = 64 + 4 * 56;
    let dynamic = start;
    let abi = dynamic + 16 * (entries.len() as u64 + 2);
    let property = abi + 32;
    let strtab = property + 48;
    entries.push((5, BASE + strtab));
    entries.push((0, 0));

    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    for half in [3u16, machine] {
        out.extend(half.to_le_bytes());
    }
    out.extend(1u32.to_le_bytes());
    for word in [0u64, 64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(7u32.to_le_bytes());
    for half in [64u16, 56, 4, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    let end = strtab + strings.len() as u64;
    let mut segment = |kind: u32, offset: u64, size: u64, align: u64| {
        out.extend(kind.to_le_bytes());
        out.extend(4u32.to_le_bytes());
        for word in [offset, BASE + offset, BASE + offset, size, size, align] {
            out.extend(word.to_le_bytes());
        }
    };
    segment(Segment::LOAD, 0, end, 4096);
    segment(Segment::DYNAMIC, dynamic, abi - dynamic, 8);
    segment(Segment::NOTE, abi, 32, 4);
    segment(Segment::GNU_PROPERTY, property, 48, 8);
    for (tag, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    let note = |kind: u32, words: &[u32]| {
        let mut note = Vec::new();
        for word in [4, 4 * words.len() as u32, kind] {
            note.extend(word.to_le_bytes());
        }
        note.extend(b"GNU\0");
        words.iter().for_each(|word| note.extend(word.to_le_bytes()));
        note
    };
    out.extend(note(1, &[0, 3, 2, 0]));
    out.extend(note(5, &[0xc000_0002, 4, 3, 0, 0xc000_8002, 4, 0b100, 0]));
    out.extend(strings);
    out
}

/// A library that names itself as glibc of a release.
pub(crate) fn libc(machine: u16, release: &str) -> Vec<u8> {
    let mut bytes = library(machine, "libc.so.6", &[]);
    bytes.extend(b"GNU C Library (Test) stable release version ");
    bytes.extend(release.as_bytes());
    bytes.extend(b".\nCopyright");
    bytes
}
