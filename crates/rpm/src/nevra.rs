//! The full name of a package.

use crate::Evr;
use std::{fmt, str::FromStr};

/// Name, epoch, version, release, architecture; written `name-[epoch:]version-release.arch`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nevra {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub evr: Evr,
    /// rpm's name of the architecture, for example `x86_64` or `noarch`.
    pub arch: String,
}

/// A text that is not a full package name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form name-[epoch:]version-release.arch")]
pub struct ParseNevraError(pub String);

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

impl FromStr for Nevra {
    type Err = ParseNevraError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseNevraError(text.to_owned());
        let (rest, arch) = text.rsplit_once('.').ok_or_else(wrong)?;
        let (rest, release) = rest.rsplit_once('-').ok_or_else(wrong)?;
        let (name, version) = rest.rsplit_once('-').ok_or_else(wrong)?;
        let (epoch, version) = match version.split_once(':') {
            Some((epoch, version)) => (epoch.parse().map_err(|_| wrong())?, version),
            None => (0, version),
        };
        if [name, version, release, arch].iter().any(|part| part.is_empty()) {
            return Err(wrong());
        }
        let evr = Evr { epoch, version: version.to_owned(), release: release.to_owned() };
        Ok(Self { name: name.to_owned(), evr, arch: arch.to_owned() })
    }
}
