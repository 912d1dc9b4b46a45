//! RPM vocabulary: versions, names, dependencies, headers and payloads.
//!
//! This crate decides nothing about images. It turns bytes that a stranger made into values that
//! cannot be wrong, and refuses the rest with an error that says where. It does no IO: callers hand
//! it slices and readers.

mod checksum;
mod dependency;
mod digest;
mod evr;
mod file;
mod filecaps;
pub mod glob;
pub mod header;
mod nevra;
pub mod pack;
mod package;
pub mod payload;
mod record;
mod tag;

pub use checksum::{Checksum, ChecksumAlgorithm, ParseChecksumError};
pub use dependency::{
    Capability, Comparison, Dependency, ParseDependencyError, RichDependency, Sense,
};
pub use digest::Hasher;
pub use evr::{Evr, vercmp};
pub use file::{Lead, RpmFile, RpmFileError, Verified, VerifyError};
pub use filecaps::{FileCapabilities, ParseCapabilitiesError};
pub use header::{Header, HeaderError, HeaderKind};
pub use nevra::{Nevra, ParseNevraError};
pub use package::{Condition, FileEntry, Package, PackageError, Scriptlet, ScriptletKind};
pub use payload::PayloadError;
pub use record::{PackageRecord, Requirement};
pub use tag::Tag;
