//! What a scriptlet did.

use crate::{Node, Tree, TreePath};
use std::collections::BTreeMap;
use strata_rpm::ScriptletKind;

/// The outcome of a run that could be interpreted to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// By path what is there afterwards; none: nothing.
    pub changes: BTreeMap<TreePath, Option<Node>>,
    /// What happened beyond that, in order.
    pub actions: Vec<Action>,
    /// Standard output and error output, together and in order.
    pub output: Vec<u8>,
    /// Exit status of the script.
    pub status: i32,
}

/// Something that a command did or would have told a running system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// A user was made, with the number it got.
    User {
        /// Name.
        name: String,
        /// Number.
        uid: u32,
    },
    /// A group was made, with the number it got.
    Group {
        /// Name.
        name: String,
        /// Number.
        gid: u32,
    },
    /// A unit was enabled, disabled or masked.
    Unit {
        /// Name with its suffix.
        name: String,
        /// The verb of `systemctl`.
        verb: String,
    },
    /// A command that has nothing to do in an image, or whose work strata does elsewhere.
    Ignored {
        /// The command with its arguments.
        command: String,
    },
    /// A program that the script called and the tree does not have.
    NotFound {
        /// Its name.
        program: String,
    },
}

/// What rpm would make of the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It went well.
    Done,
    /// rpm warns, and goes on.
    Warning,
    /// rpm does not install the package.
    PackageFails,
}

impl Effects {
    /// What rpm would make of the exit status: a failure before the package's files are there
    /// keeps them out; later ones are warnings.
    pub fn outcome(&self, kind: ScriptletKind) -> Outcome {
        match (self.status, kind) {
            (0, _) => Outcome::Done,
            (_, ScriptletKind::Pre | ScriptletKind::PreTrans) => Outcome::PackageFails,
            _ => Outcome::Warning,
        }
    }

    /// Puts the changes into the tree.
    pub fn apply(&self, tree: &mut Tree) {
        // from the end, so that what lies below a directory goes before it
        for (path, node) in self.changes.iter().rev() {
            if node.is_none() {
                tree.remove(path);
            }
        }
        for (path, node) in &self.changes {
            if let Some(node) = node {
                tree.insert(path.clone(), node.clone());
            }
        }
    }

    /// Whether nothing was changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
