//! The manifest of one shared layer.

use super::{SharedView, Views, package::Inode};
use crate::{
    Entry, EntryKind, LayerManifest, Member,
    plan::{AtomId, PlannedLayer},
};
use std::collections::{BTreeMap, BTreeSet};
use strata_rootfs::{Node, Origin, Tree, TreePath};

/// All views of the layer's atoms, each path once, and the directories they need.
pub(super) fn manifest(
    views: &Views<'_>,
    layer: &PlannedLayer,
    by_atom: &BTreeMap<AtomId, Vec<usize>>,
) -> LayerManifest {
    // In the order of `views`, which is that of the packages' names.
    let chosen: BTreeSet<usize> =
        layer.atoms.iter().filter_map(|atom| by_atom.get(atom)).flatten().copied().collect();
    let chosen: Vec<&SharedView<'_>> =
        chosen.into_iter().filter_map(|at| views.views.get(at)).collect();
    let owners = path_owners(views, layer, &chosen);
    let mut directories = BTreeSet::from([TreePath::root()]);
    let mut members = Vec::new();
    for (at, shared) in chosen.iter().enumerate() {
        let mut entries = Vec::new();
        for inode in &shared.view.inodes {
            let mut inode: Inode = inode.clone();
            inode.paths.retain(|path| owners.get(path) == Some(&at));
            entries.extend(inode.entries());
        }
        for entry in &entries {
            add_parents(&entry.path, &mut directories);
        }
        for directory in &shared.view.directories {
            add_parents(directory, &mut directories);
            directories.insert(directory.clone());
        }
        if !entries.is_empty() {
            members.push(Member { package: Some(shared.checksum.clone()), entries });
        }
    }
    let trees: Vec<&Tree> = layer
        .images
        .iter()
        .filter_map(|name| views.images.get(name.as_str()))
        .map(|image| &image.merged.tree)
        .collect();
    let directories =
        directories.into_iter().map(|path| directory(&attributes(&path, &trees), path)).collect();
    LayerManifest { directories, members }
}

/// Which of the views gets a path that several have: the one whose file the first image shows, or
/// else the first.
fn path_owners<'a>(
    views: &Views<'_>,
    layer: &PlannedLayer,
    chosen: &[&'a SharedView<'_>],
) -> BTreeMap<&'a TreePath, usize> {
    let first = layer.images.iter().find_map(|name| views.images.get(name.as_str()));
    let mut owners: BTreeMap<&TreePath, usize> = BTreeMap::new();
    for (at, shared) in chosen.iter().enumerate() {
        for path in shared.view.inodes.iter().flat_map(|inode| &inode.paths) {
            let shown = || {
                let image = first?;
                let Origin::Package(index) = image.merged.tree.get(path)?.origin else {
                    return None;
                };
                Some(image.packages.get(index.0 as usize)?.checksum == shared.checksum)
            };
            if !owners.contains_key(path) || shown() == Some(true) {
                owners.insert(path, at);
            }
        }
    }
    owners
}

/// A directory as the first image has it that did not change it after the merge.
fn attributes(path: &TreePath, trees: &[&Tree]) -> Node {
    let found = |made: bool| {
        trees.iter().filter_map(|tree| tree.get(path)).find(|node| {
            let generated = matches!(node.origin, Origin::Generated | Origin::Overlay);
            node.is_dir() && generated == made
        })
    };
    found(false).or_else(|| found(true)).cloned().unwrap_or_else(Node::implied_directory)
}

/// A directory's entry.
pub(super) fn directory(node: &Node, path: TreePath) -> Entry {
    let Node { mode, uid, gid, mtime, .. } = *node;
    Entry { path, kind: EntryKind::Directory, mode, uid, gid, mtime }
}

/// All directories above a path.
pub(super) fn add_parents(path: &TreePath, directories: &mut BTreeSet<TreePath>) {
    let mut above = path.parent();
    while let Some(directory) = above {
        above = directory.parent();
        if !directories.insert(directory) {
            break;
        }
    }
}
