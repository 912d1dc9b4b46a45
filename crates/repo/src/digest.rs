//! Hashing while reading.

use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use std::io::{self, Read};
use strata_rpm::{Checksum, ChecksumAlgorithm};

/// One of the hash functions that repositories use.
pub(crate) enum Hasher {
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// `None` for a function that proves nothing.
    pub(crate) fn new(algorithm: ChecksumAlgorithm) -> Option<Self> {
        Some(match algorithm {
            ChecksumAlgorithm::Md5 => return None,
            ChecksumAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha224 => Self::Sha224(Sha224::new()),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha384 => Self::Sha384(Sha384::new()),
            ChecksumAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
        })
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha224(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Checksum {
        let (algorithm, digest) = match self {
            Self::Sha1(hash) => (ChecksumAlgorithm::Sha1, hash.finalize().to_vec()),
            Self::Sha224(hash) => (ChecksumAlgorithm::Sha224, hash.finalize().to_vec()),
            Self::Sha256(hash) => (ChecksumAlgorithm::Sha256, hash.finalize().to_vec()),
            Self::Sha384(hash) => (ChecksumAlgorithm::Sha384, hash.finalize().to_vec()),
            Self::Sha512(hash) => (ChecksumAlgorithm::Sha512, hash.finalize().to_vec()),
        };
        Checksum::from_bytes(algorithm, &digest)
            .unwrap_or_else(|_| unreachable!("a hash function gives digests of its own length"))
    }
}

/// SHA-256 of `bytes`, raw.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of `bytes` as a checksum.
pub(crate) fn sha256_checksum(bytes: &[u8]) -> Checksum {
    let mut hasher = Hasher::Sha256(Sha256::new());
    hasher.update(bytes);
    hasher.finish()
}

/// Reads `reader` to its end; its checksum and length.
pub(crate) fn hash_reader(
    mut hasher: Hasher,
    mut reader: impl Read,
) -> io::Result<(Checksum, u64)> {
    let mut buffer = vec![0; 256 * 1024];
    let mut length = 0u64;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), length)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                length += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
