//! Text that looks random.

/// Printable text of this length that does not compress well; the same each time.
pub fn noise(length: usize) -> String {
    let mut state: u64 = 88_172_645_463_325_252;
    let mut text = String::with_capacity(length + 8);
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend(state.to_le_bytes().map(|byte| char::from(b' ' + byte % 95)));
    }
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::noise;
    use std::collections::BTreeMap;

    #[test]
    fn it_has_all_letters_about_as_often() {
        let text = noise(95_003);
        assert_eq!(text.len(), 95_003);
        let mut count: BTreeMap<char, u32> = BTreeMap::new();
        text.chars().for_each(|c| *count.entry(c).or_default() += 1);
        assert_eq!(count.len(), 95);
        assert!(count.values().all(|many| (500..2_000).contains(many)), "{count:?}");
    }
}
