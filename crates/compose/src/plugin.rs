//! The plugin port: what the stages need of plugins, whoever runs them.

use crate::{ComposeError, ErrorKind};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};
use strata_oci::{Annotations, Digest, Mapping, Outcome, Role, RuntimeConfig};
use strata_rootfs::{FilePolicy, ImageView, TreeEdits};
use strata_rpm::Package;

/// Settings of one use of a plugin, by name.
pub type Settings = BTreeMap<String, serde_json::Value>;

/// Finds plugins and makes them ready.
pub trait PluginHost: Send + Sync {
    /// By a bundled name, or by a path that ends in `.wasm`; a relative one counts from `base`.
    fn load(&self, reference: &str, base: &Path) -> Result<Arc<dyn Plugin>, PluginFailure>;
}

/// A plugin that is ready to be called, from any thread. Each call starts from nothing.
pub trait Plugin: Send + Sync {
    /// Digest of the component.
    fn digest(&self) -> Digest;
    /// What it can do.
    fn roles(&self) -> &BTreeSet<Role>;
    /// Refuses settings that it does not know.
    fn check_settings(&self, settings: &Settings) -> Result<(), PluginFailure>;
    /// [`Role::PackageFilter`]
    fn exclude(
        &self,
        settings: &Settings,
        package: &Package,
    ) -> Result<Outcome<FilePolicy>, PluginFailure>;
    /// [`Role::PostProcessor`]
    fn process(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<TreeEdits>, PluginFailure>;
    /// [`Role::MetadataMapper`]
    fn map(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<Mapping>, PluginFailure>;
    /// [`Role::Policy`]
    fn check(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
        config: &RuntimeConfig,
        annotations: &Annotations,
    ) -> Result<Outcome<()>, PluginFailure>;
}

/// Why there is no plugin, why a call gave no result, or why an image cannot be made with its
/// plugins. It is the trouble of the images that use them, and of no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginFailure {
    /// What went wrong and where. A host leaves the plugin's name to the caller.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The last lines that the plugin logged, then its back trace: for its author.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Whose fault it is.
    #[serde(skip)]
    pub kind: ErrorKind,
}

impl PluginFailure {
    /// The inputs are wrong: as a rule a plugin, or what it was told.
    pub fn new(message: impl Into<String>, hint: Option<String>) -> Self {
        Self { message: message.into(), hint, details: Vec::new(), kind: ErrorKind::Inputs }
    }

    /// An error that would not be there without plugins.
    pub(crate) fn of(when: &str, error: &ComposeError) -> Self {
        Self { kind: error.kind(), ..Self::new(format!("{when}: {error}"), error.hint()) }
    }

    /// With the plugin's name before the message.
    pub(crate) fn named(&self, reference: &str) -> Self {
        Self { message: format!("plugin `{reference}`: {}", self.message), ..self.clone() }
    }
}

/// A host without plugins: it refuses every reference.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPlugins;

impl PluginHost for NoPlugins {
    fn load(&self, _: &str, _: &Path) -> Result<Arc<dyn Plugin>, PluginFailure> {
        Err(PluginFailure::new("this program runs no plugins", None))
    }
}
