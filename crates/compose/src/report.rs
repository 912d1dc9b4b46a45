//! What a run answers: values that a program can print or compare.

use crate::{PluginFailure, ScriptletReport};
use serde::Serialize;
use std::fmt;
use strata_oci::{Diagnostic, Digest, FileOrigin, Severity};

/// What `build` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// The images that were asked for, by name and architecture, but those that failed.
    pub images: Vec<ImageReport>,
    /// Those of them that could not be made; they stay as they were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedImage>,
    /// Blobs at the destination that nothing refers to any more, and that were removed.
    pub pruned: Vec<Digest>,
}

/// What became of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageReport {
    /// Its name.
    pub name: String,
    /// Its architecture, by rpm's name.
    pub arch: String,
    /// `current` or `built`.
    pub status: Status,
    /// Of its manifest.
    pub digest: Digest,
    /// What it was made of: see `docs/formats.md`.
    pub inputs: Digest,
    /// Number of packages.
    pub packages: usize,
    /// Number of layers.
    pub layers: usize,
    /// Stored bytes of all its layers.
    pub bytes: u64,
    /// Of those, bytes that the destination did not have before.
    pub new_bytes: u64,
    /// What became of the packages' scripts. Empty for a current image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scriptlets: Vec<ScriptletReport>,
    /// What rpm would have warned of. Empty for a current image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// An image that cannot be made, while others can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedImage {
    /// Its name.
    pub name: String,
    /// Its architecture, by rpm's name.
    pub arch: String,
    /// Why.
    #[serde(flatten)]
    pub failure: PluginFailure,
}

/// A finding of a plugin about an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PluginDiagnostic {
    /// The plugin's reference.
    pub plugin: String,
    /// `refusal`, `warning` or `note`.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The file of the image that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl PluginDiagnostic {
    pub(crate) fn new(plugin: &str, diagnostic: &Diagnostic) -> Self {
        let Diagnostic { severity, message, origin, hint } = diagnostic.clone();
        Self {
            plugin: plugin.to_owned(),
            severity,
            message,
            line: origin.as_ref().and_then(|origin| origin.line),
            file: origin.map(|origin| origin.path),
            hint,
        }
    }
}

impl fmt::Display for PluginDiagnostic {
    /// ``plugin `NAME`: PATH:LINE: MESSAGE; HINT``
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}`: ", self.plugin)?;
        if let Some(path) = &self.file {
            let origin = FileOrigin { path: path.clone(), line: self.line };
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

/// Whether an image had to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its inputs are those it was built from.
    Current,
    /// It was made, and put in place.
    Built,
}

/// What `check` found, for each image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The images that were asked for, by name and architecture, but those that failed.
    pub images: Vec<CheckedImage>,
    /// Images whose plugins cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedImage>,
}

impl CheckReport {
    /// Whether a build would change nothing.
    pub fn is_current(&self) -> bool {
        self.failed.is_empty() && self.images.iter().all(|image| image.changes.is_empty())
    }
}

/// Whether one image is current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedImage {
    /// Its name.
    pub name: String,
    /// Its architecture, by rpm's name.
    pub arch: String,
    /// Why it is out of date, in words; empty when it is current.
    pub changes: Vec<String>,
}

/// The packages of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResolvedReport {
    /// The image's name.
    pub name: String,
    /// Its architecture, by rpm's name.
    pub arch: String,
    /// In installation order.
    pub packages: Vec<PackageReport>,
}

/// One package of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageReport {
    /// `name-[epoch:]version-release.arch`
    pub nevra: String,
    /// The repository's id.
    pub repo: String,
    /// `sha256:…`
    pub checksum: String,
    /// Bytes of the `.rpm` file.
    pub size: u64,
}

/// The layers of all images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanReport {
    /// The shared layers, most widely held first.
    pub layers: Vec<LayerReport>,
    /// The images, by name and architecture.
    pub images: Vec<PlannedImage>,
    /// Images that a plugin keeps from being made. They are planned as they are without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedImage>,
}

/// One shared layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// Names its bytes.
    pub key: Digest,
    /// What is in it, in short.
    pub title: String,
    /// Its packages, `name-[epoch:]version-release.arch`.
    pub packages: Vec<String>,
    /// The images that have it.
    pub images: Vec<String>,
    /// Bytes of file content.
    pub content_bytes: u64,
    /// Stored bytes, where the layer exists already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_bytes: Option<u64>,
}

/// The stack of one image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedImage {
    /// Its name.
    pub name: String,
    /// Its architecture, by rpm's name.
    pub arch: String,
    /// Positions in [`PlanReport::layers`], the lowest first. Its own layers come on top of them.
    pub layers: Vec<usize>,
    /// Layers of its own: state, and files of the overlay.
    pub own_layers: usize,
}
