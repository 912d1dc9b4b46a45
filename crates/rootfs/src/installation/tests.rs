#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    Content, Kind, MergeTask, TreePath,
    fixture::{file, package},
    merge,
};
use std::sync::Arc;
use strata_rpm::{Condition, Package, Scriptlet, ScriptletKind};

struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

fn script(kind: ScriptletKind, body: &str) -> Scriptlet {
    Scriptlet {
        kind,
        program: vec!["/bin/sh".to_owned()],
        body: body.to_owned(),
        conditions: Vec::new(),
        priority: Scriptlet::DEFAULT_PRIORITY,
        flags: 0,
    }
}

fn with(name: &str, files: &[&str], scriptlets: Vec<Scriptlet>) -> Package {
    let one = package(name, files.iter().map(|path| file(path)).collect());
    Package { scriptlets, ..one }
}

fn shell() -> Package {
    let mut shell = with("sh", &["/bin/sh", "/bin/rm", "/bin/cat"], Vec::new());
    shell.files.iter_mut().for_each(|file| file.mode = 0o100_755);
    shell
}

/// The tree afterwards, what became of the scripts, and of which the caller was asked.
fn installed(
    packages: &[Package],
    mut answer: impl FnMut() -> Fallback,
) -> (Tree, Vec<Ran>, Vec<String>) {
    let owners = Owners::default();
    let all: Vec<&Package> = packages.iter().collect();
    let task = MergeTask {
        packages: &all,
        filters: &[],
        docs: true,
        langs: None,
        owners: &owners,
        color: 2,
    };
    let merged = merge(&task).unwrap();
    let states: Vec<Vec<u8>> =
        (0..).zip(packages).map(|(at, _)| merged.file_states(PackageIndex(at))).collect();
    let members: Vec<Member<'_>> =
        packages.iter().zip(&states).map(|(package, states)| Member { package, states }).collect();
    let installation = Installation {
        members: &members,
        contents: &Nothing,
        owners: &owners,
        epoch: 7,
        limits: Limits::default(),
    };
    let mut tree = merged.tree;
    let mut asked = Vec::new();
    let runs = install(&installation, &mut tree, &mut |_, _, error| {
        asked.push(error.to_string());
        answer()
    });
    (tree, runs.into_iter().map(|run| run.ran).collect(), asked)
}

fn text(tree: &Tree, path: &str) -> Option<String> {
    match &tree.get(&TreePath::new(path).unwrap())?.kind {
        Kind::File { content: Content::Inline(bytes), .. } => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => None,
    }
}

#[test]
fn scripts_see_the_packages_before_them_and_what_others_did() {
    let packages = [
        shell(),
        with(
            "a",
            &["/etc/a"],
            vec![
                script(ScriptletKind::Pre, "test ! -e /etc/a && echo pre $1 >> /log"),
                script(
                    ScriptletKind::Post,
                    "test -e /etc/a && test ! -e /etc/b && echo post $1 >> /log",
                ),
                script(ScriptletKind::PostTrans, "test -e /etc/b && echo last >> /log; rm /etc/b"),
            ],
        ),
        with("b", &["/etc/b"], vec![script(ScriptletKind::Post, "echo b >> /log")]),
    ];
    let (tree, ran, _) = installed(&packages, || panic!("everything is interpreted"));
    assert_eq!(text(&tree, "/log").as_deref(), Some("pre 1\npost 1\nb\nlast\n"));
    assert!(tree.get(&TreePath::new("/etc/b").unwrap()).is_none());
    assert_eq!(ran, vec![Ran::Interpreted; 4]);
    assert_eq!(tree.get(&TreePath::new("/log").unwrap()).unwrap().mtime, 7);
}

#[test]
fn file_triggers_get_their_paths() {
    let condition = Condition {
        position: 0,
        name: "/etc".to_owned(),
        flags: strata_rpm::Sense::TRIGGERIN,
        version: String::new(),
    };
    let trigger = Scriptlet {
        conditions: vec![condition],
        ..script(ScriptletKind::TransFileTrigger, "cat > /seen; echo \"$#\" >> /seen")
    };
    let packages = [
        shell(),
        with("a", &["/etc/a", "/opt/x"], vec![trigger]),
        with("b", &["/etc/b"], Vec::new()),
    ];
    let (tree, ran, _) = installed(&packages, || panic!("everything is interpreted"));
    assert_eq!(ran, [Ran::Interpreted]);
    assert_eq!(text(&tree, "/seen").as_deref(), Some("/etc/a\n/etc/b\n1\n"));
}

#[test]
fn a_failure_is_a_warning_unless_it_comes_before_the_files() {
    let packages = [
        shell(),
        with("a", &[], vec![script(ScriptletKind::Post, "echo done > /made; echo no >&2; exit 3")]),
        with("b", &[], vec![script(ScriptletKind::Pre, "echo begun > /begun; exit 1")]),
    ];
    let (tree, ran, _) = installed(&packages, || panic!("everything is interpreted"));
    assert_eq!(
        ran,
        [Ran::Failed("exit status 3: no".to_owned()), Ran::Refused("exit status 1".to_owned())]
    );
    assert_eq!(text(&tree, "/made").as_deref(), Some("done\n"));
    assert_eq!(text(&tree, "/begun"), None);
}

#[test]
fn what_is_not_interpreted_is_the_callers() {
    let python = Scriptlet {
        program: vec!["/usr/bin/python3".to_owned()],
        ..script(ScriptletKind::Post, "print()")
    };
    let macros = Scriptlet { flags: 1, ..script(ScriptletKind::Post, "echo %{_bindir}") };
    let packages = [shell(), with("a", &[], vec![python]), with("b", &[], vec![macros])];
    let (tree, ran, asked) = installed(&packages, || Fallback::Skip);
    assert_eq!(asked.len(), 2);
    assert_eq!(ran, [Ran::Skipped(asked[0].clone()), Ran::Skipped(asked[1].clone())]);
    assert!(asked[0].contains("python3") && asked[1].contains("macros"), "{asked:?}");
    let (same, ran, _) = installed(&packages, || Fallback::Refuse("why".to_owned()));
    assert_eq!(ran, vec![Ran::Refused("why".to_owned()); 2]);
    assert_eq!(same, tree);
    let mut change = Effects::default();
    let node = crate::Node::generated(*b"x", 0o600, 7);
    change.changes.insert(TreePath::new("/x").unwrap(), Some(node));
    let (tree, ran, _) = installed(&packages, || Fallback::Sandboxed(change.clone()));
    assert_eq!(ran, vec![Ran::Sandboxed; 2]);
    assert_eq!(text(&tree, "/x").as_deref(), Some("x"));
}
