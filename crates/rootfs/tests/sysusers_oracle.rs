//! Our account files against those of `systemd-sysusers`, byte for byte.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::{collections::BTreeMap, fs, path::Path, process::Command};
use strata_rootfs::{
    accounts::{Definitions, Ids, Sources, allocate, render},
    facts::PackageFacts,
};
use strata_rpm::{FileEntry, Nevra, Package};

const EPOCH: u64 = 1_700_000_000;

fn available() -> bool {
    let fine = Command::new("systemd-sysusers").arg("--version").output().is_ok();
    if !fine {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "`systemd-sysusers` is needed");
        eprintln!("skipped: needs `systemd-sysusers`");
    }
    fine
}

/// One package with these files.
fn package(files: &BTreeMap<String, Vec<u8>>) -> (Package, PackageFacts) {
    let nevra: Nevra = "p-1-1.noarch".parse().unwrap();
    let entry = |path: &String| FileEntry {
        path: path.clone().into_bytes(),
        mode: 0o100_644,
        size: 1,
        mtime: 0,
        user: "root".to_owned(),
        group: "root".to_owned(),
        flags: 0,
        digest: Vec::new(),
        link_target: Vec::new(),
        rdev: 0,
        inode: 0,
        device: 0,
        lang: String::new(),
        color: 0,
        capabilities: None,
    };
    let package = Package { files: files.keys().map(entry).collect(), ..Package::new(nevra) };
    let mut facts = PackageFacts::default();
    for (index, text) in (0u32..).zip(files.values()) {
        facts.absorb(&package, index, text);
    }
    (package, facts)
}

fn compare(files: &[(&str, &str)]) {
    if !available() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let mut files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    for name in ["passwd", "group", "shadow", "gshadow"] {
        files.entry(format!("/etc/{name}")).or_default();
    }
    for (path, text) in &files {
        let at = root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }
    let output = Command::new("systemd-sysusers")
        .arg(format!("--root={}", root.path().display()))
        .env("SOURCE_DATE_EPOCH", EPOCH.to_string())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");

    let (package, facts) = package(&files);
    let definitions = Definitions::new(&[(&package, &facts)]);
    let ids = allocate(&[&definitions], &Ids::default()).unwrap();
    let old = |name: &str| files.get(&format!("/etc/{name}")).map(Vec::as_slice);
    let sources = Sources {
        passwd: old("passwd"),
        group: old("group"),
        shadow: old("shadow"),
        gshadow: old("gshadow"),
    };
    let rendered = render(&definitions, &ids, &sources, EPOCH);
    for (name, new) in [
        ("passwd", rendered.passwd),
        ("group", rendered.group),
        ("shadow", rendered.shadow),
        ("gshadow", rendered.gshadow),
    ] {
        let ours = new.unwrap_or_else(|| old(name).unwrap_or_default().to_vec());
        let theirs = fs::read(root.path().join("etc").join(name)).unwrap();
        let (ours, theirs) = (String::from_utf8(ours), String::from_utf8(theirs));
        assert_eq!(ours.unwrap(), theirs.unwrap(), "{name}: {stderr}");
    }
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\n\
    ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nbin:x:1:\nftp:x:50:\naudio:x:63:zz,ftp\nmail:x:12:\n";

#[test]
fn fixed_numbers() {
    let text = "# comment\n\nu dbus 81 \"System Message Bus\" / -\nu sshd 74:74\ng sshd 74\n\
        u rpc 32 - /var/lib/rpcbind/ /bin/false\ng tty 5\nu games 12:bin \"Games\"\nu bin 1\n\
        u root 0\ng audio 63\nu nopath 77 '' \"\" -\n";
    let other = "u dbus 99 again\ng late 70\nu user70 71\n";
    compare(&[
        ("/etc/passwd", PASSWD),
        ("/etc/group", GROUP),
        ("/etc/shadow", "root:*:1::::::\nbin:*:1::::::\n"),
        ("/etc/gshadow", "root:*::\n"),
        ("/usr/lib/sysusers.d/basic.conf", text),
        ("/usr/lib/sysusers.d/zz.conf", other),
    ]);
}

#[test]
fn from_nothing() {
    let text = "g root 0\nu root 0:0 \"Super User\" /root\nu nobody 65534 \"Nobody\"\n\
        g adm 4\ng wheel 10\nm root wheel\n";
    compare(&[("/usr/lib/sysusers.d/basic.conf", text)]);
}

#[test]
fn chosen_numbers_when_names_are_in_order() {
    let text = "u aa -\nu bb - \"B\"\nu dd -\nu ee 50\nu mail -\n";
    compare(&[
        ("/etc/passwd", PASSWD),
        ("/etc/group", GROUP),
        ("/usr/lib/sysusers.d/a.conf", text),
    ]);
}

#[test]
fn members() {
    let text = "u aa 21\nu bb 22\nm bb audio\nm aa audio\nm aa new\ng new 70\nm ftp mail\n";
    compare(&[
        ("/etc/passwd", PASSWD),
        ("/etc/group", GROUP),
        ("/etc/gshadow", "audio:!*::zz,ftp\nmail:!::\n"),
        ("/usr/lib/sysusers.d/a.conf", text),
    ]);
}

#[test]
fn masks() {
    compare(&[
        ("/etc/passwd", PASSWD),
        ("/etc/group", GROUP),
        ("/usr/lib/sysusers.d/a.conf", "u aa 21\n"),
        ("/etc/sysusers.d/a.conf", "u bb 22\n"),
        ("/usr/lib/sysusers.d/b.conf", "u cc 23\n"),
        ("/etc/sysusers.d/b.conf", ""),
    ]);
}

/// The snippets that the machine's own systemd brings.
#[test]
fn the_machines_snippets() {
    let mut files = Vec::new();
    for entry in fs::read_dir("/usr/lib/sysusers.d").into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "conf") {
            files.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    if files.is_empty() || !Path::new("/usr/bin/systemd-sysusers").exists() {
        return;
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    compare_names(&files);
}

/// Names and order only: chosen numbers differ by design.
fn compare_names(files: &[(&str, &str)]) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    for (path, text) in files {
        let at = root.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }
    let run = Command::new("systemd-sysusers")
        .arg(format!("--root={}", root.path().display()))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let (package, facts) = package(&files);
    let definitions = Definitions::new(&[(&package, &facts)]);
    let ids = allocate(&[&definitions], &Ids::default()).unwrap();
    let rendered = render(&definitions, &ids, &Sources::default(), EPOCH);
    let names = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.split(':').next()).map(str::to_owned).collect()
    };
    for (name, new) in [("passwd", rendered.passwd), ("group", rendered.group)] {
        let ours = String::from_utf8(new.unwrap_or_default()).unwrap();
        let theirs = fs::read_to_string(root.path().join("etc").join(name)).unwrap();
        assert_eq!(names(&ours), names(&theirs), "{name}");
    }
}
