//! The OCI image layout: a directory of blobs and an `index.json`.
//! <https://github.com/opencontainers/image-spec/blob/main/image-layout.md>
//!
//! Reading needs no lock: blobs never change, and `index.json` is replaced in one step, after
//! everything it refers to is on the disk. Writing goes through an [`Update`], of which there is
//! one at a time; one that is dropped before [`Update::commit`] leaves the layout as it was.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is where the crate meets the file system"
)]

mod blob;
mod error;
mod image;
mod update;

pub use error::LayoutError;
pub use image::{Image, LayerRef};
pub use update::{Committed, Update};

use crate::{Descriptor, Digest, HashingWriter, Index, Manifest, media};
use error::Context as _;
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What `oci-layout` holds, always.
pub const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// No JSON document of an image comes near this size; registries refuse manifests above 4 MB.
const LARGEST_DOCUMENT: u64 = 64 << 20;

/// Indexes within indexes are followed this far.
const DEEPEST_INDEX: usize = 8;

/// An image layout on the disk.
#[derive(Debug, Clone)]
pub struct Layout {
    root: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marker {
    image_layout_version: String,
}

impl Layout {
    /// An existing layout.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let root = root.into();
        let path = root.join("oci-layout");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LayoutError::NotLayout { path: root });
            }
            other => other.context("read", &path)?,
        };
        let marker: Marker = serde_json::from_slice(&text)
            .map_err(|source| LayoutError::Document { path: path.clone(), source })?;
        if !marker.image_layout_version.starts_with("1.") {
            return Err(LayoutError::Version { path, found: marker.image_layout_version });
        }
        Ok(Self { root })
    }

    /// An existing layout, or a new one in a directory that is missing or empty.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self, LayoutError> {
        let root = root.into();
        match Self::open(&root) {
            Err(LayoutError::NotLayout { .. }) => {}
            found => return found,
        }
        fs::create_dir_all(&root).context("create", &root)?;
        // Whoever holds the lock removes unfinished files, and two may want to be the first.
        let _lock = lock(&root)?;
        match Self::open(&root) {
            Err(LayoutError::NotLayout { .. }) => {}
            found => return found,
        }
        for entry in fs::read_dir(&root).context("read", &root)? {
            let name = entry.context("read", &root)?.file_name();
            // What an earlier attempt left when it was killed right here.
            let ours = name == "blobs" || name.as_encoded_bytes().starts_with(blob::TEMPORARY);
            if !ours {
                return Err(LayoutError::Occupied { path: root });
            }
        }
        let blobs = root.join("blobs/sha256");
        fs::create_dir_all(&blobs).context("create", &blobs)?;
        blob::write_file(&root, &root.join("oci-layout"), MARKER)?;
        Ok(Self { root })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a blob is or would be.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs/sha256").join(digest.hex())
    }

    /// Whether a blob of this length is there. Its bytes are not looked at:
    /// [`crate::validate::validate`] does that.
    pub fn has_blob(&self, digest: &Digest, size: u64) -> bool {
        fs::symlink_metadata(self.blob_path(digest))
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() == size)
    }

    /// Whether a blob is there with the bytes that its digest stands for. Reads all of it.
    pub fn is_intact(&self, digest: &Digest, size: u64) -> Result<bool, LayoutError> {
        if !self.has_blob(digest, size) {
            return Ok(false);
        }
        let path = self.blob_path(digest);
        let mut hasher = HashingWriter::new(io::sink());
        io::copy(&mut self.open_blob(digest)?, &mut hasher).context("read", &path)?;
        Ok(hasher.finish().0 == *digest)
    }

    /// What `index.json` lists; an empty index when there is none yet.
    pub fn index(&self) -> Result<Index, LayoutError> {
        let path = self.root.join("index.json");
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|source| LayoutError::Document { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(source) => Err(source).context("read", &path),
        }
    }

    /// A blob to read, as it is stored.
    pub fn open_blob(&self, digest: &Digest) -> Result<fs::File, LayoutError> {
        let path = self.blob_path(digest);
        match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(LayoutError::MissingBlob { digest: *digest, path })
            }
            other => other.context("open", &path),
        }
    }

    /// A small blob whole, checked against its descriptor.
    pub fn read_blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LayoutError> {
        let path = self.blob_path(&descriptor.digest);
        let wrong = |found| LayoutError::Corrupt {
            digest: descriptor.digest,
            expected: descriptor.size,
            found,
        };
        if descriptor.size > LARGEST_DOCUMENT {
            return Err(LayoutError::TooLarge { digest: descriptor.digest, size: descriptor.size });
        }
        let file = self.open_blob(&descriptor.digest)?;
        let mut bytes = Vec::new();
        file.take(descriptor.size + 1).read_to_end(&mut bytes).context("read", &path)?;
        if bytes.len() as u64 != descriptor.size || Digest::of(&bytes) != descriptor.digest {
            return Err(wrong(bytes.len() as u64));
        }
        Ok(bytes)
    }

    /// A small JSON blob, checked and parsed.
    pub fn read_json<T: for<'de> Deserialize<'de>>(
        &self,
        descriptor: &Descriptor,
    ) -> Result<T, LayoutError> {
        let bytes = self.read_blob(descriptor)?;
        serde_json::from_slice(&bytes).map_err(|source| LayoutError::Document {
            path: self.blob_path(&descriptor.digest),
            source,
        })
    }

    /// All blobs that an index reaches, as far as they can be read: what cannot is not followed.
    pub fn reachable(&self, index: &Index) -> BTreeSet<Digest> {
        let mut found = BTreeSet::new();
        self.reach(&index.manifests, &mut found, 0);
        found
    }

    fn reach(&self, entries: &[Descriptor], found: &mut BTreeSet<Digest>, depth: usize) {
        for entry in entries {
            if !found.insert(entry.digest) || depth > DEEPEST_INDEX {
                continue;
            }
            match entry.media_type.as_str() {
                media::INDEX | media::DOCKER_LIST => {
                    if let Ok(index) = self.read_json::<Index>(entry) {
                        self.reach(&index.manifests, found, depth + 1);
                    }
                }
                media::MANIFEST | media::DOCKER_MANIFEST => {
                    if let Ok(manifest) = self.read_json::<Manifest>(entry) {
                        found.insert(manifest.config.digest);
                        found.extend(manifest.layers.iter().map(|layer| layer.digest));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Waits while another process changes the layout; the lock holds until the file is closed.
fn lock(root: &Path) -> Result<fs::File, LayoutError> {
    let file = fs::File::open(root).context("open", root)?;
    loop {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other.context("lock", root)?,
        }
    }
    Ok(file)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
