//! The database of SUSE: `Packages.db`, and `Index.db` with all indexes.
//!
//! Source: the files that rpm 4.18 makes with `_db_backend ndb`. All numbers are little-endian.
//! `Packages.db` is a header, a table of slots that fills whole pages, and the blobs in blocks of
//! 16 bytes. A slot says which package lies where; a blob carries a time and a checksum.

mod index;
mod tables;

use super::{RpmdbError, blob::Installed};

/// The two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ndb {
    /// `Packages.db`
    pub packages: Vec<u8>,
    /// `Index.db`
    pub index: Vec<u8>,
}

const BLOCK: usize = 16;
const SLOT: usize = 16;
const PAGE: usize = 4096;
/// Magic, version, generation, pages of slots, next package number.
const HEADER: usize = 32;
/// Magic, package number, time, length.
const HEAD: usize = 16;
/// Checksum, length, magic.
const TAIL: usize = 12;

/// Both files, as after one transaction.
pub(super) fn write(packages: &[(Installed<'_>, u32)]) -> Result<Ndb, RpmdbError> {
    // what a fresh file and every package add
    let generation = number(packages.len())?.saturating_add(1);
    let installed: Vec<&Installed<'_>> = packages.iter().map(|(package, _)| package).collect();
    Ok(Ndb {
        packages: write_packages(packages, generation)?,
        index: tables::write(&installed, generation)?,
    })
}

fn write_packages(
    packages: &[(Installed<'_>, u32)],
    generation: u32,
) -> Result<Vec<u8>, RpmdbError> {
    let pages = (HEADER + packages.len() * SLOT).div_ceil(PAGE).max(1);
    let next = number(packages.len())?.saturating_add(1);
    let mut slots = Vec::with_capacity(pages * PAGE);
    slots.extend(b"RpmP");
    words(&mut slots, [0, generation, number(pages)?, next]);
    slots.resize(HEADER, 0);
    let mut blobs = Vec::new();
    for ((package, time), at) in packages.iter().zip(1u32..) {
        let first = number((pages * PAGE + blobs.len()) / BLOCK)?;
        let blocks = (HEAD + package.blob.len() + TAIL).div_ceil(BLOCK);
        slots.extend(b"Slot");
        words(&mut slots, [at, first, number(blocks)?]);
        let start = blobs.len();
        let length = number(package.blob.len())?;
        blobs.extend(b"BlbS");
        words(&mut blobs, [at, *time, length]);
        blobs.extend_from_slice(&package.blob);
        blobs.resize(start + blocks * BLOCK - TAIL, 0);
        let sum = adler32(blobs.get(start..).unwrap_or_default());
        words(&mut blobs, [sum, length]);
        blobs.extend(b"BlbE");
    }
    while slots.len() < pages * PAGE {
        slots.extend(b"Slot");
        words(&mut slots, [0, 0, 0]);
    }
    slots.append(&mut blobs);
    Ok(slots)
}

/// A number of the file; beyond 32 bits rpm could not read it.
fn number(value: usize) -> Result<u32, RpmdbError> {
    u32::try_from(value).map_err(|_| RpmdbError::Full)
}

fn words<const N: usize>(out: &mut Vec<u8>, words: [u32; N]) {
    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// The checksum of RFC 1950.
fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    // as many as the sums can take before they overflow
    for chunk in bytes.chunks(5552) {
        for byte in chunk {
            a += u32::from(*byte);
            b += a;
        }
        (a, b) = (a % 65521, b % 65521);
    }
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::adler32;

    #[test]
    fn checksums() {
        assert_eq!(adler32(b""), 1);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[255; 100_000]), zlib_of_255s(100_000));
    }

    /// The definition, one byte after the other.
    fn zlib_of_255s(count: u32) -> u32 {
        let (mut a, mut b) = (1u32, 0u32);
        for _ in 0..count {
            a = (a + 255) % 65521;
            b = (b + a) % 65521;
        }
        b << 16 | a
    }
}
