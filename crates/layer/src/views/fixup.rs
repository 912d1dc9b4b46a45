//! An image's own layers: what was generated, and what the shared layers show otherwise than the
//! tree has it.

use super::{
    ImageInput,
    package::{Inode, content_id},
    shared::{add_parents, directory},
    stack::{Shown, Stack},
};
use crate::{ContentId, EntryKind, LayerManifest, Member};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use strata_oci::{Digest, merged::WHITEOUT};
use strata_rootfs::{Content, Kind, LinkSet, Node, Origin, Tree, TreePath};
use strata_rpm::{Checksum, Package};

/// The layers that only one image has.
pub(super) struct OwnLayers {
    pub(super) overlay: Option<LayerManifest>,
    pub(super) state: LayerManifest,
}

/// Whether a path belongs into the layer of the overlay and of post-processors.
pub(super) fn is_laid_over(node: &Node) -> bool {
    matches!(node.origin, Origin::Overlay | Origin::Plugin)
}

/// What an image needs on top of its shared layers.
pub(super) fn own_layers(
    image: &ImageInput<'_>,
    shared: &[&LayerManifest],
    packages: &BTreeMap<&Checksum, &Package>,
    inline: &mut BTreeMap<Digest, Arc<[u8]>>,
) -> OwnLayers {
    let tree = &image.merged.tree;
    let overlaid: BTreeSet<&TreePath> =
        tree.iter().filter(|(_, node)| is_laid_over(node)).map(|(path, _)| path).collect();
    let overlay = (!overlaid.is_empty()).then(|| emit(image, &overlaid, &[], inline));
    let mut stack = Stack::default();
    for layer in shared.iter().copied().chain(&overlay) {
        stack.push(layer);
    }
    let different = different(image, &stack, packages);
    let hidden = hidden(tree, &stack);
    let state = emit(image, &different, &hidden, inline);
    OwnLayers { overlay, state }
}

/// The paths of the tree that the stack does not show as they are. A hard link set is either shown
/// whole and alone, or all of it is different.
pub(super) fn different<'a>(
    image: &ImageInput<'a>,
    stack: &Stack<'_>,
    packages: &BTreeMap<&Checksum, &Package>,
) -> BTreeSet<&'a TreePath> {
    let tree = &image.merged.tree;
    let mut different: BTreeSet<&TreePath> = tree
        .iter()
        .filter(|(path, node)| {
            let as_it_is = |shown| is_shown(image, node, shown, packages);
            !is_device(node) && !stack.get(path).is_some_and(as_it_is)
        })
        .map(|(path, _)| path)
        .collect();
    let wanted = link_sets(tree);
    let shown_sets = stack.link_sets();
    loop {
        let before = different.len();
        for (path, node) in tree.iter() {
            if !matches!(node.kind, Kind::File { .. }) {
                continue;
            }
            let alone = BTreeSet::from([path]);
            let set = links(node).and_then(|links| wanted.get(&links)).unwrap_or(&alone);
            let shown = stack.get(path).and_then(|shown| shown_sets.get(&shown.inode()));
            // Names that get another inode anyway do not count as links any more.
            let left: BTreeSet<&TreePath> = shown
                .into_iter()
                .flatten()
                .copied()
                .filter(|name| tree.get(name).is_some() && !different.contains(name))
                .collect();
            if left != *set || set.iter().any(|name| different.contains(name)) {
                different.extend(set);
            }
        }
        if different.len() == before {
            return different;
        }
    }
}

/// What the names of one file have in common: the set, and the attributes, in case a later step
/// changed those of one name only.
type Links = (LinkSet, u16, u32, u32, u64);

fn links(node: &Node) -> Option<Links> {
    match &node.kind {
        Kind::File { links: Some(set), .. } => {
            Some((*set, node.mode, node.uid, node.gid, node.mtime))
        }
        _ => None,
    }
}

/// The hard link sets of a tree.
pub(super) fn link_sets(tree: &Tree) -> BTreeMap<Links, BTreeSet<&TreePath>> {
    let mut sets: BTreeMap<Links, BTreeSet<&TreePath>> = BTreeMap::new();
    for (path, node) in tree.iter() {
        if let Some(links) = links(node) {
            sets.entry(links).or_default().insert(path);
        }
    }
    sets
}

fn is_device(node: &Node) -> bool {
    matches!(node.kind, Kind::Device { .. })
}

/// Whether an entry makes exactly this node, but for its hard links.
pub(super) fn is_shown(
    image: &ImageInput<'_>,
    node: &Node,
    shown: &Shown<'_>,
    packages: &BTreeMap<&Checksum, &Package>,
) -> bool {
    let entry = shown.entry;
    if (node.mode, node.uid, node.gid, node.mtime)
        != (entry.mode, entry.uid, entry.gid, entry.mtime)
    {
        return false;
    }
    match (&node.kind, &entry.kind) {
        (Kind::Directory, EntryKind::Directory) | (Kind::Fifo, EntryKind::Fifo) => true,
        (Kind::Symlink { target }, EntryKind::Symlink { target: shown }) => target == shown,
        (
            Kind::File { size, content, capabilities, .. },
            EntryKind::File { size: shown_size, content: shown, capabilities: shown_capabilities },
        ) => {
            (size, capabilities) == (shown_size, shown_capabilities)
                && (*size == 0 || same_content(image, content, shown, packages))
        }
        _ => false,
    }
}

/// Whether two contents of one length are the same bytes: by identity, or by what their packages'
/// headers say of them.
fn same_content(
    image: &ImageInput<'_>,
    wanted: &Content,
    shown: &ContentId,
    packages: &BTreeMap<&Checksum, &Package>,
) -> bool {
    match (wanted, shown) {
        (Content::Inline(bytes), ContentId::Inline(digest)) => Digest::of(bytes) == *digest,
        (Content::Package { package, file }, ContentId::Package { checksum, file: shown_file }) => {
            let Some(input) = image.packages.get(package.0 as usize) else { return false };
            if input.checksum == checksum && file == shown_file {
                return true;
            }
            let digest_of = |package: &Package, file: &u32| {
                let file = package.files.get(*file as usize)?;
                (!file.digest.is_empty()).then(|| file.digest.clone())
            };
            let shown = packages.get(checksum).and_then(|package| digest_of(package, shown_file));
            shown.is_some() && digest_of(input.package, file) == shown
        }
        _ => false,
    }
}

/// Topmost paths that the stack shows and the tree does not have.
fn hidden(tree: &Tree, stack: &Stack<'_>) -> Vec<TreePath> {
    let parent_stays = |path: &TreePath| {
        path.parent().and_then(|parent| tree.get(&parent)).is_some_and(Node::is_dir)
    };
    stack
        .iter()
        .map(|(path, _)| path)
        .filter(|path| tree.get(path).is_none() && parent_stays(path))
        .cloned()
        .collect()
}

/// By file index and path.
type InPayloadOrder<'a> = BTreeMap<(u32, &'a TreePath), Inode>;

/// A layer of these paths of the tree, and of whiteouts for others.
fn emit(
    image: &ImageInput<'_>,
    paths: &BTreeSet<&TreePath>,
    hidden: &[TreePath],
    inline: &mut BTreeMap<Digest, Arc<[u8]>>,
) -> LayerManifest {
    let tree = &image.merged.tree;
    let sets = link_sets(tree);
    let mut directories = BTreeSet::from([TreePath::root()]);
    // By package, in the order of its payload; what needs no payload comes last, by path.
    let mut packaged: BTreeMap<(String, Checksum), InPayloadOrder<'_>> = BTreeMap::new();
    let mut others: BTreeMap<TreePath, Inode> = BTreeMap::new();
    for path in paths {
        let Some(node) = tree.get(path) else { continue };
        add_parents(path, &mut directories);
        if node.is_dir() {
            directories.insert((*path).clone());
            continue;
        }
        let mut names = vec![(*path).clone()];
        let mut content = None;
        if let Kind::File { content: from, .. } = &node.kind {
            content = content_id(from, image.packages);
            if let (Content::Inline(bytes), Some(ContentId::Inline(digest))) = (from, &content) {
                inline.insert(*digest, Arc::clone(bytes));
            }
            if let Some(set) = links(node).and_then(|links| sets.get(&links)) {
                if set.first() != Some(path) {
                    continue;
                }
                names = set.iter().map(|name| (*name).clone()).collect();
            }
        }
        let Some(inode) = Inode::of(node, names, content.clone()) else { continue };
        match content {
            Some(ContentId::Package { checksum, file }) if size(&inode) > 0 => {
                let name = package_name(image, &checksum);
                packaged.entry((name, checksum)).or_default().insert((file, *path), inode);
            }
            _ => {
                others.insert((*path).clone(), inode);
            }
        }
    }
    for path in hidden {
        let whiteout =
            path.parent().unwrap_or_default().join(&[WHITEOUT, path.file_name()].concat());
        add_parents(&whiteout, &mut directories);
        inline.entry(Digest::of(b"")).or_insert_with(|| Arc::from([].as_slice()));
        others.insert(whiteout.clone(), whiteout_inode(whiteout));
    }
    let mut members: Vec<Member> = packaged
        .into_iter()
        .map(|((_, checksum), inodes)| Member {
            package: Some(checksum),
            entries: inodes.values().flat_map(Inode::entries).collect(),
        })
        .collect();
    if !others.is_empty() {
        let entries = others.values().flat_map(Inode::entries).collect();
        members.push(Member { package: None, entries });
    }
    let node = |path: &TreePath| {
        tree.get(path).filter(|node| node.is_dir()).cloned().unwrap_or_else(Node::implied_directory)
    };
    LayerManifest {
        directories: directories.into_iter().map(|path| directory(&node(&path), path)).collect(),
        members,
    }
}

fn size(inode: &Inode) -> u64 {
    match inode.kind {
        EntryKind::File { size, .. } => size,
        _ => 0,
    }
}

fn package_name(image: &ImageInput<'_>, checksum: &Checksum) -> String {
    let input = image.packages.iter().find(|input| input.checksum == checksum);
    input.map(|input| input.package.nevra.name.clone()).unwrap_or_default()
}

fn whiteout_inode(path: TreePath) -> Inode {
    Inode {
        paths: vec![path],
        kind: EntryKind::File {
            size: 0,
            content: ContentId::Inline(Digest::of(b"")),
            capabilities: None,
        },
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 0,
    }
}
