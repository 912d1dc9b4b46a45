//! The package files of a run: headers at hand, payloads read when a layer needs them, and the
//! facts that only a payload tells, kept by package checksum.

use crate::{ComposeError, cache::Cache, contents::KnownContents};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use strata_layer::{Contents, ContentsError};
use strata_oci::Digest;
use strata_rootfs::facts::{self, PackageFacts};
use strata_rpm::{
    Checksum, Header, Package, RpmFile,
    payload::{self, PayloadError},
};

/// Raise it when facts are read differently: older cache entries are then made again.
const FACTS_VERSION: u32 = 1;

/// One package file.
#[derive(Debug)]
pub(crate) struct PackageFile {
    /// Its identity.
    pub checksum: Checksum,
    path: PathBuf,
    /// Where the payload begins in the file.
    payload: u64,
    /// What its header says.
    pub package: Package,
    /// The signature header, for the rpmdb.
    pub signature: Header,
    /// The header, for the rpmdb.
    pub header: Header,
    /// Of a file in a hard link set: all members. Keyed by every member.
    sets: BTreeMap<u32, Arc<[u32]>>,
}

impl PackageFile {
    /// Reads and validates the headers of a file whose checksum was verified before.
    fn open(path: PathBuf, checksum: Checksum) -> Result<Self, ComposeError> {
        let wrong = |source: Box<dyn std::error::Error + Send + Sync>, hint: Option<String>| {
            ComposeError::Package { path: path.clone(), source, hint }
        };
        let prefix = read_headers(&path).map_err(|problem| match problem {
            Problem::Io(source) => ComposeError::read(&path, source),
            Problem::File(error) => {
                let hint = error.hint();
                wrong(error.into(), hint)
            }
        })?;
        let rpm = RpmFile::parse(&prefix).map_err(|e| wrong(e.clone().into(), e.hint()))?;
        rpm.verify_header().map_err(|e| wrong(e.clone().into(), e.hint()))?;
        let package = rpm.package().map_err(|e| {
            let hint = e.hint();
            wrong(e.into(), hint)
        })?;
        let sets = link_sets(&package);
        let (signature, header) = (rpm.signature, rpm.header);
        Ok(Self { checksum, package, signature, header, sets, payload: prefix.len() as u64, path })
    }

    /// Streams the payload as [`payload::read`] does.
    pub fn read(
        &self,
        each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ComposeError> {
        let failed = |error| ComposeError::read(&self.path, error);
        let mut file = BufReader::with_capacity(1 << 18, File::open(&self.path).map_err(failed)?);
        file.seek(SeekFrom::Start(self.payload)).map_err(failed)?;
        payload::read_from(&self.header, &self.package, &mut file, each).map_err(|e| match e {
            PayloadError::Read { source, .. } => failed(source),
            e => {
                ComposeError::Package { path: self.path.clone(), hint: e.hint(), source: e.into() }
            }
        })
    }

    /// The members of the file's hard link set, or the file alone.
    pub fn set<'a>(&'a self, file: &'a u32) -> &'a [u32] {
        self.sets.get(file).map_or(std::slice::from_ref(file), |set| &**set)
    }
}

enum Problem {
    Io(io::Error),
    File(strata_rpm::RpmFileError),
}

/// The start of the file up to the end of its headers.
fn read_headers(path: &Path) -> Result<Vec<u8>, Problem> {
    /// Most headers fit.
    const FIRST: usize = 64 << 10;
    let mut file = File::open(path).map_err(Problem::Io)?;
    let mut prefix = Vec::new();
    let mut want = FIRST;
    loop {
        let missing = want.saturating_sub(prefix.len()) as u64;
        let got = file.by_ref().take(missing).read_to_end(&mut prefix).map_err(Problem::Io)?;
        let needed = RpmFile::headers_len(&prefix).map_err(Problem::File)?;
        if needed <= prefix.len() {
            prefix.truncate(needed);
            return Ok(prefix);
        }
        if (got as u64) < missing {
            let have = prefix.len();
            return Err(Problem::File(strata_rpm::RpmFileError::Truncated { needed, have }));
        }
        want = needed;
    }
}

/// The hard link sets, keyed by every member.
fn link_sets(package: &Package) -> BTreeMap<u32, Arc<[u32]>> {
    let mut sets = BTreeMap::new();
    for members in package.hard_links() {
        let members: Arc<[u32]> = members.into();
        sets.extend(members.iter().map(|member| (*member, Arc::clone(&members))));
    }
    sets
}

/// What the cache holds of one package.
#[derive(Debug, Serialize, Deserialize)]
struct Kept<'a> {
    version: u32,
    libraries: bool,
    facts: Cow<'a, PackageFacts>,
}

/// What is known of one package.
#[derive(Debug, Clone)]
struct Known {
    /// Whether libraries were looked at, too.
    libraries: bool,
    facts: Arc<PackageFacts>,
}

/// The packages of a run by checksum.
pub(crate) struct PackageSet {
    files: BTreeMap<Checksum, PackageFile>,
    known: Mutex<BTreeMap<Checksum, Known>>,
    /// Contents that plugins asked for.
    pub contents: KnownContents,
    /// Where facts and contents are kept.
    pub cache: Cache,
}

impl PackageSet {
    /// Opens package files that were verified before.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn open(cache: &Cache, files: Vec<(Checksum, PathBuf)>) -> Result<Self, ComposeError> {
        let opened: Result<Vec<PackageFile>, ComposeError> = files
            .into_par_iter()
            .map(|(checksum, path)| PackageFile::open(path, checksum))
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
        let files = opened?.into_iter().map(|file| (file.checksum.clone(), file)).collect();
        let (known, contents) = (Mutex::default(), KnownContents::default());
        Ok(Self { files, known, contents, cache: cache.clone() })
    }

    /// A package of the set.
    pub fn get(&self, checksum: &Checksum) -> Result<&PackageFile, ComposeError> {
        self.files.get(checksum).ok_or_else(|| {
            ComposeError::Internal(format!("the package {checksum} is not part of this run"))
        })
    }

    /// Contents of the small files that are needed before layers are numbered, for every package.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn read_early(&self) -> Result<(), ComposeError> {
        let todo: Vec<&PackageFile> = self.files.values().collect();
        todo.par_iter()
            .map(|file| self.early(file).map(drop))
            .collect::<Vec<_>>()
            .into_iter()
            .collect()
    }

    /// Facts of libraries, for every one of these packages that a layer was not just made from.
    #[tracing::instrument(level = "debug", skip_all)]
    pub fn read_libraries(&self, of: &BTreeSet<Checksum>) -> Result<(), ComposeError> {
        let todo: Result<Vec<&PackageFile>, _> = of.iter().map(|one| self.get(one)).collect();
        let read = |file: &&PackageFile| {
            if self.known(&file.checksum).is_some_and(|known| known.libraries) {
                return Ok(());
            }
            let wanted = facts::wanted_elf(&file.package);
            let facts = (*self.early(file)?.facts).clone();
            self.keep(file, read_some(file, &wanted, facts)?, true).map(drop)
        };
        todo?.par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
    }

    /// What is known of a package's contents so far.
    pub fn facts(&self, checksum: &Checksum) -> Arc<PackageFacts> {
        self.known(checksum).map(|known| known.facts).unwrap_or_default()
    }

    fn known(&self, checksum: &Checksum) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(checksum).cloned()
    }

    fn early(&self, file: &PackageFile) -> Result<Known, ComposeError> {
        if let Some(known) = self.known(&file.checksum) {
            return Ok(known);
        }
        let stored = self.cache.facts.read(&facts_key(&file.checksum)).unwrap_or_default();
        let kept =
            stored.as_deref().and_then(|bytes| serde_json::from_slice::<Kept<'_>>(bytes).ok());
        match kept.filter(|kept| kept.version == FACTS_VERSION) {
            Some(kept) => Ok(self.remember(file, kept.facts.into_owned(), kept.libraries)),
            None => {
                let wanted = facts::wanted_early(&file.package);
                let libraries = facts::wanted_elf(&file.package).is_empty();
                self.keep(file, read_some(file, &wanted, PackageFacts::default())?, libraries)
            }
        }
    }

    fn remember(&self, file: &PackageFile, facts: PackageFacts, libraries: bool) -> Known {
        let known = Known { libraries, facts: Arc::new(facts) };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(file.checksum.clone(), known.clone());
        known
    }

    fn keep(
        &self,
        file: &PackageFile,
        facts: PackageFacts,
        libraries: bool,
    ) -> Result<Known, ComposeError> {
        // most packages have nothing to tell: their header says so, quicker than a file could
        if !facts.contents.is_empty() || !facts::wanted_elf(&file.package).is_empty() {
            let kept = Kept { version: FACTS_VERSION, libraries, facts: Cow::Borrowed(&facts) };
            let bytes = serde_json::to_vec(&kept).unwrap_or_default();
            // half of them are no JSON, and then they are read again
            self.cache.facts.put_lazily(&facts_key(&file.checksum), &bytes)?;
        }
        Ok(self.remember(file, facts, libraries))
    }
}

fn facts_key(checksum: &Checksum) -> String {
    format!("{}-{}.json", checksum.algorithm().name(), checksum.hex())
}

/// Reads some files' contents, and no more of the payload than that takes.
fn read_some(
    file: &PackageFile,
    wanted: &[u32],
    mut facts: PackageFacts,
) -> Result<PackageFacts, ComposeError> {
    let mut missing: BTreeSet<u32> = wanted.iter().copied().collect();
    missing.retain(|index| file.package.files.get(*index as usize).is_some_and(|f| f.size > 0));
    for index in wanted.iter().filter(|index| !missing.contains(index)) {
        facts.absorb(&file.package, *index, b"");
    }
    if missing.is_empty() {
        return Ok(facts);
    }
    let mut enough = false;
    let read = file.read(&mut |index, size, content| {
        let members: Vec<u32> =
            file.set(&index).iter().copied().filter(|member| missing.contains(member)).collect();
        if !members.is_empty() {
            let bytes = read_all(size, content)?;
            for member in members {
                facts.absorb(&file.package, member, &bytes);
                missing.remove(&member);
            }
        }
        if missing.is_empty() {
            enough = true;
            return Err(io::Error::other("enough was read"));
        }
        Ok(())
    });
    match read {
        Err(error) if !enough => Err(error),
        _ => Ok(facts),
    }
}

/// The whole content; the size comes from a header that the reader has checked against the payload.
pub(crate) fn read_all(size: u64, content: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).min(1 << 24));
    content.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The contents of layers: payloads, and bytes that were made in this run.
pub(crate) struct LayerContents<'a> {
    /// The packages.
    pub packages: &'a PackageSet,
    /// Generated files and those of the overlay.
    pub inline: &'a BTreeMap<Digest, Arc<[u8]>>,
}

impl Contents for LayerContents<'_> {
    /// Takes note of libraries on the way, so that no payload is unpacked twice.
    fn read_package(
        &self,
        checksum: &Checksum,
        each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ContentsError> {
        let file = self.packages.get(checksum)?;
        let known = self.packages.early(file)?;
        if known.libraries {
            let last = |index| file.set(&index).last().copied().unwrap_or(index);
            return Ok(file.read(&mut |index, size, content| each(last(index), size, content))?);
        }
        let wanted: BTreeSet<u32> = facts::wanted_elf(&file.package).into_iter().collect();
        let mut facts = (*known.facts).clone();
        file.read(&mut |index, size, content| {
            let set = file.set(&index);
            let last = set.last().copied().unwrap_or(index);
            let mut members = set.iter().filter(|member| wanted.contains(member)).peekable();
            if members.peek().is_none() {
                return each(last, size, content);
            }
            let bytes = read_all(size, content)?;
            for member in members {
                facts.absorb(&file.package, *member, &bytes);
            }
            each(last, size, &mut bytes.as_slice())
        })?;
        self.packages.keep(file, facts, true)?;
        Ok(())
    }

    fn inline(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.inline.get(digest).cloned()
    }
}
