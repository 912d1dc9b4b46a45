//! A shared library of a few hundred bytes.

/// A 64-bit little-endian library for x86-64 with that soname: ELF header, program headers, one
/// segment with dynamic entries and strings. On request it names itself as glibc.
pub fn library(soname: &str, libc: bool) -> Vec<u8> {
    const BASE: u64 = 0x10000;
    let strings = format!("\0{soname}\0libc.so.6\0");
    let dynamic = 64 + 2 * 56;
    let entries = [(1, 2 + soname.len() as u64), (14, 1), (5, BASE + dynamic + 64), (0, 0)];
    let end = dynamic + 64 + strings.len() as u64;

    let mut out = b"\x7fELF\x02\x01\x01".to_vec();
    out.resize(16, 0);
    out.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    for word in [0u64, 64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(0u32.to_le_bytes());
    for half in [64u16, 56, 2, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    for (kind, offset, size) in [(1u32, 0, end), (2, dynamic, 64)] {
        out.extend(kind.to_le_bytes());
        out.extend(4u32.to_le_bytes());
        for word in [offset, BASE + offset, BASE + offset, size, size, 8] {
            out.extend(word.to_le_bytes());
        }
    }
    for (tag, value) in entries {
        out.extend(u64::to_le_bytes(tag));
        out.extend(u64::to_le_bytes(value));
    }
    out.extend(strings.into_bytes());
    if libc {
        out.extend(b"GNU C Library (Test) stable release version 2.39.\nCopyright");
    }
    out
}
