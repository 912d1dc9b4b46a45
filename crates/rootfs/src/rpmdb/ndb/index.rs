//! One index: a hash table from keys to the places in packages that have them.
//!
//! A slot has 8 bytes (where the key lies, with some bits of its hash; package and position in one
//! number) and 4 more bytes that are only used when package and position need them. All the first
//! parts come before all the second, the keys come last.

use super::{PAGE, number, words};
use crate::rpmdb::RpmdbError;

const HEADER: usize = 64;
/// How much room rpm leaves for more keys.
const SPARE: usize = 4096;

/// An index in the making.
pub(super) struct Index {
    /// Place of the key with bits of its hash, package and position, overflow; free when the first
    /// is 0.
    slots: Vec<(u32, u32, u32)>,
    /// Hashes by slot, to complete the first part when the size of the keys is known.
    hashes: Vec<u32>,
    keys: Vec<u8>,
    used: usize,
}

impl Index {
    /// With room for so many rows. rpm makes a new table when more than half is used.
    pub(super) fn for_rows(rows: usize) -> Self {
        let rows = rows.max(256);
        let slots = (rows.next_power_of_two() >> usize::from(!rows.is_power_of_two())) * 4;
        // nothing is at 0, which means "free"
        Self { slots: vec![(0, 0, 0); slots], hashes: vec![0; slots], keys: vec![0], used: 0 }
    }

    pub(super) fn put(
        &mut self,
        key: &[u8],
        package: u32,
        position: u32,
    ) -> Result<(), RpmdbError> {
        let hash = murmur(key);
        let (data, overflow) = pack(package, position);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        let mut step = 7;
        let mut found = None;
        while let Some((place, there, more)) = self.slots.get(at).copied().filter(|one| one.0 != 0)
        {
            if self.hashes.get(at) == Some(&hash) && self.has_key(place, key) {
                found = Some(place);
                if (there, more) == (data, overflow) {
                    return Ok(());
                }
            }
            at = (at + step) & mask;
            step += 1;
        }
        let place = match found {
            Some(place) => place,
            None => {
                let place = number(self.keys.len())?;
                self.keys.extend(length(key.len()));
                self.keys.extend_from_slice(key);
                place
            }
        };
        if let (Some(slot), Some(kept)) = (self.slots.get_mut(at), self.hashes.get_mut(at)) {
            (*slot, *kept) = ((place, data, overflow), hash);
        }
        self.used += 1;
        Ok(())
    }

    fn has_key(&self, place: u32, key: &[u8]) -> bool {
        let rest = self.keys.get(place as usize..).unwrap_or_default();
        let length = length(key.len());
        rest.strip_prefix(&*length).is_some_and(|rest| rest.starts_with(key))
    }

    /// The index in whole pages.
    pub(super) fn bytes(self) -> Result<Vec<u8>, RpmdbError> {
        let keys = self.keys.len();
        let size = (HEADER + self.slots.len() * 12 + keys + SPARE).next_multiple_of(PAGE);
        let room = size - HEADER - self.slots.len() * 12;
        // bits of the place that no key can need carry bits of the hash
        let mut bits = 0x1_0000_usize;
        while bits < room + 8192 {
            bits *= 2;
        }
        let mask = !(number(bits)?.saturating_sub(1));
        let mut out = Vec::with_capacity(size);
        out.extend(b"RpmI");
        let (slots, used) = (number(self.slots.len())?, number(self.used)?);
        words(&mut out, [0, used.saturating_add(1), slots, used, 0, mask, number(keys)?, 0, 0]);
        out.resize(HEADER, 0);
        for ((place, data, _), hash) in self.slots.iter().zip(&self.hashes) {
            let first = if *place == 0 { 0 } else { *place | hash & mask };
            words(&mut out, [first, *data]);
        }
        for (_, _, overflow) in &self.slots {
            words(&mut out, [*overflow]);
        }
        out.extend(self.keys);
        out.resize(size, 0);
        Ok(out)
    }
}

/// How the length of a key is written. An empty key is written long: a 0 is a hole.
fn length(length: usize) -> Vec<u8> {
    match length {
        1..=254 => vec![length as u8],
        0 | 255..=65534 => {
            let [low, high, ..] = length.to_le_bytes();
            vec![255, low, high]
        }
        _ => {
            let [a, b, c, d, ..] = length.to_le_bytes();
            vec![255, 255, 255, a, b, c, d]
        }
    }
}

/// Package and position in one number where they fit, else the package in the overflow.
fn pack(package: u32, position: u32) -> (u32, u32) {
    if package < 1 << 20 && position < 1 << 10 {
        (package | position << 20, 0)
    } else if package < 1 << 24 && position < 1 << 6 {
        (package | position << 24 | 1 << 30, 0)
    } else {
        (position | 1 << 31, package)
    }
}

/// rpm's variant of the hash.
fn murmur(key: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = (key.len() as u32).wrapping_mul(M);
    let mut chunks = key.chunks_exact(4);
    let mix = |hash: u32, word: u32| {
        let mixed = hash.wrapping_add(word).wrapping_mul(M);
        mixed ^ mixed >> 16
    };
    for chunk in &mut chunks {
        let word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = mix(hash, word);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = mix(hash, word);
    }
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 10;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 17
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(length(1), [1]);
        assert_eq!(length(254), [254]);
        assert_eq!(length(0), [255, 0, 0]);
        assert_eq!(length(255), [255, 255, 0]);
        assert_eq!(length(65534), [255, 254, 255]);
        assert_eq!(length(65535), [255, 255, 255, 255, 255, 0, 0]);
    }

    #[test]
    fn places() {
        assert_eq!(pack(5, 3), (5 | 3 << 20, 0));
        assert_eq!(pack(5, 1024), (1024 | 1 << 31, 5));
        assert_eq!(pack(1 << 20, 3), (1 << 20 | 3 << 24 | 1 << 30, 0));
    }

    #[test]
    fn at_most_half_is_used() {
        for rows in [0, 1, 256, 257, 511, 512, 513, 100_000] {
            let index = Index::for_rows(rows);
            assert!(index.slots.len().is_power_of_two() && rows * 2 <= index.slots.len());
        }
    }

    #[test]
    fn the_same_row_twice_is_one() {
        let mut index = Index::for_rows(2);
        for _ in 0..2 {
            assert!(index.put(b"key", 1, 0).is_ok());
        }
        assert!(index.put(b"key", 2, 0).is_ok());
        assert_eq!((index.used, index.keys.len()), (2, 1 + 1 + 3));
    }
}
