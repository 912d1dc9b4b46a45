//! All real paths of a merge, numbered, so that the steps can share facts by number.

use crate::TreePath;
use std::collections::BTreeMap;

/// Number of a path in [`Paths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathId(u32);

impl PathId {
    /// As a position in a vector of [`Paths::len`] places.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Paths with all their parents; the root is the first.
pub(super) struct Paths(Vec<Known>);

struct Known {
    path: TreePath,
    parent: Option<PathId>,
    children: BTreeMap<Box<[u8]>, PathId>,
}

impl Paths {
    pub(super) const ROOT: PathId = PathId(0);

    pub(super) fn new() -> Self {
        Self(vec![Known { path: TreePath::root(), parent: None, children: BTreeMap::new() }])
    }

    /// The number of a name in a directory.
    pub(super) fn child(&mut self, directory: PathId, name: &[u8]) -> PathId {
        let above = &self.0[directory.index()];
        if let Some(id) = above.children.get(name) {
            return *id;
        }
        // 2^32 paths do not fit into memory.
        let id = PathId(self.0.len() as u32);
        let path = above.path.join(name);
        self.0[directory.index()].children.insert(name.into(), id);
        self.0.push(Known { path, parent: Some(directory), children: BTreeMap::new() });
        id
    }

    /// The number of a path.
    pub(super) fn number(&mut self, path: &TreePath) -> PathId {
        path.components().fold(Self::ROOT, |directory, name| self.child(directory, name))
    }

    pub(super) fn path(&self, id: PathId) -> &TreePath {
        &self.0[id.index()].path
    }

    pub(super) fn parent(&self, id: PathId) -> Option<PathId> {
        self.0[id.index()].parent
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All paths in the order of their numbers.
    pub(super) fn into_paths(self) -> impl Iterator<Item = TreePath> {
        self.0.into_iter().map(|known| known.path)
    }
}
