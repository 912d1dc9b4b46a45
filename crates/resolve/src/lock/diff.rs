//! What changed between two lockfiles, image by image.

use super::{LockedImage, LockedPackage, Lockfile};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};
use strata_rpm::{Checksum, Nevra};

/// What changed in one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageDiff {
    /// The image's name.
    pub name: String,
    /// Its architecture.
    pub arch: String,
    /// Whether the old lockfile has no such image.
    pub is_new: bool,
    /// Whether the new lockfile has no such image.
    pub is_gone: bool,
    /// Whether something else was asked for.
    pub request_changed: bool,
    /// Packages that came.
    pub added: Vec<Nevra>,
    /// Packages that went.
    pub removed: Vec<Nevra>,
    /// Packages of the same name and architecture that are not what they were.
    pub updated: Vec<PackageUpdate>,
}

/// A package before and after. Both names are the same where only the file is another: built or
/// signed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageUpdate {
    /// Before.
    pub old: Nevra,
    /// After.
    pub new: Nevra,
}

/// The images that differ, sorted by name and architecture.
pub fn diff(old: &Lockfile, new: &Lockfile) -> Vec<ImageDiff> {
    let key = |image: &LockedImage| (image.name.clone(), image.arch.clone());
    let (was, is) = (Named::new(old), Named::new(new));
    let keys: BTreeSet<_> = old.images.iter().chain(&new.images).map(key).collect();
    let one = |(name, arch): (String, String)| {
        let before = old.image(&name, &arch);
        let after = new.image(&name, &arch);
        let request = |image: Option<&LockedImage>| image.map(|image| image.request.clone());
        let mut diff = ImageDiff {
            is_new: before.is_none(),
            is_gone: after.is_none(),
            request_changed: before.is_some()
                && after.is_some()
                && request(before) != request(after),
            name,
            arch,
            added: Vec::new(),
            removed: Vec::new(),
            updated: Vec::new(),
        };
        compare(&was.packages(before), &is.packages(after), &mut diff);
        diff
    };
    keys.into_iter().map(one).filter(|diff| !diff.is_empty()).collect()
}

/// The packages of an image by name and architecture.
type ByName<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a LockedPackage>>;

struct Named<'a>(BTreeMap<&'a Checksum, &'a LockedPackage>);

impl<'a> Named<'a> {
    fn new(lock: &'a Lockfile) -> Self {
        Self(lock.packages.iter().map(|package| (&package.checksum, package)).collect())
    }

    fn packages(&self, image: Option<&LockedImage>) -> ByName<'a> {
        let mut all = ByName::new();
        for checksum in image.into_iter().flat_map(|image| &image.packages) {
            if let Some(package) = self.0.get(checksum) {
                let key = (package.nevra.name.as_str(), package.nevra.arch.as_str());
                all.entry(key).or_default().push(package);
            }
        }
        all
    }
}

fn compare(was: &ByName<'_>, is: &ByName<'_>, diff: &mut ImageDiff) {
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    for key in keys {
        let of = |all: &ByName<'_>, other: &ByName<'_>| -> Vec<Nevra> {
            let kept = other.get(key).map_or(&[][..], Vec::as_slice);
            let changed =
                |one: &&&LockedPackage| !kept.iter().any(|other| other.checksum == one.checksum);
            let here = all.get(key).into_iter().flatten();
            here.filter(changed).map(|package| package.nevra.clone()).collect()
        };
        match (&of(was, is)[..], &of(is, was)[..]) {
            ([old], [new]) => {
                diff.updated.push(PackageUpdate { old: old.clone(), new: new.clone() });
            }
            (gone, come) => {
                diff.removed.extend_from_slice(gone);
                diff.added.extend_from_slice(come);
            }
        }
    }
}

impl ImageDiff {
    fn is_empty(&self) -> bool {
        let packages = self.added.is_empty() && self.removed.is_empty() && self.updated.is_empty();
        packages && !self.is_new && !self.is_gone && !self.request_changed
    }
}

impl fmt::Display for ImageDiff {
    /// `web (x86_64)`, then a line for each package, with `+`, `-` or `~` before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let note = match self {
            Self { is_new: true, .. } => ", new",
            Self { is_gone: true, .. } => ", gone",
            Self { request_changed: true, .. } => ", request changed",
            _ => "",
        };
        write!(f, "{} ({}){note}", self.name, self.arch)?;
        for nevra in &self.removed {
            write!(f, "\n  - {nevra}")?;
        }
        for nevra in &self.added {
            write!(f, "\n  + {nevra}")?;
        }
        for PackageUpdate { old, new } in &self.updated {
            if old == new {
                write!(f, "\n  ~ {new} (same version, another file)")?;
            } else {
                write!(f, "\n  ~ {}.{} {} -> {}", new.name, new.arch, old.evr, new.evr)?;
            }
        }
        Ok(())
    }
}
