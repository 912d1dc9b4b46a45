//! The system calls that change something.

use super::{Errno, Fs, FsError, ScriptletError};
use crate::{Content, Kind, Node, Origin, TreePath};
use std::sync::Arc;

/// What to change of a node; what is none stays.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Meta {
    pub mode: Option<u16>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub mtime: Option<u64>,
}

impl Fs<'_> {
    /// Puts a node where its parent is.
    pub(crate) fn put(&mut self, path: TreePath, node: Node) -> Result<(), FsError> {
        if path.file_name().starts_with(b".wh.") {
            return Err(ScriptletError::unsupported("file name `.wh.…`").into());
        }
        self.meter.looked(1);
        self.meter.check()?;
        self.change(path, Some(node));
        if self.changes.len() > self.max_files {
            return Err(ScriptletError::Limit { what: "files" }.into());
        }
        Ok(())
    }

    fn take(&mut self, path: &TreePath) -> Option<Node> {
        let node = self.node(path)?.clone();
        self.meter.looked(1);
        self.change(path.clone(), None);
        Some(node)
    }

    fn new_node(&self, at: &TreePath, kind: Kind, mode: u16) -> Result<Node, FsError> {
        let parent = at.parent().ok_or(Errno::Exists)?;
        if !self.is_dir(&parent) {
            let there = self.exists(&parent);
            return Err(if there { Errno::NotDirectory } else { Errno::NoEntry }.into());
        }
        let mut node =
            Node { kind, mode, uid: 0, gid: 0, mtime: self.mtime, origin: Origin::Generated };
        if node.is_dir() {
            node.mtime = 0;
        }
        // children of a set-gid directory get its group
        if let Some(parent) = self.node(&parent)
            && parent.mode & 0o2000 != 0
        {
            node.gid = parent.gid;
            if node.is_dir() {
                node.mode |= 0o2000;
            }
        }
        Ok(node)
    }

    /// Creates a regular file or empties it. Gives whether it is new.
    pub(crate) fn create(&mut self, path: &TreePath, mode: u16) -> Result<bool, FsError> {
        match self.node(path) {
            _ if self.is_dir(path) => Err(Errno::IsDirectory.into()),
            Some(Node { kind: Kind::File { .. }, .. }) => {
                self.set_content(path, &Arc::from([]))?;
                Ok(false)
            }
            Some(_) => Err(ScriptletError::unsupported(format!("writing to {path}")).into()),
            None => {
                let kind = file(Arc::from([]));
                let node = self.new_node(path, kind, mode & !self.umask)?;
                self.put(path.clone(), node)?;
                Ok(true)
            }
        }
    }

    /// Puts other bytes into a file that is there, under all its names.
    pub(crate) fn set_content(
        &mut self,
        path: &TreePath,
        bytes: &Arc<[u8]>,
    ) -> Result<(), FsError> {
        for name in self.names(path) {
            let mut node = self.node(&name).ok_or(Errno::NoEntry)?.clone();
            let Kind::File { size, content, capabilities, .. } = &mut node.kind else {
                return Err(Errno::Invalid.into());
            };
            *size = bytes.len() as u64;
            *content = Content::Inline(Arc::clone(bytes));
            *capabilities = None;
            node.mtime = self.mtime;
            node.origin = Origin::Generated;
            self.put(name, node)?;
        }
        Ok(())
    }

    /// Writes into a file. A file that went in the meantime is written to nowhere.
    pub(crate) fn write_at(
        &mut self,
        path: &TreePath,
        at: usize,
        bytes: &[u8],
    ) -> Result<(), ScriptletError> {
        let old = match self.read(path) {
            Ok(old) => old,
            Err(FsError::Fatal(error)) => return Err(error),
            Err(FsError::Errno(_)) => return Ok(()),
        };
        let mut new = old.to_vec();
        if new.len() < at + bytes.len() {
            new.resize(at + bytes.len(), 0);
        }
        new[at..at + bytes.len()].copy_from_slice(bytes);
        match self.set_content(path, &new.into()) {
            Err(FsError::Fatal(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// A regular file with these bytes: made, or its content replaced.
    pub(crate) fn write_file(&mut self, path: &TreePath, bytes: &[u8]) -> Result<(), FsError> {
        self.create(path, 0o666)?;
        self.set_content(path, &bytes.into())
    }

    pub(crate) fn mkdir(&mut self, path: &TreePath, mode: u16) -> Result<(), FsError> {
        if self.exists(path) {
            return Err(Errno::Exists.into());
        }
        let node = self.new_node(path, Kind::Directory, mode & !self.umask)?;
        self.put(path.clone(), node)
    }

    pub(crate) fn symlink(&mut self, target: &[u8], path: &TreePath) -> Result<(), FsError> {
        if target.is_empty() {
            return Err(Errno::NoEntry.into());
        }
        // no process can name such a target, and in an archive it would end at the NUL
        if target.contains(&0) {
            return Err(Errno::Invalid.into());
        }
        if self.exists(path) {
            return Err(Errno::Exists.into());
        }
        let node = self.new_node(path, Kind::Symlink { target: target.to_vec() }, 0o777)?;
        self.put(path.clone(), node)
    }

    /// A pipe or a device.
    pub(crate) fn special(
        &mut self,
        path: &TreePath,
        kind: Kind,
        mode: u16,
    ) -> Result<(), FsError> {
        if self.exists(path) {
            return Err(Errno::Exists.into());
        }
        let node = self.new_node(path, kind, mode & !self.umask)?;
        self.put(path.clone(), node)
    }

    pub(crate) fn unlink(&mut self, path: &TreePath) -> Result<(), FsError> {
        if self.is_dir(path) {
            return Err(Errno::IsDirectory.into());
        }
        self.take(path).ok_or(Errno::NoEntry)?;
        Ok(())
    }

    pub(crate) fn rmdir(&mut self, path: &TreePath) -> Result<(), FsError> {
        if path.is_root() {
            return Err(Errno::Busy.into());
        }
        if !self.exists(path) {
            return Err(Errno::NoEntry.into());
        }
        if !self.is_dir(path) {
            return Err(Errno::NotDirectory.into());
        }
        self.meter.check()?;
        if !self.children(path).is_empty() {
            return Err(Errno::NotEmpty.into());
        }
        self.take(path);
        Ok(())
    }

    /// Takes a path out with all that is below it.
    pub(crate) fn remove_all(&mut self, path: &TreePath) -> Result<(), FsError> {
        if path.is_root() {
            return Err(Errno::Busy.into());
        }
        self.meter.check()?;
        for below in self.below(path) {
            self.take(&below);
        }
        self.take(path).ok_or(Errno::NoEntry)?;
        Ok(())
    }

    /// `rename(2)`
    pub(crate) fn rename(&mut self, from: &TreePath, to: &TreePath) -> Result<(), FsError> {
        self.meter.check()?;
        if from == to {
            return Ok(());
        }
        if from.is_root() || to.is_root() {
            return Err(Errno::Busy.into());
        }
        let moved = self.node(from).ok_or(Errno::NoEntry)?.clone();
        let parent = to.parent().unwrap_or_default();
        if !self.is_dir(&parent) {
            let there = self.exists(&parent);
            return Err(if there { Errno::NotDirectory } else { Errno::NoEntry }.into());
        }
        if moved.is_dir() && to.as_bytes().starts_with(&[from.as_bytes(), b"/"].concat()) {
            return Err(Errno::Invalid.into());
        }
        if self.exists(to) {
            match (moved.is_dir(), self.is_dir(to)) {
                (true, false) => return Err(Errno::NotDirectory.into()),
                (false, true) => return Err(Errno::IsDirectory.into()),
                (true, true) if !self.children(to).is_empty() => return Err(Errno::NotEmpty.into()),
                (true, true) => {}
                (false, false) => {
                    // two names of one inode: nothing happens
                    if self.links(from).is_some() && self.links(from) == self.links(to) {
                        return Ok(());
                    }
                }
            }
        }
        let skip = from.as_bytes().len() + 1;
        for path in self.below(from) {
            let Some(node) = self.take(&path) else { continue };
            self.put(to.join(&path.as_bytes()[skip..]), node)?;
        }
        self.take(from);
        self.put(to.clone(), moved)
    }

    /// `chmod`, `chown` and `utimes` in one. A new owner clears set-id bits and capabilities.
    pub(crate) fn set_meta(&mut self, path: &TreePath, meta: Meta) -> Result<(), FsError> {
        if path.is_root() && self.node(path).is_none() {
            let root = Node { origin: Origin::Generated, ..Node::implied_directory() };
            self.put(path.clone(), root)?;
        }
        for name in self.names(path) {
            let mut node = self.node(&name).ok_or(Errno::NoEntry)?.clone();
            if meta.uid.is_some() || meta.gid.is_some() {
                node.uid = meta.uid.unwrap_or(node.uid);
                node.gid = meta.gid.unwrap_or(node.gid);
                if let Kind::File { capabilities, .. } = &mut node.kind {
                    *capabilities = None;
                    let group_runs = node.mode & 0o010 != 0;
                    node.mode &= if group_runs { !0o6000 } else { !0o4000 };
                }
            }
            if let Some(mode) = meta.mode
                && !matches!(node.kind, Kind::Symlink { .. })
            {
                node.mode = mode & 0o7777;
            }
            if let Some(mtime) = meta.mtime
                && !node.is_dir()
            {
                node.mtime = mtime;
            }
            if self.node(&name) != Some(&node) {
                self.put(name, node)?;
            }
        }
        Ok(())
    }

    /// `security.capability` from one file to another.
    pub(crate) fn copy_capabilities(
        &mut self,
        from: &TreePath,
        to: &TreePath,
    ) -> Result<(), FsError> {
        let Some(Kind::File { capabilities: wanted, .. }) = self.node(from).map(|node| &node.kind)
        else {
            return Ok(());
        };
        let wanted = *wanted;
        let Some(mut node) = self.node(to).cloned() else { return Ok(()) };
        if let Kind::File { capabilities, .. } = &mut node.kind
            && *capabilities != wanted
        {
            *capabilities = wanted;
            self.put(to.clone(), node)?;
        }
        Ok(())
    }

    /// A copy of a file's content; unlike writing it, this needs no bytes at hand.
    pub(crate) fn copy_content(&mut self, from: &TreePath, to: &TreePath) -> Result<(), FsError> {
        let (bytes, source) = match self.node(from).map(|node| &node.kind) {
            Some(Kind::File { size, content, .. }) => (*size, content.clone()),
            Some(Kind::Directory) => return Err(Errno::IsDirectory.into()),
            Some(_) => return Err(ScriptletError::unsupported(format!("copying {from}")).into()),
            None => return Err(Errno::NoEntry.into()),
        };
        for name in self.names(to) {
            let mut node = self.node(&name).ok_or(Errno::NoEntry)?.clone();
            let Kind::File { size, content, capabilities, .. } = &mut node.kind else {
                return Err(Errno::Invalid.into());
            };
            (*size, *content, *capabilities) = (bytes, source.clone(), None);
            node.mtime = self.mtime;
            node.origin = Origin::Generated;
            self.put(name, node)?;
        }
        Ok(())
    }
}

/// A regular file of these bytes.
fn file(content: Arc<[u8]>) -> Kind {
    Kind::File {
        size: content.len() as u64,
        content: Content::Inline(content),
        capabilities: None,
        links: None,
    }
}
