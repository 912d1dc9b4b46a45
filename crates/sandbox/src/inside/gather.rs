//! What a run left in the layer over the tree.

use super::{SCRIPT, owners};
use crate::message::{Failure, Found, FoundKind, Order, failed};
use rustix::fs::{AtFlags, CWD, FileType, Stat};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// Says that the layer's directory hides what the tree has there.
const OPAQUE: &str = "user.overlay.opaque";

const CAPABILITIES: &str = "security.capability";

/// What says whether a file was touched: inode, and seconds and nanoseconds of its last change,
/// which no program can set.
pub(super) type Touch = (u64, i64, i64);

/// Paths as they were made, before the scriptlet.
pub(super) type Touched = BTreeMap<OsString, Touch>;

#[allow(clippy::unnecessary_cast, reason = "the kernel's types differ by architecture")]
pub(super) fn touch(stat: &Stat) -> Touch {
    (stat.st_ino, stat.st_ctime as i64, stat.st_ctime_nsec as i64)
}

/// How much of the difference may still be read.
pub(super) struct Room {
    bytes: u64,
    files: u64,
}

impl Room {
    pub(super) fn new(order: &Order) -> Self {
        Self { bytes: order.bounds.bytes, files: order.bounds.files }
    }

    fn file(&mut self) -> Result<(), Failure> {
        self.files = self.files.checked_sub(1).ok_or_else(|| Failure::Limit("files".to_owned()))?;
        Ok(())
    }

    fn bytes(&mut self, count: u64) -> Result<(), Failure> {
        let left = self.bytes.checked_sub(count);
        self.bytes = left.ok_or_else(|| Failure::Limit("bytes".to_owned()))?;
        Ok(())
    }
}

/// Everything in the layer but what was put there before, a directory before what it holds.
pub(super) fn layer(
    upper: &Path,
    lower: &Path,
    before: &Touched,
    order: &Order,
) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    let mut room = Room::new(order);
    let mut todo = vec![PathBuf::new()];
    while let Some(relative) = todo.pop() {
        let place = upper.join(&relative);
        if Path::new("/").join(&relative) == Path::new(SCRIPT) {
            continue;
        }
        let stat = rustix::fs::statat(CWD, &place, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(failed("read the difference"))?;
        let is = FileType::from_raw_mode(stat.st_mode);
        let path = relative.clone().into_os_string().into_vec();
        if is == FileType::CharacterDevice && stat.st_rdev == 0 {
            room.file()?;
            found.push(Found { path, kind: FoundKind::Gone, mode: 0, uid: None, gid: None });
            continue;
        }
        let old = before.get(relative.as_os_str());
        if old == Some(&touch(&stat)) {
            continue;
        }
        let origin = old.is_some_and(|(inode, ..)| *inode == stat.st_ino);
        let one = read(&place, &lower.join(&relative), path, &stat, origin, order, &mut room)?;
        if is == FileType::Directory {
            todo.extend(list(&place)?.into_iter().map(|name| relative.join(name)));
        }
        found.push(one);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

pub(super) fn list(place: &Path) -> Result<Vec<OsString>, Failure> {
    let step = "list the difference";
    let listing = fs::read_dir(place).map_err(failed(step))?;
    listing.map(|entry| Ok(entry.map_err(failed(step))?.file_name())).collect()
}

fn has(place: &Path, name: &str) -> bool {
    rustix::fs::lgetxattr(place, name, &mut [0; 256]).is_ok()
}

/// One path as it is now; `old` is where the tree has it.
pub(super) fn read(
    place: &Path,
    old: &Path,
    path: Vec<u8>,
    stat: &Stat,
    origin: bool,
    order: &Order,
    room: &mut Room,
) -> Result<Found, Failure> {
    room.file()?;
    let step = "read the difference";
    let left = |what: &str| Failure::Left { path: path.clone(), what: what.to_owned() };
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => FoundKind::Directory { opaque: has(place, OPAQUE) },
        FileType::Symlink => {
            let target = fs::read_link(place).map_err(failed(step))?;
            FoundKind::Symlink(target.into_os_string().into_vec())
        }
        FileType::Fifo => FoundKind::Fifo,
        FileType::RegularFile => {
            let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
            let same = same(place, old, size).map_err(failed(step))?;
            let content = if same {
                None
            } else {
                room.bytes(size)?;
                let mut bytes = Vec::new();
                let file = File::open(place).map_err(failed(step))?;
                file.take(size).read_to_end(&mut bytes).map_err(failed(step))?;
                Some(bytes)
            };
            let mut value = [0; 64];
            let capabilities = match rustix::fs::lgetxattr(place, CAPABILITIES, &mut value) {
                Ok(length) => value.get(..length).map(<[u8]>::to_vec),
                Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => None,
                Err(error) => return Err(failed(step)(error)),
            };
            let inode = (stat.st_nlink > 1).then_some(stat.st_ino);
            FoundKind::File { content, capabilities, inode, origin }
        }
        FileType::Socket => return Err(left("a socket")),
        _ => return Err(left("a device node")),
    };
    if let Some(name) = attribute(place).map_err(failed(step))? {
        return Err(left(&format!("the extended attribute `{name}`")));
    }
    let (uid, gid) =
        if order.single { owners::read(place) } else { (Some(stat.st_uid), Some(stat.st_gid)) };
    Ok(Found { path, kind, mode: stat.st_mode & 0o7777, uid, gid })
}

/// An attribute that an image's tree has no room for.
fn attribute(place: &Path) -> io::Result<Option<String>> {
    let mut names = vec![0; 1 << 16];
    let length = match rustix::fs::llistxattr(place, &mut names) {
        Err(rustix::io::Errno::NOTSUP) => return Ok(None),
        other => other?,
    };
    let names = names.get(..length).unwrap_or_default();
    let ours = |name: &[u8]| {
        name.starts_with(b"user.overlay.")
            || name.starts_with(b"security.")
            || name.starts_with(b"trusted.")
            || name == owners::MARK.as_bytes()
    };
    let other = names.split(|b| *b == 0).find(|name| !name.is_empty() && !ours(name));
    Ok(other.map(|name| OsStr::from_bytes(name).to_string_lossy().into_owned()))
}

/// Whether a file holds what the tree has there.
fn same(place: &Path, old: &Path, size: u64) -> io::Result<bool> {
    match fs::symlink_metadata(old) {
        Ok(meta) if meta.is_file() && meta.len() == size => {}
        _ => return Ok(false),
    }
    let (mut a, mut b) = (File::open(place)?, File::open(old)?);
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = a.read(&mut left)?;
        let Some(read) = left.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(true);
        };
        let other = right.get_mut(..count).unwrap_or_default();
        b.read_exact(other)?;
        if read != other {
            return Ok(false);
        }
    }
}
