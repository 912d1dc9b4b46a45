//! Scriptlets that no interpreter understands, run by the image's own programs.
//!
//! A [`Sandbox`] keeps the tree of one image on disk. [`Sandbox::run`] lays an empty file system
//! over it, runs the scriptlet in namespaces of its own (user, mount, process, network, IPC, name)
//! where it sees nothing else, and reads the difference back as [`Effects`], exactly what the
//! interpreters of `strata-rootfs` give. It does so twice, and refuses what differs.
//!
//! A program that uses this crate calls [`init`] first in its `main`: the sandbox starts the same
//! binary again.
//!
//! What is normalised: times (all that is written is dated with the task's time), and state that
//! is random or dated by its nature (the `normal` module lists it). What is left below `/tmp` and
//! `/var/tmp` is not kept.

mod available;
mod cached;
mod difference;
mod disk;
mod error;
mod ids;
mod inside;
mod limits;
mod message;
mod normal;
mod wire;

pub use available::{Unavailable, available};
pub use cached::{CachedError, FORMAT, decode, encode, key};
pub use disk::Sandbox;
pub use error::SandboxError;
pub use limits::Limits;

use std::path::Path;
use strata_rootfs::scriptlets::{Effects, ScriptletTask};

/// One scriptlet, and where its tree may be laid out.
#[derive(Clone, Copy)]
pub struct SandboxTask<'a> {
    /// What to run, on which tree. Its own limits are those of the interpreters, and not used.
    pub task: &'a ScriptletTask<'a>,
    /// A directory on a file system that can hold the tree.
    pub scratch: &'a Path,
    /// How much the scriptlet may take.
    pub limits: Limits,
}

/// Becomes one of the sandbox's own processes, if this process was started as one; else does
/// nothing. To be called first in `main`, before any thread is started.
pub fn init() {
    inside::init();
}

/// Runs one scriptlet in a sandbox of its own. For several on one image see [`Sandbox`].
pub fn run(task: &SandboxTask<'_>) -> Result<Effects, SandboxError> {
    Sandbox::new(task.scratch, task.limits)?.run(task.task)
}
