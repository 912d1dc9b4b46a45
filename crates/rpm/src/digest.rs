//! The hash functions that headers use, behind one type.

use crate::ChecksumAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// A running digest.
#[derive(Clone)]
pub(crate) enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Md5 => Self::Md5(Md5::new()),
            ChecksumAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha224 => Self::Sha224(Sha224::new()),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha384 => Self::Sha384(Sha384::new()),
            ChecksumAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(h) => h.update(bytes),
            Self::Sha1(h) => h.update(bytes),
            Self::Sha224(h) => h.update(bytes),
            Self::Sha256(h) => h.update(bytes),
            Self::Sha384(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    pub fn matches(self, digest: &[u8]) -> bool {
        match self {
            Self::Md5(h) => h.finalize().as_slice() == digest,
            Self::Sha1(h) => h.finalize().as_slice() == digest,
            Self::Sha224(h) => h.finalize().as_slice() == digest,
            Self::Sha256(h) => h.finalize().as_slice() == digest,
            Self::Sha384(h) => h.finalize().as_slice() == digest,
            Self::Sha512(h) => h.finalize().as_slice() == digest,
        }
    }
}

/// Whether `bytes` have that digest.
pub(crate) fn matches(algorithm: ChecksumAlgorithm, digest: &[u8], bytes: &[u8]) -> bool {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.matches(digest)
}
