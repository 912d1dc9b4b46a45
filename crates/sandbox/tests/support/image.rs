//! The tree of real packages, with the contents of their files.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};
use strata_rootfs::{MergeTask, Owners, PackageIndex, Tree, merge, scriptlets::Contents};
use strata_rpm::{Package, RpmFile};
use strata_testkit::{Set, corpus};

type Files = BTreeMap<u32, Arc<[u8]>>;

/// An image of all packages of a set.
pub struct Image {
    pub packages: Vec<Package>,
    pub tree: Tree,
    files: Vec<Vec<u8>>,
    read: Mutex<BTreeMap<u32, Files>>,
}

impl Image {
    /// None where there is no corpus.
    pub fn new(set: Set) -> Option<Self> {
        let directory = corpus(set)?.join("Packages");
        let mut paths: Vec<_> =
            fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "rpm"));
        paths.sort();
        // one of each name, the newest last by name; and the links of directories first
        let mut newest: BTreeMap<String, (Package, Vec<u8>)> = BTreeMap::new();
        for path in paths {
            let bytes = fs::read(&path).unwrap();
            let package = RpmFile::parse(&bytes).unwrap().package().unwrap();
            newest.insert(package.nevra.name.clone(), (package, bytes));
        }
        let mut all: Vec<_> = newest.into_values().collect();
        all.sort_by_key(|(package, _)| {
            !matches!(&*package.nevra.name, "base-files" | "filesystem")
        });
        let (packages, files): (Vec<Package>, Vec<Vec<u8>>) = all.into_iter().unzip();
        let owners = Owners::default();
        let merged = merge(&MergeTask {
            packages: &packages.iter().collect::<Vec<_>>(),
            docs: false,
            filters: &[],
            langs: None,
            owners: &owners,
            color: 2,
        })
        .unwrap();
        Some(Self { packages, tree: merged.tree, files, read: Mutex::default() })
    }
}

impl Contents for Image {
    fn read(&self, package: PackageIndex, file: u32) -> Option<Arc<[u8]>> {
        let mut read = self.read.lock().unwrap();
        let header = self.packages.get(package.0 as usize)?;
        let files = read.entry(package.0).or_insert_with(|| {
            let rpm = RpmFile::parse(&self.files[package.0 as usize]).unwrap();
            let mut files = Files::new();
            strata_rpm::payload::read(&rpm, header, &mut |index, _, content| {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                files.insert(index, bytes.into());
                Ok(())
            })
            .unwrap();
            files
        });
        let entry = header.files.get(file as usize)?;
        if let Some(bytes) = files.get(&file) {
            return Some(Arc::clone(bytes));
        }
        if entry.size == 0 {
            return Some(Arc::new([]));
        }
        // another name of the file carries the bytes
        let other = (0u32..).zip(&header.files).find(|(at, other)| {
            other.inode == entry.inode && other.device == entry.device && files.contains_key(at)
        })?;
        files.get(&other.0).cloned()
    }
}
