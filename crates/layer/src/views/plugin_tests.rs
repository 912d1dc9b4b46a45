//! What plugins did to a tree, in layers: shared ones stay what they are, and what is removed is
//! stored nowhere.

use super::{tests::*, *};
use crate::fixture::path;
use strata_rootfs::{Access, FilePolicy, Owner, TreeEdit, TreeEdits, apply_edits};

const LARGE: u64 = 50 << 20;

fn large(at: &str) -> strata_rpm::FileEntry {
    strata_rpm::FileEntry { size: LARGE, ..plain(at, at) }
}

fn edit(fleet: &mut Fleet, image: usize, edits: &[TreeEdit]) {
    let owners = Owners::default();
    apply_edits(fleet.tree(image), &TreeEdits(edits.to_vec()), &owners, 5).unwrap();
}

fn remove(at: &str) -> TreeEdit {
    TreeEdit::Remove { path: path(at) }
}

fn access(mode: u16) -> Access {
    Access { mode, user: Owner::Id(0), group: Owner::Id(0) }
}

fn keys(layering: &Layering) -> Vec<Digest> {
    layering.layers.iter().map(|layer| layer.key(&crate::Compression::None)).collect()
}

/// Bytes of content in all layers of all images.
fn stored(layering: &Layering) -> u64 {
    let own = layering.images.iter().flat_map(|image| image.overlay.iter().chain([&image.state]));
    layering.layers.iter().chain(own).map(LayerManifest::content_size).sum()
}

fn packages() -> (Package, Package) {
    let base = package("base", vec![dir("/usr", 0o755), plain("/usr/base", "base")]);
    let db = package(
        "db",
        vec![
            dir("/usr/share/db", 0o750),
            large("/usr/share/db/large"),
            plain("/usr/share/db/small", "small"),
            dir("/var/lib/db", 0o700),
        ],
    );
    (base, db)
}

#[test]
fn a_large_removed_file_is_stored_nowhere() {
    let (base, db) = packages();
    let mut fleet = Fleet::new(&[("a", &[&base, &db])]);
    let before = fleet.layering(96);
    edit(&mut fleet, 0, &[remove("usr/share/db/large")]);
    let after = fleet.layering(96);
    assert!(stored(&before) > LARGE && stored(&after) < 1000);
    assert!(after.images[0].state.has_no_files(), "nothing is there to be hidden");
    assert_eq!(after.images[0].overlay.as_ref().map(names), None);
    // the package that nobody touched keeps its layer
    assert!(keys(&before).iter().any(|key| keys(&after).contains(key)));
}

#[test]
fn images_that_remove_the_same_share_what_is_left() {
    let (base, db) = packages();
    let all: &[&Package] = &[&base, &db];
    let mut fleet = Fleet::new(&[("a", all), ("b", all), ("c", all)]);
    for image in [0, 1] {
        edit(&mut fleet, image, &[remove("usr/share/db/large")]);
    }
    let layering = fleet.layering(96);
    assert_eq!(layering.images[0].shared, layering.images[1].shared);
    assert_ne!(layering.images[0].shared, layering.images[2].shared);
    assert!(stored(&layering) < LARGE + 1000);
}

#[test]
fn new_permissions_of_a_large_file_store_it_once() {
    let (base, db) = packages();
    let mut fleet = Fleet::new(&[("a", &[&base, &db])]);
    edit(
        &mut fleet,
        0,
        &[TreeEdit::SetAccess { path: path("usr/share/db/large"), access: access(0o600) }],
    );
    let layering = fleet.layering(96);
    assert_eq!(names(layering.images[0].overlay.as_ref().unwrap()), ["/usr/share/db/large"]);
    assert!((LARGE..LARGE + 1000).contains(&stored(&layering)));
}

#[test]
fn a_large_file_with_one_name_less_is_stored_once() {
    let linked = |at: &str| strata_rpm::FileEntry { inode: 9, ..large(at) };
    let git = package("git", vec![linked("/usr/a"), linked("/usr/b"), linked("/usr/c")]);
    for gone in ["usr/a", "usr/b", "usr/c"] {
        let mut fleet = Fleet::new(&[("x", &[&git])]);
        edit(&mut fleet, 0, &[remove(gone)]);
        assert_eq!(stored(&fleet.layering(96)), LARGE);
        edit(
            &mut fleet,
            0,
            &[TreeEdit::SetAccess {
                path: path(if gone == "usr/a" { "usr/b" } else { "usr/a" }),
                access: access(0o755),
            }],
        );
        assert_eq!(stored(&fleet.layering(96)), LARGE);
    }
}

/// A post-processor's directories and small changes leave every shared layer alone.
#[test]
fn shared_layers_do_not_know_of_plugins() {
    let (base, db) = packages();
    let mut fleet = Fleet::new(&[("a", &[&base, &db]), ("b", &[&base])]);
    let before = fleet.layering(96);
    edit(
        &mut fleet,
        0,
        &[
            TreeEdit::MakeDirectory { path: path("var/lib/db"), access: access(0o1777) },
            TreeEdit::MakeDirectory { path: path("usr"), access: access(0o700) },
            TreeEdit::MakeDirectory { path: path("var/lib"), access: access(0o711) },
            TreeEdit::MakeDirectory { path: path("run/db"), access: access(0o755) },
            TreeEdit::WriteFile {
                path: path("usr/share/db/small"),
                content: b"other".as_slice().into(),
                access: access(0o644),
            },
            remove("usr/base"),
        ],
    );
    let after = fleet.layering(96);
    assert_eq!(keys(&before), keys(&after));
    let own = after.images[0].overlay.as_ref().unwrap();
    assert_eq!(names(own), ["/usr/share/db/small"]);
    assert!(own.directories.iter().any(|entry| entry.path == path("run/db")));
    assert_eq!(names(&after.images[0].state), ["/usr/.wh.base"]);

    // a directory that goes is hidden, as long as it holds little
    edit(&mut fleet, 0, &[remove("var/lib/db")]);
    let after = fleet.layering(96);
    assert_eq!(keys(&before), keys(&after));
    assert_eq!(names(&after.images[0].state), ["/usr/.wh.base", "/var/lib/.wh.db"]);
}

#[test]
fn the_same_filter_gives_the_same_layers() {
    let (base, db) = packages();
    let all: &[&Package] = &[&base, &db];
    let filters = [FilePolicy::default(), FilePolicy { excluded: [1].into() }];
    let images: [(&'static str, &[&Package], &[FilePolicy]); 3] =
        [("a", all, &filters), ("b", all, &filters), ("c", all, &[])];
    let fleet = Fleet::filtered(&images);
    let layering = fleet.layering(96);
    assert_eq!(layering.images[0].shared, layering.images[1].shared);
    // `base` is in one layer that all three have
    assert_eq!(layering.images[0].shared[0], layering.images[2].shared[0]);
    assert!(stored(&layering) < LARGE + 1000);
    assert!(stored(&Fleet::filtered(&images[..2]).layering(96)) < 1000);
}
