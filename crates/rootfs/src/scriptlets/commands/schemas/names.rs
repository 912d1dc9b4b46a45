//! The strings that a key may have, with their numbers and other names, in the form that
//! GSettings reads.
//! <https://gitlab.gnome.org/GNOME/glib/-/blob/main/gio/strinfo.c>

/// Longest entry in words.
const MAX_WORDS: usize = 17;
/// Most entries; real ones have some dozens.
const MAX_ENTRIES: usize = 10_000;

/// A list of such strings: a number before each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    entries: Vec<(u32, bool, String)>,
}

/// The words of a string.
fn words(text: &str) -> usize {
    ((text.len() + 6) >> 2).max(2)
}

impl Names {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it is one of the strings, and not another name of one.
    pub(super) fn is_valid(&self, text: &str) -> bool {
        self.entries.iter().any(|(_, alias, own)| !alias && own == text)
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.entries.iter().any(|(_, _, own)| own == text)
    }

    pub(super) fn has_value(&self, value: u32) -> bool {
        self.entries.iter().any(|(own, alias, _)| !alias && *own == value)
    }

    /// Adds a string; false when it is too long, or one too many.
    pub(super) fn add(&mut self, text: &str, value: u32) -> bool {
        let fits = words(text) <= MAX_WORDS && self.entries.len() < MAX_ENTRIES;
        if fits {
            self.entries.push((value, false, text.to_owned()));
        }
        fits
    }

    /// Adds another name; its number is the place of what it stands for. False when that is none,
    /// or when it is too long.
    pub(super) fn add_alias(&mut self, text: &str, target: &str) -> bool {
        let mut place = 0;
        for (_, alias, own) in &self.entries {
            if !alias && own == target {
                if words(text) > MAX_WORDS || self.entries.len() >= MAX_ENTRIES {
                    return false;
                }
                self.entries.push((place, true, text.to_owned()));
                return true;
            }
            place += 1 + u32::try_from(words(own)).unwrap_or(0);
        }
        false
    }

    /// The words.
    pub(super) fn words(&self) -> Vec<u32> {
        let mut out = Vec::new();
        for (value, alias, text) in &self.entries {
            out.push(*value);
            let mut bytes = vec![if *alias { 0xfe } else { 0xff }];
            bytes.extend(text.as_bytes());
            bytes.resize(words(text) * 4, 0);
            if let Some(last) = bytes.last_mut() {
                *last = 0xff;
            }
            let (fours, _) = bytes.as_chunks::<4>();
            out.extend(fours.iter().map(|four| u32::from_le_bytes(*four)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_are_documented() {
        let mut names = Names::default();
        assert!(names.add("foo", 1) && names.add("bar", 2));
        assert!(names.add_alias("baz", "bar") && !names.add_alias("x", "baz"));
        let expected =
            b"\x01\0\0\0\xfffoo\0\0\0\xff\x02\0\0\0\xffbar\0\0\0\xff\x03\0\0\0\xfebaz\0\0\0\xff";
        let bytes: Vec<u8> = names.words().into_iter().flat_map(u32::to_le_bytes).collect();
        assert_eq!(bytes, expected);
        assert!(names.is_valid("bar") && !names.is_valid("baz") && names.has("baz"));
        assert!(!names.add(&"x".repeat(70), 3));
    }
}
