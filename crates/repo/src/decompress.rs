//! Decompression with a bound, by what the bytes are and not by what a name claims.

use crate::digest::hasher;
use std::io::{self, Read};
use strata_rpm::{Checksum, Hasher};

/// Memory that an xz stream may ask for; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 512 << 20;

/// A reader of the decompressed bytes.
pub(crate) fn reader(raw: &[u8]) -> io::Result<Box<dyn Read + '_>> {
    Ok(match raw {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(raw)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
            Box::new(liblzma::read::XzDecoder::new_stream(raw, stream))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::new(raw)?),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::read::MultiBzDecoder::new(raw)),
        [0, b'Z', b'C', b'K', b'1', ..] => {
            return Err(io::Error::other("zchunk is not supported"));
        }
        _ => Box::new(raw),
    })
}

/// The most that `compressed` bytes may become: what the repository states, but never a bomb.
pub(crate) fn limit(compressed: u64, stated: Option<u64>) -> u64 {
    let sane = compressed.saturating_mul(400).max(256 << 20);
    stated.map_or(sane, |stated| stated.min(sane))
}

/// Passes bytes on while it hashes and counts them; fails at the end of a stream that is not what
/// was stated, and as soon as it is too long.
pub(crate) struct Checked<R> {
    inner: R,
    hasher: Option<(Hasher, Checksum)>,
    limit: u64,
    stated: Option<u64>,
    length: u64,
}

impl<R: Read> Checked<R> {
    /// `checksum` of a kind that proves nothing is not looked at: the compressed file has its own.
    pub(crate) fn new(
        inner: R,
        compressed: u64,
        stated: Option<u64>,
        checksum: Option<&Checksum>,
    ) -> Self {
        let hasher = checksum.and_then(|sum| Some((hasher(sum.algorithm())?, sum.clone())));
        Self { inner, hasher, limit: limit(compressed, stated), stated, length: 0 }
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(stated) = self.stated.filter(|stated| *stated != self.length) {
            let text = format!(
                "decompressed it has {} bytes, but the repository states {stated}",
                self.length
            );
            return Err(io::Error::other(text));
        }
        if let Some((hasher, expected)) = self.hasher.take() {
            let found = hasher.finish();
            if found != expected {
                let text = format!(
                    "decompressed its checksum is `{found}`, but the repository states `{expected}`"
                );
                return Err(io::Error::other(text));
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.finish()?;
            return Ok(0);
        }
        self.length += n as u64;
        if self.length > self.limit {
            let text = format!("decompressed it is longer than {} bytes", self.limit);
            return Err(io::Error::other(text));
        }
        if let Some((hasher, _)) = &mut self.hasher {
            hasher.update(&buffer[..n]);
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::digest::sha256_checksum;
    use std::io::Write;

    fn read(raw: &[u8], stated: Option<u64>, sum: Option<&Checksum>) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut checked = Checked::new(reader(raw)?, raw.len() as u64, stated, sum);
        checked.read_to_end(&mut out)?;
        Ok(out)
    }

    fn forms(text: &[u8]) -> Vec<Vec<u8>> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(text).unwrap();
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz.write_all(text).unwrap();
        vec![
            text.to_vec(),
            gz.finish().unwrap(),
            xz.finish().unwrap(),
            bz.finish().unwrap(),
            zstd::encode_all(text, 1).unwrap(),
        ]
    }

    #[test]
    fn every_form_and_joined_streams() {
        let text = b"<metadata/>".repeat(1000);
        for form in forms(&text) {
            assert_eq!(read(&form, None, None).unwrap(), text);
            let twice = [form.as_slice(), &form].concat();
            assert_eq!(read(&twice, None, None).unwrap(), text.repeat(2));
            let cut = &form[..form.len() - 5];
            assert!(read(cut, Some(text.len() as u64), None).is_err());
        }
    }

    #[test]
    fn stated_size_and_checksum_count() {
        let text = b"content".to_vec();
        let sum = sha256_checksum(&text);
        for form in forms(&text) {
            assert_eq!(read(&form, Some(7), Some(&sum)).unwrap(), text);
            assert!(read(&form, Some(8), None).is_err());
            assert!(read(&form, Some(6), None).is_err());
            assert!(read(&form, None, Some(&sha256_checksum(b"x"))).is_err());
        }
    }

    #[test]
    fn bombs_stop() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let zeros = vec![0; 1 << 20];
        for _ in 0..300 {
            gz.write_all(&zeros).unwrap();
        }
        let bomb = gz.finish().unwrap();
        let mut checked = Checked::new(reader(&bomb).unwrap(), bomb.len() as u64, None, None);
        let error = io::copy(&mut checked, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }
}
