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
    ///
    /// A directory that cannot be listed does not end it: a package's name that is not UTF-8 is
    /// shown, but opens nothing. Those come back, as nothing in them was visited. An error is that
    /// the first directory cannot be listed.
    pub fn walk(
        &self,
        directory: &str,
        visit: impl FnMut(&str, &Attributes) -> Walk,
    ) -> Result<Unseen, TreeError> {
        walk(|path| self.entries(path), directory, visit)
    }
}

/// Directories that [`Tree::walk`] could not list, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what is in these directories was not visited"]
pub struct Unseen(pub Vec<(String, TreeError)>);

fn walk(
    list: impl Fn(&str) -> Result<Vec<Entry>, TreeError>,
    directory: &str,
    mut visit: impl FnMut(&str, &Attributes) -> Walk,
) -> Result<Unseen, TreeError> {
    let mut unseen = Unseen::default();
    let mut waiting = below(directory, list(directory)?);
    while let Some((path, attributes)) = waiting.pop() {
        let next = visit(&path, &attributes);
        if attributes.kind == Kind::Directory && next == Walk::Continue {
            match list(&path) {
                Ok(entries) => waiting.append(&mut below(&path, entries)),
                Err(error) => unseen.0.push((path, error)),
            }
        }
    }
    Ok(unseen)
}

/// The paths in a directory, the first one last.
fn below(directory: &str, entries: Vec<Entry>) -> Vec<(String, Attributes)> {
    let prefix = directory.trim_end_matches('/');
    let entries = entries.into_iter().rev();
    entries.map(|entry| (format!("{prefix}/{}", entry.name), entry.attributes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, kind: Kind) -> Entry {
        let attributes = Attributes {
            kind,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 0,
            target: None,
            capabilities: false,
            package: None,
        };
        Entry { name: name.to_owned(), attributes }
    }

    /// A tree that has a directory by the name of the one byte 0xff.
    fn list(path: &str) -> Result<Vec<Entry>, TreeError> {
        match path {
            "/" => Ok(vec![entry("a", Kind::Directory), entry("srv", Kind::Directory)]),
            "/a" => Ok(vec![entry("\u{fffd}", Kind::Directory), entry("b", Kind::File)]),
            "/srv" => Ok(vec![entry("c", Kind::File)]),
            _ => Err(TreeError::NotFound),
        }
    }

    #[test]
    fn a_directory_that_cannot_be_listed_is_told_and_does_not_end_the_walk() {
        let mut visited = Vec::new();
        let unseen = walk(list, "/", |path, _| {
            visited.push(path.to_owned());
            Walk::Continue
        });
        assert_eq!(visited, ["/a", "/a/\u{fffd}", "/a/b", "/srv", "/srv/c"]);
        let place = ("/a/\u{fffd}".to_owned(), TreeError::NotFound);
        assert_eq!(unseen, Ok(Unseen(vec![place])));
        assert_eq!(walk(list, "/none", |_, _| Walk::Continue), Err(TreeError::NotFound));
        // what nobody wants to see is not missed
        assert_eq!(walk(list, "/", |_, _| Walk::Skip), Ok(Unseen::default()));
    }
}
