//! Why a run failed, and whose fault it is.

use std::{
    io,
    path::{Path, PathBuf},
};
use strata_layer::LayerError;
use strata_oci::layout::LayoutError;
use strata_repo::RepoError;
use strata_resolve::ResolveError;
use strata_rootfs::{MergeError, accounts::AllocateError, distro::DistroError, rpmdb::RpmdbError};
use strata_spec::SpecError;
use strata_store::StoreError;

/// Decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The inputs are wrong or cannot be satisfied: 1.
    Inputs,
    /// The command line is wrong: 2.
    Usage,
    /// A disk, a server or a file system failed: 3.
    Outside,
    /// A fault of strata itself: 4.
    Internal,
}

impl ErrorKind {
    /// Of a file that the user named and that cannot be read.
    pub fn of_read(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Inputs,
            kind if is_wrong_path(kind) => Self::Inputs,
            _ => Self::Outside,
        }
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// A document is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A repository is wrong or out of reach.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// A package that the lock names cannot be had.
    #[error(transparent)]
    LockedPackage {
        /// Why.
        source: RepoError,
    },
    /// No definition has this repository id.
    #[error("{place}: no repository `{id}` is defined")]
    UnknownRepo {
        /// Where the spec names it.
        place: String,
        /// The id.
        id: String,
        /// Where definitions were looked for, and what is like it.
        hint: String,
    },
    /// The packages cannot be resolved.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// `--locked`, and the lock does not answer the spec.
    #[error("`{}` {problem}, and `--locked` is given", path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The lock cannot be understood.
    #[error("`{}`: {reason}", path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What helps.
        hint: Option<String>,
    },
    /// A package file is damaged.
    #[error("`{}`: {source}", path.display())]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What helps.
        hint: Option<String>,
    },
    /// Packages that cannot be in one root.
    #[error("image `{image}`: {source}")]
    Merge {
        /// The image.
        image: String,
        /// Why.
        source: MergeError,
    },
    /// Scripts that an image cannot be made with.
    #[error("image `{image}`: {}: {list}", match count { 1 => "a scriptlet cannot be run".to_owned(), more => format!("{more} scriptlets cannot be run") })]
    Scriptlets {
        /// The image.
        image: String,
        /// How many.
        count: usize,
        /// The first of them.
        list: String,
    },
    /// Files of users or groups that no package defines, where that is not to be.
    #[error("image `{image}`: {}", list.join("; "))]
    Owners {
        /// The image.
        image: String,
        /// What rpm would have warned of.
        list: Vec<String>,
    },
    /// It is not known where the rpmdb goes.
    #[error("{}image `{image}`: {source}", place.as_ref().map(|p| format!("{p}: ")).unwrap_or_default())]
    Distro {
        /// The image.
        image: String,
        /// Why.
        source: DistroError,
        /// Where the spec names it.
        place: Option<String>,
    },
    /// No number is left for an account.
    #[error(transparent)]
    Accounts(#[from] AllocateError),
    /// The rpmdb cannot be written.
    #[error("image `{image}`: {source}")]
    Rpmdb {
        /// The image.
        image: String,
        /// Why.
        source: RpmdbError,
    },
    /// A file of dnf's state has no place.
    #[error("image `{image}`: `/{path}` cannot be written: {reason}")]
    DnfState {
        /// The image.
        image: String,
        /// The file, from the root.
        path: &'static str,
        /// Why.
        reason: String,
    },
    /// The layers cannot be planned.
    #[error(transparent)]
    Plan(#[from] strata_layer::plan::PlanError),
    /// A layer cannot be written.
    #[error("layer `{layer}`: {source}")]
    Layer {
        /// Its title.
        layer: String,
        /// Why.
        source: LayerError,
    },
    /// The configuration cannot be made.
    #[error(transparent)]
    Config(#[from] strata_assemble::AssembleError),
    /// The destination cannot be read or written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Another process changed the destination in the meantime.
    #[error("`{}` lost the blob `{blob}` while the images were made: another process changed it", dir.display())]
    Changed {
        /// The destination.
        dir: PathBuf,
        /// What is gone.
        blob: strata_oci::Digest,
    },
    /// The cache or another file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// `--image` or `--arch` names what the spec does not have.
    #[error("the spec has no {what} `{name}`")]
    NotInSpec {
        /// `image` or `architecture`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No package can be made of a directory.
    #[error(transparent)]
    Pack(#[from] crate::PackError),
    /// A fault of strata.
    #[error("internal error: {0}")]
    Internal(String),
}

impl ComposeError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Spec(error) | Self::Config(strata_assemble::AssembleError::Document(error))
                if error.place.is_command_line() =>
            {
                ErrorKind::Usage
            }
            Self::NotInSpec { .. } => ErrorKind::Usage,
            Self::Pack(crate::PackError::Write(_)) => ErrorKind::Outside,
            Self::Pack(crate::PackError::Unsound { .. }) => ErrorKind::Internal,
            Self::Repo(error) | Self::LockedPackage { source: error } => match error.kind() {
                strata_repo::ErrorKind::Inputs => ErrorKind::Inputs,
                strata_repo::ErrorKind::Outside => ErrorKind::Outside,
            },
            Self::Read { source, .. } => ErrorKind::of_read(source),
            Self::Layer { source: LayerError::Write(_) | LayerError::Cache { .. }, .. }
            | Self::Store(_)
            | Self::Changed { .. } => ErrorKind::Outside,
            Self::Layer { source, .. } => match root_io(source) {
                Some(io::ErrorKind::StorageFull) => ErrorKind::Outside,
                _ => ErrorKind::Inputs,
            },
            Self::Layout(error) => match error {
                LayoutError::Io { source, .. } if is_wrong_path(source.kind()) => ErrorKind::Inputs,
                LayoutError::Io { .. } => ErrorKind::Outside,
                _ => ErrorKind::Inputs,
            },
            Self::Rpmdb { source: RpmdbError::Sqlite(_) | RpmdbError::States { .. }, .. }
            | Self::Plan(_)
            | Self::Internal(_) => ErrorKind::Internal,
            _ => ErrorKind::Inputs,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Spec(error) => error.hint(),
            Self::Read { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Some("the file has to be readable".to_owned()),
                io::ErrorKind::InvalidData => Some("the file has to be text in UTF-8".to_owned()),
                kind if is_wrong_path(kind) => Some("check the path".to_owned()),
                _ => None,
            },
            Self::Repo(error) => error.hint(),
            Self::LockedPackage { source } if is_gone(source) => Some(
                "`strata.lock` names this file; `--update` takes what the repository has now"
                    .to_owned(),
            ),
            Self::LockedPackage { source } => source.hint(),
            Self::UnknownRepo { hint, .. } => Some(hint.clone()),
            Self::Resolve(error) => error.hint(),
            Self::Locked { .. } => Some(
                "run `strata build` without `--locked` once, and commit the new lock".to_owned(),
            ),
            Self::Lock { hint, .. } | Self::Package { hint, .. } => hint.clone(),
            Self::Merge { source, .. } => source.hint(),
            Self::Distro { source, .. } => source.hint(),
            Self::Accounts(_) => Some("give some of the accounts fixed numbers".to_owned()),
            Self::Rpmdb { source, .. } => source.hint(),
            Self::DnfState { .. } => {
                Some("see what the packages put there with `strata ls`".to_owned())
            }
            Self::Scriptlets { .. } => Some(
                "`scriptlets` in the overlay, `{\"PACKAGE\": \"skip\"}`, leaves those of a package out"
                    .to_owned(),
            ),
            Self::Owners { .. } => Some(
                "add a package that defines them, or leave `--strict-owners` out: the files are root's then"
                    .to_owned(),
            ),
            Self::Plan(error) => error.hint(),
            Self::Layer { source, .. } => source.hint(),
            Self::Config(error) => error.hint(),
            Self::Layout(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Changed { .. } => Some("run the build again".to_owned()),
            Self::Pack(error) => error.hint(),
            Self::NotInSpec { known, .. } => Some(format!("it has {known}")),
            Self::Internal(_) => {
                Some("this is a fault in strata; please report it with the command line".to_owned())
            }
        }
    }
}

/// Whether a repository is in reach and does not have this file any more.
fn is_gone(error: &RepoError) -> bool {
    use strata_repo::FetchReason::{Checksum, NotFound, Size};
    let RepoError::Fetch { failures, .. } = error else { return false };
    let reason = failures.last().map(|failure| &failure.reason);
    matches!(reason, Some(NotFound | Checksum { .. } | Size { .. }))
}

/// Whether what the user named is not there, or not what it should be.
fn is_wrong_path(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(kind, NotFound | IsADirectory | NotADirectory)
}

/// The kind of the input or output error at the bottom of an error, if there is one.
fn root_io(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    let mut at = Some(error);
    let mut found = None;
    while let Some(error) = at {
        found = error.downcast_ref::<io::Error>().map(io::Error::kind).or(found);
        at = error.source();
    }
    found
}
