//! The root file system as a value: what rpm would leave on disk, computed from headers.

pub mod accounts;
pub mod distro;
pub mod dnf_state;
mod dump;
mod edits;
pub mod elf;
pub mod facts;
mod fate;
#[cfg(test)]
mod fixture;
mod hard_links;
pub mod installation;
pub mod ldconfig;
mod merge;
mod policy;
pub mod rpmdb;
pub mod scriptlets;
pub mod transaction;
mod tree;
mod walk;

pub use accounts::Owners;
pub use edits::apply as apply_edits;
pub use edits::{
    Access, EditError, FilePolicy, ImageView, Owner, PackageInfo, ReadContent, TreeEdit, TreeEdits,
};
pub use fate::{Fate, State};
pub use merge::{Conflict, MergeError, MergeTask, Merged, Warning, file_node, merge};
pub use tree::{Content, Kind, LinkSet, Node, Origin, PackageIndex, Tree, TreePath, TreePathError};
pub use walk::{Walk, WalkError};
