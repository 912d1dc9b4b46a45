//! Our `ldconfig` against glibc's own, on libraries that `cc` builds. As root only: without
//! `chroot(2)` the program looks at the host's files for some questions.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "support/disk.rs"]
mod disk;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/rpm.rs"]
mod rpm;

use disk::Disk;
use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::{
    MergeTask, Origin, Owners, Tree,
    facts::{self, PackageFacts},
    ldconfig::{LdCache, PackageSources, ldconfig},
    merge,
};
use strata_rpm::{Package, RpmFile, payload};

/// Not every user's search path has it.
const LDCONFIG: &str = "/sbin/ldconfig";

/// Runs both on the directory.
fn compare(root: &Path) {
    let before = Disk::read(root);
    check(root, &before.tree, ldconfig(&before.tree, &before));
}

/// Runs the program on the directory, and compares links, removals and the cache's bytes with ours.
/// The program is the host's: where the tree's glibc is another build, the generator's name may
/// differ.
fn check(root: &Path, tree: &Tree, ours: LdCache) {
    let before = Disk::read(root);
    let run = Command::new(LDCONFIG).arg("-r").arg(root).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let after = Disk::read(root);

    let mut tree = tree.clone();
    ours.apply(&mut tree, 0);
    let made = tree.iter().filter(|(_, node)| node.origin == Origin::Generated).count();
    assert_eq!(made, ours.links.len() + usize::from(ours.cache.is_some()));
    let expected = after.symlinks();
    let mut links = before.symlinks();
    for path in &ours.removed {
        links.remove(path);
    }
    links.extend(ours.links);
    assert_eq!(links, expected);

    let theirs = fs::read(root.join("etc/ld.so.cache")).unwrap();
    let ours = ours.cache.unwrap();
    let (our_entries, our_generator) = parse(&ours);
    let (their_entries, their_generator) = parse(&theirs);
    assert_eq!(our_entries, their_entries);
    if our_generator == their_generator {
        assert!(ours == theirs, "same entries, other bytes");
    } else {
        let cut = |bytes: &[u8], generator: &str| bytes[..bytes.len() - generator.len()].to_vec();
        let mut ours = cut(&ours, &our_generator);
        let theirs = cut(&theirs, &their_generator);
        // The length of the generator's name stands in the extension directory.
        let at = word(&ours, 32) as usize + 20;
        ours[at..at + 4].copy_from_slice(&theirs[at..at + 4]);
        assert!(ours == theirs, "same entries, other bytes");
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// Name, path, flags, OS version, hardware field.
type Entry = (String, String, u32, u32, u64);

/// The entries, and the generator.
fn parse(bytes: &[u8]) -> (Vec<Entry>, String) {
    assert_eq!(&bytes[..20], b"glibc-ld.so.cache1.1");
    let text = |at: u32| {
        let rest = &bytes[at as usize..];
        let end = rest.iter().position(|b| *b == 0).unwrap();
        String::from_utf8_lossy(&rest[..end]).into_owned()
    };
    let entry = |index: u32| {
        let at = 48 + 24 * index as usize;
        let hardware = u64::from(word(bytes, at + 16)) | u64::from(word(bytes, at + 20)) << 32;
        let (name, path) = (text(word(bytes, at + 4)), text(word(bytes, at + 8)));
        (name, path, word(bytes, at), word(bytes, at + 12), hardware)
    };
    let entries = (0..word(bytes, 20)).map(entry).collect();
    let extension = word(bytes, 32) as usize;
    let (at, size) = (word(bytes, extension + 16), word(bytes, extension + 20));
    let generator = &bytes[at as usize..(at + size) as usize];
    (entries, String::from_utf8_lossy(generator).into_owned())
}

/// Whether the oracle can run.
fn available() -> bool {
    // What belongs to this process belongs to root.
    let root = fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    root && disk::have(&["cc", LDCONFIG])
}

/// A directory with the host's own glibc in it, which makes the host's rules the right ones.
struct Root {
    directory: tempfile::TempDir,
    libc: PathBuf,
}

impl Root {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let asked = Command::new("cc").arg("-print-file-name=libc.so.6").output().unwrap();
        let libc = PathBuf::from(String::from_utf8(asked.stdout).unwrap().trim());
        let libc = fs::canonicalize(libc.parent().unwrap()).unwrap();
        let root = Self { directory, libc };
        root.dir("etc/ld.so.conf.d");
        root.text("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
        fs::create_dir_all(root.path(&root.system())).unwrap();
        for name in ["libc.so.6", "libm.so.6"] {
            fs::copy(root.libc.join(name), root.path(&root.system()).join(name)).unwrap();
        }
        root
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.directory.path().join(inside)
    }

    /// The directory of the host's glibc, relative to the root.
    fn system(&self) -> String {
        self.libc.to_str().unwrap().trim_start_matches('/').to_owned()
    }

    fn dir(&self, inside: &str) {
        fs::create_dir_all(self.path(inside)).unwrap();
    }

    fn text(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, target: &str, inside: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    fn library(&self, inside: &str, soname: &str, flags: &[&str]) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let source = self.path("source.c");
        fs::write(&source, "int answer(void) { return 42; }\n").unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-nostdlib", "-o"]).arg(path).arg(&source).args(flags);
        if !soname.is_empty() {
            cc.arg(format!("-Wl,-soname,{soname}"));
        }
        assert!(cc.status().unwrap().success());
        fs::remove_file(source).unwrap();
    }
}

#[test]
fn links_and_cache_are_those_of_the_program() {
    if !available() {
        return;
    }
    let root = Root::new();
    let system = root.system();
    root.text(
        "etc/ld.so.conf.d/10-first.conf",
        "# comment\n  /opt/one/lib// # here\n\n/opt/none\n",
    );
    root.text("etc/ld.so.conf.d/20-second.conf", "/opt/two/lib\n/opt/alias\n/opt/two/lib/\n");
    root.text("etc/ld.so.conf.d/.hidden.conf", "/opt/hidden\n");
    root.text("etc/ld.so.conf.d/ignored.txt", "/opt/hidden\n");
    root.dir("opt/hidden");
    root.link("one/lib", "opt/alias");
    // Two versions of one soname, and a higher number that sorts lower as text.
    root.library("opt/one/lib/liba.so.1.9", "liba.so.1", &[]);
    root.library("opt/one/lib/liba.so.1.10", "liba.so.1", &[]);
    root.link("liba.so.1.9", "opt/one/lib/liba.so.1");
    root.link("liba.so.1", "opt/one/lib/liba.so");
    // The same soname further down the list, and files without one.
    root.library("opt/two/lib/liba.so.1.11", "liba.so.1", &[]);
    root.library("opt/two/lib/libplain.so", "", &[]);
    root.library("opt/two/lib/libplugin.so.3", "", &[]);
    root.library("opt/two/lib/noprefix.so.1", "noprefix.so.1", &[]);
    root.library("opt/two/lib/real-name-1.0", "libreal.so.1", &[]);
    root.link("real-name-1.0", "opt/two/lib/libreal.so.1.0");
    // A development link that leads past its soname counts as a library of its own.
    root.library("opt/two/lib/libdev-2.5.so", "libdev.so.2", &[]);
    root.link("libdev-2.5.so", "opt/two/lib/libdev.so");
    // Links that lead nowhere, to themselves, and things that are no libraries.
    root.link("libgone.so.1.0", "opt/two/lib/libgone.so.1");
    root.link("libgone.so.1", "opt/two/lib/libgone.so");
    root.link("libloop.so.1", "opt/two/lib/libloop.so.1");
    root.text("opt/two/lib/libscript.so", "/* GNU ld script */\nGROUP ( libc.so.6 )\n");
    root.text("opt/two/lib/libempty.so.1", "");
    root.text("opt/two/lib/libshort.so.1", "\x7fELF");
    root.dir("opt/two/lib/libdirectory.so.1");
    root.library("opt/two/lib/libkept.so.1.1", "libkept.so.1", &[]);
    root.text("opt/two/lib/libkept.so.1", "a file of that name is never replaced");
    // Hard links of one library are equally good.
    root.library("opt/two/lib/libhard.so.1.0", "libhard.so.1", &[]);
    fs::hard_link(root.path("opt/two/lib/libhard.so.1.0"), root.path("opt/two/lib/libhard.so.1"))
        .unwrap();
    // Absolute links, upward links.
    root.library("srv/libfar.so.4.2", "libfar.so.4", &[]);
    root.link("/srv/libfar.so.4.2", "opt/two/lib/libfar.so.4.2");
    root.link("../../../../../srv/libfar.so.4.2", "opt/one/lib/libfar.so.4");
    root.library(&format!("{system}/libz.so.1.2.13"), "libz.so.1", &[]);
    compare(root.directory.path());
}

#[test]
fn hwcaps_subdirectories_and_isa_levels() {
    if !available() {
        return;
    }
    let root = Root::new();
    let system = root.system();
    let level = |n: u32| format!("-Wl,-z,x86-64-v{n}");
    let v3 = level(3);
    let flags: &[&str] = if cfg!(target_arch = "x86_64") { &[&v3] } else { &[] };
    let low: &[&str] = &[];
    root.text("etc/ld.so.conf.d/opt.conf", "/opt/lib\n");
    for place in [system.as_str(), "opt/lib"] {
        root.library(&format!("{place}/libfast.so.1.0"), "libfast.so.1", low);
        root.library(
            &format!("{place}/glibc-hwcaps/x86-64-v3/libfast.so.1.0"),
            "libfast.so.1",
            flags,
        );
        root.library(
            &format!("{place}/glibc-hwcaps/x86-64-v2/libfast.so.1.0"),
            "libfast.so.1",
            low,
        );
        root.library(&format!("{place}/glibc-hwcaps/.hidden/libfast.so.1.0"), "libfast.so.1", low);
        root.library(&format!("{place}/glibc-hwcaps/a:b/libfast.so.1.0"), "libfast.so.1", low);
        root.dir(&format!("{place}/glibc-hwcaps/power9"));
    }
    root.library("opt/lib/glibc-hwcaps/x86-64-v3/libonly.so.2", "libonly.so.2", flags);
    compare(root.directory.path());
}

/// Of two word sizes, in one directory and in two, and reached through directories that are links.
#[test]
fn libraries_of_32_bits_and_directories_behind_links() {
    if !available() {
        return;
    }
    let root = Root::new();
    root.text(
        "etc/ld.so.conf.d/a.conf",
        "/opt/mixed\n/opt/linked/lib\n/opt/lib32\n/usr/local/l*\n",
    );
    root.text("etc/ld.so.conf.d/b.conf", "include /etc/more.d/*/[!x]*.conf\n");
    root.text("etc/more.d/one/x.conf", "/opt/never\n");
    root.text("etc/more.d/one/y.conf", "/opt/deep/er/lib\n");
    for place in ["opt/mixed", "opt/lib32", "opt/real/lib", "srv/deep/lib", "opt/never"] {
        root.library(&format!("{place}/libwide.so.1.0"), "libwide.so.1", &[]);
    }
    // the processor of the test may have no narrow mode
    if cfg!(target_arch = "x86_64") {
        for place in ["opt/mixed", "opt/lib32", "opt/real/lib"] {
            root.library(&format!("{place}/libnarrow.so.1.0"), "libnarrow.so.1", &["-m32"]);
            root.library(
                &format!("{place}/glibc-hwcaps/x86-64-v3/libnarrow.so.1.1"),
                "libnarrow.so.1",
                &[],
            );
        }
        // one soname in both sizes, in one directory
        root.library("opt/mixed/libboth-64.so.1", "libboth.so.1", &[]);
        root.library("opt/mixed/libboth-32.so.1", "libboth.so.1", &["-m32"]);
    }
    // the directory itself, one above it, and a link to a link; one directory twice
    root.link("real", "opt/linked");
    root.link("/srv/deep", "opt/deep2");
    root.link("../deep2", "opt/deep/er");
    root.link("/opt/real/lib", "usr/local/lib");
    // a library that lies elsewhere, by way of a linked directory
    root.link("../linked/lib/libwide.so.1.0", "opt/lib32/libaway.so.1");
    compare(root.directory.path());
}

#[test]
fn hardware_directories_of_older_releases() {
    if !available() {
        return;
    }
    let root = Root::new();
    root.text("etc/ld.so.conf.d/opt.conf", "/opt/lib\n/opt/tls\n");
    root.library("opt/lib/libfast.so.1.0", "libfast.so.1", &[]);
    root.library("opt/tls/libfast.so.1.0", "libfast.so.1", &[]);
    for kind in ["haswell", "tls", "x86_64", "avx512_1", "haswell/tls", "unknown"] {
        root.library(&format!("opt/lib/{kind}/libfast.so.1.1"), "libfast.so.1", &[]);
    }
    compare(root.directory.path());
}

#[test]
fn configuration_is_read_as_the_program_reads_it() {
    if !available() {
        return;
    }
    let root = Root::new();
    root.text(
        "etc/ld.so.conf",
        "hwcap 1 nosegneg\n\tinclude /etc/more/[a-c]?.conf\t/etc/ld.so.conf.d/*.conf\ninclude rel/x.conf\n\
         includes\nrelative/lib\n/opt/typed=libc6\n=\n/\nINCLUDE /etc/never.conf\n/opt/space \x0b\n",
    );
    root.text("etc/more/b1.conf", "/opt/b1");
    root.text("etc/more/d1.conf", "/opt/d1");
    root.text("etc/never.conf", "/opt/never");
    root.text("etc/rel/x.conf", "/opt/./x/../x//lib\n");
    root.link("../more/d1.conf", "etc/ld.so.conf.d/z.conf");
    root.link("nowhere", "etc/ld.so.conf.d/gone.conf");
    for (index, place) in
        ["opt/b1", "opt/d1", "opt/never", "opt/x/lib", "relative/lib", "opt/typed", "opt/space"]
            .iter()
            .enumerate()
    {
        root.library(&format!("{place}/lib{index}.so.1.0"), &format!("lib{index}.so.1"), &[]);
    }
    compare(root.directory.path());
}

/// Everything of the packages that their facts are made of.
fn facts_of(path: &Path, package: &Package) -> PackageFacts {
    let wanted = facts::wanted(package);
    let mut facts = PackageFacts::default();
    let bytes = fs::read(path).unwrap();
    let rpm = RpmFile::parse(&bytes).unwrap();
    payload::read(&rpm, package, &mut |file, _, content| {
        if wanted.contains(&file) {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            facts.absorb(package, file, &bytes);
        }
        Ok(())
    })
    .unwrap();
    facts
}

/// From packages to the cache by our own means, against `rpm -i` followed by `ldconfig -r`.
fn compare_corpus(set: &str) {
    let Some(corpus) = std::env::var_os("STRATA_CORPUS") else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "STRATA_CORPUS must name the directory that `cargo xtask corpus` made");
        return;
    };
    if !available() || !rpm::available() {
        return;
    }
    if !Path::new(&corpus).join(set).is_dir() {
        return;
    }
    let rpms = disk::packages_below(&Path::new(&corpus).join(set));
    let packages = rpm::packages(&rpms);
    let facts: Vec<PackageFacts> =
        rpms.iter().zip(&packages).map(|(path, package)| facts_of(path, package)).collect();
    let (facts, all): (Vec<_>, Vec<_>) = facts.iter().zip(&packages).unzip();
    let owners = Owners::default();
    let task = MergeTask {
        packages: &all,
        docs: true,
        filters: &[],
        langs: None,
        owners: &owners,
        color: 2,
    };
    let merged = merge(&task).unwrap();
    let ours = ldconfig(&merged.tree, &PackageSources(&facts));

    let lab = rpm::Lab::new();
    let (root, output) = lab.install("root", &rpms, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check(&root, &merged.tree, ours);
}

#[test]
fn merged_packages_of_the_small_corpus() {
    compare_corpus("small");
}

#[test]
fn merged_packages_of_the_large_corpus() {
    compare_corpus("large");
}

#[test]
#[ignore = "takes minutes"]
fn merged_packages_of_the_full_corpus() {
    compare_corpus("full");
}

/// A real root, named by `STRATA_LDCONFIG_ROOT`; it is changed by the program.
#[test]
#[ignore = "for use by hand"]
fn a_named_root() {
    compare(Path::new(&std::env::var_os("STRATA_LDCONFIG_ROOT").unwrap()));
}
