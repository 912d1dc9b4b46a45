//! Content identifiers: the digest of stored bytes, and the digest of a layer's uncompressed tar.
//!
//! <https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests>

use serde::{Deserialize, Serialize, de};
use sha2::{Digest as _, Sha256};
use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
};

/// A text that is no SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It names another algorithm, or none.
    #[error("`{0}` is not a `sha256:` digest")]
    Algorithm(String),
    /// What follows is not 64 lower-case hexadecimal digits.
    #[error("`{0}` does not end in 64 lower-case hexadecimal digits")]
    Hex(String),
}

fn parse(text: &str) -> Result<[u8; 32], DigestError> {
    let Some(digits) = text.strip_prefix("sha256:") else {
        return Err(DigestError::Algorithm(text.to_owned()));
    };
    let lower = !digits.bytes().any(|b| b.is_ascii_uppercase());
    let mut bytes = [0; 32];
    match hex::decode_to_slice(digits, &mut bytes) {
        Ok(()) if lower => Ok(bytes),
        _ => Err(DigestError::Hex(text.to_owned())),
    }
}

macro_rules! digest_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Of these bytes.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }

            /// From the 32 raw bytes.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 raw bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The hexadecimal part, lower case.
            pub fn hex(&self) -> String {
                hex::encode(self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "sha256:{}", self.hex())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = DigestError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                parse(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

digest_type! {
    /// SHA-256 of bytes as they are stored and sent: a blob's name.
    Digest
}

digest_type! {
    /// SHA-256 of a layer's uncompressed tar.
    /// <https://github.com/opencontainers/image-spec/blob/main/config.md#layer-diffid>
    DiffId
}

/// Passes bytes on and hashes them on the way, so that nothing written is ever read again.
pub struct HashingWriter<W> {
    inner: W,
    hash: Sha256,
    written: u64,
}

impl<W> HashingWriter<W> {
    /// In front of `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), written: 0 }
    }

    /// Bytes passed on so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The digest of what went through, its length, and the inner writer.
    pub fn finish(self) -> (Digest, u64, W) {
        (Digest(self.hash.finalize().into()), self.written, self.inner)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        self.written += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl From<Digest> for DiffId {
    /// A tar that is stored as it is has one hash for both.
    fn from(digest: Digest) -> Self {
        Self(digest.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn text_round_trips() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::of(b""));
        assert_eq!(serde_json::to_string(&DiffId::of(b"")).unwrap(), format!("\"{EMPTY}\""));
    }

    #[test]
    fn other_texts_are_refused() {
        let upper = EMPTY.replace('e', "E");
        for wrong in ["", "sha256:", "sha512:00", &EMPTY[..70], &upper, &format!("{EMPTY}0")] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hashing_writer_agrees() {
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"hello ").unwrap();
        writer.write_all(b"world").unwrap();
        assert_eq!(writer.finish(), (Digest::of(b"hello world"), 11, b"hello world".to_vec()));
    }
}
