//! An image for one architecture, and the packages it is to have.

use crate::local::LocalPackage;
use serde_json::json;
use std::fmt;
use strata_oci::{Digest, canonical_json};
use strata_repo::{Base, RepoDefinition};
use strata_resolve::Reason;
use strata_rpm::{Checksum, Nevra};
use strata_spec::{Arch, EffectiveImage};

/// What is built: one image for one architecture.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The image as the spec wants it.
    pub image: EffectiveImage,
    /// The architecture.
    pub arch: Arch,
    /// Repositories in order.
    pub repos: Vec<Repository>,
    /// Local packages that the spec names by path.
    pub local: Vec<LocalPackage>,
    /// What is installed, in installation order. Empty before it is resolved.
    pub packages: Vec<TargetPackage>,
}

/// A repository of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repository {
    /// Variables replaced, paths as this process finds them.
    pub definition: RepoDefinition,
    /// Its addresses as the documents have them, variables replaced, without credentials: the same
    /// in whatever directory the documents lie.
    pub written: Vec<String>,
}

impl Repository {
    /// `written` is the definition before its paths were made to count from somewhere.
    pub fn new(definition: RepoDefinition, written: &RepoDefinition) -> Self {
        let written = written.baseurl.iter().map(|text| match Base::parse(text, "".as_ref()) {
            Some(base @ Base::Http(_)) => base.to_string(),
            Some(Base::Directory(_)) | None => text.clone(),
        });
        Self { written: written.collect(), definition }
    }
}

/// A package that is to be installed, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetPackage {
    /// The full name.
    pub nevra: Nevra,
    /// The repository's id.
    pub repo: String,
    /// Relative to the repository's base.
    pub location: String,
    /// A base of the package's own.
    pub location_base: Option<String>,
    /// Bytes of the file.
    pub size: u64,
    /// The package's identity.
    pub checksum: Checksum,
    /// Why it is there; none where an older lock does not say.
    pub reason: Option<Reason>,
}

impl Target {
    /// Names the image and the architecture: `web.x86_64`. Used wherever both count: in the lock,
    /// in the layer plan.
    pub fn id(&self) -> String {
        format!("{}.{}", self.image.name, self.arch)
    }

    /// What was asked for, as far as it decides the packages: equal digests over equal repositories
    /// give equal packages.
    pub fn request_digest(&self) -> Digest {
        let repos: Vec<serde_json::Value> = self
            .repos
            .iter()
            .map(|Repository { definition: repo, written }| {
                json!({
                    "id": repo.id,
                    "baseurl": written,
                    "priority": repo.priority,
                    "cost": repo.cost,
                    "exclude": repo.exclude,
                    "includepkgs": repo.includepkgs,
                })
            })
            .collect();
        let local: Vec<String> =
            self.local.iter().map(|local| local.record.checksum.to_string()).collect();
        let packages: Vec<&str> =
            self.image.packages.iter().map(|one| one.value.as_str()).collect();
        let exclude: Vec<&str> = self.image.exclude.iter().map(|one| one.value.as_str()).collect();
        Digest::of(&canonical_json(&json!({
            "version": 1,
            "packages": packages,
            "local": local,
            "exclude": exclude,
            "weak_deps": self.image.weak_deps,
            "best": self.image.best,
            "arch": self.arch.as_str(),
            "repos": repos,
        })))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.image.name, self.arch)
    }
}
