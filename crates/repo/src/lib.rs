//! Repositories: from a definition to a verified [`RepoSnapshot`], and packages by checksum.
//!
//! A repository is a stranger: every file it serves is compared with the size and checksum that
//! its `repomd.xml` states (or, of packages, that its metadata states) before anything is made of
//! it. What was verified, downloaded or parsed once is kept in a [`Cache`] and not done again.
//!
//! [`Repositories`] is where a run begins; [`PackageStore`] hands out the `.rpm` files. Nothing is
//! printed here: what happens is told to a [`Progress`].

mod base;
mod bytes;
mod cache;
mod decompress;
mod definition;
mod digest;
mod directory;
mod error;
mod event;
mod fetch;
mod filelists;
mod filter;
mod http;
mod ini;
mod metadata;
mod packages;
mod parsed;
mod pieces;
mod primary;
mod repomd;
mod session;
mod snapshot;
mod variables;
mod verified;
mod xml;

pub use base::Base;
pub use cache::Cache;
pub use definition::RepoDefinition;
pub use error::{DefinitionProblem, ErrorKind, FetchFailure, FetchReason, RepoError};
pub use event::{Event, PackageOrigin, Progress, Silent, Warning};
pub use http::HttpSettings;
pub use packages::{PackageRequest, PackageStore};
pub use session::Repositories;
pub use snapshot::RepoSnapshot;
pub use variables::Variables;
