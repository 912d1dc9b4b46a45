//! A plain copy of the tree, where no layer can be laid over it, and what was changed in it.

use super::{
    SCRIPT,
    gather::{self, Touched, touch},
};
use crate::message::{Failure, Found, FoundKind, Order, failed};
use rustix::fs::{AtFlags, CWD, FileType, Mode, Stat, Timespec, Timestamps, XattrFlags};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::symlink,
    },
    path::{Path, PathBuf},
};

/// Every path of the copy as it was made, and the tree that it was made from.
pub(super) struct Before {
    paths: Touched,
    lower: PathBuf,
}

fn stat(place: &Path) -> rustix::io::Result<Stat> {
    rustix::fs::statat(CWD, place, AtFlags::SYMLINK_NOFOLLOW)
}

/// Every path below a directory and itself, a directory before what it holds.
fn walk(root: &Path) -> Result<Vec<(PathBuf, Stat)>, Failure> {
    let mut all = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(relative) = todo.pop() {
        let place = root.join(&relative);
        let stat = stat(&place).map_err(failed("read the tree"))?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            todo.extend(gather::list(&place)?.into_iter().map(|name| relative.join(name)));
        }
        all.push((relative, stat));
    }
    all.sort_by(|a, b| a.0.as_os_str().cmp(b.0.as_os_str()));
    Ok(all)
}

/// Bytes that a copy takes.
pub(super) fn size(root: &Path) -> Result<u64, Failure> {
    let all = walk(root)?;
    let sizes = all.iter().map(|(_, stat)| u64::try_from(stat.st_size).unwrap_or(0) + 8192);
    Ok(sizes.sum())
}

pub(super) fn copy(lower: &Path, to: &Path) -> Result<Before, Failure> {
    let step = "copy the tree";
    let all = walk(lower)?;
    let mut inodes: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for (relative, stat) in &all {
        let (from, to) = (lower.join(relative), to.join(relative));
        let kind = FileType::from_raw_mode(stat.st_mode);
        match kind {
            FileType::Directory if relative.as_os_str().is_empty() => {}
            FileType::Directory => fs::create_dir(&to).map_err(failed(step))?,
            FileType::Symlink => {
                let target = fs::read_link(&from).map_err(failed(step))?;
                symlink(target, &to).map_err(failed(step))?;
            }
            FileType::RegularFile => {
                if stat.st_nlink > 1 {
                    if let Some(first) = inodes.get(&stat.st_ino) {
                        fs::hard_link(first, &to).map_err(failed(step))?;
                        continue;
                    }
                    inodes.insert(stat.st_ino, to.clone());
                }
                fs::copy(&from, &to).map_err(failed(step))?;
            }
            _ => {
                let mode = Mode::from_raw_mode(stat.st_mode);
                rustix::fs::mknodat(CWD, &to, kind, mode, 0).map_err(failed(step))?;
            }
        }
        attributes(&from, &to, stat, kind).map_err(failed(step))?;
    }
    for (relative, old) in all.iter().rev() {
        if FileType::from_raw_mode(old.st_mode) == FileType::Directory {
            times(&to.join(relative), old).map_err(failed(step))?;
        }
    }
    let mut paths = BTreeMap::new();
    for (relative, _) in all {
        let stat = stat(&to.join(&relative)).map_err(failed(step))?;
        paths.insert(relative.into_os_string(), touch(&stat));
    }
    next_tick();
    Ok(Before { paths, lower: lower.to_path_buf() })
}

/// A change at the same tick of the file system's clock could not be told.
fn next_tick() {
    std::thread::sleep(std::time::Duration::from_millis(10));
}

/// Puts the files with several names into the layer: a file below it would lose its other names
/// when it is changed.
pub(super) fn links(lower: &Path, upper: &Path, sets: &[Vec<Vec<u8>>]) -> Result<Touched, Failure> {
    let step = "copy the files with several names";
    let mut paths = Touched::new();
    for names in sets {
        let mut first: Option<PathBuf> = None;
        for name in names.iter().map(|name| Path::new(OsStr::from_bytes(name))) {
            let (from, to) = (lower.join(name), upper.join(name));
            directories(lower, upper, name)?;
            if let Some(first) = &first {
                fs::hard_link(first, &to).map_err(failed(step))?;
                continue;
            }
            let stat = stat(&from).map_err(failed(step))?;
            fs::copy(&from, &to).map_err(failed(step))?;
            attributes(&from, &to, &stat, FileType::RegularFile).map_err(failed(step))?;
            first = Some(to);
        }
        for name in names.iter().map(|name| OsStr::from_bytes(name)) {
            let stat = stat(&upper.join(name)).map_err(failed(step))?;
            paths.insert(name.to_owned(), touch(&stat));
        }
    }
    if !paths.is_empty() {
        next_tick();
    }
    Ok(paths)
}

/// The directories above a path, as they are in the tree.
fn directories(lower: &Path, upper: &Path, name: &Path) -> Result<(), Failure> {
    let step = "copy the directories of files with several names";
    let mut above: Vec<&Path> = name.ancestors().skip(1).collect();
    above.pop();
    for directory in above.into_iter().rev() {
        let (from, to) = (lower.join(directory), upper.join(directory));
        if !to.exists() {
            let stat = stat(&from).map_err(failed(step))?;
            fs::create_dir(&to).map_err(failed(step))?;
            attributes(&from, &to, &stat, FileType::Directory).map_err(failed(step))?;
        }
    }
    Ok(())
}

fn attributes(from: &Path, to: &Path, stat: &Stat, kind: FileType) -> rustix::io::Result<()> {
    let (uid, gid) =
        (rustix::fs::Uid::from_raw(stat.st_uid), rustix::fs::Gid::from_raw(stat.st_gid));
    rustix::fs::chownat(CWD, to, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    if kind != FileType::Symlink {
        let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
        rustix::fs::chmodat(CWD, to, mode, AtFlags::empty())?;
    }
    if kind == FileType::RegularFile {
        let mut value = [0; 64];
        if let Ok(length) = rustix::fs::lgetxattr(from, "security.capability", &mut value) {
            let value = value.get(..length).unwrap_or_default();
            rustix::fs::lsetxattr(to, "security.capability", value, XattrFlags::empty())?;
        }
    }
    times(to, stat)
}

#[allow(clippy::unnecessary_cast, reason = "the kernel's types differ by architecture")]
fn times(to: &Path, stat: &Stat) -> rustix::io::Result<()> {
    let time = Timespec { tv_sec: stat.st_mtime as i64, tv_nsec: stat.st_mtime_nsec as i64 };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, to, &times, AtFlags::SYMLINK_NOFOLLOW)
}

/// What is not as it was.
pub(super) fn changed(root: &Path, before: &Before, order: &Order) -> Result<Vec<Found>, Failure> {
    let mut room = gather::Room::new(order);
    let (mut found, mut gone) = (Vec::new(), before.paths.clone());
    for (relative, stat) in walk(root)? {
        let old = gone.remove(relative.as_os_str());
        if old == Some(touch(&stat)) || Path::new("/").join(&relative) == Path::new(SCRIPT) {
            continue;
        }
        let origin = old.is_some_and(|(inode, ..)| inode == stat.st_ino);
        let (place, lower) = (root.join(&relative), before.lower.join(&relative));
        let path = relative.into_os_string().into_vec();
        found.push(gather::read(&place, &lower, path, &stat, origin, order, &mut room)?);
    }
    for path in gone.into_keys() {
        let path = OsStr::as_bytes(&path).to_vec();
        found.push(Found { path, kind: FoundKind::Gone, mode: 0, uid: None, gid: None });
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
