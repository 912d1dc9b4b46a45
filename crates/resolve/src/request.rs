//! The language of requests: what `dnf install` takes, and one form more.

use std::{convert::Infallible, fmt, str::FromStr};
use strata_rpm::Checksum;

/// One entry of [`ImageRequest::packages`](crate::ImageRequest::packages).
///
/// A text is looked up in dnf's order; the first reading that matches anything counts:
/// 1. `name-[epoch:]version-release.arch`, `name.arch`, `name`, `name-[epoch:]version-release`,
///    `name-[epoch:]version`, each part with the globs `*`, `?` and `[…]`;
/// 2. a glob over the whole `name-[epoch:]version-release.arch`;
/// 3. a capability, with or without a version (`webserver >= 2`, `libc.so.6()(64bit)`), or a rich
///    dependency in parentheses;
/// 4. the path of a file (`/usr/bin/env`, `*/bin/env`).
///
/// Where a text without globs matches several packages, one of them is taken, whichever is best;
/// with globs one of each name.
///
/// Differences from dnf: a rich dependency that has more than alternatives is a requirement of the
/// image as it stands (`(a and b)` takes both, where dnf looks for one package that is both).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// A text as described above.
    Spec(String),
    /// This very package, written `checksum:sha256:…`. A local RPM file is asked for this way.
    Exact(Checksum),
}

const EXACT: &str = "checksum:";

impl FromStr for Request {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let exact = text.strip_prefix(EXACT).and_then(|checksum| checksum.parse().ok());
        Ok(exact.map_or_else(|| Self::Spec(text.to_owned()), Self::Exact))
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(text) => f.write_str(text),
            Self::Exact(checksum) => write!(f, "{EXACT}{checksum}"),
        }
    }
}
