//! RPM vocabulary: versions, names, dependencies, headers and payloads.
//!
//! This crate decides nothing about images. It turns bytes that a stranger made into values that
//! cannot be wrong, and refuses the rest with an error that says where. It does no IO: callers hand
//! it slices and readers.

mod checksum;
mod dependency;
mod evr;
mod filecaps;
mod nevra;
mod package;
mod record;

pub use checksum::{Checksum, ChecksumAlgorithm, ParseChecksumError};
pub use dependency::{Capability, Comparison, Dependency, ParseDependencyError, RichDependency};
pub use evr::{Evr, vercmp};
pub use filecaps::FileCapabilities;
pub use nevra::{Nevra, ParseNevraError};
pub use package::{FileEntry, Package, Scriptlet, ScriptletKind};
pub use record::{PackageRecord, Requirement};
