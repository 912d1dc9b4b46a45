//! What plugins are asked for and what they give, in the words of those who call and those who run
//! them.

use crate::{Change, Diagnostic, FileOrigin};
use std::fmt;

/// What a plugin can do, in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Leaves files of packages out.
    PackageFilter,
    /// Changes the finished tree.
    PostProcessor,
    /// Finds image configuration in the tree.
    MetadataMapper,
    /// Warns of images, or refuses them.
    Policy,
}

impl Role {
    /// All, in order.
    pub const ALL: [Self; 4] =
        [Self::PackageFilter, Self::PostProcessor, Self::MetadataMapper, Self::Policy];

    /// The name of its world in `wit/`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PackageFilter => "package-filter",
            Self::PostProcessor => "post-processor",
            Self::MetadataMapper => "metadata-mapper",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a mapper found, in its order, each with the place where it read that.
pub type Mapping = Vec<(Change, Option<FileOrigin>)>;

/// What a call of a plugin gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome<T> {
    /// The result.
    pub value: T,
    /// Findings; refusals among them from [`Role::Policy`] and [`Role::MetadataMapper`] only.
    pub diagnostics: Vec<Diagnostic>,
    /// Lines that the plugin logged as warnings or errors.
    pub log: Vec<String>,
}
