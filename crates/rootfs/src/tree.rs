//! A root file system as a value.

use crate::{Walk, WalkError};
use std::{collections::BTreeMap, fmt, ops::Bound, sync::Arc};
use strata_rpm::FileCapabilities;

/// A path below the root: raw bytes, components joined by `/`, no leading or trailing slash, no
/// `.`, `..` or empty component. The root itself is the empty path. Ordered by bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TreePath(Box<[u8]>);

/// A text that cannot be a place below the root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a path below the root")]
pub struct TreePathError(pub String);

impl TreePath {
    /// The root.
    pub fn root() -> Self {
        Self::default()
    }

    /// From a path with or without a leading slash. Refuses `.` and `..` components, NUL and empty
    /// components inside; a trailing slash is dropped.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self, TreePathError> {
        let path = path.as_ref();
        let wrong = || TreePathError(String::from_utf8_lossy(path).into_owned());
        let inner = path.strip_prefix(b"/").unwrap_or(path);
        if inner.is_empty() {
            return Ok(Self::root());
        }
        let inner = inner.strip_suffix(b"/").unwrap_or(inner);
        let fine = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
        if !inner.split(|b| *b == b'/').all(fine) {
            return Err(wrong());
        }
        Ok(Self(inner.into()))
    }

    /// The bytes, without a leading slash.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory that holds it; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(Self(self.0[..end].into()))
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        match self.0.iter().rposition(|b| *b == b'/') {
            Some(slash) => &self.0[slash + 1..],
            None => &self.0,
        }
    }

    /// This path with one more component or relative path, which must be canonical already.
    pub fn join(&self, more: &[u8]) -> Self {
        if self.is_root() {
            return Self(more.into());
        }
        Self([&self.0, more].join(&b'/').into())
    }

    /// The components in order.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }
}

impl fmt::Display for TreePath {
    /// With a leading slash; bytes that are not UTF-8 are replaced.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Position of a package in the image's installation order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageIndex(pub u32);

/// Where the bytes of a regular file come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A package's payload; the file index is the position in the header.
    Package {
        /// Which package of the image.
        package: PackageIndex,
        /// Which of its files.
        file: u32,
    },
    /// Bytes that strata made or the overlay gave.
    Inline(Arc<[u8]>),
}

/// A set of regular files that are one inode. Named by the package and by the smallest file index
/// of the whole set as the header has it, installed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkSet {
    /// Which package of the image.
    pub package: PackageIndex,
    /// The set's first file in header order.
    pub leader: u32,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// Where they come from.
        content: Content,
        /// `security.capability`
        capabilities: Option<FileCapabilities>,
        /// Set when the inode has several names in the tree.
        links: Option<LinkSet>,
    },
    /// A symbolic link.
    Symlink {
        /// Raw target.
        target: Vec<u8>,
    },
    /// A device node.
    Device {
        /// Block device, else character device.
        block: bool,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
}

/// Who put a path there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A package.
    Package(PackageIndex),
    /// A directory that nobody owns but something needs.
    Implied,
    /// Made by strata: rpmdb, `ld.so.cache`, users, soname links, scriptlet results.
    Generated,
    /// The overlay's `files`.
    Overlay,
    /// A post-processor made it, or changed its attributes.
    Plugin,
}

/// One path of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Permission bits with set-id and sticky, `0o7777` at most; symbolic links 0o777.
    pub mode: u16,
    /// Numeric owner in the image.
    pub uid: u32,
    /// Numeric group in the image.
    pub gid: u32,
    /// Seconds since 1970; 0 for directories.
    pub mtime: u64,
    /// Who put it there.
    pub origin: Origin,
}

/// A root file system: every path but the root has a parent directory in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    nodes: BTreeMap<TreePath, Node>,
}

impl Tree {
    /// From nodes of which the caller knows that every path has its parent directory among them.
    pub(crate) fn from_nodes(nodes: impl IntoIterator<Item = (TreePath, Node)>) -> Self {
        Self { nodes: nodes.into_iter().collect() }
    }

    /// The node at a canonical path.
    pub fn get(&self, path: &TreePath) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// The node at a canonical path, to change.
    pub fn get_mut(&mut self, path: &TreePath) -> Option<&mut Node> {
        self.nodes.get_mut(path)
    }

    /// Puts a node at a canonical path, with the directories above it (root:root 0755,
    /// [`Origin::Implied`]) where they are missing. Gives back what was there.
    pub fn insert(&mut self, path: TreePath, node: Node) -> Option<Node> {
        let mut above = path.parent();
        while let Some(directory) = above {
            above = directory.parent();
            if self.nodes.contains_key(&directory) {
                break;
            }
            self.nodes.insert(directory, Node::implied_directory());
        }
        self.nodes.insert(path, node)
    }

    /// Takes one path out; what lies below a directory stays the caller's duty.
    pub fn remove(&mut self, path: &TreePath) -> Option<Node> {
        self.nodes.remove(path)
    }

    /// All nodes in the order of their paths, to change.
    pub(crate) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.nodes.values_mut()
    }

    /// All paths in byte order, the root first when it is there.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Node)> {
        self.nodes.iter()
    }

    /// A path and all below it, in byte order, as far as they are there.
    pub fn below(&self, path: &TreePath) -> impl Iterator<Item = &TreePath> {
        let mut inside = path.as_bytes().to_vec();
        if !path.is_root() {
            inside.push(b'/');
        }
        let itself = self.nodes.get_key_value(path).map(|(path, _)| path);
        // `a-b` and many more may stand between `a` and `a/`, which nothing is called
        let start = TreePath(inside.as_slice().into());
        let others = self.nodes.range((Bound::Excluded(start), Bound::Unbounded));
        let others = others.map(|(path, _)| path);
        itself
            .into_iter()
            .chain(others.take_while(move |path| path.as_bytes().starts_with(&inside)))
    }

    /// All paths below a directory, at any depth, in byte order.
    pub(crate) fn entries_below(
        &self,
        directory: &TreePath,
    ) -> impl Iterator<Item = (&TreePath, &Node)> {
        let mut prefix = directory.as_bytes().to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        self.nodes
            .range(TreePath(prefix.clone().into())..)
            .take_while(move |(path, _)| path.0.starts_with(&prefix))
            .filter(|(path, _)| !path.is_root())
    }

    /// Number of paths.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The names in a directory and what they are, in byte order.
    pub fn children<'a>(
        &'a self,
        directory: &TreePath,
    ) -> impl Iterator<Item = (&'a [u8], &'a Node)> + use<'a> {
        let mut prefix = directory.as_bytes().to_vec();
        if !directory.is_root() {
            prefix.push(b'/');
        }
        let mut from = Bound::Excluded(directory.clone());
        std::iter::from_fn(move || {
            loop {
                let rest = (from.as_ref(), Bound::Unbounded);
                let (path, node) = self.nodes.range(rest).next()?;
                let Some(name) = path.as_bytes().strip_prefix(prefix.as_slice()) else {
                    // `a-b` stands between `a` and `a/b`
                    if path.as_bytes() > prefix.as_slice() {
                        return None;
                    }
                    from = Bound::Included(TreePath(prefix.as_slice().into()));
                    continue;
                };
                let Some(end) = name.iter().position(|b| *b == b'/') else {
                    from = Bound::Excluded(path.clone());
                    return Some((name, node));
                };
                // over all that lies deeper: `0` is the byte after `/`
                let over = [&prefix, &name[..end], b"0"].concat();
                from = Bound::Included(TreePath(over.into()));
            }
        })
    }

    /// Follows symbolic links in every directory component (not in the last one), inside the tree:
    /// an absolute target starts at the root, `..` stops there. Components that do not exist are
    /// kept as they are; anything but a directory on the way is an error.
    pub fn resolve_parent(&self, path: &TreePath) -> Result<TreePath, WalkError> {
        Walk::new(self).resolve_parent(path)
    }

    /// Follows symbolic links in every component, the last one too.
    pub fn resolve(&self, path: &TreePath) -> Result<TreePath, WalkError> {
        Walk::new(self).resolve(path)
    }
}

impl Node {
    /// A directory that no package owns.
    pub fn implied_directory() -> Self {
        Self {
            kind: Kind::Directory,
            mode: 0o755,
            uid: 0,
            gid: 0,
            mtime: 0,
            origin: Origin::Implied,
        }
    }

    /// A regular file that strata makes, owned by root.
    pub fn generated(content: impl Into<Arc<[u8]>>, mode: u16, mtime: u64) -> Self {
        let content = content.into();
        Self {
            kind: Kind::File {
                size: content.len() as u64,
                content: Content::Inline(content),
                capabilities: None,
                links: None,
            },
            mode,
            uid: 0,
            gid: 0,
            mtime,
            origin: Origin::Generated,
        }
    }

    /// Whether this is a directory.
    pub fn is_dir(&self) -> bool {
        matches!(self.kind, Kind::Directory)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn tree(links: &[(&str, &str)], files: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for (at, target) in links {
            let kind = Kind::Symlink { target: target.as_bytes().to_vec() };
            tree.insert(path(at), Node { kind, ..Node::generated(*b"", 0o777, 0) });
        }
        for at in files {
            tree.insert(path(at), Node::generated(*b"", 0o644, 0));
        }
        tree
    }

    #[test]
    fn paths_are_canonical() {
        assert_eq!(path("/usr/lib/").as_bytes(), b"usr/lib");
        assert_eq!(path("usr"), path("/usr"));
        assert!(path("/").is_root() && path("").is_root());
        for bad in ["a//b", "a/./b", "..", "/a/../b", "a\0b", "//"] {
            assert!(TreePath::new(bad).is_err(), "{bad}");
        }
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(TreePath::root()));
        assert_eq!(TreePath::root().parent(), None);
        assert_eq!(path("a/b").file_name(), b"b");
        assert_eq!(TreePath::root().join(b"a/b"), path("a/b"));
    }

    #[test]
    fn below_is_what_is_in_a_directory_and_itself() {
        let files = ["/a/b/c", "/a/b-c", "/a-b/x", "/a0", "/ab/x"];
        let tree = tree(&[("/a/link", "b")], &files);
        let below =
            |at: &str| -> Vec<String> { tree.below(&path(at)).map(ToString::to_string).collect() };
        assert_eq!(below("/a"), ["/a", "/a/b", "/a/b-c", "/a/b/c", "/a/link"]);
        assert_eq!(below("/a/b"), ["/a/b", "/a/b/c"]);
        assert_eq!(below("/a0"), ["/a0"]);
        assert!(below("/none").is_empty());
        assert_eq!(below("/").len(), tree.len());
    }

    #[test]
    fn children_are_the_names_of_one_directory() {
        let files = ["/a/b/c/d", "/a/b-c", "/a/b0", "/a/b/e", "/a-b/x", "/a0", "/a/\u{ff}/x", "/z"];
        let tree = tree(&[("/a/link", "b")], &files);
        let names = |at: &str| -> Vec<String> {
            let names = tree.children(&path(at)).map(|(name, _)| name);
            names.map(|name| String::from_utf8_lossy(name).into_owned()).collect()
        };
        assert_eq!(names("/"), ["a", "a-b", "a0", "z"]);
        assert_eq!(names("/a"), ["b", "b-c", "b0", "link", "\u{ff}"]);
        assert_eq!(names("/a/b"), ["c", "e"]);
        assert!(names("/a/b-c").is_empty() && names("/none").is_empty());
        let directories = tree.children(&path("/a")).filter(|(_, node)| node.is_dir());
        assert_eq!(directories.count(), 2);
    }

    #[test]
    fn insertion_makes_the_directories_above() {
        let mut tree = tree(&[], &["/a/b/c"]);
        assert_eq!(tree.len(), 4);
        assert!(tree.get(&path("/a/b")).unwrap().is_dir());
        assert!(tree.insert(path("/a/b/c"), Node::implied_directory()).is_some());
        assert!(tree.remove(&path("/a/b/c")).is_some());
    }
}
