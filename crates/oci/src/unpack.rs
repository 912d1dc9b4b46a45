//! Reading layers: decompression, and the entries of a tar.
//!
//! Layers may come from anybody, so GNU tar's extensions are read as well as pax. Nothing is kept
//! but one entry's header; contents stream.

use crate::media::Packing;
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read},
};

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryType {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// Another name of a file of the same layer or of one below.
    HardLink {
        /// That file, cleaned like [`LayerEntry::path`].
        target: Vec<u8>,
    },
    /// A symbolic link.
    Symlink {
        /// Raw target.
        target: Vec<u8>,
    },
    /// A device node.
    Device {
        /// Block device, else character device.
        block: bool,
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// Something that no image should hold, with its type flag.
    Other(u8),
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerEntry {
    /// Path below the root: no leading `/` or `./`, no trailing slash; the root is empty.
    pub path: Vec<u8>,
    /// The path as the tar spells it.
    pub raw_path: Vec<u8>,
    /// What it is.
    pub kind: EntryType,
    /// Permission bits with set-id and sticky.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u64,
    /// Numeric group.
    pub gid: u64,
    /// Seconds since 1970.
    pub mtime: u64,
    /// Length of the content.
    pub size: u64,
    /// Extended attributes by name.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

/// The tar inside a layer blob.
pub fn decompress(packing: Packing, blob: impl BufRead + 'static) -> io::Result<Box<dyn Read>> {
    Ok(match packing {
        Packing::Plain => Box::new(blob),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(blob)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(blob)?;
            // What every client accepts at most; more would let a small blob claim gigabytes.
            decoder.window_log_max(27)?;
            Box::new(decoder)
        }
    })
}

/// Calls `each` for every entry in order, with its content to read; unread rest is skipped.
/// The reader is drained, so that what hashes behind it sees the end of the tar.
pub fn for_each_entry(
    tar: impl Read,
    each: &mut dyn FnMut(&LayerEntry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let described = describe(&mut entry)?;
        each(&described, &mut entry)?;
        io::copy(&mut entry, &mut io::sink())?;
    }
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(())
}

fn describe<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<LayerEntry> {
    let raw_path = entry.path_bytes().into_owned();
    let link = entry.link_name_bytes().map(|name| name.into_owned());
    let mut xattrs = BTreeMap::new();
    let (mut uid, mut gid, mut mtime) =
        (entry.header().uid()?, entry.header().gid()?, entry.header().mtime()?);
    if let Some(records) = entry.pax_extensions()? {
        for record in records {
            let record = record?;
            let key = String::from_utf8_lossy(record.key_bytes());
            let number = || std::str::from_utf8(record.value_bytes()).ok()?.parse().ok();
            match key.as_ref() {
                "uid" => uid = number().unwrap_or(uid),
                "gid" => gid = number().unwrap_or(gid),
                "mtime" => {
                    let text = String::from_utf8_lossy(record.value_bytes());
                    let whole = text.split('.').next().unwrap_or_default();
                    mtime = whole.parse().unwrap_or(mtime);
                }
                _ => {
                    if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                        xattrs.insert(name.to_owned(), record.value_bytes().to_vec());
                    }
                }
            }
        }
    }
    let header = entry.header();
    let kind = match header.entry_type() {
        tar::EntryType::Directory => EntryType::Directory,
        tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
            EntryType::File
        }
        tar::EntryType::Link => {
            EntryType::HardLink { target: clean(link.as_deref().unwrap_or_default()) }
        }
        tar::EntryType::Symlink => EntryType::Symlink { target: link.unwrap_or_default() },
        kind @ (tar::EntryType::Block | tar::EntryType::Char) => EntryType::Device {
            block: kind == tar::EntryType::Block,
            major: header.device_major()?.unwrap_or(0),
            minor: header.device_minor()?.unwrap_or(0),
        },
        tar::EntryType::Fifo => EntryType::Fifo,
        other => EntryType::Other(other.as_byte()),
    };
    Ok(LayerEntry {
        path: clean(&raw_path),
        raw_path,
        kind,
        mode: header.mode()? & 0o7777,
        uid,
        gid,
        mtime,
        size: entry.size(),
        xattrs,
    })
}

/// Drops what does not change a place: leading slashes, `.` components, a trailing slash. `..`
/// stays, for the validator to see.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|b| *b == b'/').filter(|part| !matches!(*part, b"" | b"."));
    parts.collect::<Vec<_>>().join(&b'/')
}
