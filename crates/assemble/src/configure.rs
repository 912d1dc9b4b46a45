//! From the sources of a configuration to the configuration.

use crate::{
    Accounts, AssembleError,
    accounts::number,
    annotation,
    edits::{Author, ConfigEdits},
    merge::Provenance,
};
use std::collections::BTreeMap;
use strata_oci::{Annotations, RuntimeConfig};
use strata_spec::{Account, ConfigField, Located, OverlayFile, Slot, SlotValue};

/// The sources of a configuration, the weakest first, and what names mean in the image.
#[derive(Debug, Clone)]
pub struct ConfigTask<'a> {
    /// See [`crate::defaults`].
    pub defaults: &'a ConfigEdits,
    /// What each plugin found, in the order they ran.
    pub plugins: &'a [ConfigEdits],
    /// `entrypoint` and `expose` of the compose file.
    pub inline: &'a ConfigEdits,
    /// The overlay's parts.
    pub overlay: &'a [ConfigEdits],
    /// `--set`.
    pub sets: &'a ConfigEdits,
    /// The image's accounts.
    pub accounts: &'a Accounts,
}

/// A configuration and where each part of it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    /// `config` of the image configuration.
    pub config: RuntimeConfig,
    /// Annotations of the manifest, [`annotation::USER`] among them.
    pub annotations: Annotations,
    /// Who set what.
    pub provenance: Provenance,
}

/// Layers the sources, and turns the name of the user into numbers.
pub fn configure(task: &ConfigTask<'_>) -> Result<Configured, AssembleError> {
    let sources = std::iter::once(task.defaults)
        .chain(task.plugins)
        .chain([task.inline])
        .chain(task.overlay)
        .chain([task.sets]);
    let merged = Provenance::layer(sources);
    let keys = |field| merged.keys(field).map(|(key, _)| key.to_owned());
    let single = |field| merged.text(field).unwrap_or_default().to_owned();
    let mut annotations = texts(&merged, ConfigField::Annotations);
    let user = merged.get(&Slot::field(ConfigField::User));
    let user = match (merged.text(ConfigField::User), user) {
        (Some(text), Some(setting)) => {
            let (uid, gid) = user_numbers(text, &setting.by, task.accounts)?;
            if text.split(':').any(|part| number(part).is_none()) {
                annotations.insert(annotation::USER.to_owned(), text.to_owned());
            }
            format!("{uid}:{gid}")
        }
        _ => String::new(),
    };
    let config = RuntimeConfig {
        user,
        exposed_ports: keys(ConfigField::ExposedPorts).collect(),
        env: merged.environment(),
        entrypoint: merged.words(ConfigField::Entrypoint),
        cmd: merged.words(ConfigField::Cmd),
        volumes: keys(ConfigField::Volumes).collect(),
        working_dir: single(ConfigField::WorkingDir),
        labels: texts(&merged, ConfigField::Labels),
        stop_signal: single(ConfigField::StopSignal),
        other: BTreeMap::new(),
    };
    Ok(Configured { config, annotations, provenance: merged })
}

fn texts(merged: &Provenance, field: ConfigField) -> BTreeMap<String, String> {
    let text = |(key, value): (&str, &SlotValue)| match value {
        SlotValue::Text(text) => Some((key.to_owned(), text.clone())),
        _ => None,
    };
    merged.keys(field).filter_map(text).collect()
}

/// `name`, `uid`, `name:group`, `uid:gid` and mixtures, as numbers. Without a group it is the
/// user's own.
fn user_numbers(text: &str, by: &Author, accounts: &Accounts) -> Result<(u32, u32), AssembleError> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let (uid, own) = match number(user) {
        Some(uid) => (uid, accounts.primary_group(uid)),
        None => find_user(user, by, accounts)?,
    };
    let gid = match group {
        None => own,
        Some(group) => match number(group) {
            Some(gid) => gid,
            None => find_group(group, by, accounts)?,
        },
    };
    Ok((uid, gid))
}

fn find_user(name: &str, by: &Author, accounts: &Accounts) -> Result<(u32, u32), AssembleError> {
    let hint = || hint(name, accounts.users.keys());
    accounts.user(name).ok_or_else(|| AssembleError::account("user", name, by, hint()))
}

fn find_group(name: &str, by: &Author, accounts: &Accounts) -> Result<u32, AssembleError> {
    let hint = || hint(name, accounts.groups.keys());
    accounts.group(name).ok_or_else(|| AssembleError::account("group", name, by, hint()))
}

fn hint<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    if let Some(nearest) = strata_spec::nearest(name, known.iter().copied()) {
        return format!("did you mean `{nearest}`?");
    }
    let known = if known.is_empty() { vec!["root"] } else { known };
    let shown: Vec<String> = known.iter().take(12).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > shown.len() { " …" } else { "" };
    format!(
        "install the package that makes it, or use a number; there are {}{more}",
        shown.join(", ")
    )
}

/// Numeric owner and group of an overlay's file; root where the overlay says nothing.
pub fn owner(file: &OverlayFile, accounts: &Accounts) -> Result<(u32, u32), AssembleError> {
    let by = |at: &Located<Account>| Author::Document(at.place.clone());
    let uid = match &file.user {
        None => 0,
        Some(at) => match &at.value {
            Account::Id(id) => *id,
            Account::Name(name) => find_user(name, &by(at), accounts)?.0,
        },
    };
    let gid = match &file.group {
        None => 0,
        Some(at) => match &at.value {
            Account::Id(id) => *id,
            Account::Name(name) => find_group(name, &by(at), accounts)?,
        },
    };
    Ok((uid, gid))
}
