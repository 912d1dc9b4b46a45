//! Our package database against those of real installations: Fedora 31 and 26, CentOS 8 and 7.
//!
//! Of every row the package is cut out as it was before it was installed, and the database is
//! written anew from all of them.

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
#[path = "support/real.rs"]
mod real;

use database::{assert_same, rows, run, schema, tables};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::rpmdb::{DbPackage, header_blob, write};
use strata_rpm::{FileEntry, Package};

/// One of them.
fn compare(name: &str, from: &Path) {
    let place = tempfile::tempdir().unwrap();
    let theirs = place.path().join("theirs");
    let originals = real::reference(from, &theirs);
    assert!(originals.len() > 250, "{name}: only {} packages", originals.len());

    // every byte of every header
    let packages: Vec<DbPackage<'_>> = originals.iter().map(real::Original::package).collect();
    for (original, package) in originals.iter().zip(&packages) {
        let blob = header_blob(package).unwrap();
        assert!(blob == original.row.blob, "{name}: {}", package.header.display_name());
    }

    // every row of every table
    let database = write(&packages).unwrap();
    assert!(database == write(&packages).unwrap(), "not the same bytes twice");
    let ours = place.path().join("ours");
    fs::create_dir(&ours).unwrap();
    let (file, their_file) = (ours.join("rpmdb.sqlite"), theirs.join("rpmdb.sqlite"));
    fs::write(&file, &database).unwrap();
    assert_eq!(schema(&file), schema(&their_file));
    let written = tables(&file);
    assert_same(&written, &tables(&their_file));

    // rpm's own answers
    let rpm = |place: &Path, arguments: &[String]| {
        let mut rpm = Command::new("rpm");
        rpm.args(arguments).args(["--nosignature", "--nodigest", "--dbpath"]).arg(place);
        // a name of which there is nothing is no failure of the database
        let output = rpm.env("LC_ALL", "C").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let both = |arguments: &[String]| {
        let answer = rpm(&ours, arguments);
        assert!(answer == rpm(&theirs, arguments), "{name}: rpm {:?}", &arguments[..1]);
        answer
    };
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let verify = |place: &PathBuf| {
        run(Command::new("rpmdb").arg("--verifydb").arg("--dbpath").arg(place));
    };
    verify(&ours);
    assert_eq!(both(&words(&["-qa"])).lines().count(), packages.len());
    let changelogs = both(&words(&["-qa", "--changelog"])).lines().count();
    assert!(changelogs > 1000, "{name}: {changelogs}");
    let (mut files, mut capabilities) = (words(&["-qf"]), words(&["-q", "--whatprovides"]));
    for package in &packages {
        let package = Package::from_header(package.header).unwrap();
        // a directory belongs to hundreds
        let owned: Vec<_> = package.files.iter().filter(|file| !file.is_dir()).collect();
        let chosen = [owned.first(), owned.get(owned.len() / 2), owned.last()];
        let path = |file: &&FileEntry| String::from_utf8_lossy(&file.path).into_owned();
        files.extend(chosen.into_iter().flatten().map(path));
        capabilities.extend(package.provides.iter().take(3).map(ToString::to_string));
    }
    let owners = both(&files).lines().count();
    let providers = both(&capabilities).lines().count();
    assert!(owners > packages.len() && providers > packages.len(), "{name}: {owners} {providers}");

    // rebuilt, it is what it was
    run(Command::new("rpmdb").arg("--rebuilddb").arg("--dbpath").arg(&ours));
    verify(&ours);
    assert_same(&written, &tables(&file));
    let rebuilt = rows(&file);
    assert!(rebuilt.iter().zip(&originals).all(|(a, b)| a.blob == b.row.blob), "{name}");
    let rows: usize = written.values().map(BTreeSet::len).sum();
    println!(
        "{name}: {} packages, {rows} rows, {owners} owners, {providers} providers, \
         {changelogs} lines of changelogs",
        packages.len()
    );
}

#[track_caller]
fn compare_named(names: &[&str]) {
    if disk::have(&["rpm", "rpmdb"]) {
        let databases = real::databases();
        for (name, path) in databases.iter().filter(|(name, _)| names.contains(&name.as_str())) {
            compare(name, path);
        }
    }
}

#[test]
fn fedora_31_and_centos_8() {
    compare_named(&["fedora31", "centos8"]);
}

#[test]
#[ignore = "takes minutes"]
fn the_others() {
    compare_named(&["fedora26", "centos7", "centos8-small"]);
}
