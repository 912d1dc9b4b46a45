//! The scanner sees what a file system can hold, and the difference is told in words.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use strata_testkit::{EntryKind, Field, diff, scan};

#[test]
fn sees_every_property() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("d")).unwrap();
    fs::write(root.join("d/a"), "content").unwrap();
    fs::hard_link(root.join("d/a"), root.join("b")).unwrap();
    symlink("d/a", root.join("l")).unwrap();
    fs::set_permissions(root.join("d"), fs::Permissions::from_mode(0o2755)).unwrap();

    let found = scan(root);
    let names: Vec<_> = found.keys().map(|name| String::from_utf8_lossy(name)).collect();
    assert_eq!(names, [".", "b", "d", "d/a", "l"]);
    let file = &found[b"b".as_slice()];
    assert!(matches!(file.kind, EntryKind::File { size: 7, .. }));
    assert_eq!(file.links.iter().collect::<Vec<_>>(), [&b"b".to_vec(), &b"d/a".to_vec()]);
    assert_eq!(found[b"l".as_slice()].kind, EntryKind::Symlink { target: b"d/a".to_vec() });
    assert_eq!(found[b"d".as_slice()].mode, 0o2755);
}

#[test]
fn differences_name_path_and_field() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::write(root.join("a"), "1").unwrap();
    fs::write(root.join("b"), "1").unwrap();
    let before = scan(root);
    assert!(diff(&before, &before).is_empty());

    fs::write(root.join("a"), "2").unwrap();
    fs::set_permissions(root.join("b"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(root.join("c"), "").unwrap();
    let found: Vec<_> = diff(&before, &scan(root))
        .into_iter()
        .filter(|difference| difference.field != Field::Mtime)
        .map(|difference| difference.to_string())
        .collect();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].starts_with("a: Content: 1 bytes, sha256 6b86"), "{}", found[0]);
    assert_eq!(found[1], "b: Mode: 0644 ≠ 0600");
    assert_eq!(found[2], "c: Presence: missing ≠ file");
}
