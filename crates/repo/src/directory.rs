//! A directory of `.rpm` files without metadata as a repository.

use crate::{
    RepoError, bytes::Writer, digest::sha256_checksum, primary::Packages, session::Session,
};
use rayon::prelude::*;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};
use strata_rpm::{Checksum, ChecksumAlgorithm, PackageRecord, RpmFile};

/// How deep directories are searched.
const MAX_DEPTH: usize = 32;

/// The most that the headers of one package may take; real ones stay below 40 MiB.
const MAX_HEADERS: usize = 512 << 20;

/// One package's file.
#[derive(Debug)]
pub(crate) struct Found {
    /// Relative to the directory.
    name: String,
    path: PathBuf,
    checksum: Checksum,
    size: u64,
}

/// The packages of a directory, hashed but not read, in the order of their names.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Found>,
}

impl Listing {
    /// Searches `directory` and all below it. Files that were hashed before are not again.
    pub(crate) fn read(session: &Session, repo: &str, directory: &Path) -> Result<Self, RepoError> {
        let mut names = Vec::new();
        search(repo, directory, Path::new(""), 0, &mut names)?;
        names.sort();
        let files = names
            .into_par_iter()
            .map(|name| {
                let path = directory.join(&name);
                let hashed = session.verified.checksum(&path, ChecksumAlgorithm::Sha256);
                let (checksum, size) = hashed.map_err(io_error(repo, "read", &path))?;
                Ok(Found { name, path, checksum, size })
            })
            .collect::<Vec<Result<_, RepoError>>>();
        // in order, so that the error of two runs is the same
        let files = files.into_iter().collect::<Result<_, _>>()?;
        Ok(Self { files })
    }

    /// Stands for the digest of `repomd.xml`: it changes if and only if a name or a content does.
    pub(crate) fn digest(&self) -> Checksum {
        let mut listing = Writer::default();
        listing.raw(b"strata listing 1\n");
        for file in &self.files {
            listing.text(&file.name);
            listing.text(&file.checksum.to_string());
        }
        sha256_checksum(&listing.into_bytes())
    }

    /// Reads the headers of all packages.
    pub(crate) fn packages(&self, repo: &str) -> Result<Packages, RepoError> {
        let records = self
            .files
            .par_iter()
            .map(|file| read_record(file).map_err(|e| e.located(repo, &file.path)))
            .collect::<Vec<Result<_, RepoError>>>();
        let records = records.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Packages { records: records.into_iter().flatten().collect(), skipped: Vec::new() })
    }
}

fn search(
    repo: &str,
    root: &Path,
    below: &Path,
    depth: usize,
    names: &mut Vec<String>,
) -> Result<(), RepoError> {
    let directory = root.join(below);
    for entry in fs::read_dir(&directory).map_err(io_error(repo, "list", &directory))? {
        let entry = entry.map_err(io_error(repo, "list", &directory))?;
        let kind = entry.file_type().map_err(io_error(repo, "list", &directory))?;
        let relative = below.join(entry.file_name());
        if kind.is_dir() {
            // links to directories are not followed: they may lead in a circle
            if depth < MAX_DEPTH {
                search(repo, root, &relative, depth + 1, names)?;
            }
            continue;
        }
        let is_package = relative.extension().is_some_and(|extension| extension == "rpm");
        if !is_package || !entry.path().is_file() {
            continue;
        }
        match relative.to_str() {
            Some(name) => names.push(name.to_owned()),
            None => {
                let reason = "its name is not UTF-8".to_owned();
                let path = root.join(relative);
                return Err(RepoError::Package { repo: repo.to_owned(), path, reason });
            }
        }
    }
    Ok(())
}

enum ReadError {
    Io(io::Error),
    Content(String),
}

impl ReadError {
    fn located(self, repo: &str, path: &Path) -> RepoError {
        match self {
            Self::Io(source) => io_error(repo, "read", path)(source),
            Self::Content(reason) => {
                RepoError::Package { repo: repo.to_owned(), path: path.to_owned(), reason }
            }
        }
    }
}

/// `None` for source packages.
fn read_record(file: &Found) -> Result<Option<PackageRecord>, ReadError> {
    let headers = read_headers(&file.path)?;
    let content = |e: &dyn std::fmt::Display| ReadError::Content(e.to_string());
    let rpm = RpmFile::parse(&headers).map_err(|e| content(&e))?;
    if rpm.is_source() {
        return Ok(None);
    }
    if rpm.is_delta() {
        return Err(ReadError::Content("it is a delta, not a package".to_owned()));
    }
    rpm.verify_header().map_err(|e| content(&e))?;
    let package = rpm.package().map_err(|e| content(&e))?;
    Ok(Some(package.record(file.checksum.clone(), file.size, &file.name)))
}

/// The beginning of the file up to the payload.
fn read_headers(path: &Path) -> Result<Vec<u8>, ReadError> {
    let mut file = File::open(path).map_err(ReadError::Io)?;
    let mut bytes = Vec::new();
    let mut needed = 64 * 1024;
    loop {
        let missing = needed - bytes.len();
        let read = (&mut file).take(missing as u64).read_to_end(&mut bytes);
        let at_end = read.map_err(ReadError::Io)? < missing;
        let next = RpmFile::headers_len(&bytes).map_err(|e| ReadError::Content(e.to_string()))?;
        if next <= bytes.len() || at_end {
            bytes.truncate(next);
            return Ok(bytes);
        }
        if next > MAX_HEADERS {
            let reason = format!("its headers claim to have {next} bytes");
            return Err(ReadError::Content(reason));
        }
        needed = next;
    }
}

fn io_error(repo: &str, action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RepoError {
    let (repo, path) = (repo.to_owned(), path.to_owned());
    move |source| RepoError::Directory { repo, action, path, source }
}
