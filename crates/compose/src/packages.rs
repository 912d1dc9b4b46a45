//! The package files of a run: headers at hand, payloads read when a layer needs them, and the
//! facts that only a payload tells, kept by package checksum.

use crate::{
    ComposeError,
    cache::Cache,
    contents::KnownContents,
    package_file::{PackageFile, read_all},
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use strata_layer::{Contents, ContentsError};
use strata_oci::Digest;
use strata_rootfs::facts::{self, PackageFacts};
use strata_rpm::Checksum;

/// Raise it when facts are read differently: older cache entries are then made again.
const FACTS_VERSION: u32 = 1;

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
            self.keep(file, read_some(file, &wanted, facts)?, true);
            Ok(())
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
                let facts = read_some(file, &wanted, PackageFacts::default())?;
                Ok(self.keep(file, facts, libraries))
            }
        }
    }

    fn remember(&self, file: &PackageFile, facts: PackageFacts, libraries: bool) -> Known {
        let known = Known { libraries, facts: Arc::new(facts) };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(file.checksum.clone(), known.clone());
        known
    }

    fn keep(&self, file: &PackageFile, facts: PackageFacts, libraries: bool) -> Known {
        // most packages have nothing to tell: their header says so, quicker than a file could
        if !facts.contents.is_empty() || !facts::wanted_elf(&file.package).is_empty() {
            let kept = Kept { version: FACTS_VERSION, libraries, facts: Cow::Borrowed(&facts) };
            let bytes = serde_json::to_vec(&kept).unwrap_or_default();
            // half of them are no JSON, and then they are read again
            self.store(&facts_key(&file.checksum), &bytes);
        }
        self.remember(file, facts, libraries)
    }

    /// Keeps something for the next run. Whoever cannot write it has it all the same.
    pub fn store(&self, key: &str, bytes: &[u8]) {
        if let Err(error) = self.cache.facts.put_lazily(key, bytes) {
            tracing::debug!("not kept: {error}");
        }
    }
}

fn facts_key(checksum: &Checksum) -> String {
    format!("{}-{}.json", checksum.algorithm().name(), checksum.hex())
}

/// Adds what some files tell.
fn read_some(
    file: &PackageFile,
    wanted: &[u32],
    mut facts: PackageFacts,
) -> Result<PackageFacts, ComposeError> {
    file.read_files(wanted, &mut |members, bytes| {
        for member in members {
            facts.absorb(&file.package, *member, bytes);
        }
    })?;
    Ok(facts)
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
        self.packages.keep(file, facts, true);
        Ok(())
    }

    fn inline(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.inline.get(digest).cloned()
    }
}
