//! The payload: compressed, inside it a cpio archive, inside it the files.
//!
//! One pass, in the archive's order. Nothing is kept but the file at hand; every byte is compared
//! with a digest of the header on its way.

mod cpio;
mod decode;
mod files;

use crate::{Header, Package, RpmFile, VerifyError, file::PayloadDigests};
use cpio::{Archive, Record};
use files::{Expectation, Files};
use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// Why a payload cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The payload as a whole does not match the header.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The file cannot be read.
    #[error("`{package}`: the payload cannot be read: {source}")]
    Read {
        /// The package.
        package: String,
        /// Why.
        source: io::Error,
    },
    /// The uncompressed archive does not match the header.
    #[error("`{package}`: the unpacked payload does not match its PAYLOADDIGESTALT")]
    ArchiveDigest {
        /// The package.
        package: String,
    },
    /// A compressor that is not known.
    #[error("`{package}`: payload format `{format}` is not supported")]
    Format {
        /// The package.
        package: String,
        /// What the header or the first bytes say.
        format: String,
    },
    /// The compressed data are damaged.
    #[error("`{package}`: the payload is damaged{}: {source}", at(.file))]
    Decode {
        /// The package.
        package: String,
        /// The file that was being read, where one was.
        file: Option<String>,
        /// What the decompressor says.
        source: io::Error,
    },
    /// The payload ends too early.
    #[error("`{package}`: the payload ends too early{}", at(.file))]
    Truncated {
        /// The package.
        package: String,
        /// The file that was being read, where one was.
        file: Option<String>,
    },
    /// The archive does not agree with the header or with its own format.
    #[error("`{package}`: the payload is wrong{}: {reason}", at(.file))]
    Archive {
        /// The package.
        package: String,
        /// The file concerned, where there is one.
        file: Option<String>,
        /// What is wrong.
        reason: String,
    },
    /// A file's content does not match its digest.
    #[error("`{package}`: the content of `{file}` does not match its digest in the header")]
    FileDigest {
        /// The package.
        package: String,
        /// The file.
        file: String,
    },
    /// Whoever takes the content failed.
    #[error("`{package}`: `{file}` could not be processed: {source}")]
    Consumer {
        /// The package.
        package: String,
        /// The file.
        file: String,
        /// Its error.
        source: io::Error,
    },
}

fn at(file: &Option<String>) -> String {
    file.as_ref().map(|file| format!(" at `{file}`")).unwrap_or_default()
}

impl PayloadError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Verify(error) => error.hint(),
            Self::Format { .. } => {
                Some("gzip, xz, lzma, bzip2, zstd and uncompressed cpio payloads are read".into())
            }
            Self::Consumer { .. } | Self::Read { .. } => None,
            Self::ArchiveDigest { .. }
            | Self::Decode { .. }
            | Self::Truncated { .. }
            | Self::Archive { .. }
            | Self::FileDigest { .. } => {
                Some("the package is damaged; fetch it again, or have it rebuilt".into())
            }
        }
    }
}

/// What went wrong below, before it has a package and a file.
#[derive(Debug)]
enum Fault {
    Io(io::Error),
    Truncated,
    Archive(String),
    Digest,
}

impl Fault {
    fn named(self, package: &Package, file: Option<String>) -> PayloadError {
        let package = package.nevra.to_string();
        match self {
            Self::Io(source) => PayloadError::Decode { package, file, source },
            Self::Truncated => PayloadError::Truncated { package, file },
            Self::Archive(reason) => PayloadError::Archive { package, file, reason },
            Self::Digest => PayloadError::FileDigest { package, file: file.unwrap_or_default() },
        }
    }
}

/// Bytes that may follow the archive's trailer: padding.
const MAX_TAIL: u64 = 64 * 1024;

/// Streams the payload. `each` gets the file index, the size and the content of every regular file
/// that is not empty, in the archive's order; of a hard-link set only the member that carries the
/// content. What it leaves unread is skipped, and digested all the same.
///
/// The compressed payload is compared with PAYLOADDIGEST (and rpm 6's PAYLOADSHA512 and
/// PAYLOADSHA3_256) before the first file, the archive with PAYLOADDIGESTALT (and its like) at the
/// end where that is all there is, each file with its own digest: the last
/// bytes of a file that differs are never handed out, reading them fails. Sizes, types and names
/// must be those of the header, every file must occur once, and none may be missing.
pub fn read(
    rpm: &RpmFile<'_>,
    package: &Package,
    each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
) -> Result<(), PayloadError> {
    read_from(&rpm.header, package, &mut io::Cursor::new(rpm.payload), each)
}

/// As [`read`], of a payload that need not be in memory: it begins where `payload` stands and goes
/// on to the end, and is read twice, first for its digest.
pub fn read_from(
    header: &Header,
    package: &Package,
    payload: &mut (impl BufRead + Seek),
    each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
) -> Result<(), PayloadError> {
    let format = header.text(crate::Tag::PAYLOADFORMAT);
    if let Some(format) = format.filter(|format| *format != "cpio") {
        let package = package.nevra.to_string();
        return Err(PayloadError::Format { package, format: format.into_owned() });
    }
    let failed = |source| PayloadError::Read { package: package.nevra.to_string(), source };
    let start = payload.stream_position().map_err(failed)?;
    let mut digests = PayloadDigests::of(header)?;
    let alt = if digests.is_empty() {
        decode::alt_digest(header, package)?
    } else {
        while let bytes = payload.fill_buf().map_err(failed)?
            && !bytes.is_empty()
        {
            digests.update(bytes);
            let length = bytes.len();
            payload.consume(length);
        }
        digests.compare(header)?;
        payload.seek(SeekFrom::Start(start)).map_err(failed)?;
        None
    };
    let mut magic = Vec::new();
    payload.take(decode::MAGIC).read_to_end(&mut magic).map_err(failed)?;
    payload.seek(SeekFrom::Start(start)).map_err(failed)?;
    let decoder = decode::open(header, package, &magic, payload)?;
    let mut archive = Archive::new(decoder, alt.as_ref().map(|(algorithm, _)| *algorithm));
    let mut files = Files::new(package);

    loop {
        let record = archive.next().map_err(|fault| fault.named(package, files.current()))?;
        if matches!(record, Record::Trailer) {
            break;
        }
        let expectation = files.enter(&record, &archive).map_err(|fault| {
            let unknown = match &record {
                Record::Named { .. } => Some(String::from_utf8_lossy(archive.name()).into_owned()),
                Record::Stripped(_) | Record::Trailer => None,
            };
            let name = files.current().or(unknown);
            fault.named(package, name)
        })?;
        match expectation {
            Expectation::Nothing => {}
            Expectation::Link(target) => {
                archive.literal(target).map_err(|fault| fault.named(package, files.current()))?;
            }
            Expectation::Content { index, size, digest } => {
                let mut body = archive.body(size, digest);
                let taken = each(index, size, &mut body);
                if let Some(fault) = body.fault.take() {
                    return Err(fault.named(package, files.current()));
                }
                if let Err(source) = taken {
                    return Err(PayloadError::Consumer {
                        package: package.nevra.to_string(),
                        file: files.current().unwrap_or_default(),
                        source,
                    });
                }
                body.skip().map_err(|fault| fault.named(package, files.current()))?;
            }
        }
        archive.pad().map_err(|fault| fault.named(package, files.current()))?;
    }

    files.finish()?;
    archive.tail(MAX_TAIL).map_err(|fault| fault.named(package, None))?;
    if let (Some((_, digest)), Some(hasher)) = (alt, archive.into_hasher())
        && !hasher.matches(&digest)
    {
        return Err(PayloadError::ArchiveDigest { package: package.nevra.to_string() });
    }
    Ok(())
}
