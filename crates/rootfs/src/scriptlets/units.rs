//! Units of systemd as far as enabling goes: where they are, their `[Install]` sections, presets.

use super::{
    glob::Pattern,
    shell::{Flow, Shell},
};
use crate::Kind;

/// Whose units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    System,
    /// `--global`: of all users.
    User,
}

impl Scope {
    /// Where the administrator's units and links are.
    pub(super) fn config(self) -> &'static str {
        match self {
            Self::System => "/etc/systemd/system",
            Self::User => "/etc/systemd/user",
        }
    }

    fn directories(self) -> [&'static str; 4] {
        match self {
            Self::System => [
                "/etc/systemd/system",
                "/usr/local/lib/systemd/system",
                "/usr/lib/systemd/system",
                "/lib/systemd/system",
            ],
            Self::User => [
                "/etc/systemd/user",
                "/usr/local/lib/systemd/user",
                "/usr/lib/systemd/user",
                "/usr/share/systemd/user",
            ],
        }
    }

    fn presets(self) -> [&'static str; 4] {
        match self {
            Self::System => [
                "/etc/systemd/system-preset",
                "/usr/local/lib/systemd/system-preset",
                "/usr/lib/systemd/system-preset",
                "/lib/systemd/system-preset",
            ],
            Self::User => [
                "/etc/systemd/user-preset",
                "/usr/local/lib/systemd/user-preset",
                "/usr/lib/systemd/user-preset",
                "/lib/systemd/user-preset",
            ],
        }
    }
}

/// `name@instance.type` in parts.
pub(super) fn split(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let (stem, suffix) = name.rsplit_once('.')?;
    Some(match stem.split_once('@') {
        Some((prefix, instance)) => (prefix, Some(instance), suffix),
        None => (stem, None, suffix),
    })
}

/// The name with the suffix that `systemctl` adds.
pub(super) fn complete(name: &str) -> String {
    const SUFFIXES: [&str; 9] =
        ["service", "socket", "target", "timer", "path", "mount", "automount", "swap", "slice"];
    match name.rsplit_once('.') {
        Some((_, suffix)) if SUFFIXES.contains(&suffix) => name.to_owned(),
        _ => format!("{name}.service"),
    }
}

/// A unit's file.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Its path as written.
    pub path: String,
    /// Whether it is masked.
    pub masked: bool,
    pub install: Install,
}

/// `[Install]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Install {
    pub wanted_by: Vec<String>,
    pub required_by: Vec<String>,
    pub upheld_by: Vec<String>,
    pub alias: Vec<String>,
    pub also: Vec<String>,
    pub default_instance: Option<String>,
}

impl Install {
    pub(super) fn parse(text: &str) -> Self {
        let mut install = Self::default();
        let mut inside = false;
        let text = text.replace("\\\n", " ");
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Install]";
            }
            if !inside || line.starts_with(['#', ';']) {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let list = match key.trim() {
                "WantedBy" => &mut install.wanted_by,
                "RequiredBy" => &mut install.required_by,
                "UpheldBy" => &mut install.upheld_by,
                "Alias" => &mut install.alias,
                "Also" => &mut install.also,
                "DefaultInstance" => {
                    install.default_instance = Some(value.trim().to_owned());
                    continue;
                }
                _ => continue,
            };
            if value.trim().is_empty() {
                list.clear();
            }
            list.extend(value.split_whitespace().map(str::to_owned));
        }
        install
    }

    /// Whether there is anything to do at all.
    pub(super) fn is_empty(&self) -> bool {
        self.wanted_by.is_empty()
            && self.required_by.is_empty()
            && self.upheld_by.is_empty()
            && self.alias.is_empty()
            && self.also.is_empty()
    }
}

/// Finds a unit, by the name of its template where it has no file of its own.
pub(super) fn load(shell: &Shell<'_>, scope: Scope, name: &str) -> Result<Option<Unit>, Flow> {
    let mut names = vec![name.to_owned()];
    if let Some((prefix, Some(_), suffix)) = split(name) {
        names.push(format!("{prefix}@.{suffix}"));
    }
    for name in names {
        for directory in scope.directories() {
            let path = format!("{directory}/{name}");
            let Ok(place) = shell.fs.lookup(path.as_bytes(), false) else { continue };
            let masked = matches!(
                shell.fs.node(&place).map(|node| &node.kind),
                Some(Kind::Symlink { target }) if target == b"/dev/null"
            );
            if masked {
                return Ok(Some(Unit { path, masked, install: Install::default() }));
            }
            let Some(mut text) = super::commands::text_of(shell, &path)? else { continue };
            for drop_in in drop_ins(shell, scope, &name)? {
                text.push('\n');
                text.push_str(&drop_in);
            }
            return Ok(Some(Unit { path, masked, install: Install::parse(&text) }));
        }
    }
    Ok(None)
}

fn drop_ins(shell: &Shell<'_>, scope: Scope, name: &str) -> Result<Vec<String>, Flow> {
    let directories = scope.directories().map(|directory| format!("{directory}/{name}.d"));
    let directories: Vec<&str> = directories.iter().map(String::as_str).collect();
    let mut texts = Vec::new();
    for path in merged(shell, &directories, ".conf") {
        texts.extend(super::commands::text_of(shell, &path)?);
    }
    Ok(texts)
}

/// Files of several directories by name: those of earlier directories hide later ones.
pub(super) fn merged(shell: &Shell<'_>, directories: &[&str], suffix: &str) -> Vec<String> {
    let mut found = std::collections::BTreeMap::new();
    for directory in directories {
        let Ok(place) = shell.fs.lookup(directory.as_bytes(), true) else { continue };
        for name in shell.fs.children(&place) {
            let Ok(name) = String::from_utf8(name) else { continue };
            if name.ends_with(suffix) {
                let path = format!("{directory}/{name}");
                found.entry(name).or_insert(path);
            }
        }
    }
    found.into_values().collect()
}

/// What the presets say of a unit: enable is the default. Instances are none if not named.
pub(super) fn preset(
    shell: &Shell<'_>,
    scope: Scope,
    name: &str,
) -> Result<(bool, Vec<String>), Flow> {
    for path in merged(shell, &scope.presets(), ".preset") {
        let text = super::commands::text_of(shell, &path)?.unwrap_or_default();
        for line in text.lines().map(str::trim) {
            let mut words = line.split_whitespace();
            let (Some(verb @ ("enable" | "disable" | "ignore")), Some(pattern)) =
                (words.next(), words.next())
            else {
                continue;
            };
            if Pattern::parse(pattern).matches(name) {
                let instances = words.map(str::to_owned).collect();
                return Ok((verb == "enable", instances));
            }
        }
    }
    Ok((true, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn install_sections() {
        let text = "[Unit]\nWantedBy=no.target\n[Install]\nWantedBy=a.target b.target\n\
            Alias=x.service\nAlso=y.socket\nWantedBy=c.target\nDefaultInstance=tty1\n";
        let install = Install::parse(text);
        assert_eq!(install.wanted_by, ["a.target", "b.target", "c.target"]);
        assert_eq!(install.alias, ["x.service"]);
        assert_eq!(install.default_instance.as_deref(), Some("tty1"));
        assert!(Install::parse("[Install]\n").is_empty());
    }

    #[test]
    fn names() {
        assert_eq!(split("getty@tty1.service"), Some(("getty", Some("tty1"), "service")));
        assert_eq!(complete("dbus.socket"), "dbus.socket");
        assert_eq!(complete("a.b"), "a.b.service");
    }
}
