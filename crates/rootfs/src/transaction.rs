//! The order in which rpm runs everything when packages are installed into an empty root.
//!
//! The rules are those of rpm 4.18, found by watching it (`tests/transaction_oracle.rs`):
//! 1. every `%pretrans`;
//! 2. package by package: `%triggerprein` of the packages before it, its own; `%pre`; its files; its
//!    row in the database; file triggers of a priority of 10,000 and more; `%post`; `%triggerin` of
//!    all packages so far, itself included, then its own once more; the other file triggers;
//! 3. every `%posttrans`;
//! 4. every `%transfiletriggerin`.
//!
//! A package's own ordinary trigger can thus run twice, as in rpm. Nothing is decided here about
//! what a script does, or what follows when it fails.

mod paths;
mod triggers;

pub use paths::Paths;

use crate::PackageIndex;
use std::collections::BTreeMap;
use strata_rpm::{Package, Scriptlet, ScriptletKind, Sense};

/// One package of the transaction.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// What its header says.
    pub package: &'a Package,
    /// `FILESTATES`, one for each of its files: what is not installed sets off no file trigger.
    pub states: &'a [u8],
}

/// One step of the installation.
#[derive(Debug, Clone)]
pub enum Step<'a> {
    /// The files of this package appear, and its row in the database.
    Files(PackageIndex),
    /// A script runs.
    Run(Action<'a>),
}

/// When in the installation a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// `%pretrans`
    PreTrans,
    /// `%triggerprein`
    TriggerPreIn,
    /// `%pre`
    Pre,
    /// `%filetriggerin`
    FileTriggerIn,
    /// `%post`
    Post,
    /// `%triggerin`
    TriggerIn,
    /// `%posttrans`
    PostTrans,
    /// `%transfiletriggerin`
    TransFileTriggerIn,
}

impl Phase {
    /// The section of a spec file.
    pub fn section(self) -> &'static str {
        match self {
            Self::PreTrans => "%pretrans",
            Self::TriggerPreIn => "%triggerprein",
            Self::Pre => "%pre",
            Self::FileTriggerIn => "%filetriggerin",
            Self::Post => "%post",
            Self::TriggerIn => "%triggerin",
            Self::PostTrans => "%posttrans",
            Self::TransFileTriggerIn => "%transfiletriggerin",
        }
    }
}

/// One run of one script.
#[derive(Debug, Clone)]
pub struct Action<'a> {
    /// Whose script it is.
    pub package: PackageIndex,
    /// When it runs.
    pub phase: Phase,
    /// Program, body and flags. A program without a body gets no arguments from rpm.
    pub scriptlet: &'a Scriptlet,
    /// `$1`: how many packages of its package's name there are; 0 for a file trigger.
    pub arg1: u32,
    /// `$2` of a trigger: how many packages there are of the name that set it off.
    pub arg2: Option<u32>,
    /// What a file trigger gets on standard input, a line each; Lua asks for them one by one.
    pub paths: Paths<'a>,
    /// The package that set the trigger off, where it is one.
    pub cause: Option<PackageIndex>,
}

/// All that rpm does when it installs these packages in this order.
pub fn steps<'a>(members: &'a [Member<'a>]) -> Vec<Step<'a>> {
    let mut run = Transaction { members, steps: Vec::new(), counts: BTreeMap::new() };
    let mut triggers = triggers::Index::default();
    for at in run.indexes() {
        run.own(at, ScriptletKind::PreTrans, Phase::PreTrans, 1);
    }
    for at in run.indexes() {
        let Some(member) = run.member(at) else { continue };
        let count = run.count(&member.package.nevra.name) + 1;
        triggers.run(&mut run, at, Sense::TRIGGERPREIN, Phase::TriggerPreIn);
        run.own(at, ScriptletKind::Pre, Phase::Pre, count);
        run.steps.push(Step::Files(at));
        *run.counts.entry(&member.package.nevra.name).or_default() += 1;
        triggers.add(at, member.package);
        triggers.run_for_files(&mut run, at, triggers::Class::Early);
        run.own(at, ScriptletKind::Post, Phase::Post, count);
        triggers.run(&mut run, at, Sense::TRIGGERIN, Phase::TriggerIn);
        triggers.run_for_files(&mut run, at, triggers::Class::Late);
    }
    for at in run.indexes() {
        let name = run.member(at).map_or("", |member| &member.package.nevra.name);
        run.own(at, ScriptletKind::PostTrans, Phase::PostTrans, run.count(name));
    }
    for at in run.indexes() {
        triggers::run_for_all_files(&mut run, at);
    }
    run.steps
}

/// The installation so far.
struct Transaction<'a> {
    members: &'a [Member<'a>],
    steps: Vec<Step<'a>>,
    /// Rows of the database by name.
    counts: BTreeMap<&'a str, u32>,
}

impl<'a> Transaction<'a> {
    fn indexes(&self) -> impl Iterator<Item = PackageIndex> + use<> {
        (0..u32::try_from(self.members.len()).unwrap_or(u32::MAX)).map(PackageIndex)
    }

    fn member(&self, at: PackageIndex) -> Option<&'a Member<'a>> {
        self.members.get(at.0 as usize)
    }

    fn count(&self, name: &str) -> u32 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// A plain scriptlet of a package.
    fn own(&mut self, at: PackageIndex, kind: ScriptletKind, phase: Phase, arg1: u32) {
        let scriptlets = self.member(at).map_or([].as_slice(), |one| &one.package.scriptlets);
        for scriptlet in scriptlets.iter().filter(|scriptlet| scriptlet.kind == kind) {
            let (paths, cause, arg2) = (Paths::none(), None, None);
            let action = Action { package: at, phase, scriptlet, arg1, arg2, paths, cause };
            self.steps.push(Step::Run(action));
        }
    }
}

#[cfg(test)]
mod tests;
