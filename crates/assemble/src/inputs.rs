//! What an image is made from: the digest that decides whether an image is current.

use crate::{edits::ConfigEdits, merge::Provenance};
use serde::Serialize;
use std::collections::BTreeMap;
use strata_oci::{Digest, canonical_json};

/// Version of what strata makes of its inputs. It is raised whenever the same inputs give other
/// bytes, so that every image is built anew once.
pub const FORMAT: u32 = 2;

/// All that an image is a function of, known after solving, without any package at hand. Neither
/// the layer plan nor the ids are in it: a change of those alone makes no image stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// rpm's name of the architecture.
    pub arch: String,
    /// The packages, in any order.
    pub packages: Vec<InputPackage>,
    /// The distribution's key where the spec gives one; else the packages decide.
    pub distro: Option<String>,
    /// Whether documentation is installed.
    pub docs: bool,
    /// Languages; all when `None`.
    pub langs: Option<Vec<String>>,
    /// What is done with scriptlets that cannot be interpreted.
    pub scriptlets: String,
    /// The same for single packages of the image, by name, where it is something else.
    pub scriptlets_of: BTreeMap<String, String>,
    /// The epoch when it is given from outside; else the packages decide.
    pub epoch: Option<u64>,
    /// Compressor and level, for example `gzip:2`.
    pub compression: String,
    /// Version of the layer format: it enters the layers' keys, and so must make images stale.
    pub layer_format: u32,
    /// What compose file, overlay and `--set` say of the configuration, without defaults and
    /// plugins.
    pub config: Vec<ConfigEdits>,
    /// Files of the overlay.
    pub files: Vec<InputFile>,
    /// Plugins in the order they run.
    pub plugins: Vec<InputPlugin>,
    /// What the image's own dnf is told of the packages, where it may have one.
    pub dnf: Option<serde_json::Value>,
}

/// A package of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InputPackage {
    /// Checksum of the whole file as its repository gives it, `sha256:…`.
    pub checksum: String,
    /// Full name.
    pub nevra: String,
}

/// A file of the overlay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InputFile {
    /// Where it goes.
    pub path: String,
    /// Digest of its content.
    pub content: Digest,
    /// Permissions.
    pub mode: u16,
    /// Owner as given, name or number; empty when not given.
    pub user: String,
    /// Group, likewise.
    pub group: String,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputPlugin {
    /// Digest of the component.
    pub digest: Digest,
    /// Its configuration.
    pub config: serde_json::Value,
}

impl Inputs {
    /// The canonical JSON whose digest decides: kept apart so that two of them can be compared.
    pub fn canonical(&self) -> Vec<u8> {
        let mut packages = self.packages.clone();
        packages.sort();
        packages.dedup();
        let mut files = self.files.clone();
        files.sort();
        let mut all = serde_json::json!({
            "format": FORMAT,
            "arch": self.arch,
            "packages": packages,
            "policies": {
                "distro": self.distro,
                "docs": self.docs,
                "langs": self.langs,
                "scriptlets": self.scriptlets,
                "scriptlets_of": self.scriptlets_of,
                "epoch": self.epoch,
                "compression": self.compression,
                "layer_format": self.layer_format,
            },
            "config": Provenance::layer(&self.config).outcome(),
            "files": files,
            "plugins": self.plugins,
        });
        if let (Some(dnf), Some(all)) = (&self.dnf, all.as_object_mut()) {
            all.insert("dnf".to_owned(), dnf.clone());
        }
        canonical_json(&all)
    }

    /// The value of [`crate::annotation::INPUTS`].
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }
}
