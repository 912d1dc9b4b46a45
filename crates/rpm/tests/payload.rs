//! Payloads in every format, and damaged in every way.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests panic and use files")]

mod common;

use common::{Contents, assemble, contents, sample};
use std::io::{self, Read, Write};
use strata_rpm::{
    PayloadError, RpmFile, Tag,
    header::{Data, HeaderBuilder},
    payload,
};

/// Header without payload digests, and the plain archive.
fn taken_apart() -> (HeaderBuilder, Vec<u8>) {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let mut header = rpm.header.to_builder();
    header.remove(Tag::PAYLOADDIGEST).remove(Tag::PAYLOADDIGESTALT);
    let archive = zstd::stream::decode_all(rpm.payload).unwrap();
    (header, archive)
}

fn expected() -> Contents {
    contents(&sample()).unwrap().1
}

#[test]
fn contents_in_order() {
    let (package, all) = contents(&sample()).unwrap();
    let names: Vec<_> = all
        .iter()
        .map(|(index, content)| {
            let path = &package.files[*index as usize].path;
            format!("{} {}", String::from_utf8_lossy(path), content.len())
        })
        .collect();
    // empty files carry nothing; of the hard links the last has the content
    assert_eq!(
        names,
        [
            "/etc/sample/a.conf 6",
            "/usr/bin/sample 22",
            "/usr/bin/suid 4",
            "/usr/bin/tool 80000",
            "/usr/share/doc/sample/README 7",
            "/usr/share/licenses/sample/COPYING 4",
        ]
    );
}

#[test]
fn every_compressor() {
    let (header, archive) = taken_apart();
    let (head, tail) = archive.split_at(archive.len() / 2);
    let gzip = |bytes: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::stream::encode_all(bytes, 3).unwrap();
    let xz = |stream: liblzma::stream::Stream| {
        let mut out = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        out.write_all(&archive).unwrap();
        out.finish().unwrap()
    };
    let lzma = liblzma::stream::LzmaOptions::new_preset(1).unwrap();
    for (name, payload) in [
        ("none", archive.clone()),
        ("gzip", gzip(&archive)),
        ("gzip members", [gzip(head), gzip(tail)].concat()),
        ("bzip2", bzip2(&archive)),
        ("bzip2 members", [bzip2(head), bzip2(tail)].concat()),
        ("zstd", zstd(&archive)),
        ("zstd frames", [zstd(head), zstd(tail)].concat()),
        (
            "xz",
            xz(liblzma::stream::Stream::new_easy_encoder(1, liblzma::stream::Check::Crc32)
                .unwrap()),
        ),
        ("lzma", xz(liblzma::stream::Stream::new_lzma_encoder(&lzma).unwrap())),
    ] {
        let (_, all) = contents(&assemble(&header, &payload)).unwrap();
        assert!(all == expected(), "{name}");
    }
    for (payload, message) in [
        (&b"PK\x03\x04 a zip"[..], "payload format `zstd` is not supported"),
        (&b""[..], "the payload ends too early"),
    ] {
        let error = contents(&assemble(&header, payload)).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn rpms_stripped_archives() {
    let (header, archive) = taken_apart();
    let (package, _) = contents(&assemble(&header, &archive)).unwrap();
    let mut stripped = Vec::new();
    let link_last = package.hard_links()[0].last().copied();
    for (index, file) in package.files.iter().enumerate().filter(|(_, f)| !f.is_ghost()) {
        stripped.extend(format!("07070X{index:08x}").bytes());
        stripped.resize(stripped.len().next_multiple_of(4), 0);
        let linked = package.hard_links()[0].contains(&(index as u32));
        if file.is_symlink() {
            stripped.extend(&file.link_target);
        } else if !linked || link_last == Some(index as u32) {
            let content = expected().into_iter().find(|(i, _)| *i == index as u32);
            stripped.extend(content.unwrap_or_default().1);
        }
        stripped.resize(stripped.len().next_multiple_of(4), 0);
    }
    stripped.extend(&archive[archive.len() - 124..]);
    let (_, all) = contents(&assemble(&header, &stripped)).unwrap();
    assert!(all == expected());
    let wild = String::from_utf8_lossy(&stripped).replacen("07070X00000000", "07070X0000ffff", 1);
    let error = contents(&assemble(&header, wild.as_bytes())).unwrap_err();
    assert!(error.to_string().contains("file 65535 of 12"), "{error}");
}

#[test]
fn archives_of_the_crc_form() {
    let (header, mut archive) = taken_apart();
    let mut members = 0;
    for at in (0..archive.len() - 6).step_by(4) {
        if archive[at..].starts_with(b"070701") {
            archive[at + 5] = b'2';
            members += 1;
        }
    }
    assert!(members > 10, "{members}");
    let (_, all) = contents(&assemble(&header, &archive)).unwrap();
    assert!(all == expected());
}

#[test]
fn unread_content_is_skipped_and_checked() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let package = rpm.package().unwrap();
    let mut count = 0;
    payload::read(&rpm, &package, &mut |_, _, content| {
        count += 1;
        content.read_exact(&mut [0; 3])
    })
    .unwrap();
    assert_eq!(count, 6);

    let (header, archive) = taken_apart();
    let at = position(&archive, b"0123456789abcdef");
    let mut flipped = archive;
    flipped[at + 40_000] ^= 1;
    let bytes = assemble(&header, &flipped);
    let rpm = RpmFile::parse(&bytes).unwrap();
    let error = payload::read(&rpm, &package, &mut |_, _, _| Ok(())).unwrap_err();
    assert!(matches!(error, PayloadError::FileDigest { .. }), "{error}");
    // whoever reads to the end does not get the end
    let error = contents(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sample-4:1.2~rc1-3.test.x86_64`: the content of `/usr/bin/tool` does not match its \
         digest in the header"
    );
}

/// A file of which reading gets only a few bytes at a time, and an error at one place.
struct Slow<'a> {
    inner: io::Cursor<&'a [u8]>,
    fails_at: u64,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.inner.position() >= self.fails_at {
            return Err(io::Error::other("bad sector"));
        }
        let few = buffer.len().min(3);
        self.inner.read(&mut buffer[..few])
    }
}

impl io::Seek for Slow<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn payloads_are_read_from_files() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let package = rpm.package().unwrap();
    let read = |bytes: &[u8], fails_at| {
        let mut all = Vec::new();
        let mut file = Slow { inner: io::Cursor::new(bytes), fails_at };
        io::Seek::seek(&mut file, io::SeekFrom::Start(rpm.header_range.end as u64)).unwrap();
        let mut file = io::BufReader::new(file);
        payload::read_from(&rpm.header, &package, &mut file, &mut |index, _, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            all.push((index, bytes));
            Ok(())
        })
        .map(|()| all)
    };
    assert!(read(&bytes, u64::MAX).unwrap() == expected());
    let last = bytes.len() as u64 - 1;
    let error = read(&bytes, last).unwrap_err();
    assert!(matches!(error, PayloadError::Read { .. }), "{error}");
    assert!(error.to_string().ends_with("the payload cannot be read: bad sector"), "{error}");
    for wrong in [&bytes[..bytes.len() - 1], &[&bytes, &b"x"[..]].concat()] {
        let error = read(wrong, u64::MAX).unwrap_err();
        assert!(matches!(error, PayloadError::Verify(_)), "{error}");
    }
}

#[test]
fn the_consumers_error_comes_back() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let package = rpm.package().unwrap();
    let error = payload::read(&rpm, &package, &mut |_, _, _| Err(io::Error::other("disk full")))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sample-4:1.2~rc1-3.test.x86_64`: `/etc/sample/a.conf` could not be processed: disk full"
    );
}

fn position(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).position(|window| window == needle).unwrap()
}

/// Start of the cpio head of that member.
fn member(archive: &[u8], name: &str) -> usize {
    position(archive, format!("./{name}\0").as_bytes()) - 110
}

#[test]
fn archives_that_disagree_with_the_header() {
    let (header, archive) = taken_apart();
    let conf = member(&archive, "etc/sample/a.conf");
    let next = member(&archive, "etc/sample/empty");
    let readme = member(&archive, "usr/share/doc/sample/README");
    let patched = |at: usize, bytes: &[u8]| {
        let mut archive = archive.clone();
        archive[at..at + bytes.len()].copy_from_slice(bytes);
        archive
    };
    let without = [&archive[..conf], &archive[next..]].concat();
    let twice = [&archive[..next], &archive[conf..]].concat();
    for (payload, expected) in [
        (patched(conf + 54, b"00000007"), "it has 7 bytes, in the header 6"),
        (patched(conf + 54, b"ffffffff"), "it has 4294967295 bytes, in the header 6"),
        (patched(readme + 54, b"00000000"), "it has 0 bytes, in the header 7"),
        (patched(conf + 54, b"0000000g"), "`0000000g` where a number should be"),
        (patched(conf + 94, b"00000000"), "a name of 0 bytes"),
        (patched(conf + 94, b"7fffffff"), "a name of 2147483647 bytes"),
        (patched(conf + 94, b"00000004"), "a name without an end"),
        (patched(conf, b"070707"), "`070707` where a cpio member should begin"),
        (patched(conf + 14, b"000041ed"), "another file type"),
        (patched(conf + 112, b"abc"), "the header does not list it"),
        (patched(position(&archive, b"alias\0") + 7, b"simple"), "the link points to"),
        (without, "at `/etc/sample/a.conf`: the payload lacks it"),
        (twice, "at `/etc/sample/a.conf`: it occurs twice"),
        ([archive.clone(), vec![0; 100_000]].concat(), "data follow the end"),
    ] {
        let error = contents(&assemble(&header, &payload)).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(error.to_string().contains("`sample-4:1.2~rc1-3.test.x86_64`"), "{error}");
    }
}

#[test]
fn hard_links_carry_their_content_once() {
    let (header, archive) = taken_apart();
    let link = member(&archive, "usr/bin/sample-link");
    let tool = member(&archive, "usr/bin/tool");
    let after = member(&archive, "usr/share/doc/sample/README");
    let mut empty = archive[tool..tool + 128].to_vec();
    empty[54..62].copy_from_slice(b"00000000");
    let none = [&archive[..tool], &empty[..], &archive[after..]].concat();
    let error = contents(&assemble(&header, &none)).unwrap_err();
    assert!(error.to_string().contains("none of its hard links has the content"), "{error}");

    // the first member may carry it as well as the last
    let content = &archive[after - 80_000..after];
    let mut full = archive[link..tool].to_vec();
    full[54..62].copy_from_slice(format!("{:08x}", 80_000).as_bytes());
    full.extend(content);
    let first = [&archive[..link], &full, &empty, &archive[after..]].concat();
    let (_, all) = contents(&assemble(&header, &first)).unwrap();
    assert!(all.iter().any(|(index, bytes)| *index == 5 && bytes.len() == 80_000));

    let both = [&archive[..link], &full, &archive[tool..]].concat();
    let error = contents(&assemble(&header, &both)).unwrap_err();
    assert!(error.to_string().contains("had their content before"), "{error}");
}

#[test]
fn ghosts_are_not_in_the_payload() {
    let (mut header, archive) = taken_apart();
    let rpm_bytes = assemble(&header, &archive);
    let rpm = RpmFile::parse(&rpm_bytes).unwrap();
    let mut flags = rpm.header.u32_array(Tag::FILEFLAGS).unwrap();
    flags[1] |= 64;
    header.set(Tag::FILEFLAGS, Data::Int32(flags));
    let error = contents(&assemble(&header, &archive)).unwrap_err();
    assert!(error.to_string().contains("a ghost has no place in the payload"), "{error}");
}

#[test]
fn digests_of_the_whole() {
    let (mut header, archive) = taken_apart();
    let digest = |hex: &str| Data::StringArray(vec![hex.as_bytes().to_vec()]);
    header.set(Tag::PAYLOADDIGESTALT, digest(&"0".repeat(64)));
    let error = contents(&assemble(&header, &archive)).unwrap_err();
    assert!(matches!(error, PayloadError::ArchiveDigest { .. }), "{error}");
    header.set(Tag::PAYLOADDIGEST, digest(&"0".repeat(64)));
    let error = contents(&assemble(&header, &archive)).unwrap_err();
    assert!(matches!(error, PayloadError::Verify(_)), "{error}");
    header.set(Tag::PAYLOADDIGEST, digest("zz"));
    assert!(contents(&assemble(&header, &archive)).is_err());
}

#[test]
fn every_truncation_is_noticed() {
    let (header, archive) = taken_apart();
    let packed = zstd::stream::encode_all(archive.as_slice(), 3).unwrap();
    for payload in [&archive, &packed] {
        let step = (payload.len() / 500).max(1);
        // the last bytes of a plain archive are padding
        for length in (0..payload.len() - 4).step_by(step) {
            let error = contents(&assemble(&header, &payload[..length])).unwrap_err();
            assert!(error.to_string().contains("sample-4:"), "{error}");
        }
    }
}

#[test]
fn a_bomb_is_stopped_at_once() {
    let (header, archive) = taken_apart();
    let bomb = [archive, vec![0; 256 << 20]].concat();
    let packed = zstd::stream::encode_all(bomb.as_slice(), 3).unwrap();
    let error = contents(&assemble(&header, &packed)).unwrap_err();
    assert!(error.to_string().contains("data follow the end"), "{error}");
}
