use super::*;
use crate::{Annotations, REF_NAME, RootFs, canonical_json};
use std::io::Write as _;
use tar::EntryType::{Directory, Link, Regular, Symlink};

fn tar_of(entries: &[(&str, tar::EntryType, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, kind, extra) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        let content = if *kind == Regular { extra.as_bytes() } else { b"" };
        if *kind == Link || *kind == Symlink {
            header.set_link_name(extra).unwrap();
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // Two members, as our own layers have.
    for half in [&bytes[..512], &bytes[512..]] {
        let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
        encoder.write_all(half).unwrap();
        encoder.finish().unwrap();
    }
    out
}

/// A layout with one image `one` of these layers.
fn layout_of(directory: &std::path::Path, tars: &[Vec<u8>]) -> Layout {
    let layout = Layout::create(directory).unwrap();
    let update = layout.update().unwrap();
    let mut layers = Vec::new();
    for tar in tars {
        layers.push(update.put_blob_bytes(media::LAYER_GZIP, &gzip(tar)).unwrap());
    }
    let config = ImageConfig {
        rootfs: RootFs {
            diff_ids: tars.iter().map(|tar| DiffId::of(tar)).collect(),
            ..RootFs::default()
        },
        ..ImageConfig::default()
    };
    let config = update.put_blob_bytes(media::CONFIG, &canonical_json(&config)).unwrap();
    let manifest = canonical_json(&Manifest::new(config, layers));
    let mut entry = update.put_blob_bytes(media::MANIFEST, &manifest).unwrap();
    entry.annotations = Annotations::from([(REF_NAME.to_owned(), "one".to_owned())]);
    let mut index = update.before().clone();
    index.put([entry]);
    update.commit(&index).unwrap();
    layout
}

#[test]
fn a_sound_image_is_clean() {
    let directory = tempfile::tempdir().unwrap();
    let tar = tar_of(&[
        ("./", Directory, ""),
        ("a/", Directory, ""),
        ("a/x", Regular, "text"),
        ("a/y", Link, "a/x"),
        ("z", Symlink, "a"),
    ]);
    let layout = layout_of(directory.path(), &[tar]);
    let report = validate(&layout).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.images, report.layers), (1, 1));
}

#[test]
fn every_tar_rule_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let tar = tar_of(&[
        ("./", Directory, ""),
        ("a", Directory, ""),
        ("a/", Directory, ""),
        ("b/c", Regular, "1"),
        ("../d", Regular, "2"),
        ("/e", Regular, "3"),
        ("f", Link, "g"),
        ("g", Regular, "4"),
        ("g/h", Regular, "5"),
        (".wh.g", Regular, ""),
        ("i", tar::EntryType::XGlobalHeader, ""),
    ]);
    let layout = layout_of(directory.path(), &[tar]);
    let found: Vec<String> = validate(&layout)
        .unwrap()
        .findings
        .iter()
        .map(|finding| finding.problem.to_string())
        .collect();
    assert_eq!(
        found,
        [
            "`a/` occurs more than once in the layer",
            "`b/c` comes before its parent directory, or without it",
            "`../d` is not a relative path without `..`",
            "`../d` comes before its parent directory, or without it",
            "`/e` is not a relative path without `..`",
            "`f` is a hard link to `g`, which is no earlier file of the layer",
            "`g/h` lies below something that is no directory",
            "`i` has the type `g`",
            "`g` is both there and hidden in the layer",
        ]
    );
}

#[test]
fn damage_is_found_wherever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let tar = tar_of(&[("./", Directory, ""), ("a", Regular, "text")]);
    let layout = layout_of(directory.path(), &[tar]);
    let blobs: Vec<_> = std::fs::read_dir(directory.path().join("blobs/sha256"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(blobs.len(), 3);
    for blob in blobs {
        let sound = std::fs::read(&blob).unwrap();
        let mut bent = sound.clone();
        bent[20] ^= 4;
        for damaged in [bent, sound[..sound.len() - 1].to_vec(), [&sound[..], b"x"].concat()] {
            std::fs::write(&blob, damaged).unwrap();
            assert!(!validate(&layout).unwrap().is_clean(), "{}", blob.display());
        }
        std::fs::remove_file(&blob).unwrap();
        assert!(!validate(&layout).unwrap().is_clean());
        std::fs::write(&blob, sound).unwrap();
    }
    assert!(validate(&layout).unwrap().is_clean());
}

#[test]
fn too_many_layers_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let tar = tar_of(&[("./", Directory, "")]);
    let layout = layout_of(directory.path(), &vec![tar; 121]);
    let report = validate(&layout).unwrap();
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].problem, Problem::TooManyLayers(121));
}

/// A layout whose index lists a chain of indexes, each of which lists the next `times` times.
fn nested(directory: &std::path::Path, times: usize) -> Layout {
    let layout = layout_of(directory, &[tar_of(&[("./", Directory, "")])]);
    let mut entry = layout.index().unwrap().find("one").unwrap().clone();
    let update = layout.update().unwrap();
    for _ in 0..7 {
        let index = canonical_json(&Index::new(vec![entry; times]));
        entry = update.put_blob_bytes(media::INDEX, &index).unwrap();
    }
    update.commit(&Index::new(vec![entry.annotated(REF_NAME, "deep")])).unwrap();
    layout
}

#[test]
fn an_index_that_unfolds_without_end_is_followed_once() {
    let directory = tempfile::tempdir().unwrap();
    let layout = nested(directory.path(), 50);
    let report = validate(&layout).unwrap();
    assert_eq!((report.images, report.findings), (1, vec![]));
    let entry = layout.index().unwrap().find("deep").unwrap().clone();
    assert_eq!(layout.images(&entry).unwrap().len(), 50);
}

#[test]
fn sizes_that_add_up_to_more_than_there_is() {
    let directory = tempfile::tempdir().unwrap();
    let layout = layout_of(directory.path(), &[tar_of(&[("./", Directory, "")])]);
    let update = layout.update().unwrap();
    let config = ImageConfig::default();
    let config = update.put_blob_bytes(media::CONFIG, &canonical_json(&config)).unwrap();
    let huge = |text: &[u8]| Descriptor::new(media::LAYER, Digest::of(text), u64::MAX);
    let manifest = canonical_json(&Manifest::new(config, vec![huge(b"a"), huge(b"b")]));
    let entry = update.put_blob_bytes(media::MANIFEST, &manifest).unwrap();
    update.commit(&Index::new(vec![entry])).unwrap();
    assert_eq!(validate(&layout).unwrap().bytes, u64::MAX);
}
