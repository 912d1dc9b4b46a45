//! dnf 5: one small document a kind of fact.

use super::{DnfFile, DnfTask, Reason, cookie};
use std::{collections::BTreeMap, fmt::Write};

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Dependency => "Dependency",
            Self::Weak => "Weak Dependency",
        }
    }
}

pub(super) fn write(task: &DnfTask<'_>) -> Vec<DnfFile> {
    let mut reasons = BTreeMap::<String, Reason>::new();
    let mut origins = BTreeMap::<String, &str>::new();
    for package in task.packages {
        let nevra = package.nevra;
        // of several versions the strongest reason counts
        let reason = reasons.entry(format!("{}.{}", nevra.name, nevra.arch));
        let reason = reason.or_insert(package.reason);
        *reason = (*reason).min(package.reason);
        origins.insert(format!("{}-{}.{}", nevra.name, nevra.evr, nevra.arch), package.repo);
    }
    let reasons = reasons.iter().map(|(name, reason)| (name.as_str(), "reason", reason.word()));
    let origins = origins.iter().map(|(name, repo)| (name.as_str(), "from_repo", *repo));
    let cookie = cookie(task.packages);
    let file = |path: &'static str, text: String| DnfFile { path, bytes: text.into_bytes() };
    vec![
        file("usr/lib/sysimage/libdnf5/environments.toml", table("environments", [])),
        file("usr/lib/sysimage/libdnf5/groups.toml", table("groups", [])),
        file("usr/lib/sysimage/libdnf5/modules.toml", table("modules", [])),
        file("usr/lib/sysimage/libdnf5/nevras.toml", table("nevras", origins)),
        file("usr/lib/sysimage/libdnf5/packages.toml", table("packages", reasons)),
        file(
            "usr/lib/sysimage/libdnf5/system.toml",
            format!("version = \"1.0\"\n[system]\nrpmdb_cookie = {}\n", quoted(&cookie)),
        ),
    ]
}

/// A table of tables of one value each.
fn table<'a>(name: &str, rows: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> String {
    let mut text = format!("version = \"1.0\"\n[{name}]\n");
    for (row, key, value) in rows {
        let _ = writeln!(text, "{} = {{ {key} = {} }}", quoted(row), quoted(value));
    }
    text
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
