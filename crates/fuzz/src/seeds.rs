//! Where a search begins: inputs that get far, and those that once did what they must not.
//!
//! All are files in `seeds/TARGET/`. The binary ones are [`generated`] by code; `strata-fuzz-seeds`
//! writes them. A regression is named for what it showed.

mod archive;
mod library;

pub use library::library;

use crate::targets::{TARGETS, one_of_each_header};
use std::path::Path;
use strata_rpm::{
    HeaderKind, RpmFile, Tag,
    header::Data,
    pack::{PackFile, PackFileKind, PackManifest, build},
};

/// Where they are.
pub const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds");

/// The seeds of a target with their names, in the order of their names.
///
/// # Panics
/// When they cannot be read.
pub fn committed(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(DIRECTORY).join(target);
    let failed = |error| panic!("{}: {error}", directory.display());
    let mut seeds: Vec<_> = std::fs::read_dir(&directory)
        .unwrap_or_else(failed)
        .flatten()
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap_or_else(|error| panic!("{error}")))
        })
        .collect();
    seeds.sort();
    seeds
}

/// Target, name and bytes of each seed that is no text.
pub fn generated() -> Vec<(&'static str, String, Vec<u8>)> {
    let file = packed();
    let main = main_header(&file);
    let mut seeds = vec![
        ("header", "plain".to_owned(), one_of_each_header().build(HeaderKind::Main)),
        ("header", "packed".to_owned(), main.clone()),
        ("header", "signature".to_owned(), signature()),
        ("package", "one-of-each".to_owned(), one_of_each_header().build(HeaderKind::Main)),
        ("package", "packed".to_owned(), main),
        ("package", "everything".to_owned(), everything()),
        ("file", "packed".to_owned(), file),
        ("file", "old".to_owned(), bare_file(&archive::newc())),
        ("file", "large".to_owned(), bare_file(&archive::stripped())),
        ("elf", "library".to_owned(), library("liba.so.1", false)),
        ("elf", "libc".to_owned(), library("libc.so.6", true)),
        ("ldconfig", "library".to_owned(), with_library()),
    ];
    for (name, bytes) in archive::payloads() {
        seeds.push(("payload", name.to_owned(), bytes));
    }
    debug_assert!(seeds.iter().all(|seed| TARGETS.iter().any(|target| target.name == seed.0)));
    seeds
}

/// A package as `strata pack` makes it.
fn packed() -> Vec<u8> {
    let manifest = r#"{
        "name": "seed", "version": "1.0~rc1", "epoch": 1, "requires": ["a >= 1", "(b if c)"],
        "provides": ["user(x) = 1"], "files": {"/usr/bin/x": {"caps": "cap_net_raw=ep"}},
        "scriptlets": {"post": {"script": "ldconfig\n"}}
    }"#;
    let regular = |content: &[u8], executable| PackFileKind::Regular {
        content: content.to_vec(),
        executable,
    };
    let files = [
        ("/usr/bin/x", regular(b"#!/bin/sh\n", true)),
        ("/usr/share/x/text", regular(b"text\n", false)),
        ("/usr/share/x/link", PackFileKind::Symlink { target: b"text".to_vec() }),
    ];
    let files = files.map(|(path, kind)| PackFile { path: path.as_bytes().to_vec(), kind });
    let built = PackManifest::from_json(manifest).map(|manifest| build(&manifest, files.to_vec()));
    built.and_then(|built| built).unwrap_or_else(|error| panic!("{error}"))
}

fn main_header(file: &[u8]) -> Vec<u8> {
    let rpm = RpmFile::parse(file).unwrap_or_else(|error| panic!("{error}"));
    rpm.header_bytes().to_vec()
}

fn signature() -> Vec<u8> {
    let mut builder = strata_rpm::header::HeaderBuilder::new();
    builder
        .set(Tag::SIG_SIZE, Data::Int32(vec![7]))
        .set(Tag::SIG_MD5, Data::Bin(vec![0; 16]))
        .string(Tag::SHA1HEADER, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    builder.build(HeaderKind::Signature)
}

/// A header with dependencies, triggers and scriptlets.
fn everything() -> Vec<u8> {
    let texts =
        |all: &[&str]| Data::StringArray(all.iter().map(|t| t.as_bytes().to_vec()).collect());
    let mut builder = one_of_each_header();
    for (name, version, flags) in [
        (Tag::REQUIRENAME, Tag::REQUIREVERSION, Tag::REQUIREFLAGS),
        (Tag::PROVIDENAME, Tag::PROVIDEVERSION, Tag::PROVIDEFLAGS),
        (Tag::OBSOLETENAME, Tag::OBSOLETEVERSION, Tag::OBSOLETEFLAGS),
        (Tag::TRIGGERNAME, Tag::TRIGGERVERSION, Tag::TRIGGERFLAGS),
    ] {
        builder
            .set(name, texts(&["a", "(b or c)"]))
            .set(version, texts(&["1:2-3", ""]))
            .set(flags, Data::Int32(vec![12, 1 << 16]));
    }
    builder
        .set(Tag::TRIGGERSCRIPTS, texts(&["true", "false"]))
        .set(Tag::TRIGGERSCRIPTPROG, texts(&["/bin/sh", "<lua>"]))
        .set(Tag::TRIGGERINDEX, Data::Int32(vec![0, 1]))
        .set(Tag::FILECAPS, texts(&["", "", "=", "", "", "", "", "", "cap_chown=ep"]))
        .set(Tag::FILELANGS, texts(&["de", "", "", "", "", "", "", "", "fr|en"]))
        .set(Tag::FILECOLORS, Data::Int32(vec![0, 0, 0, 0, 0, 1, 1, 0, 2]))
        .set(Tag::FILERDEVS, Data::Int16(vec![0; 9]))
        .set(Tag::FILEMTIMES, Data::Int32(vec![1; 9]))
        .string(Tag::POSTIN, "echo x\n")
        .string(Tag::POSTINPROG, "/bin/sh")
        .string(Tag::PRETRANS, "x = 1")
        .string(Tag::PRETRANSPROG, "<lua>");
    builder.build(HeaderKind::Main)
}

/// A file without any digest: its payload is read for certain.
fn bare_file(archive: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xed, 0xab, 0xee, 0xdb, 3, 0];
    bytes.resize(96, 0);
    bytes.extend(signature());
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(one_of_each_header().build(HeaderKind::Main));
    bytes.extend(archive);
    bytes
}

fn with_library() -> Vec<u8> {
    let mut bytes = b"include ld.so.conf.d/*.conf\n/opt/lib\0/lib64 # x\n\0".to_vec();
    bytes.extend(library("liba.so.1", false));
    bytes
}
