//! `systemctl` without a running manager: links below `/etc/systemd`.

use super::{super::fs::FsError, make_directories, parse, unsupported};
use crate::{
    Kind, TreePath,
    scriptlets::{
        Action,
        shell::{Flow, Shell, Status},
        units::{self, Scope, complete, load, preset, split},
    },
};
use std::collections::{BTreeSet, VecDeque};

pub(super) fn systemctl(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("global", 'G'),
        ("system", 'S'),
        ("user", 'U'),
        ("no-reload", 'x'),
        ("no-block", 'x'),
        ("no-warn", 'x'),
        ("quiet", 'q'),
        ("now", 'n'),
        ("force", 'f'),
        ("no-pager", 'x'),
        ("no-legend", 'x'),
        ("preset-mode", 'm'),
        ("runtime", 'R'),
        ("root", 'r'),
        ("all", 'x'),
        ("kill-who", 'k'),
        ("signal", 'k'),
        ("job-mode", 'k'),
        ("type", 'k'),
    ];
    let parsed = parse("systemctl", words, "GSUxqnfm:Rr:k:s:t:l", &names)?;
    if parsed.has('R') || parsed.value('r').is_some_and(|root| root != "/") {
        return unsupported("systemctl --runtime or --root");
    }
    let scope = if parsed.has('G') { Scope::User } else { Scope::System };
    let Some((verb, units)) = parsed.operands.split_first() else {
        return unsupported("systemctl without a verb");
    };
    let names: Vec<String> = units.iter().map(|name| complete(name)).collect();
    let needs_names = matches!(
        verb.as_str(),
        "enable" | "disable" | "reenable" | "preset" | "mask" | "unmask" | "is-enabled"
    );
    if needs_names && parsed.has('U') {
        return unsupported("systemctl --user");
    }
    if needs_names && names.is_empty() {
        return shell.complain("Too few arguments.");
    }
    let mut status = 0;
    match verb.as_str() {
        "enable" | "disable" | "reenable" | "preset" | "mask" | "unmask" => {
            for name in &names {
                let path = name.contains('/');
                if path {
                    return unsupported("systemctl with a path");
                }
                let one = match verb.as_str() {
                    "enable" => enable(shell, scope, name)?,
                    "disable" => disable(shell, scope, name)?,
                    "reenable" => {
                        disable(shell, scope, name)?;
                        enable(shell, scope, name)?
                    }
                    "preset" => apply_preset(shell, scope, name, parsed.value('m'))?,
                    "mask" => mask(shell, scope, name)?,
                    _ => unmask(shell, scope, name)?,
                };
                status = status.max(one);
                let (name, verb) = (name.clone(), verb.clone());
                shell.actions.push(Action::Unit { name, verb });
            }
        }
        "preset-all" => status = preset_all(shell, scope, parsed.value('m'))?,
        "is-enabled" => {
            status = 1;
            for name in &names {
                let state = state(shell, scope, name)?;
                if matches!(state, "enabled" | "static" | "alias" | "indirect") {
                    status = 0;
                }
                if state == "not-found" {
                    shell.complain(format!("Failed to get unit file state for {name}"))?;
                } else if !parsed.has('q') {
                    shell.out(format!("{state}\n"))?;
                }
            }
        }
        "set-default" => {
            let [name] = units else { return unsupported("systemctl set-default") };
            let Some(unit) = load(shell, scope, name)? else {
                return shell.complain(format!("Unit {name} does not exist"));
            };
            let path = unit.path.replacen(
                "/lib/",
                "/usr/lib/",
                usize::from(unit.path.starts_with("/lib/")),
            );
            link(shell, &path, "/etc/systemd/system/default.target")?;
        }
        // nothing runs
        "is-active" | "is-system-running" => {
            if !parsed.has('q') {
                let text = if verb == "is-active" { "inactive\n" } else { "offline\n" };
                shell.out(text)?;
            }
            status = if verb == "is-active" { 3 } else { 1 };
        }
        "is-failed" => status = 1,
        "daemon-reload"
        | "daemon-reexec"
        | "start"
        | "stop"
        | "restart"
        | "try-restart"
        | "reload"
        | "condrestart"
        | "reload-or-restart"
        | "try-reload-or-restart"
        | "reload-or-try-restart"
        | "kill"
        | "reset-failed"
        | "isolate"
        | "set-property"
        | "import-environment" => {
            let command = format!("systemctl {}", words.join(" "));
            shell.actions.push(Action::Ignored { command });
        }
        _ => return unsupported(format!("systemctl {verb}")),
    }
    Ok(status)
}

/// Links by path and target, and units that are enabled with this one.
type Wanted = (Vec<(String, String)>, Vec<String>);

/// The links that enabling makes; none where there is no such unit.
fn wanted_links(shell: &Shell<'_>, scope: Scope, name: &str) -> Result<Option<Wanted>, Flow> {
    let Some(unit) = load(shell, scope, name)? else { return Ok(None) };
    if unit.masked {
        return Ok(None);
    }
    let (name, instance) = match split(name) {
        // a template is enabled by its default instance
        Some((prefix, Some(""), suffix)) => match &unit.install.default_instance {
            Some(instance) => (format!("{prefix}@{instance}.{suffix}"), Some(instance.clone())),
            None => (name.to_owned(), None),
        },
        Some((_, Some(instance), _)) => (name.to_owned(), Some(instance.to_owned())),
        _ => (name.to_owned(), None),
    };
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let prefix = stem.split('@').next().unwrap_or(stem);
    let expand = |text: &str| -> Result<String, Flow> {
        let text = text
            .replace("%i", instance.as_deref().unwrap_or_default())
            .replace("%I", instance.as_deref().unwrap_or_default())
            .replace("%n", &name)
            .replace("%N", stem)
            .replace("%p", prefix);
        if text.contains('%') { unsupported(format!("{text} in [Install]")) } else { Ok(text) }
    };
    let path = match unit.path.strip_prefix("/lib/") {
        Some(rest) => format!("/usr/lib/{rest}"),
        None => unit.path.clone(),
    };
    let config = scope.config();
    let mut links = Vec::new();
    for alias in &unit.install.alias {
        links.push((format!("{config}/{}", expand(alias)?), path.clone()));
    }
    let kinds = [
        (&unit.install.wanted_by, "wants"),
        (&unit.install.required_by, "requires"),
        (&unit.install.upheld_by, "upholds"),
    ];
    for (list, kind) in kinds {
        for target in list {
            let target = expand(target)?;
            // a template of no instance can only be wanted by another
            if name.contains("@.") && !target.contains("@.") {
                continue;
            }
            links.push((format!("{config}/{target}.{kind}/{name}"), path.clone()));
        }
    }
    let also = unit.install.also.iter().map(|also| expand(also)).collect::<Result<_, _>>()?;
    Ok(Some((links, also)))
}

/// A unit, and those that it and they name by `Also=`: each once, or two that name each other
/// would never end.
struct Together {
    seen: BTreeSet<String>,
    next: VecDeque<String>,
}

impl Together {
    fn new(name: &str) -> Self {
        Self { seen: [name.to_owned()].into(), next: [name.to_owned()].into() }
    }

    fn add(&mut self, also: &[String]) {
        for name in also.iter().map(|name| complete(name)) {
            if self.seen.insert(name.clone()) {
                self.next.push_back(name);
            }
        }
    }
}

fn enable(shell: &mut Shell<'_>, scope: Scope, name: &str) -> Status {
    let mut together = Together::new(name);
    let mut status = 0;
    while let Some(unit) = together.next.pop_front() {
        shell.budget.steps(1)?;
        if let Some((links, also)) = wanted_links(shell, scope, &unit)? {
            for (path, target) in links {
                link(shell, &target, &path)?;
            }
            together.add(&also);
        } else {
            let text = format!("Failed to enable unit: Unit file {unit} does not exist.");
            let failed = shell.complain(text)?;
            if unit == name {
                status = failed;
            }
        }
    }
    Ok(status)
}

fn link(shell: &mut Shell<'_>, target: &str, path: &str) -> Result<(), Flow> {
    let inner = |shell: &mut Shell<'_>| -> Result<(), FsError> {
        if let Some((directory, _)) = path.rsplit_once('/') {
            make_directories(shell, directory)?;
        }
        let place = shell.fs.resolve(path.as_bytes(), false)?;
        if let Some(node) = shell.fs.node(&place) {
            if !matches!(node.kind, Kind::Symlink { .. }) {
                return Ok(());
            }
            if matches!(&node.kind, Kind::Symlink { target: old } if old == target.as_bytes()) {
                return Ok(());
            }
            shell.fs.unlink(&place)?;
        }
        shell.fs.symlink(target.as_bytes(), &place)
    };
    match inner(shell) {
        Err(error) => super::failed(shell, path, error).map(|_| ()),
        Ok(()) => shell.complain(format!("Created symlink {path} → {target}.")).map(|_| ()),
    }
}

fn disable(shell: &mut Shell<'_>, scope: Scope, name: &str) -> Status {
    let mut together = Together::new(name);
    let mut status = 0;
    while let Some(unit) = together.next.pop_front() {
        shell.budget.steps(1)?;
        let found = load(shell, scope, &unit)?;
        let Ok(config) = shell.fs.lookup(scope.config().as_bytes(), true) else {
            return Ok(0);
        };
        remove_links(shell, &config, &unit)?;
        if let Some(found) = found {
            together.add(&found.install.also);
        } else {
            let text = format!("Failed to disable unit: Unit file {unit} does not exist.");
            let failed = shell.complain(text)?;
            if unit == name {
                status = failed;
            }
        }
    }
    Ok(status)
}

/// Takes out all links to a unit below the directory of the administrator's units.
fn remove_links(shell: &mut Shell<'_>, config: &TreePath, name: &str) -> Result<(), Flow> {
    let template = split(name).and_then(|(prefix, instance, suffix)| {
        (instance == Some("")).then(|| (format!("{prefix}@"), format!(".{suffix}")))
    });
    let all = shell.fs.below(config);
    shell.budget.steps(all.len() as u64)?;
    for path in all {
        let Some(Kind::Symlink { target }) = shell.fs.node(&path).map(|node| &node.kind) else {
            continue;
        };
        if target == b"/dev/null" {
            continue;
        }
        let target = String::from_utf8_lossy(target).into_owned();
        let own = String::from_utf8_lossy(path.file_name()).into_owned();
        let matches = |text: &str| {
            text == name
                || template.as_ref().is_some_and(|(start, end)| {
                    text.starts_with(start.as_str()) && text.ends_with(end.as_str())
                })
        };
        if matches(&own) || matches(super::base(&target)) && !own.contains('@') {
            if let Err(FsError::Fatal(error)) = shell.fs.unlink(&path) {
                return Err(error.into());
            }
            // directories that are empty now go with it
            let parent = path.parent().unwrap_or_default();
            if parent != *config && shell.fs.below(&parent).is_empty() {
                let _ = shell.fs.rmdir(&parent);
            }
        }
    }
    Ok(())
}

fn apply_preset(shell: &mut Shell<'_>, scope: Scope, name: &str, mode: Option<&str>) -> Status {
    let Some(unit) = load(shell, scope, name)? else {
        return shell.complain(format!("Failed to preset unit: Unit file {name} does not exist."));
    };
    if unit.masked {
        return Ok(0);
    }
    let (on, instances) = preset(shell, scope, name)?;
    match (on, mode) {
        (true, Some("disable-only")) | (false, Some("enable-only")) => Ok(0),
        (true, _) if !instances.is_empty() => {
            let Some((prefix, _, suffix)) = split(name) else { return Ok(0) };
            for instance in instances {
                enable(shell, scope, &format!("{prefix}@{instance}.{suffix}"))?;
            }
            Ok(0)
        }
        (true, _) => enable(shell, scope, name),
        (false, _) => disable(shell, scope, name),
    }
}

fn preset_all(shell: &mut Shell<'_>, scope: Scope, mode: Option<&str>) -> Status {
    let directories: &[&str] = match scope {
        Scope::System => &["/etc/systemd/system", "/usr/lib/systemd/system"],
        Scope::User => &["/etc/systemd/user", "/usr/lib/systemd/user"],
    };
    for path in units::merged(shell, directories, "") {
        let name = super::base(&path).to_owned();
        let is_file = shell.fs.lookup(path.as_bytes(), false).is_ok_and(|place| {
            matches!(shell.fs.node(&place).map(|node| &node.kind), Some(Kind::File { .. }))
        });
        if is_file && complete(&name) == name {
            apply_preset(shell, scope, &name, mode)?;
        }
    }
    Ok(0)
}

fn mask(shell: &mut Shell<'_>, scope: Scope, name: &str) -> Status {
    let path = format!("{}/{name}", scope.config());
    if let Ok(place) = shell.fs.lookup(path.as_bytes(), false)
        && !matches!(shell.fs.node(&place).map(|node| &node.kind), Some(Kind::Symlink { .. }))
    {
        return shell.complain(format!("Failed to mask unit: File {path} already exists."));
    }
    link(shell, "/dev/null", &path)?;
    Ok(0)
}

fn unmask(shell: &mut Shell<'_>, scope: Scope, name: &str) -> Status {
    let path = format!("{}/{name}", scope.config());
    if let Ok(place) = shell.fs.lookup(path.as_bytes(), false)
        && matches!(shell.fs.node(&place).map(|node| &node.kind), Some(Kind::Symlink { target }) if target == b"/dev/null")
        && let Err(FsError::Fatal(error)) = shell.fs.unlink(&place)
    {
        return Err(error.into());
    }
    Ok(0)
}

fn state(shell: &Shell<'_>, scope: Scope, name: &str) -> Result<&'static str, Flow> {
    let Some(unit) = load(shell, scope, name)? else { return Ok("not-found") };
    if unit.masked {
        return Ok("masked");
    }
    if let Some((links, _)) = wanted_links(shell, scope, name)?
        && links.iter().any(|(path, _)| shell.fs.lookup(path.as_bytes(), false).is_ok())
    {
        return Ok("enabled");
    }
    let install = &unit.install;
    Ok(match (install.is_empty(), install.also.is_empty()) {
        (true, _) => "static",
        (false, false)
            if install.wanted_by.is_empty()
                && install.required_by.is_empty()
                && install.alias.is_empty() =>
        {
            "indirect"
        }
        _ => "disabled",
    })
}
