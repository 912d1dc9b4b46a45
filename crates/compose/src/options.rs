//! What a run is asked to do: every path, switch and environment value, passed in.

use std::path::PathBuf;
use strata_spec::{Arch, Scriptlets};

/// How `strata.lock` is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockMode {
    /// Take the locked packages where the lock answers the spec's requests; resolve the rest,
    /// preferring what is locked.
    #[default]
    Use,
    /// Take the newest packages; keep the lock's ids and layer plan.
    Update,
    /// Like `Use`, but a lock that does not answer the spec is an error.
    Locked,
}

/// The inputs of every command that reads a spec.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The compose file.
    pub spec: PathBuf,
    /// The overlay; else `compose.overlay.json` beside the spec, where there is one.
    pub overlay: Option<PathBuf>,
    /// `KEY=VALUE` settings, strongest of all.
    pub sets: Vec<String>,
    /// `REF[:k=v,…]`: plugins for all images, after the overlay's.
    pub plugins: Vec<String>,
    /// The directory that relative paths in [`Self::plugins`] count from.
    pub plugin_base: PathBuf,
    /// What to do with scripts that cannot be interpreted, instead of what the spec says.
    pub scriptlets: Option<Scriptlets>,
    /// An owner whom nobody defines is an error.
    pub strict_owners: bool,
    /// Directories of `.repo` files, after `repos.d` beside the spec.
    pub repo_dirs: Vec<PathBuf>,
    /// Only these images are written; none means all.
    pub images: Vec<String>,
    /// Only these architectures; none means those of the spec.
    pub arches: Vec<String>,
    /// The cache's root.
    pub cache_dir: PathBuf,
    /// `SOURCE_DATE_EPOCH`: dates the config and generated files when given.
    pub source_date_epoch: Option<u64>,
    /// How the lock is used.
    pub lock: LockMode,
    /// Rebuild what is current, too, and trust no layer's bytes that are there already.
    pub force: bool,
}

impl Options {
    /// Whether an image for an architecture was asked for.
    pub(crate) fn selects(&self, image: &str, arch: Arch) -> bool {
        let named = self.images.is_empty() || self.images.iter().any(|name| name == image);
        let arches = &self.arches;
        named && (arches.is_empty() || arches.iter().any(|name| name.parse() == Ok(arch)))
    }
}
