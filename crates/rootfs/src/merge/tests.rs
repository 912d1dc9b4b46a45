//! Every rule, on packages built in code. The same rules against rpm: `tests/rpm_oracle.rs`.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    Content, Kind, LinkSet, Node, Origin, State, TreePath,
    fixture::{dir, file, link, package},
};
use proptest::prelude::*;
use strata_rpm::{FileCapabilities, FileEntry};

const GHOST: u32 = FileEntry::GHOST;

fn task<'a>(packages: &'a [&'a Package], owners: &'a Owners) -> MergeTask<'a> {
    MergeTask { packages, docs: true, filters: &[], langs: None, owners, color: 2 }
}

fn merged(packages: &[Package]) -> Result<Merged, MergeError> {
    let refs: Vec<&Package> = packages.iter().collect();
    merge(&task(&refs, &Owners::default()))
}

fn one(files: Vec<FileEntry>) -> Result<Merged, MergeError> {
    merged(&[package("p", files)])
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn node<'a>(merged: &'a Merged, at: &str) -> &'a Node {
    merged.tree.get(&path(at)).unwrap_or_else(|| panic!("no {at} in\n{}", merged.tree.dump()))
}

fn at(mtime: u32, file: FileEntry) -> FileEntry {
    FileEntry { mtime, ..file }
}

fn states(merged: &Merged, package: u32) -> Vec<u8> {
    merged.file_states(PackageIndex(package))
}

#[test]
fn missing_directories_are_implied() {
    let merged = one(vec![file("/usr/share/a/b")]).unwrap();
    for above in ["/", "/usr", "/usr/share", "/usr/share/a"] {
        let node = node(&merged, above);
        assert_eq!((node.origin, node.mode, node.mtime), (Origin::Implied, 0o755, 0));
    }
    assert_eq!(merged.fates[0], [Fate::Installed(path("/usr/share/a/b"))]);
}

#[test]
fn below_a_setgid_directory_they_inherit_its_group() {
    let parent = FileEntry { mode: 0o042_775, group: "staff".to_owned(), ..dir("/var/local") };
    let package = package("p", vec![parent, file("/var/local/a/b")]);
    let mut owners = Owners::default();
    owners.groups.insert("staff".to_owned(), 50);
    let merged = merge(&task(&[&package], &owners)).unwrap();
    let implied = node(&merged, "/var/local/a");
    assert_eq!((implied.mode, implied.gid), (0o2755, 50));
}

#[test]
fn a_directory_link_counts_from_the_start_and_through_others() {
    let early = package("a", vec![file("/lib/a"), file("/lib/deep/up/x")]);
    let filesystem = package(
        "filesystem",
        vec![link("/lib", "usr/lib"), dir("/usr"), dir("/usr/lib"), link("/lib/deep", "/opt")],
    );
    let merged = merged(&[early, filesystem]).unwrap();
    assert!(matches!(node(&merged, "/lib").kind, Kind::Symlink { .. }));
    assert!(!node(&merged, "/usr/lib/a").is_dir());
    assert!(!node(&merged, "/opt/up/x").is_dir());
    assert_eq!(merged.fates[1][3], Fate::Installed(path("/usr/lib/deep")));
}

#[test]
fn one_package_may_have_a_file_twice_through_a_link() {
    let files = vec![link("/lib", "usr/lib"), file("/lib/a"), dir("/usr/lib"), file("/usr/lib/a")];
    let merged = one(files).unwrap();
    assert_eq!(merged.fates[0][1], Fate::Installed(path("/usr/lib/a")));
    assert_eq!(merged.fates[0][3], Fate::Shared(path("/usr/lib/a")));
}

#[test]
fn identical_files_are_shared_and_every_second_package_writes() {
    let packages: Vec<Package> =
        (1..=4).map(|n| package(&format!("p{n}"), vec![at(n, file("/f"))])).collect();
    let time = |n: usize| node(&merged(&packages[..n]).unwrap(), "/f").mtime;
    assert_eq!([time(1), time(2), time(3), time(4)], [1, 1, 3, 3]);
    let merged = merged(&packages).unwrap();
    let shared = Fate::Shared(path("/f"));
    let installed = Fate::Installed(path("/f"));
    let fates: Vec<Fate> = merged.fates.iter().map(|all| all[0].clone()).collect();
    assert_eq!(fates, [shared.clone(), shared.clone(), installed, shared]);
    assert_eq!(states(&merged, 1), [0]);
}

#[test]
fn time_flags_and_capabilities_make_no_conflict() {
    let capabilities = FileCapabilities { permitted: 1, inheritable: 0, effective: true };
    let other = FileEntry {
        mtime: 9,
        flags: FileEntry::CONFIG,
        capabilities: Some(capabilities),
        ..file("/f")
    };
    let merged = merged(&[package("a", vec![file("/f")]), package("b", vec![other])]).unwrap();
    assert_eq!(node(&merged, "/f").mtime, 1_600_000_000);
}

#[test]
fn conflicts_are_collected_and_name_what_differs() {
    let a = vec![
        file("/content"),
        file("/mode"),
        dir("/owner"),
        dir("/group"),
        link("/target", "x"),
        dir("/type"),
        file("/fine"),
    ];
    let b = vec![
        FileEntry { digest: b"other".to_vec(), ..file("/content") },
        FileEntry { mode: 0o100_755, ..file("/mode") },
        FileEntry { user: "u".to_owned(), ..dir("/owner") },
        FileEntry { group: "g".to_owned(), ..dir("/group") },
        link("/target", "y"),
        link("/type", "y"),
        file("/fine"),
    ];
    let error = merged(&[package("a", a), package("b", b)]).unwrap_err();
    let MergeError::Conflicts(all) = &error else { panic!("{error}") };
    let found: Vec<_> = all.iter().map(|c| (c.path.as_str(), c.difference)).collect();
    let expected = [
        ("/content", "content"),
        ("/mode", "mode"),
        ("/owner", "owner"),
        ("/group", "group"),
        ("/target", "target"),
        ("/type", "type"),
    ];
    assert_eq!(found, expected);
    let text = error.to_string();
    assert!(
        text.starts_with("`/content` of `b-1-1.x86_64` and of `a-1-1.x86_64` differ in content\n")
    );
    assert!(text.ends_with("and 1 more files"));
    assert!(error.hint().unwrap().contains("exclude"));
}

#[test]
fn the_preferred_elf_class_wins_in_either_order() {
    let elf = |color, mtime| FileEntry {
        color,
        digest: vec![color as u8],
        ..at(mtime, file("/usr/bin/x"))
    };
    let a = package("a", vec![elf(1, 1)]);
    let b = package("b", vec![elf(2, 2)]);
    for order in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
        let merged = merged(&order).unwrap();
        assert_eq!(node(&merged, "/usr/bin/x").mtime, 2);
        let loser = u32::from(order[0].nevra.name != "a");
        assert_eq!(states(&merged, loser), [4]);
        assert_eq!(states(&merged, 1 - loser), [0]);
        assert_eq!(merged.fates[loser as usize], [Fate::NotInstalled(State::WrongColor)]);
    }
    let refs = [&a, &b];
    let owners = Owners::default();
    let narrow = merge(&MergeTask { color: 1, ..task(&refs, &owners) }).unwrap();
    assert_eq!(node(&narrow, "/usr/bin/x").mtime, 1);
    let none = merge(&MergeTask { color: 0, ..task(&refs, &owners) });
    assert!(matches!(none, Err(MergeError::Conflicts(_))));
}

#[test]
fn ghosts_are_not_created_and_equal_anything() {
    let ghost = |entry: FileEntry| FileEntry { flags: GHOST, ..entry };
    let a = package("a", vec![ghost(file("/run/a")), ghost(dir("/var/d")), ghost(file("/x"))]);
    let b = package("b", vec![dir("/x")]);
    let merged = merged(&[a.clone(), b.clone(), a, b]).unwrap();
    assert!(merged.tree.get(&path("/run")).is_none());
    assert!(merged.tree.get(&path("/var")).is_none());
    assert!(node(&merged, "/x").is_dir());
    assert_eq!(merged.fates[0][0], Fate::NotInstalled(State::Ghost));
    assert_eq!(merged.fates[2][2], Fate::NotInstalled(State::Ghost));
    assert_eq!(states(&merged, 0), [0, 0, 0]);
}

#[test]
fn excluded_files_take_no_part() {
    let doc = |digest: &[u8]| FileEntry {
        flags: FileEntry::DOC,
        digest: digest.to_vec(),
        ..file("/usr/share/doc/x")
    };
    let packages = [package("a", vec![doc(b"1")]), package("b", vec![doc(b"2")])];
    assert!(matches!(merged(&packages), Err(MergeError::Conflicts(_))));
    let refs: Vec<&Package> = packages.iter().collect();
    let owners = Owners::default();
    let merged = merge(&MergeTask { docs: false, ..task(&refs, &owners) }).unwrap();
    assert!(merged.tree.is_empty());
    assert_eq!(states(&merged, 0), [2]);
}

#[test]
fn hard_links_are_one_inode_whose_content_the_last_carries() {
    let member = |path: &str, flags| FileEntry { inode: 7, flags, ..file(path) };
    let files = vec![
        member("/a", 0),
        FileEntry { flags: FileEntry::DOC, ..member("/b", FileEntry::DOC) },
        FileEntry { mtime: 5, ..member("/c", 0) },
        FileEntry { inode: 8, ..file("/d") },
    ];
    let set = LinkSet { package: PackageIndex(0), leader: 0 };
    let merged = one(files.clone()).unwrap();
    for name in ["/a", "/b", "/c"] {
        let node = node(&merged, name);
        let Kind::File { content, links, .. } = &node.kind else { panic!() };
        assert_eq!(*content, Content::Package { package: PackageIndex(0), file: 2 });
        assert_eq!((*links, node.mtime), (Some(set), 5));
    }
    assert!(matches!(node(&merged, "/d").kind, Kind::File { links: None, .. }));

    // With two of three left out, an ordinary file remains; the content is still the last one's.
    let mut partly = files;
    partly[2].flags = FileEntry::DOC;
    partly[2].mode = 0o100_600;
    let package = package("p", partly);
    let refs = [&package];
    let owners = Owners::default();
    let merged = merge(&MergeTask { docs: false, ..task(&refs, &owners) }).unwrap();
    let rest = node(&merged, "/a");
    let Kind::File { content, links, .. } = &rest.kind else { panic!() };
    assert_eq!(*content, Content::Package { package: PackageIndex(0), file: 2 });
    assert_eq!((*links, rest.mode, rest.mtime), (None, 0o644, 5));
}

#[test]
fn a_member_replaced_by_another_package_leaves_the_set() {
    let member = |path: &str| FileEntry { inode: 7, digest: b"z".to_vec(), ..file(path) };
    let set = package("set", vec![member("/a"), member("/b")]);
    let alone = |n| package(n, vec![FileEntry { inode: 0, ..member("/a") }]);
    let merged = merged(&[set, alone("q"), alone("r")]).unwrap();
    for name in ["/a", "/b"] {
        assert!(matches!(node(&merged, name).kind, Kind::File { links: None, .. }), "{name}");
    }
    assert_eq!(node(&merged, "/a").origin, Origin::Package(PackageIndex(2)));
}

#[test]
fn unknown_owners_become_root_without_set_id_bits() {
    let odd = |path: &str| FileEntry {
        mode: 0o106_755,
        user: "nobody".to_owned(),
        group: "tty".to_owned(),
        ..file(path)
    };
    let package = package("p", vec![odd("/a"), odd("/b")]);
    let mut owners = Owners::default();
    let merged = merge(&task(&[&package], &owners)).unwrap();
    let lost = node(&merged, "/a");
    assert_eq!((lost.uid, lost.gid, lost.mode), (0, 0, 0o755));
    let warnings: Vec<String> = merged.warnings.iter().map(Warning::to_string).collect();
    let expected = [
        "`p`: user `nobody` does not exist, using root",
        "`p`: group `tty` does not exist, using root",
    ];
    assert_eq!(warnings, expected);

    owners.users.insert("nobody".to_owned(), 99);
    let merged = merge(&task(&[&package], &owners)).unwrap();
    let half = node(&merged, "/a");
    assert_eq!((half.uid, half.gid, half.mode), (99, 0, 0o4755));
}

#[test]
fn special_files() {
    let null = FileEntry { mode: 0o020_666, rdev: 0x0103, ..file("/dev/null") };
    let pipe = FileEntry { mode: 0o010_600, ..file("/run/pipe") };
    let disk = FileEntry { mode: 0o060_660, rdev: 0x0811, ..file("/dev/sdb1") };
    let merged = one(vec![null, pipe, disk]).unwrap();
    let device = Kind::Device { block: false, major: 1, minor: 3 };
    assert_eq!(node(&merged, "/dev/null").kind, device);
    let device = Kind::Device { block: true, major: 8, minor: 17 };
    assert_eq!(node(&merged, "/dev/sdb1").kind, device);
    assert_eq!(node(&merged, "/run/pipe").kind, Kind::Fifo);
    let socket = FileEntry { mode: 0o140_755, ..file("/run/s") };
    let ghost = FileEntry { flags: GHOST, ..socket.clone() };
    assert!(matches!(one(vec![socket]), Err(MergeError::Type { .. })));
    assert_eq!(states(&one(vec![ghost]).unwrap(), 0), [0], "nothing has to be made of it");
}

#[test]
fn what_cannot_be_is_an_error() {
    let error = |files: Vec<FileEntry>| one(files).unwrap_err();
    assert!(matches!(error(vec![file("/a/.wh.b")]), MergeError::Whiteout { .. }));
    assert!(matches!(error(vec![file("/.wh.a/b")]), MergeError::Whiteout { .. }));
    for bad in ["", "a", "/a/../b", "/a//b", "/a/", "//"] {
        assert!(matches!(error(vec![file(bad)]), MergeError::Path { .. }), "{bad}");
    }
    let circle = vec![link("/a", "b"), link("/b", "a"), file("/a/x")];
    assert!(matches!(error(circle), MergeError::Loop { .. }));
}

#[test]
fn paths_have_a_bound() {
    let deep = format!("{}/f", "/d".repeat(200_000));
    let long = format!("/{}/f", "d".repeat(5000));
    for bad in [&deep, &long] {
        let error = one(vec![file(bad)]).unwrap_err();
        assert!(matches!(error, MergeError::Long { .. }));
        assert!(error.to_string().len() < 300);
    }
    let up = (0..100).map(|n| link(&format!("/l{n}"), &"/a".repeat(200)));
    let through = up.chain([file("/l7/f")]).collect();
    assert!(matches!(one(through).unwrap_err(), MergeError::Long { .. }));
    assert!(one(vec![file(&format!("{}/f", "/d".repeat(128)))]).is_ok());
}

#[test]
fn files_and_directories_in_each_others_way() {
    let blocked = |files: Vec<FileEntry>| match one(files).unwrap_err() {
        MergeError::Blocked { at, is, .. } => (at, is),
        other => panic!("{other}"),
    };
    let below_a_file = vec![file("/a"), file("/a/b")];
    assert_eq!(blocked(below_a_file), ("/a".to_owned(), "a file"));
    let over_a_directory = vec![file("/a/b"), file("/a")];
    assert_eq!(blocked(over_a_directory), ("/a".to_owned(), "a directory"));
}

#[test]
fn the_root_itself_can_be_owned() {
    let merged = one(vec![FileEntry { mode: 0o040_555, ..dir("/") }, file("/a")]).unwrap();
    assert_eq!(node(&merged, "/").mode, 0o555);
}

fn entries() -> impl Strategy<Value = FileEntry> {
    let part = prop::sample::select(vec!["a", "b", "c", "lib", "usr", ".wh.x", "", ".."]);
    let target = prop::sample::select(vec!["a", "/b", "../c", "usr/lib", "/", "..", ".", "a/b/c"]);
    let kind = prop::sample::select(vec![
        0o100_644u16,
        0o040_755,
        0o120_777,
        0o106_755,
        0o042_775,
        0o020_666,
        0o010_600,
    ]);
    let flags = prop::sample::select(vec![0u32, 0, 0, GHOST, FileEntry::DOC, FileEntry::LICENSE]);
    let rest = (0u32..3, 0u32..3, prop::sample::select(vec!["", "de", "en|fr"]));
    (prop::collection::vec(part, 1..5), target, kind, flags, rest).prop_map(
        |(parts, target, mode, flags, (inode, color, lang))| FileEntry {
            mode,
            flags,
            inode,
            color,
            lang: lang.to_owned(),
            link_target: target.as_bytes().to_vec(),
            ..file(&format!("/{}", parts.join("/")))
        },
    )
}

/// Every path but the root has a directory above it, and no path leads through a link.
fn whole(tree: &Tree) -> bool {
    tree.iter().all(|(path, _)| match path.parent() {
        Some(parent) => tree.get(&parent).is_some_and(Node::is_dir),
        None => true,
    })
}

proptest! {
    #[test]
    fn never_panics_and_the_tree_is_whole(
        packages in prop::collection::vec(prop::collection::vec(entries(), 0..8), 0..4),
        docs: bool,
        color in 0u32..3,
        langs in prop::option::of(prop::collection::vec("(de|en|zz)", 0..2)),
    ) {
        let packages: Vec<Package> = packages
            .into_iter()
            .enumerate()
            .map(|(n, files)| package(&format!("p{n}"), files))
            .collect();
        let refs: Vec<&Package> = packages.iter().collect();
        let owners = Owners::default();
        let task = MergeTask { docs, filters: &[], langs: langs.as_deref(), color, ..task(&refs, &owners) };
        if let Ok(merged) = merge(&task) {
            prop_assert!(whole(&merged.tree), "{}", merged.tree.dump());
            for (n, package) in packages.iter().enumerate() {
                prop_assert_eq!(merged.fates[n].len(), package.files.len());
                let states = merged.file_states(PackageIndex(n as u32));
                prop_assert_eq!(states.len(), package.files.len());
                for fate in &merged.fates[n] {
                    prop_assert!(fate.path().is_none_or(|path| merged.tree.get(path).is_some()));
                }
            }
        }
    }
}
