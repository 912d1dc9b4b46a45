use super::*;
use crate::{DiffId, ImageConfig, REF_NAME, RootFs, canonical_json};
use std::os::unix::fs::MetadataExt as _;

fn put_image(update: &Update<'_>, name: &str, layers: &[&[u8]]) -> Descriptor {
    let blobs = layers.iter().map(|b| update.put_blob_bytes(media::LAYER, b).unwrap()).collect();
    let config = ImageConfig {
        rootfs: RootFs {
            diff_ids: layers.iter().map(|b| DiffId::of(b)).collect(),
            ..RootFs::default()
        },
        ..ImageConfig::default()
    };
    let config = update.put_blob_bytes(media::CONFIG, &canonical_json(&config)).unwrap();
    let manifest = canonical_json(&Manifest::new(config, blobs));
    update.put_blob_bytes(media::MANIFEST, &manifest).unwrap().annotated(REF_NAME, name)
}

fn blobs(layout: &Layout) -> usize {
    fs::read_dir(layout.root().join("blobs/sha256")).unwrap().count()
}

#[test]
fn layout_version_is_always_1_0_0() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path().join("new/layout")).unwrap();
    let marker = fs::read(layout.root().join("oci-layout")).unwrap();
    assert_eq!(marker, br#"{"imageLayoutVersion":"1.0.0"}"#);
    Layout::create(layout.root()).unwrap();
    Layout::open(layout.root()).unwrap();
}

#[test]
fn other_directories_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "x").unwrap();
    let error = Layout::create(directory.path()).unwrap_err();
    assert!(matches!(error, LayoutError::Occupied { .. }), "{error}");
    assert!(matches!(Layout::open(directory.path()), Err(LayoutError::NotLayout { .. })));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_replaced_image_takes_only_its_own_blobs_along() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let update = layout.update().unwrap();
    let mut index = update.before().clone();
    let foreign = put_image(&update, "foreign", &[b"shared", b"theirs"]);
    index.put([foreign.clone(), put_image(&update, "ours", &[b"shared", b"old"])]);
    assert!(update.commit(&index).unwrap().changed);
    fs::write(layout.blob_path(&Digest::of(b"orphan")), "orphan").unwrap();
    assert_eq!(blobs(&layout), 8);

    let update = layout.update().unwrap();
    let mut index = update.before().clone();
    index.put([put_image(&update, "ours", &[b"shared", b"new"])]);
    let committed = update.commit(&index).unwrap();
    assert_eq!(committed.pruned.len(), 3, "manifest, configuration, layer");
    assert_eq!(layout.index().unwrap().find("foreign"), Some(&foreign));
    assert!(layout.has_blob(&Digest::of(b"shared"), 6));
    assert!(layout.has_blob(&Digest::of(b"orphan"), 6));
    assert!(!layout.has_blob(&Digest::of(b"old"), 3));
    assert!(crate::validate::validate(&layout).unwrap().findings.iter().all(|finding| {
        // The layers here are no tars, which is not the point.
        finding.problem.to_string().contains("cannot be read")
    }));
}

#[test]
fn a_change_without_commit_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let update = layout.update().unwrap();
    let mut index = update.before().clone();
    index.put([put_image(&update, "a", &[b"1"])]);
    update.commit(&index).unwrap();
    let before = fs::read(directory.path().join("index.json")).unwrap();
    fs::write(directory.path().join(".strata-tmp-9-9"), "left by a killed writer").unwrap();

    let update = layout.update().unwrap();
    put_image(&update, "a", &[b"1", b"2"]);
    assert_eq!(blobs(&layout), 6);
    drop(update);
    assert_eq!(blobs(&layout), 3);
    assert_eq!(fs::read(directory.path().join("index.json")).unwrap(), before);
    assert!(!directory.path().join(".strata-tmp-9-9").exists());
}

#[test]
fn an_equal_index_is_not_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let update = layout.update().unwrap();
    let index = Index::new(vec![put_image(&update, "a", &[b"1"])]);
    update.commit(&index).unwrap();
    let path = directory.path().join("index.json");
    let inode = fs::metadata(&path).unwrap().ino();
    let update = layout.update().unwrap();
    assert_eq!(update.commit(&index).unwrap(), Committed::default());
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
}

#[test]
fn a_full_disk_is_named() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let update = layout.update().unwrap();
    let index = Index::new(vec![put_image(&update, "a", &[b"1"])]);
    update.commit(&index).unwrap();
    // Stands for a blob directory on a full file system.
    let error = LayoutError::Io {
        action: "write",
        path: layout.blob_path(&Digest::of(b"2")),
        source: io::Error::from_raw_os_error(28),
    };
    assert!(error.to_string().starts_with("cannot write `"));
    assert!(error.hint().unwrap().contains("full"));
    assert!(matches!(error, LayoutError::Io { .. }));
}

#[test]
fn files_are_placed_whole() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("cached");
    fs::write(&source, "layer").unwrap();
    let layout = Layout::create(directory.path().join("layout")).unwrap();
    let update = layout.update().unwrap();
    let digest = Digest::of(b"layer");
    assert!(update.put_blob_file(&source, &digest, 5).unwrap());
    assert!(!update.put_blob_file(&source, &digest, 5).unwrap());
    assert!(matches!(
        update.put_blob_file(&source, &Digest::of(b"?"), 6),
        Err(LayoutError::Corrupt { found: 5, .. })
    ));
    assert_eq!(fs::read(layout.blob_path(&digest)).unwrap(), b"layer");
}

#[test]
fn images_are_found_by_name_and_platform() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    let update = layout.update().unwrap();
    let mut single = put_image(&update, "", &[b"1"]);
    single.annotations.clear();
    single.platform = Some(crate::Platform::from_rpm_arch("x86_64").unwrap());
    let mut other = single.clone();
    other.platform = Some(crate::Platform::from_rpm_arch("aarch64").unwrap());
    let nested = canonical_json(&Index::new(vec![single.clone(), other.clone()]));
    let nested = update.put_blob_bytes(media::INDEX, &nested).unwrap().annotated(REF_NAME, "both");
    update.commit(&Index::new(vec![nested.clone(), single.annotated(REF_NAME, "one")])).unwrap();

    assert_eq!(layout.image("one", None).unwrap().layers().len(), 1);
    let error = layout.image("two", None).unwrap_err();
    assert_eq!(error.hint().unwrap(), "it has `both`, `one`");
    let error = layout.image("both", None).unwrap_err();
    assert_eq!(error.hint().unwrap(), "it exists for `linux/amd64`, `linux/arm64/v8`");
    layout.image("both", other.platform.as_ref()).unwrap();
    assert_eq!(layout.images(&nested).unwrap().len(), 2);
}

#[test]
fn writers_wait_for_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::create(directory.path()).unwrap();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d", "e", "f"] {
            let layout = &layout;
            scope.spawn(move || {
                let update = layout.update().unwrap();
                let mut index = update.before().clone();
                index.put([put_image(&update, name, &[name.as_bytes()])]);
                update.commit(&index).unwrap();
            });
        }
    });
    assert_eq!(layout.index().unwrap().manifests.len(), 6);
}
