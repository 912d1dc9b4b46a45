//! The manifest of one shared layer.

use super::{ImageInput, SharedView, Views, package::Inode};
use crate::{
    Entry, EntryKind, LayerManifest, Member,
    plan::{AtomId, PlannedLayer},
};
use std::collections::{BTreeMap, BTreeSet};
use strata_rootfs::{Fate, Node, Origin, PackageIndex, TreePath, file_node};

/// All views of the layer's atoms, each path once, and the directories they need.
pub(super) fn manifest<'a>(
    views: &Views<'a>,
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
    let images: Vec<_> =
        layer.images.iter().filter_map(|name| views.images.get(name.as_str())).collect();
    let directories = directories
        .into_iter()
        .map(|path| directory(&attributes(views, &path, &images), path))
        .collect();
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

/// A directory as the merge put it into the first image that has it: what later steps did to it is
/// that image's own affair, and must not change the layer.
fn attributes<'a>(views: &Views<'a>, path: &TreePath, images: &[&ImageInput<'a>]) -> Node {
    let merged = |image: &&ImageInput<'a>| match image.merged.tree.get(path) {
        Some(node)
            if node.is_dir() && matches!(node.origin, Origin::Package(_) | Origin::Implied) =>
        {
            Some(node.clone())
        }
        _ => packaged(views, path, image),
    };
    images.iter().find_map(merged).unwrap_or_else(Node::implied_directory)
}

/// The directories that the merge put into an image: which package's, and which of its files.
pub(super) type Installed<'a> = BTreeMap<&'a TreePath, (usize, u32)>;

/// The directory as the package has it whose directory the merge put there.
fn packaged<'a>(views: &Views<'a>, path: &TreePath, image: &ImageInput<'a>) -> Option<Node> {
    let installed = views.installed.get(image.name)?.get_or_init(|| installed(image));
    let (at, file) = *installed.get(path)?;
    let index = PackageIndex(u32::try_from(at).ok()?);
    file_node(image.packages.get(at)?.package, index, file, image.owners)
}

/// Looks through all files of all packages: to be done once for an image.
fn installed<'a>(image: &ImageInput<'a>) -> Installed<'a> {
    let mut found = Installed::new();
    for (at, (input, fates)) in image.packages.iter().zip(&image.merged.fates).enumerate() {
        for ((file, entry), fate) in (0_u32..).zip(&input.package.files).zip(fates) {
            if let Fate::Installed(place) = fate
                && entry.is_dir()
            {
                found.entry(place).or_insert((at, file));
            }
        }
    }
    found
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
