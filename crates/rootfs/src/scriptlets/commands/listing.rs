//! What the makers of caches have in common: they list a directory, and replace a file.

use crate::{
    TreePath,
    scriptlets::{
        fs::{FsError, Meta},
        shell::{Shell, Status},
    },
};

/// Names in a directory, in byte order; those that are no text are passed over.
pub(super) fn files(shell: &mut Shell<'_>, directory: &str) -> Result<Vec<String>, FsError> {
    let place = shell.fs.lookup(format!("{directory}/").as_bytes(), true)?;
    let names = shell.fs.children(&place);
    shell.budget.steps(names.len() as u64)?;
    Ok(names.into_iter().filter_map(|name| String::from_utf8(name).ok()).collect())
}

/// A new file in the place of another, as `rename` leaves it: what was there, a link too, goes.
pub(super) fn replace(shell: &mut Shell<'_>, path: &str, bytes: &[u8]) -> Status {
    match try_replace(shell, path, bytes) {
        Ok(()) => Ok(0),
        Err(error) => super::failed(shell, path, error),
    }
}

fn try_replace(shell: &mut Shell<'_>, path: &str, bytes: &[u8]) -> Result<(), FsError> {
    shell.budget.bytes(bytes.len())?;
    let place = shell.fs.resolve(path.as_bytes(), false)?;
    put(shell, &place, bytes)
}

fn put(shell: &mut Shell<'_>, place: &TreePath, bytes: &[u8]) -> Result<(), FsError> {
    if shell.fs.exists(place) {
        shell.fs.unlink(place)?;
    }
    shell.fs.write_file(place, bytes)?;
    let mode = Some(0o666 & !shell.fs.umask);
    shell.fs.set_meta(place, Meta { mode, ..Meta::default() })
}
