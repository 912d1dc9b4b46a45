//! From a unit's name to its assignments: search path, aliases, masks, drop-ins.
//!
//! Source: systemd.unit(5) *Unit File Load Path*.

use crate::files::{Files, Kind, base, join, parent};
use crate::name::{SUFFIX, UnitName};
use crate::syntax::{self, Assignment, Ignored};
use std::collections::{BTreeMap, BTreeSet};

/// Where units are, the strongest first.
pub const SEARCH: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A unit as its files have it.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its name, aliases followed.
    pub name: UnitName,
    /// The file that defines it.
    pub fragment: String,
    /// That of the drop-ins, in order.
    pub drop_ins: Vec<String>,
    /// All assignments, in the order in which they count.
    pub assignments: Vec<Assignment>,
    /// Lines that mean nothing.
    pub ignored: Vec<Ignored>,
}

/// Why a unit cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// There is no file of its name.
    NotFound,
    /// It is switched off by this link or empty file.
    Masked(String),
    /// Links between units that lead in a circle, or to nothing.
    Link(String),
    /// The file is broken here.
    Broken(Ignored),
}

/// The directories of the search path that are there, each once.
pub fn search_path(files: &dyn Files) -> Vec<&'static str> {
    let mut seen = BTreeSet::new();
    let found = SEARCH
        .iter()
        .filter(|directory| files.real_path(directory).is_some_and(|real| seen.insert(real)));
    found.copied().collect()
}

/// Loads a unit.
pub fn load(files: &dyn Files, name: &UnitName) -> Result<Unit, LoadError> {
    let search = search_path(files);
    let (found, fragment, mut names) = resolve(files, &search, name)?;
    for alias in aliases(files, &search, &found) {
        if !names.contains(&alias) {
            names.push(alias);
        }
    }
    let drop_ins = drop_ins(files, &search, &names);
    let content = files.read(&fragment).ok_or_else(|| LoadError::Link(fragment.clone()))?;
    let parsed = syntax::parse(&fragment, &content);
    if let Some(fatal) = parsed.fatal {
        return Err(LoadError::Broken(fatal));
    }
    let (mut assignments, mut ignored) = (parsed.assignments, parsed.ignored);
    for path in &drop_ins {
        let parsed = syntax::parse(path, &files.read(path).unwrap_or_default());
        assignments.extend(parsed.assignments);
        ignored.extend(parsed.ignored);
        ignored.extend(parsed.fatal);
    }
    Ok(Unit { name: found, fragment, drop_ins, assignments, ignored })
}

/// The unit's own name and its file alone, for a quick look.
pub fn fragment(files: &dyn Files, name: &UnitName) -> Result<(UnitName, String), LoadError> {
    resolve(files, &search_path(files), name).map(|(name, fragment, _)| (name, fragment))
}

/// The unit's own name, its file, and all names that led there.
fn resolve(
    files: &dyn Files,
    search: &[&str],
    name: &UnitName,
) -> Result<(UnitName, String, Vec<UnitName>), LoadError> {
    let mut name = name.clone();
    let mut names = vec![name.clone()];
    'alias: loop {
        let Some(path) = find(files, search, &name) else { return Err(LoadError::NotFound) };
        let mut at = path.clone();
        for _ in 0..40 {
            let Some(Kind::Link(target)) = files.kind(&at) else { break };
            // systemd's own links are told apart by name, before following directories' links
            let target = join(parent(&at), &target);
            if target == "/dev/null" {
                return Err(LoadError::Masked(path));
            }
            let directory = files.real_path(parent(&target));
            let inside = search.iter().any(|dir| directory == files.real_path(dir));
            let stem = base(&target);
            if inside && stem != base(&at) && stem.ends_with(SUFFIX) {
                let mut alias = UnitName::parse(stem).map_err(|_| LoadError::Link(path.clone()))?;
                if alias.is_template()
                    && let Some(instance) = name.instance.as_deref().filter(|i| !i.is_empty())
                {
                    alias.full = format!("{}@{instance}{SUFFIX}", alias.prefix);
                    alias.instance = Some(instance.to_owned());
                }
                if names.contains(&alias) {
                    return Err(LoadError::Link(path));
                }
                names.push(alias.clone());
                name = alias;
                continue 'alias;
            }
            at = target;
        }
        return match files.read(&path) {
            Some(content) if content.is_empty() => Err(LoadError::Masked(path)),
            Some(_) => Ok((name, path, names)),
            None => Err(LoadError::Link(path)),
        };
    }
}

/// The strongest file of the name, else of its template.
fn find(files: &dyn Files, search: &[&str], name: &UnitName) -> Option<String> {
    let names = [Some(name.full.clone()), name.template()];
    names.into_iter().flatten().find_map(|name| {
        search
            .iter()
            .map(|directory| format!("{directory}/{name}"))
            .find(|path| matches!(files.kind(path), Some(Kind::File | Kind::Link(_))))
    })
}

/// Other names of the unit: links to its file.
fn aliases(files: &dyn Files, search: &[&str], name: &UnitName) -> Vec<UnitName> {
    let mut all = Vec::new();
    for directory in search {
        for entry in files.names(directory) {
            let Some(stem) = entry.strip_suffix(SUFFIX) else { continue };
            let Some(Kind::Link(target)) = files.kind(&format!("{directory}/{entry}")) else {
                continue;
            };
            let target = base(&target);
            let template = name.template();
            if target != name.full && Some(target) != template.as_deref() {
                continue;
            }
            let Ok(mut alias) = UnitName::parse(stem) else { continue };
            if alias.is_template() {
                let Some(instance) = name.instance.clone() else { continue };
                alias.full = format!("{}@{instance}{SUFFIX}", alias.prefix);
                alias.instance = Some(instance);
            } else if target != name.full {
                continue;
            }
            all.push(alias);
        }
    }
    all
}

/// Paths of the drop-ins, in the order in which they are read.
fn drop_ins(files: &dyn Files, search: &[&str], names: &[UnitName]) -> Vec<String> {
    let mut directories = Vec::new();
    for name in names {
        for directory in search {
            for prefix in name.drop_ins() {
                directories.push(format!("{directory}/{prefix}.d"));
            }
        }
    }
    directories.extend(search.iter().map(|directory| format!("{directory}/service.d")));
    // By name, whatever the directory; of one name only the strongest, even if that says nothing.
    let mut found = BTreeMap::new();
    for directory in directories {
        for name in files.names(&directory).into_iter().filter(|name| name.ends_with(".conf")) {
            found.entry(name.clone()).or_insert_with(|| format!("{directory}/{name}"));
        }
    }
    found
        .into_values()
        .filter(|path| files.read(path).is_some_and(|content| !content.is_empty()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;

    fn values(files: &Memory, name: &str) -> Vec<String> {
        let unit = load(files, &UnitName::parse(name).unwrap()).unwrap();
        unit.assignments.into_iter().map(|assignment| assignment.value).collect()
    }

    #[test]
    fn etc_is_stronger_and_lib_is_usr_lib() {
        let files = Memory::new().file("/usr/lib/systemd/system/a.service", "[Service]\nA=1");
        assert_eq!(values(&files, "a"), ["1"]);
        assert_eq!(search_path(&files), ["/usr/lib/systemd/system"]);
        let files = files.file("/etc/systemd/system/a.service", "[Service]\nA=2");
        assert_eq!(values(&files, "a"), ["2"]);
    }

    #[test]
    fn aliases_and_masks() {
        let files = Memory::new()
            .file("/usr/lib/systemd/system/redis-server.service", "[Service]\nA=1")
            .link("/etc/systemd/system/redis.service", "/lib/systemd/system/redis-server.service")
            .file("/etc/systemd/system/redis.service.d/x.conf", "[Service]\nA=2")
            .link("/etc/systemd/system/b.service", "/dev/null")
            .file("/etc/systemd/system/c.service", "")
            .link("/etc/systemd/system/d.service", "e.service")
            .link("/etc/systemd/system/e.service", "d.service")
            .file("/opt/f.service", "[Service]\nA=f")
            .link("/etc/systemd/system/f.service", "/opt/f.service");
        assert_eq!(values(&files, "redis"), ["1", "2"]);
        assert_eq!(values(&files, "redis-server"), ["1", "2"]);
        assert_eq!(values(&files, "f"), ["f"]);
        let error = |name: &str| load(&files, &UnitName::parse(name).unwrap()).unwrap_err();
        assert!(matches!(error("b"), LoadError::Masked(_)));
        assert!(matches!(error("c"), LoadError::Masked(_)));
        assert!(matches!(error("d"), LoadError::Link(_)));
        assert_eq!(error("z"), LoadError::NotFound);
    }

    #[test]
    fn drop_ins_of_all_kinds_in_order() {
        let files = Memory::new()
            .file("/usr/lib/systemd/system/a-b@.service", "[Service]\nA=1")
            .file("/usr/lib/systemd/system/a-b@.service.d/50-x.conf", "[Service]\nA=lost")
            .file("/etc/systemd/system/a-@.service.d/50-x.conf", "[Service]\nA=3")
            .file("/usr/lib/systemd/system/service.d/10-all.conf", "[Service]\nA=2")
            .file("/usr/lib/systemd/system/a-b@c.service.d/60.conf", "[Service]\nA=4")
            .file("/usr/lib/systemd/system/a-b@c.service.d/70.conf", "[Service]\nA=lost")
            .link("/etc/systemd/system/a-b@c.service.d/70.conf", "/dev/null")
            .file("/usr/lib/systemd/system/a-b@c.service.d/README", "[Service]\nA=lost");
        assert_eq!(values(&files, "a-b@c"), ["1", "2", "3", "4"]);
    }

    #[test]
    fn instances_of_an_aliased_template() {
        let files = Memory::new()
            .file("/usr/lib/systemd/system/getty@.service", "[Service]\nA=1")
            .link("/usr/lib/systemd/system/autovt@.service", "getty@.service");
        let unit = load(&files, &UnitName::parse("autovt@tty1").unwrap()).unwrap();
        assert_eq!(unit.name.full, "getty@tty1.service");
    }
}
