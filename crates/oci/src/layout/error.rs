//! What can go wrong with a layout.

use crate::{Digest, Platform};
use std::{
    io,
    path::{Path, PathBuf},
};

/// What can go wrong with a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The file system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// `create`, `write` …
        action: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// There is no `oci-layout` file.
    #[error("`{}` is not an OCI image layout", path.display())]
    NotLayout {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds something else.
    #[error("`{}` is neither empty nor an OCI image layout", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// A version this program does not know.
    #[error("`{}` has the unknown layout version `{found}`", path.display())]
    Version {
        /// The `oci-layout` file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// A document is not what it should be.
    #[error("`{}` cannot be understood: {source}", path.display())]
    Document {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A blob is referred to and not there.
    #[error("the blob `{digest}` is missing: there is no `{}`", path.display())]
    MissingBlob {
        /// Which.
        digest: Digest,
        /// Where it should be.
        path: PathBuf,
    },
    /// A blob's bytes are not those that its name promises.
    #[error("the blob `{digest}` is damaged ({found} bytes found, {expected} expected)")]
    Corrupt {
        /// Which.
        digest: Digest,
        /// Length in the descriptor.
        expected: u64,
        /// Length on the disk.
        found: u64,
    },
    /// A document too large to be one.
    #[error("the document `{digest}` is said to be {size} bytes long, which no document is")]
    TooLarge {
        /// Which.
        digest: Digest,
        /// Length in the descriptor.
        size: u64,
    },
    /// No image of this name.
    #[error("there is no image `{name}` in `{}`", path.display())]
    UnknownImage {
        /// Asked for.
        name: String,
        /// The layout.
        path: PathBuf,
        /// Names that are there.
        known: Vec<String>,
    },
    /// The image exists for other platforms only, or for several and none was chosen.
    #[error("the image `{name}` needs a platform to be chosen")]
    ChoosePlatform {
        /// The image.
        name: String,
        /// What there is.
        known: Vec<Platform>,
    },
    /// A media type that cannot be read.
    #[error("`{digest}` has the media type `{media_type}`, which cannot be read here")]
    MediaType {
        /// The blob.
        digest: Digest,
        /// Its type.
        media_type: String,
    },
    /// A layer's tar is broken.
    #[error("the layer `{digest}` cannot be read: {source}")]
    Layer {
        /// The blob.
        digest: Digest,
        /// Where and why.
        source: io::Error,
    },
    /// Manifest and configuration do not agree.
    #[error("the image `{name}` has {layers} layers and {diff_ids} diff ids")]
    LayerCount {
        /// The image.
        name: String,
        /// In the manifest.
        layers: usize,
        /// In the configuration.
        diff_ids: usize,
    },
    /// No such path in the image.
    #[error("there is no `{0}` in the image")]
    NoSuchPath(String),
    /// The path is there and has no content.
    #[error("`{0}` is not a regular file")]
    NotFile(String),
    /// Links that lead nowhere.
    #[error("too many levels of symbolic links at `{0}`")]
    Loop(String),
}

impl LayoutError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { path, source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(format!(
                    "the file system of `{}` is full; what was there before is untouched",
                    path.display()
                )),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Some("choose an output directory that this user can write".to_owned())
                }
                io::ErrorKind::NotADirectory => Some("the output must be a directory".to_owned()),
                _ => None,
            },
            Self::NotLayout { .. } => {
                Some("a layout has an `oci-layout` file; `strata build` makes one".to_owned())
            }
            Self::Occupied { .. } => Some("choose an empty or a new directory".to_owned()),
            Self::MissingBlob { .. } | Self::Corrupt { .. } => {
                Some("build the image again with `--force`".to_owned())
            }
            Self::UnknownImage { known, .. } if known.is_empty() => {
                Some("the layout names no image".to_owned())
            }
            Self::UnknownImage { known, .. } => Some(format!("it has {}", quoted(known))),
            Self::ChoosePlatform { known, .. } => Some(format!("it exists for {}", quoted(known))),
            Self::NoSuchPath(_) | Self::NotFile(_) => {
                Some("`strata ls` lists what the image has".to_owned())
            }
            _ => None,
        }
    }
}

fn quoted<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("`{}`", item.to_string())).collect();
    items.join(", ")
}

/// Adds to an IO error what was tried, and where.
pub(super) trait Context<T> {
    /// What was tried, and where.
    fn context(self, action: &'static str, path: &Path) -> Result<T, LayoutError>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, action: &'static str, path: &Path) -> Result<T, LayoutError> {
        self.map_err(|source| LayoutError::Io {
            action,
            path: path.to_owned(),
            source: source.into(),
        })
    }
}
