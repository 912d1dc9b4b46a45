//! Contents of single files for plugins: read from a payload once, kept in memory for the run and,
//! when small, on disk.
//!
//! Who reads one file of a directory mostly reads its neighbours, too, so these are kept on the way:
//! a payload is unpacked once for all of them.

use crate::{
    ComposeError,
    packages::{PackageFile, PackageSet, read_all},
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, PoisonError},
};
use strata_rootfs::{Content, ReadContent};
use strata_rpm::{Checksum, FileEntry, Package};

/// Largest file that the cache keeps.
const LARGEST_KEPT: u64 = 64 << 10;
/// Largest file that is kept because a neighbour was asked for.
const LARGEST_NEIGHBOUR: u64 = 16 << 10;
/// Most neighbours, in the order of the header.
const MOST_NEIGHBOURS: usize = 256;

type ByFile = BTreeMap<(Checksum, u32), Arc<[u8]>>;

/// What was read in this run, by package and file index.
#[derive(Debug, Default)]
pub(crate) struct KnownContents {
    known: Mutex<ByFile>,
    /// One reader a package: the next one finds what the first one kept.
    readers: Mutex<BTreeMap<Checksum, Arc<Mutex<()>>>>,
}

impl KnownContents {
    fn get(&self, checksum: &Checksum, index: u32) -> Option<Arc<[u8]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(checksum.clone(), index)).cloned()
    }

    fn put(&self, checksum: &Checksum, index: u32, bytes: Arc<[u8]>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((checksum.clone(), index), bytes);
    }

    fn reader(&self, checksum: &Checksum) -> Arc<Mutex<()>> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(readers.entry(checksum.clone()).or_default())
    }
}

impl PackageSet {
    /// The content of one file of a package.
    pub fn content(&self, file: &PackageFile, index: u32) -> Result<Arc<[u8]>, ComposeError> {
        let checksum = &file.checksum;
        if let Some(bytes) = self.contents.get(checksum, index) {
            return Ok(bytes);
        }
        let reader = self.contents.reader(checksum);
        let _alone = reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = self.contents.get(checksum, index) {
            return Ok(bytes);
        }
        if let Some(bytes) = self.facts(checksum).contents.get(&index) {
            let bytes: Arc<[u8]> = bytes.as_slice().into();
            self.contents.put(checksum, index, Arc::clone(&bytes));
            return Ok(bytes);
        }
        let wanted = together(&file.package, index);
        if self.find_kept(file, &wanted).is_none() {
            self.unpack(file, index, &wanted)?;
        }
        self.contents.get(checksum, index).ok_or_else(|| {
            let name = &file.package.nevra;
            ComposeError::Internal(format!("the payload of `{name}` lacks its file {index}"))
        })
    }

    /// Takes a bundle from the cache; none unless all of it is what the header says.
    fn find_kept(&self, file: &PackageFile, wanted: &[u32]) -> Option<()> {
        let bytes = self.cache.facts.read(&bundle_key(file, wanted)?).ok()??;
        let mut rest = bytes.as_slice();
        let mut found = Vec::new();
        for index in wanted {
            let entry = file.package.files.get(*index as usize)?;
            let (content, others) = rest.split_at_checked(usize::try_from(entry.size).ok()?)?;
            if !is_content_of(entry, content) {
                return None;
            }
            found.push((*index, content));
            rest = others;
        }
        if !rest.is_empty() {
            return None;
        }
        for (index, content) in found {
            self.contents.put(&file.checksum, index, content.into());
        }
        Some(())
    }

    fn unpack(&self, file: &PackageFile, index: u32, wanted: &[u32]) -> Result<(), ComposeError> {
        let mut missing: BTreeSet<u32> = wanted.iter().copied().collect();
        let mut found: BTreeMap<u32, Arc<[u8]>> = BTreeMap::new();
        for index in wanted {
            if file.package.files.get(*index as usize).is_none_or(|entry| entry.size == 0) {
                missing.remove(index);
                found.insert(*index, Arc::from([].as_slice()));
            }
        }
        let mut enough = missing.is_empty();
        let read = if enough {
            Ok(())
        } else {
            file.read(&mut |at, size, content| {
                let members: Vec<u32> =
                    file.set(&at).iter().copied().filter(|one| missing.contains(one)).collect();
                if !members.is_empty() {
                    let bytes: Arc<[u8]> = read_all(size, content)?.into();
                    for member in members {
                        missing.remove(&member);
                        found.insert(member, Arc::clone(&bytes));
                    }
                }
                enough = missing.is_empty();
                if enough { Err(io::Error::other("enough was read")) } else { Ok(()) }
            })
        };
        // neighbours are a kindness: their absence is no error as long as the file itself is there
        if let Err(error) = read
            && !enough
            && !found.contains_key(&index)
        {
            return Err(error);
        }
        if let Some(key) = bundle_key(file, wanted)
            && wanted.iter().all(|one| found.contains_key(one))
        {
            let parts: Vec<&[u8]> =
                wanted.iter().filter_map(|one| found.get(one)).map(|bytes| &**bytes).collect();
            self.cache.facts.put_lazily(&key, &parts.concat())?;
        }
        for (index, bytes) in found {
            self.contents.put(&file.checksum, index, bytes);
        }
        Ok(())
    }
}

/// The files that are read together with this one: the same for each of them, so that they share
/// one entry of the cache.
fn together(package: &Package, index: u32) -> Vec<u32> {
    let small = |entry: &FileEntry| {
        entry.is_regular() && !entry.is_ghost() && entry.size <= LARGEST_NEIGHBOUR
    };
    let Some(own) = package.files.get(index as usize).filter(|entry| small(entry)) else {
        return vec![index];
    };
    let directory = |entry: &FileEntry| {
        let end = entry.path.iter().rposition(|b| *b == b'/').unwrap_or(0);
        entry.path.get(..end).unwrap_or_default().to_vec()
    };
    let wanted = directory(own);
    let all: Vec<u32> = (0u32..)
        .zip(&package.files)
        .filter(|(_, entry)| small(entry) && directory(entry) == wanted)
        .map(|(at, _)| at)
        .collect();
    let chunk = all.chunks(MOST_NEIGHBOURS).find(|chunk| chunk.contains(&index));
    chunk.map_or_else(|| vec![index], <[u32]>::to_vec)
}

/// Names what the cache keeps of these files; none for what is too large.
fn bundle_key(file: &PackageFile, wanted: &[u32]) -> Option<String> {
    let entry = file.package.files.get(*wanted.first()? as usize)?;
    let (checksum, first) = (&file.checksum, wanted.first()?);
    (entry.size <= LARGEST_KEPT)
        .then(|| format!("{}-{}-{first}.files", checksum.algorithm().name(), checksum.hex()))
}

/// Length and, where the header has a SHA-256, digest: a power cut may have cut the entry short.
fn is_content_of(entry: &FileEntry, bytes: &[u8]) -> bool {
    let digest = &entry.digest;
    entry.size == bytes.len() as u64
        && (digest.len() != 32 || digest.as_slice() == Sha256::digest(bytes).as_slice())
}

/// Contents of one image's tree.
pub(crate) struct ImageContents<'a> {
    /// The image's packages in installation order.
    pub files: &'a [&'a PackageFile],
    /// All packages of the run.
    pub packages: &'a PackageSet,
}

impl ReadContent for ImageContents<'_> {
    fn read(&self, content: &Content) -> io::Result<Arc<[u8]>> {
        match content {
            Content::Inline(bytes) => Ok(Arc::clone(bytes)),
            Content::Package { package, file } => {
                let Some(from) = self.files.get(package.0 as usize) else {
                    return Err(io::Error::other("the tree names a package that is not there"));
                };
                self.packages.content(from, *file).map_err(io::Error::other)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use crate::cache::Cache;
    use std::{fs, path::Path};
    use strata_oci::Digest as OciDigest;
    use strata_rpm::ChecksumAlgorithm;

    struct Bench {
        dir: tempfile::TempDir,
        checksum: Checksum,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let middle = "m".repeat(40_000);
            let large = "l".repeat(100_000);
            let bytes = strata_testkit::pack(
                r#"{"name": "p", "version": "1"}"#,
                &[
                    ("/a/one", "1"),
                    ("/a/empty", ""),
                    ("/a/two", "22"),
                    ("/a/middle", &middle),
                    ("/b/three", "333"),
                    ("/b/large", &large),
                ],
            );
            fs::write(dir.path().join("p.rpm"), &bytes).unwrap();
            let hex = OciDigest::of(&bytes).hex();
            let checksum = Checksum::new(ChecksumAlgorithm::Sha256, &hex).unwrap();
            Self { dir, checksum }
        }

        fn rpm(&self) -> std::path::PathBuf {
            self.dir.path().join("p.rpm")
        }

        fn open(&self) -> PackageSet {
            let cache = Cache::open(&self.dir.path().join("cache")).unwrap();
            PackageSet::open(&cache, vec![(self.checksum.clone(), self.rpm())]).unwrap()
        }

        fn read(&self, set: &PackageSet, path: &str) -> Option<String> {
            let file = set.get(&self.checksum).unwrap();
            let found =
                file.package.files.iter().position(|entry| entry.path == path.as_bytes()).unwrap();
            let bytes = set.content(file, u32::try_from(found).unwrap()).ok()?;
            Some(String::from_utf8(bytes.to_vec()).unwrap())
        }

        fn bundles(&self) -> Vec<std::path::PathBuf> {
            let entries = fs::read_dir(self.dir.path().join("cache/facts")).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            paths.filter(|path| path.extension().is_some_and(|end| end == "files")).collect()
        }
    }

    /// Leaves the headers, so that a payload cannot be read again.
    fn cut(path: &Path) {
        let bytes = fs::read(path).unwrap();
        let headers = strata_rpm::RpmFile::headers_len(&bytes).unwrap();
        fs::write(path, bytes.get(..headers).unwrap()).unwrap();
    }

    #[test]
    fn a_payload_is_unpacked_once_for_a_directory() {
        let bench = Bench::new();
        let set = bench.open();
        assert_eq!(bench.read(&set, "/a/two").as_deref(), Some("22"));
        assert_eq!(bench.read(&set, "/b/large").unwrap().len(), 100_000);
        cut(&bench.rpm());
        assert_eq!(bench.read(&set, "/a/one").as_deref(), Some("1"));
        assert_eq!(bench.read(&set, "/a/empty").as_deref(), Some(""));
        assert_eq!(bench.read(&set, "/b/large").unwrap().len(), 100_000);
        assert_eq!(bench.read(&set, "/b/three"), None, "nobody asked for it before");
    }

    #[test]
    fn small_files_are_there_in_the_next_run_and_damage_is_seen() {
        let bench = Bench::new();
        for path in ["/a/one", "/a/middle", "/b/large"] {
            assert!(bench.read(&bench.open(), path).is_some());
        }
        assert_eq!(bench.bundles().len(), 2, "the neighbours, and the middle one");
        let whole = fs::read(bench.rpm()).unwrap();
        cut(&bench.rpm());
        let set = bench.open();
        assert_eq!(bench.read(&set, "/a/two").as_deref(), Some("22"));
        assert_eq!(bench.read(&set, "/a/middle").unwrap().len(), 40_000);
        assert_eq!(bench.read(&set, "/b/large"), None, "too large to be kept");
        for damage in [b"".as_slice(), b"1", b"122x", b"222"] {
            for path in bench.bundles() {
                fs::write(path, damage).unwrap();
            }
            assert_eq!(bench.read(&bench.open(), "/a/two"), None);
        }
        fs::write(bench.rpm(), whole).unwrap();
        assert_eq!(bench.read(&bench.open(), "/a/two").as_deref(), Some("22"));
    }
}
