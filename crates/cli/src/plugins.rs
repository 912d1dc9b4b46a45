//! Plugins for the stages: bundled ones by name, others by path, run by `strata_plugin`.

pub(crate) mod commands;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use strata_compose::{Mapped, Outcome, PluginFailure, PluginHost, Role, Settings};
use strata_oci::{Annotations, Digest, RuntimeConfig};
use strata_plugin::{BUNDLED, Host, PluginError, bundled};
use strata_rootfs::{FilePolicy, ImageView, TreeEdits};
use strata_rpm::Package;
use strata_spec::nearest;

/// Plugins by their references.
pub(crate) struct Plugins {
    cache: PathBuf,
    /// Made when the first plugin is asked for: most runs have none.
    host: OnceLock<Result<Host, PluginFailure>>,
}

impl Plugins {
    /// With compiled components in `plugins/` of the cache.
    pub fn new(cache: &Path) -> Self {
        Self { cache: cache.join("plugins"), host: OnceLock::new() }
    }

    /// A plugin, and the size of its component.
    fn open(
        &self,
        reference: &str,
        base: &Path,
    ) -> Result<(strata_plugin::Plugin, usize), PluginFailure> {
        let host = self.host.get_or_init(|| Host::new(Some(&self.cache)).map_err(failure));
        let host = host.as_ref().map_err(PluginFailure::clone)?;
        let load = |bytes: &[u8]| Ok((host.load(reference, bytes).map_err(failure)?, bytes.len()));
        if let Some(bytes) = bundled(reference) {
            return load(bytes);
        }
        if reference.ends_with(".wasm") {
            let path = base.join(reference);
            let bytes = std::fs::read(&path).map_err(|error| {
                refused(
                    format!("cannot read `{}`: {error}", path.display()),
                    Some("a relative path counts from the document that names it".to_owned()),
                )
            })?;
            return load(&bytes);
        }
        Err(unknown(reference))
    }
}

impl PluginHost for Plugins {
    fn load(
        &self,
        reference: &str,
        base: &Path,
    ) -> Result<Arc<dyn strata_compose::Plugin>, PluginFailure> {
        let (plugin, _) = self.open(reference, base)?;
        let roles = plugin.roles().iter().copied().map(role).collect();
        Ok(Arc::new(Ready { plugin, roles }))
    }
}

/// A plugin behind the port of the stages.
struct Ready {
    plugin: strata_plugin::Plugin,
    roles: BTreeSet<Role>,
}

impl strata_compose::Plugin for Ready {
    fn digest(&self) -> Digest {
        self.plugin.digest()
    }

    fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    fn check_settings(&self, settings: &Settings) -> Result<(), PluginFailure> {
        self.plugin.check_settings(settings).map_err(failure)
    }

    fn exclude(
        &self,
        settings: &Settings,
        package: &Package,
    ) -> Result<Outcome<FilePolicy>, PluginFailure> {
        outcome(self.plugin.exclude(settings, package))
    }

    fn process(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<TreeEdits>, PluginFailure> {
        outcome(self.plugin.process(settings, image))
    }

    fn map(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<Mapped>, PluginFailure> {
        outcome(self.plugin.map(settings, image))
    }

    fn check(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
        config: &RuntimeConfig,
        annotations: &Annotations,
    ) -> Result<Outcome<()>, PluginFailure> {
        outcome(self.plugin.check(settings, image, config, annotations))
    }
}

fn role(role: strata_plugin::Role) -> Role {
    match role {
        strata_plugin::Role::PackageFilter => Role::PackageFilter,
        strata_plugin::Role::PostProcessor => Role::PostProcessor,
        strata_plugin::Role::MetadataMapper => Role::MetadataMapper,
        strata_plugin::Role::Policy => Role::Policy,
    }
}

fn outcome<T>(
    called: Result<strata_plugin::Outcome<T>, PluginError>,
) -> Result<Outcome<T>, PluginFailure> {
    let strata_plugin::Outcome { value, diagnostics, log } = called.map_err(failure)?;
    Ok(Outcome { value, diagnostics, log })
}

#[allow(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn failure(error: PluginError) -> PluginFailure {
    PluginFailure { message: error.to_string(), hint: error.hint(), details: error.details() }
}

fn refused(message: String, hint: Option<String>) -> PluginFailure {
    PluginFailure { message, hint, details: Vec::new() }
}

/// A reference that is neither bundled nor a component's path.
fn unknown(reference: &str) -> PluginFailure {
    if reference.starts_with("oci://") {
        return refused(
            "plugins are not taken from a registry yet".to_owned(),
            Some("fetch the component, and give the path of its `.wasm` file".to_owned()),
        );
    }
    let names = || BUNDLED.iter().map(|(name, _)| *name);
    let hint = match nearest(reference, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("bundled are {}", names().collect::<Vec<_>>().join(", ")),
    };
    refused(
        "no such plugin is bundled, and a component's path ends in `.wasm`".to_owned(),
        Some(hint),
    )
}
