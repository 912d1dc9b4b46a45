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
use std::collections::BTreeSet;
use strata_rpm::{Dependency, Nevra};

/// What the rules have to be translated back to.
pub(super) struct Context<'a> {
    pub task: &'a ResolveTask<'a>,
    pub image: &'a ImageRequest,
    pub universe: &'a Universe<'a>,
    pub first: Id,
    pub hidden: &'a [bool],
    pub jobs: &'a [Job],
}

/// A fact, the package it is about, and the packages it leads to.
struct Link {
    fact: Fact,
    from: Option<usize>,
    to: Vec<usize>,
}

pub(super) fn explain(solver: &mut SolverHandle<'_>, context: &Context<'_>) -> ResolveError {
    let mut problems: Vec<Problem> = Vec::new();
    let mut hints = BTreeSet::new();
    for infos in solver.problems() {
        let links = links(solver, context, &infos);
        let problem = Problem { facts: chain(links) };
        for fact in &problem.facts {
            if let Some(hint) = hint(fact, context) {
                hints.insert(hint);
            }
        }
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let hints = hints.into_iter().map(|(_, hint)| hint).collect();
    ResolveError::Unsatisfiable { image: context.image.name.clone(), problems, hints }
}

impl Context<'_> {
    fn nevra(&self, id: Id) -> Option<Nevra> {
        let record = self.universe.records.get(index_of(self.first, id)?)?;
        Some(record.nevra.clone())
    }

    fn requested(&self, id: Id) -> bool {
        let index = index_of(self.first, id);
        index.is_some_and(|index| self.jobs.iter().any(|job| job.candidates.contains(&index)))
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
    let link = |fact, to| Link { fact, from, to };
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
            Link { fact, from: None, to: job.candidates.clone() }
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
            Link { fact: Fact::NotBest { request: only }, from: None, to: Vec::new() }
        }
        (_, Some(package), _) => {
            let text = format!("`{package}` cannot be installed");
            link(Fact::Other { text }, Vec::new())
        }
        _ => link(Fact::Other { text: "some dependency cannot be met".to_owned() }, Vec::new()),
    }
}

/// Orders the links from the requests outward, so that each is about a package that one before it
/// led to; what nothing leads to comes last.
fn chain(mut links: Vec<Link>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    while !links.is_empty() {
        let next = links
            .iter()
            .position(|link| link.from.is_none())
            .or_else(|| {
                links.iter().position(|link| link.from.is_some_and(|from| reached.contains(&from)))
            })
            .unwrap_or(0);
        let link = links.remove(next);
        reached.extend(link.to);
        facts.push(link.fact);
    }
    facts
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
