//! Writing a file so that its name never shows half of it.

use crate::{StoreError, error::CREATE_IN};
use std::{
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

/// How the names of temporary files begin.
pub(crate) const TEMPORARY_PREFIX: &str = ".tmp-";

/// A file in the making. Dropped without [`PendingFile::commit`] it leaves nothing behind.
///
/// The temporary file is locked while it is written, so that a cleaner in another process can tell
/// it from one that a killed process left.
#[derive(Debug)]
pub struct PendingFile {
    file: NamedTempFile,
    target: PathBuf,
}

impl PendingFile {
    /// Begins to write `target`, in the directory that will hold it.
    pub fn create(target: &Path) -> Result<Self, StoreError> {
        // the umask takes its part, as with any other file of the user
        Self::create_with(target, 0o666)
    }

    /// As [`Self::create`], for nobody else to read or write.
    pub(crate) fn create_private(target: &Path) -> Result<Self, StoreError> {
        Self::create_with(target, 0o600)
    }

    fn create_with(target: &Path, mode: u32) -> Result<Self, StoreError> {
        let directory = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let file = Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(directory)
            .map_err(StoreError::io(CREATE_IN, directory))?;
        // A file system without locks still works; only cleaning is then by age alone.
        let _ = file.as_file().try_lock();
        Ok(Self { file, target: target.to_owned() })
    }

    /// The open file, to write, seek or truncate.
    pub fn file_mut(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// The name the file will have.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// An error of writing this file, with its name.
    pub fn write_error(&self, source: io::Error) -> StoreError {
        StoreError::io("write", &self.target)(source)
    }

    /// Flushes to the disk and gives the file its name, replacing what had it. Afterwards a power
    /// cut takes neither.
    pub fn commit(self) -> Result<PathBuf, StoreError> {
        let target = self.target.clone();
        let target = self.commit_as(&target)?;
        sync_parent(&target)?;
        Ok(target)
    }

    /// As [`Self::commit`], with a name in the same directory that only the content decided. A power
    /// cut may take the name: whoever keeps what can be made again need not wait for the directory.
    pub fn commit_as(self, target: &Path) -> Result<PathBuf, StoreError> {
        self.file.as_file().sync_all().map_err(StoreError::io("write", target))?;
        self.commit_lazily(target)
    }

    /// Gives the file its name without waiting for the disk. After a power cut it may be empty or
    /// cut short: only for what its reader can tell from that, and make again.
    pub(crate) fn commit_lazily(self, target: &Path) -> Result<PathBuf, StoreError> {
        self.file.persist(target).map_err(|e| StoreError::io("write", target)(e.error))?;
        Ok(target.to_owned())
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Writes `bytes` to `path`: afterwards it holds all of them, and at no moment a part.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), StoreError> {
    let mut pending = PendingFile::create(path.as_ref())?;
    pending.write_all(bytes).map_err(|e| pending.write_error(e))?;
    pending.commit()?;
    Ok(())
}

/// Makes the new name itself survive a power cut.
fn sync_parent(path: &Path) -> Result<(), StoreError> {
    let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) else { return Ok(()) };
    match File::open(parent).and_then(|directory| directory.sync_all()) {
        // some network file systems cannot flush a directory
        Err(e) if !matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Err(StoreError::io("flush the directory", parent)(e))
        }
        _ => Ok(()),
    }
}
