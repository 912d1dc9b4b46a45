//! The service's variables.

use super::{Change, Mapped};
use crate::accounts;
use crate::environment::{is_name, parse};
use crate::files::{Files, base, parent};
use crate::finding::Finding;
use crate::service::{At, DirectoryKind, EnvironmentFile, Service};
use crate::syntax::Place;
use std::collections::BTreeMap;

/// What systemd gives every service of the system.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Adds the variables that the unit sets; all that its command line may use.
pub fn variables(
    files: &dyn Files,
    service: &Service,
    mapped: &mut Mapped,
) -> BTreeMap<String, String> {
    let mut set: BTreeMap<String, (String, Place)> = BTreeMap::new();
    for kind in DirectoryKind::ALL {
        let first = service.directories.iter().find(|directory| directory.value.kind == kind);
        if let Some(first) = first {
            let value = service.paths(kind).join(":");
            set.insert(kind.variable().to_owned(), (value, first.place.clone()));
        }
    }
    for At { value: (name, value), place } in &service.environment {
        set.insert(name.clone(), (value.clone(), place.clone()));
    }
    for file in &service.environment_files {
        read_file(files, file, &mut set, mapped);
    }
    let unset = |name: &str, value: &str| {
        service.unset_environment.iter().any(|unset| match unset.split_once('=') {
            Some((unset, only)) => unset == name && only == value,
            None => unset == name,
        })
    };
    set.retain(|name, (value, _)| !unset(name, value));
    let mut all = implied(files, service);
    all.retain(|name, value| !unset(name, value));
    for (name, (value, place)) in set {
        mapped.add(Change::Env(name.clone(), value.clone()), &place);
        all.insert(name, value);
    }
    all
}

/// Variables that systemd sets by itself; a container runtime has its own ways.
fn implied(files: &dyn Files, service: &Service) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    all.insert("PATH".to_owned(), PATH.to_owned());
    let name = service.user.as_ref().map(|user| user.value.as_str());
    if let Some(user) = name.and_then(|name| accounts::user(files, name)) {
        all.insert("HOME".to_owned(), user.home);
        all.insert("LOGNAME".to_owned(), user.name.clone());
        all.insert("USER".to_owned(), user.name);
        all.insert("SHELL".to_owned(), user.shell);
    }
    all
}

fn read_file(
    files: &dyn Files,
    file: &At<EnvironmentFile>,
    set: &mut BTreeMap<String, (String, Place)>,
    mapped: &mut Mapped,
) {
    let EnvironmentFile { path, optional } = &file.value;
    let paths = matches(files, path);
    if paths.is_empty() {
        let message = format!("`EnvironmentFile=` names `{path}`, which is not in the image");
        let place = Some(file.place.clone());
        mapped.findings.push(if *optional {
            Finding::note(message, place)
        } else {
            Finding::refusal(message, place)
                .hint("add the file in the overlay, or set `Cmd` or `Entrypoint` there")
        });
    }
    for path in paths {
        let content = files.read(&path).unwrap_or_default();
        let Ok(text) = std::str::from_utf8(&content) else {
            let place = Place { path: path.as_str().into(), line: None };
            let message = "the environment file is ignored: it is not UTF-8";
            mapped.findings.push(Finding::warning(message, Some(place)));
            continue;
        };
        for variable in parse(text).into_iter().filter(|variable| is_name(&variable.name)) {
            let place = Place { path: path.as_str().into(), line: Some(variable.line) };
            set.insert(variable.name, (variable.value, place));
        }
    }
}

/// The files that a path, or a pattern in its last component, means.
fn matches(files: &dyn Files, path: &str) -> Vec<String> {
    if !path.contains(['*', '?', '[']) {
        return files.read(path).map(|_| path.to_owned()).into_iter().collect();
    }
    let (directory, pattern) = (parent(path), base(path));
    files
        .names(directory)
        .into_iter()
        .filter(|name| !name.starts_with('.') || pattern.starts_with('.'))
        .filter(|name| glob(pattern, name))
        .map(|name| format!("{}/{name}", directory.trim_end_matches('/')))
        .filter(|path| files.read(path).is_some())
        .collect()
}

/// `*` and `?`; a bracket stands for itself, as nobody uses it here.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, taken)) = star {
            (p, n) = (at + 1, taken + 1);
            star = Some((at, taken + 1));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, name, matched) in [
            ("*.conf", "a.conf", true),
            ("a?*", "ab", true),
            ("*b", "abc", false),
            ("**", "", true),
        ] {
            assert_eq!(glob(pattern, name), matched, "{pattern} {name}");
        }
    }
}
