//! `exclude` and `includepkgs`: which packages of a repository are seen.

use strata_rpm::{Evr, Nevra, PackageRecord, glob::matches as glob};

/// Keeps the packages that `include` names (all, when it is empty) and `exclude` does not.
pub(crate) fn apply(packages: &mut Vec<PackageRecord>, exclude: &[String], include: &[String]) {
    if exclude.is_empty() && include.is_empty() {
        return;
    }
    let names = |patterns: &[String], package: &PackageRecord| {
        patterns.iter().any(|pattern| matches(pattern, &package.nevra))
    };
    packages.retain(|package| {
        (include.is_empty() || names(include, package)) && !names(exclude, package)
    });
}

/// Whether a glob means a package, in any of the forms that `dnf` takes: name, name.arch,
/// name-version, name-version-release, and the last two with an epoch or an architecture.
fn matches(pattern: &str, nevra: &Nevra) -> bool {
    let Nevra { name, evr: Evr { epoch, version, release }, arch } = nevra;
    let plain = format!("{name}-{version}-{release}");
    let with_epoch = format!("{name}-{epoch}:{version}-{release}");
    glob(pattern, name)
        || glob(pattern, &format!("{name}.{arch}"))
        || glob(pattern, &format!("{name}-{version}"))
        || glob(pattern, &format!("{name}-{epoch}:{version}"))
        || [plain, with_epoch]
            .iter()
            .any(|full| glob(pattern, full) || glob(pattern, &format!("{full}.{arch}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn forms_of_a_name() {
        let nevra: Nevra = "openssl-1:3.0.7-2.el9.x86_64".parse().unwrap();
        for pattern in [
            "openssl",
            "openssl.x86_64",
            "openssl-3.0.7",
            "openssl-3.0.7-2.el9",
            "openssl-1:3.0.7-2.el9.x86_64",
            "openssl-3.0.7-2.el9.x86_64",
            "open*",
        ] {
            assert!(matches(pattern, &nevra), "{pattern}");
        }
        for pattern in ["openssl.i686", "openssl-0:3.0.7-2.el9.x86_64", "openssl-libs", "ssl"] {
            assert!(!matches(pattern, &nevra), "{pattern}");
        }
    }
}
