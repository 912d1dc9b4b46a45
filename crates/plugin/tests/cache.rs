//! Compiled components on the disk: used when they are ours and whole, made again otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread};
use strata_plugin::{Host, Settings};
use support::{EMPTY, guest, shown};

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn works(cache: &Path, bytes: &[u8]) {
    let plugin = Host::new(Some(cache)).unwrap().load("hand.wasm", bytes).unwrap();
    assert_eq!(plugin.describe().unwrap().name, "hand");
    let shown = shown();
    assert!(plugin.map(&Settings::new(), &shown.view()).unwrap().value.is_empty());
}

#[test]
fn a_compiled_component_is_kept_and_used() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("new/plugins");
    let bytes = guest().map(EMPTY).build();
    works(&cache, &bytes);
    let kept = files(&cache);
    assert_eq!(kept.len(), 1);
    let digest = strata_oci::Digest::of(&bytes).hex();
    assert!(kept[0].file_name().unwrap().to_string_lossy().starts_with(&digest));
    let before = fs::read(&kept[0]).unwrap();
    let written = fs::metadata(&kept[0]).unwrap().modified().unwrap();
    works(&cache, &bytes);
    assert_eq!(files(&cache), kept);
    assert_eq!(fs::metadata(&kept[0]).unwrap().modified().unwrap(), written, "written once");
    assert_eq!(fs::read(&kept[0]).unwrap(), before);
}

#[test]
fn damaged_and_foreign_files_are_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path();
    let bytes = guest().map(EMPTY).build();
    works(cache, &bytes);
    let file = files(cache).remove(0);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let mut other = b"strata compiled component 0\n".to_vec();
    other.extend(&whole[28..]);
    for damaged in [flipped, whole[..middle].to_vec(), Vec::new(), b"\x7fELF".to_vec(), other] {
        fs::write(&file, &damaged).unwrap();
        works(cache, &bytes);
        assert_eq!(fs::read(&file).unwrap(), whole);
    }
    // a file of another component under this name, whole in itself but for its checksum
    let directory = tempfile::tempdir().unwrap();
    works(directory.path(), &guest().map(EMPTY).process(EMPTY).build());
    let mut foreign = fs::read(files(directory.path()).remove(0)).unwrap();
    foreign[30] ^= 1;
    fs::write(&file, foreign).unwrap();
    works(cache, &bytes);
    assert_eq!(fs::read(&file).unwrap(), whole);
}

#[test]
fn a_file_that_others_may_write_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("plugins");
    let bytes = guest().map(EMPTY).build();
    works(&cache, &bytes);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let file = files(&cache).remove(0);
    assert_eq!((mode(&cache), mode(&file)), (0o700, 0o600));
    let written = || fs::metadata(&file).unwrap().modified().unwrap();
    let before = written();
    works(&cache, &bytes);
    assert_eq!(written(), before, "its own file is used");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    works(&cache, &bytes);
    assert!(written() > before, "it is replaced");
    assert_eq!(mode(&file), 0o600);
    // a directory that was open is closed first
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    works(&cache, &bytes);
    assert_eq!(mode(&cache), 0o700);
}

#[test]
fn hosts_and_threads_share_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path();
    let bytes = guest().map(EMPTY).build();
    let hosts = [Host::new(Some(cache)).unwrap(), Host::new(Some(cache)).unwrap()];
    thread::scope(|scope| {
        for host in &hosts {
            for _ in 0..4 {
                scope.spawn(|| {
                    let plugin = host.load("hand.wasm", &bytes).unwrap();
                    let shown = shown();
                    for _ in 0..20 {
                        plugin.map(&Settings::new(), &shown.view()).unwrap();
                    }
                });
            }
        }
    });
    assert_eq!(files(cache).len(), 1);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = guest().map(EMPTY).build();
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    works(&closed, &bytes);
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    works(&file, &bytes);
    works(&file.join("below"), &bytes);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_component_that_is_refused_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::new(Some(directory.path())).unwrap();
    assert!(host.load("hand.wasm", &guest().build()).is_err());
    assert!(host.load("hand.wasm", b"").is_err());
    assert!(files(directory.path()).is_empty());
}
