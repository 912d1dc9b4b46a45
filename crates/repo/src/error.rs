//! What can go wrong with a repository.

use crate::Base;
use std::{fmt, io, path::PathBuf};
use strata_rpm::Checksum;
use strata_store::StoreError;

/// Whose fault an error is; the exit code follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// What the user gave is wrong.
    Inputs,
    /// A server, a network or a disk failed.
    Outside,
}

/// Why a repository or a package could not be had.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// A definition is wrong.
    #[error("{}{problem}", place(origin, *line, id))]
    Definition {
        /// The file's name, empty when the definition is not from a file of its own.
        origin: String,
        /// The line, counted from 1; 0 when it is not known.
        line: u32,
        /// The repository's id, empty when the error is outside of any.
        id: String,
        /// What is wrong.
        problem: DefinitionProblem,
    },
    /// No base of the repository gave the file as its metadata describes it.
    #[error("repository `{repo}`: cannot get `{file}`: {}", list(failures))]
    Fetch {
        /// The repository's id.
        repo: String,
        /// What was wanted, as a path relative to the base, or a package's name.
        file: String,
        /// What was tried, in order. Never empty.
        failures: Vec<FetchFailure>,
    },
    /// A metadata file is what the repository says it is, but cannot be understood.
    #[error("repository `{repo}`: `{file}` is not usable: {reason}")]
    Metadata {
        /// The repository's id.
        repo: String,
        /// The metadata file.
        file: String,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A directory of packages cannot be read.
    #[error("repository `{repo}`: cannot {action} `{}`: {source}", path.display())]
    Directory {
        /// The repository's id.
        repo: String,
        /// What was tried.
        action: &'static str,
        /// The directory or file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file in a directory of packages is not a package.
    #[error("repository `{repo}`: `{}` is not a usable package: {reason}", path.display())]
    Package {
        /// The repository's id.
        repo: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The cache failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionProblem {
    /// A line is neither a section, a key, a comment nor a continuation.
    #[error("`{0}` is neither `[section]` nor `key = value`")]
    Syntax(String),
    /// Two repositories share an id.
    #[error("a repository with this id was defined before")]
    Duplicate,
    /// The id has characters that it may not have.
    #[error("`{0}` is not a repository id")]
    Id(String),
    /// The key does not exist.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A value is not what its key takes.
    #[error("`{key}` takes {expected}, not `{value}`")]
    Value {
        /// The key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What it was given.
        value: String,
    },
    /// There is no `baseurl`, but a way to find it that this release does not know.
    #[error("`{0}` is not supported yet, and there is no `baseurl`")]
    Unsupported(&'static str),
    /// There is no `baseurl` at all.
    #[error("there is no `baseurl`")]
    NoBase,
    /// A variable is used that has no value.
    #[error("`${variable}` in `{text}` has no value")]
    Variable {
        /// The variable's name.
        variable: String,
        /// The text that uses it.
        text: String,
    },
    /// A `baseurl` is neither a directory nor of a scheme that can be read.
    #[error("`{0}` is neither a directory nor a `file://`, `http://` or `https://` URL")]
    Base(String),
}

/// One place that was asked for a file, and why it did not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchFailure {
    /// The URL without its credentials, or the path.
    pub location: String,
    /// The reason.
    pub reason: FetchReason,
    /// Whether the place is on this machine.
    pub local: bool,
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.location, self.reason)
    }
}

/// Why one place did not give a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchReason {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The server answered with an error.
    #[error("the server answered {0}")]
    Status(u16),
    /// The server could not be reached, or the connection broke.
    #[error("{0}")]
    Connection(String),
    /// The system has no certificates to trust.
    #[error("https is not possible: {0}")]
    Trust(String),
    /// The system could not read the file.
    #[error("{0}")]
    Io(String),
    /// The content is not what was announced.
    #[error("its checksum is `{found}`, but the repository states `{expected}`")]
    Checksum {
        /// What the repository's metadata states.
        expected: Checksum,
        /// What was found.
        found: Checksum,
    },
    /// The content has another length than announced.
    #[error("it has {found} bytes, but the repository states {expected}")]
    Size {
        /// What the repository's metadata states.
        expected: u64,
        /// What was found.
        found: u64,
    },
    /// The content is longer than anything that will be taken.
    #[error("it is longer than {0} bytes")]
    TooLarge(u64),
    /// The content cannot be understood.
    #[error("it is not usable: {0}")]
    Content(String),
    /// The repository names a place outside of itself.
    #[error("the repository names a place outside of itself")]
    OutsideBase,
    /// The checksum is of a kind that proves nothing.
    #[error("the repository states only a `{0}` checksum, which proves nothing")]
    WeakChecksum(&'static str),
}

impl RepoError {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Definition { .. } | Self::Package { .. } | Self::Metadata { .. } => {
                ErrorKind::Inputs
            }
            Self::Directory { source, .. } => match source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorKind::Inputs,
                _ => ErrorKind::Outside,
            },
            Self::Fetch { failures, .. } => {
                let inputs = |failure: &FetchFailure| {
                    failure.local && !matches!(failure.reason, FetchReason::Io(_))
                };
                if failures.iter().all(inputs) { ErrorKind::Inputs } else { ErrorKind::Outside }
            }
            Self::Store(_) => ErrorKind::Outside,
        }
    }

    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Definition { problem, .. } => problem.hint(),
            Self::Fetch { failures, .. } => failures.last().and_then(FetchFailure::hint),
            Self::Metadata { .. } => Some(
                "the repository was made by a tool that strata does not know, or it is damaged; \
                 `createrepo_c` makes metadata that is known to work"
                    .to_owned(),
            ),
            Self::Directory { source, .. } if source.kind() == io::ErrorKind::NotFound => Some(
                "a relative path counts from the directory of the file it is written in".to_owned(),
            ),
            Self::Directory { .. } => None,
            Self::Package { .. } => {
                Some("fetch the file again, or remove it from the directory".to_owned())
            }
            Self::Store(error) => error.hint(),
        }
    }
}

impl DefinitionProblem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::Unsupported(_) => Some("name a mirror with `baseurl`".to_owned()),
            Self::NoBase => Some("name the repository's place with `baseurl`".to_owned()),
            Self::Variable { variable, .. } if variable == "releasever" => {
                Some("set `releasever` in the spec".to_owned())
            }
            Self::Variable { variable, .. } => {
                Some(format!("set `{variable}` under `vars` in the spec"))
            }
            Self::Id(_) => Some("an id has letters, digits and `-_.:`".to_owned()),
            _ => None,
        }
    }
}

impl FetchFailure {
    fn hint(&self) -> Option<String> {
        let text = match &self.reason {
            FetchReason::NotFound if self.local => {
                "check the path; a directory of packages needs no `repodata`"
            }
            FetchReason::NotFound => {
                "the repository has changed since its metadata was read, or `baseurl` is wrong"
            }
            FetchReason::Status(401 | 403) => {
                "the server asks for credentials; `https://USER:PASSWORD@…` in `baseurl` gives them"
            }
            FetchReason::Status(_) | FetchReason::Connection(_) => {
                "try again later, or name a second mirror in `baseurl`"
            }
            FetchReason::Trust(_) => {
                "install the system's certificates (package `ca-certificates`)"
            }
            FetchReason::Checksum { .. } | FetchReason::Size { .. } if self.local => {
                "the file has changed since the metadata was made; run `createrepo_c` again"
            }
            FetchReason::Checksum { .. } | FetchReason::Size { .. } => {
                "the mirror is damaged or being updated; try again later, or name another one"
            }
            FetchReason::Content(_) => {
                "`baseurl` has to be the place that holds `repodata/repomd.xml`"
            }
            FetchReason::WeakChecksum(_) => "make the metadata again with `createrepo_c`",
            FetchReason::Io(_) | FetchReason::TooLarge(_) | FetchReason::OutsideBase => {
                return None;
            }
        };
        Some(text.to_owned())
    }

    /// A failure at `base`, of the file at `location`.
    pub(crate) fn new(base: &Base, location: String, reason: FetchReason) -> Self {
        Self { location, reason, local: matches!(base, Base::Directory(_)) }
    }
}

impl FetchReason {
    /// From an error of reading a local file.
    pub(crate) fn io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::NotFound,
            _ => Self::Io(error.to_string()),
        }
    }
}

fn place(origin: &str, line: u32, id: &str) -> String {
    let mut text = String::new();
    if !origin.is_empty() {
        text.push_str(origin);
        if line > 0 {
            text.push_str(&format!(":{line}"));
        }
        text.push_str(": ");
    }
    if !id.is_empty() {
        text.push_str(&format!("repository `{id}`: "));
    }
    text
}

fn list(failures: &[FetchFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
