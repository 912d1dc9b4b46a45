//! The unit files of the corpora.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use strata_plugin_systemd::files::memory::Memory;
use strata_rpm::{RpmFile, payload};

/// What a path is in a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file and its content.
    File(Vec<u8>),
    /// A link and its target.
    Link(String),
}

/// Unit files by their absolute path, of packages that do not get into each other's way.
pub type Tree = BTreeMap<String, Entry>;

/// Where units are.
pub const DIRECTORIES: [&str; 2] = ["/etc/systemd/system", "/usr/lib/systemd/system"];

/// All unit files: of a name that two packages have, each is in a tree of its own. None where
/// there is no corpus.
pub fn trees() -> Option<Vec<Tree>> {
    let units = strata_testkit::corpus_units()?;
    let repositories = strata_testkit::corpora()?;
    let mut packages = Vec::new();
    for package in list(&units) {
        let mut tree = Tree::new();
        from_directory(&package, "", &mut tree);
        packages.push(tree);
    }
    let mut seen = BTreeSet::new();
    for repository in repositories {
        for package in list(&repository.join("Packages")) {
            if seen.insert(package.file_name().map(ToOwned::to_owned)) {
                packages.push(from_rpm(&package));
            }
        }
    }
    let mut trees: Vec<Tree> = Vec::new();
    for package in packages.into_iter().filter(|package| !package.is_empty()) {
        if trees.iter().any(|tree| package.iter().all(|(path, e)| tree.get(path) == Some(e))) {
            continue;
        }
        let fits = |tree: &&mut Tree| package.keys().all(|path| !tree.contains_key(path));
        match trees.iter_mut().find(fits) {
            Some(tree) => tree.extend(package),
            None => trees.push(package),
        }
    }
    Some(trees)
}

/// The tree as an image.
pub fn image(tree: &Tree) -> Memory {
    let mut image = Memory::new();
    for (path, entry) in tree {
        image = match entry {
            Entry::File(content) => image.file(path, content),
            Entry::Link(target) => image.link(path, target),
        };
    }
    image
}

/// Services that are no links, by name; templates with an instance.
pub fn services(tree: &Tree) -> BTreeSet<String> {
    units(tree, ".service")
}

/// Units of a kind that are no links, by name; templates with an instance.
pub fn units(tree: &Tree, suffix: &str) -> BTreeSet<String> {
    let files = tree.iter().filter(|(_, entry)| matches!(entry, Entry::File(_)));
    files
        .filter_map(|(path, _)| {
            let (directory, name) = path.rsplit_once('/')?;
            let stem = name.strip_suffix(suffix)?;
            let instance = if stem.ends_with('@') { r"a-b\x2dc" } else { "" };
            DIRECTORIES.contains(&directory).then(|| format!("{stem}{instance}{suffix}"))
        })
        .collect()
}

fn list(directory: &Path) -> Vec<std::path::PathBuf> {
    let listing = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("cannot list `{}`: {error}", directory.display()));
    let mut paths: Vec<_> = listing.flatten().map(|item| item.path()).collect();
    paths.sort();
    paths
}

fn from_directory(root: &Path, below: &str, tree: &mut Tree) {
    for path in list(&root.join(below.trim_start_matches('/'))) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inner = format!("{below}/{name}");
        if path.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            tree.insert(inner, Entry::Link(target.to_string_lossy().into_owned()));
        } else if path.is_dir() {
            from_directory(root, &inner, tree);
        } else {
            tree.insert(inner, Entry::File(std::fs::read(&path).unwrap()));
        }
    }
}

fn from_rpm(path: &Path) -> Tree {
    let bytes = std::fs::read(path).unwrap();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let package = rpm.package().unwrap();
    let wanted = |path: &[u8]| {
        let path = String::from_utf8_lossy(path);
        DIRECTORIES.iter().any(|directory| path.starts_with(&format!("{directory}/")))
    };
    let mut tree = Tree::new();
    if !package.files.iter().any(|file| wanted(&file.path)) {
        return tree;
    }
    for file in package.files.iter().filter(|file| wanted(&file.path)) {
        let path = String::from_utf8_lossy(&file.path).into_owned();
        if file.is_symlink() {
            let target = String::from_utf8_lossy(&file.link_target).into_owned();
            tree.insert(path, Entry::Link(target));
        } else if file.is_regular() {
            tree.insert(path, Entry::File(Vec::new()));
        }
    }
    payload::read(&rpm, &package, &mut |index, _, content| {
        let file = &package.files[index as usize];
        if wanted(&file.path) {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            let path = String::from_utf8_lossy(&file.path).into_owned();
            tree.insert(path, Entry::File(bytes));
        }
        Ok(())
    })
    .unwrap();
    tree
}
