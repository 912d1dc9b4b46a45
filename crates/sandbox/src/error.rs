//! Why a scriptlet has no result.

use crate::{Unavailable, message::Failure};
use std::io;

/// A scriptlet whose run does not count.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// This machine does not let it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The machine failed in the middle.
    #[error("cannot {step}: {source}")]
    Io {
        /// What was to be done.
        step: String,
        /// What the system said.
        source: io::Error,
    },
    /// A process of the sandbox ended, or said what it cannot mean.
    #[error("a process of the sandbox is gone")]
    Lost,
    /// The interpreter is part of rpm, and no program of the image.
    #[error("the interpreter `{0}` is no program")]
    Interpreter(String),
    /// The bytes of a package's file were needed, and are not at hand.
    #[error("the content of `{path}` is not at hand")]
    Content {
        /// Which file.
        path: String,
    },
    /// It took more than it may.
    #[error("it took more {what} than is allowed")]
    Limit {
        /// What there was too much of.
        what: String,
    },
    /// It wanted something that a sandbox cannot give.
    #[error("it wanted {what}")]
    Wanted {
        /// What, in words.
        what: String,
    },
    /// It left what no image can hold.
    #[error("it left {what} at `{path}`")]
    Left {
        /// Where.
        path: String,
        /// What, in words.
        what: String,
    },
    /// Two runs on the same tree gave different results.
    #[error("two runs of it differ: {}", what.join(", "))]
    Differs {
        /// The first differences.
        what: Vec<String>,
    },
}

impl SandboxError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unavailable(why) => Some(why.hint()),
            Self::Limit { .. } => Some("it may never end, or write without an end"),
            Self::Wanted { .. } => Some(
                "with a range of ids in `/etc/subuid` and `/etc/subgid`, or as root, owners can \
                 be given; device nodes never",
            ),
            Self::Differs { .. } => Some(
                "it is random, or depends on the time; skip it, and make what it makes with \
                 the overlay's `files`",
            ),
            _ => None,
        }
    }

    pub(crate) fn io(step: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { step: step.into(), source }
    }
}

impl From<Failure> for SandboxError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::System { step, errno } => {
                Self::Io { step, source: io::Error::from_raw_os_error(errno) }
            }
            Failure::Limit(what) => Self::Limit { what },
            Failure::Wanted(what) => Self::Wanted { what },
            Failure::Left { path, what } => {
                Self::Left { path: format!("/{}", String::from_utf8_lossy(&path)), what }
            }
        }
    }
}
