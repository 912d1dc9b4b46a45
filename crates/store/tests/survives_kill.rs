//! A writer that is killed at any instant leaves whole files only, and its locks free.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};
use strata_store::Store;

const ROOT: &str = "STRATA_STORE_TEST_ROOT";
const SIZE: usize = 200_000;

fn content(i: u64) -> Vec<u8> {
    let byte = u8::try_from(i % 251).unwrap();
    vec![byte; SIZE]
}

/// The body of the child process; does nothing when run as an ordinary test.
#[test]
fn child_writes_until_killed() {
    let Some(root) = env::var_os(ROOT) else { return };
    let store = Store::open(Path::new(&root)).unwrap();
    let _guard = store.lock(&format!("writer-{}", std::process::id())).unwrap();
    for i in 0u64.. {
        store
            .put_with(&format!("file-{}", i % 40), |file| {
                for part in content(i).chunks(1000) {
                    file.write_all(part)?;
                }
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn killed_writers_leave_whole_files() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..12u64 {
        let mut children: Vec<_> = (0..2)
            .map(|_| {
                Command::new(env::current_exe().unwrap())
                    .args(["--exact", "child_writes_until_killed", "--nocapture"])
                    .env(ROOT, directory.path())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        thread::sleep(Duration::from_millis(60 + 17 * round));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let store = Store::open(directory.path()).unwrap();
        for i in 0..40 {
            let Some(bytes) = store.read(&format!("file-{i}")).unwrap() else { continue };
            assert_eq!(bytes.len(), SIZE, "file-{i} is not whole");
            assert!(bytes.iter().all(|b| *b == bytes[0]), "file-{i} mixes two contents");
        }
        for child in &children {
            assert!(store.try_lock(&format!("writer-{}", child.id())).unwrap().is_some());
        }
    }
    let written = fs::read_dir(directory.path())
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("file-"))
        .count();
    assert!(written > 0, "the children never got to write");
}
