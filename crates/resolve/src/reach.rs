//! Which file dependencies a task may meet that its records do not answer.
//!
//! `primary.xml` lists only some files; the rest costs a large download. This finds, without solving,
//! a superset of what a solution could touch, and the paths in it that need the full lists.

use crate::{
    ResolveTask, arch::compatible_arches, order::each_capability, search::Found, search::Universe,
    search::is_file_pattern,
};
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{Dependency, PackageRecord};

/// The paths, of requests and of dependencies in reach, that no record of the task lists and that the
/// repositories' full file lists might. A request that is a glob is given as it stands.
pub fn file_paths_needed(task: &ResolveTask<'_>) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let arches: BTreeSet<&str> = task.images.iter().map(|image| image.arch.as_str()).collect();
    for arch in arches {
        let Some(compatible) = compatible_arches(arch) else { continue };
        let universe = Universe::new(task, Some(&compatible));
        let index = Index::new(&universe);
        for weak in [false, true] {
            let images =
                task.images.iter().filter(|image| image.arch == arch && image.weak_deps == weak);
            let requests: BTreeSet<&str> =
                images.flat_map(|image| image.packages.iter().map(String::as_str)).collect();
            if !requests.is_empty() {
                Reach::new(&universe, &index, weak).walk(&requests, &mut needed);
            }
        }
    }
    needed
}

/// Whether createrepo_c puts such a path into `primary.xml`, where it is then complete.
fn in_primary(path: &str) -> bool {
    path.starts_with("/etc/") || path.contains("bin/") || path == "/usr/lib/sendmail"
}

/// Names to packages.
struct Index<'a> {
    provides: BTreeMap<&'a str, Vec<usize>>,
    /// Of the paths that some dependency names.
    files: BTreeMap<&'a str, Vec<usize>>,
    /// Packages that come in by themselves, by a name that sets them off.
    supplements: BTreeMap<String, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(universe: &Universe<'a>) -> Self {
        let mut wanted = BTreeSet::new();
        let mut this = Self {
            provides: BTreeMap::new(),
            files: BTreeMap::new(),
            supplements: BTreeMap::new(),
        };
        for (index, record) in universe.records.iter().enumerate() {
            for dependency in forward(record, true) {
                each_capability(dependency, &mut |one| {
                    if one.name.starts_with('/') {
                        wanted.insert(one.name.clone());
                    }
                });
            }
            for provided in &record.provides {
                if let Dependency::Simple(one) = provided {
                    this.provides.entry(&one.name).or_default().push(index);
                }
            }
            for dependency in &record.supplements {
                each_capability(dependency, &mut |one| {
                    this.supplements.entry(one.name.clone()).or_default().push(index);
                });
            }
        }
        for (index, record) in universe.records.iter().enumerate() {
            for file in record.files.iter().filter(|file| wanted.contains(*file)) {
                this.files.entry(file).or_default().push(index);
            }
        }
        this
    }
}

fn forward(record: &PackageRecord, weak: bool) -> impl Iterator<Item = &Dependency> {
    let recommends = record.recommends.iter().filter(move |_| weak);
    record.requires.iter().map(|one| &one.dependency).chain(recommends)
}

struct Reach<'a, 'b> {
    universe: &'b Universe<'a>,
    index: &'b Index<'a>,
    weak: bool,
    seen: Vec<bool>,
    queue: Vec<usize>,
}

impl<'a, 'b> Reach<'a, 'b> {
    fn new(universe: &'b Universe<'a>, index: &'b Index<'a>, weak: bool) -> Self {
        let seen = vec![false; universe.records.len()];
        Self { universe, index, weak, seen, queue: Vec::new() }
    }

    fn walk(mut self, requests: &BTreeSet<&str>, needed: &mut BTreeSet<String>) {
        for request in requests {
            self.start(request, needed);
        }
        let mut asked = BTreeSet::new();
        while let Some(index) = self.queue.pop() {
            let Some(record) = self.universe.records.get(index) else { continue };
            // whoever replaces it may come instead
            let instead: Vec<usize> = self.universe.obsoleting_name(&record.nevra.name).collect();
            instead.into_iter().for_each(|one| self.visit(one));
            for dependency in forward(record, self.weak) {
                each_capability(dependency, &mut |one| {
                    if asked.insert(one.name.clone()) {
                        self.follow(&one.name, needed);
                    }
                });
            }
            if self.weak {
                for provided in &record.provides {
                    each_capability(provided, &mut |one| self.set_off(&one.name));
                }
                record.files.iter().for_each(|file| self.set_off(file));
            }
        }
    }

    fn start(&mut self, request: &str, needed: &mut BTreeSet<String>) {
        let index = self.index;
        let universe = self.universe;
        let mut provides = |dependency: &Dependency| {
            let mut all = Vec::new();
            each_capability(dependency, &mut |one| {
                all.extend(index.provides.get(one.name.as_str()).into_iter().flatten());
            });
            all
        };
        let found = universe.search(request, &|_| true, &mut provides);
        match found {
            Found::Groups(groups) => {
                let empty = groups.is_empty();
                groups.into_iter().flatten().for_each(|one| self.visit(one));
                let glob = strata_rpm::glob::is_glob(request);
                if is_file_pattern(request) && (empty || glob) {
                    needed.insert(request.to_owned());
                }
                if request.starts_with('(')
                    && let Ok(dependency) = request.parse::<Dependency>()
                {
                    each_capability(&dependency, &mut |one| self.follow(&one.name, needed));
                }
            }
            Found::Requirement(dependency) => {
                each_capability(&dependency, &mut |one| self.follow(&one.name, needed));
            }
        }
    }

    fn follow(&mut self, name: &str, needed: &mut BTreeSet<String>) {
        let (universe_index, mut provided, mut listed) = (self.index, false, false);
        for one in universe_index.provides.get(name).into_iter().flatten() {
            provided = true;
            self.visit(*one);
        }
        if !name.starts_with('/') {
            return;
        }
        for one in universe_index.files.get(name).into_iter().flatten() {
            listed = true;
            self.visit(*one);
        }
        if !(listed || provided && in_primary(name)) {
            needed.insert(name.to_owned());
        }
    }

    fn set_off(&mut self, name: &str) {
        for one in self.index.supplements.get(name).into_iter().flatten() {
            self.visit(*one);
        }
    }

    fn visit(&mut self, index: usize) {
        if let Some(seen) = self.seen.get_mut(index)
            && !*seen
        {
            *seen = true;
            self.queue.push(index);
        }
    }
}
