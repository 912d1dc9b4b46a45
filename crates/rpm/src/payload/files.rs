//! Matches the archive's members with the files of the header.

use super::{
    Fault, PayloadError,
    cpio::{Archive, Record},
};
use crate::{ChecksumAlgorithm, FileEntry, Package};

/// What a member's content has to be.
pub(super) enum Expectation<'p> {
    /// No bytes.
    Nothing,
    /// A symbolic link's target.
    Link(&'p [u8]),
    /// A file's content, to be handed out.
    Content {
        /// File index.
        index: u32,
        /// Bytes.
        size: u64,
        /// What they must hash to, where the header says so.
        digest: Option<(ChecksumAlgorithm, &'p [u8])>,
    },
}

/// The files of the header, ticked off one by one.
pub(super) struct Files<'p> {
    package: &'p Package,
    /// File indexes sorted by path.
    sorted: Vec<u32>,
    /// Where in `sorted` the next member is expected: archives mostly follow it.
    next: usize,
    seen: Vec<bool>,
    /// The file's hard-link set, where it has one.
    set_of: Vec<Option<u32>>,
    sets: Vec<LinkSet>,
    current: Option<u32>,
}

struct LinkSet {
    /// The member that carries the content in the stripped form.
    last: u32,
    delivered: bool,
}

impl<'p> Files<'p> {
    pub fn new(package: &'p Package) -> Self {
        let files = &package.files;
        let mut sorted: Vec<u32> = (0..files.len() as u32).collect();
        sorted.sort_by_key(|index| files.get(*index as usize).map(|file| file.path.as_slice()));
        let mut set_of = vec![None; files.len()];
        let mut sets = Vec::new();
        for members in package.hard_links() {
            for member in &members {
                if let Some(slot) = set_of.get_mut(*member as usize) {
                    *slot = Some(sets.len() as u32);
                }
            }
            let last = members.last().copied().unwrap_or_default();
            sets.push(LinkSet { last, delivered: false });
        }
        let seen = vec![false; files.len()];
        Self { package, sorted, next: 0, seen, set_of, sets, current: None }
    }

    fn file(&self, index: u32) -> Option<&'p FileEntry> {
        self.package.files.get(index as usize)
    }

    fn path(&self, index: u32) -> &'p [u8] {
        self.file(index).map(|file| file.path.as_slice()).unwrap_or_default()
    }

    /// Path of the file at hand, for messages.
    pub fn current(&self) -> Option<String> {
        self.current.map(|index| String::from_utf8_lossy(self.path(index)).into_owned())
    }

    fn find(&mut self, name: &[u8]) -> Option<u32> {
        // `./usr/bin/x`, `usr/bin/x` or `/usr/bin/x`
        let name = name.strip_prefix(b".").filter(|n| n.starts_with(b"/")).unwrap_or(name);
        let name = name.strip_prefix(b"/").unwrap_or(name);
        let bare = |index: u32| self.path(index).strip_prefix(b"/").unwrap_or_default();
        let at = match self.sorted.get(self.next) {
            Some(index) if bare(*index) == name => self.next,
            _ => self.sorted.binary_search_by_key(&name, |index| bare(*index)).ok()?,
        };
        self.next = at + 1;
        self.sorted.get(at).copied()
    }

    /// Takes a member's head and says what must follow.
    pub fn enter(
        &mut self,
        record: &Record,
        archive: &Archive<'_>,
    ) -> Result<Expectation<'p>, Fault> {
        let wrong = |reason: &str| Err(Fault::Archive(reason.to_owned()));
        self.current = None;
        let (index, size) = match *record {
            Record::Named { size, mode } => {
                let Some(index) = self.find(archive.name()) else {
                    return wrong("the header does not list it");
                };
                let expected = self.file(index).map(|file| u32::from(file.mode)).unwrap_or(0);
                if mode & 0o170_000 != expected & 0o170_000 {
                    return wrong("it has another file type than in the header");
                }
                (index, Some(size))
            }
            Record::Stripped(index) => (index, None),
            Record::Trailer => return Ok(Expectation::Nothing),
        };
        let Some(file) = self.file(index) else {
            return wrong(&format!("file {index} of {}", self.package.files.len()));
        };
        self.current = Some(index);
        if file.is_ghost() {
            return wrong("a ghost has no place in the payload");
        }
        if self.seen.get(index as usize) != Some(&false) {
            return wrong("it occurs twice");
        }
        if let Some(seen) = self.seen.get_mut(index as usize) {
            *seen = true;
        }
        let set = self.set_of.get(index as usize).copied().flatten();
        let set = set.and_then(|set| self.sets.get_mut(set as usize));
        let full = if file.is_symlink() {
            file.link_target.len() as u64
        } else if file.is_regular() {
            file.size
        } else {
            0
        };
        let carries = match (size, &set) {
            (None, Some(set)) => set.last == index,
            (None, None) => true,
            (Some(0), Some(_)) => false,
            (Some(size), _) if size == full => true,
            (Some(size), _) => {
                return wrong(&format!("it has {size} bytes, in the header {full}"));
            }
        };
        if !carries || full == 0 {
            return Ok(Expectation::Nothing);
        }
        if file.is_symlink() {
            return Ok(Expectation::Link(&file.link_target));
        }
        if let Some(set) = set {
            if set.delivered {
                return wrong("its hard links had their content before");
            }
            set.delivered = true;
        }
        let digest = (!file.digest.is_empty())
            .then_some((self.package.digest_algorithm, file.digest.as_slice()));
        Ok(Expectation::Content { index, size: file.size, digest })
    }

    /// After the last member: nothing may be missing.
    pub fn finish(&self) -> Result<(), PayloadError> {
        let files = &self.package.files;
        let missing = files.iter().zip(&self.seen).find(|(file, seen)| !**seen && !file.is_ghost());
        let empty_set = || {
            let set = self.sets.iter().find(|set| !set.delivered);
            set.and_then(|set| self.file(set.last)).filter(|file| file.size > 0)
        };
        let (file, reason) = match (missing, empty_set()) {
            (Some((file, _)), _) => (file, "the payload lacks it"),
            (None, Some(file)) => (file, "none of its hard links has the content"),
            (None, None) => return Ok(()),
        };
        Err(PayloadError::Archive {
            package: self.package.nevra.to_string(),
            file: Some(String::from_utf8_lossy(&file.path).into_owned()),
            reason: reason.to_owned(),
        })
    }
}
