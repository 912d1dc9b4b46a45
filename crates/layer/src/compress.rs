//! Compressors. A piece of the tar at a time, each one whole gzip member or zstd frame.
//!
//! Piece length, library versions and settings decide the bytes: see
//! [`crate::FORMAT_VERSION`] and the golden digests in the tests.

use std::{cell::RefCell, fmt, io, str::FromStr};
use strata_oci::media::{self, Packing};

/// Raw bytes in one piece at most.
pub(crate) const PIECE: usize = 1 << 20;

/// How layers are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compression {
    /// By libdeflate, which every client can read.
    Gzip {
        /// 1 to 12.
        level: u32,
    },
    /// Smaller and faster; old clients cannot read it.
    Zstd {
        /// 1 to 22.
        level: i32,
    },
    /// As it is.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Gzip { level: 2 }
    }
}

/// A text that names no compression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a compression")]
pub struct ParseCompressionError(pub String);

impl ParseCompressionError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some("`gzip`, `gzip:1` to `gzip:12`, `zstd`, `zstd:1` to `zstd:22`, or `none`".to_owned())
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gzip { level } => write!(f, "gzip:{level}"),
            Self::Zstd { level } => write!(f, "zstd:{level}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for Compression {
    type Err = ParseCompressionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseCompressionError(text.to_owned());
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        match (name, level) {
            ("gzip", None) => Ok(Self::default()),
            ("gzip", Some(level @ 1..=12)) => Ok(Self::Gzip { level }),
            ("zstd", None) => Ok(Self::Zstd { level: 3 }),
            ("zstd", Some(level @ 1..=22)) => Ok(Self::Zstd { level: level as i32 }),
            ("none", None) => Ok(Self::None),
            _ => Err(wrong()),
        }
    }
}

impl Compression {
    /// The media type of a layer packed like this.
    pub fn media_type(&self) -> &'static str {
        match self {
            Self::Gzip { .. } => media::LAYER_GZIP,
            Self::Zstd { .. } => media::LAYER_ZSTD,
            Self::None => media::LAYER,
        }
    }

    /// How to unpack it again.
    pub fn packing(&self) -> Packing {
        match self {
            Self::Gzip { .. } => Packing::Gzip,
            Self::Zstd { .. } => Packing::Zstd,
            Self::None => Packing::Plain,
        }
    }

    /// One piece, packed by this thread's own compressor.
    pub(crate) fn pack(&self, raw: &[u8]) -> io::Result<Vec<u8>> {
        thread_local! {
            static COMPRESSOR: RefCell<Option<(Compression, Compressor)>> =
                const { RefCell::new(None) };
        }
        COMPRESSOR.with_borrow_mut(|slot| {
            if slot.as_ref().is_none_or(|(made_for, _)| made_for != self) {
                *slot = Some((*self, Compressor::new(self)?));
            }
            match slot {
                Some((_, compressor)) => compressor.pack(raw),
                None => Ok(Vec::new()),
            }
        })
    }
}

/// With room for the largest result, so that no piece needs fresh pages.
struct Compressor {
    kind: Kind,
    room: Vec<u8>,
}

enum Kind {
    Gzip(libdeflater::Compressor),
    Zstd(zstd::bulk::Compressor<'static>),
    None,
}

impl Compressor {
    fn new(compression: &Compression) -> io::Result<Self> {
        let refused = || io::Error::new(io::ErrorKind::InvalidInput, "no such compression level");
        let kind = match compression {
            Compression::Gzip { level } => {
                let level = i32::try_from(*level).map_err(|_| refused())?;
                let level = libdeflater::CompressionLvl::new(level).map_err(|_| refused())?;
                Kind::Gzip(libdeflater::Compressor::new(level))
            }
            Compression::Zstd { level } => Kind::Zstd(zstd::bulk::Compressor::new(*level)?),
            Compression::None => Kind::None,
        };
        Ok(Self { kind, room: Vec::new() })
    }

    fn pack(&mut self, raw: &[u8]) -> io::Result<Vec<u8>> {
        let bound = match &mut self.kind {
            Kind::Gzip(compressor) => compressor.gzip_compress_bound(raw.len()),
            Kind::Zstd(_) => zstd::zstd_safe::compress_bound(raw.len()),
            Kind::None => return Ok(raw.to_vec()),
        };
        if self.room.len() < bound {
            self.room.resize(bound, 0);
        }
        let length = match &mut self.kind {
            Kind::Gzip(compressor) => compressor
                .gzip_compress(raw, &mut self.room)
                .map_err(|error| io::Error::other(error.to_string()))?,
            Kind::Zstd(compressor) => {
                compressor.compress_to_buffer(raw, self.room.as_mut_slice())?
            }
            Kind::None => 0,
        };
        Ok(self.room.get(..length).unwrap_or_default().to_vec())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::io::Read as _;
    use strata_oci::{Digest, unpack};

    /// Text-like and binary-like bytes, the same on every machine.
    fn sample(length: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut out = Vec::with_capacity(length + 16);
        while out.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            if state & 3 == 0 {
                out.extend_from_slice(&state.to_le_bytes()[..3]);
            } else {
                out.extend_from_slice(format!("word{} ", state % 97).as_bytes());
            }
        }
        out.truncate(length);
        out
    }

    #[test]
    fn names_round_trip() {
        for text in ["gzip:2", "gzip:12", "zstd:3", "none"] {
            assert_eq!(text.parse::<Compression>().unwrap().to_string(), text);
        }
        assert_eq!("gzip".parse(), Ok(Compression::default()));
        for wrong in ["gzip:0", "gzip:13", "zstd:23", "none:1", "lzma", "gzip:", ""] {
            assert!(wrong.parse::<Compression>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn pieces_unpack_again_one_after_the_other() {
        let raw = sample(300_000);
        for text in ["gzip", "gzip:12", "zstd", "none"] {
            let compression: Compression = text.parse().unwrap();
            let mut packed = Vec::new();
            for piece in raw.chunks(100_000) {
                packed.extend(compression.pack(piece).unwrap());
            }
            let mut back = Vec::new();
            unpack::decompress(compression.packing(), io::Cursor::new(packed))
                .unwrap()
                .read_to_end(&mut back)
                .unwrap();
            assert!(back == raw, "{text}");
        }
    }

    /// A used compressor must give the bytes of a new one, or layers would depend on the order in
    /// which threads got work.
    #[test]
    fn a_used_compressor_gives_the_same_bytes() {
        for text in ["gzip", "zstd"] {
            let compression: Compression = text.parse().unwrap();
            let raw = sample(PIECE);
            let mut used = Compressor::new(&compression).unwrap();
            for length in [PIECE, 10, 70_000, 0, 512, PIECE] {
                let fresh = Compressor::new(&compression).unwrap().pack(&raw[..length]).unwrap();
                assert!(used.pack(&raw[..length]).unwrap() == fresh, "{text} {length}");
            }
        }
    }

    /// These digests are part of the format: when a new compressor changes them, raise
    /// `FORMAT_VERSION`.
    #[test]
    fn golden_digests() {
        let raw = sample(PIECE);
        let golden = |text: &str| {
            let compression: Compression = text.parse().unwrap();
            Digest::of(&compression.pack(&raw).unwrap()).hex()[..16].to_owned()
        };
        assert_eq!(
            ["none", "gzip:2", "gzip:5", "zstd:3"].map(golden),
            ["ccfec391bf2014a4", "932794dbb998820c", "dd26beac026e0426", "57cb9cfc7e788082"]
        );
        assert_eq!(crate::FORMAT_VERSION, 1);
    }

    #[test]
    fn the_gzip_header_says_nothing() {
        let packed = Compression::default().pack(b"x").unwrap();
        assert_eq!(packed[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    }
}
