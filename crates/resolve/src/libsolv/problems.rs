//! libsolv's problem rules into facts in an order that can be read, and hints.

use super::{
    index_of,
    jobs::Job,
    queue::Id,
    solver::{RuleInfo, SolverHandle},
};
use crate::{
    Fact, ImageRequest, Problem, ResolveError, ResolveTask,
    error::{printable, some},
    missing,
    search::Universe,
};
use rattler_libsolv_c as ffi;
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{Dependency, Evr, Nevra};

/// What the rules have to be translated back to.
pub(super) struct Context<'a> {
    pub task: &'a ResolveTask<'a>,
    pub image: &'a ImageRequest,
    pub universe: &'a Universe<'a>,
    pub first: Id,
    pub hidden: &'a [bool],
    pub jobs: &'a [Job],
    /// The candidates of all jobs.
    pub requested: BTreeSet<usize>,
}

/// A fact, the package it is about, and the packages it leads to.
struct Link {
    fact: Fact,
    from: Option<usize>,
    to: Vec<usize>,
    /// Position of the request.
    job: Option<usize>,
}

pub(super) fn explain(solver: &mut SolverHandle<'_>, context: &Context<'_>) -> ResolveError {
    /// Each hint may have to look through the whole universe.
    const MOST_HINTS: usize = 3;
    let mut problems: Vec<Problem> = Vec::new();
    for infos in solver.problems() {
        let links = newest(links(solver, context, &infos));
        let problem = Problem { facts: chain(links) };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let facts: BTreeSet<&Fact> = problems.iter().flat_map(|problem| &problem.facts).collect();
    let hints: BTreeSet<(u8, String)> =
        facts.into_iter().filter_map(|fact| hint(fact, context)).take(MOST_HINTS).collect();
    let mut hints: Vec<String> = hints.into_iter().map(|(_, hint)| hint).collect();
    if hints.is_empty() {
        hints.push(part(&problems));
    }
    ResolveError::Unsatisfiable { image: context.image.name.clone(), problems, hints }
}

impl Context<'_> {
    fn nevra(&self, id: Id) -> Option<Nevra> {
        let record = self.universe.records.get(index_of(self.first, id)?)?;
        Some(record.nevra.clone())
    }

    fn requested(&self, id: Id) -> bool {
        let index = index_of(self.first, id);
        index.is_some_and(|index| self.requested.contains(&index))
    }

    fn visible(&self, index: &usize) -> bool {
        !self.hidden.get(*index).copied().unwrap_or(false)
    }
}

fn links(solver: &mut SolverHandle<'_>, context: &Context<'_>, infos: &[RuleInfo]) -> Vec<Link> {
    let mut links: Vec<Link> = Vec::new();
    let mut seen = BTreeSet::new();
    for info in infos {
        let link = link(solver, context, info);
        if seen.insert(link.fact.clone()) {
            links.push(link);
        }
    }
    links
}

fn link(solver: &mut SolverHandle<'_>, context: &Context<'_>, info: &RuleInfo) -> Link {
    let from = index_of(context.first, info.source);
    let other = index_of(context.first, info.target);
    let dependency = |solver: &mut SolverHandle<'_>| {
        if info.dependency == 0 { String::new() } else { solver.pool.describe(info.dependency) }
    };
    let nevras = |all: &[usize]| missing::nevras(context.universe, all.iter().copied());
    let providers = |solver: &mut SolverHandle<'_>| -> Vec<usize> {
        let ids = solver.pool.providers(info.dependency);
        let all = ids.into_iter().filter_map(|id| index_of(context.first, id));
        all.filter(|index| context.visible(index)).collect()
    };
    let source = context.nevra(info.source);
    let target = context.nevra(info.target);
    let requested = context.requested(info.source);
    let link = |fact, to| Link { fact, from, to, job: info.job };
    match (info.kind, source, target) {
        (ffi::SolverRuleinfo_SOLVER_RULE_JOB, _, _) => {
            let Some(job) = info.job.and_then(|at| context.jobs.get(at)) else {
                return link(
                    Fact::Other { text: "a request cannot be met".to_owned() },
                    Vec::new(),
                );
            };
            let candidates = nevras(&job.candidates);
            let fact = Fact::Requested { request: job.request.clone(), candidates };
            Link { fact, from: None, to: job.candidates.clone(), job: info.job }
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_PKG_REQUIRES, Some(package), _) => {
            let to = providers(solver);
            let dependency = dependency(solver);
            let providers = nevras(&to);
            link(Fact::Requires { package, requested, dependency, providers }, to)
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP, Some(package), _) => {
            let dependency = dependency(solver);
            link(Fact::NothingProvides { package, requested, dependency }, Vec::new())
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_PKG_CONFLICTS, Some(package), Some(other_package)) => {
            let dependency = dependency(solver);
            let to = other.into_iter().collect();
            link(Fact::Conflicts { package, dependency, other: other_package }, to)
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_PKG_SELF_CONFLICT, Some(package), _) => {
            let dependency = dependency(solver);
            link(Fact::Conflicts { other: package.clone(), package, dependency }, Vec::new())
        }
        (
            ffi::SolverRuleinfo_SOLVER_RULE_PKG_OBSOLETES
            | ffi::SolverRuleinfo_SOLVER_RULE_PKG_IMPLICIT_OBSOLETES
            | ffi::SolverRuleinfo_SOLVER_RULE_PKG_INSTALLED_OBSOLETES
            | ffi::SolverRuleinfo_SOLVER_RULE_YUMOBS,
            Some(package),
            Some(other_package),
        ) => {
            let dependency = dependency(solver);
            let to = other.into_iter().collect();
            link(Fact::Obsoletes { package, dependency, other: other_package }, to)
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_PKG_SAME_NAME, Some(package), Some(other_package)) => {
            link(Fact::SameName { package, other: other_package }, Vec::new())
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_PKG_NOT_INSTALLABLE, Some(package), _) => {
            link(Fact::Excluded { package }, Vec::new())
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_INFARCH, Some(package), _) => {
            link(Fact::InferiorArch { package }, Vec::new())
        }
        (ffi::SolverRuleinfo_SOLVER_RULE_BEST, _, _) => {
            let only = match context.jobs {
                [job] => Some(job.request.clone()),
                _ => None,
            };
            let fact = Fact::NotBest { request: only };
            Link { fact, from: None, to: Vec::new(), job: info.job }
        }
        (_, Some(package), _) => {
            let text = format!("`{package}` cannot be installed");
            link(Fact::Other { text }, Vec::new())
        }
        _ => link(Fact::Other { text: "some dependency cannot be met".to_owned() }, Vec::new()),
    }
}

/// Orders the links from the requests outward, so that each is about a package that one before it
/// led to, contradictions after what leads to them; what nothing leads to comes last.
fn chain(mut links: Vec<Link>) -> Vec<Fact> {
    links.sort_by_key(|link| match &link.fact {
        Fact::Requested { .. } | Fact::NotBest { .. } => (0, link.job),
        Fact::Requires { .. } => (1, None),
        _ => (2, None),
    });
    let mut facts = Vec::new();
    // the packages that were led to, numbered in that order
    let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
    while !links.is_empty() {
        let when = |link: &Link| match link.from {
            None => Some(0),
            Some(from) => reached.get(&from).map(|order| order + 1),
        };
        let rank = |link: &Link| match link.fact {
            Fact::Requires { .. } | Fact::Requested { .. } => 0,
            _ => 1,
        };
        let eligible = links.iter().enumerate();
        let next = eligible.filter_map(|(at, link)| Some((rank(link), when(link)?, at))).min();
        let link = links.remove(next.map_or(0, |(_, _, at)| at));
        for package in link.to {
            let order = reached.len();
            reached.entry(package).or_insert(order);
        }
        facts.push(link.fact);
    }
    facts
}

/// Of facts that several versions of a package share, those of the newest version, which then lead
/// to what all of them lead to.
fn newest(mut links: Vec<Link>) -> Vec<Link> {
    let mut best: BTreeMap<_, (Evr, BTreeSet<usize>)> = BTreeMap::new();
    for link in &links {
        if let Some((key, evr)) = shared(&link.fact) {
            let (known, to) = best.entry(key).or_insert_with(|| (evr.clone(), BTreeSet::new()));
            to.extend(&link.to);
            if *evr > *known {
                *known = evr.clone();
            }
        }
    }
    links.retain_mut(|link| {
        let Some((newest, to)) = shared(&link.fact).and_then(|(key, evr)| {
            let (newest, to) = best.get(&key)?;
            Some((newest == evr, to))
        }) else {
            return true;
        };
        link.to = to.iter().copied().collect();
        newest
    });
    links
}

/// What a fact is about, whatever the versions, and the version of its package.
fn shared(fact: &Fact) -> Option<([String; 4], &Evr)> {
    let (package, kind, dependency) = match fact {
        Fact::Requires { package, dependency, .. } => (package, "requires", dependency),
        Fact::NothingProvides { package, dependency, .. } => (package, "nothing", dependency),
        Fact::Conflicts { package, dependency, .. } => (package, "conflicts", dependency),
        Fact::Obsoletes { package, dependency, .. } => (package, "obsoletes", dependency),
        _ => return None,
    };
    let about = dependency.split(' ').next().unwrap_or(dependency);
    let key = [kind, &package.name, &package.arch, about].map(str::to_owned);
    Some((key, &package.evr))
}

/// What always helps: not to ask for all of it.
fn part(problems: &[Problem]) -> String {
    let facts = problems.iter().flat_map(|problem| &problem.facts);
    let requests: BTreeSet<&str> = facts
        .filter_map(|fact| match fact {
            Fact::Requested { request, .. } => Some(request.as_str()),
            _ => None,
        })
        .collect();
    let requests: Vec<String> =
        requests.into_iter().map(|request| format!("`{}`", printable(request))).collect();
    match requests.as_slice() {
        [] | [_] => "request another package or another version".to_owned(),
        _ => format!("leave out {}, or have them in different images", requests.join(" or ")),
    }
}

/// What may help against a fact, with its rank.
fn hint(fact: &Fact, context: &Context<'_>) -> Option<(u8, String)> {
    match fact {
        Fact::Excluded { package } => {
            Some((0, format!("`{package}` is excluded: take the pattern out of `exclude`")))
        }
        Fact::NothingProvides { dependency, .. } => unprovided(dependency, context),
        Fact::NotBest { .. } => {
            Some((3, "set `best` to false to take an older package".to_owned()))
        }
        _ => None,
    }
}

/// What comes near a dependency that nothing provides.
fn unprovided(dependency: &str, context: &Context<'_>) -> Option<(u8, String)> {
    let shown = printable(dependency);
    let Ok(wanted @ Dependency::Simple(_)) = dependency.parse() else {
        return None;
    };
    let here = missing::providers(context.universe, &wanted);
    let hidden: Vec<usize> = here.into_iter().filter(|index| !context.visible(index)).collect();
    if !hidden.is_empty() {
        let all = some(&missing::nevras(context.universe, hidden.into_iter()));
        return Some((0, format!("`{shown}` is provided by {all}, which is excluded")));
    }
    let everything = Universe::new(context.task, None);
    let elsewhere = missing::providers(&everything, &wanted);
    if !elsewhere.is_empty() {
        let all = some(&missing::nevras(&everything, elsewhere.into_iter()));
        return Some((1, format!("`{shown}` is provided for another architecture only: {all}")));
    }
    let Dependency::Simple(mut any) = wanted else {
        return None;
    };
    let name = any.name.clone();
    if any.version.take().is_some() {
        let others = missing::providers(context.universe, &Dependency::Simple(any));
        if !others.is_empty() {
            let all = some(&missing::nevras(context.universe, others.into_iter()));
            return Some((1, format!("`{}` is there only as {all}", printable(&name))));
        }
    }
    let names = context.universe.names();
    let near = missing::nearest(names, &name);
    let near: Vec<String> =
        near.into_iter().map(|name| format!("`{}`", printable(&name))).collect();
    if near.is_empty() {
        return Some((2, format!("add a repository that has `{shown}`")));
    }
    Some((2, format!("nothing is called `{shown}`, but {} is there", near.join(" or "))))
}
