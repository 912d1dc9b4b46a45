//! Why a task has no answer.

use crate::explain::Problem;
use std::fmt;
use strata_rpm::Nevra;

/// Why a [`ResolveTask`](crate::ResolveTask) could not be solved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Requests that match no package.
    #[error("image `{image}`: {}", join(missing, "; "))]
    NotFound {
        /// The image.
        image: String,
        /// Each request that matches nothing, in the order of the request.
        missing: Vec<Missing>,
    },
    /// The packages cannot be together.
    #[error("image `{image}`: the requested packages cannot be installed together{}",
            problems.iter().map(|problem| format!("\n{problem}")).collect::<String>())]
    Unsatisfiable {
        /// The image.
        image: String,
        /// What stands in the way, each a chain from a request to a contradiction.
        problems: Vec<Problem>,
        /// What may help, most likely first.
        hints: Vec<String>,
    },
    /// A request that cannot be read.
    #[error("image `{image}`: `{}` cannot be requested: {reason}", printable(request))]
    Request {
        /// The image.
        image: String,
        /// The request.
        request: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An architecture that rpm does not know.
    #[error("image `{image}`: `{}` is not an architecture of rpm", printable(arch))]
    Arch {
        /// The image.
        image: String,
        /// The architecture.
        arch: String,
    },
    /// A repository holds a package with a name, version or dependency that cannot be one.
    #[error("repository `{repo}`: package `{}` has {what}", printable(package))]
    Record {
        /// The repository's id.
        repo: String,
        /// The package, as far as it can be printed.
        package: String,
        /// What is wrong with it.
        what: String,
    },
    /// The universe is larger than the solver can number.
    #[error("there are too many packages or dependencies for the solver")]
    TooLarge,
}

/// A request that matches no package, and what comes near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The request as it was written.
    pub request: String,
    /// Why nothing matches.
    pub why: MissingReason,
}

/// Why a request matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissingReason {
    /// No repository has it; names that look like it, nearest first.
    Unknown(Vec<String>),
    /// It is there, but excluded.
    Excluded(Vec<Nevra>),
    /// It is there, but for other architectures only.
    OtherArch(Vec<Nevra>),
    /// The name is there, in other versions only.
    OtherVersion(Vec<Nevra>),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let request = printable(&self.request);
        match &self.why {
            MissingReason::Unknown(_) => write!(f, "no package matches `{request}`"),
            MissingReason::Excluded(all) => {
                write!(f, "all that matches `{request}` is excluded ({})", some(all))
            }
            MissingReason::OtherArch(all) => {
                write!(f, "`{request}` exists for another architecture only ({})", some(all))
            }
            MissingReason::OtherVersion(all) => {
                write!(f, "no package matches `{request}`, there is only {}", some(all))
            }
        }
    }
}

impl ResolveError {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotFound { missing, .. } => missing.iter().find_map(Missing::hint),
            Self::Unsatisfiable { hints, .. } => (!hints.is_empty()).then(|| hints.join("; ")),
            Self::Arch { .. } => Some(
                "common ones are `x86_64`, `aarch64`, `ppc64le`, `s390x`, `riscv64`".to_owned(),
            ),
            Self::Record { .. } => Some("exclude the repository, or have it repaired".to_owned()),
            Self::Request { .. } | Self::TooLarge => None,
        }
    }
}

impl Missing {
    fn hint(&self) -> Option<String> {
        match &self.why {
            MissingReason::Unknown(near) if near.is_empty() => {
                Some("no name in these repositories is like it: add the one that has it".to_owned())
            }
            MissingReason::Unknown(near) => {
                let names: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
                Some(format!("did you mean {}?", names.join(" or ")))
            }
            MissingReason::Excluded(_) => {
                Some("take the pattern out of `exclude`, or request something else".to_owned())
            }
            MissingReason::OtherArch(_) => {
                Some("add a repository for the image's architecture".to_owned())
            }
            MissingReason::OtherVersion(_) => {
                Some("request another version, or leave the version out".to_owned())
            }
        }
    }
}

/// A list of packages for a sentence, cut where it would drown the sentence.
pub(crate) fn some(all: &[Nevra]) -> String {
    const SHOWN: usize = 3;
    let mut text: Vec<_> = all
        .iter()
        .take(SHOWN)
        .map(|nevra| format!("`{}`", printable(&nevra.to_string())))
        .collect();
    if all.len() > SHOWN {
        text.push(format!("{} more", all.len() - SHOWN));
    }
    match text.pop() {
        Some(last) if text.is_empty() => last,
        Some(last) => format!("{} and {last}", text.join(", ")),
        None => "nothing".to_owned(),
    }
}

fn join<T: fmt::Display>(all: &[T], between: &str) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}

/// Text of a stranger, fit for a terminal: control characters escaped, and not without end.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == LONGEST {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
