//! Files that appear whole or not at all.

use super::error::{Context as _, LayoutError};
use std::{
    ffi::OsString,
    fs,
    io::Write,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// How the names of unfinished files begin. They lie in the layout's own directory, so that no
/// reader takes one for a blob, and that a rename stays on one file system.
pub(super) const TEMPORARY: &[u8] = b".strata-tmp-";

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file without a final name; removed unless it gets one.
pub(super) struct Temporary {
    path: PathBuf,
    keep: bool,
}

impl Temporary {
    fn new(root: &Path) -> Self {
        let mut name = TEMPORARY.to_vec();
        let serial = NEXT.fetch_add(1, Ordering::Relaxed);
        name.extend(format!("{}-{serial}", std::process::id()).into_bytes());
        Self { path: root.join(OsString::from_vec(name)), keep: false }
    }

    fn create(&self) -> Result<fs::File, LayoutError> {
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.path)
            .context("create", &self.path)
    }

    fn rename(mut self, to: &Path) -> Result<(), LayoutError> {
        fs::rename(&self.path, to).context("write", to)?;
        self.keep = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Puts bytes at `to` in one step, on the disk when this returns.
pub(super) fn write_file(root: &Path, to: &Path, bytes: &[u8]) -> Result<(), LayoutError> {
    let temporary = Temporary::new(root);
    let mut file = temporary.create()?;
    file.write_all(bytes).context("write", to)?;
    file.sync_all().context("write", to)?;
    temporary.rename(to)
}

/// Puts a file at `to` in one step: shares its blocks where the file system can, else its inode,
/// else copies.
pub(super) fn place_file(root: &Path, from: &Path, to: &Path) -> Result<(), LayoutError> {
    let source = fs::File::open(from).context("open", from)?;
    let temporary = Temporary::new(root);
    {
        let file = temporary.create()?;
        if rustix::fs::ioctl_ficlone(&file, &source).is_ok() {
            file.sync_all().context("write", to)?;
            return temporary.rename(to);
        }
    }
    fs::remove_file(&temporary.path).context("remove", &temporary.path)?;
    // The inode's bytes are on the disk already: whoever keeps blobs to be linked has seen to it.
    if fs::hard_link(from, &temporary.path).is_ok() {
        return temporary.rename(to);
    }
    copy(source, &temporary, to)?;
    temporary.rename(to)
}

fn copy(mut source: fs::File, temporary: &Temporary, to: &Path) -> Result<(), LayoutError> {
    let mut file = temporary.create()?;
    std::io::copy(&mut source, &mut file).context("write", to)?;
    file.sync_all().context("write", to)
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), LayoutError> {
    fs::File::open(path).and_then(|directory| directory.sync_all()).context("write", path)
}

/// Removes what writers that were killed left behind. Only for the one who holds the lock.
pub(super) fn remove_leftovers(root: &Path) -> Result<(), LayoutError> {
    for entry in fs::read_dir(root).context("read", root)? {
        let entry = entry.context("read", root)?;
        if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY) {
            let path = entry.path();
            fs::remove_file(&path).context("remove", &path)?;
        }
    }
    Ok(())
}
