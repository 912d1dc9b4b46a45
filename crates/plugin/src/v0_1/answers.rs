//! What calls return, checked.

use super::{api::types, exports};
use crate::{Mapping, PluginErrorKind, Role, checked, limits, text};
use std::collections::BTreeSet;
use strata_oci::{Change, ConfigField, Diagnostic, FileOrigin, Severity, Slot, SlotValue};
use strata_rootfs::{Access, Owner, TreeEdit, TreeEdits};

/// An answer that is no result.
pub(super) struct Bad(PluginErrorKind);

impl From<Bad> for PluginErrorKind {
    fn from(bad: Bad) -> Self {
        bad.0
    }
}

impl From<checked::Wrong> for Bad {
    fn from(wrong: checked::Wrong) -> Self {
        Self(PluginErrorKind::Gave(wrong))
    }
}

/// The plugin's own error.
pub(super) fn error(error: types::Error) -> Bad {
    let hint = |hint: Option<String>| hint.map(|hint| text::line(&hint));
    Bad(match error {
        types::Error::Setting(setting) => PluginErrorKind::Setting {
            name: text::line(&setting.name),
            message: text::line(&setting.message),
            hint: hint(setting.hint),
        },
        types::Error::Refused(refusal) => match origin(refusal.origin) {
            Ok(origin) => PluginErrorKind::Refused {
                message: text::line(&refusal.message),
                origin,
                hint: hint(refusal.hint),
            },
            Err(bad) => return bad,
        },
        types::Error::Internal(message) => PluginErrorKind::Internal(text::line(&message)),
    })
}

fn few<T>(
    call: &'static str,
    what: &'static str,
    most: usize,
    items: Vec<T>,
) -> Result<Vec<T>, Bad> {
    match items.len() > most {
        true => Err(Bad(PluginErrorKind::Output { call, most, what })),
        false => Ok(items),
    }
}

/// Positions in a list of `count` files.
pub(super) fn indexes(indexes: Vec<u32>, count: usize) -> Result<BTreeSet<u32>, Bad> {
    let wrong = |index: &u32| format!("position {index}, but the package has {count} files");
    match indexes.iter().find(|index| **index as usize >= count) {
        Some(index) => Err(wrong(index).into()),
        None => Ok(indexes.into_iter().collect()),
    }
}

/// Findings; only some roles may refuse.
pub(super) fn diagnostics(
    call: &'static str,
    role: Role,
    items: Vec<types::Diagnostic>,
) -> Result<Vec<Diagnostic>, Bad> {
    let items = few(call, "findings", limits::DIAGNOSTICS, items)?;
    items.into_iter().map(|item| diagnostic(role, item)).collect()
}

fn diagnostic(role: Role, item: types::Diagnostic) -> Result<Diagnostic, Bad> {
    let severity = match item.severity {
        types::Severity::Refusal => Severity::Refusal,
        types::Severity::Warning => Severity::Warning,
        types::Severity::Note => Severity::Note,
    };
    let message = text::line(&item.message);
    if message.is_empty() {
        return Err("a finding without a message".to_owned().into());
    }
    if severity == Severity::Refusal && !matches!(role, Role::MetadataMapper | Role::Policy) {
        let message = text::quoted(&item.message);
        return Err(format!("the refusal {message}: a {role} returns an error instead").into());
    }
    let hint = item.hint.map(|hint| text::line(&hint)).filter(|hint| !hint.is_empty());
    Ok(Diagnostic { severity, message, origin: origin(item.origin)?, hint })
}

/// A place is shown, never opened: whatever a file's name may be, it may stand here.
fn origin(origin: Option<types::Origin>) -> Result<Option<FileOrigin>, Bad> {
    let Some(origin) = origin else { return Ok(None) };
    if !origin.path.starts_with('/') {
        let place = text::quoted(&origin.path);
        return Err(format!("the place {place}: a path begins with `/`").into());
    }
    let line = origin.line.filter(|line| *line > 0);
    Ok(Some(FileOrigin { path: text::line(&origin.path), line }))
}

/// Changes of the tree.
pub(super) fn tree_edits(
    call: &'static str,
    edits: Vec<exports::processor::Edit>,
) -> Result<TreeEdits, Bad> {
    let edits = few(call, "changes", limits::EDITS, edits)?;
    Ok(TreeEdits(edits.into_iter().map(tree_edit).collect::<Result<_, _>>()?))
}

fn tree_edit(edit: exports::processor::Edit) -> Result<TreeEdit, checked::Wrong> {
    use exports::processor::Edit;
    Ok(match edit {
        Edit::MakeDirectory(made) => TreeEdit::MakeDirectory {
            path: checked::new_path("directory", &made.path)?,
            access: access(&made.path, made.access)?,
        },
        Edit::WriteFile(file) => TreeEdit::WriteFile {
            path: checked::new_inner_path("file", &file.path)?,
            access: access(&file.path, file.access)?,
            content: file.content.into(),
        },
        Edit::MakeSymlink(link) => TreeEdit::MakeSymlink {
            path: checked::new_inner_path("link", &link.path)?,
            target: checked::target(&link.path, link.target)?,
        },
        Edit::SetAccess(change) => TreeEdit::SetAccess {
            path: checked::path("path", &change.path)?,
            access: access(&change.path, change.access)?,
        },
        Edit::Remove(path) => {
            TreeEdit::Remove { path: checked::inner_path("path to remove", &path)? }
        }
    })
}

fn access(at: &str, access: exports::processor::Access) -> Result<Access, checked::Wrong> {
    Ok(Access {
        mode: checked::mode(at, access.mode)?,
        user: owner(at, access.user)?,
        group: owner(at, access.group)?,
    })
}

fn owner(at: &str, owner: exports::processor::Owner) -> Result<Owner, checked::Wrong> {
    use exports::processor::Owner as Raw;
    match owner {
        // "no change" to the system calls that set owners
        Raw::Id(u32::MAX) => Err(format!("owner {} for {}", u32::MAX, text::quoted(at))),
        Raw::Id(id) => Ok(Owner::Id(id)),
        Raw::Name(name) => Ok(Owner::Name(checked::account(at, name)?)),
    }
}

/// Changes of the configuration.
pub(super) fn changes(
    call: &'static str,
    edits: Vec<exports::mapper::Edit>,
) -> Result<Mapping, Bad> {
    let edits = few(call, "changes", limits::EDITS, edits)?;
    edits.into_iter().map(|edit| Ok((change(edit.change)?, origin(edit.origin)?))).collect()
}

fn change(change: exports::mapper::Change) -> Result<Change, checked::Wrong> {
    use ConfigField as F;
    use exports::mapper::Change as Raw;
    let field = |field, text| (Slot::field(field), SlotValue::Text(text));
    let pair = |field, key, text| (Slot::key(field, key), SlotValue::Text(text));
    let (slot, value) = match change {
        Raw::Entrypoint(words) => {
            let words = checked::words("an entry point", words)?;
            (Slot::field(F::Entrypoint), SlotValue::Words(words))
        }
        Raw::Cmd(words) => {
            (Slot::field(F::Cmd), SlotValue::Words(checked::words("a command", words)?))
        }
        Raw::User(user) => field(F::User, checked::user(user)?),
        Raw::WorkingDir(path) => {
            checked::new_path("working directory", &path)?;
            field(F::WorkingDir, path)
        }
        Raw::StopSignal(signal) => field(F::StopSignal, checked::signal(signal)?),
        Raw::Env((name, value)) => {
            pair(F::Env, checked::variable(name)?, checked::value("a variable's value", value)?)
        }
        Raw::Port(port) => (Slot::key(F::ExposedPorts, checked::port(&port)?), SlotValue::Present),
        Raw::Volume(path) => {
            checked::new_inner_path("volume", &path)?;
            (Slot::key(F::Volumes, path), SlotValue::Present)
        }
        Raw::Label((name, value)) => {
            pair(F::Labels, checked::key("label", name)?, checked::value("a label's value", value)?)
        }
        Raw::Annotation((name, value)) => pair(
            F::Annotations,
            checked::key("annotation", name)?,
            checked::value("an annotation's value", value)?,
        ),
    };
    Ok(Change::Set(slot, value))
}
