//! `strata pack`: files and a small manifest → a binary package.
//!
//! The package is a function of its inputs: no clock, no host name, no file times, no hash order.
//! Header and archive are written here rather than by a builder crate, because both must be
//! byte-reproducible and file times must be exactly the build time (see `header::HeaderBuilder`).

mod archive;
mod dependencies;
mod entries;
mod glob;
mod manifest;
mod write;

pub use manifest::{
    ChangelogEntry, ConfigRule, FileMode, FileRule, FileRules, PackManifest, PackScriptlet,
    PackScriptlets,
};
pub use write::build;

/// A file to be packaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// Absolute path in the installed system.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: PackFileKind,
}

/// What a packaged file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackFileKind {
    /// A regular file.
    Regular {
        /// Its content.
        content: Vec<u8>,
        /// 0755 rather than 0644, unless a rule says otherwise.
        executable: bool,
    },
    /// A directory. The usual ones that every system has (`/usr/bin`) are left to the package that
    /// owns them while they merely hold files of this one.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Its target, as it is.
        target: Vec<u8>,
    },
}

/// Why no package can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The manifest is not JSON of the right shape.
    #[error("{line}:{column}: `{path}`: {reason}")]
    Manifest {
        /// Where in the document.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A key of the manifest has an impossible value.
    #[error("`{key}`: {reason}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be packaged.
    #[error("`{path}`: {reason}")]
    File {
        /// Its path in the installed system.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

impl PackError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Manifest { reason, .. } if reason.starts_with("unknown field") => {
                Some("remove the key or correct its spelling".to_owned())
            }
            Self::Manifest { reason, .. } if reason.starts_with("missing field") => {
                Some("a manifest needs at least `name` and `version`".to_owned())
            }
            Self::Key { reason, .. } if reason == entries::NO_MATCH => Some(
                "patterns are absolute paths; `*` stays within a directory, `**` does not; \
                 `dir`, `ghost` and `hard_link` make the file they name"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn key(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Key { key: key.into(), reason: reason.into() }
    }

    fn file(path: &[u8], reason: impl Into<String>) -> Self {
        Self::File { path: String::from_utf8_lossy(path).into_owned(), reason: reason.into() }
    }
}
