//! The image as the host shows it.

use crate::bindings::imports::strata::plugin::{image, tree};
use crate::{Attributes, Entry, Kind, Package, TreeError};

/// The image.
#[derive(Debug)]
pub struct Image {
    tree: Tree,
}

impl Image {
    pub(crate) const fn of_host() -> Self {
        Self { tree: Tree { _of_host: () } }
    }

    /// Its name in the spec.
    pub fn name(&self) -> String {
        image::name()
    }

    /// rpm's name of its architecture, `x86_64`.
    pub fn arch(&self) -> String {
        image::arch()
    }

    /// Its packages, in the order of their installation.
    pub fn packages(&self) -> Vec<Package> {
        image::packages()
    }

    /// Its root file system.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }
}

/// The root file system as the steps before have left it, read-only. Paths are absolute, without
/// `.`, `..` and empty components; links are followed inside the image only.
#[derive(Debug)]
pub struct Tree {
    _of_host: (),
}

/// What [`Tree::walk`] does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Goes on, into a directory too.
    Continue,
    /// Leaves out what is below this directory.
    Skip,
}

impl Tree {
    /// What a path is; links are followed, the last component too.
    pub fn stat(&self, path: &str) -> Result<Attributes, TreeError> {
        tree::stat(path)
    }

    /// What a path is; a link in the last component is not followed.
    pub fn lstat(&self, path: &str) -> Result<Attributes, TreeError> {
        tree::lstat(path)
    }

    /// The path without links in any component.
    pub fn real_path(&self, path: &str) -> Result<String, TreeError> {
        tree::real_path(path)
    }

    /// The names in a directory, in byte order; links to it are followed.
    pub fn entries(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        tree::entries(path)
    }

    /// A file's content; links are followed.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        tree::read(path)
    }

    /// A file's content as text; U+FFFD stands for bytes that are not UTF-8.
    pub fn read_text(&self, path: &str) -> Result<String, TreeError> {
        let bytes = self.read(path)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Whether there is something; links are followed.
    pub fn exists(&self, path: &str) -> bool {
        self.stat(path).is_ok()
    }

    /// Visits all that is below a directory, each directory before what is in it, names in byte
    /// order. Links are visited, not followed. `visit` gets the path and its attributes.
    pub fn walk(
        &self,
        directory: &str,
        mut visit: impl FnMut(&str, &Attributes) -> Walk,
    ) -> Result<(), TreeError> {
        let mut waiting = self.below(directory)?;
        while let Some((path, attributes)) = waiting.pop() {
            let next = visit(&path, &attributes);
            if attributes.kind == Kind::Directory && next == Walk::Continue {
                waiting.append(&mut self.below(&path)?);
            }
        }
        Ok(())
    }

    /// The paths in a directory, the first one last.
    fn below(&self, directory: &str) -> Result<Vec<(String, Attributes)>, TreeError> {
        let prefix = directory.trim_end_matches('/');
        let entries = self.entries(directory)?.into_iter().rev();
        Ok(entries.map(|entry| (format!("{prefix}/{}", entry.name), entry.attributes)).collect())
    }
}
