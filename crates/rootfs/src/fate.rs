//! What became of each file that a package lists.

use crate::TreePath;

/// What became of one file of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The tree's node at this path (directory links resolved) is this file.
    Installed(TreePath),
    /// The path is in the tree, but its node is another package's (or another name of this
    /// package's): rpm took them as the same file.
    Shared(TreePath),
    /// The package lists it, the tree does not have it from this package.
    NotInstalled(State),
}

impl Fate {
    /// Where it is, if it is there.
    pub fn path(&self) -> Option<&TreePath> {
        match self {
            Self::Installed(path) | Self::Shared(path) => Some(path),
            Self::NotInstalled(_) => None,
        }
    }

    /// The value of rpm's `FILESTATES`.
    pub fn file_state(&self) -> u8 {
        match self {
            Self::Installed(_) | Self::Shared(_) => 0,
            Self::NotInstalled(state) => state.file_state(),
        }
    }
}

/// Why a listed file is not installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// `%ghost`: listed, never carried.
    Ghost,
    /// Documentation or a language that was not wanted, or a directory that held nothing else.
    Excluded,
    /// Another package's file of the preferred ELF class has the path.
    WrongColor,
}

impl State {
    /// The value of rpm's `FILESTATES`: a ghost counts as normal.
    pub fn file_state(self) -> u8 {
        match self {
            Self::Ghost => 0,
            Self::Excluded => 2,
            Self::WrongColor => 4,
        }
    }
}
