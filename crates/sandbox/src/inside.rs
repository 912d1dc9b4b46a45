//! The processes of a sandbox: the program's own binary, run again with [`ARGUMENT`] first.
//!
//! `keeper` makes the user namespace and keeps the tree on disk. For every run it starts a
//! `runner`, which lays a file system for the difference over the tree, watches time, memory and
//! output, and reads the difference when all is over. The runner starts the `guard`, the first
//! process of a new process namespace, whose end is the end of all in it. The guard starts
//! `start`, which gives up all power and becomes the scriptlet, and looks at those of its system
//! calls that cannot do what they ask for.
//!
//! All of them have one thread, and nothing in them is shared with the program that began.

mod filter;
mod gather;
mod guard;
mod keeper;
mod owners;
mod runner;
mod start;
mod whole;

pub(crate) use keeper::{PUT, REMOVE, RUN, SYNC};

use std::{
    ffi::{OsStr, OsString},
    io::{self, Write},
    process::Command,
};

/// The hidden first argument.
pub(crate) const ARGUMENT: &str = "__strata-sandbox";

/// Where a process starts its own binary again.
const SELF: &str = "/proc/self/exe";

/// Directory of the tree in the directory of a sandbox.
const LOWER: &str = "lower";
/// Where a run's own file system is.
const WORK: &str = "work";
/// The tree as the scriptlet sees and changes it.
const MERGED: &str = "work/merged";
/// The difference.
const UPPER: &str = "work/upper";
/// Where rpm puts scripts.
const SCRIPT: &str = "/var/tmp/rpm-tmp.strata";

/// Becomes a process of a sandbox, if that is what this process was started for.
pub(crate) fn init() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(ARGUMENT)) {
        return;
    }
    let role = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let code = match role.to_str() {
        Some("keeper") => keeper::main(),
        Some("runner") => runner::main(),
        Some("guard") => guard::main(),
        Some("start") => start::main(&rest),
        _ => 2,
    };
    std::process::exit(code);
}

/// A command that starts this binary in another role, with nothing of the environment.
fn again(role: &str) -> Command {
    let mut command = Command::new(SELF);
    command.arg(ARGUMENT).arg(role).env_clear();
    command
}

/// Sends a message to standard output.
fn answer(message: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    crate::wire::send(&mut out, message)?;
    out.flush()
}

/// Whoever starts this process and ends takes it along.
fn die_with_parent() -> rustix::io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
}
