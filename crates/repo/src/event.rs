//! What a run tells whoever watches it.

use std::fmt;

/// Receives what happens. Called from several threads at once.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _: &Event<'_>) {}
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A metadata file came over the network.
    MetadataFetched {
        /// The repository's id.
        repo: &'a str,
        /// The URL without its credentials.
        url: &'a str,
        /// Bytes of the file.
        bytes: u64,
    },
    /// A repository's packages are known.
    RepositoryLoaded {
        /// The repository's id.
        repo: &'a str,
        /// How many packages it offers.
        packages: usize,
        /// Whether the parsed form was in the cache.
        cached: bool,
    },
    /// A batch of packages begins.
    PackagesWanted {
        /// How many.
        count: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// A package's file is at hand and verified.
    PackageReady {
        /// The repository's id.
        repo: &'a str,
        /// The package's name.
        package: &'a str,
        /// Bytes of the file.
        bytes: u64,
        /// Where it came from.
        origin: PackageOrigin,
    },
    /// A request failed and is made again.
    Retry {
        /// The URL without its credentials.
        url: &'a str,
        /// Which attempt comes next, counted from 2.
        attempt: u32,
        /// What went wrong.
        reason: &'a str,
    },
    /// Something is not as it should be, but the run goes on.
    Warning(&'a Warning),
}

/// Where a package's file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackageOrigin {
    /// Over the network, just now.
    Downloaded,
    /// From the cache.
    Cached,
    /// It is used where the repository has it.
    InPlace,
}

/// Something that is not as it should be, but that a run survives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A key that nobody knows was ignored.
    UnknownKey {
        /// The definition's file and line.
        place: String,
        /// The key.
        key: String,
        /// The known key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A key was ignored because this release cannot do what it asks for.
    UnsupportedKey {
        /// The repository's id.
        repo: String,
        /// The key.
        key: String,
    },
    /// The definition asks for signatures to be checked.
    SignaturesNotVerified {
        /// The repository's id.
        repo: String,
    },
    /// A package is left out because its metadata cannot be understood.
    PackageSkipped {
        /// The repository's id.
        repo: String,
        /// The package's name.
        package: String,
        /// What is wrong with it.
        reason: String,
    },
    /// As many more packages are left out.
    MorePackagesSkipped {
        /// The repository's id.
        repo: String,
        /// How many.
        count: usize,
    },
    /// A base did not give a file; another one will be asked.
    BaseFailed {
        /// The repository's id.
        repo: String,
        /// What happened, with the URL.
        failure: String,
    },
    /// A cache entry was damaged and is made again.
    CacheDamaged {
        /// The entry.
        key: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey { place, key, nearest } => {
                write!(f, "{place}: unknown key `{key}` is ignored")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
                    None => Ok(()),
                }
            }
            Self::UnsupportedKey { repo, key } => {
                write!(f, "repository `{repo}`: `{key}` is not supported yet and is ignored")
            }
            Self::SignaturesNotVerified { repo } => {
                write!(f, "repository `{repo}`: signatures are not verified yet")
            }
            Self::PackageSkipped { repo, package, reason } => {
                write!(f, "repository `{repo}`: package `{package}` is left out: {reason}")
            }
            Self::MorePackagesSkipped { repo, count } => {
                write!(f, "repository `{repo}`: {count} more packages are left out")
            }
            Self::BaseFailed { repo, failure } => write!(f, "repository `{repo}`: {failure}"),
            Self::CacheDamaged { key } => {
                write!(f, "cache entry `{key}` was damaged and is made again")
            }
        }
    }
}
