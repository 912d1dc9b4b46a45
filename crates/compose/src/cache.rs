//! The cache's directories. Everything in them can be deleted at any time, and costs only time.

use crate::ComposeError;
use std::path::Path;
use strata_store::Store;

/// `repos/` and `packages/` belong to strata-repo; the others are here.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    /// Metadata and packages.
    pub repo: strata_repo::Cache,
    /// Layer blobs by digest, and what is known of them by layer key.
    pub layers: Store,
    /// What payloads told, by package checksum.
    pub facts: Store,
    /// What scriptlets in a sandbox left, by all that they depend on.
    pub scriptlets: Store,
}

impl Cache {
    /// Opens the cache, and makes its directories.
    pub fn open(root: &Path) -> Result<Self, ComposeError> {
        Ok(Self {
            repo: strata_repo::Cache::open(root)?,
            layers: Store::open(root.join("layers"))?,
            facts: Store::open(root.join("facts"))?,
            scriptlets: Store::open(root.join("scriptlets"))?,
        })
    }
}
