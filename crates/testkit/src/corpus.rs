//! Where the corpus is that `cargo xtask corpus` made.

use crate::tool::missing;
use std::path::PathBuf;

/// A set of real packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// nginx, redis-server, bash, coreutils, python3 and what they need: 105 packages.
    Small,
    /// python3-django, postgresql, nodejs, a Java runtime and more: 175 packages.
    Large,
    /// 401 packages.
    Full,
}

impl Set {
    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Full => "full",
        }
    }
}

/// The repository of a set; none where there is no corpus.
///
/// # Panics
/// When there is none and `STRATA_REQUIRE_CORPUS=1`.
pub fn corpus(set: Set) -> Option<PathBuf> {
    repository(set.name())
}

/// The same set after an update of a few packages.
///
/// # Panics
/// When there is none and `STRATA_REQUIRE_CORPUS=1`.
pub fn corpus_update(set: Set) -> Option<PathBuf> {
    repository(&format!("{}-upd", set.name()))
}

/// Unit files of systemd: a directory a package, `PACKAGE/usr/lib/systemd/system/…`; none where
/// there is no corpus.
///
/// # Panics
/// When there is none and `STRATA_REQUIRE_CORPUS=1`.
pub fn corpus_units() -> Option<PathBuf> {
    let units = directory()?.join("units");
    if units.is_dir() {
        return Some(units);
    }
    missing(&format!(
        "`{}` is missing: make it with `cargo xtask corpus --set units`",
        units.display()
    ))
}

/// Databases of real installations: `NAME/rpmdb.sqlite` for `fedora31`, `fedora26`, `centos8`,
/// `centos8-small` and `centos7`, with all headers, changelogs, scriptlets and file triggers; none
/// where they were not made.
///
/// # Panics
/// When there is none and `STRATA_REQUIRE_CORPUS=1`.
pub fn corpus_rpmdbs() -> Option<PathBuf> {
    let rpmdbs = directory()?.join("rpmdbs");
    if rpmdbs.is_dir() {
        return Some(rpmdbs);
    }
    missing(&format!(
        "`{}` is missing: make it with `cargo xtask corpus --set rpmdbs`",
        rpmdbs.display()
    ))
}

/// A directory of some hundred packages that other projects test with, source packages, deltas and
/// broken ones among them; none where they were not fetched.
///
/// # Panics
/// When there is none and `STRATA_REQUIRE_CORPUS=1`.
pub fn corpus_rpms() -> Option<PathBuf> {
    let rpms = directory()?.join("rpms");
    if rpms.is_dir() {
        return Some(rpms);
    }
    missing(&format!(
        "`{}` is missing: make it with `cargo xtask corpus --set rpms`",
        rpms.display()
    ))
}

/// The repositories of all sets that were made.
///
/// # Panics
/// When there is none and `STRATA_REQUIRE_CORPUS=1`.
pub fn corpora() -> Option<Vec<PathBuf>> {
    let directory = directory()?;
    let sets = [Set::Small, Set::Large, Set::Full].map(|set| directory.join(set.name()));
    let made: Vec<_> =
        sets.into_iter().filter(|set| set.join("repodata/repomd.xml").is_file()).collect();
    if made.is_empty() { repository(Set::Small.name()).map(|set| vec![set]) } else { Some(made) }
}

fn directory() -> Option<PathBuf> {
    match std::env::var_os("STRATA_CORPUS") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => missing(
            "there is no corpus: make it with `cargo xtask corpus` and name its directory in \
             STRATA_CORPUS",
        ),
    }
}

fn repository(name: &str) -> Option<PathBuf> {
    let repository = directory()?.join(name);
    if repository.join("repodata/repomd.xml").is_file() {
        return Some(repository);
    }
    let set = name.trim_end_matches("-upd");
    missing(&format!(
        "`{}` is no repository: make it with `cargo xtask corpus --set {set}`",
        repository.display()
    ))
}
