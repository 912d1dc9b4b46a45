//! The store's promises, one test each.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::{self, File, FileTimes},
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, SystemTime},
};
use strata_store::{PruneLimits, Store, StoreError, write_atomic};

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn set_age(path: &Path, age: Duration) {
    let then = SystemTime::now() - age;
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_times(FileTimes::new().set_accessed(then).set_modified(then))
        .unwrap();
}

#[test]
fn put_then_get() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("deep/store")).unwrap();
    assert!(store.get("sha256-00").is_none());
    let path = store.put("sha256-00", b"content").unwrap();
    assert_eq!(store.get("sha256-00"), Some(path.clone()));
    assert_eq!(fs::read(path).unwrap(), b"content");
    assert_eq!(store.read("sha256-00").unwrap().unwrap(), b"content");
    store.put("sha256-00", b"other").unwrap();
    assert_eq!(store.read("sha256-00").unwrap().unwrap(), b"other");
    assert!(store.remove("sha256-00").unwrap());
    assert!(!store.remove("sha256-00").unwrap());
    assert!(store.read("sha256-00").unwrap().is_none());
}

#[test]
fn put_lazily_replaces_in_one_step() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let path = store.put_lazily("key", b"one").unwrap();
    let mut open = File::open(&path).unwrap();
    store.put_lazily("key", b"two").unwrap();
    // who reads the old file keeps it whole
    assert_eq!(io::read_to_string(&mut open).unwrap(), "one");
    assert_eq!(store.read("key").unwrap().unwrap(), b"two");
    assert_eq!(names(directory.path()), ["key"]);
}

#[test]
fn failed_write_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    store.put("key", b"before").unwrap();
    let error = store
        .put_with("key", |file| {
            file.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
    assert!(error.to_string().starts_with("cannot write `"), "{error}");
    assert!(error.to_string().contains("key`"), "{error}");
    assert!(error.hint().unwrap().contains("free some space"));
    assert_eq!(store.read("key").unwrap().unwrap(), b"before");
    assert_eq!(names(directory.path()), ["key"]);
}

#[test]
fn full_disk_names_the_path() {
    // the device that is always full
    let Ok(mut full) = File::options().write(true).open("/dev/full") else { return };
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let error = store.put_with("key", |_| full.write_all(b"x")).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::StorageFull));
    assert!(error.to_string().contains("No space left on device"), "{error}");
}

#[test]
fn unwritable_place_names_the_path() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), b"").unwrap();
    let error = Store::open(directory.path().join("file/store")).unwrap_err();
    assert!(error.to_string().contains("file/store"), "{error}");
    assert!(error.hint().is_some());
    let error = write_atomic(directory.path().join("none/file"), b"").unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
}

#[test]
fn keys_stay_inside() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    for key in ["", ".", "..", "../x", "a/b", ".hidden", "a\0b", "a b", &"x".repeat(201)] {
        assert!(matches!(store.put(key, b""), Err(StoreError::Key { .. })), "{key:?}");
        assert!(store.get(key).is_none());
    }
    assert!(names(directory.path()).is_empty());
}

#[test]
fn lock_lets_one_in() {
    let directory = tempfile::tempdir().unwrap();
    let made = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = Store::open(directory.path()).unwrap();
                let _guard = store.lock("key").unwrap();
                if store.get("key").is_none() {
                    made.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                    store.put("key", b"once").unwrap();
                }
            });
        }
    });
    assert_eq!(made.load(Ordering::SeqCst), 1);
    let store = Store::open(directory.path()).unwrap();
    let guard = store.lock("key").unwrap();
    assert!(store.try_lock("key").unwrap().is_none());
    assert!(store.try_lock("other").unwrap().is_some());
    drop(guard);
    assert!(store.try_lock("key").unwrap().is_some());
}

#[test]
fn leftovers_go_when_old_and_unlocked() {
    let directory = tempfile::tempdir().unwrap();
    let hours = Duration::from_secs(3 * 3600);
    for name in [".tmp-dead", ".tmp-alive", ".tmp-young", ".other"] {
        fs::write(directory.path().join(name), b"half").unwrap();
        if name != ".tmp-young" {
            set_age(&directory.path().join(name), hours);
        }
    }
    let alive = File::open(directory.path().join(".tmp-alive")).unwrap();
    alive.lock().unwrap();
    Store::open(directory.path()).unwrap();
    assert_eq!(names(directory.path()), [".other", ".tmp-alive", ".tmp-young"]);
}

#[test]
fn write_atomic_replaces_and_respects_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.json");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(names(directory.path()), ["index.json"]);
    let plain = directory.path().join("plain");
    fs::write(&plain, b"").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}

#[test]
fn prune_keeps_the_most_recent() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    for (i, key) in ["old", "middle", "new"].into_iter().enumerate() {
        let path = store.put(key, &[0; 100]).unwrap();
        set_age(&path, Duration::from_secs(3600 * (3 - i as u64)));
    }
    let _guard = store.lock("old").unwrap();
    let limits = PruneLimits { max_bytes: Some(250), max_age: None };
    let pruned = store.prune(&limits).unwrap();
    assert_eq!((pruned.files, pruned.bytes, pruned.kept_bytes), (1, 100, 200));
    let limits = PruneLimits { max_bytes: None, max_age: Some(Duration::from_secs(5400)) };
    assert_eq!(store.prune(&limits).unwrap().files, 1);
    assert!(store.get("new").is_some());
    assert!(store.get("middle").is_none());
}
