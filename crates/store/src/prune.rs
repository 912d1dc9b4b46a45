//! Removing what is no longer needed.

use crate::{StoreError, atomic::TEMPORARY_PREFIX};
use std::{
    fs::{self, File, Metadata},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// A temporary file younger than this may belong to a process that has not locked it yet.
const LEFTOVER_AGE: Duration = Duration::from_secs(60 * 60);

/// What a pruned store may keep.
#[derive(Debug, Clone, Default)]
pub struct PruneLimits {
    /// Bytes of all files together.
    pub max_bytes: Option<u64>,
    /// Time since a file was last read (as far as the file system records it) or written.
    pub max_age: Option<Duration>,
}

/// What pruning removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Files removed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that are left.
    pub kept_bytes: u64,
}

struct Candidate {
    used: SystemTime,
    bytes: u64,
    path: PathBuf,
}

/// Removes the least recently used files until `limits` hold.
pub(crate) fn prune(root: &Path, limits: &PruneLimits) -> Result<Pruned, StoreError> {
    remove_leftovers(root);
    let mut files = candidates(root)?;
    files.sort_by(|a, b| a.used.cmp(&b.used).then_with(|| a.path.cmp(&b.path)));
    let now = SystemTime::now();
    let mut result =
        Pruned { kept_bytes: files.iter().map(|f| f.bytes).sum(), ..Pruned::default() };
    for file in files {
        let age = now.duration_since(file.used).unwrap_or_default();
        let too_old = limits.max_age.is_some_and(|max| age > max);
        let too_much = limits.max_bytes.is_some_and(|max| result.kept_bytes > max);
        if !too_old && !too_much {
            continue;
        }
        // Unlinking is safe under readers: who has the file open keeps its content.
        match fs::remove_file(&file.path) {
            // another process prunes, too
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => {
                other.map_err(StoreError::io("remove", &file.path))?;
                result.files += 1;
                result.bytes += file.bytes;
            }
        }
        result.kept_bytes -= file.bytes;
    }
    Ok(result)
}

fn candidates(root: &Path) -> Result<Vec<Candidate>, StoreError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).map_err(StoreError::io("list", root))? {
        let entry = entry.map_err(StoreError::io("list", root))?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // another process may prune at the same time
        let Ok(metadata) = entry.metadata() else { continue };
        if hidden || !metadata.is_file() {
            continue;
        }
        found.push(Candidate {
            used: last_use(&metadata),
            bytes: metadata.len(),
            path: entry.path(),
        });
    }
    Ok(found)
}

fn last_use(metadata: &Metadata) -> SystemTime {
    let written = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    metadata.accessed().map_or(written, |read| read.max(written))
}

/// Removes temporary files that are old and that no living process has locked. Not being able to
/// is no reason to fail: they only cost space.
pub(crate) fn remove_leftovers(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let now = SystemTime::now();
    for entry in entries.flatten() {
        if !entry.file_name().as_encoded_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
            continue;
        }
        let old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > LEFTOVER_AGE));
        if !old {
            continue;
        }
        if File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}
