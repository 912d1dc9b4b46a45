//! Package files, from the outside to the inside.

use crate::inside;
use std::io::Cursor;
use std::sync::OnceLock;
use strata_rootfs::{MergeTask, Owners, merge};
use strata_rpm::{
    Checksum, ChecksumAlgorithm, FileCapabilities, Header, HeaderKind, Package, RpmFile, Tag,
    header::{Data, HeaderBuilder, Value},
    payload::read_from,
};

/// The validator, and every typed look at what it let through.
pub fn header(input: &[u8]) {
    for kind in [HeaderKind::Main, HeaderKind::Signature] {
        let needed = Header::needed(input, kind);
        let Ok((header, used)) = Header::parse_kind(input, kind) else { continue };
        assert!(used <= input.len());
        assert_eq!(needed, Ok(Some(used)));
        look(&header);
        // what was read can be written, and is read as the same
        let rebuilt = header.to_builder().build(kind);
        let (again, _) = Header::parse_kind(&rebuilt, kind)
            .unwrap_or_else(|error| panic!("{kind} written anew: {error}"));
        assert!(again.tags().eq(header.tags()), "tags were lost");
    }
}

fn look(header: &Header) {
    let mut last = None;
    for tag in header.tags() {
        assert!(last < Some(tag), "tags are not in order");
        last = Some(tag);
        match header.get(tag) {
            Some(Value::Bin(bytes)) => assert!(bytes.len() <= header.region().len()),
            Some(Value::Ints(ints)) => assert_eq!(ints.len(), ints.count()),
            Some(Value::Strings(strings)) => assert_eq!(strings.len(), strings.count()),
            None => panic!("a tag that is there has no value"),
        }
        let _ = (header.u32(tag), header.text(tag), header.bin(tag), header.u32_array(tag));
    }
    let _ = (header.is_source(), header.is_delta(), header.display_name(), header.index_len());
}

/// The reader of a main header, and what a merge of it alone would install.
pub fn package(input: &[u8]) {
    let Ok((header, _)) = Header::parse(input) else { return };
    let Ok(package) = Package::from_header(&header) else { return };
    for file in &package.files {
        inside::absolute(&file.path);
    }
    let count = u32::try_from(package.files.len()).unwrap_or(u32::MAX);
    assert!(package.hard_links().iter().flatten().all(|index| *index < count));
    if let Ok(checksum) = Checksum::from_bytes(ChecksumAlgorithm::Sha256, &[0; 32]) {
        let _ = package.record(checksum, 0, "a.rpm");
    }
    let _ = package.nevra.to_string();
    let langs = ["de".to_owned()];
    for (docs, langs, color) in [(true, None, 2), (false, Some(&langs[..]), 0)] {
        let merged = merge(&MergeTask {
            packages: &[&package],
            docs,
            filters: &[],
            langs,
            owners: &Owners::default(),
            color,
        });
        if let Ok(merged) = merged {
            inside::tree(&merged.tree);
            let states = merged.file_states(strata_rootfs::PackageIndex(0));
            assert_eq!(states.len(), package.files.len());
        }
    }
}

/// A whole file.
pub fn file(input: &[u8]) {
    let needed = RpmFile::headers_len(input);
    let Ok(rpm) = RpmFile::parse(input) else { return };
    assert_eq!(needed, Ok(rpm.header_range.end), "the length of the headers");
    assert_eq!(rpm.header_bytes().len(), rpm.header_range.len());
    let _ = (rpm.verify(), rpm.verify_header(), rpm.verify_payload());
    let Ok(package) = rpm.package() else { return };
    unpack(&rpm.header, &package, rpm.payload);
}

/// Text of `FILECAPS`.
pub fn filecaps(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(capabilities) = text.parse::<FileCapabilities>() {
        let bytes = capabilities.to_xattr();
        assert!(matches!(bytes, [0 | 1, 0, 0, 2, ..]), "not version 2: {bytes:?}");
    }
}

/// A payload for a package with one of each: every compressor, and the archive inside.
pub fn payload(input: &[u8]) {
    static PACKAGE: OnceLock<(Header, Package)> = OnceLock::new();
    let (header, package) = PACKAGE.get_or_init(one_of_each);
    unpack(header, package, input);
}

fn unpack(header: &Header, package: &Package, payload: &[u8]) {
    let mut seen = vec![false; package.files.len()];
    let mut buffer = [0; 700];
    let done =
        read_from(header, package, &mut Cursor::new(payload), &mut |index, size, content| {
            let file = package.files.get(index as usize).unwrap_or_else(|| panic!("file {index}"));
            assert!(file.is_regular() && !file.is_ghost(), "content of what is no file");
            assert_eq!(size, file.size);
            assert!(!std::mem::replace(&mut seen[index as usize], true), "a file came twice");
            // half of the files are left to be skipped
            let mut left = if index % 2 == 0 { size } else { 0 };
            while left > 0 {
                let count = content.read(&mut buffer)? as u64;
                assert!((1..=left).contains(&count), "more or less than the header says");
                left -= count;
            }
            Ok(())
        });
    if done.is_ok() {
        let wanted = |set: &[u32]| set.iter().any(|index| seen[*index as usize]);
        let sets = package.hard_links();
        for (index, file) in (0..).zip(&package.files) {
            let linked = sets.iter().find(|set| set.contains(&index));
            let came = linked.map_or(seen[index as usize], |set| wanted(set));
            let due = file.is_regular() && !file.is_ghost() && file.size > 0;
            assert!(came || !due || linked.is_some(), "a file is missing and nobody says so");
        }
    }
}

/// What [`payload`] is read for: no digests, so that every archive gets through to the reader.
fn one_of_each() -> (Header, Package) {
    let builder = one_of_each_header();
    let bytes = builder.build(HeaderKind::Main);
    let (header, _) = Header::parse(&bytes).unwrap_or_else(|error| panic!("{error}"));
    let package = Package::from_header(&header).unwrap_or_else(|error| panic!("{error}"));
    (header, package)
}

/// `(name, mode, size, link target, inode, flags)` of each file in `/d/`.
pub(crate) const FILES: [(&str, u16, u32, &str, u32, u32); 9] = [
    ("big", 0o100_644, 3000, "", 1, 0),
    ("dir", 0o040_755, 4096, "", 2, 0),
    ("empty", 0o100_644, 0, "", 3, 0),
    ("fifo", 0o010_644, 0, "", 4, 0),
    ("ghost", 0o100_644, 5, "", 5, 64),
    ("hard1", 0o100_644, 5, "", 6, 0),
    ("hard2", 0o100_644, 5, "", 6, 0),
    ("link", 0o120_777, 5, "small", 7, 0),
    ("small", 0o100_755, 5, "", 8, 0),
];

/// The header of a package with [`FILES`].
pub(crate) fn one_of_each_header() -> HeaderBuilder {
    let mut builder = HeaderBuilder::new();
    for (tag, text) in [
        (Tag::NAME, "p"),
        (Tag::VERSION, "1"),
        (Tag::RELEASE, "1"),
        (Tag::ARCH, "noarch"),
        (Tag::SOURCERPM, "p-1-1.src.rpm"),
    ] {
        builder.string(tag, text);
    }
    let names = FILES.map(|file| file.0.as_bytes().to_vec()).to_vec();
    let links = FILES.map(|file| file.3.as_bytes().to_vec()).to_vec();
    let owners = vec![b"root".to_vec(); FILES.len()];
    builder
        .set(Tag::BASENAMES, Data::StringArray(names))
        .set(Tag::DIRNAMES, Data::StringArray(vec![b"/d/".to_vec()]))
        .set(Tag::DIRINDEXES, Data::Int32(vec![0; FILES.len()]))
        .set(Tag::FILEMODES, Data::Int16(FILES.map(|file| file.1).to_vec()))
        .set(Tag::FILESIZES, Data::Int32(FILES.map(|file| file.2).to_vec()))
        .set(Tag::FILELINKTOS, Data::StringArray(links))
        .set(Tag::FILEINODES, Data::Int32(FILES.map(|file| file.4).to_vec()))
        .set(Tag::FILEDEVICES, Data::Int32(vec![1; FILES.len()]))
        .set(Tag::FILEFLAGS, Data::Int32(FILES.map(|file| file.5).to_vec()))
        .set(Tag::FILEUSERNAME, Data::StringArray(owners.clone()))
        .set(Tag::FILEGROUPNAME, Data::StringArray(owners));
    builder
}
