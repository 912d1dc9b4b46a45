//! The host as a whole: what it answers, what it refuses, what bounds it.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::{
    Node, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Contents, Effects, Limits, ScriptletError, ScriptletTask, run},
};
use std::sync::Arc;
use strata_rpm::ScriptletKind;

struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn tree() -> Tree {
    let mut tree = Tree::default();
    for name in ["bin/sh", "bin/touch", "bin/cat", "bin/mkdir", "bin/false", "bin/env"] {
        tree.insert(path(name), Node::generated(*b"", 0o755, 0));
    }
    tree.insert(path("etc/old"), Node::generated(*b"old\nlines\n", 0o644, 7));
    tree
}

fn limited(body: &str, limits: Limits) -> Result<Effects, ScriptletError> {
    let (tree, owners) = (tree(), Owners::default());
    let program = ["<lua>".to_owned()];
    let arguments = ["1".to_owned()];
    run(&ScriptletTask {
        tree: &tree,
        installed: None,
        contents: &Nothing,
        owners: &owners,
        kind: ScriptletKind::FileTrigger,
        program: &program,
        body,
        arguments: &arguments,
        stdin: b"/usr/a\n/usr/b c\n",
        mtime: 1_700_000_000,
        limits,
    })
}

fn go(body: &str) -> Result<Effects, ScriptletError> {
    limited(body, Limits::default())
}

/// The output of a script that goes well.
fn output(body: &str) -> String {
    let effects = go(body).unwrap();
    let text = String::from_utf8(effects.output).unwrap();
    assert_eq!(effects.status, 0, "{text}");
    text
}

#[test]
fn a_script_has_rpms_environment() {
    assert_eq!(output("print(arg[1], arg[2], math.type(arg[2]), #opt)"), "<lua>\t1\tinteger\t0\n");
    assert_eq!(
        output("local p = rpm.next_file() while p do print(p) p = rpm.next_file() end"),
        "/usr/a\n/usr/b c\n"
    );
    assert_eq!(
        output("print(posix.mkdir('/d')) print(posix.mkdir('/d'))"),
        "0.0\nnil\t/d: File exists\t17.0\n"
    );
}
