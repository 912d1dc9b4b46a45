//! From the path that a process names to the place in the tree.

use super::{Errno, Fs};
use crate::{Kind, TreePath};

/// Longest path and longest name that Linux takes.
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;

impl Fs<'_> {
    /// Where a path leads. All directories on the way must be there; the last component need not.
    pub(crate) fn resolve(&self, raw: &[u8], follow: bool) -> Result<TreePath, Errno> {
        self.resolve_from(&self.cwd, raw, follow)
    }

    /// The same for something that must be there.
    pub(crate) fn lookup(&self, raw: &[u8], follow: bool) -> Result<TreePath, Errno> {
        let path = self.resolve(raw, follow)?;
        if !self.exists(&path) {
            return Err(Errno::NoEntry);
        }
        Ok(path)
    }

    pub(crate) fn resolve_from(
        &self,
        directory: &TreePath,
        raw: &[u8],
        follow: bool,
    ) -> Result<TreePath, Errno> {
        // the run fails in the end; until then nothing more is found
        if raw.is_empty() || self.meter.check().is_err() {
            return Err(Errno::NoEntry);
        }
        if raw.len() >= PATH_MAX {
            return Err(Errno::TooLong);
        }
        if raw.contains(&0) {
            return Err(Errno::Invalid);
        }
        let mut at = if raw[0] == b'/' { TreePath::root() } else { directory.clone() };
        // a trailing slash asks for a directory, and follows a link
        let slash = raw.ends_with(b"/");
        let mut links = 0;
        let mut todo: Vec<Vec<u8>> =
            raw.split(|b| *b == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect();
        todo.reverse();
        while let Some(part) = todo.pop() {
            self.meter.looked(1);
            if !self.is_dir(&at) {
                let there = self.exists(&at);
                return Err(if there { Errno::NotDirectory } else { Errno::NoEntry });
            }
            match part.as_slice() {
                b"." => continue,
                b".." => {
                    at = at.parent().unwrap_or_default();
                    continue;
                }
                _ => {}
            }
            if part.len() > NAME_MAX || at.as_bytes().len() + part.len() >= PATH_MAX {
                return Err(Errno::TooLong);
            }
            let next = at.join(&part);
            let last = todo.is_empty() && !slash;
            match self.node(&next).map(|node| &node.kind) {
                Some(Kind::Symlink { target }) if !last || follow => {
                    links += 1;
                    if links > 40 {
                        return Err(Errno::Loop);
                    }
                    if target.is_empty() {
                        return Err(Errno::NoEntry);
                    }
                    if target[0] == b'/' {
                        at = TreePath::root();
                    }
                    let parts = target.split(|b| *b == b'/').filter(|part| !part.is_empty());
                    todo.extend(parts.rev().map(<[u8]>::to_vec));
                }
                _ => at = next,
            }
        }
        if slash && self.exists(&at) && !self.is_dir(&at) {
            return Err(Errno::NotDirectory);
        }
        Ok(at)
    }
}
