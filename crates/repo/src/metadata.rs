//! From a repository's bases to its packages.

use crate::{
    Base, Event, FetchReason, RepoDefinition, RepoError, RepoSnapshot, Warning,
    base::{Location, redacted},
    cache,
    decompress::{self, Checked},
    digest::sha256_checksum,
    directory::Listing,
    fetch::{self, Stop, Target, Wanted, first_of},
    filter,
    http::{Get, GetError},
    parsed,
    primary::{self, Packages},
    repomd::{self, DataFile, Repomd},
    session::Session,
};
use std::{fs::File, io::Read, path::Path, sync::Arc};
use strata_rpm::Checksum;

/// Packages of a repository that are left out beyond this many are only counted.
const MOST_WARNINGS: usize = 10;

/// The state of a repository when it was asked.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Which of the bases answered.
    pub(crate) base: usize,
    /// Names the state.
    pub(crate) digest: Checksum,
    pub(crate) content: Content,
}

#[derive(Debug)]
pub(crate) enum Content {
    Repomd(Repomd),
    Listing(Listing),
}

/// Asks the bases in order for `repomd.xml`; a directory without one is a directory of packages.
pub(crate) fn ask(session: &Session, repo: &str, bases: &[Base]) -> Result<Origin, RepoError> {
    let target = Target { repo, name: repomd::PATH, location: repomd::PATH };
    first_of(session, target, bases, |base, location| {
        let position = bases.iter().position(|one| one == base).unwrap_or_default();
        if let (Base::Directory(directory), Location::Path(path)) = (base, location)
            && !path.exists()
            && directory.is_dir()
        {
            let listing = Listing::read(session, repo, directory).map_err(Stop::Fatal)?;
            let digest = listing.digest();
            return Ok(Origin { base: position, digest, content: Content::Listing(listing) });
        }
        let bytes = match location {
            Location::Path(path) => read_repomd(path)?,
            Location::Url(url) => fetch_repomd(session, repo, url)?,
        };
        let repomd = Repomd::parse(&bytes).map_err(FetchReason::Content)?;
        let digest = sha256_checksum(&bytes);
        Ok(Origin { base: position, digest, content: Content::Repomd(repomd) })
    })
}

fn read_repomd(path: &Path) -> Result<Vec<u8>, FetchReason> {
    let file = File::open(path).map_err(|e| FetchReason::io(&e))?;
    let mut bytes = Vec::new();
    file.take(repomd::MAX_SIZE + 1).read_to_end(&mut bytes).map_err(|e| FetchReason::io(&e))?;
    if bytes.len() as u64 > repomd::MAX_SIZE {
        return Err(FetchReason::TooLarge(repomd::MAX_SIZE));
    }
    Ok(bytes)
}

fn fetch_repomd(session: &Session, repo: &str, url: &reqwest::Url) -> Result<Vec<u8>, FetchReason> {
    let text = redacted(url);
    let on_retry = |attempt: u32, reason: &FetchReason| {
        let reason = reason.to_string();
        session.event(&Event::Retry { url: &text, attempt, reason: &reason });
    };
    let get = Get { url, size: None, limit: repomd::MAX_SIZE, on_retry: &on_retry };
    let mut bytes = Vec::new();
    let bytes_read = session.http.get(&get, &mut bytes).map_err(|error| match error {
        GetError::Reason(reason) => reason,
        GetError::Sink(error) => FetchReason::io(&error),
    })?;
    session.event(&Event::MetadataFetched { repo, url: &text, bytes: bytes_read });
    Ok(bytes)
}

/// The packages of `origin`, from the cache where it has them.
pub(crate) fn snapshot(
    session: &Arc<Session>,
    definition: &RepoDefinition,
    bases: &[Base],
    origin: &Arc<Origin>,
) -> Result<RepoSnapshot, RepoError> {
    let repo = definition.id.as_str();
    let (packages, cached) = load(session, repo, bases, origin)?;
    let mut warnings = Vec::new();
    let more = packages.skipped.len().saturating_sub(MOST_WARNINGS);
    for (package, reason) in packages.skipped.into_iter().take(MOST_WARNINGS) {
        warnings.push(Warning::PackageSkipped { repo: repo.to_owned(), package, reason });
    }
    if more > 0 {
        warnings.push(Warning::MorePackagesSkipped { repo: repo.to_owned(), count: more });
    }
    warnings.iter().for_each(|warning| session.event(&Event::Warning(warning)));
    let mut records = packages.records;
    filter::apply(&mut records, &definition.exclude, &definition.includepkgs);
    session.event(&Event::RepositoryLoaded { repo, packages: records.len(), cached });
    let mut alternatives = bases.to_vec();
    let base = alternatives.remove(origin.base);
    Ok(RepoSnapshot {
        id: repo.to_owned(),
        priority: definition.priority,
        cost: definition.cost,
        repomd: origin.digest.clone(),
        base,
        alternatives,
        packages: records,
        warnings,
        session: Arc::clone(session),
        origin: Arc::clone(origin),
    })
}

/// The packages, and whether they were in the cache.
fn load(
    session: &Session,
    repo: &str,
    bases: &[Base],
    origin: &Origin,
) -> Result<(Packages, bool), RepoError> {
    let store = &session.cache.repos;
    let key = format!("parsed-{}-{}", parsed::VERSION, fetch::key(&origin.digest));
    let cached = || -> Result<Option<Packages>, RepoError> {
        let Some(bytes) = store.read(&key)? else { return Ok(None) };
        let packages = parsed::decode(&bytes);
        if packages.is_none() {
            session.event(&Event::Warning(&Warning::CacheDamaged { key: key.clone() }));
        }
        Ok(packages)
    };
    if let Some(packages) = cached()? {
        return Ok((packages, true));
    }
    let _guard = cache::lock(store, "parsed", origin.digest.hex())?;
    if let Some(packages) = cached()? {
        return Ok((packages, true));
    }
    let packages = match &origin.content {
        Content::Listing(listing) => listing.packages(repo)?,
        Content::Repomd(repomd) => read_primary(session, repo, bases, origin.base, repomd)?,
    };
    store.put(&key, &parsed::encode(&packages))?;
    Ok((packages, false))
}

fn read_primary(
    session: &Session,
    repo: &str,
    bases: &[Base],
    first: usize,
    repomd: &Repomd,
) -> Result<Packages, RepoError> {
    let Some(file) = repomd.get("primary") else {
        let kinds = repomd.kinds().collect::<Vec<_>>().join(", ");
        let reason = format!("it lists no `primary` metadata, only: {kinds}");
        let file = repomd::PATH.to_owned();
        return Err(RepoError::Metadata { repo: repo.to_owned(), file, reason });
    };
    let raw = metadata_file(session, repo, bases, first, file)?;
    let unusable = |reason| {
        let (repo, file) = (repo.to_owned(), file.location.clone());
        RepoError::Metadata { repo, file, reason }
    };
    let xml = decompress_text(&raw, file).map_err(|e| unusable(e.to_string()))?;
    drop(raw);
    primary::parse(&xml).map_err(unusable)
}

/// The verified bytes of a metadata file, from the base that answered before the others.
pub(crate) fn metadata_file(
    session: &Session,
    repo: &str,
    bases: &[Base],
    first: usize,
    file: &DataFile,
) -> Result<Vec<u8>, RepoError> {
    let target = Target { repo, name: &file.location, location: &file.location };
    let wanted = Wanted { target, checksum: &file.checksum, size: file.size };
    let others = bases.iter().enumerate().filter(|(i, _)| *i != first).map(|(_, base)| base);
    fetch::metadata(session, &wanted, bases.get(first).into_iter().chain(others))
}

fn decompress_text(raw: &[u8], file: &DataFile) -> std::io::Result<String> {
    let length = raw.len() as u64;
    let reader = decompress::reader(raw)?;
    let mut checked = Checked::new(reader, length, file.open_size, file.open_checksum.as_ref());
    // a stated size is not believed further than what such metadata can become
    let expected = file.open_size.unwrap_or(0).min(length.saturating_mul(24));
    let mut text = String::with_capacity(usize::try_from(expected).unwrap_or(0));
    checked.read_to_string(&mut text)?;
    Ok(text)
}
