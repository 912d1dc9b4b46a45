//! A file system as a value: a changeable view of a [`Tree`], as a process would see it.
//!
//! Unchanged paths are read from the tree below; what was changed lies above it. Paths are given
//! as a process gives them, relative to a working directory, and resolved inside the tree.

mod errno;
mod links;
mod meter;
mod walk;
mod write;

pub(super) use errno::{Errno, FsError};
pub(super) use write::Meta;

use super::{Limits, ScriptletError};
use crate::{Content, Kind, LinkSet, Node, Origin, PackageIndex, Tree, TreePath};
use meter::Meter;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The bytes of the packages' files.
pub trait Contents {
    /// The content of a file of a package, by the position in its header. None: not at hand.
    fn read(&self, package: PackageIndex, file: u32) -> Option<Arc<[u8]>>;
}

/// The view.
pub(super) struct Fs<'a> {
    base: &'a Tree,
    contents: &'a dyn Contents,
    installed: Option<u32>,
    changes: BTreeMap<TreePath, Option<Node>>,
    touched_links: BTreeSet<LinkSet>,
    /// Names by set, once somebody asked.
    sets: Option<BTreeMap<LinkSet, BTreeSet<TreePath>>>,
    meter: Meter,
    next_link: u32,
    /// Working directory.
    pub cwd: TreePath,
    /// What new files and directories do not get.
    pub umask: u16,
    /// Dates everything that is written.
    pub mtime: u64,
    max_files: usize,
}

impl<'a> Fs<'a> {
    pub(super) fn new(
        base: &'a Tree,
        contents: &'a dyn Contents,
        installed: Option<u32>,
        mtime: u64,
        limits: &Limits,
    ) -> Self {
        Self {
            base,
            contents,
            installed,
            changes: BTreeMap::new(),
            touched_links: BTreeSet::new(),
            sets: None,
            meter: Meter::new(limits),
            next_link: 0,
            cwd: TreePath::root(),
            umask: 0o022,
            mtime,
            max_files: limits.files,
        }
    }

    /// The node at a canonical path.
    pub(super) fn node(&self, path: &TreePath) -> Option<&Node> {
        match self.changes.get(path) {
            Some(change) => change.as_ref(),
            None => self.base.get(path).filter(|node| self.visible(node)),
        }
    }

    /// Whether a package of the image has the path, be it installed yet or not.
    pub(super) fn in_image(&self, path: &TreePath) -> bool {
        self.base.get(path).is_some()
    }

    fn visible(&self, node: &Node) -> bool {
        match (self.installed, node.origin) {
            (Some(count), Origin::Package(package)) => package.0 < count,
            _ => true,
        }
    }

    /// The root needs no node.
    pub(super) fn is_dir(&self, path: &TreePath) -> bool {
        path.is_root() || self.node(path).is_some_and(Node::is_dir)
    }

    /// Whether a regular file is there.
    pub(super) fn is_file(&self, path: &TreePath) -> bool {
        matches!(self.node(path).map(|node| &node.kind), Some(Kind::File { .. }))
    }

    /// Whether anything is there.
    pub(super) fn exists(&self, path: &TreePath) -> bool {
        path.is_root() || self.node(path).is_some()
    }

    /// All paths below a directory, at any depth, in byte order; none once too many were looked at,
    /// for which the run fails in the end.
    pub(super) fn below(&self, directory: &TreePath) -> Vec<TreePath> {
        if self.meter.check().is_err() {
            return Vec::new();
        }
        let mut all: BTreeSet<&TreePath> = self
            .base
            .entries_below(directory)
            .filter(|(_, node)| self.visible(node))
            .map(|(path, _)| path)
            .collect();
        let mut prefix = directory.as_bytes().to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let first = directory.clone();
        let inside = |path: &TreePath| !path.is_root() && path.as_bytes().starts_with(&prefix);
        let changed = self.changes.range(first..);
        for (path, change) in
            changed.take_while(|(path, _)| path.as_bytes().starts_with(directory.as_bytes()))
        {
            if !inside(path) {
                continue;
            }
            if change.is_some() {
                all.insert(path);
            } else {
                all.remove(path);
            }
        }
        self.meter.looked(all.len() + 1);
        all.into_iter().cloned().collect()
    }

    /// Names in a directory, in byte order; like [`below`](Self::below) in what it costs.
    pub(super) fn children(&self, directory: &TreePath) -> Vec<Vec<u8>> {
        if self.meter.check().is_err() {
            return Vec::new();
        }
        let visible = self.base.children(directory);
        let mut names: BTreeSet<Vec<u8>> =
            visible.filter(|(_, node)| self.visible(node)).map(|(name, _)| name.to_vec()).collect();
        let below = self.changes.range(directory.clone()..);
        let near = below.take_while(|(path, _)| path.as_bytes().starts_with(directory.as_bytes()));
        for (path, change) in near {
            if path.is_root() || path.parent().as_ref() != Some(directory) {
                continue;
            }
            if change.is_some() {
                names.insert(path.file_name().to_vec());
            } else {
                names.remove(path.file_name());
            }
        }
        self.meter.looked(names.len() + 1);
        names.into_iter().collect()
    }

    /// Bytes of a regular file; 0 for all else.
    pub(super) fn size(&self, path: &TreePath) -> usize {
        match self.node(path).map(|node| &node.kind) {
            Some(Kind::File { size, .. }) => usize::try_from(*size).unwrap_or(usize::MAX),
            _ => 0,
        }
    }

    /// The content of a regular file.
    pub(super) fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, FsError> {
        self.meter.check()?;
        if self.is_dir(path) {
            return Err(Errno::IsDirectory.into());
        }
        self.meter.read(self.size(path))?;
        match self.node(path).map(|node| &node.kind) {
            Some(Kind::File { content: Content::Inline(bytes), .. }) => Ok(Arc::clone(bytes)),
            Some(Kind::File { content: Content::Package { package, file }, .. }) => {
                let bytes = self.contents.read(*package, *file);
                bytes.ok_or_else(|| ScriptletError::Content { path: path.to_string() }.into())
            }
            Some(_) => Err(ScriptletError::unsupported(format!("reading {path}")).into()),
            None => Err(Errno::NoEntry.into()),
        }
    }

    /// All that was changed, and is not as it was. An error when more was looked at than may be:
    /// some listings were empty then.
    pub(super) fn finish(mut self) -> Result<BTreeMap<TreePath, Option<Node>>, ScriptletError> {
        self.settle_links();
        self.meter.check()?;
        let base = self.base;
        self.changes.retain(|path, change| base.get(path) != change.as_ref());
        Ok(self.changes)
    }
}
