//! Scriptlets as code on the tree: a shell, and the commands that scriptlets call, interpreted
//! inside the process on the root file system as a value.
//!
//! Nothing outside the tree is read or written, and nothing is started. A run is a transaction:
//! [`run`] gives back what it would change ([`Effects`]), or an error and no change. What is not
//! understood is an error that says so; the caller decides by its policy what happens then.
//!
//! The model is a chroot into the tree, as root, without `/proc`, `/sys` and a running init
//! system, where every program takes no time: all that is written is dated with the task's time.
//! A program runs only if the tree has it; else the shell says `not found`, as it would.

mod accounts_of;
mod commands;
mod effects;
mod error;
mod fs;
mod glob;
mod limits;
mod lua;
mod regex;
mod shell;
mod streams;
#[cfg(test)]
mod tests;
mod units;

pub use accounts_of::accounts_of;
pub use effects::{Action, Effects, Outcome};
pub use error::ScriptletError;
pub use fs::Contents;
pub use limits::Limits;

use crate::{Owners, Tree};
use strata_rpm::ScriptletKind;

/// All that a run depends on.
#[derive(Clone, Copy)]
pub struct ScriptletTask<'a> {
    /// The root file system before.
    pub tree: &'a Tree,
    /// How many packages of the installation order are there already: paths of later ones are not
    /// seen. None: all are.
    pub installed: Option<u32>,
    /// The bytes of files that come from packages.
    pub contents: &'a dyn Contents,
    /// Numbers for accounts that the scriptlet makes, where they are known beforehand.
    pub owners: &'a Owners,
    /// What kind of scriptlet it is: decides what a failure means.
    pub kind: ScriptletKind,
    /// Interpreter and arguments, as the header has them.
    pub program: &'a [String],
    /// The script.
    pub body: &'a str,
    /// Arguments: the install count first.
    pub arguments: &'a [String],
    /// Standard input: the paths of a file trigger, one a line.
    pub stdin: &'a [u8],
    /// Seconds since 1970 that date everything written.
    pub mtime: u64,
    /// How much it may do.
    pub limits: Limits,
}

/// Runs a scriptlet. The tree is not changed: that is what [`Effects::apply`] does.
pub fn run(task: &ScriptletTask<'_>) -> Result<Effects, ScriptletError> {
    if task.program.first().is_some_and(|program| program == "<lua>") {
        return lua::run(task);
    }
    shell::run(task)
}
