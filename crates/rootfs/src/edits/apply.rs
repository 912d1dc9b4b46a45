//! Puts a post-processor's changes into a tree.

use super::{Access, Owner, TreeEdit, TreeEdits};
use crate::{
    Kind, LinkSet, Node, Origin, Owners, Tree, TreePath, WalkError,
    hard_links::{link_set, names_of_sets, single_links},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Longest path, deepest path and longest name: what kernels and unpackers can hold.
const MAX_LEN: usize = 4095;
const MAX_DEPTH: usize = 128;
const MAX_NAME: usize = 255;

/// Why a change cannot be made. The paths are those that the plugin gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The way to the path leads nowhere.
    #[error("`{path}` cannot be changed: {source}")]
    Walk {
        /// The path.
        path: TreePath,
        /// Why.
        source: WalkError,
    },
    /// A name that means "removed" in a layer, or that no file system can hold.
    #[error("`{path}` cannot be in an image: {why}")]
    Name {
        /// The path.
        path: TreePath,
        /// Why.
        why: &'static str,
    },
    /// Something else than what the change needs is there.
    #[error("`{path}` is {found}, and is to become {wanted}")]
    Replace {
        /// The path.
        path: TreePath,
        /// What is there, in words.
        found: &'static str,
        /// What the plugin wants there, in words.
        wanted: &'static str,
    },
    /// Attributes for what is not there.
    #[error("`{path}` is not in the image, so that its permissions cannot be changed")]
    Missing {
        /// The path.
        path: TreePath,
    },
    /// Removing everything.
    #[error("the root directory cannot be removed or replaced")]
    Root,
    /// An account that the image does not have.
    #[error("`{path}` is to belong to the {kind} `{name}`, which the image does not have")]
    Account {
        /// The path.
        path: TreePath,
        /// `user` or `group`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

/// Makes the changes in order. What is made is dated `mtime`. Files of the overlay stay as they
/// are, whatever a plugin wants of them: their paths are given back.
///
/// The names of a hard-linked file share their attributes. After an error the tree is half changed.
pub fn apply(
    tree: &mut Tree,
    edits: &TreeEdits,
    owners: &Owners,
    mtime: u64,
) -> Result<BTreeSet<TreePath>, EditError> {
    let mut applying = Applying { tree, owners, mtime, kept: BTreeSet::new(), sets: None };
    for edit in &edits.0 {
        applying.one(edit)?;
    }
    let Applying { tree, kept, .. } = applying;
    single_links(tree.nodes_mut());
    Ok(kept)
}

struct Applying<'a> {
    tree: &'a mut Tree,
    owners: &'a Owners,
    mtime: u64,
    kept: BTreeSet<TreePath>,
    /// Names of the hard link sets before the first change, once somebody asked: changes only ever
    /// take names away.
    sets: Option<BTreeMap<LinkSet, Vec<TreePath>>>,
}

impl Applying<'_> {
    fn one(&mut self, edit: &TreeEdit) -> Result<(), EditError> {
        match edit {
            TreeEdit::MakeDirectory { path, access } => self.make_directory(path, access),
            TreeEdit::WriteFile { path, content, access } => {
                let file = Node::generated(Arc::clone(content), access.mode, self.mtime);
                let (uid, gid) = self.numbers(path, access)?;
                self.put(path, Node { uid, gid, origin: Origin::Plugin, ..file }, "a file")
            }
            TreeEdit::MakeSymlink { path, target } => {
                let link = Node {
                    kind: Kind::Symlink { target: target.clone() },
                    mode: 0o777,
                    uid: 0,
                    gid: 0,
                    mtime: self.mtime,
                    origin: Origin::Plugin,
                };
                self.put(path, link, "a symbolic link")
            }
            TreeEdit::SetAccess { path, access } => {
                let place = self.place(path)?;
                match self.tree.get(&place) {
                    None => Err(EditError::Missing { path: path.clone() }),
                    Some(_) => self.set_access(path, &place, access),
                }
            }
            TreeEdit::Remove { path } => self.remove(path),
        }
    }

    /// Where a path really is.
    fn place(&self, path: &TreePath) -> Result<TreePath, EditError> {
        let walk = |source| EditError::Walk { path: path.clone(), source };
        self.tree.resolve_parent(path).map_err(walk)
    }

    /// Whether something may be made there.
    fn check(&self, path: &TreePath, place: &TreePath) -> Result<(), EditError> {
        let why = if place.components().any(|name| name.starts_with(b".wh.")) {
            "a name that begins with `.wh.` means removal in a layer"
        } else if place.components().any(|name| name.len() > MAX_NAME) {
            "a name is longer than 255 bytes"
        } else if place.as_bytes().len() > MAX_LEN || place.components().count() > MAX_DEPTH {
            "the path is too long"
        } else {
            return self.way(path, place);
        };
        Err(EditError::Name { path: path.clone(), why })
    }

    /// No file stands where a directory has to be made.
    fn way(&self, path: &TreePath, place: &TreePath) -> Result<(), EditError> {
        let mut above = place.parent();
        while let Some(directory) = above {
            above = directory.parent();
            match self.tree.get(&directory) {
                Some(node) if node.is_dir() => break,
                Some(_) => {
                    let source = WalkError::NotDirectory(directory.to_string());
                    return Err(EditError::Walk { path: path.clone(), source });
                }
                None => {}
            }
        }
        Ok(())
    }

    fn numbers(&self, path: &TreePath, access: &Access) -> Result<(u32, u32), EditError> {
        let number = |owner: &Owner, kind, find: &dyn Fn(&str) -> Option<u32>| match owner {
            Owner::Id(id) => Ok(*id),
            Owner::Name(name) => find(name).ok_or_else(|| EditError::Account {
                path: path.clone(),
                kind,
                name: name.clone(),
            }),
        };
        let uid = number(&access.user, "user", &|name| self.owners.uid(name))?;
        let gid = number(&access.group, "group", &|name| self.owners.gid(name))?;
        Ok((uid, gid))
    }

    fn make_directory(&mut self, path: &TreePath, access: &Access) -> Result<(), EditError> {
        let place = self.place(path)?;
        match self.tree.get(&place) {
            Some(node) if node.is_dir() => return self.set_access(path, &place, access),
            Some(node) if node.origin == Origin::Overlay => {
                self.kept.insert(place);
                return Ok(());
            }
            Some(node) => {
                let (found, wanted) = (word(&node.kind), "a directory");
                return Err(EditError::Replace { path: path.clone(), found, wanted });
            }
            None => self.check(path, &place)?,
        }
        let (uid, gid) = self.numbers(path, access)?;
        let (mode, origin) = (access.mode, Origin::Plugin);
        self.tree.insert(place, Node { mode, uid, gid, origin, ..Node::implied_directory() });
        Ok(())
    }

    /// Puts a file or link in the place of a file or link.
    fn put(&mut self, path: &TreePath, node: Node, wanted: &'static str) -> Result<(), EditError> {
        let place = self.place(path)?;
        if place.is_root() {
            return Err(EditError::Root);
        }
        self.check(path, &place)?;
        match self.tree.get(&place) {
            Some(there) if there.origin == Origin::Overlay => {
                self.kept.insert(place);
                return Ok(());
            }
            Some(there) if there.is_dir() => {
                let found = word(&there.kind);
                return Err(EditError::Replace { path: path.clone(), found, wanted });
            }
            _ => {}
        }
        self.tree.insert(place, node);
        Ok(())
    }

    /// Attributes of what is there; of a hard-linked file, of all its names.
    fn set_access(
        &mut self,
        path: &TreePath,
        place: &TreePath,
        access: &Access,
    ) -> Result<(), EditError> {
        let (uid, gid) = self.numbers(path, access)?;
        let Some(node) = self.tree.get(place) else { return Ok(()) };
        if node.origin == Origin::Overlay {
            self.kept.insert(place.clone());
            return Ok(());
        }
        let names = match link_set(node) {
            Some(set) => self.names(set),
            None => vec![place.clone()],
        };
        for name in names {
            let Some(node) = self.tree.get_mut(&name) else { continue };
            let mode = match &node.kind {
                Kind::Symlink { .. } => node.mode,
                _ => access.mode,
            };
            // what is so already stays where it is
            if (node.mode, node.uid, node.gid) != (mode, uid, gid) {
                (node.mode, node.uid, node.gid, node.origin) = (mode, uid, gid, Origin::Plugin);
            }
        }
        Ok(())
    }

    /// The names that a set still has.
    fn names(&mut self, set: LinkSet) -> Vec<TreePath> {
        let sets = self.sets.get_or_insert_with(|| names_of_sets(self.tree));
        let still = |path: &&TreePath| self.tree.get(path).and_then(link_set) == Some(set);
        sets.get(&set).into_iter().flatten().filter(still).cloned().collect()
    }

    /// Takes out a path and all below it, but files of the overlay and the directories above them.
    fn remove(&mut self, path: &TreePath) -> Result<(), EditError> {
        // what cannot be walked to is not there
        let Ok(place) = self.tree.resolve_parent(path) else { return Ok(()) };
        if place.is_root() {
            return Err(EditError::Root);
        }
        let doomed: Vec<TreePath> = self.tree.below(&place).cloned().collect();
        let overlaid = |path: &&TreePath| {
            self.tree.get(path).is_some_and(|node| node.origin == Origin::Overlay)
        };
        let kept: BTreeSet<TreePath> = doomed.iter().filter(overlaid).cloned().collect();
        let mut stay = kept.clone();
        for path in &kept {
            let mut above = path.parent();
            while let Some(directory) = above {
                above = directory.parent();
                if !stay.insert(directory) {
                    break;
                }
            }
        }
        for path in doomed.iter().filter(|path| !stay.contains(path)) {
            self.tree.remove(path);
        }
        self.kept.extend(kept);
        Ok(())
    }
}

fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Directory => "a directory",
        Kind::File { .. } => "a file",
        Kind::Symlink { .. } => "a symbolic link",
        Kind::Device { .. } => "a device node",
        Kind::Fifo => "a named pipe",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
