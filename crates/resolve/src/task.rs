//! What is asked of a solver, and what it answers: plain values.

use crate::ResolveError;
use strata_rpm::{Checksum, PackageRecord};

/// All that a resolution depends on. The same task gives the same [`Resolution`], anywhere.
#[derive(Debug, Clone)]
pub struct ResolveTask<'a> {
    /// The repositories. Where two packages are equally good, the earlier repository wins.
    pub repos: Vec<RepoView<'a>>,
    /// The images, each solved for itself.
    pub images: Vec<ImageRequest>,
}

/// A repository as the solver sees it.
#[derive(Debug, Clone)]
pub struct RepoView<'a> {
    /// Its id, for messages.
    pub id: &'a str,
    /// As in a `.repo` file: the lower number wins before versions are compared (default 99).
    pub priority: i32,
    /// As in a `.repo` file: between the same package of two repositories the cheaper wins
    /// (default 1000).
    pub cost: i32,
    /// The packages, in the order of the metadata; what the repository's own `excludepkgs` and
    /// `includepkgs` hide is left out.
    pub packages: &'a [PackageRecord],
}

/// What one image asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRequest {
    /// The image's name, for messages.
    pub name: String,
    /// rpm's name of the image's architecture, for example `x86_64`; never the host's.
    pub arch: String,
    /// What to install, each in the [language of requests](crate::Request).
    pub packages: Vec<String>,
    /// Packages that are treated as if they did not exist: names, `name.arch`, `name-version…`,
    /// with globs.
    pub exclude: Vec<String>,
    /// Whether `Recommends` and `Supplements` are followed.
    pub weak_deps: bool,
    /// Whether the newest version of what is requested must be taken, or else it is an error.
    pub best: bool,
    /// Packages to prefer over others that would do, newer ones included: those of the lock. They
    /// are dropped where they no longer satisfy the request.
    pub favor: Vec<Checksum>,
}

/// A package of a task: `task.repos[repo].packages[package]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageRef {
    /// Index into [`ResolveTask::repos`].
    pub repo: usize,
    /// Index into [`RepoView::packages`].
    pub package: usize,
}

/// Why a package is in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A request names it.
    Requested,
    /// Another package requires it.
    Dependency,
    /// Another package recommends it, or it supplements one.
    Weak,
}

/// The answer to a [`ResolveTask`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// In the order of the task's images.
    pub images: Vec<ResolvedImage>,
}

/// The packages of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The image's name.
    pub name: String,
    /// The image's architecture.
    pub arch: String,
    /// In installation order (see [`crate::install_order`]).
    pub packages: Vec<PackageRef>,
    /// Why each of `packages` is there, in the same order.
    pub reasons: Vec<Reason>,
}

impl ResolveTask<'_> {
    /// The record behind a reference that this task's resolution gave.
    pub fn record(&self, package: PackageRef) -> Option<&PackageRecord> {
        self.repos.get(package.repo)?.packages.get(package.package)
    }
}

/// The port: whoever can answer a [`ResolveTask`].
pub trait Solver {
    /// Solves every image of the task, or says why one of them cannot be.
    fn solve(&self, task: &ResolveTask<'_>) -> Result<Resolution, ResolveError>;
}
