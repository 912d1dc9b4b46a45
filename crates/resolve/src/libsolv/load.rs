//! Package records into a pool.

use super::{
    pool::{Lists, Pool, Repo},
    queue::Id,
};
use crate::{
    ResolveError, ResolveTask, error::printable, order::each_capability, search::Universe,
};
use rattler_libsolv_c as ffi;
use std::collections::BTreeSet;
use strata_rpm::{Capability, Comparison, Dependency, Evr, Nevra, PackageRecord, RichDependency};

/// More ids than this would not fit libsolv's signed 32-bit offsets with room to work.
const MOST_IDS: usize = 1 << 28;
/// More bytes of texts than this would not fit either: libsolv keeps all of them in one block, with
/// unsigned 32-bit offsets that it does not check. Texts that occur twice count twice here.
const MOST_BYTES: usize = 1 << 31;
/// More packages of one name than this are refused: libsolv keeps a rule for each pair of them.
const MOST_OF_A_NAME: usize = 4096;
/// A rich dependency with more clauses than this is refused: real ones have a handful, and libsolv
/// writes out every one of them.
const MOST_CLAUSES: u64 = 4096;

/// Loads the universe. Package `n` of it is number `first + n` in the pool.
pub(super) fn load(
    pool: &mut Pool,
    task: &ResolveTask<'_>,
    universe: &Universe<'_>,
    more_paths: &BTreeSet<String>,
) -> Result<Id, ResolveError> {
    let refuse = |repo: usize, record: &PackageRecord, what: &str| ResolveError::Record {
        repo: task.repos.get(repo).map(|view| view.id.to_owned()).unwrap_or_default(),
        package: printable(&record.nevra.to_string()),
        what: what.to_owned(),
    };
    let mut total = Load::default();
    for (record, package) in universe.records.iter().zip(&universe.packages) {
        check(record).map_err(|what| refuse(package.repo, record, what))?;
        total.add(record);
        if total.ids > MOST_IDS || total.bytes > MOST_BYTES {
            return Err(ResolveError::TooLarge);
        }
    }
    if let Some(index) = universe.crowded(MOST_OF_A_NAME)
        && let (Some(package), Some(record)) =
            (universe.packages.get(index), universe.records.get(index))
    {
        return Err(refuse(package.repo, record, "too many versions"));
    }
    for path in more_paths {
        pool.intern(path);
    }
    let mut at = 0;
    let mut first = None;
    let mut filled: Vec<(Repo, usize, Id, Vec<Lists>)> = Vec::new();
    for (repo, view) in task.repos.iter().enumerate() {
        let count =
            universe.packages.iter().skip(at).take_while(|package| package.repo == repo).count();
        let handle = pool.add_repo(view.priority.saturating_neg(), view.cost.saturating_neg());
        if count == 0 {
            continue;
        }
        let block = pool.add_packages(handle, i32::try_from(count).unwrap_or(0));
        first.get_or_insert(block);
        let records = universe.records.get(at..at + count).unwrap_or_default();
        filled.push((handle, at, block, records.iter().map(|one| lists(pool, one)).collect()));
        at += count;
    }
    // Only now every path that some dependency names has an id, and so can be provided.
    let mut path_ids = BTreeSet::new();
    for (handle, start, block, all) in filled {
        for (offset, mut lists) in all.into_iter().enumerate() {
            let Some(record) = universe.records.get(start + offset) else { continue };
            path_ids.clear();
            for path in &record.files {
                let id = pool.known(path);
                if id != 0 && !path.is_empty() && path_ids.insert(id) {
                    lists.provides.push(id);
                }
            }
            let Nevra { name, evr, arch } = &record.nevra;
            let nevra = [pool.intern(name), evr_id(pool, evr), pool.intern(arch)];
            let vendor = if record.vendor.is_empty() { 0 } else { pool.intern(&record.vendor) };
            let id = block + i32::try_from(offset).unwrap_or(0);
            pool.set_package(handle, id, nevra, vendor, &lists);
        }
    }
    pool.index_provides();
    Ok(first.unwrap_or(0))
}

/// What packages take up in a pool, at the most.
#[derive(Default)]
struct Load {
    ids: usize,
    bytes: usize,
}

impl Load {
    fn add(&mut self, record: &PackageRecord) {
        let Nevra { name, evr, arch } = &record.nevra;
        // a path is only known, and has an id, where a dependency names it
        self.ids += 8 + record.files.len() / 16;
        for text in [name, &evr.version, &evr.release, arch, &record.vendor] {
            self.bytes += text.len() + 1;
        }
        for dependency in dependencies(record) {
            each_capability(dependency, &mut |Capability { name, version }| {
                // each end of a relation, and what joins two of them
                self.ids += 2;
                self.bytes += name.len() + 1;
                if let Some((_, evr)) = version {
                    const EPOCH_AND_MARKS: usize = 13;
                    self.bytes += evr.version.len() + evr.release.len() + EPOCH_AND_MARKS;
                }
            });
        }
    }
}

fn lists(pool: &mut Pool, record: &PackageRecord) -> Lists {
    let mut all = |dependencies: &[Dependency]| -> Vec<Id> {
        unique(dependencies.iter().map(|one| dependency(pool, one)).collect())
    };
    let mut lists = Lists {
        provides: all(&record.provides),
        requires: Vec::new(),
        conflicts: all(&record.conflicts),
        obsoletes: all(&record.obsoletes),
        recommends: all(&record.recommends),
        suggests: all(&record.suggests),
        supplements: all(&record.supplements),
        enhances: all(&record.enhances),
    };
    lists.requires =
        unique(record.requires.iter().map(|one| dependency(pool, &one.dependency)).collect());
    let own = Capability {
        name: record.nevra.name.clone(),
        version: Some((Comparison::Equal, record.nevra.evr.clone())),
    };
    let own = capability(pool, &own);
    if !lists.provides.contains(&own) {
        lists.provides.push(own);
    }
    lists
}

/// Without repetitions and without the id of nothing, in the order given.
fn unique(mut ids: Vec<Id>) -> Vec<Id> {
    const FEW: usize = 32;
    if ids.len() > FEW {
        let mut seen = BTreeSet::new();
        ids.retain(|id| *id != 0 && seen.insert(*id));
        return ids;
    }
    let mut kept = 0;
    for at in 0..ids.len() {
        let (before, rest) = ids.split_at(at);
        let Some(id) = rest.first().copied() else { break };
        if id != 0 && !before.iter().take(kept).any(|one| *one == id) {
            ids.swap(kept, at);
            kept += 1;
        }
    }
    ids.truncate(kept);
    ids
}

/// The id of a dependency.
pub(super) fn dependency(pool: &mut Pool, dependency: &Dependency) -> Id {
    match dependency {
        Dependency::Simple(one) => capability(pool, one),
        Dependency::Rich(rich) => self::rich(pool, rich),
    }
}

fn capability(pool: &mut Pool, capability: &Capability) -> Id {
    let name = pool.intern(&capability.name);
    let Some((comparison, evr)) = &capability.version else {
        return name;
    };
    let relation = match comparison {
        Comparison::Less => ffi::REL_LT,
        Comparison::LessOrEqual => ffi::REL_LT | ffi::REL_EQ,
        Comparison::Equal => ffi::REL_EQ,
        Comparison::GreaterOrEqual => ffi::REL_GT | ffi::REL_EQ,
        Comparison::Greater => ffi::REL_GT,
    };
    let evr = evr_id(pool, evr);
    pool.relation(name, relation, evr)
}

fn evr_id(pool: &mut Pool, Evr { epoch, version, release }: &Evr) -> Id {
    if *epoch == 0 && release.is_empty() {
        return pool.intern(version);
    }
    let mut text = std::mem::take(&mut pool.scratch);
    text.clear();
    if *epoch != 0 {
        text.push_str(&epoch.to_string());
        text.push(':');
    }
    text.push_str(version);
    if !release.is_empty() {
        text.push('-');
        text.push_str(release);
    }
    let id = pool.intern(&text);
    pool.scratch = text;
    id
}

fn rich(pool: &mut Pool, rich: &RichDependency) -> Id {
    let mut conditional =
        |word: u32, then: &Dependency, condition: &Dependency, otherwise: &Option<Dependency>| {
            let then = dependency(pool, then);
            let mut condition = dependency(pool, condition);
            if let Some(otherwise) = otherwise {
                let otherwise = dependency(pool, otherwise);
                condition = pool.relation(condition, ffi::REL_ELSE, otherwise);
            }
            pool.relation(then, word, condition)
        };
    match rich {
        RichDependency::If { then, condition, otherwise } => {
            conditional(ffi::REL_COND, then, condition, otherwise)
        }
        RichDependency::Unless { then, condition, otherwise } => {
            conditional(ffi::REL_UNLESS, then, condition, otherwise)
        }
        RichDependency::Without(a, b) => {
            let (a, b) = (dependency(pool, a), dependency(pool, b));
            pool.relation(a, ffi::REL_WITHOUT, b)
        }
        RichDependency::And(all) => chain(pool, ffi::REL_AND, all),
        RichDependency::Or(all) => chain(pool, ffi::REL_OR, all),
        RichDependency::With(all) => chain(pool, ffi::REL_WITH, all),
    }
}

/// A flat chain as a balanced tree, so that no length of it makes libsolv recurse deeply.
fn chain(pool: &mut Pool, word: u32, all: &[Dependency]) -> Id {
    match all {
        [] => 0,
        [one] => dependency(pool, one),
        _ => {
            let (left, right) = all.split_at(all.len() / 2);
            let left = chain(pool, word, left);
            let right = chain(pool, word, right);
            pool.relation(left, word, right)
        }
    }
}

fn dependencies(record: &PackageRecord) -> impl Iterator<Item = &Dependency> {
    [
        &record.provides,
        &record.conflicts,
        &record.obsoletes,
        &record.recommends,
        &record.suggests,
        &record.supplements,
        &record.enhances,
    ]
    .into_iter()
    .flatten()
    .chain(record.requires.iter().map(|one| &one.dependency))
}

/// Why a package cannot be given to the solver, as what it has; none for nearly all of them.
///
/// A task with such a package is refused ([`ResolveError::Record`]): who makes a task of what
/// strangers offer leaves them out, and says so.
pub fn unusable(record: &PackageRecord) -> Option<&'static str> {
    check(record).err()
}

/// Whether a record can be given to C at all.
fn check(record: &PackageRecord) -> Result<(), &'static str> {
    let nevra = &record.nevra;
    if nevra.name.is_empty() || nevra.arch.is_empty() {
        return Err("no name");
    }
    let texts = [&nevra.name, &nevra.arch, &nevra.evr.version, &nevra.evr.release, &record.vendor];
    if texts.into_iter().any(|text| text.contains('\0')) {
        return Err("a NUL in its name, version or vendor");
    }
    dependencies(record).try_for_each(check_dependency)
}

/// Whether a dependency can be given to C at all.
pub(super) fn check_dependency(dependency: &Dependency) -> Result<(), &'static str> {
    const LONGEST: usize = 1 << 20;
    match dependency {
        Dependency::Simple(Capability { name, version }) => {
            if name.is_empty() {
                return Err("a dependency without a name");
            }
            let evr = version.as_ref().map(|(_, evr)| evr);
            let nul = |text: &String| text.contains('\0');
            if nul(name) || evr.is_some_and(|evr| nul(&evr.version) || nul(&evr.release)) {
                return Err("a NUL in a dependency");
            }
            if name.len() > LONGEST {
                return Err("a dependency of more than a MiB");
            }
            Ok(())
        }
        Dependency::Rich(rich) => {
            let (clauses, negated) = clauses(rich);
            if clauses.max(negated) > MOST_CLAUSES {
                return Err("a rich dependency with too many cases");
            }
            leaves(rich).try_for_each(check_dependency)
        }
    }
}

fn leaves(rich: &RichDependency) -> impl Iterator<Item = &Dependency> {
    let all: Vec<&Dependency> = match rich {
        RichDependency::And(all) | RichDependency::Or(all) | RichDependency::With(all) => {
            all.iter().collect()
        }
        RichDependency::Without(a, b) => vec![a, b],
        RichDependency::If { then, condition, otherwise }
        | RichDependency::Unless { then, condition, otherwise } => {
            [then, condition].into_iter().chain(otherwise).collect()
        }
    };
    all.into_iter()
}

/// Upper bounds on the clauses of a dependency and of its negation in conjunctive normal form.
fn clauses(rich: &RichDependency) -> (u64, u64) {
    let of = |dependency: &Dependency| match dependency {
        Dependency::Simple(_) => (1, 1),
        Dependency::Rich(rich) => clauses(rich),
    };
    let and =
        |(a, na): (u64, u64), (b, nb): (u64, u64)| (a.saturating_add(b), na.saturating_mul(nb));
    let not = |(a, na)| (na, a);
    let or = |a, b| not(and(not(a), not(b)));
    match rich {
        RichDependency::And(all) => all.iter().map(of).reduce(and).unwrap_or((1, 1)),
        RichDependency::Or(all) => all.iter().map(of).reduce(or).unwrap_or((1, 1)),
        RichDependency::With(_) | RichDependency::Without(..) => (1, 1),
        RichDependency::If { then, condition, otherwise } => {
            let first = or(of(then), not(of(condition)));
            match otherwise {
                Some(otherwise) => and(first, or(of(otherwise), of(condition))),
                None => first,
            }
        }
        RichDependency::Unless { then, condition, otherwise } => {
            let first = and(of(then), not(of(condition)));
            match otherwise {
                Some(otherwise) => or(first, and(of(otherwise), of(condition))),
                None => first,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_rpm::{Checksum, ChecksumAlgorithm, Package};

    #[test]
    fn every_text_and_relation_counts() {
        let evr = Evr { epoch: 0, version: "1".repeat(100), release: "2".repeat(100) };
        let mut package =
            Package::new(Nevra { name: "n".repeat(1000), evr: evr.clone(), arch: "noarch".into() });
        let named = |name: &str| {
            Dependency::Simple(Capability {
                name: name.repeat(1000),
                version: Some((Comparison::Equal, evr.clone())),
            })
        };
        let all = vec![named("a"), named("b"), named("c")];
        package.provides = vec![named("d"), Dependency::Rich(Box::new(RichDependency::Or(all)))];
        let checksum = Checksum::from_bytes(ChecksumAlgorithm::Sha256, &[0; 32]);
        let record = package.record(checksum.expect("32 bytes"), 0, "");
        let mut load = Load::default();
        load.add(&record);
        assert!((8 + 4 * 2..30).contains(&load.ids), "{}", load.ids);
        assert!((1200 + 4 * 1200..6200).contains(&load.bytes), "{}", load.bytes);
    }
}
