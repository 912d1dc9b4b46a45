//! Hashing while reading.

use sha2::{Digest as _, Sha256};
use std::io::{self, Read};
use strata_rpm::{Checksum, ChecksumAlgorithm, Hasher};

/// A running digest; none with a function that proves nothing.
pub(crate) fn hasher(algorithm: ChecksumAlgorithm) -> Option<Hasher> {
    (algorithm != ChecksumAlgorithm::Md5).then(|| Hasher::new(algorithm))
}

/// SHA-256 of `bytes`, raw.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of `bytes` as a checksum.
pub(crate) fn sha256_checksum(bytes: &[u8]) -> Checksum {
    let mut hasher = Hasher::new(ChecksumAlgorithm::Sha256);
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
