//! The rules that every client's unpacking of a layer depends on.

use super::{Entry, EntryKind, LayerManifest};
use std::collections::BTreeSet;
use strata_oci::merged::WHITEOUT;
use strata_rootfs::TreePath;

/// A manifest that must not become a layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The root comes first.
    #[error("the layer does not begin with its root directory")]
    Root,
    /// Directories are sorted, and nothing else is among them.
    #[error("`{0}` is out of place among the directories")]
    Directories(TreePath),
    /// A directory among a package's files.
    #[error("the directory `{0}` is listed among files")]
    Misplaced(TreePath),
    /// A path occurs twice.
    #[error("`{0}` occurs more than once in a layer")]
    Duplicate(TreePath),
    /// The parent is missing.
    #[error("the directory of `{0}` is not in the layer")]
    Parent(TreePath),
    /// A hard link to something that is no earlier file of its member.
    #[error("the hard link `{path}` leads to `{target}`, which is no earlier file of its package")]
    HardLink {
        /// The link.
        path: TreePath,
        /// Where it leads.
        target: TreePath,
    },
    /// Permission bits that do not exist.
    #[error("`{path}` has the mode {mode:o}")]
    Mode {
        /// The path.
        path: TreePath,
        /// Its mode.
        mode: u16,
    },
    /// No file system keeps such a link.
    #[error("the symbolic link `{0}` has an impossible target")]
    Target(TreePath),
    /// Both there and hidden.
    #[error("`{0}` is both in the layer and hidden by it")]
    Whiteout(TreePath),
}

pub(super) fn check(manifest: &LayerManifest) -> Result<(), ManifestError> {
    if !manifest.directories.first().is_some_and(|first| first.path.is_root()) {
        return Err(ManifestError::Root);
    }
    let mut seen: BTreeSet<&TreePath> = BTreeSet::new();
    let mut last: Option<&TreePath> = None;
    for entry in &manifest.directories {
        let sorted = last.is_none_or(|last| *last < entry.path);
        if !sorted || entry.kind != EntryKind::Directory {
            return Err(ManifestError::Directories(entry.path.clone()));
        }
        last = Some(&entry.path);
        inside(entry, &seen)?;
        seen.insert(&entry.path);
    }
    let directories = seen.clone();
    for member in &manifest.members {
        let mut files: BTreeSet<&TreePath> = BTreeSet::new();
        for entry in &member.entries {
            inside(entry, &directories)?;
            if !seen.insert(&entry.path) {
                return Err(ManifestError::Duplicate(entry.path.clone()));
            }
            match &entry.kind {
                EntryKind::Directory => return Err(ManifestError::Misplaced(entry.path.clone())),
                EntryKind::File { .. } => {
                    files.insert(&entry.path);
                }
                EntryKind::HardLink { target } if !files.contains(target) => {
                    return Err(ManifestError::HardLink {
                        path: entry.path.clone(),
                        target: target.clone(),
                    });
                }
                EntryKind::Symlink { target } if target.is_empty() || target.contains(&0) => {
                    return Err(ManifestError::Target(entry.path.clone()));
                }
                _ => {}
            }
        }
    }
    for path in &seen {
        if let Some(hidden) = path.file_name().strip_prefix(WHITEOUT) {
            let hidden = path.parent().unwrap_or_default().join(hidden);
            if seen.contains(&hidden) {
                return Err(ManifestError::Whiteout(hidden));
            }
        }
    }
    Ok(())
}

fn inside(entry: &Entry, directories: &BTreeSet<&TreePath>) -> Result<(), ManifestError> {
    if entry.mode > 0o7777 {
        return Err(ManifestError::Mode { path: entry.path.clone(), mode: entry.mode });
    }
    match entry.path.parent() {
        Some(parent) if !directories.contains(&parent) => {
            Err(ManifestError::Parent(entry.path.clone()))
        }
        _ => Ok(()),
    }
}
