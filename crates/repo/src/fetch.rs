//! One file from the first base that has it as it was described.

use crate::{
    Base, Event, FetchFailure, FetchReason, RepoError, Warning,
    base::{Location, redacted},
    cache,
    decompress::limit,
    digest::{hash_reader, hasher},
    http::{Get, GetError, Sink},
    session::Session,
};
use reqwest::Url;
use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use strata_rpm::{Checksum, Hasher};
use strata_store::{PendingFile, Store, StoreError};

/// The most that a metadata file may have: it is read whole. The largest real ones have 100 MiB.
const MOST_METADATA: u64 = 2 << 30;

/// Which file of which repository.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) repo: &'a str,
    /// For messages.
    pub(crate) name: &'a str,
    /// Relative to the base.
    pub(crate) location: &'a str,
}

impl Target<'_> {
    pub(crate) fn error(&self, failures: Vec<FetchFailure>) -> RepoError {
        let (repo, file) = (self.repo.to_owned(), self.name.to_owned());
        RepoError::Fetch { repo, file, failures }
    }
}

/// A file and what is known of its content.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) checksum: &'a Checksum,
    pub(crate) size: Option<u64>,
}

impl Wanted<'_> {
    /// Compares what was found with what is wanted.
    pub(crate) fn check(&self, found: &Checksum, length: u64) -> Result<(), FetchReason> {
        if let Some(expected) = self.size.filter(|size| *size != length) {
            return Err(FetchReason::Size { expected, found: length });
        }
        if found != self.checksum {
            let (expected, found) = (self.checksum.clone(), found.clone());
            return Err(FetchReason::Checksum { expected, found });
        }
        Ok(())
    }

    fn hasher(&self) -> Result<Hasher, FetchReason> {
        let algorithm = self.checksum.algorithm();
        hasher(algorithm).ok_or(FetchReason::WeakChecksum(algorithm.name()))
    }
}

/// A base's failure, or one that no other base can mend.
pub(crate) enum Stop {
    Failure(FetchReason),
    Fatal(RepoError),
}

impl From<FetchReason> for Stop {
    fn from(reason: FetchReason) -> Self {
        Self::Failure(reason)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Fatal(error.into())
    }
}

/// Asks the bases in order until one succeeds.
pub(crate) fn first_of<'b, T>(
    session: &Session,
    target: Target<'_>,
    bases: impl IntoIterator<Item = &'b Base>,
    mut one: impl FnMut(&Base, &Location) -> Result<T, Stop>,
) -> Result<T, RepoError> {
    let mut failures = Vec::new();
    let mut bases = bases.into_iter().peekable();
    while let Some(base) = bases.next() {
        let (location, outcome) = match base.locate(target.location) {
            Ok(location) => {
                let outcome = one(base, &location);
                (location.to_string(), outcome)
            }
            Err(reason) => (target.location.to_owned(), Err(reason.into())),
        };
        let reason = match outcome {
            Ok(value) => return Ok(value),
            Err(Stop::Fatal(error)) => return Err(error),
            Err(Stop::Failure(reason)) => reason,
        };
        let failure = FetchFailure::new(base, location, reason);
        if bases.peek().is_some() {
            let (repo, failure) = (target.repo.to_owned(), failure.to_string());
            session.event(&Event::Warning(&Warning::BaseFailed { repo, failure }));
        }
        failures.push(failure);
    }
    Err(target.error(failures))
}

/// The verified bytes of a metadata file. What comes over the network is kept, and made sure to
/// come once even if several processes want it at the same time.
pub(crate) fn metadata<'b>(
    session: &Session,
    wanted: &Wanted<'_>,
    mut bases: impl Iterator<Item = &'b Base> + Clone,
) -> Result<Vec<u8>, RepoError> {
    let store = &session.cache.repos;
    if wanted.size.is_some_and(|size| size > MOST_METADATA) {
        let location = wanted.target.location.to_owned();
        let reason = FetchReason::TooLarge(MOST_METADATA);
        let local = bases.all(|base| matches!(base, Base::Directory(_)));
        return Err(wanted.target.error(vec![FetchFailure { location, reason, local }]));
    }
    let key = format!("raw-{}", key(wanted.checksum));
    let remote = bases.clone().any(|base| matches!(base, Base::Http(_)));
    let mut guard = None;
    if remote {
        if let Some(bytes) = cached(session, store, &key, wanted)? {
            return Ok(bytes);
        }
        guard = Some(cache::lock(store, "raw", wanted.checksum.hex())?);
        if let Some(bytes) = cached(session, store, &key, wanted)? {
            return Ok(bytes);
        }
    }
    let bytes = first_of(session, wanted.target, bases, |_, location| match location {
        Location::Path(path) => Ok(read_verified(path, wanted)?),
        Location::Url(url) => {
            let path = download(session, wanted, url, store, &key)?;
            let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
            session.event(&Event::MetadataFetched {
                repo: wanted.target.repo,
                url: &redacted(url),
                bytes: bytes.len() as u64,
            });
            Ok(bytes)
        }
    });
    drop(guard);
    bytes
}

/// A file of the cache, if it is what its name says.
fn cached(
    session: &Session,
    store: &Store,
    key: &str,
    wanted: &Wanted<'_>,
) -> Result<Option<Vec<u8>>, RepoError> {
    let Some(path) = store.get(key) else { return Ok(None) };
    match read_verified(&path, wanted) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FetchReason::NotFound) => Ok(None),
        Err(_) => {
            session.event(&Event::Warning(&Warning::CacheDamaged { key: key.to_owned() }));
            store.remove(key)?;
            Ok(None)
        }
    }
}

/// Reads a local file whose size is known before it is read.
fn read_verified(path: &Path, wanted: &Wanted<'_>) -> Result<Vec<u8>, FetchReason> {
    let hasher = wanted.hasher()?;
    let file = File::open(path).map_err(|e| FetchReason::io(&e))?;
    let length = file.metadata().map_err(|e| FetchReason::io(&e))?.len();
    if let Some(expected) = wanted.size.filter(|size| *size != length) {
        return Err(FetchReason::Size { expected, found: length });
    }
    let mut bytes = Vec::new();
    // one more than expected: a file that grows meanwhile is noticed and not followed
    let mut bounded = file.take(length.saturating_add(1));
    bounded.read_to_end(&mut bytes).map_err(|e| FetchReason::io(&e))?;
    let (found, length) = hash_reader(hasher, bytes.as_slice()).map_err(|e| FetchReason::io(&e))?;
    wanted.check(&found, length)?;
    Ok(bytes)
}

/// Downloads into a store, verifying while it is written; nothing else gets the name.
pub(crate) fn download(
    session: &Session,
    wanted: &Wanted<'_>,
    url: &Url,
    store: &Store,
    key: &str,
) -> Result<PathBuf, Stop> {
    let hasher = wanted.hasher()?;
    let mut sink = FileSink { pending: store.begin(key)?, hasher, wanted };
    let url_text = redacted(url);
    let on_retry = |attempt: u32, reason: &FetchReason| {
        let reason = reason.to_string();
        session.event(&Event::Retry { url: &url_text, attempt, reason: &reason });
    };
    let get = Get { url, size: wanted.size, limit: limit(0, None), on_retry: &on_retry };
    let length = session.http.get(&get, &mut sink).map_err(|error| match error {
        GetError::Reason(reason) => Stop::Failure(reason),
        GetError::Sink(error) => Stop::Fatal(sink.pending.write_error(error).into()),
    })?;
    let FileSink { pending, hasher, .. } = sink;
    wanted.check(&hasher.finish(), length)?;
    let path = pending.commit()?;
    Ok(path)
}

/// The name of the file with this checksum.
pub(crate) fn key(checksum: &Checksum) -> String {
    format!("{}-{}", checksum.algorithm().name(), checksum.hex())
}

struct FileSink<'a> {
    pending: PendingFile,
    hasher: Hasher,
    wanted: &'a Wanted<'a>,
}

impl Sink for FileSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.pending.write_all(bytes)
    }

    fn restart(&mut self) -> io::Result<()> {
        if let Some(hasher) = hasher(self.wanted.checksum.algorithm()) {
            self.hasher = hasher;
        }
        let file = self.pending.file_mut();
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(())
    }
}
