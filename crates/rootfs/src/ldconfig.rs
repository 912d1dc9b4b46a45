//! What glibc's `ldconfig -r ROOT` does, on a tree: soname links and `/etc/ld.so.cache`.
//!
//! The target is the tree's own glibc, never the host's: its `libc.so.6` says which machine the
//! cache is for, which directories are searched without configuration (`lib64`, or a multiarch
//! directory where glibc itself lies in one), which release's rules hold and what the cache names
//! as its generator. A tree without glibc gets neither links nor a cache; whether the program
//! `ldconfig` is in the tree does not matter, for it is the loader that reads the cache.
//!
//! Deliberate differences from the program: no `/var/cache/ldconfig/aux-cache`; always the format
//! `glibc-ld.so.cache1.1` alone, which every glibc since 2.2 reads (before 2.32 the program put an
//! older table in front); directory entries are taken in byte order where the program takes the
//! file system's; sonames that cannot be file names count as missing; of the hardware directories
//! that glibc before 2.37 searched, those of x86, `atomics` of aarch64 and `tls` are known.

mod cache;
mod conf;
mod glob;
mod scan;
mod strings;
mod target;

use crate::{
    Content, Kind, Node, Origin, Tree, TreePath,
    elf::{self, Elf},
    facts::PackageFacts,
};
use std::borrow::Cow;

pub use target::{Release, Target};

/// Where the configuration lies.
const CONF: &str = "/etc/ld.so.conf";
/// Where the cache belongs.
pub const CACHE: &str = "/etc/ld.so.cache";

/// What `ldconfig` would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LdCache {
    /// Symbolic links to make, or to point elsewhere, with their targets; in the order they are
    /// made. Directories in the paths are resolved.
    pub links: Vec<(TreePath, Vec<u8>)>,
    /// Symbolic links that lead nowhere, which `ldconfig` removes.
    pub removed: Vec<TreePath>,
    /// The bytes of `/etc/ld.so.cache`; nothing when the tree has no glibc.
    pub cache: Option<Vec<u8>>,
}

/// What is read besides the tree itself. Content that strata holds ([`Content::Inline`]) is not
/// asked for.
pub trait Sources {
    /// The text of a file: asked for `/etc/ld.so.conf` and what it includes.
    fn text(&self, content: &Content) -> Option<&[u8]>;

    /// The facts of a file: asked for regular files whose name [`is_library_name`] accepts, and for
    /// those that a symbolic link with such a name leads to.
    fn elf(&self, content: &Content) -> Option<&Elf>;
}

/// The facts of an image's packages, in the order of their installation.
#[derive(Debug, Clone, Copy)]
pub struct PackageSources<'a>(pub &'a [&'a PackageFacts]);

impl PackageSources<'_> {
    fn facts(&self, content: &Content) -> Option<(&PackageFacts, u32)> {
        match content {
            Content::Package { package, file } => {
                let facts = self.0.get(usize::try_from(package.0).ok()?)?;
                Some((facts, *file))
            }
            Content::Inline(_) => None,
        }
    }
}

impl Sources for PackageSources<'_> {
    fn text(&self, content: &Content) -> Option<&[u8]> {
        let (facts, file) = self.facts(content)?;
        facts.contents.get(&file).map(Vec::as_slice)
    }

    fn elf(&self, content: &Content) -> Option<&Elf> {
        let (facts, file) = self.facts(content)?;
        facts.elf.get(&file)
    }
}

fn text_of<'a>(sources: &'a dyn Sources, content: &'a Content) -> Option<&'a [u8]> {
    match content {
        Content::Inline(bytes) => Some(bytes),
        Content::Package { .. } => sources.text(content),
    }
}

fn elf_of<'a>(sources: &'a dyn Sources, content: &Content) -> Option<Cow<'a, Elf>> {
    match content {
        Content::Inline(bytes) => elf::inspect(bytes).map(Cow::Owned),
        Content::Package { .. } => sources.elf(content).map(Cow::Borrowed),
    }
}

/// Whether `ldconfig` looks into a file of this name.
pub fn is_library_name(name: &[u8]) -> bool {
    let library = name.starts_with(b"lib") || name.starts_with(b"ld-");
    library && contains(name, b".so")
        || name.starts_with(b"ld.so.")
        || name.starts_with(b"ld64.so.")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Finds the libraries of a tree, the links they need and the cache.
pub fn ldconfig(tree: &Tree, sources: &dyn Sources) -> LdCache {
    let listing = scan::Listing::new(tree);
    let Some(target) = Target::of(tree, &listing, sources) else {
        return LdCache::default();
    };
    let configured = conf::directories(tree, &listing, sources);
    let mut scan = scan::Scan::new(tree, &listing, sources, &target);
    for directory in &configured {
        scan.add_directory(&directory.path, directory.libc6);
    }
    for path in target.system_directories() {
        scan.add_directory(path.as_bytes(), false);
    }
    let found = scan.run();
    LdCache {
        cache: cache::write(&target, found.entries, &found.hwcaps),
        links: found.links,
        removed: found.removed,
    }
}

impl LdCache {
    /// Puts links and cache into the tree, dated `mtime`.
    pub fn apply(&self, tree: &mut Tree, mtime: u64) {
        for path in &self.removed {
            tree.remove(path);
        }
        for (path, target) in &self.links {
            tree.insert(path.clone(), link(target, mtime));
        }
        let place = TreePath::new(CACHE).ok();
        let place = place.and_then(|path| tree.resolve_parent(&path).ok());
        if let (Some(path), Some(bytes)) = (place, &self.cache) {
            tree.insert(path, Node::generated(bytes.as_slice(), 0o644, mtime));
        }
    }
}

fn link(target: &[u8], mtime: u64) -> Node {
    Node {
        kind: Kind::Symlink { target: target.to_vec() },
        mode: 0o777,
        uid: 0,
        gid: 0,
        mtime,
        origin: Origin::Generated,
    }
}

#[cfg(test)]
mod tests;
