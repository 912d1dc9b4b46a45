//! A plugin that is ready to be called, and what it answers.

use crate::{
    PluginError, PluginErrorKind, Settings, settings,
    v0_1::{Call, Component},
};
use std::{collections::BTreeSet, fmt, sync::Arc};
use strata_oci::{Annotations, Digest, Mapping, Outcome, Role, RuntimeConfig};
use strata_rootfs::{FilePolicy, ImageView, TreeEdits};
use strata_rpm::Package;

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Short name.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// All settings.
    pub settings: Vec<SettingInfo>,
}

/// A setting that a plugin has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingInfo {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub summary: String,
}

/// A plugin, to be called from any thread. No call leaves anything behind for the next one.
#[derive(Clone)]
pub struct Plugin {
    name: Arc<str>,
    component: Arc<Component>,
}

impl Plugin {
    pub(crate) fn new(name: &str, component: Arc<Component>) -> Self {
        Self { name: name.into(), component }
    }

    /// How the user refers to it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.component.digest()
    }

    /// Version of the plugin API that it was built for.
    pub fn api_version(&self) -> &str {
        crate::inspect::API
    }

    /// What it can do.
    pub fn roles(&self) -> &BTreeSet<Role> {
        self.component.roles()
    }

    /// What it says of itself.
    pub fn describe(&self) -> Result<Description, PluginError> {
        self.described().cloned()
    }

    fn described(&self) -> Result<&Description, PluginError> {
        let settings = Settings::new();
        self.component.describe(&self.call(&settings, None))
    }

    /// Refuses settings that the plugin does not know. What they may be, only its calls tell.
    pub fn check_settings(&self, settings: &Settings) -> Result<(), PluginError> {
        if settings.is_empty() {
            return Ok(());
        }
        let known = &self.described()?.settings;
        settings::check(settings, known).map_err(|kind| PluginError::new(&self.name, kind))
    }

    /// As [`Role::PackageFilter`]: the files of a package that are left out.
    pub fn exclude(
        &self,
        settings: &Settings,
        package: &Package,
    ) -> Result<Outcome<FilePolicy>, PluginError> {
        self.has(Role::PackageFilter)?;
        self.component.exclude(&self.call(settings, None), package)
    }

    /// As [`Role::PostProcessor`]: changes of the tree.
    pub fn process(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<TreeEdits>, PluginError> {
        self.has(Role::PostProcessor)?;
        self.component.process(&self.call(settings, Some(image)))
    }

    /// As [`Role::MetadataMapper`]: changes of the configuration. A refusal among the findings
    /// counts when nothing stronger gives a command line.
    pub fn map(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
    ) -> Result<Outcome<Mapping>, PluginError> {
        self.has(Role::MetadataMapper)?;
        self.component.map(&self.call(settings, Some(image)))
    }

    /// As [`Role::Policy`]: findings about the finished image; refusals always count.
    pub fn check(
        &self,
        settings: &Settings,
        image: &ImageView<'_>,
        config: &RuntimeConfig,
        annotations: &Annotations,
    ) -> Result<Outcome<()>, PluginError> {
        self.has(Role::Policy)?;
        self.component.check(&self.call(settings, Some(image)), config, annotations)
    }

    fn has(&self, role: Role) -> Result<(), PluginError> {
        match self.roles().contains(&role) {
            true => Ok(()),
            false => Err(PluginError::new(&self.name, PluginErrorKind::NotThisRole(role))),
        }
    }

    fn call<'a>(&'a self, settings: &'a Settings, image: Option<&ImageView<'a>>) -> Call<'a> {
        Call { plugin: &self.name, settings, image: image.copied() }
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("name", &self.name).field("digest", &self.digest()).finish()
    }
}
