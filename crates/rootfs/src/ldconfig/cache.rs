//! The file format of `ld.so.cache`, and the order of its entries.
//!
//! A header of 48 bytes, 24 bytes an entry, the string table, and from glibc 2.33 an extension
//! directory with the generator's name and the names of `glibc-hwcaps` subdirectories.

use super::{Target, strings::Strings};
use crate::elf::Endian;
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
};

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER_SIZE: usize = 48;
const ENTRY_SIZE: usize = 24;
const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
const EXTENSION_GENERATOR: u32 = 0;
const EXTENSION_HWCAPS: u32 = 1;
/// In an entry's hardware field: the low half is an index into the `glibc-hwcaps` names.
const HWCAP_EXTENSION: u64 = 1 << 62;

/// One library under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub soname: Vec<u8>,
    pub path: Vec<u8>,
    pub flags: i32,
    pub os_version: u32,
    pub isa_level: u32,
    /// Bits of the hardware directory it lies in, for glibc before 2.37.
    pub hardware: u64,
    /// The `glibc-hwcaps` subdirectory it lies in.
    pub hwcaps: Option<Vec<u8>>,
}

/// Compares two file names as the loader does when it searches the cache: runs of digits by value,
/// and a digit after anything else.
pub(super) fn compare_names(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        let (x, y) = (a.first().copied(), b.first().copied());
        let digits = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_digit());
        match (digits(x), digits(y)) {
            (true, true) => {
                let order = number(&mut a).cmp(&number(&mut b));
                if order.is_ne() {
                    return order;
                }
            }
            (true, false) => return Ordering::Greater,
            (false, true) if x.is_some() => return Ordering::Less,
            _ => {
                // The loader compares `char`, and takes the end of a name for a NUL.
                let signed = |c: Option<u8>| c.unwrap_or(0).cast_signed();
                let order = signed(x).cmp(&signed(y));
                if order.is_ne() || x.is_none() {
                    return order;
                }
                a = a.get(1..).unwrap_or_default();
                b = b.get(1..).unwrap_or_default();
            }
        }
    }
}

/// Takes the leading digits. The loader computes in `int`, and so do the caches it can read.
fn number(text: &mut &[u8]) -> i32 {
    let mut value = 0i32;
    while let Some((digit @ b'0'..=b'9', rest)) = text.split_first() {
        value = value.wrapping_mul(10).wrapping_add(i32::from(digit - b'0'));
        *text = rest;
    }
    value
}

fn compare(a: &Entry, b: &Entry) -> Ordering {
    // All descending but the names of hwcaps subdirectories, which come before the rest.
    let key = |e: &Entry| (e.hardware.count_ones(), e.hardware, e.os_version);
    compare_names(&b.soname, &a.soname)
        .then_with(|| b.flags.cmp(&a.flags))
        .then_with(|| match (&a.hwcaps, &b.hwcaps) {
            (None, None) => Ordering::Equal,
            (left, right) => {
                Reverse(left.is_some()).cmp(&Reverse(right.is_some())).then_with(|| left.cmp(right))
            }
        })
        .then_with(|| key(b).cmp(&key(a)))
}

/// The file's bytes; nothing when an offset would not fit its field. `names` are the `glibc-hwcaps`
/// subdirectories that were seen, whether or not they hold a library.
pub(super) fn write(
    target: &Target,
    mut entries: Vec<Entry>,
    names: &BTreeSet<Vec<u8>>,
) -> Option<Vec<u8>> {
    entries.sort_by(compare);
    let used: BTreeSet<&[u8]> = entries.iter().filter_map(|e| e.hwcaps.as_deref()).collect();
    let texts = entries.iter().flat_map(|e| [&*e.soname, &*e.path]);
    let strings = Strings::new(texts.chain(names.iter().map(Vec::as_slice)))?;

    let start = u32::try_from(HEADER_SIZE + ENTRY_SIZE * entries.len()).ok()?;
    let end = start.checked_add(u32::try_from(strings.bytes().len()).ok()?)?;
    let extension = match target.before(33) {
        true => 0,
        false => end.checked_next_multiple_of(4)?,
    };
    let mut out = Words::new(target.endian());
    out.bytes.extend_from_slice(MAGIC);
    out.u32(u32::try_from(entries.len()).ok()?);
    out.u32(end - start);
    out.bytes.push(match (target.before(33), target.endian()) {
        (true, _) => 0,
        (_, Endian::Little) => 2,
        (_, Endian::Big) => 3,
    });
    out.bytes.extend([0; 3]);
    out.u32(extension);
    out.bytes.resize(HEADER_SIZE, 0);
    for entry in &entries {
        out.u32(entry.flags.cast_unsigned());
        out.u32(start.checked_add(strings.offset(&entry.soname))?);
        out.u32(start.checked_add(strings.offset(&entry.path))?);
        out.u32(entry.os_version);
        out.u64(match &entry.hwcaps {
            None => entry.hardware,
            Some(name) => {
                let index = used.iter().position(|used| used == name)? as u64;
                HWCAP_EXTENSION | u64::from(entry.isa_level & 0x3ff) << 32 | index
            }
        });
    }
    out.bytes.extend_from_slice(strings.bytes());
    if extension != 0 {
        out.bytes.resize(extension as usize, 0);
        let names: Vec<u32> = used.iter().map(|name| start + strings.offset(name)).collect();
        write_extension(&mut out, extension, &target.generator(), &names)?;
    }
    Some(out.bytes)
}

fn write_extension(out: &mut Words, at: u32, generator: &str, names: &[u32]) -> Option<()> {
    let sections = 1 + u32::from(!names.is_empty());
    let data = at.checked_add(8 + 16 * sections)?;
    let size = u32::try_from(4 * names.len()).ok()?;
    out.u32(EXTENSION_MAGIC);
    out.u32(sections);
    let after = data.checked_add(size)?;
    let length = u32::try_from(generator.len()).ok()?;
    for word in [EXTENSION_GENERATOR, 0, after, length] {
        out.u32(word);
    }
    if !names.is_empty() {
        for word in [EXTENSION_HWCAPS, 0, data, size] {
            out.u32(word);
        }
    }
    names.iter().for_each(|name| out.u32(*name));
    out.bytes.extend_from_slice(generator.as_bytes());
    Some(())
}

/// Words in the target's byte order.
struct Words {
    bytes: Vec<u8>,
    endian: Endian,
}

impl Words {
    fn new(endian: Endian) -> Self {
        Self { bytes: Vec::new(), endian }
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        });
    }

    fn u64(&mut self, value: u64) {
        self.bytes.extend(match self.endian {
            Endian::Little => value.to_le_bytes(),
            Endian::Big => value.to_be_bytes(),
        });
    }
}
