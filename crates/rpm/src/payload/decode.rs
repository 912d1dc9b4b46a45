//! Picks the decompressor, by the first bytes of the payload.

use super::PayloadError;
use crate::{ChecksumAlgorithm, Header, Package, Tag};
use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use liblzma::{bufread::XzDecoder, stream::Stream};
use std::io::{self, BufRead, BufReader};

/// Read from the decompressor at once.
const BUFFER: usize = 256 * 1024;
/// First bytes that tell the formats apart.
pub(super) const MAGIC: u64 = 6;
/// What a decoder may allocate: `xz -9` and `zstd --ultra` need 65 MiB and 128 MiB.
const MAX_MEMORY: u64 = 256 << 20;
/// Windows of up to 2^27 bytes, zstd's own default limit.
const ZSTD_WINDOW_LOG: u32 = 27;

/// The first of PAYLOADDIGESTALT, PAYLOADSHA512ALT and PAYLOADSHA3_256ALT that the header has.
pub(super) fn alt_digest(
    header: &Header,
    package: &Package,
) -> Result<Option<(ChecksumAlgorithm, Vec<u8>)>, PayloadError> {
    let stated = header.u32(Tag::PAYLOADDIGESTALGO).unwrap_or(8);
    let found = [
        (Tag::PAYLOADDIGESTALT, ChecksumAlgorithm::from_rpm(stated)),
        (Tag::PAYLOADSHA512ALT, Some(ChecksumAlgorithm::Sha512)),
        (Tag::PAYLOADSHA3_256ALT, Some(ChecksumAlgorithm::Sha3_256)),
    ]
    .into_iter()
    .find_map(|(tag, algorithm)| header.string(tag).map(|text| (text, algorithm)));
    let Some((text, algorithm)) = found else { return Ok(None) };
    match (algorithm, hex::decode(text)) {
        (Some(algorithm), Ok(digest)) => Ok(Some((algorithm, digest))),
        _ => Err(PayloadError::ArchiveDigest { package: package.nevra.to_string() }),
    }
}

/// The archive's bytes. `magic` are the first bytes of `payload`.
pub(super) fn open<'a>(
    header: &Header,
    package: &Package,
    magic: &[u8],
    payload: impl BufRead + 'a,
) -> Result<Box<dyn BufRead + 'a>, PayloadError> {
    let failed = |source: io::Error| PayloadError::Decode {
        package: package.nevra.to_string(),
        file: None,
        source,
    };
    let lzma = |stream: Result<Stream, liblzma::stream::Error>| {
        stream.map_err(|error| failed(error.into()))
    };
    Ok(match magic {
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(payload).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(failed)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
        [0x1f, 0x8b, ..] => {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(payload)))
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            let stream = Stream::new_stream_decoder(MAX_MEMORY, liblzma::stream::CONCATENATED);
            Box::new(BufReader::with_capacity(
                BUFFER,
                XzDecoder::new_stream(payload, lzma(stream)?),
            ))
        }
        [b'B', b'Z', b'h', ..] => {
            Box::new(BufReader::with_capacity(BUFFER, MultiBzDecoder::new(payload)))
        }
        [b'0', b'7', b'0', b'7', b'0', ..] => Box::new(payload),
        // a bare lzma stream has no magic; its header states the dictionary size
        [0x5d, 0, 0, ..] => {
            let stream = Stream::new_lzma_decoder(MAX_MEMORY);
            Box::new(BufReader::with_capacity(
                BUFFER,
                XzDecoder::new_stream(payload, lzma(stream)?),
            ))
        }
        [] => {
            return Err(PayloadError::Truncated { package: package.nevra.to_string(), file: None });
        }
        _ => {
            return Err(PayloadError::Format {
                package: package.nevra.to_string(),
                format: match header.text(Tag::PAYLOADCOMPRESSOR) {
                    Some(name) => name.into_owned(),
                    None => "unknown".to_owned(),
                },
            });
        }
    })
}
