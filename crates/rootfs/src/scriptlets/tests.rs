//! The interpreter as a whole: what it refuses, what bounds it, what it tells.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{Content, Kind, Node, Origin, PackageIndex, TreePath};
use std::sync::Arc;

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
    for name in ["rm", "touch", "cat", "systemctl", "dracut", "mkdir", "udevadm"] {
        tree.insert(path(&format!("usr/bin/{name}")), Node::generated(*b"", 0o755, 0));
    }
    tree.insert(path("etc/old"), Node::generated(*b"old\n", 0o644, 7));
    tree
}

fn start<'a>(tree: &'a Tree, body: &'a str, owners: &'a Owners) -> ScriptletTask<'a> {
    ScriptletTask {
        tree,
        installed: None,
        contents: &Nothing,
        owners,
        kind: ScriptletKind::Post,
        program: &[],
        body,
        arguments: &[],
        stdin: b"",
        mtime: 1_700_000_000,
        limits: Limits::default(),
    }
}

fn go(tree: &Tree, body: &str) -> Result<Effects, ScriptletError> {
    let owners = Owners::default();
    run(&start(tree, body, &owners))
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    let cases = [
        ("true\nsleep 1 &\n", "line 2: `&` is not interpreted"),
        (": >/x\ndracut -f\n", "line 2: the real `dracut` is needed"),
        ("touch -d yesterday /x", "line 1: `touch -d` is not interpreted"),
        ("echo $RANDOM", "line 1: `$RANDOM` is not interpreted"),
        ("a=(1 2)", "line 1: `arrays` is not interpreted"),
        ("\n\nrm --nonsense /x", "line 3: `rm --nonsense` is not interpreted"),
        ("declare -A x", "line 1: `declare -A` is not interpreted"),
    ];
    for (body, expected) in cases {
        assert_eq!(go(&tree(), body).unwrap_err().to_string(), expected, "{body}");
    }
    assert!(matches!(go(&tree(), "if true"), Err(ScriptletError::Syntax { .. })));
    let owners = Owners::default();
    let other = ["<python>".to_owned()];
    let empty = Tree::default();
    let task = ScriptletTask { program: &other, ..start(&empty, "x", &owners) };
    assert_eq!(run(&task), Err(ScriptletError::Interpreter("<python>".to_owned())));
}

#[test]
fn what_never_ends_ends() {
    let bodies = [
        "while :; do :; done",
        "f() { f; }; f",
        "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done",
        "while :; do echo aaaaaaaaaaaaaaaaaaaaaa >> /x; done",
        "eval 'eval \"eval true\"'; x='eval $x'; eval $x; eval \"$x\"",
    ];
    for body in bodies {
        let owners = Owners::default();
        let tree = tree();
        let limits = Limits { steps: 50_000, bytes: 1 << 20, ..Limits::default() };
        let task = ScriptletTask { limits, ..start(&tree, body, &owners) };
        match run(&task) {
            Err(ScriptletError::Limit { .. }) | Ok(_) => {}
            Err(other) => panic!("{body}: {other}"),
        }
    }
    for deep in ["(", "$(", "{ ", "if ", "\"$(", "((", "`"] {
        let _ = go(&tree(), &deep.repeat(5000));
    }
}

#[test]
fn looking_and_reading_are_bounded() {
    let mut tree = tree();
    let unit = format!("[Install]\nAlias=x.service\n{}", "# \n".repeat(1000));
    tree.insert(
        path("usr/lib/systemd/system/a.service"),
        Node::generated(unit.as_bytes(), 0o644, 0),
    );
    for number in 0..1000 {
        tree.insert(path(&format!("d/{number}")), Node::generated(*b"", 0o644, 0));
    }
    tree.insert(path("usr/bin/mv"), Node::generated(*b"", 0o755, 0));
    let small = Limits { steps: 100, bytes: 20_000, ..Limits::default() };
    for (body, limit) in [
        ("systemctl -q is-enabled a\n".repeat(10), "bytes read"),
        ("mv /d /e".to_owned(), "looks at paths"),
    ] {
        let owners = Owners::default();
        let task = start(&tree, &body, &owners);
        assert!(run(&task).is_ok());
        let result = run(&ScriptletTask { limits: small, ..task });
        assert_eq!(result, Err(ScriptletError::Limit { what: limit }));
    }
}

#[test]
fn a_failure_means_what_rpm_makes_of_it() {
    let effects = go(&tree(), "echo oops >&2; exit 3").unwrap();
    assert_eq!((effects.status, effects.output.as_slice()), (3, &b"oops\n"[..]));
    assert_eq!(effects.outcome(ScriptletKind::Post), Outcome::Warning);
    assert_eq!(effects.outcome(ScriptletKind::Pre), Outcome::PackageFails);
    assert!(effects.is_empty());
}

#[test]
fn changes_are_dated_and_made_by_strata() {
    let effects = go(&tree(), "cat /etc/old > /new; rm /etc/old; mkdir /d; cat /dev/null").unwrap();
    let mut after = tree();
    effects.apply(&mut after);
    assert!(after.get(&path("etc/old")).is_none());
    let new = after.get(&path("new")).unwrap();
    assert_eq!((new.mtime, new.origin), (1_700_000_000, Origin::Generated));
    assert_eq!(after.get(&path("d")).unwrap().mtime, 0);
    // what is made and goes again is no change
    assert!(go(&tree(), "touch /x; rm /x").unwrap().is_empty());
}

#[test]
fn packages_that_are_not_there_yet_are_not_seen() {
    let mut tree = tree();
    for (at, package) in [("usr/a", 0), ("usr/b", 1)] {
        let content = Content::Package { package: PackageIndex(package), file: 0 };
        let kind = Kind::File { size: 1, content, capabilities: None, links: None };
        let origin = Origin::Package(PackageIndex(package));
        tree.insert(path(at), Node { kind, origin, ..Node::generated(*b"", 0o644, 0) });
    }
    let owners = Owners::default();
    let task = start(&tree, "echo /usr/? > /out; cat /usr/a", &owners);
    let listed = |installed| run(&ScriptletTask { installed, ..task });
    assert_eq!(listed(Some(1)), Err(ScriptletError::Content { path: "/usr/a".to_owned() }));
    let task = start(&tree, "echo /usr/? > /out", &owners);
    for (installed, expected) in [(Some(1), "/usr/a\n"), (None, "/usr/a /usr/b\n")] {
        let effects = run(&ScriptletTask { installed, ..task }).unwrap();
        let Kind::File { content: Content::Inline(bytes), .. } =
            &effects.changes[&path("out")].as_ref().unwrap().kind
        else {
            panic!("no file")
        };
        assert_eq!(str::from_utf8(bytes), Ok(expected));
    }
}

#[test]
fn tells_what_was_not_done() {
    let effects = go(&tree(), "udevadm trigger; nosuch-tool; systemctl daemon-reload").unwrap();
    let expected = [
        Action::Ignored { command: "udevadm trigger".to_owned() },
        Action::NotFound { program: "nosuch-tool".to_owned() },
        Action::Ignored { command: "systemctl daemon-reload".to_owned() },
    ];
    assert_eq!(effects.actions, expected);
}

#[test]
fn units_are_enabled_by_presets() {
    let mut tree = tree();
    let files = [
        (
            "usr/lib/systemd/system/a.service",
            "[Install]\nWantedBy=multi-user.target\nAlias=b.service\n",
        ),
        (
            "usr/lib/systemd/system/c.service",
            "[Install]\nWantedBy=multi-user.target\nAlso=d.socket\n",
        ),
        ("usr/lib/systemd/system/d.socket", "[Install]\nWantedBy=sockets.target\n"),
        (
            "usr/lib/systemd/system/e@.service",
            "[Install]\nWantedBy=x.target\nDefaultInstance=one\n",
        ),
        ("usr/lib/systemd/system-preset/50.preset", "enable a.*\nenable e@.service\ndisable *\n"),
    ];
    for (at, text) in files {
        tree.insert(path(at), Node::generated(text.as_bytes(), 0o644, 0));
    }
    let changed = |body: &str| -> Vec<String> {
        let effects = go(&tree, body).unwrap();
        let links = effects.changes.iter().filter_map(|(path, node)| match &node.as_ref()?.kind {
            Kind::Symlink { target } => Some(format!("{path} {}", String::from_utf8_lossy(target))),
            _ => None,
        });
        links.collect()
    };
    let system = "/usr/lib/systemd/system";
    let etc = "/etc/systemd/system";
    assert_eq!(
        changed("systemctl --no-reload preset a.service c.service"),
        [
            format!("{etc}/b.service {system}/a.service"),
            format!("{etc}/multi-user.target.wants/a.service {system}/a.service"),
        ]
    );
    assert_eq!(
        changed("systemctl enable c"),
        [
            format!("{etc}/multi-user.target.wants/c.service {system}/c.service"),
            format!("{etc}/sockets.target.wants/d.socket {system}/d.socket"),
        ]
    );
    assert_eq!(
        changed("systemctl preset e@.service"),
        [format!("{etc}/x.target.wants/e@one.service {system}/e@.service")]
    );
    assert_eq!(changed("systemctl enable c; systemctl disable c"), Vec::<String>::new());
    assert_eq!(changed("systemctl mask c"), [format!("{etc}/c.service /dev/null")]);
    assert_eq!(go(&tree, "systemctl -q is-enabled c.service").unwrap().status, 1);
}
