//! A package as a repository's metadata describes it.

use crate::{Checksum, Dependency, Nevra};

/// A `Requires` entry; `pre` marks those that must be there before the package's scriptlets run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What is required.
    pub dependency: Dependency,
    /// `Requires(pre)` and kin (`pre="1"` in primary.xml).
    pub pre: bool,
}

/// What the solver, the lock and the package store need to know of a package before it is
/// downloaded. Source: createrepo_c's `primary.xml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageRecord {
    /// The full name.
    pub nevra: Nevra,
    /// Checksum of the whole `.rpm` file: the package's identity everywhere.
    pub checksum: Checksum,
    /// Where the file is, relative to the repository's base (or to `location_base`).
    pub location: String,
    /// `xml:base` of the location, where a repository gives one.
    pub location_base: Option<String>,
    /// Bytes of the `.rpm` file.
    pub size: u64,
    /// Bytes of its files once installed.
    pub installed_size: u64,
    /// Seconds since 1970.
    pub build_time: u64,
    /// `name-version-release.src.rpm`; empty when unknown.
    pub source_rpm: String,
    /// The vendor; may be empty.
    pub vendor: String,
    /// `Provides`, the package's own name included.
    pub provides: Vec<Dependency>,
    /// `Requires`, `rpmlib(…)` included.
    pub requires: Vec<Requirement>,
    /// `Conflicts`.
    pub conflicts: Vec<Dependency>,
    /// `Obsoletes`.
    pub obsoletes: Vec<Dependency>,
    /// `Recommends`.
    pub recommends: Vec<Dependency>,
    /// `Suggests`.
    pub suggests: Vec<Dependency>,
    /// `Supplements`.
    pub supplements: Vec<Dependency>,
    /// `Enhances`.
    pub enhances: Vec<Dependency>,
    /// Absolute paths of the files that are known: those of `primary.xml`, and what was added from
    /// filelists on demand.
    pub files: Vec<String>,
}

impl PackageRecord {
    /// Name of the source package, that is `source_rpm` without `-version-release.src.rpm`; the
    /// package's own name when there is none. Packages of one source change together.
    pub fn source_name(&self) -> &str {
        source_name(&self.source_rpm, &self.nevra)
    }
}

/// See [`PackageRecord::source_name`].
pub(crate) fn source_name<'a>(source_rpm: &'a str, nevra: &'a Nevra) -> &'a str {
    let base = source_rpm.strip_suffix(".rpm").unwrap_or(source_rpm);
    let mut parts = base.rsplitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(_), Some(name)) if !name.is_empty() => name,
        _ => &nevra.name,
    }
}
