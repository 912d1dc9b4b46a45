//! What a repository offered at one moment.

use crate::{
    Base, RepoError, Warning,
    bytes::{Cursor, Writer},
    cache,
    decompress::{self, Checked},
    digest::sha256,
    filelists::{self, Hits},
    metadata::{self, Content, Origin},
    repomd::DataFile,
    session::Session,
};
use std::{
    collections::BTreeSet,
    io::{self, BufReader},
    sync::Arc,
};
use strata_rpm::{Checksum, PackageRecord};

/// Names the format of remembered answers, and its version.
const HITS_MAGIC: &[u8; 8] = b"strhits\x02";

/// The packages of a repository in one verified state.
#[derive(Debug)]
pub struct RepoSnapshot {
    /// The repository's id.
    pub id: String,
    /// Lower wins: see [`RepoDefinition`](crate::RepoDefinition).
    pub priority: i32,
    /// Lower wins among equal versions.
    pub cost: i32,
    /// SHA-256 of `repomd.xml`; of a directory of packages that of the sorted list of names and
    /// checksums. Equal digests mean equal packages.
    pub repomd: Checksum,
    /// The base that answered.
    pub base: Base,
    /// The other bases, in the definition's order.
    pub alternatives: Vec<Base>,
    /// The packages, without source packages and without what the definition excludes, in the
    /// repository's order.
    pub packages: Vec<PackageRecord>,
    /// What is not as it should be.
    pub warnings: Vec<Warning>,
    pub(crate) session: Arc<Session>,
    pub(crate) origin: Arc<Origin>,
}

impl RepoSnapshot {
    /// Where a package's file is, without credentials: for the lock and for people.
    pub fn url(&self, package: &PackageRecord) -> String {
        let base = crate::packages::own_base(package.location_base.as_deref(), &self.base);
        match base.as_ref().unwrap_or(&self.base).locate(&package.location) {
            Ok(location) => location.to_string(),
            Err(_) => package.location.clone(),
        }
    }

    /// Adds those of the `wanted` paths that the packages have to their records; a path with `*`, `?`
    /// or `[…]` is a pattern (see [`strata_rpm::glob`]). Reads the list of all files, which is large:
    /// ask once, with all that is wanted, and only for what `primary.xml` does not answer. The answer
    /// is kept in the cache.
    pub fn add_file_paths(&mut self, wanted: &BTreeSet<String>) -> Result<(), RepoError> {
        // of a directory of packages all files are known already
        let Content::Repomd(repomd) = &self.origin.content else { return Ok(()) };
        let Some(file) = repomd.get("filelists") else { return Ok(()) };
        if wanted.is_empty() {
            return Ok(());
        }
        let hits = self.find_files(file, wanted)?;
        for package in &mut self.packages {
            let Some(paths) = hits.get(package.checksum.hex()) else { continue };
            // a pattern may match many of them
            let known: BTreeSet<&String> = package.files.iter().collect();
            let new: Vec<String> =
                paths.iter().filter(|path| !known.contains(path)).cloned().collect();
            package.files.extend(new);
        }
        Ok(())
    }

    fn find_files(&self, file: &DataFile, wanted: &BTreeSet<String>) -> Result<Hits, RepoError> {
        let store = &self.session.cache.repos;
        let mut question = Writer::default();
        question.text(&file.checksum.to_string());
        wanted.iter().for_each(|path| question.text(path));
        let question = hex::encode(sha256(&question.into_bytes()));
        let key = format!("files-{}-{question}", HITS_MAGIC[7]);
        if let Some(hits) = store.read(&key)?.and_then(|bytes| decode(&bytes)) {
            return Ok(hits);
        }
        let _guard = cache::lock(store, "files", &question)?;
        if let Some(hits) = store.read(&key)?.and_then(|bytes| decode(&bytes)) {
            return Ok(hits);
        }
        let mut bases = self.alternatives.clone();
        bases.insert(0, self.base.clone());
        let raw = metadata::metadata_file(&self.session, &self.id, &bases, 0, file)?;
        let hits = search(&raw, file, wanted).map_err(|reason| RepoError::Metadata {
            repo: self.id.clone(),
            file: file.location.clone(),
            reason,
        })?;
        store.put(&key, &encode(&hits))?;
        Ok(hits)
    }
}

fn search(raw: &[u8], file: &DataFile, wanted: &BTreeSet<String>) -> Result<Hits, String> {
    let reader = decompress::reader(raw).map_err(|e| e.to_string())?;
    let sum = file.open_checksum.as_ref();
    let mut checked = BufReader::with_capacity(
        256 * 1024,
        Checked::new(reader, raw.len() as u64, file.open_size, sum),
    );
    let hits = filelists::find(&mut checked, wanted)?;
    // the checksum is compared at the very end
    io::copy(&mut checked, &mut io::sink()).map_err(|e| e.to_string())?;
    Ok(hits)
}

fn encode(hits: &Hits) -> Vec<u8> {
    let mut out = Writer::container(HITS_MAGIC);
    out.number(hits.len() as u64);
    for (package, paths) in hits {
        out.text(package);
        out.number(paths.len() as u64);
        paths.iter().for_each(|path| out.text(path));
    }
    out.seal()
}

fn decode(bytes: &[u8]) -> Option<Hits> {
    let mut cursor = Cursor::container(bytes, HITS_MAGIC)?;
    let mut hits = Hits::new();
    for _ in 0..cursor.count()? {
        let package = cursor.text()?.to_owned();
        let mut paths = Vec::new();
        for _ in 0..cursor.count()? {
            paths.push(cursor.text()?.to_owned());
        }
        hits.insert(package, paths);
    }
    Some(hits)
}
