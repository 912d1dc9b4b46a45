//! The bytes of the documents for a fixed image: `golden/`. `STRATA_BLESS=1` rewrites them, and
//! whoever does that raises `FORMAT`.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "a test may read its cases")]

use std::{collections::BTreeMap, env, fs, path::Path};
use strata_assemble::{
    Accounts, Assembled, ConfigEdits, ConfigTask, ImageTask, InputPackage, Inputs, LayerRef,
    assemble, configure, defaults, image_index, references,
};
use strata_oci::{Descriptor, DiffId, Digest, Platform, media};
use strata_rootfs::Tree;
use strata_spec::{Arch, parse_compose, parse_overlay};

const COMPOSE: &str = r#"{ "repos": ["fedora"], "images": { "web": {
    "packages": ["nginx"], "entrypoint": ["/usr/sbin/nginx", "-g", "daemon off;"], "expose": 80 } } }"#;

const OVERLAY: &str = r#"{ "images": {
  "*": { "config": { "Env": ["TZ=UTC"], "Labels": { "org.example.team": "web" } } },
  "web": { "config": { "User": "nginx", "WorkingDir": "/srv", "StopSignal": "SIGQUIT",
                       "Volumes": ["/var/cache/nginx"], "Env": { "LANG": "C.UTF-8" } },
           "annotations": { "org.opencontainers.image.title": "Wéb \"server\"" },
           "tags": ["1.26", "latest"] } } }"#;

fn image(arch: Arch) -> Assembled {
    let name = "web".parse().unwrap();
    let spec = parse_compose("compose.json", COMPOSE).unwrap();
    let overlay = parse_overlay("overlay.json", OVERLAY).unwrap();
    let inline = ConfigEdits::inline(&spec.effective(&name).unwrap());
    let parts = ConfigEdits::overlay(&overlay, &name);
    let configured = configure(&ConfigTask {
        defaults: &defaults(&Tree::default()),
        plugins: &[],
        inline: &inline,
        overlay: &parts,
        sets: &ConfigEdits::new(),
        accounts: &Accounts::parse(b"nginx:x:990:989::/:/sbin/nologin\n", b"nginx:x:989:\n"),
    })
    .unwrap();
    let inputs = Inputs {
        arch: arch.to_string(),
        packages: vec![InputPackage {
            checksum: "sha256:00".into(),
            nevra: "nginx-1:1.26-1.x86_64".into(),
        }],
        distro: None,
        docs: false,
        langs: None,
        scriptlets: "skip".into(),
        scriptlets_of: BTreeMap::new(),
        epoch: None,
        compression: "gzip:2".into(),
        layer_format: 1,
        config: std::iter::once(inline).chain(parts).collect(),
        files: Vec::new(),
        plugins: Vec::new(),
        dnf: None,
    };
    let layers = [("glibc, filesystem", "1"), ("image state", "2")].map(|(title, seed)| LayerRef {
        descriptor: Descriptor::new(media::LAYER_GZIP, Digest::of(seed.as_bytes()), 100),
        diff_id: DiffId::of(seed.as_bytes()),
        key: Digest::of(title.as_bytes()),
        title: title.to_owned(),
    });
    assemble(&ImageTask {
        platform: arch.platform(),
        epoch: 1_700_000_000,
        layers: &layers,
        config: &configured.config,
        annotations: &configured.annotations,
        inputs: inputs.digest(),
        scriptlets: Some(Digest::of(b"scriptlets")),
    })
}

fn golden(name: &str, found: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if env::var_os("STRATA_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read(&path).unwrap_or_default();
    assert!(expected == found, "{name} is now:\n{}", String::from_utf8_lossy(found));
}

#[test]
fn the_bytes_of_an_image() {
    let image = image(Arch::DEFAULT);
    golden("config.json", &image.config);
    golden("manifest.json", &image.manifest);
    assert_eq!(image.config_descriptor, Descriptor::of(media::CONFIG, &image.config));
}

#[test]
fn the_bytes_of_an_image_for_two_architectures() {
    let (one, two) = (image("x86_64".parse().unwrap()), image("aarch64".parse().unwrap()));
    let (one, two) = (one.manifest_descriptor, two.manifest_descriptor);
    let index = image_index(&[two.clone(), one.clone()]);
    golden("index.json", &index.bytes);
    assert_eq!(index, image_index(&[one, two]));
}

#[test]
fn names_and_tags() {
    let overlay = parse_overlay("overlay.json", OVERLAY).unwrap();
    let name = "web".parse().unwrap();
    let descriptor = Descriptor::of(media::MANIFEST, b"x");
    let entries = references(&name, &overlay.tags(&name), &descriptor);
    let names: Vec<_> = entries.iter().map(|entry| entry.ref_name().unwrap()).collect();
    assert_eq!(names, ["web", "web:1.26", "web:latest"]);
    assert!(entries.iter().all(|entry| entry.digest == descriptor.digest));
}

#[test]
fn one_history_entry_a_layer_and_our_annotations_last() {
    let image = image(Arch::DEFAULT);
    let config: strata_oci::ImageConfig = serde_json::from_slice(&image.config).unwrap();
    assert_eq!(config.history.len(), config.rootfs.diff_ids.len());
    assert!(config.history.iter().all(|entry| !entry.empty_layer));
    let platform = Platform::from_rpm_arch("x86_64").unwrap();
    let forged = BTreeMap::from([("io.strata.plan".to_owned(), "x".to_owned())]);
    let task = ImageTask {
        platform,
        epoch: 0,
        layers: &[],
        config: &strata_oci::RuntimeConfig::default(),
        annotations: &forged,
        inputs: Digest::of(b""),
        scriptlets: None,
    };
    let manifest: strata_oci::Manifest = serde_json::from_slice(&assemble(&task).manifest).unwrap();
    assert!(manifest.annotations["io.strata.plan"].starts_with("sha256:"));
    assert_eq!(manifest.annotations["org.opencontainers.image.created"], "1970-01-01T00:00:00Z");
}
