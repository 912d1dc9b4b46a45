use super::*;
use crate::{
    ContentId, EntryKind, Member,
    fixture::{Memory, checksum, entry, file, manifest, path},
};
use std::{collections::BTreeMap, sync::Mutex};
use strata_oci::{
    media::Packing,
    unpack::{self, EntryType},
};

/// Bytes that pack to about half.
fn noise(length: usize, mut state: u32) -> Vec<u8> {
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28) as u8
        })
        .collect()
}

/// Contents by file index, as they lie in a package.
type Payload = Vec<(u32, Vec<u8>)>;

/// Two packages: one of several pieces, with a hard link set whose content comes late.
fn two_packages() -> (LayerManifest, Memory) {
    let mut memory = Memory::default();
    let big = vec![
        (0, noise(2_500_000, 1)),
        (3, noise(40, 2)),
        (1, noise(700, 3)),
        (4, noise(1_048_576, 4)),
    ];
    let members = vec![
        Member {
            package: Some(checksum("big")),
            entries: vec![
                file("opt/a", "big", 0, 2_500_000),
                file("opt/b", "big", 1, 700),
                entry("opt/b2", EntryKind::HardLink { target: path("opt/b") }),
                file("opt/c", "big", 3, 40),
                entry("opt/l", EntryKind::Symlink { target: b"a".to_vec() }),
                file("opt/d", "big", 4, 1_048_576),
            ],
        },
        Member { package: Some(checksum("small")), entries: vec![file("srv/x", "small", 7, 9)] },
        Member {
            package: None,
            entries: vec![entry(
                "etc/made",
                EntryKind::File {
                    size: 4,
                    content: ContentId::Inline(Digest::of(b"made")),
                    capabilities: None,
                },
            )],
        },
    ];
    memory.packages.insert(checksum("big"), big);
    memory.packages.insert(checksum("small"), vec![(2, noise(99, 5)), (7, b"123456789".to_vec())]);
    memory.inline.insert(Digest::of(b"made"), Arc::from(b"made".as_slice()));
    (manifest(members), memory)
}

fn write(manifest: &LayerManifest, memory: &Memory, compression: &str) -> (Vec<u8>, WrittenLayer) {
    let mut out = Vec::new();
    let compression = compression.parse().unwrap();
    let written = write_layer(manifest, &compression, memory, &NoMembers, &mut out).unwrap();
    (out, written)
}

fn raw(packing: Packing, packed: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = unpack::decompress(packing, io::Cursor::new(packed.to_vec())).unwrap();
    reader.read_to_end(&mut out).unwrap();
    out
}

#[test]
fn digests_are_those_of_the_bytes() {
    let (manifest, memory) = two_packages();
    let (plain, _) = write(&manifest, &memory, "none");
    for (compression, packing) in
        [("none", Packing::Plain), ("gzip", Packing::Gzip), ("zstd", Packing::Zstd)]
    {
        let (bytes, written) = write(&manifest, &memory, compression);
        assert_eq!(written.digest, Digest::of(&bytes));
        assert_eq!(written.size, bytes.len() as u64);
        assert_eq!(written.diff_id, DiffId::of(&plain), "{compression}");
        assert_eq!(written.raw_size, plain.len() as u64);
        assert!(raw(packing, &bytes) == plain, "{compression}");
        assert_eq!(written.spans.len(), 2);
    }
}

#[test]
fn contents_are_put_where_they_belong() {
    let (manifest, memory) = two_packages();
    let (plain, _) = write(&manifest, &memory, "none");
    let mut found = BTreeMap::new();
    unpack::for_each_entry(plain.as_slice(), &mut |entry, reader| {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        if entry.kind == EntryType::File {
            found.insert(String::from_utf8_lossy(&entry.path).into_owned(), bytes);
        }
        Ok(())
    })
    .unwrap();
    assert!(found["opt/a"] == noise(2_500_000, 1));
    assert!(found["opt/b"] == noise(700, 3));
    assert!(found["opt/c"] == noise(40, 2));
    assert!(found["opt/d"] == noise(1_048_576, 4));
    assert_eq!(found["srv/x"], b"123456789");
    assert_eq!(found["etc/made"], b"made");
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (manifest, memory) = two_packages();
    let expected = write(&manifest, &memory, "gzip");
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| write(&manifest, &memory, "gzip"));
        assert!(found == expected, "{threads}");
        // Every worker a producer: nobody is left to wait for.
        let all: Vec<_> = pool.install(|| {
            use rayon::prelude::*;
            (0..8).into_par_iter().map(|_| write(&manifest, &memory, "gzip").1).collect()
        });
        assert!(all.iter().all(|written| *written == expected.1));
    }
}

struct Kept(Mutex<BTreeMap<Digest, Vec<u8>>>);

impl MemberCache for Kept {
    fn get(&self, key: &Digest) -> Option<Box<dyn Read + Send>> {
        let bytes = self.0.lock().unwrap().get(key).cloned()?;
        Some(Box::new(io::Cursor::new(bytes)))
    }
}

#[test]
fn kept_members_give_the_same_layer_without_their_packages() {
    for compression in ["gzip", "zstd", "none"] {
        let (manifest, mut memory) = two_packages();
        let (bytes, written) = write(&manifest, &memory, compression);
        let kept: BTreeMap<Digest, Vec<u8>> = written
            .spans
            .iter()
            .map(|span| {
                let range = span.range.start as usize..span.range.end as usize;
                (span.key, bytes[range].to_vec())
            })
            .collect();
        memory.packages.clear();
        let kept = Kept(Mutex::new(kept));
        let chosen = compression.parse().unwrap();
        let mut again = Vec::new();
        let second = write_layer(&manifest, &chosen, &memory, &kept, &mut again).unwrap();
        assert_eq!(second.reused, 2);
        assert_eq!(WrittenLayer { reused: 0, ..second }, written);
        assert!(again == bytes, "{compression}");

        for (index, key) in written.spans.iter().map(|span| span.key).enumerate() {
            let sound = kept.0.lock().unwrap()[&key].clone();
            let shorter = sound[..sound.len() / 2].to_vec();
            kept.0.lock().unwrap().insert(key, shorter);
            let mut out = Vec::new();
            let error = write_layer(&manifest, &chosen, &memory, &kept, &mut out).unwrap_err();
            assert!(matches!(error, LayerError::Cache { .. }), "{index}: {error}");
            kept.0.lock().unwrap().insert(key, sound);
        }
    }
}

#[test]
fn members_are_whole_streams_of_their_own() {
    let (manifest, memory) = two_packages();
    let (bytes, written) = write(&manifest, &memory, "gzip");
    for (span, member) in written.spans.iter().zip(&manifest.members) {
        let range = span.range.start as usize..span.range.end as usize;
        let tar = raw(Packing::Gzip, &bytes[range]);
        assert_eq!(tar.len() as u64, raw_length(&member.entries));
    }
}

#[test]
fn a_payload_that_does_not_fit_is_an_error() {
    let (manifest, sound) = two_packages();
    let fails = |change: &dyn Fn(&mut Payload)| {
        let mut memory = Memory { packages: sound.packages.clone(), inline: sound.inline.clone() };
        change(memory.packages.get_mut(&checksum("big")).unwrap());
        let compression = Compression::default();
        write_layer(&manifest, &compression, &memory, &NoMembers, &mut Vec::new()).unwrap_err()
    };
    assert!(matches!(fails(&|files| drop(files.pop())), LayerError::Missing { .. }));
    assert!(matches!(fails(&|files| files[0].1.truncate(9)), LayerError::Length { .. }));
    assert!(matches!(fails(&|files| files[2].1.push(0)), LayerError::Length { .. }));
    let mut memory = Memory { packages: sound.packages.clone(), ..Memory::default() };
    let compression = Compression::default();
    let error = write_layer(&manifest, &compression, &memory, &NoMembers, &mut Vec::new());
    assert!(matches!(error, Err(LayerError::Inline { .. })));
    memory.packages.clear();
    let error = write_layer(&manifest, &compression, &memory, &NoMembers, &mut Vec::new());
    assert!(matches!(error, Err(LayerError::Package { .. })));
}

#[test]
fn a_full_disk_ends_the_layer() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (manifest, memory) = two_packages();
    for room in [0, 100, 500_000, 1_500_000] {
        let compression = Compression::default();
        let error = write_layer(&manifest, &compression, &memory, &NoMembers, &mut Full(room));
        let error = error.unwrap_err();
        assert!(matches!(error, LayerError::Write(_)), "{room}: {error}");
        assert_eq!(error.hint().as_deref(), Some("free some space"));
    }
}

#[test]
fn keys_see_everything() {
    let (manifest, _) = two_packages();
    let compression = Compression::default();
    let key = manifest.key(&compression);
    assert_ne!(key, manifest.key(&Compression::Gzip { level: 3 }));
    let changes: [&dyn Fn(&mut Entry); 6] = [
        &|entry| entry.mode ^= 1,
        &|entry| entry.uid += 1,
        &|entry| entry.gid += 1,
        &|entry| entry.mtime += 1,
        &|entry| entry.path = path("opt/z"),
        &|entry| entry.kind = EntryKind::Fifo,
    ];
    for change in changes {
        let mut other = manifest.clone();
        change(&mut other.members[0].entries[1]);
        assert_ne!(key, other.key(&compression));
        assert_ne!(manifest.members[0].key(&compression), other.members[0].key(&compression));
        assert_eq!(manifest.members[1].key(&compression), other.members[1].key(&compression));
    }
    let mut other = manifest;
    other.directories[1].mode = 0o700;
    assert_ne!(key, other.key(&compression));
    assert_eq!(key, two_packages().0.key(&compression));
}

#[test]
fn an_unsound_manifest_is_refused() {
    let (sound, _) = two_packages();
    let refused = |change: &dyn Fn(&mut LayerManifest)| {
        let mut manifest = sound.clone();
        change(&mut manifest);
        manifest.check().unwrap_err()
    };
    use ManifestError as E;
    assert!(matches!(refused(&|m| drop(m.directories.remove(0))), E::Root));
    assert!(matches!(refused(&|m| m.directories.swap(1, 2)), E::Directories(_)));
    assert!(matches!(refused(&|m| drop(m.directories.remove(1))), E::Parent(_)));
    assert!(matches!(refused(&|m| m.members[1].entries[0].path = path("opt/a")), E::Duplicate(_)));
    assert!(matches!(refused(&|m| m.members[0].entries.swap(1, 2)), E::HardLink { .. }));
    assert!(matches!(refused(&|m| m.members[0].entries[0].mode = 0o10644), E::Mode { .. }));
    assert!(matches!(
        refused(&|m| m.members[1].entries[0].path = path("opt/.wh.a")),
        E::Whiteout(_)
    ));
    assert!(matches!(
        refused(&|m| m.members[0].entries[0].kind = EntryKind::Directory),
        E::Misplaced(_)
    ));
    let nul = EntryKind::Symlink { target: b"a\0b".to_vec() };
    assert!(matches!(refused(&|m| m.members[0].entries[4].kind = nul.clone()), E::Target(_)));
}
