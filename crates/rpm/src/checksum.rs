//! Checksums as repositories and headers write them.

use std::{fmt, str::FromStr};

/// The hash functions that repository metadata and headers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumAlgorithm {
    /// MD5, only in old headers.
    Md5,
    /// SHA-1, in old metadata.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, today's usual one.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA3-256, in headers of rpm 6.
    Sha3_256,
    /// SHA3-512, in headers of rpm 6.
    Sha3_512,
}

impl ChecksumAlgorithm {
    /// The name used in repository metadata, for example `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha3_256 => "sha3-256",
            Self::Sha3_512 => "sha3-512",
        }
    }

    /// Length of the digest in bytes.
    #[allow(clippy::len_without_is_empty, reason = "no algorithm has an empty digest")]
    pub fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 | Self::Sha3_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    /// From the number that OpenPGP gives the algorithm, as headers write it.
    pub fn from_rpm(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Md5,
            2 => Self::Sha1,
            8 => Self::Sha256,
            9 => Self::Sha384,
            10 => Self::Sha512,
            11 => Self::Sha224,
            12 => Self::Sha3_256,
            14 => Self::Sha3_512,
            _ => return None,
        })
    }

    /// From the name in repository metadata, which never uses SHA-3; `sha` is an old spelling of `sha1`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "md5" => Self::Md5,
            "sha" | "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }
}

/// A digest with its algorithm, written `sha256:0123…`. A package's identity everywhere is the
/// checksum that its repository gives for the whole file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    hex: Box<str>,
}

/// Why a text is not a [`Checksum`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseChecksumError {
    /// There is no `algorithm:` in front, or it is unknown.
    #[error("`{0}` names no known checksum algorithm")]
    Algorithm(String),
    /// The digest is not lower-case hexadecimal of the right length.
    #[error("`{0}` is not a {1} digest in hexadecimal")]
    Digest(String, &'static str),
}

impl Checksum {
    /// From an algorithm and a hexadecimal digest (either case).
    pub fn new(algorithm: ChecksumAlgorithm, hex: &str) -> Result<Self, ParseChecksumError> {
        let ok = hex.len() == algorithm.len() * 2 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if !ok {
            return Err(ParseChecksumError::Digest(hex.to_owned(), algorithm.name()));
        }
        Ok(Self { algorithm, hex: hex.to_ascii_lowercase().into() })
    }

    /// From the raw bytes of a digest.
    pub fn from_bytes(
        algorithm: ChecksumAlgorithm,
        digest: &[u8],
    ) -> Result<Self, ParseChecksumError> {
        Self::new(algorithm, &hex::encode(digest))
    }

    /// Of a digest that the algorithm itself has made.
    pub(crate) fn of_digest(algorithm: ChecksumAlgorithm, digest: &[u8]) -> Self {
        Self { algorithm, hex: hex::encode(digest).into() }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The digest, lower-case hexadecimal.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Checksum {
    type Err = ParseChecksumError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || ParseChecksumError::Algorithm(text.to_owned());
        let (name, hex) = text.split_once(':').ok_or_else(unknown)?;
        Self::new(ChecksumAlgorithm::from_name(name).ok_or_else(unknown)?, hex)
    }
}
