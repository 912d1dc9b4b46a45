//! The tree as text, one line a path, so that a difference between two trees is a readable diff.

use crate::{Content, Kind, LinkSet, Node, Tree, TreePath};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

impl Tree {
    /// One line a path: `type mode uid gid mtime path details`. Types are those of `find -type`.
    /// Details: size and where the content comes from (`package:file` or a digest), link target,
    /// device numbers, `caps=` and `same=` (the first path of a hard link set).
    pub fn dump(&self) -> String {
        let mut first: BTreeMap<LinkSet, &TreePath> = BTreeMap::new();
        let mut out = String::new();
        for (path, node) in self.iter() {
            // Writing to a string cannot fail.
            let _ = line(&mut out, path, node, &mut first);
        }
        out
    }
}

fn line<'a>(
    out: &mut String,
    path: &'a TreePath,
    node: &Node,
    first: &mut BTreeMap<LinkSet, &'a TreePath>,
) -> fmt::Result {
    let letter = match &node.kind {
        Kind::Directory => 'd',
        Kind::File { .. } => 'f',
        Kind::Symlink { .. } => 'l',
        Kind::Device { block: true, .. } => 'b',
        Kind::Device { block: false, .. } => 'c',
        Kind::Fifo => 'p',
    };
    let Node { mode, uid, gid, mtime, .. } = node;
    write!(out, "{letter} {mode:04o} {uid} {gid} {mtime} /{}", path.as_bytes().escape_ascii())?;
    match &node.kind {
        Kind::Directory | Kind::Fifo => {}
        Kind::File { size, content, capabilities, links } => {
            match content {
                Content::Package { package, file } => write!(out, " {size} {}:{file}", package.0)?,
                Content::Inline(bytes) => {
                    write!(out, " {size} sha256:{}", hex::encode(Sha256::digest(bytes)))?;
                }
            }
            if let Some(capabilities) = capabilities {
                write!(out, " caps={}", hex::encode(capabilities.to_xattr()))?;
            }
            if let Some(set) = links {
                let first = first.entry(*set).or_insert(path);
                write!(out, " same=/{}", first.as_bytes().escape_ascii())?;
            }
        }
        Kind::Symlink { target } => write!(out, " -> {}", target.escape_ascii())?,
        Kind::Device { major, minor, .. } => write!(out, " {major}:{minor}")?,
    }
    out.push('\n');
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::{Kind, LinkSet, Node, PackageIndex, Tree, TreePath};

    #[test]
    fn every_kind() {
        let path = |text: &str| TreePath::new(text).unwrap();
        let mut tree = Tree::default();
        let mut put = |at: &str, kind: Kind| {
            tree.insert(path(at), Node { kind, ..Node::generated(*b"", 0o755, 7) });
        };
        put("/a", Kind::Symlink { target: b"b c".to_vec() });
        put("/d/b", Kind::Device { block: true, major: 8, minor: 1 });
        put("/d/p", Kind::Fifo);
        put("/d/\u{e9}", Kind::Directory);
        let mut linked = Node::generated(*b"x", 0o644, 7);
        if let Kind::File { links, .. } = &mut linked.kind {
            *links = Some(LinkSet { package: PackageIndex(0), leader: 3 });
        }
        tree.insert(path("/y"), linked.clone());
        tree.insert(path("/z"), linked);
        let digest = "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
        let lines = [
            "d 0755 0 0 0 /".to_owned(),
            r"l 0755 0 0 7 /a -> b c".to_owned(),
            "d 0755 0 0 0 /d".to_owned(),
            "b 0755 0 0 7 /d/b 8:1".to_owned(),
            "p 0755 0 0 7 /d/p".to_owned(),
            r"d 0755 0 0 7 /d/\xc3\xa9".to_owned(),
            format!("f 0644 0 0 7 /y 1 {digest} same=/y"),
            format!("f 0644 0 0 7 /z 1 {digest} same=/y"),
        ];
        assert_eq!(tree.dump().lines().collect::<Vec<_>>(), lines);
    }
}
