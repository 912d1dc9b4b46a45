//! Our package database against rpm's own.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "support/database.rs"]
mod database;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/disk.rs"]
mod disk;

use database::{compare, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds binary packages from a spec.
fn build(place: &Path, spec: &str) -> Vec<PathBuf> {
    let path = place.join("test.spec");
    fs::write(&path, spec).unwrap();
    let mut rpmbuild = Command::new("rpmbuild");
    rpmbuild.arg("-bb").arg("--define").arg(format!("_topdir {}", place.display()));
    rpmbuild.args(["--define", "_build_id_links none", "--nodeps"]).arg(&path);
    run(&mut rpmbuild);
    let mut found = Vec::new();
    for arch in fs::read_dir(place.join("RPMS")).unwrap() {
        let files = fs::read_dir(arch.unwrap().path()).unwrap();
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found.sort();
    found
}

const SPEC: &str = r#"
Name: everything
Version: 1.0
Release: 1
Epoch: 3
Summary: All that fills an index table
License: MIT
BuildArch: noarch
Group: Development/Tools
Prefix: /opt/everything
Provides: capability = 2, capability, config(x)
Requires: plain, versioned >= 2, plain
Requires(pre): only-before
Requires(post): only-after
Requires(preun): before-removal
Requires(pre,preun): both-ways
Requires(meta): meta-thing
Requires: (rich and (one or two >= 3))
Requires: (what if (cond and other) else instead)
Requires: (with-a with with-b)
Requires: (left without right)
Requires: ((p if q) and r)
Requires: (same and same and (same or same))
Conflicts: foe < 1, (foe-a unless foe-b), (a unless b else (c or d))
Obsoletes: ancient < 5
Recommends: nice, (nice-rich or nicer)
Suggests: maybe, (maybe if mood)
Supplements: (lang and tool)
Enhances: enhanced, (e1 and e2)

%description
Text.

%package second
Summary: Without files or group

%description second
More text.

%pre
:

%triggerin -- watched, watched-too > 1
:

%triggerun -- watched
:

%filetriggerin -- /usr/lib/a /usr/lib/b
:

%filetriggerun -p <lua> -P 2000000 -- /usr/lib/c
x = 1

%transfiletriggerin -- /usr/share/one
:

%transfiletriggerpostun -- /usr/share/two /usr/share/one
:

%install
mkdir -p %{buildroot}/opt/everything/sub %{buildroot}/etc %{buildroot}/usr/share/everything
echo 1 > %{buildroot}/opt/everything/same
echo 2 > %{buildroot}/opt/everything/sub/same
echo 3 > %{buildroot}/etc/everything.conf
ln -s same %{buildroot}/opt/everything/link
ln %{buildroot}/opt/everything/same %{buildroot}/opt/everything/hard

%files
%dir /opt/everything
/opt/everything/same
/opt/everything/hard
/opt/everything/link
/opt/everything/sub
%config(noreplace) /etc/everything.conf
%ghost /usr/share/everything/ghost
%dir /usr/share/everything

%files second
"#;

#[test]
fn every_table_is_filled_as_rpm_fills_it() {
    if !disk::have(&["rpm", "rpmbuild", "rpmdb"]) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let packages = build(place.path(), SPEC);
    assert_eq!(packages.len(), 2);
    let report = compare(&packages, false);
    assert_eq!(report.refused, [""; 0]);
    println!("{report:?}");
}

#[test]
fn packages_of_the_small_corpus() {
    let Some(corpus) = std::env::var_os("STRATA_CORPUS") else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "STRATA_CORPUS must name the directory that `cargo xtask corpus` made");
        return;
    };
    if !disk::have(&["rpm", "rpmdb"]) {
        return;
    }
    let packages = disk::packages_below(&Path::new(&corpus).join("small"));
    let report = compare(&packages, false);
    assert_eq!(report.refused, [""; 0]);
    println!("{report:?}");
}

/// Real packages of any origin: those below the directory that `STRATA_RPMS` names, each in a
/// database of its own, because together rpm would refuse them.
#[test]
#[ignore = "for use by hand"]
fn packages_below_a_named_directory() {
    let directory = std::env::var_os("STRATA_RPMS").unwrap();
    let packages = disk::packages_below(Path::new(&directory));
    println!("{:#?}", compare(&packages, true));
}
