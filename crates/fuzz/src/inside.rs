//! Whether what came out lies inside the tree.
//!
//! Written without the types that promise it: those are what is tested.

use std::collections::BTreeMap;
use strata_rootfs::{Content, Kind, Node, Tree, TreePath, scriptlets::Effects};

/// Asserts that bytes are a relative path which names one place below where it starts.
///
/// # Panics
/// When they are not.
pub fn relative(path: &[u8]) {
    let shown = path.escape_ascii();
    assert!(!path.contains(&0), "a NUL in `{shown}`");
    let wrong = |part: &[u8]| matches!(part, b"" | b"." | b"..");
    assert!(!path.split(|byte| *byte == b'/').any(wrong), "`{shown}` is no clean relative path");
}

/// The same for an absolute path.
///
/// # Panics
/// When it is not clean.
pub fn absolute(path: &[u8]) {
    let Some(inner) = path.strip_prefix(b"/") else {
        panic!("`{}` is not absolute", path.escape_ascii());
    };
    if !inner.is_empty() {
        relative(inner);
    }
}

/// Asserts that every path of a tree is clean, and lies in directories that are no links.
///
/// # Panics
/// When one is not.
pub fn tree(tree: &Tree) {
    for (path, found) in tree.iter() {
        node(path, found);
        if let Some(parent) = path.parent().filter(|parent| !parent.is_root()) {
            assert!(tree.get(&parent).is_some_and(Node::is_dir), "{path} lies in no directory");
        }
    }
}

/// Asserts that changes stay inside the tree they were made on: every path is clean, what is there
/// lies in a directory, and nothing is left below what went.
///
/// # Panics
/// When one does not.
pub fn effects(base: &Tree, effects: &Effects) {
    let changes = &effects.changes;
    let after = |path: &TreePath| match changes.get(path) {
        Some(change) => change.as_ref(),
        None => base.get(path),
    };
    for (path, change) in changes {
        match change {
            Some(found) => node(path, found),
            None => assert!(!path.is_root(), "the root went"),
        }
        if let (Some(parent), Some(_)) = (path.parent().filter(|path| !path.is_root()), change) {
            assert!(after(&parent).is_some_and(Node::is_dir), "{path} lies in no directory");
        }
        if !change.as_ref().is_some_and(Node::is_dir) {
            for below in base.below(path).filter(|below| *below != path) {
                assert!(after(below).is_none(), "{below} is left below {path}");
            }
        }
    }
    let mut sets: BTreeMap<_, &Node> = BTreeMap::new();
    for found in changes.values().flatten() {
        if let Kind::File { links: Some(set), .. } = &found.kind {
            let first = sets.entry(*set).or_insert(found);
            assert_eq!(*first, found, "names of one file differ");
        }
    }
}

fn node(path: &TreePath, node: &Node) {
    if !path.is_root() {
        relative(path.as_bytes());
    }
    assert!(node.mode <= 0o7777, "{path} has mode {:o}", node.mode);
    match &node.kind {
        Kind::File { size, content: Content::Inline(bytes), .. } => {
            assert_eq!(*size, bytes.len() as u64, "the size of {path}");
        }
        Kind::Symlink { target } => {
            assert!(!target.is_empty() && !target.contains(&0), "the target of {path}");
        }
        _ => {}
    }
}
