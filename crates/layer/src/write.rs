//! Turns a manifest into a layer's bytes: contents through tar, one hash, the compressor, another
//! hash, and out.
//!
//! Nothing is kept but a bounded number of pieces of at most 1 MiB. The calling thread reads,
//! builds the tar and hashes; pieces are packed by rayon's workers, and by the calling thread too
//! when it is ahead of them, so that it never waits for a worker that may not come.

mod member;
mod pieces;

use crate::{Compression, Entry, LayerManifest, ManifestError, tar};
use pieces::Pieces;
use std::{
    io::{self, Read, Write},
    ops::Range,
    sync::Arc,
};
use strata_oci::{DiffId, Digest};
use strata_rpm::Checksum;

/// Why contents could not be had.
pub type ContentsError = Box<dyn std::error::Error + Send + Sync>;

/// Where the bytes of files come from.
pub trait Contents: Sync {
    /// Reads a package's payload from front to back. `each` gets the file index (of a hard link
    /// set the last one's, see [`crate::views::ContentIndexes`]), the size, and the bytes.
    /// Unread rest is skipped; errors of `each` come back as they are or wrapped.
    fn read_package(
        &self,
        package: &Checksum,
        each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ContentsError>;

    /// Bytes that no package has.
    fn inline(&self, digest: &Digest) -> Option<Arc<[u8]>>;
}

/// Members that were packed before, by [`crate::Member::key`].
pub trait MemberCache: Sync {
    /// Its packed bytes as [`WrittenLayer::spans`] delimited them.
    fn get(&self, key: &Digest) -> Option<Box<dyn Read + Send>>;
}

/// Nothing was packed before.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMembers;

impl MemberCache for NoMembers {
    fn get(&self, _: &Digest) -> Option<Box<dyn Read + Send>> {
        None
    }
}

/// Where a member's packed bytes lie in the layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// [`crate::Member::key`]
    pub key: Digest,
    /// Bytes of the layer blob.
    pub range: Range<u64>,
}

/// What a layer became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenLayer {
    /// Of the packed bytes.
    pub digest: Digest,
    /// Of the tar.
    pub diff_id: DiffId,
    /// Packed bytes.
    pub size: u64,
    /// Bytes of tar.
    pub raw_size: u64,
    /// The members that have a package, in order.
    pub spans: Vec<Span>,
    /// How many of them came from the cache.
    pub reused: usize,
}

/// Why a layer could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The manifest breaks a rule.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A package could not be read.
    #[error("the payload of the package `{package}` cannot be read: {source}")]
    Package {
        /// Which package.
        package: Checksum,
        /// Why.
        source: ContentsError,
    },
    /// A payload does not hold what its header lists.
    #[error("the payload of the package `{package}` has no content for `{path}`")]
    Missing {
        /// Which package.
        package: Checksum,
        /// Which file.
        path: String,
    },
    /// A content is longer or shorter than its header says.
    #[error("`{path}` has {found} bytes in its package, its header says {expected}")]
    Length {
        /// Which file.
        path: String,
        /// In the manifest.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// A file of a package's member has its bytes elsewhere, or the other way round.
    #[error("`{0}` has its content in another place than its member says")]
    Foreign(String),
    /// Bytes that should be at hand are not.
    #[error("the content `{digest}` of `{path}` is not at hand")]
    Inline {
        /// Which file.
        path: String,
        /// Which bytes.
        digest: Digest,
    },
    /// A member in the cache is not what it was.
    #[error("the cached bytes of the member `{key}` are damaged: {reason}")]
    Cache {
        /// Which member.
        key: Digest,
        /// In what way.
        reason: String,
    },
    /// The output could not be written.
    #[error("the layer cannot be written: {0}")]
    Write(io::Error),
}

impl LayerError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Package { .. } | Self::Missing { .. } | Self::Length { .. } => Some(
                "the package file is damaged or was not built by rpm: fetch it again".to_owned(),
            ),
            Self::Cache { .. } => Some("remove the layer from the cache".to_owned()),
            Self::Write(error) if error.kind() == io::ErrorKind::StorageFull => {
                Some("free some space".to_owned())
            }
            _ => None,
        }
    }
}

/// Writes a layer. Equal manifests and compressions give equal bytes, whatever the cache holds and
/// however many threads there are.
pub fn write_layer(
    manifest: &LayerManifest,
    compression: &Compression,
    contents: &dyn Contents,
    members: &dyn MemberCache,
    out: &mut (dyn Write + Send),
) -> Result<WrittenLayer, LayerError> {
    manifest.check()?;
    let mut pieces = Pieces::new(*compression, out);
    for directory in &manifest.directories {
        pieces.header(directory).map_err(LayerError::Write)?;
    }
    pieces.close().map_err(LayerError::Write)?;
    let mut spans = Vec::new();
    let mut reused = 0;
    for each in &manifest.members {
        if each.entries.is_empty() {
            continue;
        }
        let Some(package) = &each.package else {
            member::write_inline(&mut pieces, each, contents)?;
            continue;
        };
        let key = each.key(compression);
        pieces.mark(key).map_err(LayerError::Write)?;
        match members.get(&key) {
            Some(packed) => {
                member::write_cached(&mut pieces, each, key, packed)?;
                reused += 1;
            }
            None => member::write_package(&mut pieces, each, package, contents)?,
        }
        pieces.mark(key).map_err(LayerError::Write)?;
    }
    pieces.write_all(&tar::END).map_err(LayerError::Write)?;
    let written = pieces.finish().map_err(LayerError::Write)?;
    for pair in written.marks.chunks_exact(2) {
        if let [(key, start), (_, end)] = pair {
            spans.push(Span { key: *key, range: *start..*end });
        }
    }
    Ok(WrittenLayer {
        digest: written.digest,
        diff_id: written.diff_id,
        size: written.size,
        raw_size: written.raw_size,
        spans,
        reused,
    })
}

/// Bytes of tar that entries become.
fn raw_length(entries: &[Entry]) -> u64 {
    entries.iter().map(tar::length).fold(0, u64::saturating_add)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests;
