use crate::{
    Compression, ContentId, Entry, EntryKind, LayerManifest, Member, NoMembers,
    fixture::{Memory, checksum, entry, file, manifest},
    write_layer,
};
use std::{collections::BTreeMap, path::Path, process::Command};
use strata_oci::{
    Digest,
    media::Packing,
    unpack::{self, EntryType, LayerEntry},
    validate::TarRules,
};
use strata_rpm::FileCapabilities;

fn long(length: usize) -> String {
    "abcdefghij".repeat(length / 10)
}

/// One of everything that is awkward.
fn awkward() -> (LayerManifest, Memory) {
    let mut memory = Memory::default();
    let contents: Vec<(u32, Vec<u8>)> =
        (0..9).map(|index| (index, vec![b'a' + index as u8; 513 * index as usize + 1])).collect();
    let size = |index: usize| contents[index].1.len() as u64;
    let mut capable = file("usr/bin/ping", "p", 0, size(0));
    if let EntryKind::File { capabilities, .. } = &mut capable.kind {
        *capabilities =
            Some(FileCapabilities { permitted: 0x2_0000_2000, inheritable: 0, effective: true });
    }
    let mut sudo = file("usr/bin/sudo", "p", 1, size(1));
    (sudo.mode, sudo.uid, sudo.gid, sudo.mtime) = (0o4111, 2_500_000, 4_294_967_294, 1_600_000_000);
    let mut sticky = file("usr/bin/sticky", "p", 2, size(2));
    (sticky.mode, sticky.mtime) = (0o3750, 9_999_999_999);
    let splittable = format!("{}/{}", long(90), long(90));
    let entries = vec![
        capable,
        sudo,
        sticky,
        file(splittable, "p", 3, size(3)),
        file(format!("d/{}", long(250)), "p", 4, size(4)),
        file(b"latin-\xe9\xff name", "p", 5, size(5)),
        file([b"latin/\xe9".as_slice(), long(150).as_bytes()].concat(), "p", 6, size(6)),
        entry("usr/bin/ping6", EntryKind::HardLink { target: "usr/bin/ping".parse_path() }),
        entry(
            format!("d/{}", "k".repeat(250)),
            EntryKind::HardLink { target: format!("d/{}", long(250)).parse_path() },
        ),
        entry("link", EntryKind::Symlink { target: b"../\xe9 x".to_vec() }),
        entry("longlink", EntryKind::Symlink { target: long(1000).into_bytes() }),
        entry("empty", empty()),
        file("exactly", "p", 7, size(7)),
        file([long(120), long(120), long(120)].join("/"), "p", 8, size(8)),
        entry("fifo", EntryKind::Fifo),
        entry("100".to_owned() + &"x".repeat(97), empty()),
        entry("umlaut-\u{fc}", empty()),
        entry("new\nline\\", empty()),
    ];
    memory.packages.insert(checksum("p"), contents);
    let members = vec![Member { package: Some(checksum("p")), entries }];
    let mut manifest = manifest(members);
    // A directory whose own slash is the only place to split it at, and a long one.
    for path in ["y".repeat(100), "z".repeat(200), format!("{}/{}", long(90), "w".repeat(120))] {
        manifest.directories.push(entry(path, EntryKind::Directory));
    }
    manifest.directories.sort_by(|a, b| a.path.cmp(&b.path));
    for directory in &mut manifest.directories {
        directory.mode = 0o1775;
    }
    (manifest, memory)
}

fn empty() -> EntryKind {
    EntryKind::File { size: 0, content: ContentId::Inline(Digest::of(b"")), capabilities: None }
}

trait ParsePath {
    fn parse_path(&self) -> strata_rootfs::TreePath;
}

impl<T: AsRef<[u8]> + ?Sized> ParsePath for T {
    fn parse_path(&self) -> strata_rootfs::TreePath {
        crate::fixture::path(self)
    }
}

fn written(manifest: &LayerManifest, memory: &Memory) -> Vec<u8> {
    let mut out = Vec::new();
    write_layer(manifest, &Compression::None, memory, &NoMembers, &mut out).unwrap();
    out
}

fn read_back(tar: &[u8]) -> Vec<LayerEntry> {
    let reader = unpack::decompress(Packing::Plain, std::io::Cursor::new(tar.to_vec())).unwrap();
    let mut found = Vec::new();
    let mut rules = TarRules::default();
    unpack::for_each_entry(reader, &mut |entry, _| {
        rules.entry(entry);
        found.push(entry.clone());
        Ok(())
    })
    .unwrap();
    assert_eq!(rules.finish(), []);
    found
}

fn same(entry: &Entry, found: &LayerEntry) {
    let at = &entry.path;
    assert_eq!(
        String::from_utf8_lossy(entry.path.as_bytes()),
        String::from_utf8_lossy(&found.path)
    );
    assert_eq!(entry.path.as_bytes(), found.path);
    assert_eq!(
        (u32::from(entry.mode), u64::from(entry.uid), u64::from(entry.gid), entry.mtime),
        (found.mode, found.uid, found.gid, found.mtime),
        "{at}"
    );
    assert_eq!(entry.size(), found.size, "{at}");
    let mut xattrs = BTreeMap::new();
    let kind = match &entry.kind {
        EntryKind::Directory => EntryType::Directory,
        EntryKind::File { capabilities, .. } => {
            if let Some(capabilities) = capabilities {
                let value = capabilities.to_xattr().to_vec();
                xattrs.insert("security.capability".to_owned(), value);
            }
            EntryType::File
        }
        EntryKind::HardLink { target } => {
            EntryType::HardLink { target: target.as_bytes().to_vec() }
        }
        EntryKind::Symlink { target } => EntryType::Symlink { target: target.clone() },
        EntryKind::Device { block, major, minor } => {
            EntryType::Device { block: *block, major: *major, minor: *minor }
        }
        EntryKind::Fifo => EntryType::Fifo,
    };
    assert_eq!(kind, found.kind, "{at}");
    assert_eq!(xattrs, found.xattrs, "{at}");
}

#[test]
fn the_tar_crate_reads_what_was_meant() {
    let (manifest, memory) = awkward();
    let tar = written(&manifest, &memory);
    let found = read_back(&tar);
    assert_eq!(found.first().unwrap().raw_path, b"./");
    assert_eq!(manifest.entries().count(), found.len());
    for (entry, found) in manifest.entries().zip(&found) {
        same(entry, found);
    }
}

#[test]
fn lengths_are_known_before() {
    let (manifest, memory) = awkward();
    let entries: u64 = manifest.entries().map(super::length).sum();
    assert_eq!(entries + 1024, written(&manifest, &memory).len() as u64);
}

#[test]
fn devices_are_written_when_asked_for() {
    let mut wanted = manifest(vec![Member {
        package: None,
        entries: vec![
            entry("null", EntryKind::Device { block: false, major: 1, minor: 3 }),
            entry("sda", EntryKind::Device { block: true, major: 8, minor: 300 }),
        ],
    }]);
    wanted.directories[0].mode = 0o700;
    let found = read_back(&written(&wanted, &Memory::default()));
    for (entry, found) in wanted.entries().zip(&found) {
        same(entry, found);
    }
}

#[test]
fn a_file_beyond_eight_gigabytes_has_a_size_record() {
    let size = (1 << 33) + 5;
    let mut header = Vec::new();
    super::append_header(&file("big", "p", 0, size), &mut header);
    assert_eq!(header.len(), 3 * super::BLOCK);
    let record = format!("19 size={size}\n");
    assert_eq!(&header[512..512 + record.len()], record.as_bytes());
}

/// These bytes are part of the format: when they change, raise `FORMAT_VERSION`.
#[test]
fn golden_bytes() {
    let (manifest, memory) = awkward();
    let tar = written(&manifest, &memory);
    let found = [Digest::of(&tar), manifest.key(&Compression::default())];
    assert_eq!(
        found.map(|digest| digest.hex()[..16].to_owned()),
        ["7fef07198aad4b2b", "4333e7116a37bab1"]
    );
    assert_eq!(crate::FORMAT_VERSION, 1);
}

/// Runs a program on the tar, unless it is not installed.
fn with_tool(program: &str, arguments: &[&str], tar: &Path) -> Option<Vec<u8>> {
    let run = Command::new(program)
        .args(arguments)
        .arg(tar)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .output();
    let Ok(output) = run else {
        assert!(std::env::var_os("STRATA_REQUIRE_TOOLS").is_none(), "`{program}` is missing");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{program}");
    Some(output.stdout)
}

#[test]
fn gnu_tar_reads_what_was_meant() {
    let (manifest, memory) = awkward();
    let directory = tempfile::tempdir().unwrap();
    let tar = directory.path().join("layer.tar");
    std::fs::write(&tar, written(&manifest, &memory)).unwrap();
    let arguments = ["--numeric-owner", "--quoting-style=escape", "-tvf"];
    let Some(listing) = with_tool("tar", &arguments, &tar) else { return };
    let listing = String::from_utf8(listing).unwrap();
    assert_eq!(listing.lines().count(), manifest.entries().count());
    assert!(listing.contains("---s--x--x 2500000/4294967294 514 2020-09-13"), "{listing}");
    assert!(listing.contains("-rwxr-s--T 0/0"), "{listing}");
    assert!(listing.contains("link -> ../\\351 x\n"), "{listing}");
    assert!(listing.contains("usr/bin/ping6 link to usr/bin/ping\n"), "{listing}");
    assert!(listing.contains(&format!(" {}/{}\n", long(90), long(90))), "{listing}");
}

#[test]
fn python_reads_what_was_meant() {
    let (manifest, memory) = awkward();
    let directory = tempfile::tempdir().unwrap();
    let tar = directory.path().join("layer.tar");
    std::fs::write(&tar, written(&manifest, &memory)).unwrap();
    let script = "import sys, tarfile, os
for m in tarfile.open(sys.argv[1]):
    name = b'/' + os.fsencode(m.name) if m.name != '.' else b'/'
    print(m.type.decode(), oct(m.mode)[2:], m.uid, m.gid, int(m.mtime), m.size, name.hex(), os.fsencode(m.linkname).hex())";
    let Some(listing) = with_tool("python3", &["-c", script], &tar) else { return };
    let listing = String::from_utf8(listing).unwrap();
    let expected: Vec<String> = manifest
        .entries()
        .map(|entry| {
            let (flag, link) = match &entry.kind {
                EntryKind::Directory => (5, Vec::new()),
                EntryKind::File { .. } => (0, Vec::new()),
                EntryKind::HardLink { target } => (1, target.as_bytes().to_vec()),
                EntryKind::Symlink { target } => (2, target.clone()),
                _ => (6, Vec::new()),
            };
            let Entry { mode, uid, gid, mtime, .. } = entry;
            let name = hex::encode([b"/", entry.path.as_bytes()].concat());
            let size = entry.size();
            format!("{flag} {mode:o} {uid} {gid} {mtime} {size} {name} {}", hex::encode(link))
        })
        .collect();
    let found: Vec<&str> = listing.lines().collect();
    assert_eq!(found, expected);
}

#[test]
fn umoci_unpacks_what_was_meant() {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use strata_oci::{
        Descriptor, ImageConfig, Index, Manifest, REF_NAME, RootFs, canonical_json, layout::Layout,
        media, validate::validate,
    };
    let (manifest, memory) = awkward();
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path().join("layout")).unwrap();
    let update = layout.update().unwrap();
    let mut layer = Vec::new();
    let compression = Compression::default();
    let written = write_layer(&manifest, &compression, &memory, &NoMembers, &mut layer).unwrap();
    let layer: Descriptor = update.put_blob_bytes(compression.media_type(), &layer).unwrap();
    let config = ImageConfig {
        rootfs: RootFs { diff_ids: vec![written.diff_id], ..RootFs::default() },
        ..ImageConfig::default()
    };
    let config = update.put_blob_bytes(media::CONFIG, &canonical_json(&config)).unwrap();
    let documents = canonical_json(&Manifest::new(config, vec![layer]));
    let image = update.put_blob_bytes(media::MANIFEST, &documents).unwrap();
    update.commit(&Index::new(vec![image.annotated(REF_NAME, "awkward")])).unwrap();
    assert_eq!(validate(&layout).unwrap().findings, []);

    let image = format!("{}:awkward", layout.root().display());
    let bundle = directory.path().join("bundle");
    let arguments = ["--log", "error", "unpack", "--rootless", "--image", &image];
    if with_tool("umoci", &arguments, &bundle).is_none() {
        return;
    }
    let root = bundle.join("rootfs");
    for entry in manifest.entries() {
        let at = root.join(std::ffi::OsStr::from_bytes(entry.path.as_bytes()));
        let found = std::fs::symlink_metadata(&at).unwrap();
        if !matches!(entry.kind, EntryKind::Symlink { .. }) {
            assert_eq!(found.mode() & 0o7777, u32::from(entry.mode), "{}", entry.path);
        }
        match &entry.kind {
            EntryKind::Directory => assert!(found.is_dir()),
            EntryKind::File { size, .. } => {
                assert_eq!(found.len(), *size);
                // Not every file system knows times after 2038.
                if i32::try_from(entry.mtime).is_ok() {
                    assert_eq!(found.mtime() as u64, entry.mtime);
                }
            }
            EntryKind::HardLink { target } => {
                let target = root.join(std::ffi::OsStr::from_bytes(target.as_bytes()));
                assert_eq!(std::fs::symlink_metadata(target).unwrap().ino(), found.ino());
            }
            EntryKind::Symlink { target } => {
                assert_eq!(std::fs::read_link(&at).unwrap().as_os_str().as_bytes(), target);
            }
            _ => {}
        }
    }
}
