//! An image is rebuilt if and only if its inputs changed, and then as little of it as can be.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "figures for whoever reads a test's output")]

mod support;

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use strata_testkit::{Set, corpus, corpus_update, run, tool};
use support::{Bench, OnDisk, contents, json, layers, manifest, on_disk, package};

/// Three images over three packages.
fn three() -> Bench {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {
            "base": {"packages": ["filesystem"]},
            "left": {"packages": ["filesystem", "alpha"]},
            "both": {"packages": ["filesystem", "alpha", "beta"]} } }"#,
    );
    bench.filesystem();
    bench.package("alpha", "1", "", &[("/usr/share/alpha", "alpha 1\n")]);
    bench.package("beta", "1", "", &[("/usr/share/beta", "beta 1\n")]);
    bench
}

/// `NAME: built` or `NAME: current` for each image of a report.
fn status(report: &Value) -> Vec<String> {
    let text = |image: &Value, key: &str| image[key].as_str().unwrap().to_owned();
    let images = report["images"].as_array().unwrap();
    images.iter().map(|one| format!("{}: {}", text(one, "name"), text(one, "status"))).collect()
}

/// What `check` says: its exit code, and the changes of each image.
fn check(bench: &Bench, more: &[&str]) -> (i32, BTreeMap<String, Vec<String>>) {
    let fixed = ["check", "compose.json", "-o", "oci:out", "--format", "json"];
    let before = on_disk(&bench.out());
    let ran = bench.strata(&[&fixed, more].concat());
    assert_eq!(before, on_disk(&bench.out()), "`check` writes nothing");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let images = report["images"].as_array().unwrap().iter().map(|image| {
        let changes = image["changes"].as_array().unwrap().iter();
        let changes = changes.map(|change| change.as_str().unwrap().to_owned()).collect();
        (image["name"].as_str().unwrap().to_owned(), changes)
    });
    (ran.code.unwrap(), images.collect())
}

/// Positions of the layers that have other digests, of an image in two layouts.
fn changed_layers(old: &Path, new: &Path, image: &str) -> Vec<usize> {
    let (old, new) = (layers(old, image), layers(new, image));
    assert_eq!(old.len(), new.len(), "{image}");
    (0..old.len()).filter(|at| old.get(*at) != new.get(*at)).collect()
}

/// The cache may learn: of a package file that is only seconds old nothing is remembered, because
/// it could change again within its timestamp.
fn outside_the_cache(bench: &Bench) -> BTreeMap<PathBuf, OnDisk> {
    let mut all = on_disk(bench.dir());
    all.retain(|path, _| !path.starts_with(bench.path("cache")));
    all
}

#[track_caller]
fn assert_nothing_written(bench: &Bench, more: &[&str]) {
    let before = outside_the_cache(bench);
    let begin = Instant::now();
    let report = bench.build(more);
    let took = begin.elapsed();
    let after = outside_the_cache(bench);
    let touched = after.iter().filter(|(path, file)| before.get(*path) != Some(*file));
    let touched: Vec<_> = touched.map(|(path, _)| path.display().to_string()).collect();
    assert!(touched.is_empty(), "written: {touched:#?}");
    assert_eq!(before.len(), after.len());
    assert!(status(&report).iter().all(|one| one.ends_with(": current")), "{report}");
    assert_eq!(report["pruned"], serde_json::json!([]));
    eprintln!("unchanged build: {} ms", took.as_millis());
    assert!(took.as_secs() < 10, "{took:?}");
}

#[test]
fn an_unchanged_spec_writes_nothing() {
    let bench = three();
    bench.build(&[]);
    assert_nothing_written(&bench, &[]);
    assert_nothing_written(&bench, &["--update"]);
    assert_nothing_written(&bench, &["--locked"]);
    assert_eq!(check(&bench, &[]).0, 0);
}

#[test]
fn an_unchanged_spec_of_real_packages_writes_nothing() {
    let Some(repository) = corpus(Set::Small) else { return };
    let bench = real(&repository);
    bench.build(&[]);
    let cache = on_disk(&bench.path("cache"));
    assert_nothing_written(&bench, &[]);
    assert!(cache == on_disk(&bench.path("cache")), "not even the cache is touched");
    assert_eq!(check(&bench, &[]).0, 0);
}

fn real(repository: &Path) -> Bench {
    let bench = Bench::with_spec(
        r#"{ "distro": "debian", "repos": ["./rpms/"], "images": {
            "min": {"packages": ["bash", "coreutils"]},
            "web": {"packages": ["nginx"]},
            "python": {"packages": ["python3"]} } }"#,
    );
    std::os::unix::fs::symlink(repository, bench.path("rpms")).unwrap();
    bench
}

/// Name to full name of each package, for each image.
fn resolved(bench: &Bench) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = bench.ok(&["resolve", "compose.json", "--update", "--format", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let images = report.as_array().unwrap().iter().map(|image| {
        let packages = image["packages"].as_array().unwrap().iter().map(|package| {
            let nevra = package["nevra"].as_str().unwrap();
            let (name, _) = nevra.rsplit_once('-').unwrap().0.rsplit_once('-').unwrap();
            (name.to_owned(), nevra.to_owned())
        });
        (image["name"].as_str().unwrap().to_owned(), packages.collect())
    });
    images.collect()
}

/// Layer keys of an image by position, as its manifest tells them.
fn layer_keys(layout: &Path, image: &str) -> Vec<String> {
    let manifest = manifest(layout, image);
    let layers = manifest["layers"].as_array().unwrap().iter();
    let key = |layer: &Value| {
        let all = layer["annotations"].as_object().unwrap();
        all.iter().find(|(name, _)| name.ends_with(".key")).unwrap().1.as_str().unwrap().to_owned()
    };
    layers.map(key).collect()
}

#[test]
fn an_update_rebuilds_only_what_contains_it() {
    let (Some(old), Some(new)) = (corpus(Set::Small), corpus_update(Set::Small)) else { return };
    let bench = real(&old);
    bench.build(&[]);
    let before = resolved(&bench);
    let lock = bench.lock();
    fs::rename(bench.path("rpms"), bench.path("old")).unwrap();
    std::os::unix::fs::symlink(&new, bench.path("rpms")).unwrap();
    let after = resolved(&bench);

    // the lock holds until somebody asks for newer packages
    assert_nothing_written(&bench, &[]);
    assert_eq!(lock, bench.lock());

    let (code, found) = check(&bench, &[]);
    assert_eq!(code, 10);
    let mut stale = BTreeSet::new();
    let mut updated = BTreeSet::new();
    for (image, packages) in &after {
        let earlier = &before[image];
        let mut expected = 0;
        for (name, nevra) in packages {
            if earlier.get(name) == Some(nevra) {
                continue;
            }
            let (old, new) = (evr(&earlier[name]), evr(nevra));
            let said = found[image].iter().any(|line| {
                line.starts_with(&format!("{name}.")) && line.ends_with(&format!("{old} -> {new}"))
            });
            assert!(said, "{image}: {name} {old} -> {new} is not in {:?}", found[image]);
            updated.insert(nevra.clone());
            expected += 1;
        }
        assert_eq!(found[image].len(), expected, "{image}: {:?}", found[image]);
        if expected > 0 {
            stale.insert(image.clone());
        }
    }
    assert!(!stale.is_empty() && stale.len() < after.len(), "{stale:?}");

    fs::create_dir(bench.path("before")).unwrap();
    run(Command::new("cp").arg("-a").args([bench.path("out/."), bench.path("before")]));
    let report = bench.build(&["--update"]);
    for line in status(&report) {
        let (image, state) = line.split_once(": ").unwrap();
        assert_eq!(state == "built", stale.contains(image), "{line}");
    }
    let plan = bench.ok(&["plan", "compose.json", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    for image in after.keys() {
        let changed = changed_layers(&bench.path("before"), &bench.out(), image);
        let keys = layer_keys(&bench.out(), image);
        let mut expected: Vec<usize> = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let layer = plan["layers"].as_array().unwrap().iter().find(|one| one["key"] == **key);
            let moved = match layer {
                Some(layer) => layer["packages"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|package| updated.contains(package.as_str().unwrap())),
                None => {
                    assert_eq!(at, keys.len() - 1, "only the state layer is not shared");
                    stale.contains(image)
                }
            };
            expected.extend(moved.then_some(at));
        }
        assert_eq!(changed, expected, "{image}");
        eprintln!("{image}: {} of {} layers are new: {changed:?}", changed.len(), keys.len());
    }
    bench.assert_valid();
    assert_eq!(check(&bench, &[]).0, 0);
}

fn evr(nevra: &str) -> &str {
    let (rest, release) = nevra.rsplit_once('-').unwrap();
    let (_, version) = rest.rsplit_once('-').unwrap();
    let from = nevra.len() - version.len() - release.len() - 1;
    nevra[from..].rsplit_once('.').unwrap().0
}

#[test]
fn one_package_changes_and_only_its_layers() {
    let bench = three();
    bench.build(&[]);
    fs::create_dir(bench.path("before")).unwrap();
    run(Command::new("cp").arg("-a").args([bench.path("out/."), bench.path("before")]));
    bench.package("beta", "2", "", &[("/usr/share/beta", "beta 2\n")]);
    assert_nothing_written(&bench, &[]);
    let (code, changes) = check(&bench, &[]);
    assert_eq!(code, 10);
    assert_eq!(changes["both"], ["beta.noarch 1-1 -> 2-1"]);
    assert!(changes["base"].is_empty() && changes["left"].is_empty());
    assert_eq!(check(&bench, &["--locked"]).0, 0);
    assert_eq!(check(&bench, &["--image", "left"]).0, 0);

    let report = bench.build(&["--update"]);
    assert_eq!(status(&report), ["base: current", "both: built", "left: current"]);
    assert!(changed_layers(&bench.path("before"), &bench.out(), "left").is_empty());
    let all = layers(&bench.out(), "both").len();
    assert_eq!(all, 4, "filesystem, alpha, beta, state");
    assert_eq!(changed_layers(&bench.path("before"), &bench.out(), "both"), [2, 3]);
    assert_eq!(report["pruned"].as_array().unwrap().len(), 4, "two layers, manifest, config");
    bench.assert_valid();
    assert_eq!(check(&bench, &[]).0, 0);
    assert_eq!(bench.ok(&["cat", "oci:out:both", "/usr/share/beta"]), "beta 2\n");
}

#[test]
fn same_version_other_file() {
    let bench = three();
    bench.build(&[]);
    bench.package("alpha", "1", "", &[("/usr/share/alpha", "made again\n")]);
    let (code, changes) = check(&bench, &[]);
    assert_eq!(code, 10);
    assert_eq!(changes["left"], ["alpha.noarch 1-1: another file of the same version"]);
    assert_eq!(status(&bench.build(&["--update", "--image", "left"])), ["left: built"]);
    assert_eq!(bench.ok(&["cat", "oci:out:left", "/usr/share/alpha"]), "made again\n");
    assert_eq!(bench.ok(&["cat", "oci:out:both", "/usr/share/alpha"]), "alpha 1\n");
    bench.assert_valid();
}

#[test]
fn packages_come_and_go() {
    let bench = three();
    bench.build(&[]);
    let needs = r#""requires": ["gamma"], "#;
    bench.package("beta", "2", needs, &[("/usr/share/beta", "beta 2\n")]);
    bench.package("gamma", "7", "", &[("/usr/share/gamma", "gamma\n")]);
    assert_eq!(check(&bench, &[]).1["both"], ["beta.noarch 1-1 -> 2-1", "gamma.noarch 7-1 added"]);
    bench.build(&["--update"]);
    bench.package("beta", "3", "", &[("/usr/share/beta", "beta 3\n")]);
    let removed = ["beta.noarch 2-1 -> 3-1", "gamma.noarch 7-1 removed"];
    assert_eq!(check(&bench, &[]).1["both"], removed);
}

#[test]
fn an_overlay_change_makes_its_images_stale() {
    let bench = three();
    bench.build(&[]);
    bench.write("compose.overlay.json", r#"{"images": {"left": {"config": {"Cmd": ["/x"]}}}}"#);
    let (code, changes) = check(&bench, &[]);
    assert_eq!(code, 10);
    let since =
        "not built since the lock, the spec, the overlay, a plugin's settings or a policy changed";
    assert_eq!(changes["left"], [since]);
    assert!(changes["both"].is_empty() && changes["base"].is_empty());
    let before = layers(&bench.out(), "left");
    let report = bench.build(&[]);
    assert_eq!(status(&report), ["base: current", "both: current", "left: built"]);
    assert_eq!(before, layers(&bench.out(), "left"), "only the configuration is new");
    assert_eq!(report["images"][2]["new_bytes"], 0);
    // --set is an overlay, too, and the same words in another order are the same
    bench.write("compose.overlay.json", r#"{ "images":  {"left": {"config": {"Cmd": ["/x"]}}} }"#);
    assert_nothing_written(&bench, &[]);
    let report = bench.build(&["--set", "base.config.User=5"]);
    assert_eq!(status(&report), ["base: built", "both: current", "left: current"]);
    // a file is an input by its content
    let file = r#"{"images": {"base": {"files": [{"path": "/etc/f", "source": "f"}]}}}"#;
    bench.write("compose.overlay.json", file);
    bench.write("f", "one");
    bench.build(&[]);
    assert_nothing_written(&bench, &[]);
    bench.write("f", "two");
    assert_eq!(status(&bench.build(&[])), ["base: built", "both: current", "left: current"]);
    assert_eq!(bench.ok(&["cat", "oci:out:base", "/etc/f"]), "two");
    bench.assert_valid();
}

#[test]
fn a_package_of_no_image_makes_nothing_stale() {
    let bench = three();
    bench.build(&[]);
    bench.package("other", "1", "", &[("/usr/share/other", "other\n")]);
    assert_eq!(check(&bench, &[]).0, 0);
    assert_nothing_written(&bench, &[]);
    let images = contents(&bench.out());
    bench.build(&["--update"]);
    assert_eq!(images, contents(&bench.out()));
    let report = bench.build(&["--update"]);
    assert!(status(&report).iter().all(|one| one.ends_with(": current")));
}

#[test]
fn force_builds_the_same_again() {
    let bench = three();
    bench.build(&[]);
    let before = contents(&bench.out());
    let report = bench.build(&["--force"]);
    assert_eq!(status(&report), ["base: built", "both: built", "left: built"]);
    assert_eq!(before, contents(&bench.out()));
    let report = bench.build(&["--force", "--image", "left"]);
    assert_eq!(status(&report), ["left: built"]);
    assert_eq!(before, contents(&bench.out()));
}

#[test]
fn image_limits_what_is_written() {
    let (some, all) = (three(), three());
    all.build(&[]);
    let report = some.build(&["--image", "left"]);
    assert_eq!(status(&report), ["left: built"]);
    assert_eq!(all.lock(), some.lock(), "everything is resolved, numbered and planned");
    let names = |bench: &Bench| -> BTreeSet<String> {
        let index = json(&bench.path("out/index.json"));
        let entries = index["manifests"].as_array().unwrap().iter();
        let name = "org.opencontainers.image.ref.name";
        entries.map(|one| one["annotations"][name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&some), BTreeSet::from(["left".to_owned()]));
    assert_eq!(layers(&some.out(), "left"), layers(&all.out(), "left"));
    assert_eq!(check(&some, &["--image", "left"]).0, 0);
    assert_eq!(check(&some, &[]).1["base"], ["not built yet"]);
    some.build(&["--image", "base", "--image", "both"]);
    assert_eq!(contents(&some.out()), contents(&all.out()));
    // an image of another spec stays
    some.write(
        "other/compose.json",
        &fs::read_to_string(some.path("compose.json"))
            .unwrap()
            .replace("./repo", "../repo")
            .replace("left", "right"),
    );
    some.ok(&["build", "other/compose.json", "-o", "oci:out", "--image", "right"]);
    assert_eq!(names(&some).len(), 4);
    some.assert_valid();
}

#[test]
fn tags_come_and_go() {
    let bench = three();
    let tags = |list: &str| {
        bench.write(
            "compose.overlay.json",
            &format!(r#"{{"images": {{"left": {{"tags": {list}}}}}}}"#),
        );
        let report = bench.build(&[]);
        bench.assert_valid();
        let index = json(&bench.path("out/index.json"));
        let entries = index["manifests"].as_array().unwrap().iter();
        let name = "org.opencontainers.image.ref.name";
        let names = entries.map(|one| one["annotations"][name].as_str().unwrap().to_owned());
        (status(&report), names.filter(|name| name.starts_with("left")).collect::<Vec<_>>())
    };
    let (built, names) = tags(r#"["1", "latest"]"#);
    assert!(built.contains(&"left: built".to_owned()));
    assert_eq!(names, ["left", "left:1", "left:latest"]);
    let (built, names) = tags(r#"["2"]"#);
    assert!(built.contains(&"left: current".to_owned()), "a tag is no input");
    assert_eq!(names, ["left", "left:2"]);
    assert_nothing_written(&bench, &[]);
    let (_, names) = tags("[]");
    assert_eq!(names, ["left"]);
}

#[test]
fn a_missing_or_short_blob_makes_its_images_stale() {
    let bench = three();
    bench.build(&[]);
    let before = contents(&bench.out());
    let blob = |digest: &str| bench.path("out/blobs").join(digest.replace(':', "/"));
    let own = layers(&bench.out(), "both")[2].clone();
    fs::remove_file(blob(&own)).unwrap();
    assert_eq!(check(&bench, &[]).0, 10);
    assert_eq!(status(&bench.build(&[])), ["base: current", "both: built", "left: current"]);
    assert_eq!(before, contents(&bench.out()));

    let manifest = manifest(&bench.out(), "left");
    let config = manifest["config"]["digest"].as_str().unwrap();
    let path = blob(config);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(status(&bench.build(&[])), ["base: current", "both: current", "left: built"]);
    assert_eq!(before, contents(&bench.out()));

    // all gone, cache and layout, but for the index
    fs::remove_dir_all(bench.path("out/blobs")).unwrap();
    fs::remove_dir_all(bench.path("cache")).unwrap();
    let report = bench.build(&[]);
    assert!(status(&report).iter().all(|one| one.ends_with(": built")));
    assert_eq!(before, contents(&bench.out()));
    bench.assert_valid();
}

#[test]
fn a_deleted_lock_makes_nothing_stale() {
    let bench = three();
    bench.build(&[]);
    let (images, lock) = (on_disk(&bench.out()), bench.lock());
    fs::remove_file(bench.path("strata.lock")).unwrap();
    let report = bench.build(&[]);
    assert!(status(&report).iter().all(|one| one.ends_with(": current")));
    assert_eq!(images, on_disk(&bench.out()));
    // which packages there are is found again; ids and plan are those of the next build
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let (old, new) = (parsed(&lock), parsed(&bench.lock()));
    assert_eq!(old["images"], new["images"]);
    assert_eq!(old["packages"], new["packages"]);
}

#[test]
fn locked_refuses_drift() {
    let bench = three();
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--locked"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("`./strata.lock` does not exist"), "{}", ran.stderr);
    bench.build(&[]);
    let newer = package("beta", "2", "", &[("/usr/share/beta", "beta 2\n")]);
    bench.repo().add("beta-2", &newer);
    assert_nothing_written(&bench, &["--locked"]);
    let spec = fs::read_to_string(bench.path("compose.json")).unwrap();
    bench.write("compose.json", &spec.replace(r#"["filesystem"]"#, r#"["filesystem", "beta"]"#));
    let before = on_disk(&bench.out());
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--locked"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("does not answer what the spec asks for `base`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: "));
    assert_eq!(before, on_disk(&bench.out()));
    // a new request prefers what is locked
    bench.build(&[]);
    assert_eq!(bench.ok(&["cat", "oci:out:base", "/usr/share/beta"]), "beta 1\n");
}

#[test]
fn a_locked_package_that_is_gone_is_never_replaced_silently() {
    if tool("createrepo_c").is_none() {
        return;
    }
    let bench = three();
    bench.repo().index();
    bench.build(&[]);
    fs::remove_file(bench.path("repo/alpha.rpm")).unwrap();
    assert_nothing_written(&bench, &[]);
    let (images, lock) = (contents(&bench.out()), bench.lock());
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--force"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot get `alpha-1-1.noarch`"), "{}", ran.stderr);
    let hint = "hint: `strata.lock` names this file; `--update` takes what the repository has now";
    assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    assert_eq!((images, lock), (contents(&bench.out()), bench.lock()));
}

#[test]
fn two_architectures_are_one_index() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "arch": ["x86_64", "aarch64"], "images": {
            "app": {"packages": ["filesystem", "alpha"]} } }"#,
    );
    bench.filesystem();
    bench.package("alpha", "1", r#""arch": "x86_64", "#, &[("/usr/share/alpha", "x86_64\n")]);
    let arm = package("alpha", "1", r#""arch": "aarch64", "#, &[("/usr/share/alpha", "aarch64\n")]);
    bench.repo().add("alpha.aarch64", &arm);
    let report = bench.build(&[]);
    let arches: Vec<_> = report["images"].as_array().unwrap().iter().map(|i| &i["arch"]).collect();
    assert_eq!(arches, ["x86_64", "aarch64"]);
    let index = manifest(&bench.out(), "app");
    let platforms: Vec<String> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}/{}", one["platform"]["os"], one["platform"]["architecture"]))
        .collect();
    assert_eq!(platforms, [r#""linux"/"amd64""#, r#""linux"/"arm64""#]);
    for (arch, text) in [("x86_64", "x86_64\n"), ("arm64", "aarch64\n"), ("amd64", "x86_64\n")] {
        let args = ["cat", "--arch", arch, "oci:out:app", "/usr/share/alpha"];
        assert_eq!(bench.ok(&args), text, "{arch}");
    }
    bench.assert_valid();
    if tool("skopeo").is_some() {
        for (arch, variant) in [("amd64", None), ("arm64", Some("v8"))] {
            let mut skopeo = Command::new("skopeo");
            skopeo.args(["inspect", "--override-arch", arch]);
            if let Some(variant) = variant {
                skopeo.args(["--override-variant", variant]);
            }
            let text = run(skopeo.arg(format!("oci:{}:app", bench.out().display())));
            let image: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(image["Architecture"], arch);
        }
    }

    // one of them changes; asking for the other leaves both where they are
    let arm = package("alpha", "2", r#""arch": "aarch64", "#, &[("/usr/share/alpha", "newer\n")]);
    bench.repo().add("alpha-2.aarch64", &arm);
    let (before, lock) = (contents(&bench.out()), bench.lock());
    let report = bench.build(&["--arch", "x86_64"]);
    assert_eq!(status(&report), ["app: current"]);
    assert_eq!(before, contents(&bench.out()));
    assert_eq!(lock, bench.lock());
    let report = bench.build(&["--arch", "amd64", "--force"]);
    assert_eq!(status(&report), ["app: built"]);
    assert_eq!(before, contents(&bench.out()));
    assert_eq!(lock, bench.lock());
    let report = bench.build(&["--update"]);
    assert_eq!(status(&report), ["app: current", "app: built"]);
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--arch", "riscv64"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("no architecture `riscv64`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: it has `aarch64`, `x86_64`"), "{}", ran.stderr);
    bench.assert_valid();
}

/// Changes one bit where it stands, as a failing disk would: in the cache too, if the layout's blob
/// is a hard link of it.
fn rot(path: &Path) {
    use std::os::unix::fs::FileExt as _;
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let at = file.metadata().unwrap().len() / 2;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

#[test]
fn a_forced_build_mends_damaged_layers() {
    let bench = three();
    bench.build(&[]);
    let good = contents(&bench.out());
    for layer in layers(&bench.out(), "both") {
        rot(&bench.path("out/blobs").join(layer.replace(':', "/")));
    }
    assert_eq!(bench.strata(&["validate", "oci:out"]).code, Some(1));
    bench.build(&["--force"]);
    bench.assert_valid();
    assert!(good == contents(&bench.out()));
}

#[test]
fn any_build_mends_damaged_documents() {
    let bench = three();
    bench.build(&[]);
    let good = contents(&bench.out());
    let config = manifest(&bench.out(), "both")["config"]["digest"].as_str().unwrap().to_owned();
    rot(&bench.path("out/blobs").join(config.replace(':', "/")));
    assert_eq!(status(&bench.build(&[])), ["base: current", "both: built", "left: current"]);
    bench.assert_valid();
    assert!(good == contents(&bench.out()));
}
