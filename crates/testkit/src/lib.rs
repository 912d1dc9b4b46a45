//! Fixtures and oracles for the tests of the other crates.
//!
//! A test that needs a corpus or another tool asks for it here and returns early without it, with
//! a note; where `STRATA_REQUIRE_CORPUS=1` says that everything is installed, what is missing
//! fails the test instead.
//!
//! ```no_run
//! # use strata_testkit::{Set, corpus, tool};
//! let (Some(repository), Some(_)) = (corpus(Set::Small), tool("rpm")) else { return };
//! ```

#![allow(clippy::print_stderr, reason = "notes for whoever reads a test's output")]

mod corpus;
mod diff;
mod fixture;
mod noise;
mod podman;
mod scan;
mod tool;
mod user;

pub use corpus::{Set, corpora, corpus, corpus_rpmdbs, corpus_rpms, corpus_units, corpus_update};
pub use diff::{Difference, Field, diff};
pub use fixture::{Repository, pack, rpmbuild};
pub use noise::noise;
pub use podman::{Podman, Running};
pub use scan::{Entry, EntryKind, Scan, scan};
pub use tool::{Ran, missing, output, run, tool};
pub use user::OrdinaryUser;
