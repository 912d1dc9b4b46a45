//! What can go wrong with a file, always with its path.

use std::{
    io,
    path::{Path, PathBuf},
};

/// An action on the directory that the error names, not on what it is in.
pub(crate) const CREATE_IN: &str = "create a file in";

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried, for example `write`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason the system gave.
        source: io::Error,
    },
    /// The key cannot be a file name.
    #[error("`{key}` cannot be a key of the store: {reason}")]
    Key {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl StoreError {
    /// An [`StoreError::Io`]; the shape `map_err` wants.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// The system's reason, where there is one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            Self::Key { .. } => None,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let Self::Io { action, path, source } = self else { return None };
        let place = match path.parent() {
            _ if *action == CREATE_IN => path.display(),
            Some(parent) if parent.as_os_str().is_empty() => Path::new(".").display(),
            parent => parent.unwrap_or(path).display(),
        };
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Some(format!("free some space on the file system of `{place}`"))
            }
            io::ErrorKind::PermissionDenied => {
                Some(format!("`{place}` has to be writable by the user who runs this"))
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                Some(format!("`{place}` is on a read-only file system; choose another place"))
            }
            io::ErrorKind::NotADirectory => {
                Some("a part of the path is a file where a directory is needed".to_owned())
            }
            _ => None,
        }
    }
}
