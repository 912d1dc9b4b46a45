//! A directory on disk as a tree, for comparing with programs that work on directories.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::{
    Content, Kind, LinkSet, Node, PackageIndex, Tree, TreePath,
    elf::{self, Elf},
    ldconfig::Sources,
};

/// A tree and the bytes or facts of the files that `ldconfig` asks for.
pub struct Disk {
    pub tree: Tree,
    texts: BTreeMap<u32, Vec<u8>>,
    elves: BTreeMap<u32, Elf>,
}

const PACKAGE: PackageIndex = PackageIndex(0);

impl Disk {
    pub fn read(root: &Path) -> Self {
        let mut disk =
            Self { tree: Tree::default(), texts: BTreeMap::new(), elves: BTreeMap::new() };
        let mut links = BTreeMap::new();
        let mut count = 0;
        let mut todo: Vec<PathBuf> = vec![root.to_path_buf()];
        while let Some(directory) = todo.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                let meta = fs::symlink_metadata(&path).unwrap();
                let file = count;
                count += 1;
                let kind = if meta.is_dir() {
                    todo.push(path.clone());
                    Kind::Directory
                } else if meta.is_symlink() {
                    let target = fs::read_link(&path).unwrap();
                    Kind::Symlink { target: target.into_os_string().into_encoded_bytes() }
                } else if meta.is_file() {
                    disk.keep(file, &path);
                    let inode = (meta.dev(), meta.ino());
                    let leader = *links.entry(inode).or_insert(file);
                    Kind::File {
                        size: meta.len(),
                        content: Content::Package { package: PACKAGE, file },
                        capabilities: None,
                        links: (meta.nlink() > 1).then_some(LinkSet { package: PACKAGE, leader }),
                    }
                } else {
                    assert!(!meta.file_type().is_socket());
                    Kind::Fifo
                };
                let inside = path.strip_prefix(root).unwrap().as_os_str().as_encoded_bytes();
                let node = Node { kind, ..Node::implied_directory() };
                disk.tree.insert(TreePath::new(inside).unwrap(), node);
            }
        }
        disk
    }

    fn keep(&mut self, file: u32, path: &Path) {
        let bytes = fs::read(path).unwrap();
        if let Some(elf) = elf::inspect(&bytes) {
            self.elves.insert(file, elf);
        }
        if path.extension().is_some_and(|e| e == "conf") {
            self.texts.insert(file, bytes);
        }
    }

    /// Every symbolic link with its target.
    pub fn symlinks(&self) -> BTreeMap<TreePath, Vec<u8>> {
        let links = self.tree.iter().filter_map(|(path, node)| match &node.kind {
            Kind::Symlink { target } => Some((path.clone(), target.clone())),
            _ => None,
        });
        links.collect()
    }
}

impl Sources for Disk {
    fn text(&self, content: &Content) -> Option<&[u8]> {
        match content {
            Content::Package { file, .. } => self.texts.get(file).map(Vec::as_slice),
            Content::Inline(_) => None,
        }
    }

    fn elf(&self, content: &Content) -> Option<&Elf> {
        match content {
            Content::Package { file, .. } => self.elves.get(file),
            Content::Inline(_) => None,
        }
    }
}

/// Whether all programs are there. `STRATA_REQUIRE_CORPUS=1` makes it an error when one is not.
#[allow(clippy::print_stderr, reason = "a note for who runs the tests")]
pub fn have(programs: &[&str]) -> bool {
    let runs = |program: &&&str| Command::new(program).arg("--version").output().is_err();
    let missing: Vec<_> = programs.iter().filter(runs).collect();
    if !missing.is_empty() {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "missing: {missing:?}");
        eprintln!("skipped, missing: {missing:?}");
    }
    missing.is_empty()
}

/// The packages in a directory and below it, sorted.
pub fn packages_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![directory.to_path_buf()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "no packages in {}", directory.display());
    found.sort();
    found
}
