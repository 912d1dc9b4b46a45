//! Packages for tests, built in code.

#![allow(clippy::unwrap_used, reason = "tests")]

use strata_rpm::{Evr, FileEntry, Nevra, Package};

pub(crate) fn package(name: &str, files: Vec<FileEntry>) -> Package {
    let evr = Evr { epoch: 0, version: "1".to_owned(), release: "1".to_owned() };
    let nevra = Nevra { name: name.to_owned(), evr, arch: "x86_64".to_owned() };
    Package { files, ..Package::new(nevra) }
}

/// A regular file, 0644 root:root, whose content is told apart by its path.
pub(crate) fn file(path: &str) -> FileEntry {
    FileEntry {
        path: path.as_bytes().to_vec(),
        mode: 0o100_644,
        size: 5,
        mtime: 1_600_000_000,
        user: "root".to_owned(),
        group: "root".to_owned(),
        flags: 0,
        digest: path.rsplit('/').next().unwrap().as_bytes().to_vec(),
        link_target: Vec::new(),
        rdev: 0,
        inode: 0,
        device: 1,
        lang: String::new(),
        color: 0,
        capabilities: None,
    }
}

pub(crate) fn dir(path: &str) -> FileEntry {
    FileEntry { mode: 0o040_755, size: 4096, digest: Vec::new(), ..file(path) }
}

pub(crate) fn link(path: &str, target: &str) -> FileEntry {
    FileEntry {
        mode: 0o120_777,
        size: target.len() as u64,
        digest: Vec::new(),
        link_target: target.as_bytes().to_vec(),
        ..file(path)
    }
}
