//! From a request to a package set: the [`Solver`] port, its [`Libsolv`] adapter, and the lockfile.
//!
//! Everything here is pure: a [`ResolveTask`] holds all that the answer depends on, and a
//! [`Resolution`] is a value. The rules are those of DNF 4 on an empty installation root; where they
//! differ, the module that differs says so.

mod arch;
mod error;
mod explain;
mod libsolv;
pub mod lock;
mod missing;
mod order;
mod reach;
mod request;
mod search;
mod task;

pub use arch::compatible_arches;
pub use error::{Missing, MissingReason, ResolveError};
pub use explain::{Fact, Problem};
pub use libsolv::{Libsolv, unusable};
pub use order::install_order;
pub use reach::file_paths_needed;
pub use request::Request;
pub use task::{
    ImageRequest, PackageRef, Reason, RepoView, Resolution, ResolveTask, ResolvedImage, Solver,
};
