//! `strata.lock`: what a resolution found, so that the next one finds the same.
//!
//! The file is JSON with the version first. Its bytes are a function of the value: keys in a fixed
//! order, lists sorted where their order says nothing, two spaces, one entry a line, a final newline;
//! so a change in it reads as what changed.
//!
//! | version | what is new | reader | writer |
//! |---|---|---|---|
//! | 1 | | every release; nobody knows why a package is in an image | none any more |
//! | 2 | images say what was asked for and what is only recommended | this one | this one |
//! | later | | refused in words | – |
//!
//! A file of version 1 means what it meant, and is written anew only when something else changes.

mod text;

use crate::{Reason, error::printable};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{Checksum, Nevra};

/// The version that this code reads and writes.
pub const VERSION: u32 = 2;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockfile {
    /// [`VERSION`].
    pub version: u32,
    /// The repositories by id.
    pub repositories: BTreeMap<String, LockedRepository>,
    /// Every package of every image, sorted by name, version and checksum.
    pub packages: Vec<LockedPackage>,
    /// The images, sorted by name and architecture.
    pub images: Vec<LockedImage>,
    /// The numbers of users and groups, over all images.
    #[serde(default)]
    pub ids: Ids,
    /// How packages are laid out in layers.
    #[serde(default)]
    pub plan: Plan,
    /// Plugins by reference: their digests.
    #[serde(default)]
    pub plugins: BTreeMap<String, String>,
}

/// A repository as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedRepository {
    /// Where it was found; without credentials.
    pub url: String,
    /// Digest of its `repomd.xml`, or of the listing of a plain directory.
    #[serde(with = "text")]
    pub repomd: Checksum,
}

/// A package, enough of it to fetch it again without the repository's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// The full name.
    #[serde(with = "text")]
    pub nevra: Nevra,
    /// Id of its repository.
    pub repository: String,
    /// Its URL, or its place below the repository's.
    pub location: String,
    /// Bytes of the file.
    pub size: u64,
    /// Checksum of the file: the package's identity.
    #[serde(with = "text")]
    pub checksum: Checksum,
    /// Digest of its header, once seen: the same for a package that was only signed anew.
    #[serde(with = "text::option", default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Checksum>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedImage {
    /// Its name.
    pub name: String,
    /// Its architecture, in rpm's words.
    pub arch: String,
    /// Digest of all that decides what the request means. While it stays the same, the packages
    /// answer the request.
    #[serde(with = "text")]
    pub request: Checksum,
    /// The packages' checksums in installation order.
    #[serde(with = "text::list")]
    pub packages: Vec<Checksum>,
    /// Why each of `packages` is there, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasons: Option<LockedReasons>,
}

/// Why the packages of an image are there; the others are dependencies of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedReasons {
    /// Those that a request names, sorted.
    #[serde(with = "text::list")]
    pub requested: Vec<Checksum>,
    /// Those that others recommend or that supplement them, sorted.
    #[serde(with = "text::list")]
    pub weak: Vec<Checksum>,
}

impl LockedReasons {
    /// From the reasons of packages.
    pub fn new<'a>(packages: impl IntoIterator<Item = (&'a Checksum, Reason)>) -> Self {
        let mut this = Self::default();
        for (checksum, reason) in packages {
            match reason {
                Reason::Requested => this.requested.push(checksum.clone()),
                Reason::Weak => this.weak.push(checksum.clone()),
                Reason::Dependency => {}
            }
        }
        this.sort();
        this
    }

    fn sort(&mut self) {
        self.requested.sort();
        self.weak.sort();
    }

    /// Why a package of the image is there.
    pub fn of(&self, package: &Checksum) -> Reason {
        match package {
            one if self.requested.binary_search(one).is_ok() => Reason::Requested,
            one if self.weak.binary_search(one).is_ok() => Reason::Weak,
            _ => Reason::Dependency,
        }
    }
}

/// Numbers of users and groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ids {
    /// By name.
    pub users: BTreeMap<String, u32>,
    /// By name.
    pub groups: BTreeMap<String, u32>,
}

/// A layer plan, as far as the lock keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// In the order of the plan.
    pub layers: Vec<PlannedLayer>,
}

/// A layer of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedLayer {
    /// The images that have it, as `NAME.ARCH`.
    pub images: Vec<String>,
    /// The source packages whose packages are in it for exactly these images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Source packages that more images have, which find them in other layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<PartialSource>,
}

/// A source package that more images have than the layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartialSource {
    /// The source package.
    pub source: String,
    /// All images that have it.
    pub images: Vec<String>,
}

/// Why a text is not a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is not JSON of the right form.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// It is of a later version.
    #[error("version {found} was written by a newer strata; this one knows version {VERSION}")]
    Newer {
        /// The version in the file.
        found: u64,
    },
    /// There is no such version.
    #[error("there is no version {found} of the lockfile")]
    Version {
        /// The version in the file.
        found: u64,
    },
    /// It contradicts itself.
    #[error("{what}")]
    Inconsistent {
        /// The contradiction.
        what: String,
    },
}

impl LockError {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Newer { .. } => {
                "use the strata that wrote it, or remove the file to resolve anew"
            }
            _ => "restore it from version control, or remove it to resolve anew",
        };
        Some(hint.to_owned())
    }
}

impl Lockfile {
    /// Reads a lockfile.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        #[derive(Deserialize)]
        struct Head {
            version: u64,
        }
        let head: Head = serde_json::from_str(text).map_err(|error| syntax(&error))?;
        match head.version {
            found if found > u64::from(VERSION) => return Err(LockError::Newer { found }),
            0 => return Err(LockError::Version { found: 0 }),
            _ => {}
        }
        let mut this: Self = serde_json::from_str(text).map_err(|error| syntax(&error))?;
        // what an older version says, the newest can say too
        this.version = VERSION;
        this.sort();
        this.check()?;
        Ok(this)
    }

    /// The file's bytes; the same for the same content.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut sorted = self.clone();
        sorted.sort();
        // strings and numbers under string keys: nothing that JSON could refuse
        let mut bytes = serde_json::to_vec_pretty(&sorted).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The image of that name and architecture.
    pub fn image(&self, name: &str, arch: &str) -> Option<&LockedImage> {
        self.images.iter().find(|image| image.name == name && image.arch == arch)
    }

    fn sort(&mut self) {
        self.packages.sort_by(|a, b| (&a.nevra, &a.checksum).cmp(&(&b.nevra, &b.checksum)));
        self.images.sort_by(|a, b| (&a.name, &a.arch).cmp(&(&b.name, &b.arch)));
        self.images
            .iter_mut()
            .filter_map(|image| image.reasons.as_mut())
            .for_each(LockedReasons::sort);
    }

    fn check(&self) -> Result<(), LockError> {
        let wrong = |what| Err(LockError::Inconsistent { what });
        let mut known = BTreeSet::new();
        for package in &self.packages {
            if !known.insert(&package.checksum) {
                return wrong(format!("package `{}` is listed twice", package.checksum));
            }
            if !self.repositories.contains_key(&package.repository) {
                let (nevra, repository) = (&package.nevra, printable(&package.repository));
                return wrong(format!(
                    "package `{nevra}` names no known repository `{repository}`"
                ));
            }
        }
        let mut images = BTreeSet::new();
        for image in &self.images {
            let name = printable(&image.name);
            if !images.insert((&image.name, &image.arch)) {
                return wrong(format!("image `{name}` is listed twice for `{}`", image.arch));
            }
            if let Some(checksum) = image.packages.iter().find(|one| !known.contains(one)) {
                return wrong(format!(
                    "image `{name}` has a package that is not listed: `{checksum}`"
                ));
            }
            let mut open: BTreeSet<&Checksum> = image.packages.iter().collect();
            let reasons = image.reasons.iter();
            let mut said = reasons.flat_map(|why| why.requested.iter().chain(&why.weak));
            if let Some(checksum) = said.find(|one| !open.remove(one)) {
                return wrong(format!(
                    "image `{name}` gives a reason for `{checksum}`, which it has not or which has another"
                ));
            }
        }
        Ok(())
    }
}

fn syntax(error: &serde_json::Error) -> LockError {
    let message = error.to_string();
    // serde_json says the place itself, which the error has in its fields
    let message = message.split(" at line ").next().unwrap_or(&message);
    LockError::Syntax { line: error.line(), column: error.column(), message: printable(message) }
}
