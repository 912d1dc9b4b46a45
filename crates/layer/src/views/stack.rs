//! What a stack of layers shows, computed on manifests.

use crate::{Entry, EntryKind, LayerManifest};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};
use strata_oci::merged::WHITEOUT;
use strata_rootfs::TreePath;

/// The visible paths of stacked layers.
#[derive(Default)]
pub(super) struct Stack<'a> {
    shown: BTreeMap<TreePath, Shown<'a>>,
    layers: usize,
}

/// What a path shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown<'a> {
    /// The entry with the attributes: of a hard link, the file it leads to.
    pub(super) entry: &'a Entry,
    layer: usize,
}

impl<'a> Stack<'a> {
    /// Puts a layer on top.
    pub(super) fn push(&mut self, manifest: &'a LayerManifest) {
        let layer = self.layers;
        self.layers += 1;
        for entry in &manifest.directories {
            self.shown.insert(entry.path.clone(), Shown { entry, layer });
        }
        for member in &manifest.members {
            let mut files: BTreeMap<&TreePath, &Entry> = BTreeMap::new();
            for entry in &member.entries {
                if let Some(hidden) = entry.path.file_name().strip_prefix(WHITEOUT) {
                    let hidden = entry.path.parent().unwrap_or_default().join(hidden);
                    self.remove_below(&hidden);
                    self.shown.remove(&hidden);
                    continue;
                }
                let real = match &entry.kind {
                    EntryKind::HardLink { target } => files.get(target).copied().unwrap_or(entry),
                    _ => entry,
                };
                files.insert(&entry.path, real);
                if self.shown.get(&entry.path).is_some_and(|shown| shown.is_dir()) {
                    self.remove_below(&entry.path);
                }
                self.shown.insert(entry.path.clone(), Shown { entry: real, layer });
            }
        }
    }

    fn remove_below(&mut self, directory: &TreePath) {
        let mut prefix = directory.as_bytes().to_vec();
        prefix.push(b'/');
        let doomed: Vec<TreePath> = self
            .shown
            .range((Bound::Excluded(directory), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.as_bytes().starts_with(directory.as_bytes()))
            .filter(|path| path.as_bytes().starts_with(&prefix))
            .cloned()
            .collect();
        for path in doomed {
            self.shown.remove(&path);
        }
    }

    pub(super) fn get(&self, path: &TreePath) -> Option<&Shown<'a>> {
        self.shown.get(path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TreePath, &Shown<'a>)> {
        self.shown.iter()
    }

    /// The names of each file, as far as they are visible; by layer and the file's own path.
    pub(super) fn link_sets(&self) -> BTreeMap<(usize, &'a TreePath), BTreeSet<&TreePath>> {
        let mut sets: BTreeMap<(usize, &'a TreePath), BTreeSet<&TreePath>> = BTreeMap::new();
        for (path, shown) in &self.shown {
            if matches!(shown.entry.kind, EntryKind::File { .. }) {
                sets.entry(shown.inode()).or_default().insert(path);
            }
        }
        sets
    }
}

impl<'a> Shown<'a> {
    /// Equal for two names of one file.
    pub(super) fn inode(&self) -> (usize, &'a TreePath) {
        (self.layer, &self.entry.path)
    }

    fn is_dir(&self) -> bool {
        self.entry.kind == EntryKind::Directory
    }
}
