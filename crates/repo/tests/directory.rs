//! Directories of packages, and `createrepo_c` as the judge of both readers.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use std::{fs, path::Path, process::Command, thread, time::Duration};
use strata_repo::{ErrorKind, PackageRequest};
use strata_rpm::{
    Dependency, PackageRecord,
    pack::{self, PackFile, PackFileKind, PackManifest},
};
use support::{definition, run};

fn package(manifest: &serde_json::Value, paths: &[&str]) -> Vec<u8> {
    let manifest = PackManifest::from_json(&manifest.to_string()).unwrap();
    let files = paths
        .iter()
        .map(|path| PackFile {
            path: path.as_bytes().to_vec(),
            kind: PackFileKind::Regular { content: path.as_bytes().to_vec(), executable: true },
        })
        .collect();
    pack::build(&manifest, files).unwrap()
}

/// Three packages with every kind of dependency, one of them in a subdirectory.
fn write_packages(directory: &Path) {
    let all = [
        (
            "one-1.0-1.x86_64.rpm",
            serde_json::json!({
                "name": "one", "version": "1.0", "epoch": 2, "arch": "x86_64", "license": "MIT",
                "vendor": "Somebody & Sons", "build_time": 1_700_000_000,
                "requires": ["two >= 3", "(three if two)", "/bin/sh"],
                "provides": ["libone.so.1()(64bit)", "virtual = 2:5"],
                "conflicts": ["old < 1"], "obsoletes": ["older <= 0.9"],
                "recommends": ["three"], "suggests": ["four"],
                "supplements": ["(two and three)"], "enhances": ["five"],
            }),
            vec!["/usr/bin/one", "/usr/share/one/a & b", "/etc/one.conf"],
        ),
        (
            "sub/two-3.1-2.noarch.rpm",
            serde_json::json!({
                "name": "two", "version": "3.1", "release": "2", "arch": "noarch",
                "license": "MIT", "build_time": 1_700_000_001,
            }),
            vec!["/usr/sbin/two"],
        ),
        (
            "three-0-1.x86_64.rpm",
            serde_json::json!({
                "name": "three", "version": "0", "arch": "x86_64", "license": "MIT",
                "build_time": 1_700_000_002,
            }),
            vec![],
        ),
    ];
    fs::create_dir_all(directory.join("sub")).unwrap();
    for (path, manifest, files) in all {
        fs::write(directory.join(path), package(&manifest, &files)).unwrap();
    }
    fs::write(directory.join("README"), "not a package").unwrap();
}

#[test]
fn reads_headers_once_and_notices_changes() {
    let place = tempfile::tempdir().unwrap();
    write_packages(place.path());
    thread::sleep(Duration::from_millis(50));
    let cache = tempfile::tempdir().unwrap();
    let base = place.path().to_str().unwrap();
    let mut digests = Vec::new();
    for round in 0..2 {
        let (repositories, recorder) = run(cache.path());
        let snapshot = repositories.open(&definition(&[base])).unwrap();
        let names: Vec<_> = snapshot.packages.iter().map(|p| p.nevra.to_string()).collect();
        assert_eq!(names, ["one-2:1.0-1.x86_64", "two-3.1-2.noarch", "three-0-1.x86_64"]);
        assert_eq!(recorder.count("cached: true"), round);
        digests.push(snapshot.repomd.clone());
        let log = fs::read_to_string(cache.path().join("repos/verified-1")).unwrap();
        assert_eq!(log.lines().count(), 3);
        // hashed when the directory was read, not again when it is used
        let requests: Vec<_> =
            snapshot.packages.iter().map(|p| PackageRequest::new(&snapshot, p)).collect();
        let files = repositories.package_store().fetch_all(&requests).unwrap();
        assert_eq!(files[1], place.path().join("sub/two-3.1-2.noarch.rpm"));
        assert_eq!(fs::read_to_string(cache.path().join("repos/verified-1")).unwrap(), log);
    }
    fs::remove_file(place.path().join("three-0-1.x86_64.rpm")).unwrap();
    let snapshot = run(cache.path()).0.open(&definition(&[base])).unwrap();
    assert_eq!(snapshot.packages.len(), 2);
    digests.push(snapshot.repomd);
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[1], digests[2]);
}

#[test]
fn the_digest_does_not_depend_on_the_place() {
    let mut digests = Vec::new();
    for _ in 0..2 {
        let place = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        write_packages(place.path());
        let base = place.path().to_str().unwrap();
        digests.push(run(cache.path()).0.open(&definition(&[base])).unwrap().repomd);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_file_that_is_no_package_is_named() {
    let place = tempfile::tempdir().unwrap();
    write_packages(place.path());
    let whole = fs::read(place.path().join("one-1.0-1.x86_64.rpm")).unwrap();
    let vendor = whole.windows(8).position(|window| window == b"Somebody").unwrap();
    let mut flipped = whole.clone();
    flipped[vendor] ^= 1;
    let cache = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"text", &whole[..50], &whole[..300], &whole[..1500], &flipped] {
        fs::write(place.path().join("bad.rpm"), bytes).unwrap();
        let base = place.path().to_str().unwrap();
        let error = run(cache.path()).0.open(&definition(&[base])).unwrap_err();
        assert!(error.to_string().contains("bad.rpm"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Inputs);
        assert!(error.hint().is_some());
    }
}

/// What both readers must agree on; metadata has only some of the files, and no `rpmlib(…)`.
fn comparable(packages: &[PackageRecord]) -> Vec<PackageRecord> {
    let mut packages = packages.to_vec();
    for package in &mut packages {
        package.files.retain(|path| path.starts_with("/etc/") || path.contains("bin/"));
        package.requires.retain(|requirement| match &requirement.dependency {
            Dependency::Simple(capability) => !capability.name.starts_with("rpmlib("),
            Dependency::Rich(_) => true,
        });
        package.requires.sort_by(|a, b| a.dependency.cmp(&b.dependency));
    }
    packages.sort_by(|a, b| a.nevra.cmp(&b.nevra));
    packages
}

#[test]
fn headers_and_createrepo_agree() {
    let place = tempfile::tempdir().unwrap();
    write_packages(place.path());
    let cache = tempfile::tempdir().unwrap();
    let base = place.path().to_str().unwrap();
    let plain = run(cache.path()).0.open(&definition(&[base])).unwrap();
    for compression in ["gz", "xz", "zstd", "bz2"] {
        let status = Command::new("createrepo_c")
            .args(["--quiet", "--general-compress-type", compression, base])
            .status();
        match status {
            Err(_) => {
                eprintln!("skipped: createrepo_c is not installed");
                return;
            }
            // some builds know fewer compressions
            Ok(status) if !status.success() => {
                eprintln!("skipped: createrepo_c refuses {compression}");
                continue;
            }
            Ok(_) => {}
        }
        let mut repo = run(cache.path()).0.open(&definition(&[base])).unwrap();
        assert_ne!(plain.repomd, repo.repomd);
        assert_eq!(comparable(&plain.packages), comparable(&repo.packages), "{compression}");
        let wanted = ["/usr/share/one/a & b".to_owned()].into();
        repo.add_file_paths(&wanted).unwrap();
        let found: Vec<_> =
            repo.packages.iter().filter(|p| p.files.iter().any(|f| wanted.contains(f))).collect();
        assert_eq!(found.len(), 1, "{compression}");
        assert_eq!(found[0].nevra.name, "one");
    }
}
