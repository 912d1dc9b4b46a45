//! Lua scriptlets as our host and as rpm's own leave the tree, entry by entry, with what they
//! print.
//!
//! The real one is `rpm --root R -i` of packages that are built here, in a mount namespace where
//! `/usr` of the root is the machine's: needs root and says aloud when it is skipped.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};
use strata_rootfs::{
    Content, Kind, LinkSet, Node, Owners, PackageIndex, Tree, TreePath,
    scriptlets::{Contents, Effects, Limits, ScriptletError, ScriptletTask, run},
};
use strata_rpm::ScriptletKind;

#[path = "support/lua.rs"]
mod bodies;

/// Programs that bodies call.
const PROGRAMS: [&str; 11] =
    ["sh", "touch", "mkdir", "cat", "cp", "ls", "true", "false", "echo", "pwd", "env"];

struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn link(target: &str) -> Node {
    let kind = Kind::Symlink { target: target.into() };
    Node { kind, ..Node::generated(*b"", 0o777, 0) }
}

/// What every body begins with.
fn base() -> Tree {
    let mut tree = Tree::default();
    tree.insert(TreePath::root(), Node::implied_directory());
    for directory in ["etc", "var/lib", "tmp", "opt/d", "srv", "usr/bin", "usr/lib", "root", "dev"]
    {
        tree.insert(path(directory), Node::implied_directory());
    }
    for directory in ["bin", "sbin", "lib", "lib64"] {
        tree.insert(path(directory), link(&format!("usr/{directory}")));
    }
    for (at, text, mode) in bodies::FILES {
        tree.insert(path(at), Node::generated(text.as_bytes(), *mode, 1_000_000));
    }
    tree.insert(path("etc/link"), link("plain"));
    tree.insert(path("etc/dangling"), link("nowhere"));
    tree
}

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
        fs::set_permissions(&place, fs::Permissions::from_mode(node.mode.into())).unwrap();
        if !node.is_dir() {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(node.mtime);
            let file = fs::OpenOptions::new().write(true).open(&place).unwrap();
            file.set_modified(time).unwrap();
        }
    }
}

/// `/usr` is the machine's, and the database is rpm's.
fn is_skipped(name: &str) -> bool {
    name == "/usr" || name.starts_with("/usr/") || name == "/db" || name.starts_with("/db/")
}

fn disk(root: &Path) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut inodes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(place) = todo.pop() {
        let name = format!("/{}", place.strip_prefix(root).unwrap().display());
        if is_skipped(&name) {
            continue;
        }
        let meta = fs::symlink_metadata(&place).unwrap();
        let mut line = format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
        if meta.is_dir() {
            todo.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_symlink() {
            line += &format!(" -> {}", fs::read_link(&place).unwrap().display());
        } else if meta.is_file() {
            line += &format!(" {:?}", String::from_utf8_lossy(&fs::read(&place).unwrap()));
            // what the script did not touch and what it dated itself
            if meta.mtime() < 2_000_000 {
                line += &format!(" at {}", meta.mtime());
            }
            if meta.nlink() > 1 {
                inodes.entry(meta.ino()).or_default().push(name.clone());
            }
        } else {
            assert!(meta.file_type().is_fifo(), "{name}");
        }
        out.insert(name, line);
    }
    link_names(inodes.into_values(), &mut out);
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
        if is_skipped(&name) {
            continue;
        }
        let kind = match &node.kind {
            Kind::Directory => 0o040_000,
            Kind::File { .. } => 0o100_000,
            Kind::Symlink { .. } => 0o120_000,
            Kind::Fifo => 0o010_000,
            other => panic!("{other:?}"),
        };
        let mut line = format!("{:o} {}:{}", kind | u32::from(node.mode), node.uid, node.gid);
        match &node.kind {
            Kind::Symlink { target } => line += &format!(" -> {}", String::from_utf8_lossy(target)),
            Kind::File { content: Content::Inline(bytes), links, .. } => {
                line += &format!(" {:?}", String::from_utf8_lossy(bytes));
                if node.mtime < 2_000_000 {
                    line += &format!(" at {}", node.mtime);
                }
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

fn ours(
    tree: &Tree,
    body: &str,
    kind: ScriptletKind,
    stdin: &[u8],
) -> Result<Effects, ScriptletError> {
    let owners = Owners::default();
    let argument = if kind == ScriptletKind::FileTrigger { "0" } else { "1" };
    run(&ScriptletTask {
        tree,
        installed: None,
        contents: &Nothing,
        owners: &owners,
        kind,
        program: &["<lua>".to_owned()],
        body,
        arguments: &[argument.to_owned()],
        stdin,
        mtime: 1_700_000_000,
        limits: Limits::default(),
    })
}

/// Builds one package a body, in order.
fn build(place: &Path, sections: &[(String, String)]) -> Vec<PathBuf> {
    let mut spec = "%define debug_package %{nil}\nName: all\nVersion: 1\nRelease: 1\nSummary: x\n\
        License: x\nBuildArch: noarch\n%description\nx\n%install\nmkdir -p %{buildroot}/opt/new\n\
        touch %{buildroot}/opt/new/a %{buildroot}/opt/new/b\n"
        .to_owned();
    for (number, (section, body)) in sections.iter().enumerate() {
        let (section, files) = section.split_once('|').unwrap_or((section, ""));
        let section = section.replacen(' ', &format!(" -n b{number} "), 1);
        let body = body.replace('%', "%%");
        spec += &format!("%package -n b{number}\nSummary: x\n%description -n b{number}\nx\n");
        spec += &format!("%files -n b{number}\n{files}\n{section}\n{body}\n");
    }
    fs::create_dir_all(place).unwrap();
    let file = place.join("all.spec");
    fs::write(&file, spec).unwrap();
    let output = Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--define"])
        .arg(format!("_topdir {}", place.display()))
        .args([
            "--define",
            "_rpmfilename %%{NAME}.rpm",
            "--define",
            "_unpackaged_files_terminate_build 0",
        ])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (0..sections.len()).map(|number| place.join(format!("RPMS/b{number}.rpm"))).collect()
}

/// The tree after rpm installed packages, and what it printed.
fn real(tree: &Tree, packages: &[&Path], programs: bool) -> (BTreeMap<String, String>, String) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    write(tree, &root);
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
    let mounts = if programs {
        "mount --bind /usr \"$0/usr\" && mount --bind /dev \"$0/dev\" && "
    } else {
        ""
    };
    // unbuffered, so that programs and the script itself write in order
    let setup = format!(
        "mount --make-rprivate / && {mounts} exec env -i PATH=/sbin:/bin:/usr/sbin:/usr/bin HOME=/root \
        LC_ALL=C SOURCE_DATE_EPOCH=0 stdbuf -o0 rpm --root \"$0\" --dbpath /db --nosignature -i --nodeps \"$@\" 2>&1"
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &setup])
        .arg(&root)
        .args(packages)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (disk(&root), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn possible() -> bool {
    let have = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let mounts = || {
        let output = Command::new("unshare").args(["--mount", "true"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    let works = rustix::process::geteuid().is_root()
        && ["rpm", "rpmbuild", "unshare", "stdbuf"].into_iter().all(have)
        && mounts();
    if !works {
        eprintln!("SKIPPED: the oracle of Lua needs rpm, rpmbuild, root and mounts");
    }
    works
}

/// What is printed without what rpm adds: the package behind a scriptlet's name, and its verdict.
fn normal(output: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in output.lines() {
        // Debian's own advice
        let preload = line.starts_with("ERROR: ld.so") || line.starts_with("rpm: ");
        if line.starts_with("warning: %") || preload {
            continue;
        }
        let mut line = line.to_owned();
        while let (Some(from), Some(to)) = (line.find("(b"), line.find(".noarch)")) {
            if from > to {
                break;
            }
            line.replace_range(from..to + 8, "");
        }
        out.push(line);
    }
    out
}

fn differences(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>) -> Vec<String> {
    let keys: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.into_iter()
        .filter(|key| ours.get(*key) != theirs.get(*key))
        .map(|key| {
            format!("  {key}\n    ours   {:?}\n    theirs {:?}", ours.get(key), theirs.get(key))
        })
        .collect()
}

#[test]
fn every_body_does_what_rpms_lua_does() {
    if !possible() {
        return;
    }
    let only = std::env::var("STRATA_BODY").ok();
    let chosen: Vec<(usize, &str)> = bodies::BODIES
        .iter()
        .copied()
        .enumerate()
        .filter(|(number, _)| only.as_ref().is_none_or(|only| *only == number.to_string()))
        .collect();
    let place = tempfile::tempdir().unwrap();
    let sections: Vec<_> =
        chosen.iter().map(|(_, body)| ("%post -p <lua>".to_owned(), (*body).to_owned())).collect();
    let packages = build(place.path(), &sections);
    let mut failures = Vec::new();
    for ((number, body), package) in chosen.iter().zip(&packages) {
        let (theirs, printed) = real(&base(), &[package], true);
        let seen = with_programs();
        let effects = match ours(&seen, body, ScriptletKind::Post, b"") {
            Ok(effects) => effects,
            Err(error) => {
                failures.push(format!("{number}: {body}\n  {error}"));
                continue;
            }
        };
        let mut after = seen.clone();
        effects.apply(&mut after);
        let mut lines = differences(&listed(&after), &theirs);
        let (mine, printed) = (normal(&String::from_utf8_lossy(&effects.output)), normal(&printed));
        if mine != printed {
            lines.push(format!("  ours   {mine:?}\n  theirs {printed:?}"));
        }
        let failed = printed.iter().any(|line| line.starts_with("error: "));
        if failed != (effects.status != 0) && !body.contains("fork") {
            lines.push(format!("  status {}", effects.status));
        }
        if !lines.is_empty() {
            failures.push(format!("{number}: {body}\n{}", lines.join("\n")));
        }
    }
    eprintln!("{} of {} bodies the same", chosen.len() - failures.len(), chosen.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn file_triggers_get_their_paths() {
    if !possible() {
        return;
    }
    let body = "print(arg[1], arg[2], arg[3]) local p = rpm.next_file() while p do \
        io.open('/srv/seen', 'a'):write(p, '\\n'):close() p = rpm.next_file() end \
        print(io.read('a') == '')";
    let sections = [
        ("%filetriggerin -p <lua> -- /opt/new".to_owned(), body.to_owned()),
        ("%post -p <lua>|/opt/new/a\n/opt/new/b".to_owned(), "print(rpm.next_file)".to_owned()),
    ];
    let place = tempfile::tempdir().unwrap();
    let packages = build(place.path(), &sections);
    let packages: Vec<&Path> = packages.iter().map(PathBuf::as_path).collect();
    let (theirs, printed) = real(&base(), &packages, true);
    let mut tree = with_programs();
    let paths = b"/opt/new/a\n/opt/new/b\n";
    let effects = ours(&tree, body, ScriptletKind::FileTrigger, paths).unwrap();
    effects.apply(&mut tree);
    let mut theirs = theirs;
    theirs.retain(|name, _| !name.starts_with("/opt/new"));
    assert_eq!(differences(&listed(&tree), &theirs), Vec::<String>::new());
    let mut printed = normal(&printed);
    // the scriptlet of the other package has no files, whichever comes first
    let other = printed.iter().position(|line| line == "nil").unwrap();
    printed.remove(other);
    assert_eq!(normal(&String::from_utf8_lossy(&effects.output)), printed);
}

/// Prints what a script does in this process, for the test below.
#[test]
fn one_of_many_processes() {
    let effects = ours(&with_programs(), ORDER, ScriptletKind::Post, b"").unwrap();
    assert_eq!(effects.status, 0, "{}", String::from_utf8_lossy(&effects.output));
    println!("{}", String::from_utf8_lossy(&effects.output));
}

/// Keys in an order that Lua itself draws anew in each process.
const ORDER: &str = "local t = {} for i = 1, 200 do t['k' .. i * i] = i end \
    for k, v in pairs(t) do io.write(k, ' ') end for k in next, t do io.write(k, ' ') end \
    for k in pairs(_G) do io.write(k, ' ') end print()";

#[test]
fn many_processes_do_the_same() {
    let program = std::env::current_exe().unwrap();
    let outputs: BTreeSet<String> = (0..20)
        .map(|_| {
            let output = Command::new(&program)
                .args(["--exact", "one_of_many_processes", "--nocapture", "--test-threads=1"])
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            text.lines().find(|line| line.contains("k100 ")).unwrap().to_owned()
        })
        .collect();
    assert_eq!(outputs.len(), 1);
}

fn packages(directory: &str) -> Vec<strata_rpm::Package> {
    let mut places = vec![PathBuf::from(directory)];
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
    packages.sort_by_key(|package| package.nevra.name.clone());
    packages
}

const TRIGGER: &str = "%filetriggerin -p <lua> -- /opt/new";

/// Bodies of files `*.lua`.
fn plain_bodies(directory: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let place = entry.unwrap().path();
        if place.extension().is_some_and(|ending| ending == "lua") {
            let name = place.file_stem().unwrap().to_string_lossy().into_owned();
            found.push((name, fs::read_to_string(&place).unwrap()));
        }
    }
    found.sort();
    found
}

/// By hand: `STRATA_SURVEY=DIRECTORY` of RPMs, of header-only ones, or of `*.lua`. All their
/// Lua bodies, run by rpm as `%post` in a root without programs, and by us.
#[test]
#[ignore = "needs a directory of packages"]
fn bodies_of_packages() {
    let Ok(directory) = std::env::var("STRATA_SURVEY") else { return };
    if !possible() {
        return;
    }
    let mut tree = base();
    tree.insert(path("etc/shells"), Node::generated(*b"/bin/zsh\n", 0o644, 1_000_000));
    tree.insert(path("etc/ld.so.conf"), Node::generated(*b"/opt/lib\n", 0o644, 1_000_000));
    tree.insert(path("etc/passwd.rpmnew"), Node::generated(*b"", 0o644, 1_000_000));
    tree.insert(path("etc/selinux"), Node::implied_directory());
    let config = Node::generated(*b"SELINUX=enforcing\nSELINUXTYPE=targeted\n", 0o644, 1_000_000);
    tree.insert(path("etc/selinux/config"), config);
    let mut found = plain_bodies(&directory);
    for package in packages(&directory) {
        for scriptlet in &package.scriptlets {
            if scriptlet.program.first().is_some_and(|program| program == "<lua>") {
                let name = format!("{} {:?}", package.nevra, scriptlet.kind);
                found.push((name, scriptlet.body.clone()));
            }
        }
    }
    let place = tempfile::tempdir().unwrap();
    let with_files = |body: &str| body.contains("next_file");
    let mut sections: Vec<_> = found
        .iter()
        .map(|(name, body)| {
            let files = name.contains("FILETRIGGER") || with_files(body);
            let section = if files { TRIGGER } else { "%post -p <lua>" };
            (section.to_owned(), body.clone())
        })
        .collect();
    sections.push(("%post -p <lua>|/opt/new/a\n/opt/new/b".to_owned(), String::new()));
    let built = build(place.path(), &sections);
    let files = built.last().unwrap();
    let mut same = 0;
    for (((name, body), package), (section, _)) in found.iter().zip(&built).zip(&sections) {
        let triggered = section == TRIGGER;
        let installed: Vec<&Path> =
            if triggered { vec![package, files] } else { vec![package.as_path()] };
        let (mut theirs, printed) = real(&tree, &installed, false);
        theirs.retain(|name, _| !name.starts_with("/opt/new"));
        let (kind, paths): (_, &[u8]) = if triggered {
            (ScriptletKind::FileTrigger, b"/opt/new/a\n/opt/new/b\n")
        } else {
            (ScriptletKind::Post, b"")
        };
        match ours(&tree, body, kind, paths) {
            Err(error) => eprintln!("{name}: {error}"),
            Ok(effects) => {
                let mut after = tree.clone();
                effects.apply(&mut after);
                let lines = differences(&listed(&after), &theirs);
                let mine = normal(&String::from_utf8_lossy(&effects.output));
                let printed = normal(&printed);
                if lines.is_empty() && mine == printed {
                    same += 1;
                } else {
                    let lines = lines.join("\n");
                    eprintln!("{name}: {lines}\n  ours   {mine:?}\n  theirs {printed:?}");
                }
            }
        }
    }
    eprintln!("{same} of {} bodies the same", found.len());
}
