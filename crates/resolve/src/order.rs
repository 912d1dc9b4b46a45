//! The order in which packages are installed.

use crate::search::ranges_overlap;
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{Capability, Dependency, PackageRecord, RichDependency};

/// Orders packages so that each comes after what it requires; returns positions in `packages`.
///
/// Packages that require each other in a circle are taken as one, and inside of it first come those
/// with the fewest requirements left unmet, `Requires(pre)` counting before plain ones. What is still
/// equal is ordered by full name. The order depends on the set alone, not on how it was listed.
///
/// rpm's own order (`rpmtsOrder`) differs in this: it also looks at `OrderWithRequires`, which
/// repository metadata lacks; among packages that are ready it prefers those that most others wait
/// for; and it breaks circles where it first meets them.
pub fn install_order(packages: &[&PackageRecord]) -> Vec<usize> {
    let graph = Graph::new(packages);
    let mut order = Vec::with_capacity(packages.len());
    let components = graph.components();
    let mut component_of = vec![0; packages.len()];
    for (number, members) in components.iter().enumerate() {
        for member in members {
            if let Some(slot) = component_of.get_mut(*member) {
                *slot = number;
            }
        }
    }
    // ranks are unique, so a component's first member names it
    let key = |number: usize| {
        let members = components.get(number).map_or(&[][..], Vec::as_slice);
        (members.iter().filter_map(|one| graph.rank.get(*one)).min().copied(), number)
    };
    let mut waiting_for: Vec<usize> = vec![0; components.len()];
    let mut wanted_by: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); components.len()];
    for (number, members) in components.iter().enumerate() {
        let needs = members.iter().flat_map(|one| graph.needs(*one));
        let needs: BTreeSet<usize> =
            needs.filter_map(|(need, _)| component_of.get(need).copied()).collect();
        for need in needs.into_iter().filter(|need| *need != number) {
            if let (Some(count), Some(back)) =
                (waiting_for.get_mut(number), wanted_by.get_mut(need))
                && back.insert(number)
            {
                *count += 1;
            }
        }
    }
    let mut ready: BTreeSet<_> =
        (0..components.len()).filter(|one| waiting_for.get(*one) == Some(&0)).map(key).collect();
    while let Some((_, number)) = ready.pop_first() {
        order.extend(graph.within(components.get(number).map_or(&[][..], Vec::as_slice)));
        for next in wanted_by.get(number).into_iter().flatten() {
            if let Some(count) = waiting_for.get_mut(*next) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(key(*next));
                }
            }
        }
    }
    order
}

/// Calls `each` with every capability that a dependency names.
pub(crate) fn each_capability(dependency: &Dependency, each: &mut dyn FnMut(&Capability)) {
    match dependency {
        Dependency::Simple(capability) => each(capability),
        Dependency::Rich(rich) => match &**rich {
            RichDependency::And(all) | RichDependency::Or(all) | RichDependency::With(all) => {
                all.iter().for_each(|one| each_capability(one, each));
            }
            RichDependency::Without(a, b) => {
                each_capability(a, each);
                each_capability(b, each);
            }
            RichDependency::If { then, condition, otherwise }
            | RichDependency::Unless { then, condition, otherwise } => {
                each_capability(then, each);
                each_capability(condition, each);
                if let Some(otherwise) = otherwise {
                    each_capability(otherwise, each);
                }
            }
        },
    }
}

/// Who needs whom. The flag says that it is before scriptlets.
struct Graph {
    /// Position in the order of full names.
    rank: Vec<usize>,
    needs: Vec<BTreeMap<usize, bool>>,
}

impl Graph {
    fn new(packages: &[&PackageRecord]) -> Self {
        let mut by_name: Vec<usize> = (0..packages.len()).collect();
        by_name
            .sort_by_key(|one| packages.get(*one).map(|record| (&record.nevra, &record.checksum)));
        let mut rank = vec![0; packages.len()];
        for (position, one) in by_name.iter().enumerate() {
            if let Some(slot) = rank.get_mut(*one) {
                *slot = position;
            }
        }
        let providers = Providers::new(packages);
        let needs = packages
            .iter()
            .enumerate()
            .map(|(own, record)| {
                let mut needs: BTreeMap<usize, bool> = BTreeMap::new();
                for requirement in &record.requires {
                    each_capability(&requirement.dependency, &mut |wanted| {
                        providers.each(wanted, &mut |provider| {
                            if provider != own {
                                *needs.entry(provider).or_default() |= requirement.pre;
                            }
                        });
                    });
                }
                needs
            })
            .collect();
        Self { rank, needs }
    }

    fn needs(&self, package: usize) -> impl Iterator<Item = (usize, bool)> {
        self.needs.get(package).into_iter().flatten().map(|(need, pre)| (*need, *pre))
    }

    /// The strongly connected components.
    fn components(&self) -> Vec<Vec<usize>> {
        let mut graph = petgraph::graph::DiGraph::<(), ()>::new();
        let nodes: Vec<_> = self.needs.iter().map(|_| graph.add_node(())).collect();
        for (package, needs) in self.needs.iter().enumerate() {
            for need in needs.keys() {
                if let (Some(from), Some(to)) = (nodes.get(package), nodes.get(*need)) {
                    graph.add_edge(*from, *to, ());
                }
            }
        }
        let components = petgraph::algo::kosaraju_scc(&graph);
        components.into_iter().map(|all| all.iter().map(|node| node.index()).collect()).collect()
    }

    /// The members of one component in order.
    fn within(&self, members: &[usize]) -> Vec<usize> {
        if members.len() < 2 {
            return members.to_vec();
        }
        let inside: BTreeSet<usize> = members.iter().copied().collect();
        let mut back: BTreeMap<usize, Vec<(usize, bool)>> = BTreeMap::new();
        // unmet before scriptlets, unmet at all
        let mut unmet: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for member in &inside {
            let mut count = (0, 0);
            for (need, pre) in self.needs(*member).filter(|(need, _)| inside.contains(need)) {
                count.0 += usize::from(pre);
                count.1 += 1;
                back.entry(need).or_default().push((*member, pre));
            }
            unmet.insert(*member, count);
        }
        let key = |member: usize, count: (usize, usize)| {
            (count, self.rank.get(member).copied().unwrap_or(0), member)
        };
        let mut queue: BTreeSet<_> = unmet.iter().map(|(one, count)| key(*one, *count)).collect();
        let mut order = Vec::with_capacity(members.len());
        while let Some((_, _, member)) = queue.pop_first() {
            order.push(member);
            unmet.remove(&member);
            for (waiting, pre) in back.get(&member).into_iter().flatten() {
                if let Some(count) = unmet.get_mut(waiting) {
                    queue.remove(&key(*waiting, *count));
                    count.0 -= usize::from(*pre);
                    count.1 -= 1;
                    queue.insert(key(*waiting, *count));
                }
            }
        }
        order
    }
}

/// Who provides what among the packages.
struct Providers<'a> {
    capabilities: BTreeMap<&'a str, Vec<(usize, &'a Capability)>>,
    files: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Providers<'a> {
    fn new(packages: &[&'a PackageRecord]) -> Self {
        let mut wanted_files = BTreeSet::new();
        for requirement in packages.iter().flat_map(|record| &record.requires) {
            each_capability(&requirement.dependency, &mut |capability| {
                if capability.name.starts_with('/') {
                    wanted_files.insert(capability.name.clone());
                }
            });
        }
        let mut this = Self { capabilities: BTreeMap::new(), files: BTreeMap::new() };
        for (package, record) in packages.iter().enumerate() {
            for provided in &record.provides {
                if let Dependency::Simple(capability) = provided {
                    let all = this.capabilities.entry(&capability.name).or_default();
                    all.push((package, capability));
                }
            }
            for file in record.files.iter().filter(|file| wanted_files.contains(*file)) {
                this.files.entry(file).or_default().push(package);
            }
        }
        this
    }

    fn each(&self, wanted: &Capability, each: &mut dyn FnMut(usize)) {
        for (package, provided) in self.capabilities.get(wanted.name.as_str()).into_iter().flatten()
        {
            if ranges_overlap(wanted, provided) {
                each(*package);
            }
        }
        for package in self.files.get(wanted.name.as_str()).into_iter().flatten() {
            each(*package);
        }
    }
}
