//! The container of every binary file in the cache, and numbers in it.
//!
//! ```text
//! magic and version (8 bytes) | payload | SHA-256 of all before
//! ```
//! A file that is not exactly that is rebuilt, never trusted.

use crate::digest::sha256;

const DIGEST: usize = 32;

/// Writes numbers (LEB128) and texts.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A container that begins with `magic`.
    pub(crate) fn container(magic: &[u8; 8]) -> Self {
        Self { bytes: magic.to_vec() }
    }

    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Closes the container.
    pub(crate) fn seal(mut self) -> Vec<u8> {
        let digest = sha256(&self.bytes);
        self.bytes.extend_from_slice(&digest);
        self.bytes
    }
}

/// Reads what [`Writer`] wrote; every method gives `None` at the end or at nonsense.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The payload of an undamaged container.
    pub(crate) fn container(bytes: &'a [u8], magic: &[u8; 8]) -> Option<Self> {
        let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST)?)?;
        let payload = content.strip_prefix(magic)?;
        (sha256(content) == digest).then_some(Self { bytes: payload })
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            value |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A count of things that take at least a byte each.
    pub(crate) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.bytes.len()).then_some(count)
    }

    pub(crate) fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(head)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        std::str::from_utf8(self.raw(length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(values in proptest::collection::vec(any::<u64>(), 0..50)) {
            let mut writer = Writer::container(b"testtest");
            values.iter().for_each(|value| writer.number(*value));
            let bytes = writer.seal();
            let mut cursor = Cursor::container(&bytes, b"testtest").unwrap();
            for value in values {
                prop_assert_eq!(cursor.number(), Some(value));
            }
            prop_assert_eq!(cursor.number(), None);
        }

        #[test]
        fn any_bytes_are_harmless(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut cursor = Cursor::new(&bytes);
            while cursor.remaining() > 0 && cursor.text().is_some() {}
            prop_assert!(Cursor::container(&bytes, b"testtest").is_none());
        }
    }
}
