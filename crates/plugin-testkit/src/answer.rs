//! What a call gave, as text that an assertion can hold.

use std::fmt::{self, Write as _};
use strata_oci::{Change, Diagnostic, FileOrigin, Severity, SlotValue};
use strata_plugin::Outcome;
use strata_rootfs::{Access, Owner, TreeEdit};

/// What a call gave. Printed, it is all of it, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// A line for each change or path.
    pub lines: Vec<String>,
    /// A line for each finding: `warning: PATH:LINE: MESSAGE (HINT)`.
    pub findings: Vec<String>,
    /// What the plugin logged as warnings and errors.
    pub log: Vec<String>,
}

impl Answer {
    pub(crate) fn new<T>(outcome: Outcome<T>, lines: impl FnOnce(&T) -> Vec<String>) -> Self {
        Self {
            lines: lines(&outcome.value),
            findings: outcome.diagnostics.iter().map(finding).collect(),
            log: outcome.log,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = self.log.iter().map(|line| format!("log: {line}"));
        let all = self.lines.iter().chain(&self.findings).cloned().chain(log);
        f.write_str(&all.collect::<Vec<_>>().join("\n"))
    }
}

fn finding(diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Refusal => "refusal",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let hint = diagnostic.hint.as_ref().map(|hint| format!(" ({hint})"));
    format!("{severity}: {diagnostic}{}", hint.unwrap_or_default())
}

pub(crate) fn change((change, origin): &(Change, Option<FileOrigin>)) -> String {
    let mut text = match change {
        Change::Set(slot, SlotValue::Text(text)) => format!("{slot} = {text:?}"),
        Change::Set(slot, SlotValue::Words(words)) => format!("{slot} = {words:?}"),
        Change::Set(slot, SlotValue::Present) => slot.to_string(),
        Change::Unset(slot) => format!("no {slot}"),
        Change::Clear(field) => format!("no config.{}", field.name()),
    };
    if let Some(origin) = origin {
        // writing to a string cannot fail
        let _ = write!(text, " ({origin})");
    }
    text
}

pub(crate) fn edit(edit: &TreeEdit) -> String {
    match edit {
        TreeEdit::MakeDirectory { path, access: at } => format!("directory {} {path}", access(at)),
        TreeEdit::WriteFile { path, content, access: at } => {
            format!("file {} {path} {:?}", access(at), String::from_utf8_lossy(content))
        }
        TreeEdit::MakeSymlink { path, target } => {
            format!("symlink {path} -> {}", String::from_utf8_lossy(target))
        }
        TreeEdit::SetAccess { path, access: at } => format!("access {} {path}", access(at)),
        TreeEdit::Remove { path } => format!("remove {path}"),
    }
}

fn access(Access { mode, user, group }: &Access) -> String {
    format!("{mode:04o} {}:{}", owner(user), owner(group))
}

fn owner(owner: &Owner) -> String {
    match owner {
        Owner::Id(id) => id.to_string(),
        Owner::Name(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use strata_oci::{ConfigField, Slot};
    use strata_rootfs::TreePath;

    #[test]
    fn a_line_each() {
        let origin = FileOrigin { path: "/x.service".to_owned(), line: Some(3) };
        let env = Slot::key(ConfigField::Env, "A");
        let user = Slot::field(ConfigField::User);
        let port = Slot::key(ConfigField::ExposedPorts, "80/tcp");
        let cmd = Slot::field(ConfigField::Cmd);
        for (one, text) in [
            (
                (Change::Set(env, SlotValue::Text("b c".into())), Some(origin.clone())),
                r#"config.Env.A = "b c" (/x.service:3)"#,
            ),
            ((Change::Set(port, SlotValue::Present), None), "config.ExposedPorts.80/tcp"),
            ((Change::Set(cmd, SlotValue::Words(vec!["a".into()])), None), r#"config.Cmd = ["a"]"#),
            ((Change::Unset(user), None), "no config.User"),
            ((Change::Clear(ConfigField::Env), None), "no config.Env"),
        ] {
            assert_eq!(change(&one), text);
        }
        let path = TreePath::new("/a").unwrap();
        let access = Access { mode: 0o750, user: Owner::Name("web".into()), group: Owner::Id(7) };
        let file = TreeEdit::WriteFile { path, content: (*b"x\n").into(), access };
        assert_eq!(edit(&file), r#"file 0750 web:7 /a "x\n""#);
        let answer = Answer {
            lines: vec!["remove /a".to_owned()],
            findings: vec![finding(&Diagnostic {
                severity: Severity::Warning,
                message: "m".to_owned(),
                origin: Some(origin),
                hint: Some("h".to_owned()),
            })],
            log: vec!["l".to_owned()],
        };
        assert_eq!(answer.to_string(), "remove /a\nwarning: /x.service:3: m (h)\nlog: l");
    }
}
