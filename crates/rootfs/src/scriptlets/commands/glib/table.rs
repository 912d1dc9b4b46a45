//! A hash table by text that is walked in the order of GLib's `GHashTable`.
//!
//! The order of entries in files that GLib's programs write is that of their tables: it follows
//! from the hashes of the keys, and from when the table grew.
//! <https://gitlab.gnome.org/GNOME/glib/-/blob/main/glib/ghash.c>

/// Table sizes are powers of two; buckets are chosen modulo the prime below.
const PRIMES: [u32; 25] = [
    1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131_071,
    262_139, 524_287, 1_048_573, 2_097_143, 4_194_301, 8_388_593, 16_777_213,
];
const SMALLEST: usize = 3;

#[derive(Debug, Clone)]
enum Slot<V> {
    Free,
    /// Something was here.
    Grave,
    Full {
        hash: u32,
        key: String,
        value: V,
    },
}

/// The table.
#[derive(Debug, Clone)]
pub(in super::super) struct Table<V> {
    slots: Vec<Slot<V>>,
    shift: usize,
    full: usize,
    graves: usize,
}

/// Bernstein's hash, of signed characters.
pub(in super::super) fn hash(text: &str) -> u32 {
    text.bytes().fold(5381, |hash: u32, byte| {
        let signed = i32::from(byte.cast_signed()).cast_unsigned();
        hash.wrapping_mul(33).wrapping_add(signed)
    })
}

/// The hash as the table stores it: 0 and 1 mean something else there.
fn stored(text: &str) -> u32 {
    hash(text).max(2)
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { slots: free(1 << SMALLEST), shift: SMALLEST, full: 0, graves: 0 }
    }
}

fn free<V>(count: usize) -> Vec<Slot<V>> {
    (0..count).map(|_| Slot::Free).collect()
}

/// The steps from bucket to bucket, until one fits.
fn probe(hash: u32, shift: usize) -> impl Iterator<Item = usize> {
    let mask = (1usize << shift) - 1;
    let first = (hash.wrapping_mul(11) % PRIMES[shift]) as usize;
    let mut step = 0;
    std::iter::successors(Some(first), move |at| {
        step += 1;
        Some((at + step) & mask)
    })
}

impl<V> Table<V> {
    /// The bucket that holds a key, or the one that it would go to.
    fn find(&self, key: &str) -> Result<usize, usize> {
        let wanted = stored(key);
        let mut grave = None;
        for at in probe(wanted, self.shift) {
            match &self.slots[at] {
                Slot::Free => return Err(grave.unwrap_or(at)),
                Slot::Grave => grave = grave.or(Some(at)),
                Slot::Full { hash, key: own, .. } if *hash == wanted && own == key => {
                    return Ok(at);
                }
                Slot::Full { .. } => {}
            }
        }
        Err(0)
    }

    /// How many keys there are.
    pub(in super::super) fn len(&self) -> usize {
        self.full
    }

    pub(in super::super) fn get(&self, key: &str) -> Option<&V> {
        match self.find(key).ok().map(|at| &self.slots[at]) {
            Some(Slot::Full { value, .. }) => Some(value),
            _ => None,
        }
    }

    pub(in super::super) fn get_mut(&mut self, key: &str) -> Option<&mut V> {
        match self.find(key).ok().map(|at| &mut self.slots[at]) {
            Some(Slot::Full { value, .. }) => Some(value),
            _ => None,
        }
    }

    /// Puts a value in; one that was there goes.
    pub(in super::super) fn insert(&mut self, key: &str, new: V) {
        match self.find(key) {
            Ok(at) => {
                if let Slot::Full { value, .. } = &mut self.slots[at] {
                    *value = new;
                }
            }
            Err(at) => {
                if matches!(self.slots[at], Slot::Grave) {
                    self.graves -= 1;
                }
                let key = key.to_owned();
                self.slots[at] = Slot::Full { hash: stored(&key), key, value: new };
                self.full += 1;
                self.fit();
            }
        }
    }

    pub(in super::super) fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(key) {
            self.slots[at] = Slot::Grave;
            self.full -= 1;
            self.graves += 1;
            self.fit();
        }
    }

    /// Keys and values in the order of a walk.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Full { key, value, .. } => Some((key.as_str(), value)),
            _ => None,
        })
    }

    /// Grows or shrinks when it is too full or too empty.
    fn fit(&mut self) {
        let (size, occupied) = (1 << self.shift, self.full + self.graves);
        let empty = size > self.full * 4 && size > 1 << SMALLEST;
        if !empty && size > occupied + occupied / 16 {
            return;
        }
        let wanted = self.full * 1333 / 1000;
        let bits = (usize::BITS - wanted.leading_zeros()) as usize;
        self.resize(bits.clamp(SMALLEST, PRIMES.len() - 1));
    }

    /// Moves all to their places in a table of another size. What is in the way of an entry is
    /// taken out, and placed next.
    fn resize(&mut self, shift: usize) {
        let old = 1usize << self.shift;
        let size = old.max(1 << shift);
        self.slots.resize_with(size, || Slot::Free);
        let mut placed = vec![false; size];
        for at in 0..old {
            if placed[at] {
                continue;
            }
            let mut moving = std::mem::replace(&mut self.slots[at], Slot::Free);
            while let Slot::Full { hash, .. } = &moving {
                let Some(to) = probe(*hash, shift).find(|to| !placed[*to]) else { break };
                placed[to] = true;
                moving = std::mem::replace(&mut self.slots[to], moving);
            }
        }
        self.slots.truncate(1 << shift);
        (self.shift, self.graves) = (shift, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_what_is_put_in() {
        let mut table = Table::default();
        for round in 0..3 {
            for number in 0..500 {
                table.insert(&format!("key-{number}"), number + round);
            }
            for number in (0..500).step_by(3) {
                table.remove(&format!("key-{number}"));
            }
            assert_eq!(table.len(), 333);
            for number in 0..500 {
                let expected = (number % 3 != 0).then_some(number + round);
                assert_eq!(table.get(&format!("key-{number}")).copied(), expected);
            }
            assert_eq!(table.iter().count(), 333);
        }
        for number in 0..500 {
            table.remove(&format!("key-{number}"));
        }
        assert_eq!((table.len(), table.slots.len()), (0, 8));
    }

    #[test]
    fn hashes_are_those_of_signed_characters() {
        assert_eq!(hash(""), 5381);
        assert_eq!(hash("a"), 177_670);
        assert_eq!(hash("ä"), 5381 * 33 * 33 - 61 * 33 - 92);
    }
}
