//! Which triggers a package sets off, and which of its own are set off by what is there.

use super::{Action, Paths, Phase, Step, Transaction, paths::Scope};
use crate::PackageIndex;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use strata_rpm::{Condition, Dependency, Package, Scriptlet, ScriptletKind, Sense};

/// From here on a file trigger runs before `%post`.
const BOUND: u32 = 10_000;

/// Before or after `%post`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Before.
    Early,
    /// After.
    Late,
}

impl Class {
    fn has(self, scriptlet: &Scriptlet) -> bool {
        (scriptlet.priority >= BOUND) == (self == Self::Early)
    }
}

/// Scripts of a package that ran, by place in its header.
type Done = BTreeSet<usize>;

/// Higher priorities first, then by package and place in its header.
type Order = (Reverse<u32>, PackageIndex, usize);

/// The triggers of the packages in the database.
#[derive(Default)]
pub(super) struct Index<'a> {
    /// Packages by the name that sets off a trigger of theirs.
    by_name: BTreeMap<&'a str, Vec<PackageIndex>>,
    /// Packages by their own name.
    packages: BTreeMap<&'a str, Vec<PackageIndex>>,
    /// Their file triggers.
    files: BTreeMap<Order, &'a Scriptlet>,
}

/// What a package says of one kind of trigger, in the order of its header.
fn conditions(package: &Package) -> Vec<(&Condition, usize, &Scriptlet)> {
    let triggers = package.scriptlets.iter().filter(|one| one.kind == ScriptletKind::Trigger);
    let mut all: Vec<_> = triggers
        .enumerate()
        .flat_map(|(script, one)| one.conditions.iter().map(move |c| (c, script, one)))
        .collect();
    all.sort_by_key(|(condition, _, _)| condition.position);
    all
}

/// Whether rpm takes the script for one that runs on installation: it asks the first condition.
fn on_installation(scriptlet: &Scriptlet) -> bool {
    scriptlet.conditions.first().is_some_and(|first| first.flags & Sense::TRIGGERIN != 0)
}

/// Higher priorities first.
fn file_triggers(package: &Package, kind: ScriptletKind) -> Vec<&Scriptlet> {
    let all = package.scriptlets.iter().filter(|one| one.kind == kind && on_installation(one));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|one| Reverse(one.priority));
    all
}

impl<'a> Index<'a> {
    /// The package's row appears.
    pub(super) fn add(&mut self, at: PackageIndex, package: &'a Package) {
        self.packages.entry(&package.nevra.name).or_default().push(at);
        for (condition, _, _) in conditions(package) {
            let places = self.by_name.entry(&condition.name).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
        let kind = ScriptletKind::FileTrigger;
        for (place, one) in file_triggers(package, kind).into_iter().enumerate() {
            self.files.insert((Reverse(one.priority), at, place), one);
        }
    }

    /// `%triggerprein` or `%triggerin`: those of all packages in the database that this one sets
    /// off, then its own that they set off.
    pub(super) fn run(
        &self,
        run: &mut Transaction<'a>,
        at: PackageIndex,
        sense: u32,
        phase: Phase,
    ) {
        let Some(member) = run.member(at) else { return };
        let name = member.package.nevra.name.as_str();
        let arg2 = run.count(name);
        for owner in self.by_name.get(name).into_iter().flatten() {
            self.one(run, (*owner, at), (sense, phase), arg2, None);
        }
        let mut done = Done::default();
        let mut names = BTreeSet::new();
        for (condition, script, _) in conditions(member.package) {
            let name = condition.name.as_str();
            // a second look at a name finds what the first did
            if done.contains(&script) || !names.insert(name) {
                continue;
            }
            let count = run.count(name);
            for source in self.packages.get(name).into_iter().flatten() {
                self.one(run, (at, *source), (sense, phase), count, Some(&mut done));
            }
        }
    }

    /// At most one script of `owner` runs because of `source`: that of the first condition that
    /// fits, unless it is `done`.
    fn one(
        &self,
        run: &mut Transaction<'a>,
        (owner, source): (PackageIndex, PackageIndex),
        (sense, phase): (u32, Phase),
        arg2: u32,
        done: Option<&mut Done>,
    ) {
        let (Some(from), Some(by)) = (run.member(owner), run.member(source)) else { return };
        let fits = |condition: &Condition| {
            condition.flags & sense != 0
                && condition.name == by.package.nevra.name
                && provides(by.package, condition)
        };
        let all = conditions(from.package);
        let Some((_, script, scriptlet)) = all.into_iter().find(|(one, _, _)| fits(one)) else {
            return;
        };
        if done.is_some_and(|done| !done.insert(script)) {
            return;
        }
        run.steps.push(Step::Run(Action {
            package: owner,
            phase,
            scriptlet,
            arg1: run.count(&from.package.nevra.name),
            arg2: Some(arg2),
            paths: Paths::none(),
            cause: Some(source),
        }));
    }

    /// `%filetriggerin`: those of all packages in the database, this one included, for its files;
    /// then its own for the files of the others.
    pub(super) fn run_for_files(&self, run: &mut Transaction<'a>, at: PackageIndex, class: Class) {
        let mut found = Vec::new();
        for ((_, owner, _), scriptlet) in &self.files {
            if class.has(scriptlet) {
                found.push((*owner, *scriptlet, Scope::One(at)));
            }
        }
        if let Some(member) = run.member(at) {
            let scope = Scope::Before(at.0);
            let own = file_triggers(member.package, ScriptletKind::FileTrigger).into_iter();
            found.extend(own.filter(|one| class.has(one)).map(|one| (at, one, scope)));
        }
        for (owner, scriptlet, scope) in found {
            push(run, owner, scriptlet, Phase::FileTriggerIn, scope);
        }
    }
}

/// `%transfiletriggerin` of one package, for the files of all.
pub(super) fn run_for_all_files(run: &mut Transaction<'_>, at: PackageIndex) {
    let Some(member) = run.member(at) else { return };
    let end = u32::try_from(run.members.len()).unwrap_or(u32::MAX);
    for scriptlet in file_triggers(member.package, ScriptletKind::TransFileTrigger) {
        let scope = Scope::Before(end);
        push(run, at, scriptlet, Phase::TransFileTriggerIn, scope);
    }
}

/// Runs a file trigger that some file sets off.
fn push<'a>(
    run: &mut Transaction<'a>,
    owner: PackageIndex,
    scriptlet: &'a Scriptlet,
    phase: Phase,
    scope: Scope,
) {
    let paths = Paths::new(run.members, &scriptlet.conditions, scope);
    if !paths.is_empty() {
        let cause = match scope {
            Scope::One(at) => Some(at),
            Scope::Before(_) => None,
        };
        let (arg1, arg2) = (0, None);
        let action = Action { package: owner, phase, scriptlet, arg1, arg2, paths, cause };
        run.steps.push(Step::Run(action));
    }
}

/// Whether the package provides what the condition wants: any version, or one in its range.
fn provides(package: &Package, condition: &Condition) -> bool {
    let wanted = condition.capability();
    package.provides.iter().any(|provided| match provided {
        Dependency::Simple(provided) => provided.overlaps(&wanted),
        Dependency::Rich(_) => false,
    })
}
