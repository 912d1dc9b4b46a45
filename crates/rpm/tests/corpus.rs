//! Every package of the corpus, compared with what rpm says of it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests panic, use files, and say why they do nothing"
)]

mod common;

use common::{contents, have, stdout, text};
use std::{
    fs,
    path::{Path, PathBuf},
};
use strata_rpm::{Package, RpmFile};

fn packages(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            packages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            found.push(path);
        }
    }
}

/// What [`QUERY`] prints, from our side.
fn listing(package: &Package) -> String {
    let mut out = format!("{} {}\n", package.nevra, package.build_time);
    for file in &package.files {
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        out += &format!(
            "{} {:o} {} {} {} {} {} {} {}\n",
            name(&file.path),
            file.mode,
            file.size,
            file.mtime,
            file.user,
            file.group,
            file.flags,
            hex::encode(&file.digest),
            name(&file.link_target),
        );
    }
    out
}

const QUERY: &str = "%{NEVRA} %{BUILDTIME}\n[%{FILENAMES} %{FILEMODES:octal} %{LONGFILESIZES} \
    %{FILEMTIMES} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS} %{FILEDIGESTS} %{FILELINKTOS}\n]";

#[test]
fn rpm_says_the_same_of_every_package() {
    let Some(corpus) = std::env::var_os("STRATA_CORPUS") else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "`STRATA_CORPUS` is not set: make it with `cargo xtask corpus`");
        println!("skipped: `STRATA_CORPUS` is not set");
        return;
    };
    if !have("rpm") {
        return;
    }
    let mut found = Vec::new();
    packages(&Path::new(&corpus).join("small"), &mut found);
    assert!(!found.is_empty(), "`STRATA_CORPUS` has no packages in `small`");
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let rpm = RpmFile::parse(&bytes).unwrap();
        let verified = rpm.verify().unwrap();
        assert!(verified.header.is_some() && verified.payload.is_some(), "{path:?}");
        let (package, _) = contents(&bytes).unwrap();
        let file = text(&path);
        let query = |arguments: &[&str]| {
            stdout("rpm", &[&["-qp", "--nosignature"], arguments, &[file]].concat())
        };
        assert_eq!(listing(&package), query(&["--qf", QUERY]), "{path:?}");
        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        let ours =
            |all: &[strata_rpm::Dependency]| sorted(all.iter().map(ToString::to_string).collect());
        let theirs =
            |option: &str| sorted(query(&[option]).lines().map(|l| l.trim().to_owned()).collect());
        let requires: Vec<_> = package.requires.iter().map(|r| r.dependency.clone()).collect();
        assert_eq!(ours(&requires), theirs("--requires"), "{path:?}");
        assert_eq!(ours(&package.provides), theirs("--provides"), "{path:?}");
        assert_eq!(ours(&package.conflicts), theirs("--conflicts"), "{path:?}");
    }
}
