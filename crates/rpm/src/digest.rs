//! The hash functions that headers and repositories use, behind one type.

use crate::{Checksum, ChecksumAlgorithm};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_256, Sha3_512};
use std::fmt;

/// A running digest.
#[derive(Clone)]
pub struct Hasher {
    algorithm: ChecksumAlgorithm,
    state: State,
}

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
    Sha3_256(Sha3_256),
    Sha3_512(Sha3_512),
}

impl Hasher {
    /// Of nothing so far.
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        let state = match algorithm {
            ChecksumAlgorithm::Md5 => State::Md5(Md5::new()),
            ChecksumAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha224 => State::Sha224(Sha224::new()),
            ChecksumAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            ChecksumAlgorithm::Sha512 => State::Sha512(Sha512::new()),
            ChecksumAlgorithm::Sha3_256 => State::Sha3_256(Sha3_256::new()),
            ChecksumAlgorithm::Sha3_512 => State::Sha3_512(Sha3_512::new()),
        };
        Self { algorithm, state }
    }

    /// More bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Md5(h) => h.update(bytes),
            State::Sha1(h) => h.update(bytes),
            State::Sha224(h) => h.update(bytes),
            State::Sha256(h) => h.update(bytes),
            State::Sha384(h) => h.update(bytes),
            State::Sha512(h) => h.update(bytes),
            State::Sha3_256(h) => h.update(bytes),
            State::Sha3_512(h) => h.update(bytes),
        }
    }

    /// Of all bytes.
    pub fn finish(self) -> Checksum {
        let algorithm = self.algorithm;
        Checksum::of_digest(algorithm, &self.into_bytes())
    }

    /// Whether all bytes have that digest.
    pub fn matches(self, digest: &[u8]) -> bool {
        self.into_bytes() == digest
    }

    fn into_bytes(self) -> Vec<u8> {
        match self.state {
            State::Md5(h) => h.finalize().to_vec(),
            State::Sha1(h) => h.finalize().to_vec(),
            State::Sha224(h) => h.finalize().to_vec(),
            State::Sha256(h) => h.finalize().to_vec(),
            State::Sha384(h) => h.finalize().to_vec(),
            State::Sha512(h) => h.finalize().to_vec(),
            State::Sha3_256(h) => h.finalize().to_vec(),
            State::Sha3_512(h) => h.finalize().to_vec(),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.algorithm.name())
    }
}

/// Whether `bytes` have that digest.
pub(crate) fn matches(algorithm: ChecksumAlgorithm, digest: &[u8], bytes: &[u8]) -> bool {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.matches(digest)
}
