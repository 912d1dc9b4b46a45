//! The [`Solver`] port answered by libsolv, as DNF 4 asks it.
//!
//! The only place of this crate with `unsafe`: `queue`, `pool` and `solver` wrap what libsolv owns.
//! The settings are libdnf's (see `solver` and `jobs`); the root that is installed to is empty. A
//! pool is loaded once for each architecture, and each image has a solver of its own over it.
//!
//! Packages to favour come as a `FAVOR` job: among the candidates for one requirement libsolv tries
//! the favoured before all others, whatever their version, and takes another one where the favoured
//! does not fit. So a lock holds as long as it satisfies the request, and yields package by package
//! where it does not.

mod jobs;
mod load;
mod pool;
mod problems;
mod queue;
mod solver;

pub use load::unusable;

use crate::{
    ImageRequest, Reason, Resolution, ResolveError, ResolveTask, ResolvedImage, Solver,
    arch::compatible_arches, order::install_order, search::Universe,
};
use jobs::{Job, Prepared};
use pool::Pool;
use queue::Id;
use solver::{Decision, Settings, SolverHandle};
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{Dependency, PackageRecord};

/// The solver that DNF uses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Libsolv;

/// What a pool holds, and where.
struct Loaded<'a> {
    pool: Pool,
    universe: Universe<'a>,
    first: Id,
}

impl Solver for Libsolv {
    fn solve(&self, task: &ResolveTask<'_>) -> Result<Resolution, ResolveError> {
        let mut pools: BTreeMap<&str, Loaded<'_>> = BTreeMap::new();
        let mut solved: BTreeMap<ImageRequest, ResolvedImage> = BTreeMap::new();
        let mut images = Vec::new();
        for image in &task.images {
            let nameless = ImageRequest { name: String::new(), ..image.clone() };
            if let Some(same) = solved.get(&nameless) {
                images.push(ResolvedImage { name: image.name.clone(), ..same.clone() });
                continue;
            }
            if !pools.contains_key(image.arch.as_str()) {
                pools.insert(&image.arch, Loaded::new(task, image)?);
            }
            let Some(loaded) = pools.get_mut(image.arch.as_str()) else {
                continue;
            };
            let resolved = loaded.solve(task, image)?;
            solved.insert(nameless, resolved.clone());
            images.push(resolved);
        }
        Ok(Resolution { images })
    }
}

impl<'a> Loaded<'a> {
    fn new(task: &ResolveTask<'a>, image: &ImageRequest) -> Result<Self, ResolveError> {
        let arches = compatible_arches(&image.arch).ok_or_else(|| ResolveError::Arch {
            image: image.name.clone(),
            arch: image.arch.clone(),
        })?;
        let universe = Universe::new(task, Some(&arches));
        let mut pool = Pool::new(&arches);
        let first = load::load(&mut pool, task, &universe, &requested_paths(task))?;
        Ok(Self { pool, universe, first })
    }

    fn solve(
        &mut self,
        task: &ResolveTask<'_>,
        image: &ImageRequest,
    ) -> Result<ResolvedImage, ResolveError> {
        let hidden = self.universe.hidden(&image.exclude);
        let first = self.first;
        // libsolv's own package and the empty rpmdb come before the first of ours
        self.pool.consider(|id| {
            index_of(first, id).is_none_or(|index| !hidden.get(index).copied().unwrap_or(false))
        });
        let Prepared { jobs, codes } = jobs::prepare(self, task, image, &hidden)?;
        let settings = Settings { weak_deps: image.weak_deps };
        let mut solver = SolverHandle::new(&mut self.pool, settings);
        if !solver.solve(&codes) {
            let context = problems::Context {
                task,
                image,
                universe: &self.universe,
                first,
                hidden: &hidden,
                jobs: &jobs,
                requested: jobs.iter().flat_map(|job| &job.candidates).copied().collect(),
            };
            return Err(problems::explain(&mut solver, &context));
        }
        let decided = solver.packages();
        let mut chosen: Vec<(usize, Decision)> = decided
            .into_iter()
            .filter_map(|id| Some((index_of(first, id)?, solver.decision(id))))
            .collect();
        drop(solver);
        chosen.sort_unstable_by_key(|(index, _)| *index);
        Ok(self.answer(image, &jobs, &chosen))
    }

    fn answer(
        &self,
        image: &ImageRequest,
        jobs: &[Job],
        chosen: &[(usize, Decision)],
    ) -> ResolvedImage {
        let requested = requested(jobs, chosen);
        let record = |index: usize| self.universe.records.get(index).copied();
        let (indices, records): (Vec<(usize, Decision)>, Vec<&PackageRecord>) =
            chosen.iter().filter_map(|one| Some((*one, record(one.0)?))).unzip();
        let mut packages = Vec::new();
        let mut reasons = Vec::new();
        for at in install_order(&records) {
            let Some((index, decision)) = indices.get(at) else { continue };
            let Some(package) = self.universe.packages.get(*index) else { continue };
            packages.push(*package);
            reasons.push(match decision {
                _ if requested.contains(index) => Reason::Requested,
                Decision::Weak => Reason::Weak,
                Decision::Job | Decision::Other => Reason::Dependency,
            });
        }
        let (name, arch) = (image.name.clone(), image.arch.clone());
        ResolvedImage { name, arch, packages, reasons }
    }
}

/// The packages that answer a request: of several candidates that were chosen, those that were
/// chosen for the request and not for another package, if there are any.
fn requested(jobs: &[Job], chosen: &[(usize, Decision)]) -> BTreeSet<usize> {
    let decisions: BTreeMap<usize, Decision> = chosen.iter().copied().collect();
    let mut requested = BTreeSet::new();
    for job in jobs {
        let present: Vec<_> =
            job.candidates.iter().filter(|one| decisions.contains_key(one)).copied().collect();
        let by_job = |index: &usize| decisions.get(index) == Some(&Decision::Job);
        if present.iter().any(by_job) {
            requested.extend(present.into_iter().filter(by_job));
        } else {
            requested.extend(present);
        }
    }
    requested
}

/// The package behind a number of the pool.
fn index_of(first: Id, id: Id) -> Option<usize> {
    usize::try_from(id.checked_sub(first)?).ok()
}

/// The number of a package in the pool.
fn id_of(first: Id, index: usize) -> Id {
    i32::try_from(index).ok().and_then(|index| first.checked_add(index)).unwrap_or(0)
}

/// Paths inside rich requests: the pool has to know them before files become provides.
fn requested_paths(task: &ResolveTask<'_>) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for text in task.images.iter().flat_map(|image| &image.packages) {
        if text.starts_with('(')
            && let Ok(dependency) = text.parse::<Dependency>()
        {
            crate::order::each_capability(&dependency, &mut |capability| {
                if capability.name.starts_with('/') && !capability.name.contains('\0') {
                    paths.insert(capability.name.clone());
                }
            });
        }
    }
    paths
}
