//! Hard links: several names of one inode.

use super::{Errno, Fs, FsError};
use crate::{Content, Kind, LinkSet, Node, PackageIndex, TreePath};
use std::collections::{BTreeMap, BTreeSet};

/// The package of sets that no package made.
const MADE: PackageIndex = PackageIndex(u32::MAX);

impl Fs<'_> {
    /// Gives a file one more name.
    pub(crate) fn hard_link(&mut self, from: &TreePath, to: &TreePath) -> Result<(), FsError> {
        if self.is_dir(from) {
            return Err(Errno::NotPermitted.into());
        }
        if self.exists(to) {
            return Err(Errno::Exists.into());
        }
        let mut node = self.node(from).ok_or(Errno::NoEntry)?.clone();
        if let Kind::File { content, links, .. } = &mut node.kind {
            if links.is_none() {
                let set = match content {
                    Content::Package { package, file } => {
                        LinkSet { package: *package, leader: *file }
                    }
                    Content::Inline(_) => {
                        self.next_link += 1;
                        LinkSet { package: MADE, leader: self.next_link }
                    }
                };
                *links = Some(set);
                self.put(from.clone(), node.clone())?;
            }
        } else {
            return Err(super::ScriptletError::unsupported("hard link to a special file").into());
        }
        self.put(to.clone(), node)
    }

    /// The set that a file is in.
    pub(crate) fn links(&self, path: &TreePath) -> Option<LinkSet> {
        self.node(path).and_then(set_of)
    }

    /// All names of the inode.
    pub(crate) fn names(&mut self, path: &TreePath) -> Vec<TreePath> {
        let Some(set) = self.links(path) else { return vec![path.clone()] };
        let names: Vec<_> = self.sets().get(&set).into_iter().flatten().cloned().collect();
        self.meter.looked(names.len());
        names
    }

    /// The names of all sets. Found by one look at the whole tree, then kept up.
    fn sets(&mut self) -> &mut BTreeMap<LinkSet, BTreeSet<TreePath>> {
        let sets = self.sets.take().unwrap_or_else(|| {
            let mut sets: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
            for path in self.below(&TreePath::root()) {
                if let Some(set) = self.links(&path) {
                    sets.entry(set).or_default().insert(path);
                }
            }
            sets
        });
        self.sets.insert(sets)
    }

    /// Changes what is at a path.
    pub(super) fn change(&mut self, path: TreePath, node: Option<Node>) {
        let (old, new) = (self.links(&path), node.as_ref().and_then(set_of));
        self.touched_links.extend(old);
        if let Some(sets) = self.sets.as_mut().filter(|_| old != new) {
            if let Some(old) = old
                && let Some(names) = sets.get_mut(&old)
            {
                names.remove(&path);
                if names.is_empty() {
                    sets.remove(&old);
                }
            }
            if let Some(new) = new {
                sets.entry(new).or_default().insert(path.clone());
            }
        }
        self.changes.insert(path, node);
    }

    /// Files whose other names went are no sets any more.
    pub(super) fn settle_links(&mut self) {
        let sets = std::mem::take(&mut self.touched_links);
        for set in sets {
            let names = self.sets().get(&set);
            let only = names.filter(|names| names.len() == 1).and_then(|names| names.first());
            if let Some(only) = only.cloned()
                && let Some(mut node) = self.node(&only).cloned()
                && let Kind::File { links, .. } = &mut node.kind
            {
                *links = None;
                self.changes.insert(only, Some(node));
            }
        }
    }
}

fn set_of(node: &Node) -> Option<LinkSet> {
    match node.kind {
        Kind::File { links, .. } => links,
        _ => None,
    }
}
