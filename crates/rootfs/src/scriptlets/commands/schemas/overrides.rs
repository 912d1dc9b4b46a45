//! Override files: other defaults for keys, of a distribution or of one desktop of it.

use super::read::{Member, Schema};
use super::text;
use crate::scriptlets::commands::glib::{key_file::KeyFile, table::Table};

/// Puts the defaults of a file in place; gives what is wrong with it.
pub(super) fn apply(schemas: &mut Table<Schema>, bytes: &[u8]) -> Vec<String> {
    let file = match KeyFile::parse(bytes) {
        Ok(file) => file,
        Err(error) => return vec![format!("{error}.  Ignoring this file.")],
    };
    let mut problems = Vec::new();
    for group in &file.groups {
        let (id, desktop) = match group.name.split_once(':') {
            Some((id, desktop)) => (id, Some(desktop)),
            None => (group.name.as_str(), None),
        };
        let Some(schema) = schemas.get_mut(id) else { continue };
        for (name, value) in &group.keys {
            if let Err(problem) = set(schema, desktop, name, value.as_deref()) {
                problems.push(format!(
                    "{problem} (key “{name}” in schema “{}”); ignoring override for this key.",
                    group.name
                ));
            }
        }
    }
    problems
}

fn set(
    schema: &mut Schema,
    desktop: Option<&str>,
    name: &str,
    written: Option<&str>,
) -> Result<(), String> {
    let Some(Member::Key(key)) = schema.members.get_mut(name) else {
        return Err("No such key".to_owned());
    };
    if desktop.is_some() && key.translated.is_some() {
        return Err("Cannot provide per-desktop overrides for localised keys".to_owned());
    }
    let value = text::parse(&key.kind, written.ok_or("the value is not UTF-8")?)?;
    if !key.allows(&value) {
        return Err("the override is outside the range, or not a valid choice".to_owned());
    }
    match desktop {
        Some(desktop) => key.desktops.insert(desktop, value),
        None => key.default = Some(value),
    }
    Ok(())
}
