//! Trees as our interpreter and as a real shell in a chroot leave them.
//!
//! The real one has the machine's `/usr`, with an overlay that takes what it writes there, in
//! namespaces of its own: needs root, and says aloud when it is skipped.

use super::bodies::FILES;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};
use strata_rootfs::{
    Content, Kind, LinkSet, Node, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Contents, Effects, Limits, ScriptletTask},
};
use strata_rpm::ScriptletKind;

/// What an overlay says of a path that was removed.
const GONE: &str = "gone";

/// What the interpreter finds in `/usr/bin`.
const PROGRAMS: [&str; 58] = [
    "bash",
    "sh",
    "touch",
    "mkdir",
    "rmdir",
    "rm",
    "mv",
    "ln",
    "cp",
    "install",
    "chmod",
    "chown",
    "chgrp",
    "cat",
    "head",
    "tail",
    "cut",
    "tr",
    "wc",
    "tee",
    "cmp",
    "diff",
    "sort",
    "uniq",
    "grep",
    "sed",
    "basename",
    "dirname",
    "readlink",
    "realpath",
    "stat",
    "ls",
    "seq",
    "find",
    "xargs",
    "env",
    "useradd",
    "groupadd",
    "usermod",
    "gpasswd",
    "getent",
    "id",
    "update-alternatives",
    "systemctl",
    "mkfifo",
    "egrep",
    "unlink",
    "mknod",
    "fgrep",
    "passwd",
    "printf",
    "systemd-tmpfiles",
    "expr",
    "mktemp",
    "sha256sum",
    "sha512sum",
    "date",
    "uname",
];

/// No package's file is looked into.
pub struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

pub fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// What every body begins with.
pub fn base() -> Tree {
    let mut tree = Tree::default();
    tree.insert(TreePath::root(), Node::implied_directory());
    for directory in [
        "etc",
        "var/lib",
        "tmp",
        "opt/d/e",
        "srv",
        "usr/bin",
        "usr/lib",
        "usr/lib64",
        "usr/sbin",
        "root",
        "home",
        "dev",
        "proc",
    ] {
        tree.insert(path(directory), Node::implied_directory());
    }
    for directory in ["bin", "sbin", "lib", "lib64"] {
        let kind = Kind::Symlink { target: format!("usr/{directory}").into_bytes() };
        tree.insert(path(directory), Node { kind, ..Node::generated(*b"", 0o777, 0) });
    }
    for (at, text, mode) in FILES {
        tree.insert(path(at), Node::generated(text.as_bytes(), mode, 1_000_000));
    }
    let kind = Kind::Symlink { target: b"a.conf".to_vec() };
    tree.insert(path("etc/link.conf"), Node { kind, ..Node::generated(*b"", 0o777, 0) });
    tree
}

/// The base with the names of programs, for the interpreter.
pub fn with_programs() -> Tree {
    let mut tree = base();
    for name in PROGRAMS {
        tree.insert(path(&format!("usr/bin/{name}")), Node::generated(*b"\x7fELF", 0o755, 0));
    }
    tree
}

pub fn write(tree: &Tree, root: &Path) {
    for (at, node) in tree.iter() {
        let place = root.join(&at.to_string()[1..]);
        match &node.kind {
            Kind::Directory => fs::create_dir_all(&place).unwrap(),
            Kind::Symlink { target } => {
                symlink(str::from_utf8(target).unwrap(), &place).unwrap();
                continue;
            }
            Kind::File { content: Content::Inline(bytes), .. } => fs::write(&place, bytes).unwrap(),
            other => panic!("{other:?}"),
        }
        chown(&place, Some(node.uid), Some(node.gid)).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(node.mode.into())).unwrap();
    }
}

/// One line a path, without times; hard links named by their first path.
fn disk(root: &Path, above: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut inodes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(place) = todo.pop() {
        let name = format!("{above}/{}", place.strip_prefix(root).unwrap().display());
        let name = if name.len() > 1 { name.trim_end_matches('/').to_owned() } else { name };
        // deliberate: no backups, no locks
        let backup = name.starts_with("/etc/") && name.ends_with('-') || name == "/etc/.pwd.lock";
        if name == "/usr" && above.is_empty() || name.starts_with("/tmp/") || backup {
            continue;
        }
        let meta = fs::symlink_metadata(&place).unwrap();
        if meta.file_type().is_char_device() && meta.rdev() == 0 {
            out.insert(name, GONE.to_owned());
            continue;
        }
        let mut line = format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
        if meta.is_dir() {
            todo.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_symlink() {
            line += &format!(" -> {}", fs::read_link(&place).unwrap().display());
        } else if meta.is_file() {
            let mut text = String::from_utf8_lossy(&fs::read(&place).unwrap()).into_owned();
            if name == "/etc/shadow" {
                text = dated(&text);
            }
            line += &format!(" {text:?}");
            if meta.nlink() > 1 {
                inodes.entry(meta.ino()).or_default().push(name.clone());
            }
        }
        out.insert(name, line);
    }
    link_names(inodes.into_values(), &mut out);
    out
}

/// Passwords changed today were changed on the day of the task.
fn dated(shadow: &str) -> String {
    let mut out = String::new();
    for line in shadow.lines() {
        let mut fields: Vec<&str> = line.split(':').collect();
        if fields[2].parse().is_ok_and(|day: u32| day > 20_000) {
            fields[2] = "10000";
        }
        out += &(fields.join(":") + "\n");
    }
    out
}

fn link_names(sets: impl Iterator<Item = Vec<String>>, out: &mut BTreeMap<String, String>) {
    for mut names in sets {
        names.sort();
        for name in &names {
            out.get_mut(name).unwrap().push_str(&format!(" same {}", names[0]));
        }
    }
}

/// The same of a tree, but for what is below `/usr`.
pub fn listed(tree: &Tree) -> BTreeMap<String, String> {
    let inside = |at: &TreePath| {
        let name = at.to_string();
        !(name == "/usr" || name.starts_with("/usr/") || name.starts_with("/tmp/"))
    };
    lines(tree.iter().filter(|(at, _)| inside(at)))
}

fn lines<'a>(nodes: impl Iterator<Item = (&'a TreePath, &'a Node)>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut sets: BTreeMap<LinkSet, Vec<String>> = BTreeMap::new();
    for (at, node) in nodes {
        let name = at.to_string();
        let kind = match &node.kind {
            Kind::Directory => 0o040_000,
            Kind::File { .. } => 0o100_000,
            Kind::Symlink { .. } => 0o120_000,
            Kind::Fifo => 0o010_000,
            Kind::Device { block: true, .. } => 0o060_000,
            Kind::Device { .. } => 0o020_000,
        };
        let mut line = format!("{:o} {}:{}", kind | u32::from(node.mode), node.uid, node.gid);
        match &node.kind {
            Kind::Symlink { target } => line += &format!(" -> {}", String::from_utf8_lossy(target)),
            Kind::File { content: Content::Inline(bytes), links, .. } => {
                line += &format!(" {:?}", String::from_utf8_lossy(bytes));
                if let Some(set) = links {
                    sets.entry(*set).or_default().push(name.clone());
                }
            }
            _ => {}
        }
        out.insert(name, line);
    }
    link_names(sets.into_values(), &mut out);
    out
}

/// What was changed below `/usr`.
pub fn changed(effects: &Effects) -> BTreeMap<String, String> {
    let below = effects.changes.iter().filter(|(at, _)| at.to_string().starts_with("/usr/"));
    let below: Vec<(&TreePath, &Option<Node>)> = below.collect();
    let mut out = lines(below.iter().filter_map(|(at, node)| Some((*at, (**node).as_ref()?))));
    let gone = |at: &TreePath| matches!(effects.changes.get(at), Some(None));
    for (at, _) in below.iter().filter(|(at, _)| gone(at)) {
        // the contents of a directory go with it
        if !at.parent().is_some_and(|parent| gone(&parent)) {
            out.insert(at.to_string(), GONE.to_owned());
        }
    }
    without_old(out)
}

/// Directories that were there already, and are as they were, are no change.
fn without_old(mut lines: BTreeMap<String, String>) -> BTreeMap<String, String> {
    lines.retain(|name, line| {
        let old = fs::symlink_metadata(name).ok().filter(fs::Metadata::is_dir);
        old.is_none_or(|meta| *line != format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid()))
    });
    lines
}

pub fn task<'a>(
    tree: &'a Tree,
    body: &'a str,
    owners: &'a Owners,
    arguments: &'a [String],
) -> ScriptletTask<'a> {
    ScriptletTask {
        tree,
        installed: None,
        contents: &Nothing,
        owners,
        kind: ScriptletKind::Post,
        program: &[],
        body,
        arguments,
        stdin: b"",
        mtime: 86400 * 10000,
        limits: Limits::default(),
    }
}

/// What a real shell leaves.
pub struct Real {
    /// By path, but for `/usr`.
    pub tree: BTreeMap<String, String>,
    /// What was changed below `/usr`.
    pub usr: BTreeMap<String, String>,
    pub status: i32,
    pub output: String,
}

/// Runs a body by a real shell, which is a program of this machine and its options; none where the
/// machine cannot do it.
pub fn real(tree: &Tree, shell: &str, body: &str, arguments: &[&str]) -> Option<Real> {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    for name in ["root", "upper", "work"] {
        fs::create_dir(directory.path().join(name)).unwrap();
    }
    write(tree, &root);
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(root.join("tmp/script"), body).unwrap();
    let setup = "place=$1; shell=$2; shift 2; mount --make-rprivate / &&
        mount -t overlay overlay \
            -o lowerdir=/usr,upperdir=\"$place/upper\",workdir=\"$place/work\" \"$place/root/usr\" &&
        mount -t proc proc \"$place/root/proc\" &&
        mount --bind /dev \"$place/root/dev\" && mount -o remount,bind,ro \"$place/root/dev\" &&
        exec chroot \"$place/root\" /usr/bin/env -i PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/root \
            LC_ALL=C SYSTEMD_OFFLINE=1 $shell /tmp/script \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--net", "--ipc", "sh", "-c", setup, "sh"])
        .arg(directory.path())
        .arg(shell)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let status = output.status.code()?;
    let output = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let usr = without_old(disk(&directory.path().join("upper"), "/usr"));
    Some(Real { tree: disk(&root, ""), usr, status, output })
}

/// How Fedora's `/bin/sh` is called.
pub const BASH: &str = "/usr/bin/bash --posix";

/// Whether this machine can run the real one.
pub fn possible() -> bool {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: the oracle of scriptlets needs root");
        return false;
    }
    let works = real(&base(), BASH, "echo yes > /etc/yes; echo > /usr/strata-yes", &["1"])
        .is_some_and(|real| {
            real.tree.contains_key("/etc/yes") && real.usr.contains_key("/usr/strata-yes")
        });
    if !works {
        eprintln!("SKIPPED: the oracle of scriptlets cannot mount here, or has no bash");
    }
    works
}

/// Lines that differ.
pub fn differences(
    ours: &BTreeMap<String, String>,
    theirs: &BTreeMap<String, String>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.into_iter()
        .filter(|key| ours.get(*key) != theirs.get(*key))
        .map(|key| {
            let short =
                |line: Option<&String>| line.map(|l| l.chars().take(400).collect::<String>());
            let (ours, theirs) = (short(ours.get(key)), short(theirs.get(key)));
            format!("  {key}\n    ours   {ours:?}\n    theirs {theirs:?}")
        })
        .collect()
}
