//! What a layer consists of, and the key that stands for its bytes before they exist.

mod check;
mod text;

pub use check::ManifestError;

use crate::Compression;
use strata_oci::Digest;
use strata_rootfs::TreePath;
use strata_rpm::{Checksum, FileCapabilities};

/// Enters every key. Raise it whenever the same manifest would become other bytes: the tar layout,
/// where pieces are cut, a compressor's version or settings.
pub const FORMAT_VERSION: u32 = 1;

/// All entries of one layer in the order in which they are written: first every directory, once,
/// parents first, the root included; then the members.
///
/// Clients refuse a path that occurs twice, and make up attributes for parents that are missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerManifest {
    /// Directories by path.
    pub directories: Vec<Entry>,
    /// The rest, a package at a time.
    pub members: Vec<Member>,
}

/// What one package puts into a layer (no directories). Its bytes in the layer depend on nothing
/// else, so that they can be kept and used again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Member {
    /// Whose payload the contents come from; none when all of them are inline.
    pub package: Option<Checksum>,
    /// Entries in order.
    pub entries: Vec<Entry>,
}

/// One path of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Real path: no component but the last is a symbolic link.
    pub path: TreePath,
    /// What it is.
    pub kind: EntryKind,
    /// Permission bits with set-id and sticky, `0o7777` at most.
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Seconds since 1970.
    pub mtime: u64,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// Where they come from.
        content: ContentId,
        /// `security.capability`
        capabilities: Option<FileCapabilities>,
    },
    /// Another name of an earlier file of the same member.
    HardLink {
        /// That file.
        target: TreePath,
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
}

/// Where the bytes of a file come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContentId {
    /// A package's payload.
    Package {
        /// Which package.
        checksum: Checksum,
        /// Position in its header; of a hard link set, the last one's.
        file: u32,
    },
    /// Bytes at hand.
    Inline(Digest),
}

impl LayerManifest {
    /// Names the layer's bytes: equal keys are equal bytes, so a known key costs nothing.
    pub fn key(&self, compression: &Compression) -> Digest {
        Digest::of(&self.canonical_bytes(compression))
    }

    /// What [`Self::key`] is the digest of: text, a line an entry, fit to be compared by eye.
    pub fn canonical_bytes(&self, compression: &Compression) -> Vec<u8> {
        let mut out = format!("strata-layer {FORMAT_VERSION} {compression}\n").into_bytes();
        for entry in &self.directories {
            text::entry(entry, &mut out);
        }
        for member in &self.members {
            text::member(member, &mut out);
        }
        out
    }

    /// Refuses what clients would refuse, or would unpack differently.
    pub fn check(&self) -> Result<(), ManifestError> {
        check::check(self)
    }

    /// All entries in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.directories.iter().chain(self.members.iter().flat_map(|member| &member.entries))
    }

    /// Whether there is nothing but directories in it, or not even those.
    pub fn has_no_files(&self) -> bool {
        self.members.iter().all(|member| member.entries.is_empty())
    }

    /// Bytes of file content.
    pub fn content_size(&self) -> u64 {
        self.entries().map(Entry::size).sum()
    }
}

impl Member {
    /// Names the member's bytes within any layer.
    pub fn key(&self, compression: &Compression) -> Digest {
        let mut out = format!("strata-member {FORMAT_VERSION} {compression}\n").into_bytes();
        text::member(self, &mut out);
        Digest::of(&out)
    }
}

impl Entry {
    /// Bytes of content.
    pub fn size(&self) -> u64 {
        match self.kind {
            EntryKind::File { size, .. } => size,
            _ => 0,
        }
    }

    /// The content it needs to be written; none for what has no bytes.
    pub fn content(&self) -> Option<&ContentId> {
        match &self.kind {
            EntryKind::File { size: 1.., content, .. } => Some(content),
            _ => None,
        }
    }
}
