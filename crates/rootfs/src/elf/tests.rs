#![allow(clippy::unwrap_used, reason = "tests")]

use super::{fixture::library, *};
use proptest::prelude::*;

#[test]
fn reads_soname_and_notes_of_a_library() {
    let elf = inspect(&library(EM_X86_64, "libz.so.1", &["libc.so.6"])).unwrap();
    assert_eq!(elf.class, Class::Elf64);
    assert_eq!(elf.endian, Endian::Little);
    assert_eq!((elf.machine, elf.flags), (EM_X86_64, 7));
    assert!(elf.shared && elf.libc6);
    assert_eq!(elf.soname.as_deref(), Some("libz.so.1"));
    assert_eq!(elf.os_version, 0x0003_0200);
    assert_eq!(elf.isa_level, 2);
}

#[test]
fn isa_level_is_x86_only() {
    let elf = inspect(&library(EM_AARCH64, "libz.so.1", &[])).unwrap();
    assert_eq!((elf.isa_level, elf.libc6), (0, false));
}

#[test]
fn soname_that_is_no_file_name_is_dropped() {
    for name in ["../evil.so", "..", ".", "/lib/libc.so", &"x".repeat(256)] {
        let elf = inspect(&library(EM_X86_64, name, &[])).unwrap();
        assert_eq!((elf.shared, elf.soname), (true, None), "{name}");
    }
}

#[test]
fn executables_and_other_files_are_no_libraries() {
    let mut program = library(EM_X86_64, "libz.so.1", &[]);
    program[16] = 2;
    let elf = inspect(&program).unwrap();
    assert!(!elf.shared && elf.soname.is_none());
    assert_eq!(inspect(b"/* GNU ld script */"), None);
    assert_eq!(inspect(b""), None);
    assert_eq!(inspect(&program[..63]), None);
}

#[test]
fn glibc_names_its_release() {
    let mut libc = library(EM_X86_64, "libc.so.6", &[]);
    libc.extend(b"GNU C Library x\0GNU C Library (GNU libc) stable release version 2.39.\nCopy");
    let elf = inspect(&libc).unwrap();
    let release = elf.libc_release.as_deref();
    assert_eq!(release, Some("(GNU libc) stable release version 2.39"));
}

proptest! {
    #[test]
    fn mutated_libraries_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..24),
        cut in any::<prop::sample::Index>(),
        class in 1u8..3,
        endian in 1u8..3,
    ) {
        let mut bytes = library(EM_X86_64, "libz.so.1", &["libc.so.6", "libm.so.6"]);
        for (place, value) in edits {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        bytes[4] = class;
        bytes[5] = endian;
        inspect(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        inspect(&bytes);
    }

    #[test]
    fn random_words_in_the_headers_never_panic(
        words in prop::collection::vec(any::<u64>(), 1..80),
        class in 1u8..3,
    ) {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', class, 1, 1, 0];
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 62, 0, 1, 0, 0, 0]);
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        inspect(&bytes);
    }
}
