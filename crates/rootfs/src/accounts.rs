//! Users and groups: who defines them, which numbers they get, and the files that say so.
//!
//! An image's accounts come from its packages alone: the `passwd` and `group` files they carry,
//! their `sysusers.d` snippets, and the `user()`, `group()` and `groupmember()` provides of
//! rpm ≥ 4.19, whose version is a snippet line in base64. Deliberate difference from
//! `systemd-sysusers`: who has no fixed number gets one for the whole fleet at once, so that
//! layers shared between images stay the same ([`allocate`]); `r` lines are read but not followed.

mod allocate;
mod base64;
mod database;
mod definitions;
mod owners;
mod render;
mod sysusers;
#[cfg(test)]
mod tests;

pub use allocate::{AllocateError, Ids, allocate, owners};
pub use database::{GroupEntry, PasswdEntry};
pub use definitions::{Definitions, Problem, SYSUSERS_DIRECTORIES};
pub use owners::Owners;
pub use render::{Rendered, Sources, render};
pub use sysusers::{Directive, Primary, SyntaxError, SysGroup, SysUser};
