//! Plugins for the stages: bundled ones by name, others by path, run by `strata_plugin`.

pub(crate) mod commands;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use strata_compose::{ErrorKind, Mapping, Outcome, PluginFailure, PluginHost, Role, Settings};
use strata_oci::{Annotations, Digest, RuntimeConfig};
use strata_plugin::{BUNDLED, Host, PluginError, PluginErrorKind, bundled};
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
                let message = format!("cannot read `{}`: {error}", path.display());
                let hint = "a relative path counts from the document that names it, and one of \
                            `--plugin` from the current directory";
                let kind = ErrorKind::of_read(&error);
                PluginFailure { kind, ..PluginFailure::new(message, Some(hint.to_owned())) }
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
        Ok(Arc::new(Ready(plugin)))
    }
}

/// A plugin behind the port of the stages.
struct Ready(strata_plugin::Plugin);

impl strata_compose::Plugin for Ready {
    fn digest(&self) -> Digest {
        self.0.digest()
    }

    fn roles(&self) -> &BTreeSet<Role> {
        self.0.roles()
    }

    fn check_settings(&self, settings: &Settings) -> Result<(), PluginFailure> {
        self.0.check_settings(settings).map_err(failure)
    }

    fn exclude(
        &self,
        settings: &Settings,
        package: &Package,
    ) -> Result<Outcome<FilePolicy>, PluginFailure> {
        self.0.exclude(settings, package).map_err(failure)
    }

    fn process(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<TreeEdits>, PluginFailure> {
        self.0.process(settings, image).map_err(failure)
    }

    fn map(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<Mapping>, PluginFailure> {
        self.0.map(settings, image).map_err(failure)
    }

    fn check(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
        config: &RuntimeConfig,
        annotations: &Annotations,
    ) -> Result<Outcome<()>, PluginFailure> {
        self.0.check(settings, image, config, annotations).map_err(failure)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "stands in map_err")]
fn failure(error: PluginError) -> PluginFailure {
    let kind = match error.kind() {
        PluginErrorKind::Engine(_) => ErrorKind::Outside,
        _ => ErrorKind::Inputs,
    };
    let details = error.details();
    PluginFailure { details, kind, ..PluginFailure::new(error.to_string(), error.hint()) }
}

/// A reference that is neither bundled nor a component's path.
fn unknown(reference: &str) -> PluginFailure {
    if reference.starts_with("oci://") {
        return PluginFailure::new(
            "plugins are not taken from a registry yet".to_owned(),
            Some("fetch the component, and give the path of its `.wasm` file".to_owned()),
        );
    }
    let names = || BUNDLED.iter().map(|(name, _)| *name);
    let hint = match nearest(reference, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("bundled are {}", names().collect::<Vec<_>>().join(", ")),
    };
    PluginFailure::new(
        "no such plugin is bundled, and a component's path ends in `.wasm`".to_owned(),
        Some(hint),
    )
}
