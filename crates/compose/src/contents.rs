//! Contents of single files for plugins: read from a payload once, kept in memory for a while and,
//! when small, on disk.
//!
//! Who reads one file of a directory mostly reads its neighbours, too, so small ones are kept on
//! the way. Who comes back to a package for more gets a large piece of it: however many of its
//! files are read, it is unpacked once for each piece, and not once for each file.

use crate::{ComposeError, ErrorKind, package_file::PackageFile, packages::PackageSet};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
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
/// Bytes of a piece. A larger file is a piece of its own.
const PIECE: u64 = 16 << 20;
/// Bytes that are in memory for the run. What was read first goes first.
const MOST_KNOWN: u64 = 256 << 20;

/// Names one file of one package.
type FileKey = (Checksum, u32);

/// What was read, by package and file index.
#[derive(Debug, Default)]
struct Known {
    files: BTreeMap<FileKey, Arc<[u8]>>,
    /// What was read together, the oldest first, and how many bytes that is.
    pieces: VecDeque<(Vec<FileKey>, u64)>,
    bytes: u64,
    /// Files of which the cache has what it is to have.
    stored: BTreeSet<FileKey>,
}

impl Known {
    fn put(&mut self, checksum: &Checksum, found: &BTreeMap<u32, Arc<[u8]>>, most: u64) {
        let mut keys = Vec::new();
        // the names of one file share their bytes
        let mut distinct = BTreeMap::new();
        for (index, bytes) in found {
            let key = (checksum.clone(), *index);
            // what is known already belongs to the piece that it came with
            if let Entry::Vacant(free) = self.files.entry(key.clone()) {
                free.insert(Arc::clone(bytes));
                distinct.insert(bytes.as_ptr(), bytes.len() as u64);
                keys.push(key);
            }
        }
        let size = distinct.into_values().sum();
        self.pieces.push_back((keys, size));
        self.bytes = self.bytes.saturating_add(size);
        while self.bytes > most
            && self.pieces.len() > 1
            && let Some((keys, size)) = self.pieces.pop_front()
        {
            keys.iter().for_each(|key| drop(self.files.remove(key)));
            self.bytes = self.bytes.saturating_sub(size);
        }
    }
}

/// Contents that were read in this run, as far as they are still known.
#[derive(Debug)]
pub(crate) struct KnownContents {
    known: Mutex<Known>,
    /// One reader a package, with the number of times it unpacked it: the next one finds what the
    /// first one left.
    readers: Mutex<BTreeMap<Checksum, Arc<Mutex<usize>>>>,
    most: u64,
}

impl Default for KnownContents {
    fn default() -> Self {
        Self { known: Mutex::default(), readers: Mutex::default(), most: MOST_KNOWN }
    }
}

impl KnownContents {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &FileKey) -> Option<Arc<[u8]>> {
        self.known().files.get(key).cloned()
    }

    fn put(&self, checksum: &Checksum, found: &BTreeMap<u32, Arc<[u8]>>) {
        self.known().put(checksum, found, self.most);
    }

    fn reader(&self, checksum: &Checksum) -> Arc<Mutex<usize>> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(readers.entry(checksum.clone()).or_default())
    }
}

impl PackageSet {
    /// The content of one file of a package.
    pub fn content(&self, file: &PackageFile, index: u32) -> Result<Arc<[u8]>, ComposeError> {
        let key = (file.checksum.clone(), index);
        let settled = {
            let known = self.contents.known();
            known.files.get(&key).filter(|_| known.stored.contains(&key)).cloned()
        };
        if let Some(bytes) = settled {
            return Ok(bytes);
        }
        let reader = self.contents.reader(&file.checksum);
        let mut unpacked = reader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = self.facts(&file.checksum).contents.get(&index) {
            let bytes: Arc<[u8]> = bytes.as_slice().into();
            self.contents.put(&file.checksum, &[(index, Arc::clone(&bytes))].into());
            self.contents.known().stored.insert(key);
            return Ok(bytes);
        }
        let bundle = together(&file.package, index);
        if let Some(bytes) = self.contents.get(&key) {
            self.store_bundle(file, &bundle, &BTreeMap::new());
            return Ok(bytes);
        }
        if let Some(found) = self.find_kept(file, &bundle)
            && let Some(bytes) = found.get(&index).cloned()
        {
            self.contents.put(&file.checksum, &found);
            self.settle(file, &bundle);
            return Ok(bytes);
        }
        // whoever comes again may come for all of it
        let mut wanted: BTreeSet<u32> = bundle.iter().copied().collect();
        if *unpacked > 0 {
            wanted.extend(piece(&file.package, index));
        }
        *unpacked += 1;
        let wanted: Vec<u32> = wanted.into_iter().collect();
        let mut found: BTreeMap<u32, Arc<[u8]>> = BTreeMap::new();
        let read = file.read_files(&wanted, &mut |members, bytes| {
            let bytes: Arc<[u8]> = bytes.into();
            found.extend(members.iter().map(|member| (*member, Arc::clone(&bytes))));
        });
        let Some(bytes) = found.get(&index).cloned() else {
            // neighbours are a kindness: their absence is no error as long as the file is there
            read?;
            let name = &file.package.nevra;
            let why = format!("the payload of `{name}` lacks its file {index}");
            return Err(ComposeError::Internal(why));
        };
        self.contents.put(&file.checksum, &found);
        self.store_bundle(file, &bundle, &found);
        Ok(bytes)
    }

    /// Takes a bundle from the cache; none unless all of it is what the header says.
    fn find_kept(&self, file: &PackageFile, bundle: &[u32]) -> Option<BTreeMap<u32, Arc<[u8]>>> {
        let bytes = self.cache.facts.read(&bundle_key(file, bundle)?).ok()??;
        let mut rest = bytes.as_slice();
        let mut found = BTreeMap::new();
        for index in bundle {
            let entry = file.package.files.get(*index as usize)?;
            let (content, others) = rest.split_at_checked(usize::try_from(entry.size).ok()?)?;
            if !is_content_of(entry, content) {
                return None;
            }
            found.insert(*index, content.into());
            rest = others;
        }
        rest.is_empty().then_some(found)
    }

    /// Writes a bundle that was read: from `found`, or from what is known.
    fn store_bundle(&self, file: &PackageFile, bundle: &[u32], found: &BTreeMap<u32, Arc<[u8]>>) {
        if let Some(key) = bundle_key(file, bundle) {
            let part = |index: &u32| {
                let known = || self.contents.get(&(file.checksum.clone(), *index));
                found.get(index).cloned().or_else(known)
            };
            let parts: Option<Vec<Arc<[u8]>>> = bundle.iter().map(part).collect();
            if let Some(parts) = parts {
                self.store(&key, &parts.concat());
            }
        }
        self.settle(file, bundle);
    }

    fn settle(&self, file: &PackageFile, bundle: &[u32]) {
        let keys = bundle.iter().map(|index| (file.checksum.clone(), *index));
        self.contents.known().stored.extend(keys);
    }
}

/// Whether a file's content comes from the payload, and is as small as that or larger.
fn is_readable(entry: &FileEntry, small: bool) -> bool {
    entry.is_regular() && !entry.is_ghost() && (entry.size <= LARGEST_NEIGHBOUR) == small
}

/// The directory of a file's path.
fn directory(entry: &FileEntry) -> &[u8] {
    let end = entry.path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    entry.path.get(..end).unwrap_or_default()
}

/// The files that are read together with this one: the same for each of them, so that they share
/// one entry of the cache.
fn together(package: &Package, index: u32) -> Vec<u32> {
    let Some(own) = package.files.get(index as usize).filter(|own| is_readable(own, true)) else {
        return vec![index];
    };
    let wanted = directory(own);
    let all: Vec<u32> = (0u32..)
        .zip(&package.files)
        .filter(|(_, entry)| is_readable(entry, true) && directory(entry) == wanted)
        .map(|(at, _)| at)
        .collect();
    let chunk = all.chunks(MOST_NEIGHBOURS).find(|chunk| chunk.contains(&index));
    chunk.map_or_else(|| vec![index], <[u32]>::to_vec)
}

/// The piece of the package that a file is in: files of its class, small or large, that follow each
/// other in the header, of [`PIECE`] bytes at most.
fn piece(package: &Package, index: u32) -> Vec<u32> {
    let small = package.files.get(index as usize).is_some_and(|own| is_readable(own, true));
    let (mut piece, mut bytes) = (Vec::new(), 0_u64);
    for (at, entry) in (0u32..).zip(&package.files) {
        if !is_readable(entry, small) {
            continue;
        }
        bytes = bytes.saturating_add(entry.size);
        if bytes > PIECE {
            if at > index {
                break;
            }
            piece.clear();
            bytes = entry.size;
        }
        piece.push(at);
    }
    piece
}

/// Names what the cache keeps of these files; none for what is too large.
fn bundle_key(file: &PackageFile, bundle: &[u32]) -> Option<String> {
    let (checksum, first) = (&file.checksum, bundle.first()?);
    let entry = file.package.files.get(*first as usize)?;
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
    files: &'a [&'a PackageFile],
    packages: &'a PackageSet,
    trouble: Mutex<Option<ErrorKind>>,
}

impl<'a> ImageContents<'a> {
    /// Of the image's packages in installation order, which are packages of the run.
    pub fn new(files: &'a [&'a PackageFile], packages: &'a PackageSet) -> Self {
        Self { files, packages, trouble: Mutex::default() }
    }

    /// Whose fault it was, if something could not be read.
    pub fn trouble(&self) -> Option<ErrorKind> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReadContent for ImageContents<'_> {
    fn read(&self, content: &Content) -> io::Result<Arc<[u8]>> {
        match content {
            Content::Inline(bytes) => Ok(Arc::clone(bytes)),
            Content::Package { package, file } => {
                let Some(from) = self.files.get(package.0 as usize) else {
                    return Err(io::Error::other("the tree names a package that is not there"));
                };
                self.packages.content(from, *file).map_err(|error| {
                    let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
                    trouble.get_or_insert(error.kind());
                    io::Error::other(error)
                })
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
            let middle = "m".repeat(40_000);
            let large = "l".repeat(100_000);
            Self::of(&[
                ("/a/one", "1"),
                ("/a/empty", ""),
                ("/a/two", "22"),
                ("/a/middle", &middle),
                ("/b/three", "333"),
                ("/b/large", &large),
            ])
        }

        fn of(files: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let bytes = strata_testkit::pack(r#"{"name": "p", "version": "1"}"#, files);
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

        /// How often the payload was unpacked.
        fn unpacked(&self, set: &PackageSet) -> usize {
            let file = set.get(&self.checksum).unwrap();
            file.reads.load(std::sync::atomic::Ordering::Relaxed)
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

    /// Each in its directory: 40 large ones of 20 MB together, and 40 small ones.
    fn many() -> Vec<(String, String)> {
        let large = (0..40).map(|n| (format!("/l/{n}/large"), format!("{n:02}").repeat(250_000)));
        let small = (0..40).map(|n| (format!("/s/{n}/small"), format!("{n}")));
        large.chain(small).collect()
    }

    #[test]
    fn many_files_of_a_package_do_not_unpack_it_as_often() {
        let files = many();
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
        let bench = Bench::of(&files);
        let set = bench.open();
        for (path, text) in &files {
            assert_eq!(bench.read(&set, path).as_deref(), Some(*text), "{path}");
        }
        // the first alone, two pieces of large ones, one of small ones
        assert_eq!(bench.unpacked(&set), 4);
        // what was found in memory is kept for the next run all the same
        let next = bench.open();
        for (path, text) in files.iter().filter(|(path, _)| path.starts_with("/s/")) {
            assert_eq!(bench.read(&next, path).as_deref(), Some(*text), "{path}");
        }
        assert_eq!(bench.unpacked(&next), 0);
    }

    #[test]
    fn what_is_known_is_bounded() {
        let files = many();
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (&**a, &**b)).collect();
        let bench = Bench::of(&files);
        let mut set = bench.open();
        set.contents.most = 17 << 20;
        for (path, text) in files.iter().chain(&files) {
            assert_eq!(bench.read(&set, path).as_deref(), Some(*text), "{path}");
            let known = set.contents.known();
            assert!(known.bytes <= 17 << 20, "{}", known.bytes);
            let distinct: u64 = known.files.values().map(|bytes| bytes.len() as u64).sum();
            assert_eq!(known.bytes, distinct);
        }
        assert!(bench.unpacked(&set) <= 12, "{}", bench.unpacked(&set));
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_no_reason_to_fail() {
        let bench = Bench::new();
        let set = bench.open();
        fs::remove_dir_all(bench.dir.path().join("cache")).unwrap();
        fs::write(bench.dir.path().join("cache"), "").unwrap();
        assert!(set.read_early().is_ok());
        assert_eq!(bench.read(&set, "/a/two").as_deref(), Some("22"));
    }
}
