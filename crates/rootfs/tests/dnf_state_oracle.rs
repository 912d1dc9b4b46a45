//! What dnf makes of our history, and of its own.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/database.rs"]
mod database;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/disk.rs"]
mod disk;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/rpm.rs"]
mod rpm;

use database::run;
use rusqlite::{Connection, types::Value};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::{
    dnf_state::{Dnf, DnfPackage, DnfTask, Reason},
    rpmdb::{DbPackage, write},
};
use strata_rpm::{Package, RpmFile};

/// A package, and what it asks for.
const PACKAGES: [(&str, &str); 9] = [
    ("app", "Requires: lib\nRecommends: extra\n"),
    ("lib", "Requires: base\n"),
    ("extra", "Requires: extra-data\n"),
    ("extra-data", ""),
    ("base", ""),
    ("tool", "Requires: tool-data\nRequires: lib\nRequires: virtual\n"),
    ("tool-data", ""),
    ("provider", "Provides: virtual\n"),
    ("plugin", "Supplements: tool\n"),
];

/// dnf in an installation root, offline, with one repository.
struct Root<'a> {
    place: &'a Path,
    name: &'a str,
}

impl Root<'_> {
    fn path(&self) -> PathBuf {
        self.place.join(self.name)
    }

    fn dnf(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("dnf");
        command.arg("-c").arg(self.place.join("dnf.conf"));
        command.arg("--installroot").arg(self.path());
        command.arg(format!("--setopt=cachedir={}", self.place.join("cache").display()));
        command.args(["--setopt=reposdir=/nonexistent", "--releasever=1", "--noplugins"]);
        let output = command.args(arguments).env("LC_ALL", "C").env("COLUMNS", "120").output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr);
        let fine = output.status.success() || error.contains("Operation aborted");
        assert!(fine, "{arguments:?}: {text}{error}");
        // when the metadata were read
        text.lines().filter(|line| !line.starts_with("Last metadata")).fold(
            String::new(),
            |mut all, line| {
                let _ = writeln!(all, "{line}");
                all
            },
        )
    }

    fn history(&self) -> PathBuf {
        self.path().join("var/lib/dnf/history.sqlite")
    }
}

/// Every row of every table.
fn tables(history: &Path) -> BTreeMap<String, Vec<Vec<Value>>> {
    let database = Connection::open(history).unwrap();
    let names = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut names = database.prepare(names).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names: Vec<String> = names.map(|name| name.unwrap()).collect();
    let rows = |name: &String| {
        let mut query = database.prepare(&format!("SELECT * FROM {name} ORDER BY 1")).unwrap();
        let columns = query.column_count();
        let rows = query.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
        rows.unwrap().map(|row| row.unwrap()).collect()
    };
    names.iter().map(|name| (name.clone(), rows(name))).collect()
}

/// Every column of every table with its type, and every index.
fn schema(history: &Path) -> Vec<Vec<Value>> {
    let database = Connection::open(history).unwrap();
    let sql = "SELECT t.type, t.name, t.tbl_name, c.name, c.type, c.\"notnull\", c.dflt_value, \
               c.pk FROM sqlite_master t LEFT JOIN pragma_table_info(t.name) c \
               ORDER BY t.name, c.cid";
    let mut query = database.prepare(sql).unwrap();
    let rows = query.query_map([], |row| (0..8).map(|at| row.get(at)).collect());
    rows.unwrap().map(|row| row.unwrap()).collect()
}

fn repository(place: &Path) {
    let mut spec = String::from(
        "Name: none\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n\
         %description\nx\n",
    );
    for (name, tags) in PACKAGES {
        let _ = write!(
            spec,
            "%package -n {name}\nSummary: x\n{tags}%description -n {name}\nx\n%files -n {name}\n"
        );
    }
    let file = place.join("test.spec");
    fs::write(&file, spec).unwrap();
    let mut rpmbuild = Command::new("rpmbuild");
    rpmbuild.args(["-bb", "--quiet", "--define", "_rpmfilename %%{NAME}.rpm", "--define"]);
    run(rpmbuild.arg(format!("_topdir {}", place.display())).arg(&file));
    run(Command::new("createrepo_c").arg("--quiet").arg(place.join("RPMS")));
    let text = format!(
        "[main]\ngpgcheck=0\ninstall_weak_deps=True\nplugins=0\n\
         [one]\nname=one\nbaseurl=file://{}\n",
        place.join("RPMS").display()
    );
    fs::write(place.join("dnf.conf"), text).unwrap();
}

#[test]
fn dnf_goes_on_as_after_its_own_installation() {
    if !rpm::available() || !disk::have(&["dnf", "createrepo_c"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    repository(place);
    let theirs = Root { place, name: "theirs" };
    theirs.dnf(&["-y", "install", "app", "tool", "tool-data"]);
    run(Command::new("cp").arg("-a").arg(theirs.path()).arg(place.join("ours")));
    let ours = Root { place, name: "ours" };

    // the same installation, written by us: database and history
    let (dbpath, _) = find(&theirs.path(), "rpmdb.sqlite");
    let rows = database::rows(&theirs.path().join(&dbpath));
    let rpms = disk::packages_below(&place.join("RPMS"));
    let bytes: Vec<Vec<u8>> = rpms.iter().map(|path| fs::read(path).unwrap()).collect();
    let files: Vec<RpmFile<'_>> = bytes.iter().map(|b| RpmFile::parse(b).unwrap()).collect();
    let packages = database::packages_of(&rows, &files);
    fs::write(ours.path().join(&dbpath), write(&packages).unwrap()).unwrap();
    let nevra = |package: &DbPackage<'_>| Package::from_header(package.header).unwrap().nevra;
    let nevras: Vec<_> = packages.iter().map(nevra).collect();
    let reason = |name: &str| match name {
        "app" | "tool" | "tool-data" => Reason::User,
        "extra" | "plugin" => Reason::Weak,
        _ => Reason::Dependency,
    };
    let packages: Vec<DnfPackage<'_>> = nevras
        .iter()
        .map(|nevra| DnfPackage { nevra, reason: reason(&nevra.name), repo: "one" })
        .collect();
    let task = DnfTask { packages: &packages, time: 1_700_000_000, releasever: "1" };
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", ours.history().display()));
    }
    let state = Dnf::Four.state(&task).unwrap();
    fs::write(ours.path().join(state[0].path), &state[0].bytes).unwrap();

    // the same tables; time, user and command line are our own
    assert_eq!(schema(&ours.history()), schema(&theirs.history()));
    let (mut a, mut b) = (tables(&ours.history()), tables(&theirs.history()));
    for tables in [&mut a, &mut b] {
        let row = &mut tables.get_mut("trans").unwrap()[0];
        for column in [1, 2, 6, 7] {
            row[column] = Value::Null;
        }
    }
    for (name, rows) in &a {
        assert_eq!(rows, &b[name], "{name}");
    }
    assert_eq!(a.len(), b.len());

    let both = |arguments: &[&str]| {
        let answer = ours.dnf(arguments);
        assert_eq!(answer, theirs.dnf(arguments), "dnf {arguments:?}");
        answer
    };
    assert_eq!(both(&["history", "userinstalled"]).lines().count(), 4);
    both(&["repoquery", "--userinstalled"]);
    both(&["repoquery", "--unneeded"]);
    both(&["list", "--installed"]);
    both(&["--assumeno", "autoremove"]);
    for (name, _) in PACKAGES {
        let answer = both(&["--assumeno", "remove", name]);
        assert!(answer.contains("Removing:"), "{answer}");
    }
    // what nobody asked for goes too
    let answer = both(&["-y", "remove", "tool"]);
    assert!(answer.contains("provider") && answer.contains("plugin"), "{answer}");
    assert!(!answer.contains("tool-data") && !answer.contains("lib"), "{answer}");
    both(&["-y", "mark", "remove", "tool-data"]);
    let answer = both(&["-y", "autoremove"]);
    assert!(answer.contains("tool-data"), "{answer}");
    both(&["-y", "install", "tool"]);
    both(&["list", "--installed"]);
    both(&["history", "userinstalled"]);
}

/// A file below a root, from the root.
fn find(root: &Path, name: &str) -> (PathBuf, PathBuf) {
    let mut todo = vec![root.to_path_buf()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.file_name().is_some_and(|file| file == name) {
                return (path.strip_prefix(root).unwrap().to_path_buf(), path);
            }
        }
    }
    panic!("no `{name}` below {}", root.display());
}
