//! A directory of keyed files.

use crate::{LockGuard, PendingFile, PruneLimits, Pruned, StoreError, key, prune};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Where the lock files are, inside a store.
const LOCKS: &str = ".locks";

/// A directory of keyed files: each is whole or absent, whoever is killed and whenever.
///
/// A key is one path component of letters, digits and `-_.+:=` that does not start with a dot.
/// What it means, and whether a file still deserves trust, is the caller's affair.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the store, makes its directory if there is none, and removes what processes that were
    /// killed long ago left half-written.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        fs::create_dir_all(&root).map_err(StoreError::io("create the directory", &root))?;
        prune::remove_leftovers(&root);
        Ok(Self { root })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the file of `key` is or would be.
    pub fn path(&self, key: &str) -> Result<PathBuf, StoreError> {
        key::check(key)?;
        Ok(self.root.join(key))
    }

    /// The file of `key`, if there is one.
    pub fn get(&self, key: &str) -> Option<PathBuf> {
        self.path(key).ok().filter(|path| path.is_file())
    }

    /// The content of `key`'s file, if there is one.
    pub fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(key)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(StoreError::io("read", &path)(e)),
        }
    }

    /// Begins to write the file of `key`, for callers whose own errors have to come through.
    pub fn begin(&self, key: &str) -> Result<PendingFile, StoreError> {
        PendingFile::create(&self.path(key)?)
    }

    /// Writes the file of `key`; an error of `write` leaves everything as it was.
    pub fn put_with(
        &self,
        key: &str,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<PathBuf, StoreError> {
        let mut pending = self.begin(key)?;
        write(pending.file_mut()).map_err(|e| pending.write_error(e))?;
        pending.commit()
    }

    /// Writes `bytes` as the file of `key`.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        self.put_with(key, |file| file.write_all(bytes))
    }

    /// Writes `bytes` as the file of `key` without waiting for the disk. A killed process leaves it
    /// whole or absent, but a power cut may empty it or cut it short: only for what its reader can
    /// tell from that, and make again.
    pub fn put_lazily(&self, key: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let mut pending = self.begin(key)?;
        pending.file_mut().write_all(bytes).map_err(|e| pending.write_error(e))?;
        let target = pending.target().to_owned();
        pending.commit_lazily(&target)
    }

    /// Removes the file of `key`; whether there was one.
    pub fn remove(&self, key: &str) -> Result<bool, StoreError> {
        let path = self.path(key)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(StoreError::io("remove", &path)(e)),
        }
    }

    /// Waits until no other holder, in this process or another, has the lock called `name`.
    pub fn lock(&self, name: &str) -> Result<LockGuard, StoreError> {
        LockGuard::acquire(&self.lock_path(name)?)
    }

    /// Takes the lock called `name` if it is free.
    pub fn try_lock(&self, name: &str) -> Result<Option<LockGuard>, StoreError> {
        LockGuard::try_acquire(&self.lock_path(name)?)
    }

    /// Removes the files that were used longest ago until the limits hold.
    pub fn prune(&self, limits: &PruneLimits) -> Result<Pruned, StoreError> {
        prune::prune(&self.root, limits)
    }

    fn lock_path(&self, name: &str) -> Result<PathBuf, StoreError> {
        key::check(name)?;
        let directory = self.root.join(LOCKS);
        fs::create_dir_all(&directory)
            .map_err(StoreError::io("create the directory", &directory))?;
        Ok(directory.join(format!("{name}.lock")))
    }
}
