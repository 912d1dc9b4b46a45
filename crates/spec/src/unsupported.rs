//! What the documents can say and this release cannot do: refused in words, never ignored. A check
//! is removed here when its stage learns the thing.

use crate::{
    ComposeSpec, Located, Overlay, PluginUse, SpecError, compose::Settings, error::Problem,
};

/// Refuses a compose file that asks for more than this release does.
pub(crate) fn in_compose(spec: &ComposeSpec) -> Result<(), SpecError> {
    in_settings(&spec.defaults)?;
    for image in spec.images.values() {
        in_settings(&image.settings)?;
        image.packages.iter().try_for_each(group)?;
    }
    Ok(())
}

fn in_settings(settings: &Settings) -> Result<(), SpecError> {
    if let Some(stream) = settings.modules.first() {
        return refuse(stream, "module streams are", "name the packages themselves");
    }
    Ok(())
}

fn group(request: &Located<String>) -> Result<(), SpecError> {
    match request.value.starts_with('@') {
        true => refuse(request, "package groups (`@group`) are", "name the packages themselves"),
        false => Ok(()),
    }
}

fn refuse<T>(at: &Located<T>, what: &str, hint: &str) -> Result<(), SpecError> {
    let problem = Problem::Unsupported { what: what.to_owned(), hint: Some(hint.to_owned()) };
    Err(at.place.clone().error(problem))
}

impl Overlay {
    /// Refuses an overlay that asks for more than this release can build. Kept apart from parsing,
    /// so that other commands can still read the document.
    pub fn check_supported(&self) -> Result<(), SpecError> {
        self.plugins.values().flatten().try_for_each(PluginUse::check_supported)
    }
}

impl PluginUse {
    /// Refuses plugins of registries.
    pub(crate) fn check_supported(&self) -> Result<(), SpecError> {
        match self.reference.value.starts_with("oci://") {
            true => refuse(
                &self.reference,
                "plugins from registries (`oci://`) are",
                "fetch the component and write its path, which ends in `.wasm`",
            ),
            false => Ok(()),
        }
    }
}
