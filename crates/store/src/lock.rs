//! Advisory locks between processes.

use crate::StoreError;
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::Path,
};

/// Holds an exclusive lock until it is dropped, or until the process ends in any way: the kernel
/// releases `flock` locks of the dead.
#[derive(Debug)]
pub struct LockGuard {
    // Lock files are never removed: whoever waits on a removed one would lock a ghost.
    _file: File,
}

impl LockGuard {
    /// Waits for the lock.
    pub(crate) fn acquire(path: &Path) -> Result<Self, StoreError> {
        let file = open(path)?;
        loop {
            match file.lock() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(StoreError::io("lock", path)(e)),
                Ok(()) => return Ok(Self { _file: file }),
            }
        }
    }

    /// Takes the lock only if nobody holds it.
    pub(crate) fn try_acquire(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", path)(e)),
        }
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(StoreError::io("open the lock file", path))
}
