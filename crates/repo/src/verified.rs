//! Which local files were hashed before, so that none is hashed twice while it stays as it is.
//!
//! A log of lines `KEY CHECKSUM`, where the key is the SHA-256 of path, device, inode, size and
//! times. A line is appended in one write under a lock; a line that is not whole is ignored.

use crate::{
    RepoError,
    digest::{hash_reader, hasher, sha256},
};
use std::{
    collections::HashMap,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use strata_rpm::{Checksum, ChecksumAlgorithm};
use strata_store::{Store, StoreError};

const FILE: &str = "verified-1";

/// When the log is longer than this it is begun again.
const MAX_LOG: u64 = 32 << 20;

/// A file that changed this recently may change again without its times telling: file systems
/// count in ticks of up to 10 ms.
const TICK: Duration = Duration::from_millis(20);

/// A file in one state; every change of its content gives another stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stamp([u8; 32]);

impl Stamp {
    /// `None` when the file is too new for its times to be trusted.
    fn new(path: &Path, metadata: &Metadata, algorithm: ChecksumAlgorithm) -> Option<Self> {
        let changed = Duration::new(
            metadata.ctime().try_into().ok()?,
            metadata.ctime_nsec().try_into().ok()?,
        );
        let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + changed);
        if age.is_ok_and(|age| age < TICK) {
            return None;
        }
        let mut key = std::path::absolute(path).ok()?.into_os_string().as_bytes().to_vec();
        for number in [
            i128::from(metadata.dev()),
            i128::from(metadata.ino()),
            i128::from(metadata.size()),
            i128::from(metadata.mtime()),
            i128::from(metadata.mtime_nsec()),
            i128::from(metadata.ctime()),
            i128::from(metadata.ctime_nsec()),
        ] {
            key.push(0);
            key.extend_from_slice(&number.to_le_bytes());
        }
        key.extend_from_slice(algorithm.name().as_bytes());
        Some(Self(sha256(&key)))
    }
}

/// The log.
#[derive(Debug)]
pub(crate) struct Verified {
    store: Store,
    known: Mutex<HashMap<Stamp, Checksum>>,
}

impl Verified {
    pub(crate) fn open(store: &Store) -> Result<Self, RepoError> {
        let text = store.read(FILE)?.unwrap_or_default();
        let known = text.split(|b| *b == b'\n').filter_map(parse_line).collect();
        Ok(Self { store: store.clone(), known: Mutex::new(known) })
    }

    /// The checksum and length of the file at `path`, from the log if it has not changed since.
    pub(crate) fn checksum(
        &self,
        path: &Path,
        algorithm: ChecksumAlgorithm,
    ) -> io::Result<(Checksum, u64)> {
        let before = fs::metadata(path)?;
        let stamp = Stamp::new(path, &before, algorithm);
        let known = stamp.and_then(|stamp| self.known().get(&stamp).cloned());
        if let Some(checksum) = known {
            return Ok((checksum, before.len()));
        }
        let hasher = hasher(algorithm).ok_or(io::ErrorKind::Unsupported)?;
        let file = File::open(path)?;
        let (checksum, length) = hash_reader(hasher, &file)?;
        let after = file.metadata()?;
        // only what held still while it was read is worth remembering
        if stamp.is_some() && stamp == Stamp::new(path, &after, algorithm) {
            self.remember(path, &checksum);
        }
        Ok((checksum, length))
    }

    /// Notes that the file at `path` has just been verified. Failing to is no reason to stop: the
    /// file will only be hashed again.
    pub(crate) fn remember(&self, path: &Path, checksum: &Checksum) {
        let Ok(metadata) = fs::metadata(path) else { return };
        let Some(stamp) = Stamp::new(path, &metadata, checksum.algorithm()) else { return };
        let new = self.known().insert(stamp, checksum.clone()).is_none();
        if new {
            let _ = self.append(&format!("{} {checksum}\n", hex::encode(stamp.0)));
        }
    }

    fn append(&self, line: &str) -> Result<(), StoreError> {
        let path = self.store.path(FILE)?;
        let _guard = self.store.lock("verified")?;
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        let length = file.metadata().map_err(StoreError::io("read", &path))?.len();
        if length > MAX_LOG {
            file.set_len(0).map_err(StoreError::io("write", &path))?;
        }
        // the line before may have been cut short by a full disk: begin a new one
        let cut = length > 0 && !ends_with_newline(&file, length);
        let line = if cut { format!("\n{line}") } else { line.to_owned() };
        file.write_all(line.as_bytes()).map_err(StoreError::io("write", &path))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Stamp, Checksum>> {
        // a panic elsewhere leaves the map whole
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ends_with_newline(file: &File, length: u64) -> bool {
    use std::os::unix::fs::FileExt;
    let mut last = [0];
    file.read_exact_at(&mut last, length - 1).is_ok() && last == *b"\n"
}

fn parse_line(line: &[u8]) -> Option<(Stamp, Checksum)> {
    let (key, checksum) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    let key: [u8; 32] = hex::decode(key).ok()?.try_into().ok()?;
    Some((Stamp(key), checksum.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use std::thread::sleep;

    #[test]
    fn remembered_until_changed_and_cut_lines_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("store")).unwrap();
        let file = directory.path().join("file");
        fs::write(&file, b"one").unwrap();
        sleep(TICK * 2);
        let log = Verified::open(&store).unwrap();
        let sha256 = ChecksumAlgorithm::Sha256;
        let (first, _) = log.checksum(&file, sha256).unwrap();
        let path = store.path(FILE).unwrap();
        let line = fs::read(&path).unwrap();
        assert!(line.ends_with(format!(" {first}\n").as_bytes()));

        // a wrong line shows that the log is believed
        let text = String::from_utf8(line).unwrap();
        let lie = "0".repeat(64);
        fs::write(&path, text.replace(first.hex(), &lie)).unwrap();
        let log = Verified::open(&store).unwrap();
        assert_eq!(log.checksum(&file, sha256).unwrap().0.hex(), lie);

        fs::write(&file, b"two").unwrap();
        sleep(TICK * 2);
        let (second, _) = log.checksum(&file, sha256).unwrap();
        assert_ne!(second, first);

        let mut cut = fs::read(&path).unwrap();
        cut.truncate(cut.len() - 3);
        fs::write(&path, &cut).unwrap();
        let log = Verified::open(&store).unwrap();
        assert_eq!(log.checksum(&file, sha256).unwrap().0, second);
        assert!(Verified::open(&store).unwrap().known().values().any(|sum| *sum == second));
    }
}
