//! From a unit's name to its assignments: search path, aliases, masks, drop-ins.
//!
//! Source: systemd.unit(5) *Unit File Load Path*.

use crate::files::{Files, Kind, Unread, base, join, parent};
use crate::name::{SERVICE, SOCKET, UnitName};
use crate::syntax::{self, Assignment, Ignored};

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
    /// All its names, those of links to it too.
    pub names: Vec<UnitName>,
    /// The file that defines it.
    pub fragment: String,
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
    /// More than can be read.
    TooLarge(String),
    /// The file is broken here.
    Broken(Ignored),
}

/// The services and sockets of an image.
pub struct Units<'a> {
    /// The image.
    pub files: &'a dyn Files,
    /// The directories of the search path that are there, each once.
    directories: Vec<&'static str>,
    /// What is in them, the strongest first.
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    path: String,
    /// Of a link.
    target: Option<String>,
}

impl<'a> Units<'a> {
    /// Lists the directories of the search path.
    pub fn new(files: &'a dyn Files) -> Self {
        let (mut directories, mut seen) = (Vec::new(), Vec::new());
        let mut entries = Vec::new();
        for directory in SEARCH {
            let Some(real) = files.real_path(directory).filter(|real| !seen.contains(real)) else {
                continue;
            };
            seen.push(real);
            directories.push(*directory);
            for name in files.names(directory) {
                if !name.ends_with(SERVICE) && !name.ends_with(SOCKET) {
                    continue;
                }
                let path = [directory, "/", &name].concat();
                let target = match files.kind(&path) {
                    Some(Kind::Link(target)) => Some(target),
                    Some(Kind::File) => None,
                    _ => continue,
                };
                entries.push(Entry { name, path, target });
            }
        }
        Self { files, directories, entries }
    }

    /// All names of a kind; one may come twice.
    pub fn names(&self, suffix: &'static str) -> impl Iterator<Item = UnitName> {
        self.entries.iter().filter_map(move |entry| UnitName::of_kind(&entry.name, suffix))
    }

    /// Loads a unit.
    pub fn load(&self, name: &UnitName) -> Result<Unit, LoadError> {
        let (found, fragment, mut names) = self.resolve(name)?;
        self.aliases(&found, &mut names);
        let content = self.read(&fragment)?;
        let parsed = syntax::parse(&fragment, &content);
        if let Some(fatal) = parsed.fatal {
            return Err(LoadError::Broken(fatal));
        }
        let (mut assignments, mut ignored) = (parsed.assignments, parsed.ignored);
        for path in self.drop_ins(&names) {
            let content = match self.files.read(&path) {
                Ok(content) => content,
                Err(Unread::TooLarge) => return Err(LoadError::TooLarge(path)),
                Err(Unread::Missing) => continue,
            };
            let parsed = syntax::parse(&path, &content);
            assignments.extend(parsed.assignments);
            ignored.extend(parsed.ignored);
            ignored.extend(parsed.fatal);
        }
        Ok(Unit { name: found, names, fragment, assignments, ignored })
    }

    /// The unit's own name and its file alone, for a quick look.
    pub fn fragment(&self, name: &UnitName) -> Result<(UnitName, String), LoadError> {
        self.resolve(name).map(|(name, fragment, _)| (name, fragment))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        self.files.read(path).map_err(|error| match error {
            Unread::TooLarge => LoadError::TooLarge(path.to_owned()),
            Unread::Missing => LoadError::Link(path.to_owned()),
        })
    }

    /// The unit's own name, its file, and all names that led there.
    fn resolve(&self, name: &UnitName) -> Result<(UnitName, String, Vec<UnitName>), LoadError> {
        let mut name = name.clone();
        let mut names = vec![name.clone()];
        'alias: loop {
            let Some(path) = self.find(&name) else { return Err(LoadError::NotFound) };
            let mut at = path.to_owned();
            for _ in 0..40 {
                let Some(Kind::Link(target)) = self.files.kind(&at) else { break };
                // systemd's own links are told apart by name, before following directories' links
                let target = join(parent(&at), &target);
                if target == "/dev/null" {
                    return Err(LoadError::Masked(path.to_owned()));
                }
                let directory = self.files.real_path(parent(&target));
                let inside =
                    self.directories.iter().any(|dir| directory == self.files.real_path(dir));
                let other = base(&target);
                if inside && other != base(&at) && other.ends_with(name.suffix) {
                    let Some(mut alias) = UnitName::of_kind(other, name.suffix) else {
                        return Err(LoadError::Link(path.to_owned()));
                    };
                    if alias.is_template()
                        && let Some(instance) = name.instance.as_deref().filter(|i| !i.is_empty())
                    {
                        alias.instantiate(instance);
                    }
                    if names.contains(&alias) {
                        return Err(LoadError::Link(path.to_owned()));
                    }
                    names.push(alias.clone());
                    name = alias;
                    continue 'alias;
                }
                at = target;
            }
            return match self.read(path)?.is_empty() {
                true => Err(LoadError::Masked(path.to_owned())),
                false => Ok((name, path.to_owned(), names)),
            };
        }
    }

    /// The strongest file of the name, else of its template.
    fn find(&self, name: &UnitName) -> Option<&str> {
        let of = |name: &str| self.entries.iter().find(|entry| entry.name == name);
        let entry = of(&name.full).or_else(|| of(&name.template()?))?;
        Some(&entry.path)
    }

    /// Other names of the unit: links to its file.
    fn aliases(&self, name: &UnitName, names: &mut Vec<UnitName>) {
        let template = name.template();
        for entry in &self.entries {
            let Some(target) = entry.target.as_deref().map(base) else { continue };
            if target != name.full && Some(target) != template.as_deref() {
                continue;
            }
            let Some(mut alias) = UnitName::of_kind(&entry.name, name.suffix) else { continue };
            if alias.is_template() {
                let Some(instance) = &name.instance else { continue };
                alias.instantiate(instance);
            } else if target != name.full {
                continue;
            }
            if !names.contains(&alias) {
                names.push(alias);
            }
        }
    }

    /// Paths of the drop-ins, in the order in which they are read.
    fn drop_ins(&self, names: &[UnitName]) -> Vec<String> {
        let mut directories = Vec::new();
        for name in names {
            for directory in &self.directories {
                for prefix in name.drop_ins() {
                    directories.push([directory, "/", &prefix, ".d"].concat());
                }
            }
        }
        // those of all units of the kind: `service.d`
        let kind = names.first().map_or(SERVICE, |name| name.suffix).trim_start_matches('.');
        directories
            .extend(self.directories.iter().map(|directory| [directory, "/", kind, ".d"].concat()));
        // By name, whatever the directory; of one name only the strongest, even if that says
        // nothing.
        let mut found: Vec<String> = Vec::new();
        for directory in directories {
            for name in self.files.names(&directory) {
                if name.ends_with(".conf")
                    && let Err(at) = found.binary_search_by(|known| base(known).cmp(&name))
                {
                    found.insert(at, [&directory, "/", &name].concat());
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;

    fn values(files: &Memory, name: &str) -> Vec<String> {
        let unit = Units::new(files).load(&UnitName::parse(name).unwrap()).unwrap();
        unit.assignments.into_iter().map(|assignment| assignment.value).collect()
    }

    #[test]
    fn etc_is_stronger_and_lib_is_usr_lib() {
        let files = Memory::new().file("/usr/lib/systemd/system/a.service", "[Service]\nA=1");
        assert_eq!(values(&files, "a"), ["1"]);
        assert_eq!(Units::new(&files).directories, ["/usr/lib/systemd/system"]);
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
        let units = Units::new(&files);
        let error = |name: &str| units.load(&UnitName::parse(name).unwrap()).unwrap_err();
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
        let unit = Units::new(&files).load(&UnitName::parse("autovt@tty1").unwrap()).unwrap();
        assert_eq!(unit.name.full, "getty@tty1.service");
    }
}
