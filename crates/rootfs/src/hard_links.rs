//! Hard link sets in a tree.

use crate::{Kind, LinkSet, Node, Tree, TreePath};
use std::collections::BTreeMap;

/// The set that a file belongs to.
pub(crate) fn link_set(node: &Node) -> Option<LinkSet> {
    match &node.kind {
        Kind::File { links, .. } => *links,
        _ => None,
    }
}

/// The names of every set.
pub(crate) fn names_of_sets(tree: &Tree) -> BTreeMap<LinkSet, Vec<TreePath>> {
    let mut names: BTreeMap<LinkSet, Vec<TreePath>> = BTreeMap::new();
    for (path, node) in tree.iter() {
        if let Some(set) = link_set(node) {
            names.entry(set).or_default().push(path.clone());
        }
    }
    names
}

/// A set that ended with one name is an ordinary file.
pub(crate) fn single_links<'a>(nodes: impl IntoIterator<Item = &'a mut Node>) {
    let mut only: BTreeMap<LinkSet, Option<&mut Node>> = BTreeMap::new();
    for node in nodes {
        if let Some(set) = link_set(node) {
            only.entry(set).and_modify(|first| *first = None).or_insert(Some(node));
        }
    }
    for node in only.into_values().flatten() {
        if let Kind::File { links, .. } = &mut node.kind {
            *links = None;
        }
    }
}
