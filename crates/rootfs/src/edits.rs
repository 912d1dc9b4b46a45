//! What plugins ask of a tree: files of a package to leave out, and changes of the finished tree.

mod apply;

use crate::{Content, Tree, TreePath};
use std::{collections::BTreeSet, io, sync::Arc};

pub use apply::{EditError, apply};

/// Files of one package that are left out beside what the merge's own policy leaves out, by file
/// index. The rpmdb records them as not installed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePolicy {
    /// File indexes.
    pub excluded: BTreeSet<u32>,
}

/// A user or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// By number.
    Id(u32),
    /// By its name in the image's `/etc/passwd` or `/etc/group`.
    Name(String),
}

/// Permissions and ownership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Permission bits with set-id and sticky, `0o7777` at most.
    pub mode: u16,
    /// Owner.
    pub user: Owner,
    /// Group.
    pub group: Owner,
}

/// One change of a tree. Directory links above the last component are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeEdit {
    /// A directory to be there; one that is there already gets these attributes.
    MakeDirectory {
        /// Where.
        path: TreePath,
        /// Attributes.
        access: Access,
    },
    /// A file to be there, in the place of a file or link.
    WriteFile {
        /// Where.
        path: TreePath,
        /// Bytes.
        content: Arc<[u8]>,
        /// Attributes.
        access: Access,
    },
    /// A symbolic link to be there, in the place of a file or link.
    MakeSymlink {
        /// Where.
        path: TreePath,
        /// Raw target.
        target: Vec<u8>,
    },
    /// Other permissions and owner for what is there; a link is not followed.
    SetAccess {
        /// What.
        path: TreePath,
        /// Attributes.
        access: Access,
    },
    /// A path that goes, with all below it.
    Remove {
        /// What.
        path: TreePath,
    },
}

/// Changes in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeEdits(pub Vec<TreeEdit>);

/// A package as plugins see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageInfo {
    /// Name, epoch, version, release, architecture.
    pub nevra: strata_rpm::Nevra,
    /// Name of the source package.
    pub source: String,
    /// Whether the spec asked for it by name.
    pub requested: bool,
}

/// An image as plugins see it.
#[derive(Clone, Copy)]
pub struct ImageView<'a> {
    /// Name in the spec.
    pub name: &'a str,
    /// rpm's name of the architecture.
    pub arch: &'a str,
    /// In the order of their installation: [`crate::PackageIndex`] counts in it.
    pub packages: &'a [PackageInfo],
    /// The tree as the steps before have left it.
    pub tree: &'a Tree,
    /// Reads the contents of its files.
    pub contents: &'a dyn ReadContent,
}

/// Reads contents of a tree's files, wherever they lie.
pub trait ReadContent: Sync {
    /// All bytes. The caller has looked at the size before.
    fn read(&self, content: &Content) -> io::Result<Arc<[u8]>>;
}
