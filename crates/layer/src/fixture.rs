//! Values for the tests of this crate.

use crate::{ContentId, Contents, ContentsError, Entry, EntryKind, LayerManifest, Member};
use std::{
    collections::BTreeMap,
    io::{self, Read},
    sync::Arc,
};
use strata_oci::Digest;
use strata_rootfs::TreePath;
use strata_rpm::{Checksum, ChecksumAlgorithm};

/// Payloads in the order in which they are read, and inline bytes.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) packages: BTreeMap<Checksum, Vec<(u32, Vec<u8>)>>,
    pub(crate) inline: BTreeMap<Digest, Arc<[u8]>>,
}

impl Contents for Memory {
    fn read_package(
        &self,
        package: &Checksum,
        each: &mut dyn FnMut(u32, u64, &mut dyn Read) -> io::Result<()>,
    ) -> Result<(), ContentsError> {
        for (file, bytes) in self.packages.get(package).ok_or("no such package")? {
            each(*file, bytes.len() as u64, &mut bytes.as_slice())?;
        }
        Ok(())
    }

    fn inline(&self, digest: &Digest) -> Option<Arc<[u8]>> {
        self.inline.get(digest).cloned()
    }
}

pub(crate) fn path(text: impl AsRef<[u8]>) -> TreePath {
    TreePath::new(text).unwrap()
}

pub(crate) fn checksum(name: &str) -> Checksum {
    let digest = Digest::of(name.as_bytes());
    Checksum::from_bytes(ChecksumAlgorithm::Sha256, digest.as_bytes()).unwrap()
}

pub(crate) fn entry(at: impl AsRef<[u8]>, kind: EntryKind) -> Entry {
    let mode = match kind {
        EntryKind::Directory => 0o755,
        EntryKind::Symlink { .. } => 0o777,
        _ => 0o644,
    };
    Entry { path: path(at), kind, mode, uid: 0, gid: 0, mtime: 0 }
}

pub(crate) fn file(at: impl AsRef<[u8]>, package: &str, index: u32, size: u64) -> Entry {
    let content = ContentId::Package { checksum: checksum(package), file: index };
    entry(at, EntryKind::File { size, content, capabilities: None })
}

/// A manifest with the directories that its members need.
pub(crate) fn manifest(members: Vec<Member>) -> LayerManifest {
    let mut directories = BTreeMap::new();
    directories.insert(TreePath::root(), entry("", EntryKind::Directory));
    for entry_of_member in members.iter().flat_map(|member| &member.entries) {
        let mut above = entry_of_member.path.parent();
        while let Some(at) = above {
            above = at.parent();
            directories.insert(at.clone(), entry(at.as_bytes(), EntryKind::Directory));
        }
    }
    LayerManifest { directories: directories.into_values().collect(), members }
}
