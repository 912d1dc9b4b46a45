//! Where everything that was fetched or computed once is kept.

use crate::RepoError;
use std::path::Path;
use strata_store::{LockGuard, Store, StoreError};

/// The cache's directory: `repos/` holds metadata files and their parsed forms, `packages/` holds
/// `.rpm` files. Any number of processes may use it at once, and any of them may be killed.
#[derive(Debug, Clone)]
pub struct Cache {
    pub(crate) repos: Store,
    pub(crate) packages: Store,
}

impl Cache {
    /// Opens the cache in `root`, and makes it if there is none.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, RepoError> {
        let root = root.as_ref();
        Ok(Self {
            repos: Store::open(root.join("repos"))?,
            packages: Store::open(root.join("packages"))?,
        })
    }

    /// The store of metadata, for information and pruning.
    pub fn repos(&self) -> &Store {
        &self.repos
    }

    /// The store of packages, for information and pruning.
    pub fn packages(&self) -> &Store {
        &self.packages
    }
}

/// Locks what has the digest `hex` against being made twice. Lock files are never removed, so there
/// is one for each first byte of a digest and not for each digest.
pub(crate) fn lock(store: &Store, what: &str, hex: &str) -> Result<LockGuard, StoreError> {
    store.lock(&format!("{what}-{}", hex.get(..2).unwrap_or("00")))
}
