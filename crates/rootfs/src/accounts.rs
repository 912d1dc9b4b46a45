//! Users and groups: who defines them, which numbers they get, and the files that say so.

mod owners;

pub use owners::Owners;
