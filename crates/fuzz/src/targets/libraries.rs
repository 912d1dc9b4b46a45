//! Shared libraries and what names their directories.

use super::parts;
use super::shell::put;
use crate::inside;
use std::sync::LazyLock;
use strata_rootfs::{
    Content, Tree,
    elf::{Elf, inspect},
    ldconfig::{Sources, ldconfig as compute},
};

/// A library.
pub fn elf(input: &[u8]) {
    if let Some(elf) = inspect(input) {
        let _ = format!("{elf:?}");
    }
}

/// `ld.so.conf`, a file that it includes, and a library.
pub fn ldconfig(input: &[u8]) {
    static LIBC: LazyLock<Vec<u8>> = LazyLock::new(|| crate::seeds::library("libc.so.6", true));
    let [conf, included, library] = parts(input);
    let mut tree = Tree::default();
    put(&mut tree, "usr/lib64/libc.so.6", &LIBC);
    put(&mut tree, "lib64/libc.so.6", &LIBC);
    put(&mut tree, "etc/ld.so.conf", conf);
    put(&mut tree, "etc/ld.so.conf.d/a.conf", included);
    for name in ["liba.so.1.2", "libb.so", "glibc-hwcaps/x86-64-v3/liba.so.1.2"] {
        put(&mut tree, &format!("lib64/{name}"), library);
        put(&mut tree, &format!("opt/lib/{name}"), library);
    }
    let found = compute(&tree, &Inline);
    for (path, target) in &found.links {
        inside::relative(path.as_bytes());
        assert!(!target.is_empty() && !target.contains(&0), "the target of {path}");
    }
    found.removed.iter().for_each(|path| inside::relative(path.as_bytes()));
    found.apply(&mut tree, 7);
    inside::tree(&tree);
}

/// All content is in the tree.
struct Inline;

impl Sources for Inline {
    fn text(&self, _: &Content) -> Option<&[u8]> {
        None
    }

    fn elf(&self, _: &Content) -> Option<&Elf> {
        None
    }
}
