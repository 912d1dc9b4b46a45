//! Hard links: several names of one inode.

use super::{Errno, Fs, FsError};
use crate::{Content, Kind, LinkSet, Node, PackageIndex, TreePath};

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
        match self.node(path).map(|node| &node.kind) {
            Some(Kind::File { links, .. }) => *links,
            _ => None,
        }
    }

    /// All names of the inode.
    pub(crate) fn names(&self, path: &TreePath) -> Vec<TreePath> {
        let Some(set) = self.links(path) else { return vec![path.clone()] };
        let all = self.below(&TreePath::root()).into_iter();
        all.filter(|path| self.links(path) == Some(set)).collect()
    }

    /// Remembers sets that lost or may have lost a name.
    pub(super) fn note_links(&mut self, node: &Node) {
        if let Kind::File { links: Some(set), .. } = &node.kind {
            self.touched_links.insert(*set);
        }
    }

    /// Files whose other names went are no sets any more.
    pub(super) fn settle_links(&mut self) {
        let sets = std::mem::take(&mut self.touched_links);
        if sets.is_empty() {
            return;
        }
        let all = self.below(&TreePath::root());
        for set in sets {
            let names: Vec<&TreePath> =
                all.iter().filter(|path| self.links(path) == Some(set)).collect();
            if let [only] = names.as_slice()
                && let Some(mut node) = self.node(only).cloned()
                && let Kind::File { links, .. } = &mut node.kind
            {
                *links = None;
                self.changes.insert((*only).clone(), Some(node));
            }
        }
    }
}
