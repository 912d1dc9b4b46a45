//! Bytes made by a stranger: no panic, no allocation out of proportion, no endless loop.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests panic and use files")]

mod common;

use common::{assemble, sample};
use proptest::prelude::*;
use strata_rpm::{
    Header, HeaderError, HeaderKind, PackageError, RpmFile, RpmFileError, Tag, VerifyError,
    header::{Data, HeaderBuilder},
    payload,
};

/// Everything that can be done with a file.
fn exercise(bytes: &[u8]) -> bool {
    let _ = RpmFile::headers_len(bytes);
    let Ok(rpm) = RpmFile::parse(bytes) else { return false };
    let _ = (rpm.is_source(), rpm.is_delta(), rpm.header.display_name(), rpm.header_bytes());
    for header in [&rpm.signature, &rpm.header] {
        for tag in header.tags() {
            let _ = (header.u32(tag), header.text(tag), header.bin(tag), header.u32_array(tag));
            let _ = header.strings(tag).map(Iterator::count);
        }
        let _ = header.to_builder();
    }
    let verified = rpm.verify().is_ok();
    let Ok(package) = rpm.package() else { return false };
    let read = payload::read(&rpm, &package, &mut |_, _, content| {
        let mut buffer = [0; 1000];
        while content.read(&mut buffer)? > 0 {}
        Ok(())
    });
    verified && read.is_ok()
}

#[test]
fn every_truncation() {
    let bytes = sample();
    assert!(exercise(&bytes));
    for length in 0..bytes.len() {
        assert!(!exercise(&bytes[..length]), "{length}");
    }
}

#[test]
fn every_byte_of_the_headers_once() {
    let bytes = sample();
    let end = RpmFile::parse(&bytes).unwrap().header_range.end;
    let mut mutated = bytes.clone();
    for at in 96..end {
        for value in [0, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x80] {
            mutated[at] = value;
            exercise(&mutated);
        }
        mutated[at] = bytes[at];
    }
}

#[test]
fn every_bit_of_header_and_payload_counts() {
    let bytes = sample();
    let start = RpmFile::parse(&bytes).unwrap().header_range.start;
    let mut mutated = bytes.clone();
    for at in start..bytes.len() {
        mutated[at] ^= 1 << (at % 8);
        assert!(!exercise(&mutated), "{at}");
        mutated[at] = bytes[at];
    }
}

proptest! {
    #[test]
    fn several_changes(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)
    ) {
        let mut bytes = sample();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        exercise(&bytes);
    }

    #[test]
    fn any_words_in_the_index(
        words in proptest::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 1..6)
    ) {
        let mut bytes = sample();
        let start = RpmFile::parse(&bytes).unwrap().header_range.start;
        let index = Header::parse(&bytes[start..]).unwrap().0.index_len() * 4;
        for (at, value) in words {
            let at = start + 8 + at.index(index) * 4;
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
        exercise(&bytes);
    }

    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        exercise(&bytes);
        let _ = Header::parse(&bytes);
        let _ = Header::parse(&[&Header::MAGIC[..], &bytes].concat());
    }

    /// Values of any kind under the tags that are read, in a header that is sound.
    #[test]
    fn sound_headers_with_odd_values(
        odd in proptest::collection::vec((any::<prop::sample::Index>(), any_data()), 1..6)
    ) {
        let bytes = sample();
        let rpm = RpmFile::parse(&bytes).unwrap();
        let tags: Vec<Tag> = rpm.header.tags().collect();
        let mut header = rpm.header.to_builder();
        for (tag, data) in odd {
            header.set(tags[tag.index(tags.len())], data);
        }
        exercise(&assemble(&header, rpm.payload));
    }
}

fn any_data() -> impl Strategy<Value = Data> {
    let text = || "[a-z/.(]{0,6}".prop_map(String::into_bytes);
    prop_oneof![
        proptest::collection::vec(any::<u16>(), 1..14).prop_map(Data::Int16),
        proptest::collection::vec(prop_oneof![0..20_u32, any::<u32>()], 1..14)
            .prop_map(Data::Int32),
        proptest::collection::vec(any::<u64>(), 12).prop_map(Data::Int64),
        proptest::collection::vec(text(), 1..14).prop_map(Data::StringArray),
        text().prop_map(Data::String),
        proptest::collection::vec(any::<u8>(), 1..14).prop_map(Data::Bin),
    ]
}

/// Header structure with these index entries (tag, type, offset, count) behind a region.
fn header(entries: &[[u32; 4]], data: &[u8]) -> Vec<u8> {
    let mut out = Header::MAGIC.to_vec();
    let il = entries.len() as u32 + 1;
    let mut words = vec![il, data.len() as u32 + 16, 63, 7, data.len() as u32, 16];
    words.extend(entries.iter().flatten());
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    out.extend(data);
    let trailer = [63, 7, (il * 16).wrapping_neg(), 16];
    out.extend(trailer.iter().flat_map(|word: &u32| word.to_be_bytes()));
    out
}

#[test]
fn the_validators_rules() {
    let reason = |bytes: &[u8]| match Header::parse(bytes) {
        Ok(_) => "fine".to_owned(),
        Err(HeaderError::Entry { reason, .. } | HeaderError::Region { reason, .. }) => {
            reason.to_owned()
        }
        Err(error) => error.to_string(),
    };
    let data = b"name\0\0\0\0\0\0\0\x01";
    assert_eq!(reason(&header(&[[1000, 6, 0, 1], [1003, 4, 8, 1]], data)), "fine");
    for (entries, expected) in [
        (&[[99, 6, 0, 1]][..], "the tag is reserved for regions"),
        (&[[1000, 0, 0, 1]], "there is no such type"),
        (&[[1000, 10, 0, 1]], "there is no such type"),
        (&[[1000, 6, 0, 0]], "the count is out of range"),
        (&[[5000, 2, 0, u32::MAX]], "the count is out of range"),
        (&[[5000, 4, 0, 20]], "the data reach beyond the end"),
        (&[[5000, 8, 0, 25]], "the data reach beyond the end"),
        (&[[1000, 6, 0, 2]], "a string has a count other than 1"),
        (&[[5000, 4, 2, 1]], "the data are not aligned"),
        (&[[1000, 6, 9999, 1]], "the offset lies outside the data"),
        (&[[1000, 6, u32::MAX, 1]], "the offset lies outside the data"),
        (&[[1000, 4, 0, 1]], "the tag has another type"),
        (&[[1003, 6, 0, 1]], "the tag has another type"),
        (&[[1000, 6, 0, 1], [1003, 4, 4, 1]], "its data overlap those of the entry before"),
        (&[[1000, 6, 8, 1], [1001, 6, 0, 1]], "its data overlap those of the entry before"),
        (&[[5000, 7, 0, 14]], "its data overlap the region's trailer"),
        (&[[1000, 6, 0, 1], [1000, 6, 8, 1]], "it occurs twice"),
    ] {
        assert_eq!(reason(&header(entries, data)), expected, "{entries:?}");
    }

    let sound = header(&[[1000, 6, 0, 1]], data);
    let patched = |at: usize, word: u32| {
        let mut bytes = sound.clone();
        bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        reason(&bytes)
    };
    let trailer = sound.len() - 16;
    assert_eq!(patched(16, 62), "there is none");
    assert_eq!(patched(20, 8), "its tag has another type or count");
    assert_eq!(patched(28, 15), "its tag has another type or count");
    assert_eq!(patched(24, 5000), "its trailer lies outside the data");
    assert_eq!(patched(24, u32::MAX), "its trailer lies outside the data");
    assert_eq!(patched(trailer, 61), "its trailer has another tag, type or count");
    assert_eq!(patched(trailer + 8, 16), "its trailer names a wrong number of tags");
    assert_eq!(patched(trailer + 8, 16_u32.wrapping_neg()), "it does not cover the whole of it");
    assert_eq!(
        patched(trailer + 8, 33_u32.wrapping_neg()),
        "its trailer names a wrong number of tags"
    );
    assert!(patched(8, 0x1_0000).contains("more than is allowed"));
    assert!(patched(12, 0x1000_0000).contains("more than is allowed"));
    assert!(patched(12, 0x0fff_ffff).contains("cut short"));
    assert_eq!(patched(8, 0), "there are no tags");
}

#[test]
fn packages_that_cannot_be_installed() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let refused = |change: &dyn Fn(&mut HeaderBuilder)| {
        let mut header = rpm.header.to_builder();
        change(&mut header);
        let bytes = assemble(&header, rpm.payload);
        let rpm = RpmFile::parse(&bytes).unwrap();
        rpm.package().unwrap_err()
    };
    let strings =
        |all: &[&str]| Data::StringArray(all.iter().map(|text| text.as_bytes().to_vec()).collect());
    let source = refused(&|header| {
        header.remove(Tag::SOURCERPM);
    });
    assert_eq!(source.to_string(), "`sample-4:1.2~rc1-3.test.src` is a source package");
    assert!(source.hint().is_some());
    let delta = refused(&|header| {
        header.string(Tag::PAYLOADFORMAT, "drpm");
    });
    assert!(matches!(delta, PackageError::Delta { .. }));

    let directories = rpm.header.strings(Tag::DIRNAMES).unwrap().len();
    let names: Vec<&str> = rpm
        .header
        .strings(Tag::BASENAMES)
        .unwrap()
        .map(|n| std::str::from_utf8(n).unwrap())
        .collect();
    for (wrong, reason) in [
        ("..", "it has a `.` or `..` component"),
        (".", "it has a `.` or `..` component"),
        ("a/../../b", "it has a `.` or `..` component"),
        ("", "it has an empty component"),
    ] {
        let error = refused(&|header| {
            let mut names = names.clone();
            names[1] = wrong;
            header.set(Tag::BASENAMES, strings(&names));
        });
        assert!(matches!(&error, PackageError::Path { reason: r, .. } if *r == reason), "{error}");
    }
    let error = refused(&|header| {
        header.set(Tag::DIRNAMES, strings(&vec!["usr/"; directories]));
    });
    assert!(error.to_string().ends_with("it is relative"), "{error}");
    for (tag, data, expected) in [
        (Tag::DIRINDEXES, Data::Int32(vec![99; 12]), "99 of 7 directories"),
        (Tag::DIRINDEXES, Data::Int32(vec![0; 11]), "11 entries for 12 files"),
        (Tag::FILEMODES, Data::Int16(vec![0o644; 12]), "has no file type"),
        (Tag::FILESIZES, Data::Int32(vec![1; 3]), "3 entries for 12 files"),
        (Tag::FILEDIGESTS, strings(&["00"; 12]), "not a digest of sha256"),
        (Tag::FILEDIGESTS, strings(&["zz"; 12]), "not hexadecimal"),
        (Tag::FILECAPS, strings(&["cap_everything=ep"; 12]), "there is no capability"),
        (Tag::FILEDIGESTALGO, Data::Int32(vec![77]), "algorithm 77 is not supported"),
        (Tag::FILEINODES, Data::Int32(vec![1; 12]), "are one file and differ"),
        (Tag::REQUIRENAME, strings(&["a"]), "differ in number"),
        (Tag::PROVIDENAME, strings(&["", "a", "b", "c"]), "the name is empty"),
        (Tag::NAME, Data::String(b"../x".to_vec()), "has a slash or space"),
        (Tag::VERSION, Data::String(Vec::new()), "it is empty"),
    ] {
        let error = refused(&|header| {
            header.set(tag, data.clone());
        });
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let error = refused(&|header| {
        header.remove(Tag::ARCH);
    });
    assert!(error.to_string().contains("has no ARCH"), "{error}");
}

#[test]
fn paths_out_of_proportion() {
    // 4 KB of directory times 100,000 files
    let count = 100_000;
    let mut header = HeaderBuilder::new();
    for (tag, text) in [
        (Tag::NAME, "a"),
        (Tag::VERSION, "1"),
        (Tag::RELEASE, "1"),
        (Tag::ARCH, "noarch"),
        (Tag::SOURCERPM, "a"),
    ] {
        header.string(tag, text);
    }
    header
        .set(Tag::DIRNAMES, Data::StringArray(vec![format!("/{}/", "x".repeat(4000)).into_bytes()]))
        .set(Tag::BASENAMES, Data::StringArray(vec![b"f".to_vec(); count]))
        .set(Tag::DIRINDEXES, Data::Int32(vec![0; count]));
    let bytes = assemble(&header, b"");
    let error = RpmFile::parse(&bytes).unwrap().package().unwrap_err();
    assert!(error.to_string().contains("out of proportion"), "{error}");
}

#[test]
fn files_that_are_not_packages() {
    assert_eq!(RpmFile::parse(b"<html>").unwrap_err(), RpmFileError::NotRpm);
    assert_eq!(RpmFile::parse(&[b'x'; 500]).unwrap_err(), RpmFileError::NotRpm);
    assert!(matches!(
        RpmFile::parse(&sample()[..50]).unwrap_err(),
        RpmFileError::Truncated { needed: 96, have: 50 }
    ));
    let mut future = sample();
    future[4] = 9;
    assert_eq!(RpmFile::parse(&future).unwrap_err(), RpmFileError::Version(9));
}

#[test]
fn damage_is_named() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let range = rpm.header_range;
    let mut flipped = bytes.clone();
    let name = flipped[range.clone()].windows(8).position(|w| w == b"A sample").unwrap();
    flipped[range.start + name] ^= 1;
    let error = RpmFile::parse(&flipped).unwrap().verify().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sample-4:1.2~rc1-3.test.x86_64`: the header does not match its SHA1HEADER"
    );
    let mut flipped = bytes.clone();
    flipped[range.end + 100] ^= 1;
    let error = RpmFile::parse(&flipped).unwrap().verify().unwrap_err();
    assert!(error.to_string().ends_with("the payload does not match its PAYLOADDIGEST"), "{error}");
    let short = &bytes[..bytes.len() - 1];
    let error = RpmFile::parse(short).unwrap().verify().unwrap_err();
    assert!(matches!(error, VerifyError::Size { .. }) && error.hint().is_some(), "{error}");
}

#[test]
fn headers_alone_are_enough_for_the_package() {
    let bytes = sample();
    let mut have = 0;
    let needed = loop {
        let needed = RpmFile::headers_len(&bytes[..have]).unwrap();
        if needed <= have {
            break needed;
        }
        have = needed;
    };
    let rpm = RpmFile::parse(&bytes[..needed]).unwrap();
    assert_eq!(rpm.header_range.end, needed);
    assert!(rpm.payload.is_empty());
    assert!(rpm.verify_header().unwrap().is_some());
    assert_eq!(rpm.package().unwrap().files.len(), 12);
}

#[test]
fn builder_round_trip() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    assert_eq!(rpm.header.to_builder().build(HeaderKind::Main), rpm.header_bytes());
    assert_eq!(rpm.header.region(), &rpm.header_bytes()[16..]);
}
