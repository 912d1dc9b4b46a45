//! The service's variables.

use super::{Change, Mapped};
use crate::accounts::{self, Account};
use crate::environment::{is_name, parse, set};
use crate::files::{Files, Unread};
use crate::finding::Finding;
use crate::service::{At, DirectoryKind, EnvironmentFile, Service};
use crate::syntax::Place;
use strata_plugin_sdk::path::matches;

/// What systemd gives every service of the system.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Adds the variables that the unit sets; all that its command line may use.
pub fn variables(
    files: &dyn Files,
    service: &Service,
    account: &Account,
    mapped: &mut Mapped,
) -> Vec<(String, String)> {
    let mut own = Vec::new();
    for kind in DirectoryKind::ALL {
        let first = service.directories.iter().find(|directory| directory.value.kind == kind);
        if let Some(first) = first {
            let value = service.paths(kind).join(":");
            set(&mut own, kind.variable(), (value, first.place.clone()));
        }
    }
    for At { value: (name, value), place } in &service.environment {
        set(&mut own, name, (value.clone(), place.clone()));
    }
    for file in &service.environment_files {
        read_file(files, file, &mut own, mapped);
    }
    let unset = |name: &str, value: &str| {
        service.unset_environment.iter().any(|unset| match unset.split_once('=') {
            Some((unset, only)) => unset == name && only == value,
            None => unset == name,
        })
    };
    own.retain(|(name, (value, _))| !unset(name, value));
    let mut all = implied(files, account);
    all.retain(|(name, value)| !unset(name, value));
    for (name, (value, place)) in own {
        mapped.add(Change::Env(name.clone(), value.clone()), &place);
        set(&mut all, &name, value);
    }
    all
}

/// Variables that systemd sets by itself; a container runtime has its own ways.
fn implied(files: &dyn Files, account: &Account) -> Vec<(String, String)> {
    let mut all = vec![("PATH".to_owned(), PATH.to_owned())];
    let name = account.user.as_ref().map(|user| user.value.as_str());
    if let Some(user) = name.and_then(|name| accounts::user(files, name)) {
        set(&mut all, "HOME", user.home);
        set(&mut all, "LOGNAME", user.name.clone());
        set(&mut all, "USER", user.name);
        set(&mut all, "SHELL", user.shell);
    }
    all
}

fn read_file(
    files: &dyn Files,
    file: &At<EnvironmentFile>,
    own: &mut Vec<(String, (String, Place))>,
    mapped: &mut Mapped,
) {
    let EnvironmentFile { path, optional } = &file.value;
    let paths = matching(files, path);
    if paths.is_empty() {
        let message = format!("`EnvironmentFile=` names `{path}`, which is not in the image");
        let place = Some(file.place.clone());
        mapped.findings.push(if *optional {
            Finding::note(message, place)
        } else {
            Finding::refusal(message, place).hint(INSTEAD)
        });
    }
    for path in paths {
        let content = match files.read(&path) {
            Ok(content) => content,
            Err(Unread::Missing) => continue,
            Err(Unread::TooLarge) => {
                let message = format!("`EnvironmentFile=` names `{path}`, which is too large");
                let place = Some(file.place.clone());
                mapped.findings.push(Finding::refusal(message, place).hint(INSTEAD));
                continue;
            }
        };
        let Ok(text) = std::str::from_utf8(&content) else {
            let place = Place { path: path.as_str().into(), line: None };
            let message = "the environment file is ignored: it is not UTF-8";
            mapped.findings.push(Finding::warning(message, Some(place)));
            continue;
        };
        for variable in parse(text).into_iter().filter(|variable| is_name(&variable.name)) {
            let place = Place { path: path.as_str().into(), line: Some(variable.line) };
            set(own, &variable.name, (variable.value, place));
        }
    }
}

const INSTEAD: &str = "add the file in the overlay, or set `Cmd` or `Entrypoint` there";

/// The files that a path means, in order; any of its components may be a pattern.
fn matching(files: &dyn Files, path: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for directory in found {
            if !part.contains(['*', '?', '[']) {
                next.push([&directory, "/", part].concat());
                continue;
            }
            for name in files.names(if directory.is_empty() { "/" } else { &directory }) {
                let hidden = name.starts_with('.') && !part.starts_with('.');
                if !hidden && matches(part, &name) {
                    next.push([&directory, "/", &name].concat());
                }
            }
        }
        found = next;
    }
    found.retain(|path| files.read(path) != Err(Unread::Missing));
    found
}
