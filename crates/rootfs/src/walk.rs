//! Following symbolic links inside a tree, at a cost that is known.

use crate::{Kind, Tree, TreePath};

/// Links that are followed on one way; as Linux has it.
const LINKS: usize = 40;

/// Bytes of a path on the way; as Linux has it.
const PATH: usize = 4095;

/// Bytes of a path that are compared at the cost of one more step.
const STEP: usize = 64;

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalkError {
    /// More than 40 links on the way.
    #[error("too many levels of symbolic links at `{0}`")]
    Loop(String),
    /// A file where a directory is needed.
    #[error("`{0}` is not a directory")]
    NotDirectory(String),
    /// Links lead to a path of more than 4095 bytes.
    #[error("`{0}` leads to a path of more than 4095 bytes")]
    TooLong(String),
}

/// Follows paths, and counts what that takes: whoever lets strangers ask can make them pay.
#[derive(Debug)]
pub struct Walk<'t> {
    tree: &'t Tree,
    steps: usize,
}

impl<'t> Walk<'t> {
    /// In a tree, with nothing done yet.
    pub fn new(tree: &'t Tree) -> Self {
        Self { tree, steps: 0 }
    }

    /// What was done up to now: a step for each component, and where one was looked up, another
    /// for each 64 bytes of the path to it.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// As [`Tree::resolve_parent`].
    pub fn resolve_parent(&mut self, path: &TreePath) -> Result<TreePath, WalkError> {
        let Some(parent) = path.parent() else { return Ok(TreePath::root()) };
        let parent = self.resolve(&parent)?;
        match self.tree.get(&parent) {
            Some(node) if !node.is_dir() => Err(WalkError::NotDirectory(parent.to_string())),
            _ => Ok(parent.join(path.file_name())),
        }
    }

    /// As [`Tree::resolve`].
    pub fn resolve(&mut self, path: &TreePath) -> Result<TreePath, WalkError> {
        let mut links = 0;
        let mut at = Vec::new();
        // below a path that is not there, nothing is: `at` is looked up up to this length only
        let mut there = usize::MAX;
        // what is left of the path and of the links on the way, the innermost last
        let mut left: Vec<&[u8]> = vec![path.as_bytes()];
        while let Some(rest) = left.pop() {
            let end = rest.iter().position(|b| *b == b'/');
            let part = &rest[..end.unwrap_or(rest.len())];
            left.extend(end.map(|end| &rest[end + 1..]));
            self.steps += 1;
            match part {
                b"." | b"" => continue,
                b".." => {
                    at.truncate(at.iter().rposition(|b| *b == b'/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let parent = at.len();
            if parent <= there {
                there = usize::MAX;
            }
            if parent > 0 {
                at.push(b'/');
            }
            at.extend_from_slice(part);
            if at.len() > PATH {
                return Err(WalkError::TooLong(path.to_string()));
            }
            if there < usize::MAX {
                continue;
            }
            self.steps += at.len().div_ceil(STEP);
            let here = TreePath::root().join(&at);
            match self.tree.get(&here).map(|node| &node.kind) {
                Some(Kind::Symlink { target }) => {
                    links += 1;
                    if links > LINKS {
                        return Err(WalkError::Loop(path.to_string()));
                    }
                    at.truncate(if target.first() == Some(&b'/') { 0 } else { parent });
                    left.push(target);
                }
                Some(Kind::Directory) => {}
                None => there = parent,
                Some(_) if left.is_empty() => {}
                Some(_) => {
                    return Err(WalkError::NotDirectory(here.to_string()));
                }
            }
        }
        Ok(TreePath::root().join(&at))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Node;

    fn path(text: &str) -> TreePath {
        TreePath::new(text).unwrap()
    }

    fn tree_of(links: &[(&str, &str)], files: &[&str]) -> Tree {
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

    fn resolve(tree: &Tree, at: &str) -> String {
        match tree.resolve(&path(at)) {
            Ok(real) => real.to_string(),
            Err(error) => error.to_string(),
        }
    }

    fn steps(tree: &Tree, at: &str) -> usize {
        let mut walk = Walk::new(tree);
        let _ = walk.resolve(&path(at));
        walk.steps()
    }

    /// `/a/a/…` of so many bytes.
    fn long(bytes: usize) -> String {
        "/a".repeat(bytes / 2)
    }

    #[test]
    fn follows_relative_and_absolute_links() {
        let tree = tree_of(
            &[("/lib", "usr/lib"), ("/usr/lib/x", "/opt/x/"), ("/opt/x/up", "../../lib/./y")],
            &[],
        );
        assert_eq!(resolve(&tree, "/lib/a"), "/usr/lib/a");
        assert_eq!(resolve(&tree, "/lib/x/a"), "/opt/x/a");
        assert_eq!(resolve(&tree, "/lib/x/up"), "/usr/lib/y");
        assert_eq!(tree.resolve_parent(&path("/lib/x")), Ok(path("/usr/lib/x")));
        assert_eq!(tree.resolve_parent(&TreePath::root()), Ok(TreePath::root()));
    }

    #[test]
    fn stays_below_the_root() {
        let tree = tree_of(&[("/a", "../../../etc"), ("/b/c", "/../..")], &[]);
        assert_eq!(resolve(&tree, "/a/passwd"), "/etc/passwd");
        assert_eq!(resolve(&tree, "/b/c/x"), "/x");
    }

    #[test]
    fn loops_and_files_on_the_way_are_errors() {
        let tree = tree_of(
            &[("/a", "b"), ("/b", "a"), ("/self", "self/self"), ("/file", "f"), ("/dir", "f/")],
            &["/f"],
        );
        assert_eq!(resolve(&tree, "/a"), "too many levels of symbolic links at `/a`");
        assert_eq!(resolve(&tree, "/self/x"), "too many levels of symbolic links at `/self/x`");
        assert_eq!(resolve(&tree, "/f/x"), "`/f` is not a directory");
        assert_eq!(resolve(&tree, "/f"), "/f");
        assert_eq!(resolve(&tree, "/file"), "/f");
        assert_eq!(resolve(&tree, "/dir"), "`/f` is not a directory");
        let below = tree.resolve_parent(&path("/f/x")).unwrap_err();
        assert_eq!(below.to_string(), "`/f` is not a directory");
    }

    #[test]
    fn what_is_missing_is_kept_and_what_is_beside_it_is_found() {
        let links = [
            ("/up", "none/x/../../there/link"),
            ("/beside", "none/../there/link"),
            ("/none-but-up", "/none/../none/.."),
            ("/there/link", "real"),
        ];
        let tree = tree_of(&links, &["/there/real"]);
        assert_eq!(resolve(&tree, "/none/a/b"), "/none/a/b");
        assert_eq!(resolve(&tree, "/up"), "/there/real");
        assert_eq!(resolve(&tree, "/beside"), "/there/real");
        assert_eq!(resolve(&tree, "/none-but-up/there/link"), "/there/real");
        assert_eq!(resolve(&tree, "/there/none/link"), "/there/none/link");
    }

    #[test]
    fn steps_count_components_and_what_is_looked_up() {
        let tree = tree_of(&[("/lib", "usr/lib")], &["/usr/lib/a"]);
        assert_eq!(steps(&tree, "/"), 1);
        assert_eq!(steps(&tree, "/usr"), 2);
        assert_eq!(steps(&tree, "/lib/a"), 8);
        // nothing is looked up below what is not there
        assert_eq!(steps(&tree, "/none/a/b/c/d"), 6);
        assert_eq!(steps(&tree, &long(4094)), 2048);
        // a directory of 2,047 levels
        let deep = tree_of(&[], &[&format!("{}/f", long(4092))]);
        assert_eq!(resolve(&deep, &long(4092)), long(4092));
        let looked_up: usize = (1..=2046).map(|parts| (parts * 2 - 1_usize).div_ceil(64)).sum();
        assert_eq!(steps(&deep, &long(4092)), 2046 + looked_up);
    }

    #[test]
    fn long_ways_end() {
        // forty links, each of which goes to and fro for 4,092 bytes
        let there_and_back = "a/../".repeat(818);
        let links: Vec<(String, String)> =
            (0..40).map(|at| (format!("/l{at}"), format!("{there_and_back}l{}", at + 1))).collect();
        let links: Vec<_> = links.iter().map(|(at, to)| (at.as_str(), to.as_str())).collect();
        let tree = tree_of(&links, &["/l40"]);
        assert_eq!(resolve(&tree, "/l0"), "/l40");
        assert_eq!(steps(&tree, "/l0"), 40 * (818 * 3 + 2) + 2);
        // links that make the path longer and longer
        let further = tree_of(&[("/d/l", "a/a/a/a/a/a/a/a/../../../../../../../../l/x")], &[]);
        assert!(resolve(&further, "/d/l").starts_with("too many levels of symbolic links"));
        let name = "n".repeat(200);
        let deep = format!("{}/{name}", long(3800));
        let over = tree_of(&[("/l", &deep)], &[]);
        assert_eq!(resolve(&over, "/l"), deep);
        assert_eq!(
            resolve(&over, &format!("/l/{name}")),
            format!("`/l/{name}` leads to a path of more than 4095 bytes")
        );
    }
}
