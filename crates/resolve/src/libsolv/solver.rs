//! libsolv's solver over a pool.

#![allow(unsafe_code, reason = "binding to a C library")]

use super::{
    pool::Pool,
    queue::{Id, Queue},
};
use rattler_libsolv_c as ffi;
use std::ptr::NonNull;

/// Of the rules of a contradiction so many are described, besides those of requests: libsolv takes
/// long for each, and no one reads more.
const MOST_RULES: usize = 1000;

/// One run of the solver.
pub(super) struct SolverHandle<'a> {
    raw: NonNull<ffi::Solver>,
    pub pool: &'a mut Pool,
    jobs: Queue,
}

/// What the caller may choose; the rest is as libdnf sets it.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub weak_deps: bool,
}

/// Why the solver took a package.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Job,
    Weak,
    Other,
}

/// One reason of a contradiction.
#[derive(Debug, Clone, Copy)]
pub(super) struct RuleInfo {
    pub kind: u32,
    pub source: Id,
    pub target: Id,
    pub dependency: Id,
    /// Position of the job it stems from.
    pub job: Option<usize>,
}

impl<'a> SolverHandle<'a> {
    /// A solver with libdnf's settings.
    pub fn new(pool: &'a mut Pool, settings: Settings) -> Self {
        // SAFETY: the pool lives as long as the solver, which holds its only borrow;
        // `solver_create` never returns null.
        unsafe {
            let raw = ffi::solver_create(pool.as_ptr());
            let set = |flag: u32, value| ffi::solver_set_flag(raw, flag as i32, value);
            for flag in [
                ffi::SOLVER_FLAG_ALLOW_VENDORCHANGE,
                ffi::SOLVER_FLAG_DUP_ALLOW_VENDORCHANGE,
                ffi::SOLVER_FLAG_KEEP_ORPHANS,
                ffi::SOLVER_FLAG_BEST_OBEY_POLICY,
                ffi::SOLVER_FLAG_YUM_OBSOLETES,
                ffi::SOLVER_FLAG_URPM_REORDER,
                ffi::SOLVER_FLAG_ALLOW_DOWNGRADE,
            ] {
                set(flag, 1);
            }
            set(ffi::SOLVER_FLAG_IGNORE_RECOMMENDED, i32::from(!settings.weak_deps));
            Self { raw: NonNull::new_unchecked(raw), pool, jobs: Queue::new() }
        }
    }

    /// Solves; whether there is a solution. To be called once.
    pub fn solve(&mut self, jobs: &[(u32, Id)]) -> bool {
        for (how, what) in jobs {
            self.jobs.push(*how as Id);
            self.jobs.push(*what);
        }
        // SAFETY: solver, pool and queue live; the ids in the jobs come from this pool.
        unsafe { ffi::solver_solve(self.raw.as_ptr(), self.jobs.as_ptr()) == 0 }
    }

    /// The packages of the solution, in the order in which they were decided.
    pub fn packages(&mut self) -> Vec<Id> {
        let mut decisions = Queue::new();
        // SAFETY: solver and queue live.
        unsafe { ffi::solver_get_decisionqueue(self.raw.as_ptr(), decisions.as_ptr()) }
        // 1 is libsolv's own package, negative ids are decisions against a package
        decisions.as_slice().iter().copied().filter(|id| *id > 1).collect()
    }

    /// Why a package of the solution was taken.
    pub fn decision(&mut self, package: Id) -> Decision {
        let mut rule = 0;
        // SAFETY: the solver lives and has solved; `rule` is written.
        let (why, class) = unsafe {
            let why = ffi::solver_describe_decision(self.raw.as_ptr(), package, &raw mut rule);
            (why as u32, ffi::solver_ruleclass(self.raw.as_ptr(), rule))
        };
        match why {
            ffi::SOLVER_REASON_WEAKDEP => Decision::Weak,
            ffi::SOLVER_REASON_UNIT_RULE | ffi::SOLVER_REASON_RESOLVE_JOB
                if class == ffi::SolverRuleinfo_SOLVER_RULE_JOB
                    || class == ffi::SolverRuleinfo_SOLVER_RULE_BEST =>
            {
                Decision::Job
            }
            _ => Decision::Other,
        }
    }

    /// The reasons of each contradiction.
    pub fn problems(&mut self) -> Vec<Vec<RuleInfo>> {
        let solver = self.raw.as_ptr();
        // SAFETY: the solver lives and has solved.
        let count = unsafe { ffi::solver_problem_count(solver) };
        let mut problems = Vec::new();
        for problem in 1..=count {
            let mut rules = Queue::new();
            // SAFETY: `problem` is one of the solver's; the queue lives.
            unsafe {
                ffi::solver_findallproblemrules(solver, problem as Id, rules.as_ptr());
            }
            let mut infos = Vec::new();
            let mut described = 0;
            for rule in rules.as_slice() {
                // SAFETY: the rule was named by this solver.
                let job = unsafe { ffi::solver_rule2jobidx(solver, *rule) };
                described += usize::from(job == 0);
                if described > MOST_RULES {
                    continue;
                }
                let mut quads = Queue::new();
                // SAFETY: the rule was named by this solver; the queue lives.
                unsafe { ffi::solver_allruleinfos(solver, *rule, quads.as_ptr()) };
                // counted from 1 and in ids, two a job
                let job = usize::try_from(job).ok().and_then(|at| at.checked_sub(1));
                for quad in quads.as_slice().chunks_exact(4) {
                    let [kind, source, target, dependency] = quad else { continue };
                    infos.push(RuleInfo {
                        kind: *kind as u32,
                        source: *source,
                        target: *target,
                        dependency: *dependency,
                        job: job.map(|at| at / 2),
                    });
                }
            }
            problems.push(infos);
        }
        problems
    }
}

impl Drop for SolverHandle<'_> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed only here, before the pool.
        unsafe { ffi::solver_free(self.raw.as_ptr()) }
    }
}
