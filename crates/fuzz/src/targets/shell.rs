//! Scriptlets: a whole script on a small root file system.

use crate::inside;
use std::sync::{Arc, LazyLock};
use strata_rootfs::{
    Content, Kind, Node, Origin, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Contents, Effects, Limits, ScriptletError, ScriptletTask, run},
};
use strata_rpm::ScriptletKind;

/// Less than by default, so that what uses them up does not take long: 5,000 steps, 1 MiB, 500
/// paths.
const LIMITS: Limits = Limits { steps: 5_000, bytes: 1 << 20, files: 500, depth: 60 };

/// A script of the shell, after its arguments when it begins with `#!`.
pub fn shell(input: &[u8]) {
    script(&BASE, &[], input, &["1"]);
}

/// A script of rpm's Lua.
pub fn lua(input: &[u8]) {
    script(&BASE, &["<lua>"], input, &["1"]);
}

/// Runs a script and looks at what it did; the effects, where it came to its end.
pub fn script(tree: &Tree, program: &[&str], body: &[u8], arguments: &[&str]) -> Option<Effects> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (program, arguments) = (owned(program), owned(arguments));
    let body = String::from_utf8_lossy(body);
    let owners = Owners { users: [("known".to_owned(), 321)].into(), ..Owners::default() };
    let result: Result<Effects, ScriptletError> = run(&ScriptletTask {
        tree,
        installed: None,
        contents: &Packaged,
        owners: &owners,
        kind: ScriptletKind::Post,
        program: &program,
        body: &body,
        arguments: &arguments,
        stdin: b"/usr/lib/a\n/etc/b c\n",
        mtime: 1_700_000_000,
        limits: LIMITS,
    });
    match result {
        Ok(effects) => {
            inside::effects(tree, &effects);
            assert!(effects.changes.len() <= 2 * LIMITS.files, "more paths than are allowed");
            let _ = effects.outcome(ScriptletKind::Post);
            Some(effects)
        }
        Err(error) => {
            let _ = (error.to_string(), error.hint());
            None
        }
    }
}

struct Packaged;

impl Contents for Packaged {
    fn read(&self, _: PackageIndex, file: u32) -> Option<Arc<[u8]>> {
        (file == 0).then(|| Arc::from(&b"one\ntwo\nthree\n"[..]))
    }
}

/// Programs of the tree.
const PROGRAMS: &str = "[ addgroup adduser alternatives awk basename bash cat chgrp chmod chown cmp \
    cp cut date diff dirname echo egrep env expr false fgrep find getent gpasswd grep groupadd \
    groupdel groupmod head id install install-info ldconfig ln ls mkdir mkfifo mknod mktemp mv \
    passwd printf pwd readlink realpath rm rmdir sed seq sh sort stat systemctl systemd-sysusers \
    systemd-tmpfiles tail tee test touch tr true tty udevadm uname uniq unlink update-alternatives \
    useradd userdel usermod wc which whoami xargs";

/// A root file system with a little of what scripts look at.
pub static BASE: LazyLock<Tree> = LazyLock::new(|| {
    let mut tree = Tree::default();
    for name in PROGRAMS.split_whitespace() {
        insert(&mut tree, &format!("usr/bin/{name}"), Node::generated(*b"", 0o755, 7));
    }
    for (path, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nknown:x:321:321::/:/bin/sh\n"),
        ("etc/group", "root:x:0:\nknown:x:321:\nwheel:x:10:known\n"),
        ("etc/shadow", "root:*:19000:0:99999:7:::\n"),
        ("etc/gshadow", "root:*::\n"),
        ("etc/shells", "/bin/sh\n"),
        ("etc/os-release", "ID=fedora\nVERSION_ID=40\n"),
        ("etc/a.conf", "# a comment\nkey = value\nother=1\n[section]\nkey=2\n"),
        ("usr/lib/systemd/system/a.service", "[Install]\nWantedBy=multi-user.target\n"),
        ("usr/lib/systemd/system-preset/90.preset", "enable a.*\ndisable *\n"),
        ("usr/lib/sysusers.d/a.conf", "u a - \"A\" /var/lib/a\nm a wheel\n"),
        ("usr/lib/tmpfiles.d/a.conf", "d /var/lib/a 0750 known known -\nL /var/l - - - - a\n"),
        ("var/lib/alternatives/x", "auto\n/usr/bin/x\n\n/usr/bin/x-1\n10\n"),
        ("var/old/deep/er/file", "x"),
    ] {
        put(&mut tree, path, text.as_bytes());
    }
    for (path, target) in [
        ("bin", "usr/bin"),
        ("sbin", "/usr/bin"),
        ("var/run", "../run"),
        ("etc/dangling", "nowhere/at/all"),
        ("etc/loop", "loop"),
        ("etc/outside", "../../../../../../etc/a.conf"),
        ("var/up", ".."),
    ] {
        let kind = Kind::Symlink { target: target.as_bytes().to_vec() };
        insert(&mut tree, path, Node { kind, mode: 0o777, ..Node::generated(*b"", 0o777, 0) });
    }
    for (path, file) in [("usr/share/p/text", 0), ("usr/share/p/unread", 1)] {
        let content = Content::Package { package: PackageIndex(0), file };
        let kind = Kind::File { size: 14, content, capabilities: None, links: None };
        let origin = Origin::Package(PackageIndex(0));
        insert(&mut tree, path, Node { kind, origin, ..Node::generated(*b"", 0o644, 7) });
    }
    for path in ["run", "tmp", "root", "etc/systemd/system"] {
        insert(&mut tree, path, Node::implied_directory());
    }
    tree
});

/// Puts a file into a tree.
pub fn put(tree: &mut Tree, path: &str, content: &[u8]) {
    insert(tree, path, Node::generated(content, 0o644, 7));
}

fn insert(tree: &mut Tree, path: &str, node: Node) {
    let path = TreePath::new(path).unwrap_or_else(|error| panic!("{error}"));
    tree.insert(path, node);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else nothing of the commands would be tested.
    #[test]
    fn programs_of_the_tree_are_run() {
        let body = b"mkdir -p /a/b && cat /etc/a.conf > /a/c && ln -s c /a/d && chmod 600 /a/c";
        let effects = script(&BASE, &[], body, &[]);
        let done = effects.map(|effects| (effects.changes.len(), effects.output.len()));
        assert_eq!(done, Some((4, 0)));
    }
}
