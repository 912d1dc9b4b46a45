//! One package's view: what it puts into one image.

use super::{ImageInput, PackageInput};
use crate::{ContentId, Entry, EntryKind, LayerManifest, Member};
use std::collections::{BTreeMap, BTreeSet};
use strata_oci::Digest;
use strata_rootfs::{Content, Fate, Kind, Node, Origin, PackageIndex, TreePath, file_node};
use strata_rpm::{Checksum, Package};

/// Bytes of a package that an image may hide without getting a variant of it. Below, hiding them
/// in the image's own layer is cheaper than not sharing the rest.
const MOST_HIDDEN: u64 = 64 << 10;

/// What a package puts into an image.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// Directories that it owns.
    pub(super) directories: BTreeSet<TreePath>,
    /// Everything else, in the order of the payload.
    pub(super) inodes: Vec<Inode>,
}

/// A file with all its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inode {
    /// At least one.
    pub(super) paths: Vec<TreePath>,
    pub(super) kind: EntryKind,
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: u64,
}

impl Inode {
    /// With the attributes of a node; none for directories and devices.
    pub(super) fn of(
        node: &Node,
        paths: Vec<TreePath>,
        content: Option<ContentId>,
    ) -> Option<Self> {
        let kind = match &node.kind {
            Kind::File { size, capabilities, .. } => {
                let capabilities = *capabilities;
                EntryKind::File { size: *size, content: content?, capabilities }
            }
            Kind::Symlink { target } => EntryKind::Symlink { target: target.clone() },
            Kind::Fifo => EntryKind::Fifo,
            Kind::Directory | Kind::Device { .. } => return None,
        };
        let Node { mode, uid, gid, mtime, .. } = *node;
        Some(Self { paths, kind, mode, uid, gid, mtime })
    }

    /// The file, then its other names.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let Some(first) = self.paths.first() else { return Vec::new() };
        let entry = |path: &TreePath, kind: EntryKind| Entry {
            path: path.clone(),
            kind,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            mtime: self.mtime,
        };
        let link = |path| entry(path, EntryKind::HardLink { target: first.clone() });
        let links = self.paths.iter().skip(1).map(link);
        [entry(first, self.kind.clone())].into_iter().chain(links).collect()
    }
}

impl View {
    /// The view of the package at this place of the image's installation order.
    pub(super) fn of(image: &ImageInput<'_>, index: usize, input: &PackageInput<'_>) -> Self {
        let Ok(number) = u32::try_from(index) else { return Self::default() };
        let fates = image.merged.fates.get(index).map(Vec::as_slice).unwrap_or_default();
        let places = Places::of(image, input.package, fates);
        let mut view = Self { directories: places.directories, inodes: Vec::new() };
        for set in all_sets(input.package) {
            let names: Vec<(u32, &TreePath)> =
                set.iter().filter_map(|file| Some((*file, places.files.get(file)?))).collect();
            let (Some(carrier), Some((first, _))) = (set.last(), names.first()) else { continue };
            // As rpm sets them: all from the member with the content, or from the first that is
            // installed when that one is not; time and capabilities always from the former.
            let lead = if places.files.contains_key(carrier) { carrier } else { first };
            let node_of = |file| file_node(input.package, PackageIndex(number), file, image.owners);
            let (Some(mut node), Some(last)) = (node_of(*lead), node_of(*carrier)) else {
                continue;
            };
            node.mtime = last.mtime;
            node.kind = last.kind;
            let checksum = input.checksum.clone();
            let content = ContentId::Package { checksum, file: *carrier };
            let paths = names.into_iter().map(|(_, path)| path.clone()).collect();
            view.inodes.extend(Inode::of(&node, paths, Some(content)));
        }
        view
    }

    /// Equal digests are equal views.
    pub(super) fn digest(&self) -> Digest {
        let directory = |path: &TreePath| Entry {
            path: path.clone(),
            kind: EntryKind::Directory,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: 0,
        };
        let manifest = LayerManifest {
            directories: self.directories.iter().map(directory).collect(),
            members: vec![Member {
                package: None,
                entries: self.inodes.iter().flat_map(Inode::entries).collect(),
            }],
        };
        manifest.key(&crate::Compression::None)
    }

    /// Bytes of content, and something for each name.
    pub(super) fn size(&self) -> u64 {
        let of = |inode: &Inode| match inode.kind {
            EntryKind::File { size, .. } => size.saturating_add(512 * inode.paths.len() as u64),
            _ => 512,
        };
        self.inodes.iter().map(of).fold(0, u64::saturating_add)
    }
}

/// Where the package's files are in the image, by file index.
struct Places {
    directories: BTreeSet<TreePath>,
    files: BTreeMap<u32, TreePath>,
}

impl Places {
    fn of(image: &ImageInput<'_>, package: &Package, fates: &[Fate]) -> Self {
        let tree = &image.merged.tree;
        let mut directories = BTreeSet::new();
        // what a later step removed: as long as little is hidden, the view stays what it was
        let mut removed = BTreeSet::new();
        let mut files = BTreeMap::new();
        let mut taken: BTreeMap<&TreePath, u32> = BTreeMap::new();
        let mut hidden = Vec::new();
        let mut hidden_bytes = 0_u64;
        for ((number, file), fate) in (0_u32..).zip(&package.files).zip(fates) {
            let Some(path) = fate.path() else { continue };
            if file.is_dir() {
                match tree.get(path) {
                    Some(node) if node.is_dir() => drop(directories.insert(path.clone())),
                    Some(_) => {}
                    None => drop(removed.insert(path.clone())),
                }
                continue;
            }
            // Two names of one package may lead to one place; the merge says whose it is.
            if let Some(other) = taken.get(path) {
                if !matches!(fate, Fate::Installed(_)) {
                    continue;
                }
                files.remove(other);
            }
            taken.insert(path, number);
            files.insert(number, path.clone());
            let there = tree.get(path);
            if !there.is_some_and(|node| matches!(node.origin, Origin::Package(_))) {
                hidden.push(number);
                if file.is_regular() {
                    hidden_bytes = hidden_bytes.saturating_add(file.size);
                }
            }
        }
        if hidden_bytes > MOST_HIDDEN {
            files.retain(|number, _| hidden.binary_search(number).is_err());
        } else {
            directories.append(&mut removed);
        }
        Self { directories, files }
    }
}

/// Every file that is no directory, hard link sets together, each at its last member's place:
/// there the payload has the content.
fn all_sets(package: &Package) -> Vec<Vec<u32>> {
    let sets = package.hard_links();
    let linked: BTreeSet<u32> = sets.iter().flatten().copied().collect();
    let single = (0_u32..)
        .zip(&package.files)
        .filter(|(number, file)| !file.is_dir() && !linked.contains(number))
        .map(|(number, _)| vec![number]);
    let mut all: Vec<Vec<u32>> = single.chain(sets).collect();
    all.sort_by_key(|set| set.last().copied());
    all
}

/// How a layer names the content of a tree's file.
pub(super) fn content_id(content: &Content, packages: &[PackageInput<'_>]) -> Option<ContentId> {
    match content {
        Content::Package { package, file } => {
            let input = packages.get(package.0 as usize)?;
            let checksum: Checksum = input.checksum.clone();
            Some(ContentId::Package { checksum, file: *file })
        }
        Content::Inline(bytes) => Some(ContentId::Inline(Digest::of(bytes))),
    }
}
