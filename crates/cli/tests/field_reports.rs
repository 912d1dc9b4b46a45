//! What went wrong with other tools that make images of packages, each report a test named after
//! its symptom.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use strata_compose::oci::{
    layout::{Image, Layout},
    unpack::{EntryType, LayerEntry},
};
use strata_testkit::{OrdinaryUser, output};
use support::{Bench, blob, contents, json, manifest};

/// The entries of each layer of an image, the lowest first.
fn entries(bench: &Bench, image: &str) -> Vec<Vec<LayerEntry>> {
    let layout = Layout::open(bench.out()).unwrap();
    let image: Image = layout.image(image, None).unwrap();
    let layers = image.manifest.layers.iter().map(|layer| {
        let mut entries = Vec::new();
        layout
            .for_each_entry(layer, &mut |entry, _| {
                entries.push(entry.clone());
                Ok(())
            })
            .unwrap();
        entries
    });
    layers.collect()
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// One image of `filesystem` and `tool`, which has a hard link set.
fn linked() -> Bench {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": { "a": {"packages": ["filesystem", "tool"]} } }"#,
    );
    bench.filesystem();
    let links = r#""files": {"/usr/bin/x": {"hard_link": "/usr/bin/tool"},
                             "/usr/lib/y": {"hard_link": "/usr/bin/tool"}},"#;
    bench.package("tool", "1", links, &[("/usr/bin/tool", "#!/bin/sh\n"), ("/usr/share/z", "z")]);
    bench.build(&[]);
    bench
}

#[test]
fn hard_links_duplicated_and_link_entries_with_a_size() {
    let bench = linked();
    let names = ["usr/bin/tool", "usr/bin/x", "usr/lib/y"];
    let mut files = Vec::new();
    let mut links = Vec::new();
    for layer in entries(&bench, "a") {
        for (at, entry) in layer.iter().enumerate() {
            if !names.contains(&text(&entry.path).as_str()) {
                continue;
            }
            match &entry.kind {
                EntryType::File => files.push(entry.clone()),
                EntryType::HardLink { target } => {
                    assert_eq!(entry.size, 0, "{}", text(&entry.path));
                    let earlier = layer.iter().take(at).any(|other| other.path == *target);
                    assert!(earlier, "{} leads to nothing before it", text(&entry.path));
                    links.push(entry.clone());
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((files.len(), links.len()), (1, 2), "the bytes are there once");
}

#[test]
fn a_hard_link_set_in_two_layers() {
    let bench = linked();
    let holds = |layer: &&Vec<LayerEntry>| {
        layer.iter().any(|entry| matches!(entry.kind, EntryType::HardLink { .. }))
    };
    let layers = entries(&bench, "a");
    assert_eq!(layers.iter().filter(holds).count(), 1);
    let database =
        |layer: &&Vec<LayerEntry>| layer.iter().any(|entry| entry.path.ends_with(b"/rpmdb.sqlite"));
    assert_eq!(layers.iter().filter(database).count(), 1);
    assert!(database(&layers.last().unwrap()), "the image's own state is on top");
}

#[test]
fn digests_differ_by_logs_sqlite_side_files_and_times() {
    let bench = linked();
    for entry in entries(&bench, "a").concat() {
        let path = text(&entry.path);
        for trace in ["-wal", "-shm", "-journal", ".rpm.lock", "aux-cache"] {
            assert!(!path.ends_with(trace), "{path}");
        }
        for place in ["var/log/", "var/cache/", "var/lib/dnf", "tmp/", "run/"] {
            assert!(!path.starts_with(place), "{path}");
        }
        // the package's build time, or nothing at all
        let expected = if entry.kind == EntryType::Directory { 0 } else { 1_700_000_000 };
        assert_eq!(entry.mtime, expected, "{path}");
    }
    let before = contents(&bench.out());
    std::fs::remove_dir_all(bench.out()).unwrap();
    std::fs::remove_dir_all(bench.path("cache")).unwrap();
    bench.build(&[]);
    assert!(before == contents(&bench.out()), "a second build gives other bytes");
}

#[test]
fn the_layout_says_version_1_0_1() {
    let bench = linked();
    let marker = std::fs::read_to_string(bench.path("out/oci-layout")).unwrap();
    assert_eq!(marker, r#"{"imageLayoutVersion":"1.0.0"}"#);
}

#[test]
fn env_in_hash_order() {
    let bench = linked();
    let names = ["ZULU", "ALPHA", "MIKE", "BRAVO", "YANKEE", "CHARLIE"];
    let list: Vec<String> = names.iter().map(|name| format!("{name}=1")).collect();
    let overlay = serde_json::json!({ "images": { "a": { "config": { "Env": list } } } });
    bench.write("compose.overlay.json", &overlay.to_string());
    let env = |bench: &Bench| {
        bench.build(&["--force"]);
        let manifest = manifest(&bench.out(), "a");
        let config = blob(&bench.out(), manifest["config"]["digest"].as_str().unwrap());
        let env = config["config"]["Env"].as_array().unwrap().clone();
        env.iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = env(&bench);
    let ours: Vec<&String> = first.iter().filter(|one| !one.starts_with("PATH=")).collect();
    assert_eq!(ours, list.iter().collect::<Vec<_>>(), "the order of the document");
    for _ in 0..5 {
        assert_eq!(env(&bench), first);
    }
}

#[test]
fn chown_of_proc_and_dev_fails() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": { "a": {"packages": ["filesystem"]} } }"#,
    );
    let dirs = r#""files": {"/proc": {"dir": true, "mode": "0555"},
                            "/sys": {"dir": true, "mode": "0555"},
                            "/dev": {"dir": true, "group": "root"},
                            "/root": {"dir": true, "mode": "0700"}},"#;
    bench.package("filesystem", "1", dirs, &[("/etc/os-release", support::OS_RELEASE)]);
    // root may do everything, so that only another user shows that nothing was tried
    let user = OrdinaryUser::new();
    user.own(bench.dir());
    let mut command = user.command(support::STRATA.as_ref());
    bench.place(&mut command);
    let ran = output(command.args(["build", "compose.json", "-o", "oci:out"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let all = entries(&bench, "a").concat();
    let mode = |path: &str| {
        let entry = all.iter().rev().find(|entry| text(&entry.path) == path).unwrap();
        assert_eq!((entry.uid, entry.gid), (0, 0), "{path}");
        entry.mode
    };
    assert_eq!(
        [mode("proc"), mode("sys"), mode("dev"), mode("root")],
        [0o555, 0o555, 0o755, 0o700]
    );
}

#[test]
fn tools_fail_because_the_image_lacks_rpm() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": { "a": {"packages": ["filesystem"]} } }"#,
    );
    bench.filesystem();
    // nor does the host need anything
    let run = |arguments: &[&str]| {
        let ran = output(bench.command().env("PATH", "/nonexistent").args(arguments));
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.stderr);
        ran.stdout
    };
    run(&["build", "compose.json", "-o", "oci:out"]);
    run(&["check", "compose.json", "-o", "oci:out"]);
    run(&["validate", "oci:out"]);
    run(&["inspect", "oci:out:a"]);
    let listing = run(&["ls", "oci:out:a"]);
    assert!(listing.contains("/usr/lib/sysimage/rpm/rpmdb.sqlite\n"), "{listing}");
    assert!(!listing.lines().any(|path| path.ends_with("/rpm") && path.contains("bin/")));
}

#[test]
fn missing_parent_directory() {
    let bench = linked();
    for layer in entries(&bench, "a") {
        let mut seen = BTreeSet::new();
        assert_eq!(layer.first().map(|entry| text(&entry.raw_path)).as_deref(), Some("./"));
        for entry in &layer {
            let path = text(&entry.path);
            if let Some((parent, _)) = path.rsplit_once('/') {
                assert!(seen.contains(parent), "`{path}` comes before its directory");
            }
            if entry.kind == EntryType::Directory {
                assert!(seen.insert(path.clone()), "`{path}` occurs twice");
            }
        }
    }
}

/// 150 packages, two images that share most of them.
fn crowd() -> Bench {
    let bench = Bench::new();
    bench.filesystem();
    let mut names = vec!["filesystem".to_owned()];
    for number in 0..150 {
        let name = format!("p{number:03}");
        let path = format!("/usr/share/crowd/{name}");
        bench.package(&name, "1", "", &[(&path, &name.repeat(number + 1))]);
        names.push(name);
    }
    let most = names.iter().take(140).collect::<Vec<_>>();
    let spec = serde_json::json!({ "repos": ["./repo"], "images": {
        "all": { "packages": names }, "most": { "packages": most } } });
    bench.write("compose.json", &spec.to_string());
    bench.build(&[]);
    bench
}

#[test]
fn a_closure_larger_than_the_layers_loses_paths_and_more_than_127_layers_cannot_run() {
    let bench = crowd();
    bench.assert_valid();
    for (image, packages) in [("all", 150), ("most", 139)] {
        let layers = entries(&bench, image);
        assert!(layers.len() <= 96, "`{image}` has {} layers", layers.len());
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for entry in layers.concat() {
            if entry.kind == EntryType::File && entry.path.starts_with(b"usr/share/crowd/") {
                *found.entry(text(&entry.path)).or_default() += 1;
            }
        }
        assert_eq!(found.len(), packages, "`{image}` lost files");
        assert!(found.values().all(|times| *times == 1), "`{image}` has a file twice");
    }
}

#[test]
fn old_docker_cannot_pull_zstd_layers() {
    let bench = linked();
    for layer in manifest(&bench.out(), "a")["layers"].as_array().unwrap() {
        assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
        let hex = layer["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
        let bytes = std::fs::read(bench.path("out/blobs/sha256").join(hex)).unwrap();
        assert!(bytes.starts_with(&[0x1f, 0x8b]));
    }
    assert_eq!(json(&bench.path("out/index.json"))["schemaVersion"], 2);
}
