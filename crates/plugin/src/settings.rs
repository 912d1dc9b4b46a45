//! Settings of one use of a plugin.

use crate::{PluginErrorKind, SettingInfo};
use std::collections::BTreeMap;

/// By name.
pub type Settings = BTreeMap<String, serde_json::Value>;

/// Refuses names that the plugin does not list.
pub(crate) fn check(settings: &Settings, known: &[SettingInfo]) -> Result<(), PluginErrorKind> {
    let names = || known.iter().map(|setting| setting.name.as_str());
    let Some(name) = settings.keys().find(|name| names().all(|known| known != *name)) else {
        return Ok(());
    };
    Err(PluginErrorKind::UnknownSetting {
        name: name.clone(),
        nearest: nearest(name, names()).map(str::to_owned),
        known: names().map(str::to_owned).collect(),
    })
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > 100 {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= (known.chars().count() / 3).max(1))
        .min()
        .map(|(_, known)| known)
}
