//! What a configuration holds when nobody says anything.

use crate::edits::{Author, ConfigEdits};
use strata_rootfs::{Kind, Tree, TreePath};
use strata_spec::{ConfigField, Slot, SlotValue};

/// The default `PATH`: what distributions' base images have.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Shells, the best first. An image with one starts it when no program is named, as the base
/// images of all distributions do; an image without a shell has no default program.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];

/// `PATH`, and a shell as `Cmd` where the tree has one.
pub fn defaults(tree: &Tree) -> ConfigEdits {
    let mut edits = ConfigEdits::new();
    let path = SlotValue::Text(PATH.to_owned());
    edits.set(Slot::key(ConfigField::Env, "PATH"), path, Author::Default);
    if let Some(shell) = SHELLS.into_iter().find(|shell| is_program(tree, shell)) {
        let words = SlotValue::Words(vec![shell.to_owned()]);
        edits.set(Slot::field(ConfigField::Cmd), words, Author::Default);
    }
    edits
}

/// Whether a path leads to a file that can be executed.
fn is_program(tree: &Tree, path: &str) -> bool {
    let file = TreePath::new(path).ok().and_then(|path| tree.resolve(&path).ok());
    file.and_then(|path| tree.get(&path))
        .is_some_and(|node| matches!(node.kind, Kind::File { .. }) && node.mode & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use strata_rootfs::{Node, Origin};
    use strata_spec::Change;

    fn command(tree: &Tree) -> Option<Vec<String>> {
        defaults(tree).iter().find_map(|edit| match &edit.change {
            Change::Set(slot, SlotValue::Words(words)) if slot.field == ConfigField::Cmd => {
                Some(words.clone())
            }
            _ => None,
        })
    }

    fn link(tree: &mut Tree, path: &str, target: &str) {
        let kind = Kind::Symlink { target: target.into() };
        let node = Node { kind, mode: 0o777, uid: 0, gid: 0, mtime: 0, origin: Origin::Generated };
        tree.insert(TreePath::new(path).unwrap(), node);
    }

    #[test]
    fn a_shell_is_found_through_links() {
        let mut tree = Tree::default();
        assert_eq!(command(&tree), None);
        link(&mut tree, "/bin", "usr/bin");
        link(&mut tree, "/usr/bin/sh", "dash");
        assert_eq!(command(&tree), None);
        let program = Node::generated(*b"x", 0o755, 0);
        tree.insert(TreePath::new("/usr/bin/dash").unwrap(), program.clone());
        assert_eq!(command(&tree).unwrap(), ["/bin/sh"]);
        tree.insert(TreePath::new("/usr/bin/bash").unwrap(), program);
        assert_eq!(command(&tree).unwrap(), ["/bin/bash"]);
    }
}
