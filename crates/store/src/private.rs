//! A directory of keyed files for what is run, not only read.

use crate::{PendingFile, Store, StoreError};
use rustix::fs::{Mode, OFlags, open, openat};
use std::{
    fs::{self, DirBuilder, File, Metadata, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// As [`Store`], but nobody except for the user that this process runs as can have written what is
/// read: a checksum tells that a file is whole, not who made it. The directory is open to that user
/// alone.
#[derive(Debug, Clone)]
pub struct PrivateStore {
    store: Store,
}

impl PrivateStore {
    /// Opens the store, and makes its directory if there is none. An error, too, where the directory
    /// is another user's.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let root = root.into();
        if let Some(parent) = root.parent() {
            fs::create_dir_all(parent).map_err(StoreError::io("create the directory", parent))?;
        }
        match DirBuilder::new().mode(0o700).create(&root) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(StoreError::io("create the directory", &root)(error));
            }
            _ => {}
        }
        let directory = directory(&root).map_err(StoreError::io("open", &root))?;
        let found = directory.metadata().map_err(StoreError::io("open", &root))?;
        if found.uid() != user() {
            let theirs = io::Error::other("it belongs to another user");
            return Err(StoreError::io("trust", &root)(theirs));
        }
        if found.mode() & 0o077 != 0 {
            let own = Permissions::from_mode(found.mode() & 0o700);
            directory
                .set_permissions(own)
                .map_err(StoreError::io("close to other users", &root))?;
        }
        Ok(Self { store: Store::open(root)? })
    }

    /// The content of `key`'s file, if there is one that is the user's own and that nobody else may
    /// write, in a directory of which that holds, too.
    pub fn read(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.store.path(key)?;
        match read(self.store.root(), key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map_err(StoreError::io("read", &path)),
        }
    }

    /// As [`Store::put_lazily`], readable by the user alone.
    pub fn put_lazily(&self, key: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let target = self.store.path(key)?;
        let mut pending = PendingFile::create_private(&target)?;
        pending.file_mut().write_all(bytes).map_err(|e| pending.write_error(e))?;
        pending.commit_lazily(&target)
    }
}

/// What is looked at and what is read are the same file, whatever becomes of its name meanwhile.
fn read(root: &Path, key: &str) -> io::Result<Option<Vec<u8>>> {
    let directory = directory(root)?;
    // a pipe must not keep us waiting
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = File::from(openat(&directory, key, flags, Mode::empty())?);
    let found = file.metadata()?;
    if !found.is_file() || !is_own(&found) || !is_own(&directory.metadata()?) {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(found.len() as usize);
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

fn is_own(found: &Metadata) -> bool {
    found.uid() == user() && found.mode() & 0o022 == 0
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_others_may_have_written_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("a/b");
        let store = PrivateStore::open(&root).unwrap();
        assert_eq!(mode(&root), 0o700);
        assert_eq!(store.read("key").unwrap(), None);
        let file = store.put_lazily("key", b"mine").unwrap();
        assert_eq!(mode(&file), 0o600);
        assert_eq!(store.read("key").unwrap().unwrap(), b"mine");
        for (bits, trusted) in [(0o644, true), (0o666, false), (0o660, false), (0o602, false)] {
            set_mode(&file, bits);
            assert_eq!(store.read("key").unwrap().is_some(), trusted, "{bits:o}");
        }
        store.put_lazily("key", b"again").unwrap();
        assert_eq!(store.read("key").unwrap().unwrap(), b"again");
        // the directory, while the store is open
        set_mode(&root, 0o770);
        assert_eq!(store.read("key").unwrap(), None);
        assert!(PrivateStore::open(&root).unwrap().read("key").unwrap().is_some());
        assert_eq!(mode(&root), 0o700);
        // another place by this name
        fs::rename(&file, directory.path().join("elsewhere")).unwrap();
        symlink(directory.path().join("elsewhere"), &file).unwrap();
        assert!(store.read("key").is_err());
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        assert_eq!(store.read("key").unwrap(), None);
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        if user() == 0 {
            let directory = tempfile::tempdir().unwrap();
            let root = directory.path().join("theirs");
            fs::create_dir(&root).unwrap();
            std::os::unix::fs::chown(&root, Some(12_345), None).unwrap();
            let error = PrivateStore::open(&root).unwrap_err().to_string();
            assert!(error.ends_with("it belongs to another user"), "{error}");
        } else {
            assert!(PrivateStore::open("/").is_err());
        }
    }
}
