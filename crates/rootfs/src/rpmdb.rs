//! Writes the package database as rpm would have left it after installing the packages in order:
//! `rpmdb.sqlite`, or the two files of SUSE's `ndb`.
//!
//! Sources: rpm's `docs/manual/format_header.md`, and databases that rpm 4.18 made. The original
//! header region goes in byte for byte; what rpm adds on installation follows it. rpm keeps the
//! file in WAL mode; this one is in rollback mode, so that a reader needs nothing beside it, and
//! rpm turns it into its own mode when it first writes.
//!
//! Deliberate differences: no `sqlite_stat1` (the query planner's statistics), and the tags
//! `PACKAGEDIGESTS` and `PACKAGEDIGESTALGOS` of rpm 6 are not added.

mod blob;
mod index;
mod ndb;
mod rich;
mod tables;

pub use ndb::Ndb;

use crate::distro::Backend;
use strata_rpm::{Header, Tag};

/// One installed package.
#[derive(Debug, Clone)]
pub struct DbPackage<'a> {
    /// The package's signature header.
    pub signature: &'a Header,
    /// The package's main header.
    pub header: &'a Header,
    /// `FILESTATES`, one for each file of the header.
    pub states: Vec<u8>,
    /// `INSTALLTIME`
    pub install_time: u32,
    /// `INSTALLTID`, the same for all packages of a transaction.
    pub install_tid: u32,
    /// `INSTALLCOLOR`: the ELF colours that the transaction preferred.
    pub install_color: u32,
}

/// A package that the database cannot take, or a failure of the database engine.
#[derive(Debug, thiserror::Error)]
pub enum RpmdbError {
    /// rpm refuses such a package too.
    #[error("the signature header of `{package}` has an invalid tag {}", tag.0)]
    SignatureTag {
        /// The package.
        package: String,
        /// The tag, by its number in the database.
        tag: Tag,
    },
    /// As many states as files are needed.
    #[error("`{package}` has {files} files, but {states} file states")]
    States {
        /// The package.
        package: String,
        /// Number of files in its header.
        files: usize,
        /// Number of states.
        states: usize,
    },
    /// The header with what rpm adds to it would be too large.
    #[error("the header of `{package}` is too large")]
    TooLarge {
        /// The package.
        package: String,
    },
    /// More than the format can hold.
    #[error("the packages are too many for the format `ndb`")]
    Full,
    /// The database engine failed.
    #[error("cannot write the package database")]
    Sqlite(#[from] rusqlite::Error),
}

impl RpmdbError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::SignatureTag { .. } | Self::TooLarge { .. } => {
                Some("the package is damaged or was tampered with; download it again".to_owned())
            }
            Self::States { .. } | Self::Full | Self::Sqlite(_) => None,
        }
    }
}

/// The bytes of the database that holds these packages, in the order of their installation. The
/// same packages always give the same bytes.
pub fn write(packages: &[DbPackage<'_>]) -> Result<Vec<u8>, RpmdbError> {
    let installed = packages.iter().map(blob::Installed::new);
    let installed: Vec<_> = installed.collect::<Result<_, _>>()?;
    tables::write(&installed)
}

/// The two files of a database in the format `ndb`; as deterministic as [`write`].
pub fn write_ndb(packages: &[DbPackage<'_>]) -> Result<Ndb, RpmdbError> {
    let installed = packages.iter().map(|one| Ok((blob::Installed::new(one)?, one.install_time)));
    let installed: Vec<_> = installed.collect::<Result<_, RpmdbError>>()?;
    ndb::write(&installed)
}

/// The contents of [`Backend::files`], in their order.
pub fn files(packages: &[DbPackage<'_>], backend: Backend) -> Result<Vec<Vec<u8>>, RpmdbError> {
    Ok(match backend {
        Backend::Sqlite => vec![write(packages)?],
        Backend::Ndb => {
            let Ndb { packages, index } = write_ndb(packages)?;
            vec![packages, index]
        }
    })
}

/// The row of one package in the table `Packages`: its header as rpm stores it.
pub fn header_blob(package: &DbPackage<'_>) -> Result<Vec<u8>, RpmdbError> {
    Ok(blob::Installed::new(package)?.blob)
}

#[cfg(test)]
mod tests;
