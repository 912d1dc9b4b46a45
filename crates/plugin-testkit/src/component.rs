//! A component under test.

use crate::{Answer, Image, Package, answer};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, sync::OnceLock};
use strata_plugin::{Description, Host, Plugin, PluginError, Role, Settings};

/// A component that the host has accepted. Every call gets a fresh instance, as in a build.
pub struct Component {
    plugin: Plugin,
}

impl Component {
    /// A component's file.
    ///
    /// # Panics
    /// When it cannot be read, or the host refuses it; [`Component::try_bytes`] gives the error.
    pub fn open(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let bytes = std::fs::read(path)
            .unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()));
        Self::bytes(&path.display().to_string(), &bytes)
    }

    /// A component's bytes; `name` is what messages call it.
    ///
    /// # Panics
    /// When the host refuses it.
    pub fn bytes(name: &str, bytes: &[u8]) -> Self {
        Self::try_bytes(name, bytes)
            .unwrap_or_else(|error| panic!("plugin `{name}` cannot be loaded: {error}"))
    }

    /// A component's bytes, or why the host refuses them.
    pub fn try_bytes(name: &str, bytes: &[u8]) -> Result<Self, PluginError> {
        Ok(Self { plugin: host()?.load(name, bytes)? })
    }

    /// What it can do.
    pub fn roles(&self) -> &BTreeSet<Role> {
        self.plugin.roles()
    }

    /// What it says of itself.
    pub fn describe(&self) -> Result<Description, PluginError> {
        self.plugin.describe()
    }

    /// The mapper: a line for each change of the configuration, with its origin.
    ///
    /// ```text
    /// config.Entrypoint = ["/usr/sbin/nginx"] (/usr/lib/systemd/system/nginx.service:2)
    /// ```
    pub fn map(&self, image: &Image, settings: impl IntoSettings) -> Result<Answer, PluginError> {
        let settings = self.settings(settings)?;
        let outcome = self.plugin.map(&settings, &image.view())?;
        Ok(Answer::new(outcome, |edits| edits.iter().map(answer::change).collect()))
    }

    /// The post-processor: a line for each change of the tree.
    ///
    /// ```text
    /// directory 0750 www-data:www-data /var/lib/site
    /// file 0644 0:0 /etc/motd "hello\n"
    /// symlink /etc/localtime -> /usr/share/zoneinfo/UTC
    /// access 0755 0:0 /usr/bin/su
    /// remove /usr/share/games
    /// ```
    pub fn process(
        &self,
        image: &Image,
        settings: impl IntoSettings,
    ) -> Result<Answer, PluginError> {
        let settings = self.settings(settings)?;
        let outcome = self.plugin.process(&settings, &image.view())?;
        Ok(Answer::new(outcome, |edits| edits.0.iter().map(answer::edit).collect()))
    }

    /// The filter: the paths that are left out, in the order of the package.
    pub fn exclude(
        &self,
        package: &Package,
        settings: impl IntoSettings,
    ) -> Result<Answer, PluginError> {
        let settings = self.settings(settings)?;
        let outcome = self.plugin.exclude(&settings, package.header())?;
        Ok(Answer::new(outcome, |policy| {
            policy.excluded.iter().map(|at| package.path(*at)).collect()
        }))
    }

    /// The policy, with the image's [`Image::config`]: it gives findings only.
    pub fn check(&self, image: &Image, settings: impl IntoSettings) -> Result<Answer, PluginError> {
        let settings = self.settings(settings)?;
        let (config, annotations) = image.runtime();
        let outcome = self.plugin.check(&settings, &image.view(), config, annotations)?;
        Ok(Answer::new(outcome, |()| Vec::new()))
    }

    /// Settings are looked at before every call, as a build does.
    fn settings(&self, settings: impl IntoSettings) -> Result<Settings, PluginError> {
        let settings = settings.into_settings();
        self.plugin.check_settings(&settings)?;
        Ok(settings)
    }
}

/// One for all tests of a process: it compiles each component once.
fn host() -> Result<&'static Host, PluginError> {
    static HOST: OnceLock<Host> = OnceLock::new();
    if let Some(host) = HOST.get() {
        return Ok(host);
    }
    let made = Host::new(None)?;
    Ok(HOST.get_or_init(|| made))
}

/// What stands for settings: `()`, pairs of texts, or `json!({…})`.
pub trait IntoSettings {
    /// As the host takes them.
    fn into_settings(self) -> Settings;
}

impl IntoSettings for () {
    fn into_settings(self) -> Settings {
        Settings::new()
    }
}

impl<const N: usize> IntoSettings for [(&str, &str); N] {
    fn into_settings(self) -> Settings {
        self.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }
}

impl IntoSettings for Value {
    /// # Panics
    /// When it is no object.
    fn into_settings(self) -> Settings {
        match self {
            Self::Object(settings) => settings.into_iter().collect(),
            other => panic!("settings are an object, not {other}"),
        }
    }
}

impl IntoSettings for Settings {
    fn into_settings(self) -> Settings {
        self
    }
}
