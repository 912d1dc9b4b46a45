//! Looking packages up the way dnf's *subject* does.
//!
//! Source: the behaviour of libdnf's `Subject` and `Query::filterSubject`, checked against dnf 4.14.

use crate::{RepoView, ResolveTask, task::PackageRef};
use std::collections::BTreeMap;
use strata_rpm::{
    Capability, Comparison, Dependency, Evr, PackageRecord, RichDependency, glob, vercmp,
};

/// The packages of a task that one architecture can install, numbered in the task's order.
pub(crate) struct Universe<'a> {
    pub packages: Vec<PackageRef>,
    pub records: Vec<&'a PackageRecord>,
    names: BTreeMap<&'a str, Vec<usize>>,
    /// By the obsoleted name: who obsoletes it, and in which versions.
    obsoletes: BTreeMap<&'a str, Vec<(usize, &'a Capability)>>,
}

/// What a request matches.
#[derive(Debug)]
pub(crate) enum Found {
    /// For each group one of its members is to be installed; no groups: nothing matches.
    Groups(Vec<Vec<usize>>),
    /// The request is a requirement of its own.
    Requirement(Dependency),
}

impl<'a> Universe<'a> {
    /// Those of the given architectures; all of them without any.
    pub fn new(task: &ResolveTask<'a>, arches: Option<&[&str]>) -> Self {
        let mut this = Self {
            packages: Vec::new(),
            records: Vec::new(),
            names: BTreeMap::new(),
            obsoletes: BTreeMap::new(),
        };
        for (repo, RepoView { packages, .. }) in task.repos.iter().enumerate() {
            for (package, record) in packages.iter().enumerate() {
                if arches.is_some_and(|all| !all.contains(&record.nevra.arch.as_str())) {
                    continue;
                }
                let index = this.records.len();
                this.packages.push(PackageRef { repo, package });
                this.records.push(record);
                this.names.entry(&record.nevra.name).or_default().push(index);
                for obsoleted in &record.obsoletes {
                    if let Dependency::Simple(capability) = obsoleted {
                        let all = this.obsoletes.entry(&capability.name).or_default();
                        all.push((index, capability));
                    }
                }
            }
        }
        this
    }

    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.keys().copied()
    }

    pub fn named(&self, name: &str) -> &[usize] {
        self.names.get(name).map_or(&[], Vec::as_slice)
    }

    /// A package of a name that more than `most` packages have.
    pub fn crowded(&self, most: usize) -> Option<usize> {
        self.names.values().find(|all| all.len() > most)?.first().copied()
    }

    /// Who obsoletes the name, in whatever version.
    pub fn obsoleting_name(&self, name: &str) -> impl Iterator<Item = usize> {
        self.obsoletes.get(name).into_iter().flatten().map(|(index, _)| *index)
    }

    /// Marks what the patterns match, in any of the forms of a package's name.
    pub fn hidden(&self, patterns: &[String]) -> Vec<bool> {
        let mut hidden = vec![false; self.records.len()];
        for pattern in patterns {
            for index in self.by_nevra(pattern, &|_| true).0 {
                if let Some(slot) = hidden.get_mut(index) {
                    *slot = true;
                }
            }
        }
        hidden
    }

    /// What a request text matches among the visible packages. `provides` answers who provides a
    /// capability.
    pub fn search(
        &self,
        text: &str,
        visible: &dyn Fn(usize) -> bool,
        provides: &mut dyn FnMut(&Dependency) -> Vec<usize>,
    ) -> Found {
        let (mut found, just_name) = self.by_nevra(text, visible);
        // dnf would look a file glob up among the paths that some package requires first, which hides
        // the rest; files are complete
        if found.is_empty() && !(is_file_pattern(text) && glob::is_glob(text)) {
            match self.by_capability(text, visible, provides) {
                Found::Groups(groups) => found = groups.into_iter().flatten().collect(),
                requirement => return requirement,
            }
        }
        if found.is_empty() && is_file_pattern(text) {
            found = self.by_file(text, visible);
        }
        if found.is_empty() {
            return Found::Groups(Vec::new());
        }
        let mut groups: Vec<Vec<usize>> = Vec::new();
        if glob::is_glob(text) && !is_file_pattern(text) {
            let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for index in found {
                if let Some(record) = self.records.get(index) {
                    by_name.entry(&record.nevra.name).or_default().push(index);
                }
            }
            groups.extend(by_name.into_values());
        } else {
            groups.push(found);
        }
        if just_name {
            for group in &mut groups {
                self.add_obsoleting(group, visible);
            }
        }
        Found::Groups(groups)
    }

    /// The packages that a name form matches, and whether the form was just a name.
    fn by_nevra(&self, text: &str, visible: &dyn Fn(usize) -> bool) -> (Vec<usize>, bool) {
        for form in forms(text) {
            let found = self.by_form(&form, visible);
            if !found.is_empty() {
                return (found, form.just_name());
            }
        }
        // dnf's last form: the whole text against the whole name
        if !glob::is_glob(text) || is_file_pattern(text) {
            return (Vec::new(), false);
        }
        let with_epoch = text.contains(':');
        let matching = |index: &usize| {
            self.records.get(*index).is_some_and(|record| {
                let mut whole = record.nevra.to_string();
                if with_epoch && record.nevra.evr.epoch == 0 {
                    let nevra = &record.nevra;
                    whole = format!("{}-0:{}.{}", nevra.name, nevra.evr, nevra.arch);
                }
                glob::matches(text, &whole)
            })
        };
        let all = 0..self.records.len();
        (all.filter(|index| visible(*index)).filter(matching).collect(), false)
    }

    fn by_form(&self, form: &Form<'_>, visible: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let mut found = Vec::new();
        let mut take = |all: &[usize]| {
            let fits = |index: &&usize| {
                visible(**index)
                    && self.records.get(**index).is_some_and(|record| form.matches(record))
            };
            found.extend(all.iter().filter(fits));
        };
        if glob::is_glob(form.name) {
            for (name, all) in &self.names {
                if glob::matches(form.name, name) {
                    take(all);
                }
            }
            found.sort_unstable();
        } else {
            take(self.named(form.name));
        }
        found
    }

    fn by_capability(
        &self,
        text: &str,
        visible: &dyn Fn(usize) -> bool,
        provides: &mut dyn FnMut(&Dependency) -> Vec<usize>,
    ) -> Found {
        let parsed = text.parse::<Dependency>();
        if let Ok(Dependency::Rich(rich)) = &parsed
            && !is_choice(rich)
        {
            return Found::Requirement(Dependency::Rich(rich.clone()));
        }
        let mut found = Vec::new();
        match parsed {
            Ok(Dependency::Simple(wanted)) if glob::is_glob(&wanted.name) => {
                let fits = |index: &usize| {
                    self.records.get(*index).is_some_and(|record| {
                        record.provides.iter().any(|provided| match provided {
                            Dependency::Simple(provided) => {
                                glob::matches(&wanted.name, &provided.name)
                                    && ranges_overlap(&wanted, provided)
                            }
                            Dependency::Rich(_) => false,
                        })
                    })
                };
                found.extend((0..self.records.len()).filter(fits));
            }
            Ok(dependency) => found = provides(&dependency),
            Err(_) => {}
        }
        found.retain(|index| visible(*index));
        Found::Groups(if found.is_empty() { Vec::new() } else { vec![found] })
    }

    fn by_file(&self, text: &str, visible: &dyn Fn(usize) -> bool) -> Vec<usize> {
        let glob = glob::is_glob(text);
        let fits = |file: &String| if glob { glob::matches(text, file) } else { file == text };
        (0..self.records.len())
            .filter(|index| visible(*index))
            .filter(|index| self.records.get(*index).is_some_and(|one| one.files.iter().any(fits)))
            .collect()
    }

    /// A package that obsoletes a requested one is as good.
    fn add_obsoleting(&self, group: &mut Vec<usize>, visible: &dyn Fn(usize) -> bool) {
        let mut more = Vec::new();
        for record in group.iter().filter_map(|index| self.records.get(*index)) {
            let own = Capability {
                name: record.nevra.name.clone(),
                version: Some((Comparison::Equal, record.nevra.evr.clone())),
            };
            for (index, obsoleted) in self.obsoletes.get(own.name.as_str()).into_iter().flatten() {
                if visible(*index) && ranges_overlap(obsoleted, &own) {
                    more.push(*index);
                }
            }
        }
        group.append(&mut more);
        group.sort_unstable();
        group.dedup();
    }
}

/// One reading of a request as (part of) a package's full name.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form<'a> {
    pub name: &'a str,
    epoch: Option<u32>,
    version: Option<&'a str>,
    release: Option<&'a str>,
    arch: Option<&'a str>,
}

impl Form<'_> {
    fn just_name(&self) -> bool {
        self.epoch.is_none()
            && self.version.is_none()
            && self.release.is_none()
            && self.arch.is_none()
    }

    fn matches(&self, record: &PackageRecord) -> bool {
        let Evr { epoch, version, release } = &record.nevra.evr;
        let same = |pattern: Option<&str>, text: &str| {
            pattern.is_none_or(|pattern| {
                if glob::is_glob(pattern) {
                    glob::matches(pattern, text)
                } else {
                    vercmp(pattern.as_bytes(), text.as_bytes()).is_eq()
                }
            })
        };
        let arch = self.arch.is_none_or(|pattern| {
            if glob::is_glob(pattern) {
                glob::matches(pattern, &record.nevra.arch)
            } else {
                pattern == record.nevra.arch
            }
        });
        arch && self.epoch.is_none_or(|wanted| wanted == *epoch)
            && same(self.version, version)
            && same(self.release, release)
    }
}

/// The readings of a text as a package name, in dnf's order.
pub(crate) fn forms(text: &str) -> Vec<Form<'_>> {
    let legal =
        |part: &str| !part.is_empty() && !part.contains([':', '(', '/', '=', '<', '>', ' ']);
    let versioned = |text| -> Option<(&str, Option<u32>, &str)> {
        let (name, version) = str::rsplit_once(text, '-')?;
        let (epoch, version) = match version.split_once(':') {
            Some((epoch, version)) => (Some(epoch.parse().ok()?), version),
            None => (None, version),
        };
        (legal(name) && legal(version)).then_some((name, epoch, version))
    };
    let nevr = |text| -> Option<Form<'_>> {
        let (head, release) = str::rsplit_once(text, '-')?;
        let (name, epoch, version) = versioned(head)?;
        legal(release).then_some(Form {
            name,
            epoch,
            version: Some(version),
            release: Some(release),
            arch: None,
        })
    };
    let dotted = |text| {
        let (head, arch) = str::rsplit_once(text, '.')?;
        (legal(arch) && !arch.contains('-')).then_some((head, arch))
    };
    let nevra =
        dotted(text).and_then(|(head, arch)| Some(Form { arch: Some(arch), ..nevr(head)? }));
    let na = dotted(text).and_then(|(name, arch)| {
        legal(name).then_some(Form { name, arch: Some(arch), ..Form::default() })
    });
    let name = legal(text).then_some(Form { name: text, ..Form::default() });
    let nev = versioned(text).map(|(name, epoch, version)| Form {
        name,
        epoch,
        version: Some(version),
        ..Form::default()
    });
    [nevra, na, name, nevr(text), nev].into_iter().flatten().collect()
}

/// Whether dnf would look for files.
pub(crate) fn is_file_pattern(text: &str) -> bool {
    text.starts_with('/') || text.starts_with("*/")
}

/// Alternatives and conditions on one package, which dnf answers with one package.
fn is_choice(rich: &RichDependency) -> bool {
    let simple = |one: &Dependency| match one {
        Dependency::Simple(_) => true,
        Dependency::Rich(rich) => is_choice(rich),
    };
    match rich {
        RichDependency::Or(all) | RichDependency::With(all) => all.iter().all(simple),
        RichDependency::Without(a, b) => simple(a) && simple(b),
        _ => false,
    }
}

/// Whether some version satisfies both; a capability without a version satisfies any.
pub(crate) fn ranges_overlap(a: &Capability, b: &Capability) -> bool {
    let (Some((ca, va)), Some((cb, vb))) = (&a.version, &b.version) else {
        return true;
    };
    let up = |c: &Comparison| matches!(c, Comparison::Greater | Comparison::GreaterOrEqual);
    let down = |c: &Comparison| matches!(c, Comparison::Less | Comparison::LessOrEqual);
    let closed = |c: &Comparison| !matches!(c, Comparison::Less | Comparison::Greater);
    match va.cmp_dependency(vb) {
        std::cmp::Ordering::Less => up(ca) || down(cb),
        std::cmp::Ordering::Greater => down(ca) || up(cb),
        std::cmp::Ordering::Equal => {
            closed(ca) && closed(cb) || up(ca) && up(cb) || down(ca) && down(cb)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, forms};

    fn read(text: &str) -> Vec<String> {
        let show = |form: Form<'_>| {
            let part = |part: Option<&str>| part.unwrap_or("").to_owned();
            let epoch = form.epoch.map(|epoch| epoch.to_string()).unwrap_or_default();
            [form.name.to_owned(), epoch, part(form.version), part(form.release), part(form.arch)]
                .join("|")
        };
        forms(text).into_iter().map(show).collect()
    }

    #[test]
    fn forms_in_dnf_order() {
        assert_eq!(read("a-b-1:2-3.x86_64"), ["a-b|1|2|3|x86_64", "a-b|1|2|3.x86_64|"],);
        assert_eq!(read("glibc"), ["glibc||||"]);
        assert_eq!(read("glibc.i686"), ["glibc||||i686", "glibc.i686||||"]);
        assert_eq!(read("a-1"), ["a-1||||", "a||1||"]);
        assert!(read("/usr/bin/env").is_empty());
        assert!(read("a >= 1").is_empty());
        assert!(read("").is_empty());
    }
}
