//! Scriptlets as our interpreter and as a real shell leave the tree, entry by entry.
//!
//! The real one runs in a chroot whose `/usr` is the machine's, mounted read-only in a mount
//! namespace: needs root and says aloud when it is skipped.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};
use strata_rootfs::{
    Content, Kind, LinkSet, Node, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Action, Contents, Limits, ScriptletTask, run},
};
use strata_rpm::ScriptletKind;

#[path = "support/scriptlets.rs"]
mod bodies;

const PROGRAMS: [&str; 52] = [
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
];

struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

/// What every body begins with.
fn base() -> Tree {
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
    ] {
        tree.insert(path(directory), Node::implied_directory());
    }
    for directory in ["bin", "sbin", "lib", "lib64"] {
        let kind = Kind::Symlink { target: format!("usr/{directory}").into_bytes() };
        tree.insert(path(directory), Node { kind, ..Node::generated(*b"", 0o777, 0) });
    }
    for (at, text, mode) in bodies::FILES {
        tree.insert(path(at), Node::generated(text.as_bytes(), mode, 1_000_000));
    }
    let kind = Kind::Symlink { target: b"a.conf".to_vec() };
    tree.insert(path("etc/link.conf"), Node { kind, ..Node::generated(*b"", 0o777, 0) });
    tree
}

/// The base with the names of programs, for the interpreter.
fn with_programs() -> Tree {
    let mut tree = base();
    for name in PROGRAMS {
        tree.insert(path(&format!("usr/bin/{name}")), Node::generated(*b"\x7fELF", 0o755, 0));
    }
    tree
}

fn write(tree: &Tree, root: &Path) {
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
fn disk(root: &Path) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut inodes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(place) = todo.pop() {
        let name = format!("/{}", place.strip_prefix(root).unwrap().display());
        // deliberate: no backups, no locks
        let backup = name.starts_with("/etc/") && name.ends_with('-') || name == "/etc/.pwd.lock";
        if name == "/usr" || name.starts_with("/tmp/") || backup {
            continue;
        }
        let meta = fs::symlink_metadata(&place).unwrap();
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

fn listed(tree: &Tree) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut sets: BTreeMap<LinkSet, Vec<String>> = BTreeMap::new();
    for (at, node) in tree.iter() {
        let name = at.to_string();
        if name == "/usr" || name.starts_with("/usr/") || name.starts_with("/tmp/") {
            continue;
        }
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

fn task<'a>(
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

/// What a real shell leaves; none where this machine cannot do it.
fn real(
    tree: &Tree,
    body: &str,
    argument: &str,
) -> Option<(BTreeMap<String, String>, i32, String)> {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    write(tree, root);
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(root.join("tmp/script"), body).unwrap();
    let setup = "mount --make-rprivate / && mount --bind /usr \"$0/usr\" && mount --bind /dev \"$0/dev\" && exec chroot \"$0\" \
        /usr/bin/env -i PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/root LC_ALL=C \
        SYSTEMD_OFFLINE=1 /usr/bin/bash --posix /tmp/script \"$1\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", setup])
        .arg(root)
        .arg(argument)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let status = output.status.code()?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Some((disk(root), status, text))
}

fn possible() -> bool {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: the oracle of scriptlets needs root");
        return false;
    }
    let works = real(&base(), "echo yes > /etc/yes", "1")
        .is_some_and(|(tree, ..)| tree.contains_key("/etc/yes"));
    if !works {
        eprintln!("SKIPPED: the oracle of scriptlets cannot mount here, or has no bash");
    }
    works
}

/// Lines that differ.
fn differences(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.into_iter()
        .filter(|key| ours.get(*key) != theirs.get(*key))
        .map(|key| {
            format!("  {key}\n    ours   {:?}\n    theirs {:?}", ours.get(key), theirs.get(key))
        })
        .collect()
}

#[test]
fn every_body_leaves_what_a_real_shell_leaves() {
    if !possible() {
        return;
    }
    let (tree, seen) = (base(), with_programs());
    let owners = Owners::default();
    let arguments = ["1".to_owned()];
    let mut failures = Vec::new();
    let mut compared = 0;
    let only = std::env::var("STRATA_BODY").ok();
    for (number, body) in bodies::BODIES.iter().enumerate() {
        if only.as_ref().is_some_and(|only| *only != number.to_string()) {
            continue;
        }
        let (theirs, status, output) = real(&tree, body, "1").unwrap();
        let effects = match run(&task(&seen, body, &owners, &arguments)) {
            Ok(effects) => effects,
            Err(error) => {
                failures.push(format!("{number}: {error}\n{body}"));
                continue;
            }
        };
        let mut after = seen.clone();
        effects.apply(&mut after);
        let mut lines = differences(&listed(&after), &theirs);
        if effects.status != status {
            lines.push(format!("  status ours {} theirs {status}", effects.status));
        }
        if !lines.is_empty() {
            let ours = String::from_utf8_lossy(&effects.output);
            failures.push(format!(
                "{number}: {body}\n{}\n  output: {ours}\n  theirs: {output}",
                lines.join("\n")
            ));
        }
        compared += 1;
    }
    assert!(
        failures.is_empty(),
        "{} of {} differ\n{}",
        failures.len(),
        bodies::BODIES.len(),
        failures.join("\n\n")
    );
    eprintln!("{compared} bodies compared");
}

/// Contents where headers are all there is: units that one target wants, and the accounts above.
struct StandIns<'a>(&'a [strata_rpm::Package]);

impl Contents for StandIns<'_> {
    fn read(&self, package: PackageIndex, file: u32) -> Option<Arc<[u8]>> {
        let path = String::from_utf8_lossy(&self.0[package.0 as usize].files[file as usize].path);
        let known = bodies::FILES.iter().find(|(at, ..)| path.strip_prefix('/') == Some(at));
        let text = match known {
            Some((_, text, _)) => text,
            None if path.starts_with("/usr/lib/systemd/") => {
                "[Install]\nWantedBy=multi-user.target\n"
            }
            None if path.starts_with("/etc/") => "",
            None => return None,
        };
        Some(text.as_bytes().into())
    }
}

/// By hand: the shell bodies of a directory of packages against a real shell, on the tree above
/// with the programs that this machine has; also as Debian's scripts are called.
#[test]
#[ignore = "needs a directory of packages"]
fn bodies_of_packages() {
    let Ok(directory) = std::env::var("STRATA_SURVEY") else { return };
    if !possible() {
        return;
    }
    let (tree, mut seen) = (base(), base());
    for place in ["usr/bin", "usr/sbin"] {
        for entry in fs::read_dir(format!("/{place}")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let at = path(&format!("{place}/{name}"));
            seen.insert(at, Node::generated(*b"\x7fELF", 0o755, 0));
        }
    }
    let owners = Owners::default();
    let (mut same, mut refused, mut different) = (0, 0, 0);
    for package in packages(&directory) {
        for scriptlet in &package.scriptlets {
            let shell = scriptlet.program.first().is_some_and(|name| name.ends_with("sh"));
            if !shell || scriptlet.body.is_empty() {
                continue;
            }
            for argument in ["1", "configure"] {
                let arguments = [argument.to_owned()];
                let task = task(&seen, &scriptlet.body, &owners, &arguments);
                let effects = match run(&task) {
                    Ok(effects) => effects,
                    Err(error) => {
                        refused += 1;
                        eprintln!("refused {} {argument}: {error}", package.nevra.name);
                        continue;
                    }
                };
                let (theirs, status, _) = real(&tree, &scriptlet.body, argument).unwrap();
                let mut after = seen.clone();
                effects.apply(&mut after);
                let lines = differences(&listed(&after), &theirs);
                if lines.is_empty() && effects.status == status {
                    same += 1;
                    continue;
                }
                different += 1;
                let (name, ours) = (&package.nevra.name, effects.status);
                let output = String::from_utf8_lossy(&effects.output);
                eprintln!(
                    "{name} {argument}: status {ours} {status}\n{}\n{output}",
                    lines.join("\n")
                );
            }
        }
    }
    eprintln!("{same} runs the same, {different} different, {refused} refused");
}

fn packages(directory: &str) -> Vec<strata_rpm::Package> {
    let mut places = vec![std::path::PathBuf::from(directory)];
    let mut packages = Vec::new();
    while let Some(place) = places.pop() {
        if place.is_dir() {
            places.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else if place.extension().is_some_and(|ending| ending == "rpm") {
            let bytes = fs::read(&place).unwrap();
            let Ok(file) = strata_rpm::RpmFile::parse(&bytes) else { continue };
            packages.extend(file.package());
        }
    }
    packages
}

/// By hand: `STRATA_SURVEY=DIRECTORY` of RPMs, or of header-only ones. Says which shell bodies of
/// installation are interpreted on the tree of all these packages, and why the rest is not.
#[test]
#[ignore = "needs a directory of packages"]
fn survey() {
    let Ok(directory) = std::env::var("STRATA_SURVEY") else { return };
    let mut packages = packages(&directory);
    let mut tree = Tree::default();
    // the links of directories first
    packages.sort_by_key(|package| package.nevra.name != "filesystem");
    for (index, package) in (0u32..).zip(&packages) {
        for (file, entry) in (0u32..).zip(&package.files) {
            let kind = match entry.mode & 0o170_000 {
                0o040_000 => Kind::Directory,
                0o120_000 => Kind::Symlink { target: entry.link_target.clone() },
                0o100_000 => Kind::File {
                    size: entry.size,
                    content: Content::Package { package: PackageIndex(index), file },
                    capabilities: None,
                    links: None,
                },
                _ => continue,
            };
            let node =
                Node { kind, ..Node::generated(*b"", entry.mode & 0o7777, entry.mtime.into()) };
            let Ok(at) = TreePath::new(&entry.path) else { continue };
            let at = tree.resolve_parent(&at).unwrap_or(at);
            tree.insert(at, node);
        }
    }
    let standing = StandIns(&packages);
    let owners = Owners::default();
    let arguments = ["1".to_owned()];
    let (mut done, mut total, mut lacking) = (0, 0, 0);
    let mut missing: BTreeMap<String, u32> = BTreeMap::new();
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let started = std::time::Instant::now();
    for package in &packages {
        for scriptlet in &package.scriptlets {
            use ScriptletKind as K;
            let installs = matches!(
                scriptlet.kind,
                K::Pre
                    | K::PreTrans
                    | K::Post
                    | K::PostTrans
                    | K::Trigger
                    | K::FileTrigger
                    | K::TransFileTrigger
            );
            // those of removal are triggers too
            let triggered = scriptlet.conditions.is_empty()
                || scriptlet.conditions.iter().any(|one| one.flags & (1 << 16 | 1 << 25) != 0);
            if !installs
                || !triggered
                || scriptlet.program.first().is_some_and(|name| name.starts_with('<'))
            {
                continue;
            }
            total += 1;
            let task = ScriptletTask {
                program: &scriptlet.program,
                ..task(&tree, &scriptlet.body, &owners, &arguments)
            };
            match run(&ScriptletTask { kind: scriptlet.kind, contents: &standing, ..task }) {
                Ok(effects) => {
                    done += 1;
                    let mut lacks = false;
                    for action in effects.actions {
                        if let Action::NotFound { program } = action {
                            lacks = true;
                            *missing.entry(program).or_default() += 1;
                        }
                    }
                    lacking += u32::from(lacks);
                }
                Err(error) => {
                    let text = error.to_string();
                    let reason = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
                    let name = format!("{} {:?}", package.nevra.name, scriptlet.kind);
                    reasons.entry(reason.to_owned()).or_default().push(name);
                }
            }
        }
    }
    eprintln!("{done} of {total} bodies of {} packages in {:?}", packages.len(), started.elapsed());
    eprintln!("{lacking} of them call what is not there: {missing:?}");
    for (reason, names) in reasons {
        eprintln!("{:4} {reason}: {}", names.len(), names.join(", "));
    }
}
