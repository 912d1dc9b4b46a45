//! The `.rpm` file: lead, signature header, header, payload.
//!
//! Source: rpm's `docs/manual/format_v4.md` and `format_v6.md`.

mod verify;

pub(crate) use verify::PayloadDigests;
pub use verify::{Verified, VerifyError};

use crate::{Header, HeaderError, HeaderKind, Package, PackageError, Tag};
use std::ops::Range;

/// Size of the lead, the first thing in the file.
const LEAD: usize = 96;

/// Why bytes are not an RPM package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpmFileError {
    /// The lead's magic is missing.
    #[error("this is not an RPM package: it does not begin with the magic bytes ed ab ee db")]
    NotRpm,
    /// A version of the file format that does not exist.
    #[error("RPM file format {0} is not supported")]
    Version(u8),
    /// The file ends too early.
    #[error("the file is cut short: {needed} bytes are needed, {have} are there")]
    Truncated {
        /// Bytes needed.
        needed: usize,
        /// Bytes at hand.
        have: usize,
    },
    /// One of the two header structures is damaged.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

impl RpmFileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotRpm => Some("an HTML error page saved as a package is a common cause".into()),
            Self::Version(_) => None,
            Self::Truncated { .. } => Some("download the package again".into()),
            Self::Header(error) => error.hint(),
        }
    }
}

/// What the lead says; rpm itself only looks at the magic and the major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    /// Major version of the file format: 3 for nearly all packages in existence.
    pub major: u8,
    /// Minor version.
    pub minor: u8,
    /// Whether the lead says that it is a source package.
    pub source: bool,
}

/// A package file in memory, or mapped into it.
#[derive(Debug, Clone)]
pub struct RpmFile<'a> {
    /// The lead.
    pub lead: Lead,
    /// Digests and signatures.
    pub signature: Header,
    /// The package's description.
    pub header: Header,
    /// Where the header is in the file, magic included: what the header digests cover.
    pub header_range: Range<usize>,
    /// The compressed archive. Empty when only the headers were at hand.
    pub payload: &'a [u8],
    /// The whole file as far as it is at hand.
    bytes: &'a [u8],
}

impl<'a> RpmFile<'a> {
    /// Takes a whole file apart. Structures are validated; digests are not compared, see
    /// [`verify`](Self::verify).
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RpmFileError> {
        if bytes.len() < LEAD {
            return Err(if bytes.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
                RpmFileError::Truncated { needed: LEAD, have: bytes.len() }
            } else {
                RpmFileError::NotRpm
            });
        }
        let lead = match bytes {
            [0xed, 0xab, 0xee, 0xdb, major, minor, _, kind, ..] => {
                Lead { major: *major, minor: *minor, source: *kind == 1 }
            }
            _ => return Err(RpmFileError::NotRpm),
        };
        if !(3..=6).contains(&lead.major) {
            return Err(RpmFileError::Version(lead.major));
        }
        let rest = bytes.get(LEAD..).unwrap_or_default();
        let (signature, used) = Header::parse_kind(rest, HeaderKind::Signature)?;
        let start = LEAD + used.next_multiple_of(8);
        let rest = bytes
            .get(start..)
            .ok_or(RpmFileError::Truncated { needed: start, have: bytes.len() })?;
        let (header, used) = Header::parse(rest)?;
        let header_range = start..start + used;
        let payload = bytes.get(header_range.end..).unwrap_or_default();
        Ok(Self { lead, signature, header, header_range, payload, bytes })
    }

    /// How many bytes from the start of a file are needed for both headers, or, where `prefix` is
    /// too short to tell, how many are needed to tell more. Never more than a small multiple of
    /// what rpm allows; ask again with the bytes until `prefix` is long enough.
    pub fn headers_len(prefix: &[u8]) -> Result<usize, RpmFileError> {
        const INTRO: usize = 16;
        if prefix.len() < LEAD + INTRO {
            if !prefix.is_empty() && !prefix.starts_with(&[0xed, 0xab, 0xee, 0xdb]) {
                return Err(RpmFileError::NotRpm);
            }
            return Ok(LEAD + INTRO);
        }
        let rest = prefix.get(LEAD..).unwrap_or_default();
        let signature = Header::needed(rest, HeaderKind::Signature)?.unwrap_or(INTRO);
        let start = LEAD + signature.next_multiple_of(8);
        match prefix.get(start..) {
            Some(rest) => Ok(start + Header::needed(rest, HeaderKind::Main)?.unwrap_or(INTRO)),
            None => Ok(start + INTRO),
        }
    }

    /// The package, typed. Source and delta packages are refused.
    pub fn package(&self) -> Result<Package, PackageError> {
        Package::from_header(&self.header)
    }

    /// Whether it is a source package.
    pub fn is_source(&self) -> bool {
        self.header.is_source()
    }

    /// Whether it is a delta package.
    pub fn is_delta(&self) -> bool {
        self.header.is_delta()
    }

    /// How many files carry an IMA signature. No layer holds one: `security.ima` is dropped.
    pub fn ima_signatures(&self) -> usize {
        let signatures = self.signature.strings(Tag::SIG_FILESIGNATURES);
        signatures.into_iter().flatten().filter(|signature| !signature.is_empty()).count()
    }

    /// The bytes that the header digests and header signatures cover.
    pub fn header_bytes(&self) -> &'a [u8] {
        self.bytes.get(self.header_range.clone()).unwrap_or_default()
    }
}
