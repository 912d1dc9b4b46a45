//! `.rpm` files by checksum: downloaded once, or used where they are.

use crate::{
    Base, Event, FetchFailure, FetchReason, PackageOrigin, RepoError, RepoSnapshot,
    base::Location,
    cache,
    fetch::{self, Target, Wanted, first_of},
    session::Session,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use strata_rpm::{Checksum, PackageRecord};

/// A package that is wanted, and where it may be.
#[derive(Debug, Clone)]
pub struct PackageRequest<'a> {
    /// The repository's id, for messages.
    pub repo: &'a str,
    /// The package's name, for messages.
    pub package: String,
    /// Places to ask, in order. May be empty for what the cache is expected to hold.
    pub bases: Vec<&'a Base>,
    /// Where the file is, relative to each base.
    pub location: &'a str,
    /// A base of the package's own, which comes before the others.
    pub location_base: Option<&'a str>,
    /// The checksum of the whole file.
    pub checksum: &'a Checksum,
    /// Its size in bytes.
    pub size: u64,
}

impl<'a> PackageRequest<'a> {
    /// For a package of a snapshot.
    pub fn new(snapshot: &'a RepoSnapshot, package: &'a PackageRecord) -> Self {
        Self {
            repo: &snapshot.id,
            package: package.nevra.to_string(),
            bases: std::iter::once(&snapshot.base).chain(&snapshot.alternatives).collect(),
            location: &package.location,
            location_base: package.location_base.as_deref(),
            checksum: &package.checksum,
            size: package.size,
        }
    }
}

/// Hands out verified `.rpm` files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PackageStore {
    session: Arc<Session>,
}

impl PackageStore {
    pub(crate) fn new(session: Arc<Session>) -> Self {
        Self { session }
    }

    /// The file of one package. It is what the repository's metadata says it is; a file of a local
    /// repository stays where it is, anything else comes from the cache or over the network.
    pub fn fetch(&self, request: &PackageRequest<'_>) -> Result<PathBuf, RepoError> {
        let (path, origin) = self.find(request)?;
        let (repo, package, bytes) = (request.repo, request.package.as_str(), request.size);
        self.session.event(&Event::PackageReady { repo, package, bytes, origin });
        Ok(path)
    }

    /// The files of many packages, in the same order. Some are fetched at the same time; if several
    /// fail, the error is that of the first in the order of the requests.
    pub fn fetch_all(&self, requests: &[PackageRequest<'_>]) -> Result<Vec<PathBuf>, RepoError> {
        // what a stranger claims may add up to more than a number can hold
        let bytes = requests.iter().map(|request| request.size).fold(0, u64::saturating_add);
        self.session.event(&Event::PackagesWanted { count: requests.len(), bytes });
        let next = AtomicUsize::new(0);
        let first_error = Mutex::new(None::<(usize, RepoError)>);
        let workers = self.session.http.settings().parallel.clamp(1, requests.len().max(1));
        let mut done: Vec<(usize, PathBuf)> = thread::scope(|scope| {
            let work = || {
                let mut done = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(index) else { return done };
                    let lock = || first_error.lock().unwrap_or_else(PoisonError::into_inner);
                    // requests are taken in order, so all before a failed one are taken already
                    if lock().is_some() {
                        return done;
                    }
                    match self.fetch(request) {
                        Ok(path) => done.push((index, path)),
                        Err(error) => {
                            let mut first = lock();
                            if first.as_ref().is_none_or(|(other, _)| index < *other) {
                                *first = Some((index, error));
                            }
                            return done;
                        }
                    }
                }
            };
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .flat_map(|worker| match worker.join() {
                    Ok(done) => done,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        });
        if let Some((_, error)) = first_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        done.sort_by_key(|(index, _)| *index);
        Ok(done.into_iter().map(|(_, path)| path).collect())
    }

    fn find(&self, request: &PackageRequest<'_>) -> Result<(PathBuf, PackageOrigin), RepoError> {
        let session = &*self.session;
        let target =
            Target { repo: request.repo, name: &request.package, location: request.location };
        let wanted = Wanted { target, checksum: request.checksum, size: Some(request.size) };
        let trusted = request.bases.iter().all(|base| matches!(base, Base::Directory(_)));
        let own = match (request.bases.first(), request.location_base) {
            (Some(first), own) => own_base(own, first),
            (None, own) => own.and_then(|own| Base::parse(own, Path::new(""))),
        };
        let bases = own.iter().chain(request.bases.iter().copied());
        // local files first, so that nothing is copied that is at hand
        let mut failures = Vec::new();
        for base in bases.clone().filter(|_| trusted) {
            let Ok(Location::Path(path)) = base.locate(request.location) else { continue };
            match self.verify(&path, &wanted) {
                Ok(()) => return Ok((path, PackageOrigin::InPlace)),
                Err(reason) => {
                    failures.push(FetchFailure::new(base, path.display().to_string(), reason));
                }
            }
        }
        let store = &session.cache.packages;
        let key = format!("{}.rpm", fetch::key(request.checksum));
        if let Some(path) = self.cached(&key, &wanted)? {
            return Ok((path, PackageOrigin::Cached));
        }
        if trusted && own.is_none() {
            return Err(gone(target, failures));
        }
        let _guard = cache::lock(store, "package", request.checksum.hex())?;
        if let Some(path) = self.cached(&key, &wanted)? {
            return Ok((path, PackageOrigin::Cached));
        }
        first_of(session, target, bases, |_, location| match location {
            Location::Path(path) => {
                self.verify(path, &wanted)?;
                Ok((path.clone(), PackageOrigin::InPlace))
            }
            Location::Url(url) => {
                let path = fetch::download(session, &wanted, url, store, &key)?;
                session.verified.remember(&path, request.checksum);
                Ok((path, PackageOrigin::Downloaded))
            }
        })
    }

    /// The cached file, if it still is what its name says.
    fn cached(&self, key: &str, wanted: &Wanted<'_>) -> Result<Option<PathBuf>, RepoError> {
        let store = &self.session.cache.packages;
        let Some(path) = store.get(key) else { return Ok(None) };
        match self.verify(&path, wanted) {
            Ok(()) => Ok(Some(path)),
            Err(_) => {
                let warning = crate::Warning::CacheDamaged { key: key.to_owned() };
                self.session.event(&Event::Warning(&warning));
                store.remove(key)?;
                Ok(None)
            }
        }
    }

    /// Compares a local file with its description; hashes it only if it changed since the last time.
    fn verify(&self, path: &Path, wanted: &Wanted<'_>) -> Result<(), FetchReason> {
        let io = |e: std::io::Error| FetchReason::io(&e);
        let length = fs::metadata(path).map_err(io)?.len();
        if let Some(expected) = wanted.size.filter(|size| *size != length) {
            return Err(FetchReason::Size { expected, found: length });
        }
        let algorithm = wanted.checksum.algorithm();
        if crate::digest::hasher(algorithm).is_none() {
            return Err(FetchReason::WeakChecksum(algorithm.name()));
        }
        let (found, length) = self.session.verified.checksum(path, algorithm).map_err(io)?;
        wanted.check(&found, length)
    }
}

/// The error for a package that is neither where it should be nor in the cache.
fn gone(target: Target<'_>, mut failures: Vec<FetchFailure>) -> RepoError {
    if failures.is_empty() {
        let (location, reason) = (target.location.to_owned(), FetchReason::NotFound);
        failures.push(FetchFailure { location, reason, local: false });
    }
    target.error(failures)
}

/// The base that a package brings along. A repository on the network may not name a place on this
/// machine, and `media:` and the like mean the repository itself.
pub(crate) fn own_base(own: Option<&str>, repository: &Base) -> Option<Base> {
    let base = Base::parse(own?, Path::new(""))?;
    match (&base, repository) {
        (Base::Http(_), _) => Some(base),
        (Base::Directory(path), Base::Directory(_)) if path.is_absolute() => Some(base),
        (Base::Directory(_), _) => None,
    }
}
