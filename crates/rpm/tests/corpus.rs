//! Every package of the corpus, compared with what rpm says of it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests panic, use files, and say why they do nothing"
)]

mod common;

use common::{assemble, contents, have, stdout, text};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use strata_rpm::{
    ChecksumAlgorithm, Package, PackageError, PayloadError, RpmFile, Tag, header::Data,
};

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
    // rpm prints an epoch of 0 where it is stated
    let (nevra, evr) = (&package.nevra, &package.nevra.evr);
    let name = format!("{} {}:{}-{}", nevra.name, evr.epoch, evr.version, evr.release);
    let mut out = format!("{name} {} {}\n", nevra.arch, package.build_time);
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

const QUERY: &str = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH} %{BUILDTIME}\n[%{FILENAMES} %{FILEMODES:octal} %{LONGFILESIZES} \
    %{FILEMTIMES} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEFLAGS} %{FILEDIGESTS} %{FILELINKTOS}\n]";

/// The packages below a directory of the corpus; none where there is no corpus or no rpm.
fn found(set: &str) -> Option<Vec<PathBuf>> {
    let Some(corpus) = std::env::var_os("STRATA_CORPUS") else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "`STRATA_CORPUS` is not set: make it with `cargo xtask corpus`");
        println!("skipped: `STRATA_CORPUS` is not set");
        return None;
    };
    if !have("rpm") {
        return None;
    }
    let mut found = Vec::new();
    packages(&Path::new(&corpus).join(set), &mut found);
    assert!(!found.is_empty(), "`STRATA_CORPUS` has no packages in `{set}`");
    Some(found)
}

/// Files and dependencies are those that rpm prints.
fn compare(path: &Path, package: &Package) {
    let file = text(path);
    let query = |arguments: &[&str]| {
        stdout("rpm", &[&["-qp", "--nosignature", "--nodigest"], arguments, &[file]].concat())
    };
    assert_eq!(listing(package), query(&["--qf", QUERY]), "{path:?}");
    let sorted = |mut lines: Vec<String>| {
        lines.sort();
        lines
    };
    let ours =
        |all: &[strata_rpm::Dependency]| sorted(all.iter().map(ToString::to_string).collect());
    // as with the package's own epoch
    let line = |line: &str| line.trim().replace(" 0:", " ");
    let theirs = |option: &str| sorted(query(&[option]).lines().map(line).collect());
    let requires: Vec<_> = package.requires.iter().map(|r| r.dependency.clone()).collect();
    assert_eq!(ours(&requires), theirs("--requires"), "{path:?}");
    assert_eq!(ours(&package.provides), theirs("--provides"), "{path:?}");
    assert_eq!(ours(&package.conflicts), theirs("--conflicts"), "{path:?}");
}

#[test]
fn rpm_says_the_same_of_every_package() {
    for path in found("small").into_iter().flatten() {
        let bytes = fs::read(&path).unwrap();
        let rpm = RpmFile::parse(&bytes).unwrap();
        let verified = rpm.verify().unwrap();
        assert!(verified.header.is_some() && verified.payload.is_some(), "{path:?}");
        let (package, _) = contents(&bytes).unwrap();
        compare(&path, &package);
    }
}

/// Of each kind that real packages come in there is one at least, and rpm says the same of all.
#[test]
fn rpm_says_the_same_of_packages_of_many_distributions() {
    let Some(found) = found("rpms") else { return };
    let mut kinds = BTreeSet::new();
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let rpm = RpmFile::parse(&bytes).unwrap();
        if rpm.is_source() {
            assert!(matches!(rpm.package(), Err(PackageError::Source { .. })), "{path:?}");
            continue;
        }
        let package = rpm.package().unwrap();
        compare(&path, &package);
        kinds.insert(match rpm.payload {
            [0xfd, b'7', ..] => "xz",
            [0x1f, 0x8b, ..] => "gzip",
            [0x28, 0xb5, ..] => "zstd",
            [0x5d, 0, 0, ..] => "lzma",
            [b'0', b'7', ..] => "none",
            [] => "cut short",
            other => panic!("{path:?}: {:?}", &other[..8.min(other.len())]),
        });
        kinds.insert(if rpm.header.has(Tag::RPMFORMAT) { "v6" } else { "v4" });
        let digest = package.files.iter().any(|file| file.digest.len() > 32);
        kinds.insert(if digest { "long digests" } else { package.digest_algorithm.name() });
        if rpm.verify().is_ok_and(|verified| verified.payload == Some(ChecksumAlgorithm::Md5)) {
            kinds.insert("only MD5 over the payload");
        }
    }
    println!("{kinds:?}");
    for kind in ["xz", "gzip", "zstd", "lzma", "none", "v4", "v6", "md5", "sha256"] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
}

/// rpm 6 digests the payload three times, compressed and not; none may differ.
#[test]
fn every_digest_of_rpm_6_is_compared() {
    let Some(found) = found("rpms") else { return };
    let path = found.into_iter().find(|path| path.ends_with("rpm-hardlinks-1.0-1.noarch.rpm"));
    let bytes = fs::read(path.unwrap()).unwrap();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let verified = rpm.verify().unwrap();
    let sha3 = Some(ChecksumAlgorithm::Sha3_256);
    assert_eq!((verified.header, verified.payload), (sha3, sha3));

    const WHOLE: [Tag; 3] = [Tag::PAYLOADDIGEST, Tag::PAYLOADSHA512, Tag::PAYLOADSHA3_256];
    const ARCHIVE: [Tag; 3] =
        [Tag::PAYLOADDIGESTALT, Tag::PAYLOADSHA512ALT, Tag::PAYLOADSHA3_256ALT];
    let flipped = |tag: Tag| {
        let mut digest = rpm.header.string(tag).unwrap().to_vec();
        digest[0] = if digest[0] == b'0' { b'1' } else { b'0' };
        Data::StringArray(vec![digest])
    };
    for tag in WHOLE {
        let mut header = rpm.header.to_builder();
        header.set(tag, flipped(tag));
        let error = contents(&assemble(&header, rpm.payload)).unwrap_err();
        assert!(matches!(error, PayloadError::Verify(_)), "{tag}: {error}");
    }
    for tag in ARCHIVE {
        let mut header = rpm.header.to_builder();
        for other in WHOLE.iter().chain(&ARCHIVE).filter(|other| **other != tag) {
            header.remove(*other);
        }
        contents(&assemble(&header, rpm.payload)).unwrap();
        header.set(tag, flipped(tag));
        let error = contents(&assemble(&header, rpm.payload)).unwrap_err();
        assert!(matches!(error, PayloadError::ArchiveDigest { .. }), "{tag}: {error}");
    }
    for tag in [Tag::SHA256HEADER, Tag::SHA3_256HEADER] {
        let digest = rpm.signature.string(tag).unwrap();
        let at = bytes.windows(digest.len()).position(|window| window == digest).unwrap();
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let error = RpmFile::parse(&bytes).unwrap().verify().unwrap_err();
        assert!(error.to_string().contains("the header does not match"), "{tag}: {error}");
    }
}

/// rpm leaves IMA signatures of files to a plugin; we say that they are there.
#[test]
fn ima_signatures_are_counted() {
    let Some(found) = found("rpms") else { return };
    let mut signed = Vec::new();
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let count = RpmFile::parse(&bytes).unwrap().ima_signatures();
        if count > 0 {
            let query = ["-qp", "--nosignature", "--qf", "[%{FILESIGNATURES}\n]", text(&path)];
            let theirs = stdout("rpm", &query);
            assert_eq!(count, theirs.lines().filter(|line| !line.is_empty()).count(), "{path:?}");
            signed.push(path);
        }
    }
    assert_eq!(signed.len(), 3, "{signed:?}");
}
