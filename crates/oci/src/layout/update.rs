//! One change of a layout, all or nothing.

use super::{Layout, LayoutError, blob, error::Context as _};
use crate::{Descriptor, Digest, Index, canonical_json};
use std::{
    collections::BTreeSet,
    fs,
    ops::Deref,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// A change under way. Blobs may be put from several threads; they show in no index before
/// [`Update::commit`], and those that were new are removed again when that never comes.
pub struct Update<'a> {
    layout: &'a Layout,
    /// Holds the lock until it is closed.
    _lock: fs::File,
    before: Index,
    added: Mutex<BTreeSet<Digest>>,
    thorough: bool,
}

/// What a commit did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// Whether `index.json` changed.
    pub changed: bool,
    /// Blobs removed because nothing refers to them any more.
    pub pruned: Vec<Digest>,
}

impl Layout {
    /// Begins a change; waits while another process makes one.
    pub fn update(&self) -> Result<Update<'_>, LayoutError> {
        let lock = super::lock(&self.root)?;
        blob::remove_leftovers(&self.root)?;
        let blobs = self.root.join("blobs/sha256");
        fs::create_dir_all(&blobs).context("create", &blobs)?;
        let before = self.index()?;
        Ok(Update { layout: self, _lock: lock, before, added: Mutex::default(), thorough: false })
    }
}

impl Update<'_> {
    /// The index as it was found.
    pub fn before(&self) -> &Index {
        &self.before
    }

    /// From now on, the bytes of a blob that is there already are compared with its digest, and a
    /// damaged one is replaced; otherwise its length is enough.
    #[must_use]
    pub fn thorough(mut self) -> Self {
        self.thorough = true;
        self
    }

    /// Puts a document or another small blob. A damaged one in its place is always noticed: whoever
    /// reads it would refuse it.
    pub fn put_blob_bytes(
        &self,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, LayoutError> {
        let descriptor = Descriptor::of(media_type, bytes);
        let path = self.layout.blob_path(&descriptor.digest);
        if !self.layout.is_intact(&descriptor.digest, descriptor.size)? {
            self.note(descriptor.digest, &path);
            blob::write_file(&self.layout.root, &path, bytes)?;
        }
        Ok(descriptor)
    }

    /// Puts a file whose digest and size are known; says whether it was new here.
    pub fn put_blob_file(
        &self,
        from: &Path,
        digest: &Digest,
        size: u64,
    ) -> Result<bool, LayoutError> {
        let there = match self.thorough {
            true => self.layout.is_intact(digest, size)?,
            false => self.layout.has_blob(digest, size),
        };
        if there {
            return Ok(false);
        }
        let found = fs::metadata(from).context("read", from)?.len();
        if found != size {
            return Err(LayoutError::Corrupt { digest: *digest, expected: size, found });
        }
        let path = self.layout.blob_path(digest);
        self.note(*digest, &path);
        blob::place_file(&self.layout.root, from, &path)?;
        Ok(true)
    }

    /// A blob that is about to appear. One that takes a damaged one's place stays whatever comes.
    fn note(&self, digest: Digest, path: &Path) {
        if !path.exists() {
            self.added.lock().unwrap_or_else(PoisonError::into_inner).insert(digest);
        }
    }

    /// Puts `index.json` in place, on the disk after all blobs, and removes the blobs that only
    /// the old one reached. An equal index is not written again.
    pub fn commit(self, index: &Index) -> Result<Committed, LayoutError> {
        let root = &self.layout.root;
        let path = root.join("index.json");
        let bytes = canonical_json(index);
        let changed = fs::read(&path).map_or(true, |found| found != bytes);
        if changed {
            blob::sync_directory(&root.join("blobs/sha256"))?;
            blob::write_file(root, &path, &bytes)?;
            self.added.lock().unwrap_or_else(PoisonError::into_inner).clear();
            blob::sync_directory(root)?;
        }
        self.added.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let pruned = self.prune_unreferenced(index)?;
        Ok(Committed { changed, pruned })
    }

    /// Blobs that the old index reached and the new one does not. Others are not ours to judge.
    fn prune_unreferenced(&self, index: &Index) -> Result<Vec<Digest>, LayoutError> {
        if self.before == *index {
            return Ok(Vec::new());
        }
        let kept = self.layout.reachable(index);
        let old = self.layout.reachable(&self.before);
        let mut pruned = Vec::new();
        for digest in old.difference(&kept) {
            let path = self.layout.blob_path(digest);
            match fs::remove_file(&path) {
                Ok(()) => pruned.push(*digest),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(source).context("remove", &path),
            }
        }
        Ok(pruned)
    }
}

impl Deref for Update<'_> {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        self.layout
    }
}

impl Drop for Update<'_> {
    fn drop(&mut self) {
        let added = self.added.get_mut().unwrap_or_else(PoisonError::into_inner);
        for digest in std::mem::take(added) {
            let _ = fs::remove_file(self.layout.blob_path(&digest));
        }
    }
}
