//! Mutations of seeds, the same on every run and every machine.

/// A source of numbers: xorshift.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// By a number other than 0.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// Below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % limit.max(1) as u64).unwrap_or_default()
    }

    fn pick<'a>(&mut self, all: &'a [Vec<u8>]) -> &'a [u8] {
        all.get(self.below(all.len())).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A changed copy of one of `seeds`: one to four changes of bytes, of numbers, of words, by parts of
/// itself or of another seed.
pub fn mutated(seeds: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.pick(seeds).to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let rest = bytes.len() - at;
        let length = random.below(rest.min(32) + 1);
        match random.below(8) {
            0 => {
                bytes.drain(at..at + length);
            }
            1 => {
                let copy = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len() + 1);
                for _ in 0..=random.below(8) {
                    bytes.splice(to..to, copy.iter().copied());
                }
            }
            2 => {
                const NUMBERS: [u32; 8] =
                    [0, 1, u32::MAX, 0x7fff_ffff, 0x8000_0000, 16, 0xff, 0x1_0000];
                let number = NUMBERS[random.below(NUMBERS.len())].to_be_bytes();
                let end = bytes.len().min(at + 4);
                bytes.splice(at..end, number);
            }
            3 if rest > 0 => bytes[at] ^= 1 << random.below(8),
            4 if rest > 0 => bytes[at] = b"\0\xff \n/.\\'\"$*?[]{}()|&;:=-0"[random.below(24)],
            5 => {
                let other = random.pick(seeds);
                let from = random.below(other.len() + 1);
                let to = from + random.below((other.len() - from).min(64) + 1);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ if words.is_empty() => bytes.truncate(at),
            _ => {
                let end = if random.below(2) == 0 { at } else { at + length };
                bytes.splice(at..end, random.pick(words).iter().copied());
            }
        }
    }
    bytes
}
