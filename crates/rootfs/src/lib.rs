//! The root file system as a value: what rpm would leave on disk, computed from headers.

mod tree;

pub use tree::{
    Content, Kind, LinkSet, Node, Origin, PackageIndex, Tree, TreePath, TreePathError, WalkError,
};
