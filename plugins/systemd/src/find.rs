//! Which service the image is about.

use crate::finding::Problem;
use crate::load::{LoadError, Unit, Units};
use crate::name::{SERVICE, UnitName};
use crate::service::{self, Service};
use crate::syntax::{Place, parse as parse_unit};

/// How many names a message lists.
const LISTED: usize = 12;

/// Finds the service: that of the setting, or the only one that is likely.
pub fn find(units: &Units<'_>, setting: Option<&str>) -> Result<(Unit, Service), Problem> {
    let (name, chosen) = match setting {
        Some(text) => (parse(text)?, true),
        None => (choose(units)?, false),
    };
    let wrong = |message: String, hint: Option<String>| {
        if chosen {
            Problem::Setting { name: "unit".to_owned(), message, hint }
        } else {
            Problem::Refused { message, place: None, hint }
        }
    };
    let unit = units.load(&name).map_err(|error| match error {
        LoadError::NotFound => wrong(
            format!("the image has no unit `{}`", name.full),
            Some(match list(&all(units)) {
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
        LoadError::TooLarge(path) => Problem::Refused {
            message: format!("`{}` cannot be read: the file is too large", name.full),
            place: Some(whole(&path)),
            hint: None,
        },
        LoadError::Broken(ignored) => Problem::Refused {
            message: format!("`{}` cannot be read: {}", name.full, ignored.message),
            place: Some(ignored.place),
            hint: None,
        },
    })?;
    let service = service::read(&unit, units.files);
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
fn choose(units: &Units<'_>) -> Result<UnitName, Problem> {
    let packages = units.files.packages();
    let (mut requested, mut sources) = (Vec::new(), Vec::new());
    for package in packages.iter().filter(|package| package.requested) {
        requested.push(package.name.as_str());
        sources.push(package.source.as_str());
    }
    // what is built from the same sources
    let mut related = Vec::new();
    for package in &packages {
        if sources.contains(&package.source.as_str()) {
            related.push(package.name.as_str());
        }
    }
    let mut candidates = all(units);
    for owners in [requested, related] {
        // what no package owns was put there on purpose
        let of = |candidate: &Candidate| {
            candidate.owner.as_deref().is_none_or(|owner| owners.contains(&owner))
        };
        if candidates.iter().any(of) {
            candidates.retain(of);
            break;
        }
    }
    if candidates.iter().any(|candidate| !candidate.ends) {
        candidates.retain(|candidate| !candidate.ends);
    }
    match &candidates[..] {
        [candidate] => Ok(candidate.name.clone()),
        [] => Err(Problem::refused(
            "no package of the image has a service with `ExecStart=`",
            None,
            "install the package that has it, or set `unit` to an instance of a template, \
             `NAME@INSTANCE.service`",
        )),
        candidates => {
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
struct Candidate {
    name: UnitName,
    /// Its package.
    owner: Option<String>,
    /// Whether it is `Type=oneshot`: a chore of another service, most often.
    ends: bool,
}

/// All services with `ExecStart=`, by name.
fn all(units: &Units<'_>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for name in units.names(SERVICE).filter(|name| !name.is_template()) {
        let Ok((name, fragment)) = units.fragment(&name) else { continue };
        let at = found.binary_search_by(|known| known.name.full.cmp(&name.full));
        let Err(at) = at else { continue };
        let content = units.files.read(&fragment).unwrap_or_default();
        let parsed = parse_unit(&fragment, &content);
        let last = |key: &str| {
            let mut all = parsed.assignments.iter().rev();
            let found = all.find(|a| a.section.as_ref() == "Service" && a.key == key);
            found.map(|assignment| assignment.value.as_str()).unwrap_or_default()
        };
        if !last("ExecStart").is_empty() {
            let owner = units.files.real_path(&fragment).and_then(|path| units.files.owner(&path));
            found.insert(at, Candidate { name, owner, ends: last("Type") == "oneshot" });
        }
    }
    found
}

fn list(candidates: &[Candidate]) -> String {
    let shown = candidates.iter().take(LISTED);
    let mut words: Vec<_> = shown.map(|candidate| format!("`{}`", candidate.name.full)).collect();
    if candidates.len() > LISTED {
        words.push(format!("and {} more", candidates.len() - LISTED));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;

    const UNIT: &str = "[Service]\nExecStart=/bin/a\n";

    fn found(files: &Memory, setting: Option<&str>) -> Result<String, Problem> {
        find(&Units::new(files), setting).map(|(unit, _)| unit.name.full)
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
