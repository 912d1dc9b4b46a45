//! Which glibc the cache is for, and what differs between machines and releases.

use super::{
    Sources, elf_of,
    scan::{Listing, resolve},
};
use crate::{
    Kind, Tree, TreePath,
    elf::{self, Class, Elf, Endian},
};

/// A release of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// 2, so far.
    pub major: u32,
    /// The number after the first dot.
    pub minor: u32,
}

/// The tree's own glibc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    elf: Elf,
    release: Option<Release>,
    /// `/lib/x86_64-linux-gnu` and the like, when that is where it lies.
    multiarch: Option<String>,
}

const FLAG_ELF: i32 = 1;
const FLAG_ELF_LIBC6: i32 = 3;

impl Target {
    /// Looks for `libc.so.6` in the system directories and directly below them. Of several, one of
    /// 64 bits counts, then the first by directory.
    pub(super) fn of(tree: &Tree, listing: &Listing<'_>, sources: &dyn Sources) -> Option<Self> {
        let mut found: Vec<Self> = Vec::new();
        for place in ["lib64", "usr/lib64", "lib", "usr/lib"] {
            let Some(base) = resolve(tree, place.as_bytes()) else {
                continue;
            };
            let below = listing.names(&base).iter().map(|name| base.join(name));
            for directory in std::iter::once(base.clone()).chain(below) {
                found.extend(Self::in_directory(tree, sources, &directory));
            }
        }
        found.into_iter().min_by_key(|t| t.elf.class != Class::Elf64)
    }

    fn in_directory(tree: &Tree, sources: &dyn Sources, directory: &TreePath) -> Option<Self> {
        tree.get(directory).filter(|node| node.is_dir())?;
        let path = tree.resolve(&directory.join(b"libc.so.6")).ok()?;
        let Kind::File { content, .. } = &tree.get(&path)?.kind else {
            return None;
        };
        let elf = elf_of(sources, content)?;
        elf.libc_release.as_ref()?;
        let name = std::str::from_utf8(directory.file_name()).ok()?;
        let multiarch = name.contains("-linux-gnu").then(|| name.to_owned());
        Some(Self::new(elf.into_owned(), multiarch))
    }

    /// From the facts of `libc.so.6` and the name of the multiarch directory that it lies in.
    pub fn new(libc: Elf, multiarch: Option<String>) -> Self {
        Self {
            release: libc.libc_release.as_deref().and_then(Release::parse),
            elf: libc,
            multiarch,
        }
    }

    pub(super) fn endian(&self) -> Endian {
        self.elf.endian
    }

    /// Whether the target is older than glibc 2.`minor`. An unknown release counts as new.
    pub(super) fn before(&self, minor: u32) -> bool {
        self.release.is_some_and(|r| r < Release { major: 2, minor })
    }

    /// Whether glibc was configured for multiarch directories, as Debian does.
    pub(super) fn is_multiarch(&self) -> bool {
        self.multiarch.is_some()
    }

    /// What the cache names as the program that made it.
    pub(super) fn generator(&self) -> String {
        match &self.elf.libc_release {
            Some(release) => format!("ldconfig {release}"),
            None => "ldconfig".to_owned(),
        }
    }

    /// The directories that are searched after the configured ones.
    pub(super) fn system_directories(&self) -> Vec<String> {
        if let Some(triplet) = &self.multiarch {
            let own = [format!("/lib/{triplet}"), format!("/usr/lib/{triplet}")];
            return own.into_iter().chain(["/lib".into(), "/usr/lib".into()]).collect();
        }
        let kinds: &[&str] = match self.elf.machine {
            elf::EM_X86_64 => &["lib", "lib64", "libx32"],
            elf::EM_AARCH64 => &["lib", "lib64", "libilp32"],
            elf::EM_PPC64 | elf::EM_S390 => &["lib", "lib64"],
            elf::EM_RISCV => &["lib", "lib64/lp64d", "lib64/lp64", "lib32/ilp32d", "lib32/ilp32"],
            _ => &["lib"],
        };
        let below = |root: &'static str| kinds.iter().map(move |kind| format!("{root}/{kind}"));
        below("").chain(below("/usr")).collect()
    }

    /// The cache's flags for a library: C library in the low byte, ABI above; nothing when this
    /// target's `ldconfig` passes over it.
    pub(super) fn flags(&self, library: &Elf) -> Option<i32> {
        if !library.shared || library.endian != self.elf.endian {
            return None;
        }
        let plain = match self.before(37) && !library.libc6 {
            true => FLAG_ELF,
            false => FLAG_ELF_LIBC6,
        };
        let wide = library.class == Class::Elf64;
        Some(match self.elf.machine {
            elf::EM_386 | elf::EM_X86_64 => match (library.machine, wide) {
                (elf::EM_X86_64, true) => 0x0303,
                (elf::EM_X86_64, false) => 0x0803,
                (elf::EM_386, false) => plain,
                _ => return None,
            },
            elf::EM_AARCH64 | elf::EM_ARM if wide => 0x0a03,
            elf::EM_AARCH64 | elf::EM_ARM => arm_flags(library.flags).unwrap_or(plain),
            elf::EM_PPC64 if wide => 0x0503,
            elf::EM_S390 if wide => 0x0403,
            elf::EM_PPC64 | elf::EM_S390 => plain,
            elf::EM_RISCV => plain | riscv_flags(library.flags)?,
            _ if library.class == self.elf.class => plain,
            _ => return None,
        })
    }

    /// The bit of a hardware directory below a library directory, for releases that have them.
    pub(super) fn hardware_bit(&self, name: &[u8]) -> Option<u32> {
        if !self.before(37) {
            return None;
        }
        if name == b"tls" {
            return Some(63);
        }
        match (self.elf.machine, name) {
            (elf::EM_386 | elf::EM_X86_64, _) => Some(match name {
                b"sse2" => 0,
                b"x86_64" => 1,
                b"avx512_1" => 2,
                b"i586" => 48,
                b"i686" => 49,
                b"haswell" => 50,
                b"xeon_phi" => 51,
                _ => return None,
            }),
            (elf::EM_AARCH64, b"atomics") => Some(8),
            _ => None,
        }
    }
}

impl Release {
    /// From the text in which glibc names itself.
    fn parse(text: &str) -> Option<Self> {
        let (_, version) = text.rsplit_once(" release version ")?;
        let mut numbers = version.split('.');
        let mut next = || numbers.next()?.parse().ok();
        Some(Self { major: next()?, minor: next()? })
    }
}

fn arm_flags(flags: u32) -> Option<i32> {
    const EABI_MASK: u32 = 0xff00_0000;
    const EABI_5: u32 = 0x0500_0000;
    const HARD: u32 = 0x400;
    const SOFT: u32 = 0x200;
    if flags & EABI_MASK != EABI_5 {
        return None;
    }
    Some(match flags {
        f if f & HARD != 0 => 0x0903,
        f if f & SOFT != 0 => 0x0b03,
        _ => FLAG_ELF_LIBC6,
    })
}

fn riscv_flags(flags: u32) -> Option<i32> {
    const COMPRESSED: u32 = 1;
    const FLOAT: u32 = 6;
    const FLOAT_DOUBLE: u32 = 4;
    match (flags & FLOAT, flags & !(FLOAT | COMPRESSED)) {
        (0, 0) => Some(0x0f00),
        (FLOAT_DOUBLE, 0) => Some(0x1000),
        _ => None,
    }
}
