//! Which service the image is about.

use crate::files::{Files, Kind};
use crate::finding::Problem;
use crate::load::{LoadError, Unit, fragment, load, search_path};
use crate::name::{SUFFIX, UnitName};
use crate::service::{self, Service};
use crate::syntax::{Place, parse as parse_unit};
use std::collections::{BTreeMap, BTreeSet};

/// How many names a message lists.
const LISTED: usize = 12;

/// Finds the service: that of the setting, or the only one that is likely.
pub fn find(files: &dyn Files, setting: Option<&str>) -> Result<(Unit, Service), Problem> {
    let (name, chosen) = match setting {
        Some(text) => (parse(text)?, true),
        None => (choose(files)?, false),
    };
    let wrong = |message: String, hint: Option<String>| {
        if chosen {
            Problem::Setting { name: "unit".to_owned(), message, hint }
        } else {
            Problem::Refused { message, place: None, hint }
        }
    };
    let unit = load(files, &name).map_err(|error| match error {
        LoadError::NotFound => wrong(
            format!("the image has no unit `{}`", name.full),
            Some(match list(all(files)) {
                known if known.is_empty() => "install a package that has services".to_owned(),
                known => format!("its services are {known}"),
            }),
        ),
        LoadError::Masked(path) => Problem::Refused {
            message: format!("`{}` is masked: it cannot be started", name.full),
            place: Some(whole(&path)),
            hint: Some(format!("remove `{path}`, or set `unit` to another service")),
        },
        LoadError::Link(path) => Problem::Refused {
            message: format!("`{}` is a link that leads to no unit file", name.full),
            place: Some(whole(&path)),
            hint: None,
        },
        LoadError::Broken(ignored) => Problem::Refused {
            message: format!("`{}` cannot be read: {}", name.full, ignored.message),
            place: Some(ignored.place),
            hint: None,
        },
    })?;
    let service = service::read(&unit, files);
    Ok((unit, service))
}

fn whole(path: &str) -> Place {
    Place { path: path.into(), line: None }
}

fn parse(text: &str) -> Result<UnitName, Problem> {
    let wrong = |message: String, hint: &str| Problem::Setting {
        name: "unit".to_owned(),
        message,
        hint: Some(hint.to_owned()),
    };
    let name = UnitName::parse(text)
        .map_err(|message| wrong(message, "name a service, `nginx.service`"))?;
    if name.is_template() {
        return Err(wrong(
            format!("`{}` is a template", name.full),
            &format!("name an instance of it, `{}@NAME.service`", name.prefix),
        ));
    }
    Ok(name)
}

/// The only service of the requested packages, else of those that are built from the same
/// sources, else of all. Where there are others, those of `Type=oneshot` do not count.
fn choose(files: &dyn Files) -> Result<UnitName, Problem> {
    let packages = files.packages();
    // one by one: `collect` sorts first, and its code is large
    let (mut requested, mut sources) = (BTreeSet::new(), BTreeSet::new());
    let mut source_of = BTreeMap::new();
    for package in &packages {
        source_of.insert(package.name.as_str(), package.source.as_str());
        if package.requested {
            requested.insert(package.name.as_str());
            sources.insert(package.source.as_str());
        }
    }
    let all = all(files);
    let of = |test: &dyn Fn(&str) -> bool| {
        let mut some = all.clone();
        // what no package owns was put there on purpose
        some.retain(|_, candidate| candidate.owner.as_deref().is_none_or(test));
        some
    };
    let candidates = [
        of(&|owner| requested.contains(owner)),
        of(&|owner| source_of.get(owner).is_some_and(|source| sources.contains(source))),
        all.clone(),
    ];
    let mut candidates = candidates.into_iter().find(|some| !some.is_empty()).unwrap_or_default();
    if candidates.values().any(|candidate| !candidate.ends) {
        candidates.retain(|_, candidate| !candidate.ends);
    }
    let mut names = candidates.keys();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.clone()),
        (None, _) => Err(Problem::refused(
            "no package of the image has a service with `ExecStart=`",
            None,
            "install the package that has it, or set `unit` to an instance of a template, \
             `NAME@INSTANCE.service`",
        )),
        _ => {
            let count = candidates.len();
            Err(Problem::refused(
                format!("the image has {count} services: {}", list(candidates)),
                None,
                "set `unit` to one of them",
            ))
        }
    }
}

/// A service that the image may be about.
#[derive(Debug, Clone)]
struct Candidate {
    /// Its package.
    owner: Option<String>,
    /// Whether it is `Type=oneshot`: a chore of another service, most often.
    ends: bool,
}

/// All services with `ExecStart=`, with their packages.
fn all(files: &dyn Files) -> BTreeMap<UnitName, Candidate> {
    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for directory in search_path(files) {
        for entry in files.names(directory) {
            if !entry.ends_with(SUFFIX) || !seen.insert(entry.clone()) {
                continue;
            }
            let path = format!("{directory}/{entry}");
            if !matches!(files.kind(&path), Some(Kind::File | Kind::Link(_))) {
                continue;
            }
            let Ok(name) = UnitName::parse(&entry) else { continue };
            if name.is_template() {
                continue;
            }
            let Ok((name, fragment)) = fragment(files, &name) else { continue };
            let content = files.read(&fragment).unwrap_or_default();
            let parsed = parse_unit(&fragment, &content);
            let last = |key: &str| {
                let mut all = parsed.assignments.iter().rev();
                let found = all.find(|a| a.section.as_ref() == "Service" && a.key == key);
                found.map(|assignment| assignment.value.as_str()).unwrap_or_default()
            };
            if !last("ExecStart").is_empty() {
                let owner = files.real_path(&fragment).and_then(|path| files.owner(&path));
                found.insert(name, Candidate { owner, ends: last("Type") == "oneshot" });
            }
        }
    }
    found
}

fn list(units: BTreeMap<UnitName, Candidate>) -> String {
    let count = units.len();
    let mut words: Vec<_> =
        units.into_keys().take(LISTED).map(|name| format!("`{}`", name.full)).collect();
    if count > LISTED {
        words.push(format!("and {} more", count - LISTED));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;

    const UNIT: &str = "[Service]\nExecStart=/bin/a\n";

    fn found(files: &Memory, setting: Option<&str>) -> Result<String, Problem> {
        find(files, setting).map(|(unit, _)| unit.name.full)
    }

    fn image() -> Memory {
        Memory::new()
            .packaged("nginx-common", "/usr/lib/systemd/system/nginx.service", UNIT)
            .packaged("systemd", "/usr/lib/systemd/system/x.service", UNIT)
            .packaged(
                "nginx-common",
                "/usr/lib/systemd/system/chore.service",
                "[Service]\nType=oneshot\nExecStart=/bin/a\n",
            )
            .packaged("systemd", "/usr/lib/systemd/system/y.service", "[Service]\nExecStop=/x\n")
            .package("nginx-common", "nginx", false)
            .package("systemd", "systemd", false)
    }

    #[test]
    fn requested_packages_then_their_sources_then_all() {
        let files = image().package("nginx", "nginx", true);
        assert_eq!(found(&files, None).unwrap(), "nginx.service");
        assert_eq!(found(&files, Some("x")).unwrap(), "x.service");
        let files = image().package("systemd", "systemd", true);
        assert_eq!(found(&files, None).unwrap(), "x.service");
        let Err(Problem::Refused { message, hint, .. }) = found(&image(), None) else { panic!() };
        assert_eq!(message, "the image has 2 services: `nginx.service`, `x.service`");
        assert_eq!(hint.unwrap(), "set `unit` to one of them");
    }

    #[test]
    fn what_the_setting_may_not_be() {
        for (unit, words) in [
            ("z", "has no unit `z.service`"),
            ("a.socket", "is not a service"),
            ("a@", "is a template"),
            ("m", "is masked"),
        ] {
            let files = image().link("/etc/systemd/system/m.service", "/dev/null");
            let (Problem::Setting { message, .. } | Problem::Refused { message, .. }) =
                found(&files, Some(unit)).unwrap_err();
            assert!(message.contains(words), "{message}");
        }
    }
}
