//! What went wrong with other tools that make root file systems of packages, each report a test
//! named after its symptom.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use strata_rootfs::{
    Kind, MergeTask, Merged, Node, Owners, PackageIndex, Tree, TreePath,
    accounts::{self, Definitions, Ids, Sources},
    distro::{Backend, Distro},
    facts::{self, PackageFacts},
    merge,
    rpmdb::{self, DbPackage},
    scriptlets::{self, Contents, Limits, ScriptletError, ScriptletTask},
};
use strata_rpm::{Package, RpmFile, ScriptletKind, payload};
use strata_testkit::pack;

/// A package with what a build knows of it.
struct Packed {
    bytes: Vec<u8>,
    package: Package,
    facts: PackageFacts,
}

fn packed(more: &str, files: &[(&str, &str)]) -> Packed {
    let manifest = format!(
        r#"{{"name": "p", "version": "1", "release": "1", "arch": "noarch", "license": "MIT",
            "build_time": 1700000000 {more}}}"#
    );
    let bytes = pack(&manifest, files);
    let rpm = RpmFile::parse(&bytes).unwrap();
    let package = rpm.package().unwrap();
    let wanted = facts::wanted_early(&package);
    let mut facts = PackageFacts::default();
    payload::read(&rpm, &package, &mut |file, _, content| {
        if wanted.contains(&file) {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            facts.absorb(&package, file, &bytes);
        }
        Ok(())
    })
    .unwrap();
    Packed { bytes, package, facts }
}

fn merged(package: &Package, owners: &Owners) -> Merged {
    merge(&MergeTask {
        packages: &[package],
        docs: true,
        filters: &[],
        langs: None,
        owners,
        color: 2,
    })
    .unwrap()
}

fn node<'a>(tree: &'a Tree, path: &str) -> &'a Node {
    tree.get(&TreePath::new(path).unwrap()).unwrap_or_else(|| panic!("no {path}"))
}

/// No content is ever asked for.
struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

fn run(tree: &Tree, program: &str, body: &str) -> Result<scriptlets::Effects, ScriptletError> {
    scriptlets::run(&ScriptletTask {
        tree,
        installed: None,
        contents: &Nothing,
        owners: &Owners::default(),
        kind: ScriptletKind::Pre,
        program: &[program.to_owned()],
        body,
        arguments: &["1".to_owned()],
        stdin: b"",
        mtime: 1_700_000_000,
        limits: Limits::default(),
    })
}

/// buildah#6212, buildah#6119: systemd-sysusers wants privileges and a running root. Here the
/// accounts are computed from the packages, and the scriptlet that calls it has nothing left to do.
#[test]
fn sysusers_fails_rootless() {
    let snippet = "u httpd 48 \"Web server\" /var/www /sbin/nologin\nu exporter - \"Exporter\"\n";
    let packed = packed("", &[("/usr/lib/sysusers.d/p.conf", snippet)]);
    let definitions = Definitions::new(&[(&packed.package, &packed.facts)]);
    assert!(definitions.problems.is_empty());
    let ids = accounts::allocate(&[&definitions], &Ids::default()).unwrap();
    let passwd = b"root:x:0:0::/root:/bin/sh\n";
    let sources = Sources { passwd: Some(passwd), ..Sources::default() };
    let rendered = accounts::render(&definitions, &ids, &sources, 0);
    let passwd = String::from_utf8(rendered.passwd.unwrap()).unwrap();
    assert!(passwd.contains("\nhttpd:x:48:48:Web server:/var/www:/sbin/nologin\n"), "{passwd}");
    assert!(passwd.contains("\nexporter:x:999:999:Exporter:/:/usr/sbin/nologin\n"), "{passwd}");

    let mut tree = merged(&packed.package, &Owners::default()).tree;
    for program in ["/usr/bin/sh", "/usr/bin/systemd-sysusers"] {
        let program = TreePath::new(program).unwrap();
        tree.insert(program, Node::generated(*b"\x7fELF", 0o755, 0));
    }
    let body = "systemd-sysusers --replace=/usr/lib/sysusers.d/p.conf - <<SYSTEMD_INLINE_EOF \
                &>/dev/null || exit 1\nu httpd 48\nSYSTEMD_INLINE_EOF\n";
    let effects = run(&tree, "/bin/sh", body).unwrap();
    assert_eq!(effects.outcome(ScriptletKind::Pre), scriptlets::Outcome::Done);
    assert!(effects.is_empty());
    // lines that no package brings would be lost
    let error = run(&tree, "/bin/sh", &body.replace("/p.conf", "/q.conf")).unwrap_err();
    assert!(error.to_string().contains("systemd-sysusers"), "{error}");
}

/// moby PR#42352: what user namespaces write (version 3, with the id of a root user) is not
/// honoured elsewhere.
#[test]
fn version_3_file_capabilities_not_honoured() {
    let caps = r#", "files": {"/usr/bin/ping": {"caps": "cap_net_raw=ep"}}"#;
    let packed = packed(caps, &[("/usr/bin/ping", "ping")]);
    let merged = merged(&packed.package, &Owners::default());
    let Kind::File { capabilities, .. } = node(&merged.tree, "/usr/bin/ping").kind else {
        panic!("a file")
    };
    let attribute = capabilities.unwrap().to_xattr();
    assert_eq!(attribute.len(), 20, "version 3 has four bytes more");
    assert_eq!(attribute[..4], [1, 0, 0, 2], "VFS_CAP_REVISION_2, effective");
    assert_eq!(attribute[4..8], (1_u32 << 13).to_le_bytes());
}

/// docker-brew-fedora#114: newuidmap came without its capabilities.
#[test]
fn newuidmap_capabilities_lost() {
    let caps = r#", "files": {
        "/usr/bin/newuidmap": {"caps": "cap_setuid=ep"},
        "/usr/bin/newgidmap": {"caps": "cap_setgid=ep", "mode": "4755"},
        "/usr/bin/again": {"hard_link": "/usr/bin/newuidmap"}}"#;
    let files = [("/usr/bin/newuidmap", "u"), ("/usr/bin/newgidmap", "g"), ("/usr/bin/x", "x")];
    let packed = packed(caps, &files);
    let merged = merged(&packed.package, &Owners::default());
    let permitted = |path: &str| match node(&merged.tree, path).kind {
        Kind::File { capabilities, .. } => capabilities.map(|all| all.permitted),
        _ => panic!("{path} is a file"),
    };
    assert_eq!(permitted("/usr/bin/newuidmap"), Some(1 << 7));
    assert_eq!(permitted("/usr/bin/newgidmap"), Some(1 << 6));
    assert_eq!(permitted("/usr/bin/again"), Some(1 << 7));
    assert_eq!(permitted("/usr/bin/x"), None);
    let listed = packed.package.files.iter().filter(|file| file.capabilities.is_some()).count();
    let there = merged
        .tree
        .iter()
        .filter(|(_, node)| matches!(node.kind, Kind::File { capabilities: Some(_), .. }));
    assert_eq!(there.count(), listed);
}

/// rpm-ostree#749, fcos-tracker#1080: all of a package was refused for one scriptlet's language.
/// Each scriptlet is decided by its interpreter, and a refusal names it.
#[test]
fn scriptlets_in_other_languages_unsupported() {
    let mut tree = Tree::default();
    for program in ["/usr/bin/sh", "/usr/bin/python3", "/usr/bin/perl"] {
        let program = TreePath::new(program).unwrap();
        tree.insert(program, Node::generated(*b"\x7fELF", 0o755, 0));
    }
    let effects = run(&tree, "/bin/sh", "echo yes > /etc-made").unwrap();
    assert!(!effects.is_empty());
    for program in ["/usr/bin/python3", "/usr/bin/perl"] {
        let error = run(&tree, program, "print(1)").unwrap_err();
        assert_eq!(error, ScriptletError::Interpreter(program.to_owned()));
        assert!(error.to_string().contains(program));
    }
}

/// mkosi#993: the database lay where the host's rpm has it.
#[test]
fn the_hosts_place_and_format_of_the_rpmdb() {
    let place = |os_release: &str| {
        let distro = Distro::from_os_release(os_release).unwrap();
        let files: Vec<String> = distro.database().map(|path| path.to_string()).collect();
        files.join(" ")
    };
    let sysimage = "/usr/lib/sysimage/rpm";
    assert_eq!(place("ID=fedora\nVERSION_ID=42\n"), format!("{sysimage}/rpmdb.sqlite"));
    assert_eq!(place("ID=fedora\nVERSION_ID=35\n"), "/var/lib/rpm/rpmdb.sqlite");
    assert_eq!(place("ID=\"centos\"\nVERSION_ID=\"9\"\n"), "/var/lib/rpm/rpmdb.sqlite");
    assert_eq!(
        place("ID=opensuse-tumbleweed\nVERSION_ID=20260101\n"),
        format!("{sysimage}/Packages.db {sysimage}/Index.db")
    );
    let error = Distro::from_os_release("ID=centos\nVERSION_ID=8\n").unwrap_err();
    assert!(error.to_string().contains("`bdb`"), "{error}");
}

/// rpm-ostree PR#5244: the image had the write-ahead log of the database and its shared memory.
#[test]
fn sqlite_side_files_left_behind() {
    let packed = packed("", &[("/usr/bin/x", "x")]);
    let rpm = RpmFile::parse(&packed.bytes).unwrap();
    let one = DbPackage {
        signature: &rpm.signature,
        header: &rpm.header,
        states: vec![0; packed.package.files.len()],
        install_time: 1,
        install_tid: 1,
        install_color: 0,
    };
    let files = rpmdb::files(&[one], Backend::Sqlite).unwrap();
    assert_eq!((files.len(), Backend::Sqlite.files()), (1, &["rpmdb.sqlite"][..]));
    assert!(files[0].starts_with(b"SQLite format 3\0"));
    // 2 would make every reader look for a log beside the file, and a writer leave one
    assert_eq!(files[0][18..20], [1, 1], "versions for writing and reading: rollback journal");
}

/// rpm-rs#332: the members of a hard link set were files of their own.
#[test]
fn hard_links_as_independent_files() {
    let links = r#", "files": {"/usr/bin/b": {"hard_link": "/usr/bin/a"},
                                "/usr/lib/c": {"hard_link": "/usr/bin/a"}}"#;
    let packed = packed(links, &[("/usr/bin/a", "the content"), ("/usr/bin/z", "other")]);
    let merged = merged(&packed.package, &Owners::default());
    let set = |path: &str| match &node(&merged.tree, path).kind {
        Kind::File { links, content, size, .. } => (*links, content.clone(), *size),
        _ => panic!("{path} is a file"),
    };
    assert!(set("/usr/bin/a").0.is_some());
    assert_eq!(set("/usr/bin/a"), set("/usr/bin/b"));
    assert_eq!(set("/usr/bin/a"), set("/usr/lib/c"));
    assert_eq!(set("/usr/bin/z").0, None);
    let rpm = RpmFile::parse(&packed.bytes).unwrap();
    let mut delivered = Vec::new();
    payload::read(&rpm, &packed.package, &mut |_, _, content| {
        let mut text = String::new();
        content.read_to_string(&mut text)?;
        delivered.push(text);
        Ok(())
    })
    .unwrap();
    delivered.sort();
    assert_eq!(delivered, ["other", "the content"], "the bytes are there once");
}

/// rpmlint#1229: files were given to an owner that a later step made.
#[test]
fn file_owner_applied_before_sysusers_made_it() {
    let owned = r#", "files": {"/srv/a": {"user": "web", "group": "web", "mode": "4750"}}"#;
    let files = [("/srv/a", "a"), ("/usr/lib/sysusers.d/z.conf", "u web - \"Web\"\n")];
    let packed = packed(owned, &files);
    let definitions = Definitions::new(&[(&packed.package, &packed.facts)]);
    let ids = accounts::allocate(&[&definitions], &Ids::default()).unwrap();
    let known = accounts::owners(&definitions, &ids);
    let with = merged(&packed.package, &known);
    let file = node(&with.tree, "/srv/a");
    assert_eq!((file.uid, file.gid, file.mode), (999, 999, 0o4750));
    assert!(with.warnings.is_empty());
    // what becomes of it where nobody defines the owner
    let without = merged(&packed.package, &Owners::default());
    let file = node(&without.tree, "/srv/a");
    assert_eq!((file.uid, file.gid, file.mode), (0, 0, 0o750));
    assert_eq!(without.warnings.len(), 2);
}
