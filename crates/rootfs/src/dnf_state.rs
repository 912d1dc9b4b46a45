//! What dnf remembers of an installation, for images that have dnf: why each package is there, and
//! from which repository. Without it `dnf autoremove` keeps everything, and `dnf remove` leaves the
//! dependencies of what it removes.
//!
//! Deliberate differences from dnf's own: the transaction is dated with the image's epoch, its
//! command line names the packages that were asked for, and members of groups count as asked for.

mod history;
mod toml;

use crate::{Node, Tree, TreePath};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::Nevra;

/// Why a package is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Somebody asked for it.
    User,
    /// Another package requires it.
    Dependency,
    /// Another package recommends it, or it supplements one.
    Weak,
}

/// One installed package.
#[derive(Debug, Clone, Copy)]
pub struct DnfPackage<'a> {
    /// Its full name.
    pub nevra: &'a Nevra,
    /// Why it is there.
    pub reason: Reason,
    /// The id of its repository; `@commandline` for a package that was given as a file.
    pub repo: &'a str,
}

/// An installation.
#[derive(Debug, Clone, Copy)]
pub struct DnfTask<'a> {
    /// The packages in the order of their installation, which is that of the rpmdb.
    pub packages: &'a [DnfPackage<'a>],
    /// Seconds since 1970.
    pub time: u64,
    /// `$releasever`; may be empty.
    pub releasever: &'a str,
}

/// A generation of dnf: each keeps its state in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dnf {
    /// dnf 4, and what else uses its library (microdnf).
    Four,
    /// dnf 5.
    Five,
}

/// A file of dnf's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnfFile {
    /// Where it lies, from the root.
    pub path: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The database engine failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the history of dnf")]
pub struct DnfStateError(#[from] rusqlite::Error);

impl Dnf {
    /// The generations in a tree: by the library, which every program of the family needs (dnf,
    /// microdnf and PackageKit; dnf5 and its daemon).
    ///
    /// `libdnf.so.2` is as old as the history that is written here, or older only in releases whose
    /// rpmdb is Berkeley DB.
    pub fn in_tree(tree: &Tree) -> Vec<Self> {
        let library = |(path, node): (&TreePath, &Node)| {
            let below =
                ["usr/lib", "lib"].iter().any(|top| path.as_bytes().starts_with(top.as_bytes()));
            match path.file_name() {
                _ if !below || node.is_dir() => None,
                b"libdnf.so.2" => Some(Self::Four),
                name if name.starts_with(b"libdnf5.so.") => Some(Self::Five),
                _ => None,
            }
        };
        let found: BTreeSet<Self> = tree.iter().filter_map(library).collect();
        found.into_iter().collect()
    }

    /// Whether packages of these names may bring a dnf: what can be said before there is a tree.
    pub fn may_be_among<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
        names.into_iter().any(|name| name.contains("dnf"))
    }

    /// The files that this generation would have left.
    pub fn state(self, task: &DnfTask<'_>) -> Result<Vec<DnfFile>, DnfStateError> {
        Ok(match self {
            Self::Four => {
                vec![DnfFile { path: "var/lib/dnf/history.sqlite", bytes: history::write(task)? }]
            }
            Self::Five => toml::write(task),
        })
    }
}

/// rpm's cookie of a database: a digest of all names with the numbers of their packages.
fn cookie(packages: &[DnfPackage<'_>]) -> String {
    let mut names = BTreeMap::<&str, Vec<u32>>::new();
    for (package, number) in packages.iter().zip(1u32..) {
        names.entry(&package.nevra.name).or_default().push(number);
    }
    let mut digest = Sha256::new();
    for (name, numbers) in names {
        digest.update(name);
        for number in numbers {
            // as the machine holds it; all but s390x are little-endian
            digest.update(number.to_le_bytes());
        }
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests;
