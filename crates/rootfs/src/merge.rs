//! The merge: from the headers of an image's packages to the tree that rpm would leave on disk.
//!
//! What counts is a fresh root and one transaction without scriptlets. The steps are rpm's own:
//! leave out what the policy excludes ([`crate::policy`]), find out where each path really lies
//! when directory links are followed ([`links`]), decide for each path that several packages list
//! whose file it is ([`decide`]), and put them there in order ([`install`]).
//!
//! One deliberate difference: rpm fails half-way when a package puts files below a directory that
//! a later package turns into a link; here the link counts from the start.

mod decide;
mod install;
mod links;
mod paths;
#[cfg(test)]
mod tests;

use crate::{
    Fate, FilePolicy, Owners, PackageIndex, Tree,
    policy::{self, Policy},
};
use paths::PathId;
use std::fmt;
use strata_rpm::{Nevra, Package};

pub use install::file_node;

/// All that the merge depends on.
#[derive(Debug, Clone, Copy)]
pub struct MergeTask<'a> {
    /// The packages in installation order.
    pub packages: &'a [&'a Package],
    /// Keep documentation (`%doc`).
    pub docs: bool,
    /// What plugins leave out, by position of the package; packages beyond its end are whole.
    pub filters: &'a [FilePolicy],
    /// `%_install_langs`; none: all languages.
    pub langs: Option<&'a [String]>,
    /// Names to numbers.
    pub owners: &'a Owners,
    /// The preferred ELF colour: 2 (64-bit) or 1 (32-bit) where both may be installed; 0 where rpm
    /// knows no colours.
    pub color: u32,
}

/// What the merge found.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The root file system.
    pub tree: Tree,
    /// By package (installation order) and file index.
    pub fates: Vec<Vec<Fate>>,
    /// What rpm would have warned of.
    pub warnings: Vec<Warning>,
}

impl Merged {
    /// The package's `FILESTATES` for the rpmdb, in header order.
    pub fn file_states(&self, package: PackageIndex) -> Vec<u8> {
        let fates = self.fates.get(package.0 as usize).map(Vec::as_slice).unwrap_or_default();
        fates.iter().map(Fate::file_state).collect()
    }
}

/// Something rpm goes on after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// Files of the package become root's, and lose the setuid bit.
    UnknownUser {
        /// Name of the package.
        package: String,
        /// The user that nobody defines.
        user: String,
    },
    /// Files of the package get root's group, and lose the setgid bit.
    UnknownGroup {
        /// Name of the package.
        package: String,
        /// The group that nobody defines.
        group: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownUser { package, user } => {
                write!(f, "`{package}`: user `{user}` does not exist, using root")
            }
            Self::UnknownGroup { package, group } => {
                write!(f, "`{package}`: group `{group}` does not exist, using root")
            }
        }
    }
}

/// Two packages whose files at one path differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path as the later package lists it.
    pub path: String,
    /// The earlier package.
    pub first: Nevra,
    /// The later package.
    pub second: Nevra,
    /// What differs, in words.
    pub difference: &'static str,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, first, second, difference } = self;
        write!(f, "`{path}` of `{second}` and of `{first}` differ in {difference}")
    }
}

/// Why no tree can be made of these packages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// All conflicts, in installation order.
    #[error("{}", list(.0))]
    Conflicts(Vec<Conflict>),
    /// A directory and something else at one place, or a file where a directory is needed.
    #[error("`{path}` of `{package}` cannot be installed: `{at}` is {is} of {owner}")]
    Blocked {
        /// The package that cannot put its file there.
        package: Box<Nevra>,
        /// Its path.
        path: String,
        /// Where the way is blocked.
        at: String,
        /// What is there.
        is: &'static str,
        /// Who put it there, in words.
        owner: String,
    },
    /// Symbolic links that lead in a circle.
    #[error("too many levels of symbolic links on the way to `{path}` of `{package}`")]
    Loop {
        /// The package.
        package: Box<Nevra>,
        /// Its path.
        path: String,
    },
    /// A path that is none.
    #[error("`{package}` has a file whose path is not absolute and canonical: `{path}`")]
    Path {
        /// The package.
        package: Box<Nevra>,
        /// Its path.
        path: String,
    },
    /// A path that is too long for a kernel, or deeper than any real one.
    #[error("`{package}` has a path of {len} bytes and {depth} directories: `{path}…`")]
    Long {
        /// The package.
        package: Box<Nevra>,
        /// The beginning of its path.
        path: String,
        /// Bytes of the real path.
        len: usize,
        /// Components of the real path.
        depth: usize,
    },
    /// A name that means "removed" in an OCI layer.
    #[error("`{package}` has `{path}`, which an OCI layer cannot hold")]
    Whiteout {
        /// The package.
        package: Box<Nevra>,
        /// Its path.
        path: String,
    },
    /// A socket or an unknown type.
    #[error("`{path}` of `{package}` is of a type that an image cannot hold (mode {mode:o})")]
    Type {
        /// The package.
        package: Box<Nevra>,
        /// Its path.
        path: String,
        /// `st_mode` as the header has it.
        mode: u16,
    },
}

impl MergeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Conflicts(all) => {
                let name = &all.first()?.second.name;
                format!(
                    "these packages cannot be installed together: leave one out, for example with `\"exclude\": [\"{name}\"]`"
                )
            }
            Self::Blocked { package, .. } => format!(
                "rpm could not install these packages together either: leave out `{}` or the other one",
                package.name
            ),
            Self::Whiteout { .. } => {
                "names that begin with `.wh.` mark removed files in OCI layers".to_owned()
            }
            Self::Type { .. } => "sockets are made by the program that listens on them".to_owned(),
            Self::Long { .. } => {
                format!(
                    "at most {} bytes and {} directories can be handled",
                    links::MAX_LEN,
                    links::MAX_DEPTH
                )
            }
            Self::Loop { .. } | Self::Path { .. } => return None,
        })
    }
}

/// The first few conflicts, and how many more there are.
fn list(all: &[Conflict]) -> String {
    const SHOWN: usize = 5;
    let mut lines: Vec<String> = all.iter().take(SHOWN).map(Conflict::to_string).collect();
    if all.len() > SHOWN {
        lines.push(format!("and {} more files", all.len() - SHOWN));
    }
    lines.join("\n")
}

/// Computes the tree. Nothing but headers is needed.
pub fn merge(task: &MergeTask<'_>) -> Result<Merged, MergeError> {
    // rpm's `%_transaction_color` is 3 on every architecture that has colours at all.
    let colors = if task.color == 0 { 0 } else { 3 };
    let policy = Policy { docs: task.docs, langs: task.langs, colors };
    let excluded: Vec<_> = (task.packages.iter().enumerate())
        .map(|(at, package)| policy::excluded(package, &policy, task.filters.get(at)))
        .collect();
    let (paths, places) = links::places(task.packages, &excluded)?;
    let actions = decide::decide(task, colors, excluded, &paths, &places)?;
    install::install(task, &actions, paths, &places)
}

/// Where each file really lies; none for what is excluded.
type Places = Vec<Vec<Option<PathId>>>;

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}
