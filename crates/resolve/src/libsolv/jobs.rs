//! Requests into libsolv's jobs, as libdnf's goal makes them.

use super::{Loaded, id_of, index_of, load, queue::Id};
use crate::{ImageRequest, Missing, Request, ResolveError, ResolveTask, missing, search::Found};
use rattler_libsolv_c as ffi;
use std::collections::BTreeSet;
use strata_rpm::Checksum;

/// Where a job comes from.
pub(super) struct Job {
    /// The request as it was written.
    pub request: String,
    /// Packages of the universe that satisfy it.
    pub candidates: Vec<usize>,
}

/// The jobs of one image.
pub(super) struct Prepared {
    /// The origin of the first jobs of `codes`.
    pub jobs: Vec<Job>,
    /// For the solver.
    pub codes: Vec<(u32, Id)>,
}

/// dnf's default `installonlypkgs`: several versions of these do not replace each other.
const INSTALL_ONLY: [&str; 6] = [
    "kernel",
    "kernel-PAE",
    "installonlypkg(kernel)",
    "installonlypkg(kernel-module)",
    "installonlypkg(vm)",
    "multiversion(kernel)",
];

pub(super) fn prepare(
    loaded: &mut Loaded<'_>,
    task: &ResolveTask<'_>,
    image: &ImageRequest,
    hidden: &[bool],
) -> Result<Prepared, ResolveError> {
    let mut prepared = Prepared { jobs: Vec::new(), codes: Vec::new() };
    let mut missing = Vec::new();
    let best = if image.best { ffi::SOLVER_FORCEBEST } else { 0 };
    for text in &image.packages {
        match find(loaded, image, text, hidden)? {
            Found::Groups(groups) if groups.is_empty() => {
                let why = missing::why(task, image, &loaded.universe, text);
                missing.push(Missing { request: text.clone(), why });
            }
            Found::Groups(groups) => {
                for candidates in groups {
                    let ids: Vec<Id> =
                        candidates.iter().map(|index| id_of(loaded.first, *index)).collect();
                    let what = loaded.pool.one_of(&ids);
                    let how = ffi::SOLVER_INSTALL
                        | ffi::SOLVER_SOLVABLE_ONE_OF
                        | ffi::SOLVER_SETARCH
                        | ffi::SOLVER_SETEVR
                        | best;
                    prepared.codes.push((how, what));
                    prepared.jobs.push(Job { request: text.clone(), candidates });
                }
            }
            Found::Requirement(dependency) => {
                let what = load::dependency(&mut loaded.pool, &dependency);
                let first = loaded.first;
                let providers = loaded.pool.providers(what);
                let candidates = providers.into_iter().filter_map(|id| index_of(first, id));
                let how = ffi::SOLVER_INSTALL | ffi::SOLVER_SOLVABLE_PROVIDES | best;
                prepared.codes.push((how, what));
                let candidates = candidates.collect();
                prepared.jobs.push(Job { request: text.clone(), candidates });
            }
        }
    }
    if !missing.is_empty() {
        return Err(ResolveError::NotFound { image: image.name.clone(), missing });
    }
    let favor: BTreeSet<&Checksum> = image.favor.iter().collect();
    let favoured: Vec<Id> = (loaded.universe.records.iter().enumerate())
        .filter(|(_, record)| favor.contains(&record.checksum))
        .map(|(index, _)| id_of(loaded.first, index))
        .collect();
    if !favoured.is_empty() {
        let what = loaded.pool.one_of(&favoured);
        prepared.codes.push((ffi::SOLVER_FAVOR | ffi::SOLVER_SOLVABLE_ONE_OF, what));
    }
    for name in INSTALL_ONLY {
        let what = loaded.pool.intern(name);
        prepared.codes.push((ffi::SOLVER_MULTIVERSION | ffi::SOLVER_SOLVABLE_PROVIDES, what));
    }
    Ok(prepared)
}

fn find(
    loaded: &mut Loaded<'_>,
    image: &ImageRequest,
    text: &str,
    hidden: &[bool],
) -> Result<Found, ResolveError> {
    let refuse = |reason: &str| ResolveError::Request {
        image: image.name.clone(),
        request: text.to_owned(),
        reason: reason.to_owned(),
    };
    if text.trim().is_empty() {
        return Err(refuse("it is empty"));
    }
    if text.contains('\0') {
        return Err(refuse("it contains a NUL"));
    }
    let visible = |index: usize| !hidden.get(index).copied().unwrap_or(false);
    if let Request::Exact(checksum) = text.parse().unwrap_or_else(|never| match never {}) {
        let all = loaded.universe.records.iter().enumerate();
        let same = all.filter(|(index, record)| visible(*index) && record.checksum == checksum);
        let group: Vec<usize> = same.map(|(index, _)| index).collect();
        return Ok(Found::Groups(if group.is_empty() { Vec::new() } else { vec![group] }));
    }
    if text.starts_with('(')
        && let Err(error) = text.parse::<strata_rpm::Dependency>()
    {
        return Err(refuse(&error.reason));
    }
    let Loaded { universe, pool, first, .. } = loaded;
    let mut refused = None;
    let found = universe.search(text, &visible, &mut |dependency| {
        if let Err(reason) = load::check_dependency(dependency) {
            refused = Some(reason);
            return Vec::new();
        }
        let id = load::dependency(pool, dependency);
        pool.providers(id).into_iter().filter_map(|id| index_of(*first, id)).collect()
    });
    if let Found::Requirement(dependency) = &found {
        refused = refused.or(load::check_dependency(dependency).err());
    }
    refused.map_or(Ok(found), |reason| Err(refuse(&format!("it has {reason}"))))
}
