//! The cache's string table: every text once, and one that ends another shares its bytes.

use std::collections::BTreeMap;

/// Texts with their offsets.
#[derive(Default)]
pub(super) struct Strings<'a> {
    offsets: BTreeMap<&'a [u8], u32>,
    bytes: Vec<u8>,
}

impl<'a> Strings<'a> {
    /// Lays out texts in the order glibc does: by their bytes from the end, descending, so that a
    /// text comes right after the longest one that it ends. Nothing when the table is too large.
    pub fn new(texts: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut texts: Vec<&[u8]> = texts.into_iter().collect();
        texts.sort_unstable_by(|a, b| b.iter().rev().cmp(a.iter().rev()));
        texts.dedup();
        let mut table = Self::default();
        let mut previous: (&[u8], usize) = (b"", 0);
        for text in texts {
            let (last, at) = previous;
            let at = if !table.offsets.is_empty() && last.ends_with(text) {
                at + last.len() - text.len()
            } else {
                let end = table.bytes.len();
                table.bytes.extend_from_slice(text);
                table.bytes.push(0);
                end
            };
            table.offsets.insert(text, u32::try_from(at).ok()?);
            previous = (text, at);
        }
        u32::try_from(table.bytes.len()).ok()?;
        Some(table)
    }

    /// Where a text begins; the table's start for one that is not in it.
    pub fn offset(&self, text: &[u8]) -> u32 {
        self.offsets.get(text).copied().unwrap_or(0)
    }

    /// The table, each text ended by NUL.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
