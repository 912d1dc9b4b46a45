//! Our database in SUSE's format against rpm's own.

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

use database::run;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::rpmdb::{DbPackage, write_ndb};
use strata_rpm::{Package, RpmFile};

/// Where an rpm is that knows the format, which Debian's does not: the directory that
/// `STRATA_NDB_RPM` names, or else the usual places.
#[allow(clippy::print_stderr, reason = "a note for who runs the tests")]
fn programs() -> Option<PathBuf> {
    let place = std::env::var_os("STRATA_NDB_RPM").map(PathBuf::from).unwrap_or_default();
    let found = Command::new(place.join("rpm")).arg("--showrc").output();
    let knows = found.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("available backends"));
        line.is_some_and(|line| line.split_ascii_whitespace().any(|word| word == "ndb"))
    });
    if !knows {
        eprintln!("skipped: no rpm with the backend `ndb`; name its directory in STRATA_NDB_RPM");
    }
    knows.then_some(place)
}

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// The headers in `Packages.db` by number.
fn blobs(file: &[u8]) -> BTreeMap<usize, Vec<u8>> {
    assert_eq!(&file[..8], b"RpmP\0\0\0\0");
    let slots = word(file, 12) * 4096;
    let mut found = BTreeMap::new();
    for slot in (32..slots).step_by(16) {
        assert_eq!(&file[slot..slot + 4], b"Slot");
        let (number, first, blocks) =
            (word(file, slot + 4), word(file, slot + 8), word(file, slot + 12));
        if first == 0 {
            continue;
        }
        let blob = &file[first * 16..(first + blocks) * 16];
        assert_eq!((&blob[..4], word(blob, 4)), (b"BlbS".as_slice(), number));
        found.insert(number, blob[16..16 + word(blob, 12)].to_vec());
    }
    found
}

type Rows = BTreeMap<usize, BTreeSet<(Vec<u8>, usize, usize)>>;

/// The rows of every index in `Index.db` by tag; packages by their place among `numbers`.
fn rows(file: &[u8], numbers: &[usize]) -> Rows {
    assert_eq!(&file[..8], b"RpmX\0\0\0\0");
    let (slots, page) = (word(file, 12), word(file, 16));
    let mut found = Rows::new();
    for slot in (32..slots * page).step_by(16) {
        assert_eq!(&file[slot..slot + 3], b"Slo");
        let (tag, first, pages) =
            (word(file, slot + 4), word(file, slot + 8), word(file, slot + 12));
        if pages != 0 {
            let index = &file[first * page..(first + pages) * page];
            assert!(found.insert(tag, index_rows(index, numbers)).is_none());
        }
    }
    found
}

fn index_rows(index: &[u8], numbers: &[usize]) -> BTreeSet<(Vec<u8>, usize, usize)> {
    assert_eq!(&index[..8], b"RpmI\0\0\0\0");
    let (slots, mask) = (word(index, 12), word(index, 24));
    let keys = &index[64 + slots * 12..];
    let mut found = BTreeSet::new();
    for slot in 0..slots {
        let first = word(index, 64 + slot * 8);
        if first == 0 || first == 0xffff_ffff {
            continue;
        }
        let key = &keys[first & !mask..];
        let key = match key[..3] {
            [255, 255, 255] => &key[7..7 + word(key, 3)],
            [255, low, high] => &key[3..3 + usize::from(u16::from_le_bytes([low, high]))],
            [length, ..] => &key[1..1 + usize::from(length)],
            _ => unreachable!(),
        };
        let data = word(index, 64 + slot * 8 + 4);
        let (number, position) = match data >> 30 {
            0 => (data & 0xf_ffff, data >> 20),
            1 => (data & 0xff_ffff, data >> 24 & 0x3f),
            _ => (word(index, 64 + slots * 8 + slot * 4), data & 0x7fff_ffff),
        };
        let place = numbers.iter().position(|one| *one == number).unwrap();
        assert!(found.insert((key.to_vec(), place, position)), "a double row");
    }
    found
}

/// Both files of a directory.
fn read(place: &Path) -> (Vec<Vec<u8>>, Rows) {
    let blobs = blobs(&fs::read(place.join("Packages.db")).unwrap());
    let numbers: Vec<usize> = blobs.keys().copied().collect();
    let rows = rows(&fs::read(place.join("Index.db")).unwrap(), &numbers);
    (blobs.into_values().collect(), rows)
}

/// The same, with the packages in the order of their bytes.
fn by_content((blobs, rows): (Vec<Vec<u8>>, Rows)) -> (Vec<Vec<u8>>, Rows) {
    let mut order: Vec<usize> = (0..blobs.len()).collect();
    order.sort_by_key(|at| &blobs[*at]);
    let place = |old: usize| order.iter().position(|at| *at == old).unwrap();
    let moved = |rows: BTreeSet<(Vec<u8>, usize, usize)>| {
        rows.into_iter().map(|(key, package, at)| (key, place(package), at)).collect()
    };
    let rows = rows.into_iter().map(|(tag, rows)| (tag, moved(rows))).collect();
    (order.iter().map(|at| blobs[*at].clone()).collect(), rows)
}

fn compare(programs: &Path, rpms: &[PathBuf]) {
    let place = tempfile::tempdir().unwrap();
    let theirs = place.path().join("theirs");
    let mut rpm = Command::new("rpm");
    rpm.args(["-i", "--justdb", "--nodeps", "--noscripts", "--ignorearch", "--ignoreos"]);
    rpm.args(["--force", "--nosignature", "--nodigest", "--ignoresize", "--noorder", "--dbpath"]);
    run(rpm.arg(&theirs).args(rpms));
    let expected = database::rows(&theirs.join("rpmdb.sqlite"));
    assert_eq!(expected.len(), rpms.len());
    let bytes: Vec<Vec<u8>> = rpms.iter().map(|path| fs::read(path).unwrap()).collect();
    let files: Vec<RpmFile<'_>> = bytes.iter().map(|b| RpmFile::parse(b).unwrap()).collect();
    compare_packages(programs, place.path(), &database::packages_of(&expected, &files));
}

/// Compares a database of these packages with `theirs`, in which they are too, in SQLite's format.
fn compare_packages(programs: &Path, place: &Path, packages: &[DbPackage<'_>]) {
    let theirs = place.join("theirs");
    let ndb = |program: &str, place: &Path, arguments: &[&str]| {
        let mut command = Command::new(programs.join(program));
        command.args(["--define", "_db_backend ndb", "--dbpath"]).arg(place).args(arguments);
        String::from_utf8_lossy(&run(&mut command).stdout).into_owned()
    };
    ndb("rpmdb", &theirs, &["--rebuilddb"]);

    let ours = place.join("ours");
    fs::create_dir(&ours).unwrap();
    let database = write_ndb(packages).unwrap();
    assert_eq!(database, write_ndb(packages).unwrap());
    fs::write(ours.join("Packages.db"), &database.packages).unwrap();
    fs::write(ours.join("Index.db"), &database.index).unwrap();

    let written = read(&ours);
    assert_same(&written, &read(&theirs));
    let both = |arguments: &[&str]| {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--nosignature", "--nodigest"]);
        // in the order of the index's slots, which tells in what order they were filled
        let sorted = |place| {
            let answer = ndb("rpm", place, &arguments);
            let mut lines: Vec<String> = answer.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let answer = sorted(&ours);
        assert!(answer == sorted(&theirs), "rpm {arguments:?}");
        answer
    };
    let check = || {
        let all = both(&["-qa"]);
        assert_eq!(all.len(), packages.len());
        both(&["-qa", "--xml"]);
        // a process each: a hundred of them tell as much as thousands
        for package in packages.iter().step_by(packages.len().div_ceil(100)) {
            let states = &package.states;
            let package = Package::from_header(package.header).unwrap();
            both(&["-q", &package.nevra.name]);
            both(&["-q", "--whatprovides", &package.nevra.name]);
            // a path need not exist on this machine, but it must have been installed
            let mut installed = package.files.iter().zip(states).filter(|(_, state)| **state == 0);
            if let Some((file, _)) = installed.rfind(|(file, _)| !file.is_dir()) {
                both(&["-q", "--whatprovides", &String::from_utf8_lossy(&file.path)]);
            }
        }
    };
    check();
    ndb("rpmdb", &ours, &["--verifydb"]);
    // reading leaves it as it is
    assert!(fs::read(ours.join("Packages.db")).unwrap() == database.packages);
    assert!(fs::read(ours.join("Index.db")).unwrap() == database.index);

    // a package goes, and the rest is still there
    let first = Package::from_header(packages[0].header).unwrap().nevra;
    let name = format!("{}-{}-{}", first.name, first.evr.version, first.evr.release);
    let erase = ["-e", "--justdb", "--nodeps", "--noscripts", "--notriggers", &name];
    for place in [&ours, &theirs] {
        ndb("rpm", place, &erase);
    }
    assert_same(&read(&ours), &read(&theirs));
    // which numbers the packages in the order of the file, where the hole is used or not
    for place in [&ours, &theirs] {
        ndb("rpmdb", place, &["--rebuilddb"]);
    }
    assert_same(&by_content(read(&ours)), &by_content(read(&theirs)));
    fs::write(ours.join("Packages.db"), &database.packages).unwrap();
    fs::write(ours.join("Index.db"), &database.index).unwrap();
    ndb("rpmdb", &ours, &["--rebuilddb"]);
    assert_same(&by_content(written.clone()), &by_content(read(&ours)));
    let rows: usize = written.1.values().map(BTreeSet::len).sum();
    println!("{} packages, {} indexes, {rows} rows", packages.len(), written.1.len());
}

fn assert_same(ours: &(Vec<Vec<u8>>, Rows), theirs: &(Vec<Vec<u8>>, Rows)) {
    assert_eq!(ours.0.len(), theirs.0.len(), "packages");
    for (at, (ours, theirs)) in ours.0.iter().zip(&theirs.0).enumerate() {
        let differs = ours.iter().zip(theirs).position(|(a, b)| a != b);
        let lengths = (ours.len(), theirs.len());
        assert!(ours == theirs, "header {at} differs at {differs:?}, lengths {lengths:?}");
    }
    let tags = |rows: &Rows| rows.keys().copied().collect::<Vec<_>>();
    assert_eq!(tags(&ours.1), tags(&theirs.1));
    for (tag, rows) in &ours.1 {
        let text = |rows: BTreeSet<&(Vec<u8>, usize, usize)>| {
            let text = |(key, package, at): &(Vec<u8>, usize, usize)| {
                format!("{} {package} {at}", key.escape_ascii())
            };
            rows.into_iter().map(text).take(20).collect::<Vec<_>>()
        };
        let theirs = &theirs.1[tag];
        let only_ours = text(rows.difference(theirs).collect());
        let only_theirs = text(theirs.difference(rows).collect());
        assert!(
            only_ours.is_empty() && only_theirs.is_empty(),
            "{tag}: only ours {only_ours:#?}, only theirs {only_theirs:#?}"
        );
    }
}

/// Packages with many keys: long ones, several packages of one key, thousands of files.
#[test]
fn built_packages() {
    let (true, Some(programs)) = (disk::have(&["rpm", "rpmbuild"]), programs()) else { return };
    let place = tempfile::tempdir().unwrap();
    let long = "x".repeat(300);
    let spec = format!(
        "Name: a\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n\
         Provides: both, {long}\nRequires: (b and c)\n%description\nx\n\
         %package -n b\nSummary: x\nProvides: both\n%description -n b\nx\n\
         %package -n c\nSummary: x\n%description -n c\nx\n\
         %filetriggerin -- /usr/lib /opt\n:\n%triggerin -- b, c\n:\n\
         %install\nmkdir -p %{{buildroot}}/usr/share/b\n\
         for i in $(seq 3000); do echo $i >%{{buildroot}}/usr/share/b/file$i; done\n\
         %files\n%files -n b\n/usr/share/b\n%files -n c\n"
    );
    let file = place.path().join("test.spec");
    fs::write(&file, spec).unwrap();
    let mut rpmbuild = Command::new("rpmbuild");
    rpmbuild.args(["-bb", "--quiet", "--define", "_rpmfilename %%{NAME}.rpm", "--define"]);
    run(rpmbuild.arg(format!("_topdir {}", place.path().display())).arg(&file));
    let rpms = ["a", "b", "c"].map(|name| place.path().join(format!("RPMS/{name}.rpm")));
    compare(&programs, &rpms);
}

#[test]
fn packages_of_the_small_corpus() {
    let Some(corpus) = std::env::var_os("STRATA_CORPUS") else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "STRATA_CORPUS must name the directory that `cargo xtask corpus` made");
        return;
    };
    if let (true, Some(programs)) = (disk::have(&["rpm"]), programs()) {
        compare(&programs, &disk::packages_below(&Path::new(&corpus).join("small")));
    }
}

/// Fedora 31 and CentOS 8 as if they were openSUSE.
#[test]
fn databases_of_real_installations() {
    let (true, Some(programs)) = (disk::have(&["rpm", "rpmdb"]), programs()) else { return };
    let chosen = ["fedora31", "centos8"];
    for (_, path) in real::databases().iter().filter(|(name, _)| chosen.contains(&name.as_str())) {
        let place = tempfile::tempdir().unwrap();
        let originals = real::reference(path, &place.path().join("theirs"));
        let packages: Vec<_> = originals.iter().map(real::Original::package).collect();
        compare_packages(&programs, place.path(), &packages);
    }
}
