#![allow(clippy::unwrap_used, reason = "tests")]

use super::{cache::compare_names, glob, strings::Strings, *};
use crate::elf::{
    EM_386, EM_AARCH64, EM_X86_64,
    fixture::{libc, library},
};
use proptest::prelude::*;
use std::cmp::Ordering;

/// All content is inline.
struct Inline;

impl Sources for Inline {
    fn text(&self, _: &Content) -> Option<&[u8]> {
        None
    }

    fn elf(&self, _: &Content) -> Option<&Elf> {
        None
    }
}

#[derive(Default)]
struct Root(Tree);

impl Root {
    fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        let node = Node::generated(content.into(), 0o644, 0);
        self.0.insert(TreePath::new(path).unwrap(), Node { origin: Origin::Implied, ..node });
        self
    }

    fn link(mut self, path: &str, target: &str) -> Self {
        let node = Node { origin: Origin::Implied, ..link(target.as_bytes(), 0) };
        self.0.insert(TreePath::new(path).unwrap(), node);
        self
    }

    fn run(&self) -> LdCache {
        ldconfig(&self.0, &Inline)
    }
}

fn links(found: &LdCache) -> Vec<String> {
    let text = |(path, target): &(TreePath, Vec<u8>)| {
        format!("{path} -> {}", String::from_utf8_lossy(target))
    };
    found.links.iter().map(text).collect()
}

/// `name path flags os-version hardware` of each entry, then the generator.
fn entries(found: &LdCache) -> Vec<String> {
    let bytes = found.cache.as_deref().unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let text = |at: u32| {
        let rest = &bytes[at as usize..];
        String::from_utf8_lossy(rest.split(|b| *b == 0).next().unwrap())
    };
    assert!(bytes.starts_with(b"glibc-ld.so.cache1.1"));
    let entry = |index: u32| {
        let at = 48 + 24 * index as usize;
        let (name, path) = (text(word(at + 4)), text(word(at + 8)));
        let hardware = u64::from(word(at + 20)) << 32 | u64::from(word(at + 16));
        format!("{name} {path} {:#x} {:#x} {hardware:#x}", word(at), word(at + 12))
    };
    let mut found: Vec<String> = (0..word(20)).map(entry).collect();
    if word(32) != 0 {
        let at = word(32) as usize;
        assert_eq!(word(at), 0xeaa4_2174);
        let generator = &bytes[word(at + 16) as usize..];
        found.push(String::from_utf8_lossy(generator).into_owned());
    }
    found
}

#[test]
fn a_tree_without_glibc_gets_nothing() {
    let root = Root::default()
        .file("usr/lib/libz.so.1.3", library(EM_X86_64, "libz.so.1", &[]))
        .file("lib/libc.so.6", library(EM_X86_64, "libc.so.6", &[]));
    assert_eq!(root.run(), LdCache::default());
}

#[test]
fn lib64_is_searched_without_configuration() {
    let root = Root::default()
        .link("lib64", "usr/lib64")
        .file("usr/lib64/libc.so.6", libc(EM_X86_64, "2.39"))
        .file("usr/lib64/libz.so.1.3", library(EM_X86_64, "libz.so.1", &[]))
        .file("usr/lib/libz.so.1.2", library(EM_X86_64, "libz.so.1", &[]));
    let found = root.run();
    assert_eq!(
        links(&found),
        ["/usr/lib64/libz.so.1 -> libz.so.1.3", "/usr/lib/libz.so.1 -> libz.so.1.2"]
    );
    assert_eq!(
        entries(&found),
        [
            "libz.so.1 /lib64/libz.so.1 0x303 0x0 0x0",
            "libz.so.1 /usr/lib/libz.so.1 0x303 0x0 0x0",
            "libc.so.6 /lib64/libc.so.6 0x303 0x0 0x0",
            "ldconfig (Test) stable release version 2.39",
        ]
    );
}

#[test]
fn machine_is_that_of_glibc() {
    let root = Root::default()
        .file("lib64/libc.so.6", libc(EM_AARCH64, "2.40"))
        .file("lib64/libold.so.1", "not a library");
    assert_eq!(entries(&root.run())[0], "libc.so.6 /lib64/libc.so.6 0xa03 0x0 0x0");

    let foreign = library(EM_AARCH64, "libz.so.1", &[]);
    let root = Root::default()
        .file("lib64/libc.so.6", libc(EM_X86_64, "2.40"))
        .file("lib64/libz.so.1", foreign);
    assert_eq!(entries(&root.run()).len(), 2);
}

#[test]
fn older_releases_have_their_own_rules() {
    let at = |release: &str| {
        let fast = || library(EM_X86_64, "libf.so.1", &[]);
        let root = Root::default()
            .file("lib64/libc.so.6", libc(EM_X86_64, release))
            .file("lib64/haswell/libf.so.1", fast())
            .file("lib64/glibc-hwcaps/x86-64-v3/libf.so.1", fast());
        let mut found = entries(&root.run());
        found.retain(|entry| entry.starts_with("libf"));
        found
    };
    let named = "libf.so.1 /lib64/glibc-hwcaps/x86-64-v3/libf.so.1 0x303";
    let plain = "libf.so.1 /lib64/haswell/libf.so.1 0x303";
    let kernel = 0x0003_0200;
    assert_eq!(at("2.28"), [format!("{plain} {kernel:#x} {:#x}", 1u64 << 50)]);
    assert_eq!(
        at("2.34"),
        [
            format!("{named} {kernel:#x} {:#x}", 1u64 << 62 | 2 << 32),
            format!("{plain} {kernel:#x} {:#x}", 1u64 << 50),
        ]
    );
    assert_eq!(at("2.36")[1], format!("{plain} 0x0 {:#x}", 1u64 << 50));
    assert_eq!(at("2.37"), [format!("{named} 0x0 {:#x}", 1u64 << 62 | 2 << 32)]);
}

#[test]
fn multilib_prefers_the_64_bit_glibc() {
    let mut narrow = libc(EM_386, "2.39");
    // Of class 32 it is no valid library, which is enough to be passed over.
    narrow[4] = 1;
    let root = Root::default()
        .file("lib/libc.so.6", narrow)
        .file("lib64/libc.so.6", libc(EM_X86_64, "2.39"));
    assert_eq!(entries(&root.run())[0], "libc.so.6 /lib64/libc.so.6 0x303 0x0 0x0");
}

#[test]
fn sonames_and_links_never_leave_their_directory() {
    let root = Root::default()
        .file("lib64/libc.so.6", libc(EM_X86_64, "2.39"))
        .file("lib64/liba.so.1", library(EM_X86_64, "../../etc/passwd", &[]))
        .file("lib64/libb.so.1", library(EM_X86_64, "..", &[]))
        .link("lib64/libc.so", "../../../../../etc/shadow")
        .link("lib64/libd.so.1", "../../lib64/libe.so.1")
        .file("lib64/libe.so.1", library(EM_X86_64, "libe.so.1", &[]));
    let found = root.run();
    assert_eq!(links(&found), [""; 0]);
    assert_eq!(found.removed, []);
    let names: Vec<String> = entries(&found);
    assert!(names.iter().any(|entry| entry.starts_with("liba.so.1 /lib64/liba.so.1 ")));
}

#[test]
fn stale_links_are_removed_and_wrong_ones_replaced() {
    let root = Root::default()
        .file("lib64/libc.so.6", libc(EM_X86_64, "2.39"))
        .file("lib64/libz.so.1.2", library(EM_X86_64, "libz.so.1", &[]))
        .file("lib64/libz.so.1.10", library(EM_X86_64, "libz.so.1", &[]))
        .link("lib64/libz.so.1", "libz.so.1.2")
        .link("lib64/libgone.so.4", "libgone.so.4.1")
        .link("lib64/libloop.so.4", "libloop.so.4")
        .link("lib64/libgone.so", "libgone.so.4");
    let found = root.run();
    assert_eq!(links(&found), ["/lib64/libz.so.1 -> libz.so.1.10"]);
    let removed: Vec<String> = found.removed.iter().map(ToString::to_string).collect();
    assert_eq!(removed, ["/lib64/libgone.so.4", "/lib64/libloop.so.4"]);

    let mut tree = root.0;
    found.apply(&mut tree, 7);
    let node = |path: &str| tree.get(&TreePath::new(path).unwrap());
    assert!(node("lib64/libgone.so.4").is_none());
    let link = node("lib64/libz.so.1").unwrap();
    assert_eq!((link.origin, link.mtime), (Origin::Generated, 7));
    assert_eq!(node("etc/ld.so.cache").unwrap().mode, 0o644);
    assert_eq!(ldconfig(&tree, &Inline), LdCache { cache: found.cache, ..LdCache::default() });
}

#[test]
fn of_two_names_for_a_hwcaps_subdirectory_the_real_one_counts() {
    let root = Root::default()
        .file("lib64/libc.so.6", libc(EM_X86_64, "2.39"))
        .link("lib64/glibc-hwcaps/alias", "x86-64-v2")
        .file("lib64/glibc-hwcaps/x86-64-v2/libf.so.1", library(EM_X86_64, "libf.so.1", &[]));
    let found = entries(&root.run());
    assert!(found[0].starts_with("libf.so.1 /lib64/glibc-hwcaps/x86-64-v2/libf.so.1 "));
    assert_eq!(found.len(), 3);
}

#[test]
fn configuration_that_includes_itself_ends() {
    let root = Root::default()
        .file("lib64/libc.so.6", libc(EM_X86_64, "2.39"))
        .file("etc/ld.so.conf", "include /etc/*.conf ld.so.conf\n/opt/lib\ninclude ../etc/x*\n")
        .file("opt/lib/libo.so.2", library(EM_X86_64, "libo.so.2", &[]));
    assert_eq!(entries(&root.run())[0], "libo.so.2 /opt/lib/libo.so.2 0x303 0x0 0x0");
}

#[test]
fn names_compare_with_numbers_by_value() {
    let cases: [(&[u8], &[u8], Ordering); 8] = [
        (b"libz.so.1.2", b"libz.so.1.10", Ordering::Less),
        (b"libz.so.1", b"libz.so.1.1", Ordering::Less),
        (b"libz.so.01", b"libz.so.1", Ordering::Equal),
        (b"liba-2", b"liba-x", Ordering::Greater),
        (b"liba", b"liba-1", Ordering::Less),
        (b"liba", b"liba1", Ordering::Less),
        (b"", b"", Ordering::Equal),
        (b"lib\xff", b"liba", Ordering::Less),
    ];
    for (a, b, order) in cases {
        assert_eq!(compare_names(a, b), order, "{a:?} {b:?}");
        assert_eq!(compare_names(b, a), order.reverse(), "{b:?} {a:?}");
    }
}

#[test]
fn texts_share_their_ends() {
    let texts: [&[u8]; 5] = [b"libz.so.1", b"/lib/libz.so.1", b"so.1", b"other", b"libz.so.1"];
    let table = Strings::new(texts).unwrap();
    assert_eq!(table.bytes().len(), b"/lib/libz.so.1\0other\0".len());
    for text in texts {
        let rest = &table.bytes()[table.offset(text) as usize..];
        assert_eq!(rest.split(|b| *b == 0).next(), Some(text));
    }
}

#[test]
fn patterns_match_as_the_shell_does() {
    let yes = [
        "*.conf a.conf",
        "a?c abc",
        "[a-c]x bx",
        "[!a]x bx",
        "[]]x ]x",
        "a*b*c a--b-bc",
        "\\*a *a",
        ".* .x",
        "[a [a",
    ];
    let no = [
        "*.conf .conf",
        "* .hidden",
        "a?c ac",
        "[a-c]x dx",
        "[!b]x bx",
        "a*b acd",
        "\\*a xa",
        "?x .x",
    ];
    for (cases, expected) in [(&yes[..], true), (&no[..], false)] {
        for case in cases {
            let (pattern, name) = case.split_once(' ').unwrap();
            assert_eq!(glob::matches(pattern.as_bytes(), name.as_bytes()), expected, "{case}");
        }
    }
}

proptest! {
    #[test]
    fn name_order_is_an_order(names in prop::collection::vec("[a-b0-2.]{0,6}", 3)) {
        let [a, b, c] = [0, 1, 2].map(|i| names[i].as_bytes());
        prop_assert_eq!(compare_names(a, b), compare_names(b, a).reverse());
        if compare_names(a, b).is_le() && compare_names(b, c).is_le() {
            prop_assert!(compare_names(a, c).is_le());
        }
    }

    #[test]
    fn any_configuration_and_links_are_survived(
        conf in "[a-z/*?\\[\\]\\\\. \\t\\n#=-]{0,80}|(include (/etc|/|\\.\\./|\\*|\\[a-z\\]|ld\\.so\\.conf){1,4}\n){1,4}",
        links in prop::collection::vec(("(lib64|etc|opt)/(libx\\.so\\.[1-3]|a|b)", "(/|\\.\\./|lib64/|opt/|etc/|libx\\.so\\.|[1-3ab]){1,4}"), 0..6),
        soname in "[a-z./0-9]{0,12}",
    ) {
        let mut root = Root::default()
            .file("lib64/libc.so.6", libc(EM_X86_64, "2.36"))
            .file("lib64/libx.so.9", library(EM_X86_64, &soname, &[]))
            .file("etc/ld.so.conf", conf);
        for (path, target) in &links {
            root = root.link(path, target);
        }
        let found = root.run();
        let mut tree = root.0;
        found.apply(&mut tree, 0);
        for (path, _) in tree.iter() {
            let parent = path.parent().unwrap_or_default();
            let there = parent.is_root() || tree.get(&parent).is_some_and(Node::is_dir);
            prop_assert!(there, "{path}");
        }
        entries(&found);
    }
}
