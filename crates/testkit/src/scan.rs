//! A directory on disk as values: everything that an image's file system can say of a file.

use rustix::fs::{AtFlags, CWD, FileType, Stat, statat};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// A directory's content: paths relative to it, `.` for itself.
pub type Scan = BTreeMap<Vec<u8>, Entry>;

/// One file of any type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its type, and what only that type has.
    pub kind: EntryKind,
    /// Permissions with set-id and sticky bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: i64,
    /// Every path of a set of hard links, this one included; empty for a file with one name.
    pub links: BTreeSet<Vec<u8>>,
    /// `security.capability`, as it is stored.
    pub capabilities: Option<Vec<u8>>,
}

/// The type of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// sha256 of its content.
        digest: String,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Its target as it stands.
        target: Vec<u8>,
    },
    /// A character device.
    CharDevice {
        /// Major and minor number.
        device: (u32, u32),
    },
    /// A block device.
    BlockDevice {
        /// Major and minor number.
        device: (u32, u32),
    },
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

impl EntryKind {
    /// The type in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Directory => "directory",
            Self::Symlink { .. } => "symlink",
            Self::CharDevice { .. } => "character device",
            Self::BlockDevice { .. } => "block device",
            Self::Fifo => "fifo",
            Self::Socket => "socket",
        }
    }
}

/// Reads everything below `root`, following no symbolic link.
///
/// # Panics
/// When anything cannot be read.
pub fn scan(root: &Path) -> Scan {
    let mut scan = Scan::new();
    let mut inodes: BTreeMap<(u64, u64), Vec<Vec<u8>>> = BTreeMap::new();
    let mut directories = vec![PathBuf::from(".")];
    read(root, b".", &mut scan, &mut inodes);
    while let Some(directory) = directories.pop() {
        let path = root.join(&directory);
        let listing = std::fs::read_dir(&path)
            .unwrap_or_else(|error| panic!("cannot list `{}`: {error}", path.display()));
        for item in listing {
            let name = item
                .unwrap_or_else(|error| panic!("cannot list `{}`: {error}", path.display()))
                .file_name();
            let relative = directory.strip_prefix(".").unwrap_or(&directory).join(name);
            let key = relative.clone().into_os_string().into_vec();
            if read(root, &key, &mut scan, &mut inodes) {
                directories.push(relative);
            }
        }
    }
    for names in inodes.into_values().filter(|names| names.len() > 1) {
        let links: BTreeSet<_> = names.iter().cloned().collect();
        for name in names {
            if let Some(entry) = scan.get_mut(&name) {
                entry.links.clone_from(&links);
            }
        }
    }
    scan
}

/// Adds one entry; true for a directory.
fn read(
    root: &Path,
    key: &[u8],
    scan: &mut Scan,
    inodes: &mut BTreeMap<(u64, u64), Vec<Vec<u8>>>,
) -> bool {
    let path = root.join(OsStr::from_bytes(key));
    let entry = stat(&path).and_then(|stat| {
        let kind = kind(&path, &stat)?;
        if matches!(kind, EntryKind::File { .. }) && stat.st_nlink > 1 {
            inodes.entry((stat.st_dev, stat.st_ino)).or_default().push(key.to_vec());
        }
        Ok(Entry {
            capabilities: capabilities(&path, &kind)?,
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            mtime: stat.st_mtime,
            links: BTreeSet::new(),
        })
    });
    let entry = entry.unwrap_or_else(|error| panic!("cannot read `{}`: {error}", path.display()));
    let is_directory = entry.kind == EntryKind::Directory;
    scan.insert(key.to_vec(), entry);
    is_directory
}

fn stat(path: &Path) -> io::Result<Stat> {
    Ok(statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?)
}

fn kind(path: &Path, stat: &Stat) -> io::Result<EntryKind> {
    let device = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let (size, digest) = digest(File::open(path)?)?;
            EntryKind::File { size, digest }
        }
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => {
            EntryKind::Symlink { target: std::fs::read_link(path)?.into_os_string().into_vec() }
        }
        FileType::CharacterDevice => EntryKind::CharDevice { device },
        FileType::BlockDevice => EntryKind::BlockDevice { device },
        FileType::Fifo => EntryKind::Fifo,
        FileType::Socket => EntryKind::Socket,
        _ => return Err(io::Error::other("a file of an unknown type")),
    })
}

fn digest(mut file: File) -> io::Result<(u64, String)> {
    let (mut hasher, mut size) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else {
            return Ok((size, hex::encode(hasher.finalize())));
        };
        hasher.update(read);
        size += length as u64;
    }
}

fn capabilities(path: &Path, kind: &EntryKind) -> io::Result<Option<Vec<u8>>> {
    if !matches!(kind, EntryKind::File { .. }) {
        return Ok(None);
    }
    let mut value = [0; 64];
    match rustix::fs::lgetxattr(path, "security.capability", &mut value) {
        Ok(length) => Ok(value.get(..length).map(<[u8]>::to_vec)),
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
