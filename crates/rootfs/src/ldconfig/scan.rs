//! Searches directories for libraries and makes soname links.

use super::{
    Sources, Target,
    cache::{Entry, compare_names},
    contains, elf_of, is_library_name,
};
use crate::{Kind, LinkSet, Tree, TreePath};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

const GLIBC_HWCAPS: &[u8] = b"glibc-hwcaps";

/// The dynamic loaders, whose links a multiarch `ldconfig` leaves alone: another architecture's
/// loader may lie beside the native one.
const LOADERS: [&[u8]; 10] = [
    b"ld-linux-aarch64.so.1",
    b"ld-linux-aarch64_be.so.1",
    b"ld-linux-armhf.so.3",
    b"ld-linux-x32.so.2",
    b"ld-linux-x86-64.so.2",
    b"ld-linux.so.2",
    b"ld-linux.so.3",
    b"ld.so.1",
    b"ld64.so.1",
    b"ld64.so.2",
];

/// The names in every directory of a tree, in byte order.
pub(super) struct Listing<'t> {
    names: BTreeMap<&'t [u8], Vec<&'t [u8]>>,
}

impl<'t> Listing<'t> {
    pub fn new(tree: &'t Tree) -> Self {
        let mut names: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
        for (path, _) in tree.iter() {
            let bytes = path.as_bytes();
            let (parent, name) = match bytes.iter().rposition(|b| *b == b'/') {
                Some(slash) => (bytes.get(..slash), bytes.get(slash + 1..)),
                None => (Some([].as_slice()), Some(bytes)),
            };
            if let (Some(parent), Some(name)) = (parent, name.filter(|name| !name.is_empty())) {
                names.entry(parent).or_default().push(name);
            }
        }
        Self { names }
    }

    /// The names in a directory; none for anything else.
    pub fn names(&self, directory: &TreePath) -> &[&'t [u8]] {
        let found = self.names.get(directory.as_bytes());
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Where a path as someone wrote it leads, links followed; nothing when it leads nowhere.
pub(super) fn resolve(tree: &Tree, path: &[u8]) -> Option<TreePath> {
    let mut at = TreePath::root();
    for part in path.split(|b| *b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => at = at.parent().unwrap_or_default(),
            _ => {
                at = tree.resolve(&at.join(part)).ok()?;
                tree.get(&at)?;
            }
        }
    }
    Some(at)
}

/// A directory to search.
struct Directory {
    /// As written in the configuration: so it stands in the cache.
    path: Vec<u8>,
    /// Where it really lies.
    at: TreePath,
    libc6: bool,
    /// Its name, when it lies below `glibc-hwcaps`.
    hwcaps: Option<Vec<u8>>,
}

/// A library that was found in a directory.
struct Library {
    name: Vec<u8>,
    soname: Vec<u8>,
    flags: i32,
    is_link: bool,
    os_version: u32,
    isa_level: u32,
}

/// All that a search finds.
#[derive(Default)]
pub(super) struct Found {
    pub entries: Vec<Entry>,
    pub links: Vec<(TreePath, Vec<u8>)>,
    pub removed: Vec<TreePath>,
    pub hwcaps: BTreeSet<Vec<u8>>,
}

/// One run over a list of directories.
pub(super) struct Scan<'a> {
    /// With the links made so far: a later directory may refer to them.
    tree: Cow<'a, Tree>,
    listing: &'a Listing<'a>,
    sources: &'a dyn Sources,
    target: &'a Target,
    directories: Vec<Directory>,
    known: BTreeMap<TreePath, usize>,
    found: Found,
}

impl<'a> Scan<'a> {
    pub fn new(
        tree: &'a Tree,
        listing: &'a Listing<'a>,
        sources: &'a dyn Sources,
        target: &'a Target,
    ) -> Self {
        Self {
            tree: Cow::Borrowed(tree),
            listing,
            sources,
            target,
            directories: Vec::new(),
            known: BTreeMap::new(),
            found: Found::default(),
        }
    }

    /// Adds a directory and its `glibc-hwcaps` subdirectories to the list, unless it is missing or
    /// there already under another name.
    pub fn add_directory(&mut self, path: &[u8], libc6: bool) {
        let Some(at) = resolve(&self.tree, path) else {
            return;
        };
        if !self.push(path.to_vec(), at.clone(), libc6, None) || self.target.before(33) {
            return;
        }
        let parent = at.join(GLIBC_HWCAPS);
        let Some(parent) = resolve(&self.tree, parent.as_bytes()) else {
            return;
        };
        // Where a link names another subdirectory, the subdirectory's own name counts: it is the
        // one that the loader knows.
        let mut names = self.listing.names(&parent).to_vec();
        names.sort_by_key(|name| !self.is_directory(&parent.join(name)));
        for name in names {
            if name.first() == Some(&b'.') || name.contains(&b':') {
                continue;
            }
            let full = [path, b"/", GLIBC_HWCAPS, b"/", name].concat();
            let Ok(at) = self.tree.resolve(&parent.join(name)) else {
                continue;
            };
            if self.is_directory(&at) {
                self.found.hwcaps.insert(name.to_vec());
                self.push(full, at, libc6, Some(name.to_vec()));
            }
        }
    }

    fn push(&mut self, path: Vec<u8>, at: TreePath, libc6: bool, hwcaps: Option<Vec<u8>>) -> bool {
        if let Some(index) = self.known.get(&at) {
            if let Some(directory) = self.directories.get_mut(*index) {
                directory.libc6 = libc6;
            }
            return false;
        }
        if !self.is_directory(&at) {
            return false;
        }
        self.known.insert(at.clone(), self.directories.len());
        self.directories.push(Directory { path, at, libc6, hwcaps });
        true
    }

    fn is_directory(&self, at: &TreePath) -> bool {
        at.is_root() || self.tree.get(at).is_some_and(|node| node.is_dir())
    }

    /// Searches the directories in order. Hardware subdirectories come last.
    pub fn run(mut self) -> Found {
        let mut next = 0;
        while let Some(directory) = self.directories.get(next) {
            let directory = Directory {
                path: directory.path.clone(),
                at: directory.at.clone(),
                libc6: directory.libc6,
                hwcaps: directory.hwcaps.clone(),
            };
            self.search(&directory);
            next += 1;
        }
        self.found
    }

    fn search(&mut self, directory: &Directory) {
        let mut libraries: Vec<Library> = Vec::new();
        let mut by_soname: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for name in self.listing.names(&directory.at) {
            let Some(new) = self.library(directory, name) else {
                continue;
            };
            let known = by_soname.get(&new.soname).copied();
            match known.and_then(|index| libraries.get_mut(index)) {
                Some(old) => old.yield_to(new),
                None => {
                    by_soname.insert(new.soname.clone(), libraries.len());
                    libraries.push(new);
                }
            }
        }
        for library in libraries.into_iter().rev() {
            // With a link in between, an update that changes the file's name leaves the cache
            // right; hwcaps subdirectories have no links.
            let name = match &directory.hwcaps {
                Some(_) => &library.name,
                None => &library.soname,
            };
            let path = [&*directory.path, b"/", name].concat();
            if directory.hwcaps.is_none() && !library.is_link {
                self.link(&directory.at, &library);
            }
            self.found.entries.push(Entry {
                path,
                soname: library.soname,
                flags: library.flags,
                os_version: library.os_version,
                isa_level: library.isa_level,
                hardware: self.hardware(directory),
                hwcaps: directory.hwcaps.clone(),
            });
        }
    }

    /// The bits of the hardware directories at the end of a directory's path.
    fn hardware(&self, directory: &Directory) -> u64 {
        if directory.hwcaps.is_some() {
            return 0;
        }
        let mut parts = directory.path.rsplit(|b| *b == b'/');
        let bits = std::iter::from_fn(|| self.target.hardware_bit(parts.next()?));
        bits.fold(0, |sum, bit| sum | 1u64 << bit)
    }

    /// What `ldconfig` makes of one name in a directory.
    fn library(&mut self, directory: &Directory, name: &[u8]) -> Option<Library> {
        let path = directory.at.join(name);
        let kind = &self.tree.get(&path)?.kind;
        let hardware = directory.hwcaps.is_none() && self.target.hardware_bit(name).is_some();
        let is_library = is_library_name(name);
        let is_link = match kind {
            Kind::File { .. } if is_library => false,
            Kind::Symlink { .. } if is_library || hardware || self.takes_any_link(directory) => {
                true
            }
            Kind::Directory if hardware => false,
            _ => return None,
        };
        if is_prelink_temporary(name) {
            return None;
        }
        let at = match self.tree.resolve(&path) {
            Ok(at) if self.tree.get(&at).is_some() => at,
            _ => {
                if contains(name, b".so.") {
                    self.tree.to_mut().remove(&path);
                    self.found.removed.push(path);
                }
                return None;
            }
        };
        let content = match &self.tree.get(&at)?.kind {
            Kind::File { content, .. } => content,
            Kind::Directory if hardware => {
                let full = [&*directory.path, b"/", name].concat();
                self.push(full, at, directory.libc6, None);
                return None;
            }
            _ => return None,
        };
        let elf = elf_of(self.sources, content)?;
        let mut flags = self.target.flags(&elf)?;
        if flags == 1 && directory.libc6 {
            flags = 3;
        }
        let soname = elf.soname.as_deref().map_or(name, str::as_bytes);
        let is_link =
            is_link && (name == soname || name.ends_with(b".so") && soname.starts_with(name));
        Some(Library {
            name: name.to_vec(),
            soname: if is_link { name } else { soname }.to_vec(),
            flags,
            is_link,
            os_version: if self.target.before(36) { elf.os_version } else { 0 },
            isa_level: elf.isa_level,
        })
    }

    /// In a hwcaps subdirectory glibc before 2.37 looks at links of any name.
    fn takes_any_link(&self, directory: &Directory) -> bool {
        directory.hwcaps.is_some() && self.target.before(37)
    }

    /// Makes the link from a library's soname to its file, unless it is right already or something
    /// that is no link has the name.
    fn link(&mut self, directory: &TreePath, library: &Library) {
        let path = directory.join(&library.soname);
        let file = directory.join(&library.name);
        let current = self.inode(&path);
        if current.is_some() {
            let is_loader = LOADERS.contains(&&*library.soname);
            let kind = self.tree.get(&path).map(|node| &node.kind);
            let replaceable = matches!(kind, Some(Kind::Symlink { .. }));
            if current == self.inode(&file)
                || !replaceable
                || is_loader && self.target.is_multiarch()
            {
                return;
            }
        }
        let node = super::link(&library.name, 0);
        self.tree.to_mut().insert(path.clone(), node);
        self.found.links.push((path, library.name.clone()));
    }

    /// What tells whether two paths lead to the same file.
    fn inode(&self, path: &TreePath) -> Option<Inode> {
        let at = self.tree.resolve(path).ok()?;
        match self.tree.get(&at)?.kind {
            Kind::File { links: Some(set), .. } => Some(Inode::Links(set)),
            _ => Some(Inode::Path(at)),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Inode {
    Path(TreePath),
    Links(LinkSet),
}

impl Library {
    /// Makes way for another library of the same soname when that is a file and this a link, or
    /// has the higher version in its name. The flags stay those of the first.
    fn yield_to(&mut self, new: Self) {
        let newer = new.is_link == self.is_link && compare_names(&self.name, &new.name).is_lt();
        if !new.is_link && self.is_link || newer {
            *self = Self { flags: self.flags, ..new };
        }
    }
}

fn is_prelink_temporary(name: &[u8]) -> bool {
    const MARK: &[u8] = b".#prelink#";
    let with_random = name.len().checked_sub(MARK.len() + ".XXXXXX".len());
    let random = with_random.and_then(|start| name.get(start..));
    name.ends_with(MARK) || random.is_some_and(|end| end.starts_with(b".#prelink#."))
}
