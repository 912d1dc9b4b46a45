//! What must be known of a package beyond its header: the contents of a few small files, and what
//! its libraries say of themselves.
//!
//! Two rounds, because reading libraries means unpacking: the early files decide numbers, place of
//! the rpmdb and search path, and are needed before layers get keys; ELF facts only for
//! `ld.so.cache`.

use crate::elf::{self, Elf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strata_rpm::{FileEntry, Package};

/// Longest early file that is read. Real ones have a few KiB.
pub const TEXT_LIMIT: u64 = 1 << 20;

/// What was read of one package, by file index. Depends on the package alone, so that it can be
/// cached by the package's checksum.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFacts {
    /// Contents of early files.
    #[serde(default)]
    pub contents: BTreeMap<u32, Vec<u8>>,
    /// Facts of libraries. Candidates that turned out to be none are absent.
    #[serde(default)]
    pub elf: BTreeMap<u32, Elf>,
}

impl PackageFacts {
    /// Takes in a file that [`wanted_early`] or [`wanted_elf`] named.
    pub fn absorb(&mut self, package: &Package, file: u32, bytes: &[u8]) {
        let Some(entry) = package.files.get(file as usize) else { return };
        if is_early(entry) {
            self.contents.insert(file, bytes.to_vec());
        } else if is_library(entry)
            && let Some(elf) = elf::inspect(bytes)
        {
            self.elf.insert(file, elf);
        }
    }

    /// The content of an early file by its path.
    pub fn content(&self, package: &Package, path: &[u8]) -> Option<&[u8]> {
        let index = package.files.iter().position(|file| file.path == path)?;
        self.contents.get(&u32::try_from(index).ok()?).map(Vec::as_slice)
    }
}

/// All files whose content matters.
pub fn wanted(package: &Package) -> Vec<u32> {
    indices(package, |file| is_early(file) || is_library(file))
}

/// The files that are needed before layers are numbered: accounts, os-release, ld.so.conf.
pub fn wanted_early(package: &Package) -> Vec<u32> {
    indices(package, is_early)
}

/// The files that may be libraries for `ldconfig`.
pub fn wanted_elf(package: &Package) -> Vec<u32> {
    indices(package, is_library)
}

/// Early files that are too large to be read, for a warning.
pub fn oversized(package: &Package) -> Vec<u32> {
    indices(package, |file| carries_content(file) && is_early_path(&file.path) && too_long(file))
}

fn indices(package: &Package, want: impl Fn(&FileEntry) -> bool) -> Vec<u32> {
    (0u32..).zip(&package.files).filter(|(_, file)| want(file)).map(|(index, _)| index).collect()
}

fn is_early(file: &FileEntry) -> bool {
    carries_content(file) && is_early_path(&file.path) && !too_long(file)
}

fn too_long(file: &FileEntry) -> bool {
    file.size > TEXT_LIMIT
}

fn carries_content(file: &FileEntry) -> bool {
    file.is_regular() && !file.is_ghost()
}

fn is_early_path(path: &[u8]) -> bool {
    const FILES: [&[u8]; 8] = [
        b"/etc/passwd",
        b"/etc/group",
        b"/etc/shadow",
        b"/etc/gshadow",
        b"/etc/os-release",
        b"/usr/lib/os-release",
        b"/etc/ld.so.conf",
        b"/usr/lib/ld.so.conf",
    ];
    const DIRECTORIES: [&[u8]; 4] = [
        b"/etc/ld.so.conf.d/",
        b"/usr/lib/sysusers.d/",
        b"/usr/local/lib/sysusers.d/",
        b"/etc/sysusers.d/",
    ];
    FILES.contains(&path)
        || path.ends_with(b".conf")
            && DIRECTORIES.iter().any(|directory| {
                path.strip_prefix(*directory).is_some_and(|name| !name.contains(&b'/'))
            })
}

/// Names that glibc's `ldconfig` looks at: `lib*.so*`, `ld-*.so*`, `ld.so.*`, `ld64.so.*`.
fn is_library(file: &FileEntry) -> bool {
    let name = crate::policy::split(&file.path).1;
    let shared = name.windows(3).any(|part| part == b".so");
    carries_content(file)
        && !is_early_path(&file.path)
        && file.size > 0
        && (name.starts_with(b"ld.so.")
            || name.starts_with(b"ld64.so.")
            || shared && (name.starts_with(b"lib") || name.starts_with(b"ld-")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{dir, file, link, package};

    #[test]
    fn names_the_files_to_read() {
        let large = FileEntry { size: TEXT_LIMIT + 1, ..file("/etc/group") };
        let ghost = FileEntry { flags: FileEntry::GHOST, ..file("/etc/shadow") };
        let package = package(
            "p",
            vec![
                file("/etc/passwd"),
                large,
                ghost,
                file("/usr/lib/sysusers.d/a.conf"),
                file("/usr/lib/sysusers.d/a/b.conf"),
                file("/usr/lib/sysusers.d/README"),
                file("/usr/lib64/libc.so.6"),
                link("/usr/lib64/libc.so", "libc.so.6"),
                file("/usr/lib64/ld-linux-x86-64.so.2"),
                file("/opt/x/libq.so"),
                file("/opt/x/plugin.so"),
                dir("/usr/lib/libdir.so"),
                file("/etc/ld.so.conf"),
            ],
        );
        assert_eq!(wanted_early(&package), [0, 3, 12]);
        assert_eq!(wanted_elf(&package), [6, 8, 9]);
        assert_eq!(wanted(&package), [0, 3, 6, 8, 9, 12]);
        assert_eq!(oversized(&package), [1]);
    }

    #[test]
    fn absorbs_by_kind() {
        let package = package("p", vec![file("/etc/passwd"), file("/usr/lib/liba.so")]);
        let mut facts = PackageFacts::default();
        facts.absorb(&package, 0, b"root:x:0:0::/:/bin/sh\n");
        facts.absorb(&package, 1, b"not an ELF file");
        facts.absorb(&package, 9, b"");
        assert_eq!(facts.content(&package, b"/etc/passwd").map(<[u8]>::len), Some(22));
        assert!(facts.elf.is_empty());
    }
}
