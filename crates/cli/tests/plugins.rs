//! Plugins in builds: what they change, what they leave alone, and when an image is made again.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/component.rs"]
mod component;
#[path = "support/hostile.rs"]
mod hostile;
mod support;

use component::{EMPTY, Wat, words};
use hostile::removes;
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use strata_testkit::{Set, corpus, noise, run};
use support::{Bench, contents, layers, manifest};

/// A mapper that gives a label: `strata.test` and this value.
fn label(value: &str) -> Vec<u8> {
    Wat::new()
        .map("i32.const 1024")
        .module(&words(1024, &[0, 1100, 1, 0, 0]))
        .module(&words(1100, &[8, 2048, 11, 2064, value.len() as u32]))
        .module(&format!(
            r#"(data (i32.const 2048) "strata.test") (data (i32.const 2064) "{value}")"#
        ))
        .build()
}

/// One image `one` of `filesystem`.
fn one() -> Bench {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"one": {"packages": ["filesystem"]}} }"#,
    );
    bench.filesystem();
    bench
}

/// `NAME: built` or `NAME: current` for each image of a report.
fn status(report: &Value) -> Vec<String> {
    let text = |image: &Value, key: &str| image[key].as_str().unwrap().to_owned();
    let images = report["images"].as_array().unwrap();
    images.iter().map(|one| format!("{}: {}", text(one, "name"), text(one, "status"))).collect()
}

fn config(layout: &Path, image: &str) -> Value {
    let digest = manifest(layout, image)["config"]["digest"].as_str().unwrap().to_owned();
    support::blob(layout, &digest)["config"].clone()
}

/// Bytes of all blobs.
fn stored(layout: &Path) -> usize {
    contents(&layout.join("blobs")).values().map(Vec::len).sum()
}

#[test]
fn an_image_is_made_again_when_plugin_or_settings_change() {
    let bench = one();
    fs::write(bench.path("label.wasm"), label("first")).unwrap();
    let with = ["--plugin", "./label.wasm"];
    let plain = bench.build(&[]);
    assert_eq!(status(&bench.build(&with)), ["one: built"]);
    assert_eq!(config(&bench.out(), "one")["Labels"]["strata.test"], "first");
    assert_eq!(status(&bench.build(&with)), ["one: current"]);
    assert_eq!(
        bench.strata(&["check", "compose.json", "-o", "oci:out", "--plugin", "./label.wasm"]).code,
        Some(0)
    );

    fs::write(bench.path("label.wasm"), label("second")).unwrap();
    let check =
        bench.strata(&["check", "compose.json", "-o", "oci:out", "--plugin", "./label.wasm"]);
    assert_eq!(check.code, Some(10), "{}", check.stderr);
    assert!(check.stdout.contains("label.wasm"), "{}", check.stdout);
    let locked = bench
        .strata(&[&["build", "compose.json", "-o", "oci:out", "--locked"], &with[..]].concat());
    assert_refused(&locked, &["label.wasm", "strata.lock"]);
    assert_eq!(config(&bench.out(), "one")["Labels"]["strata.test"], "first");
    assert_eq!(status(&bench.build(&with)), ["one: built"]);
    assert_eq!(config(&bench.out(), "one")["Labels"]["strata.test"], "second");

    // without it again, everything is as it was in the beginning
    let again = bench.build(&[]);
    assert_eq!(again["images"][0]["digest"], plain["images"][0]["digest"]);
}

#[track_caller]
fn assert_refused(ran: &strata_testkit::Ran, says: &[&str]) {
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    for part in says {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("\nhint: "), "{}", ran.stderr);
}

#[test]
fn settings_are_inputs() {
    let bench = one();
    bench.package("manual", "1", "", &[("/usr/share/man/man1/x.1", "x\n")]);
    bench.write(
        "compose.json",
        r#"{ "repos": ["./repo"], "images": {"one": {"packages": ["filesystem", "manual"]}} }"#,
    );
    let build = |setting: &str| status(&bench.build(&["--plugin", &format!("slim{setting}")]));
    assert_eq!(build(""), ["one: built"]);
    assert_eq!(build(""), ["one: current"]);
    let listed = bench.ok(&["ls", "oci:out:one"]);
    assert!(!listed.contains("man1/x.1"), "{listed}");
    assert_eq!(build(":man=true"), ["one: built"]);
    assert_eq!(build(":man=true"), ["one: current"]);
    let listed = bench.ok(&["ls", "oci:out:one"]);
    assert!(listed.contains("/usr/share/man/man1/x.1"), "{listed}");
}

#[test]
fn wrong_plugins_and_settings_are_refused_with_what_is_meant() {
    let bench = one();
    for (plugin, says) in [
        ("slimm", &["plugin `slimm`", "`slim`"][..]),
        ("slim:mann=true", &["plugin `slim`", "`mann`", "`man`"]),
        ("./nothing.wasm", &["plugin `./nothing.wasm`", "nothing.wasm"]),
    ] {
        let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--plugin", plugin]);
        assert_refused(&ran, says);
        let listed = fs::read_to_string(bench.path("out/index.json")).unwrap_or_default();
        assert!(!listed.contains("sha256:"), "{plugin}: {listed}");
    }
    let registry = ["build", "compose.json", "-o", "oci:out", "--plugin", "oci://registry/x"];
    let ran = bench.strata(&registry);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("registries") && ran.stderr.contains("\nhint: "), "{}", ran.stderr);
}

#[test]
fn shared_layers_stay_shared_and_what_is_left_out_is_stored_nowhere() {
    let huge = noise(50_000_000);
    let spec = r#"{ "repos": ["./repo"], "images": {
        "left": {"packages": ["filesystem", "big", "left"]},
        "right": {"packages": ["filesystem", "big"]} } }"#;
    let bench = Bench::with_spec(spec);
    bench.filesystem();
    bench.package("left", "1", "", &[("/usr/share/left", "left\n")]);
    bench.package(
        "big",
        "1",
        "",
        &[("/usr/share/man/man1/huge.1", &huge), ("/usr/share/big", "big\n")],
    );
    bench.build(&["--plugin", "slim"]);
    assert!(stored(&bench.out()) < 1_000_000, "{}", stored(&bench.out()));
    let (left, right) = (layers(&bench.out(), "left"), layers(&bench.out(), "right"));
    let shared = right.iter().filter(|digest| left.contains(digest)).count();
    assert_eq!(shared, right.len() - 1, "all but the state");
    assert!(!bench.ok(&["ls", "oci:out:left"]).contains("huge"));
    assert_eq!(bench.ok(&["cat", "oci:out:left", "/usr/share/big"]), "big\n");
    bench.assert_valid();

    // the same, taken away from the finished tree
    fs::write(bench.path("rm.wasm"), removes("/usr/share/man/man1/huge.1")).unwrap();
    bench.build(&["--plugin", "./rm.wasm"]);
    assert!(stored(&bench.out()) < 1_000_000, "{}", stored(&bench.out()));
    let (left, right) = (layers(&bench.out(), "left"), layers(&bench.out(), "right"));
    assert!(right.iter().filter(|digest| left.contains(digest)).count() >= 2);
    assert!(!bench.ok(&["ls", "oci:out:right"]).contains("huge"));
    bench.assert_valid();
}

#[test]
fn package_layers_are_the_same_with_and_without_plugins() {
    let Some(repository) = corpus(Set::Small) else { return };
    let bench = Bench::with_spec(
        r#"{ "distro": "debian", "repos": ["./rpms/"], "images": {
            "min": {"packages": ["bash", "coreutils"]}, "web": {"packages": ["nginx"]} } }"#,
    );
    std::os::unix::fs::symlink(repository, bench.path("rpms")).unwrap();
    fs::write(bench.path("label.wasm"), label("x")).unwrap();
    let plain = bench.build(&[]);
    let before = [layers(&bench.out(), "min"), layers(&bench.out(), "web")];
    let overlay = r#"{ "plugins": {"web": ["systemd"]},
        "images": {"web": {"config": {"Cmd": ["/usr/sbin/nginx", "-g", "daemon off;"]}}} }"#;
    bench.write("compose.overlay.json", overlay);
    let with = bench.build(&["--plugin", "./label.wasm"]);
    assert_ne!(plain["images"], with["images"]);
    for (image, before) in ["min", "web"].iter().zip(before) {
        let after = layers(&bench.out(), image);
        let packages = before.len() - 1;
        assert_eq!(before[..packages], after[..packages], "{image}");
    }
}

#[test]
fn the_same_bytes_in_another_directory_and_with_a_cold_cache() {
    let make = |warm: bool| {
        let bench = one();
        bench.package("manual", "1", "", &[("/usr/share/man/man1/x.1", "x\n")]);
        fs::create_dir(bench.path("plugins")).unwrap();
        fs::write(bench.path("plugins/label.wasm"), label("x")).unwrap();
        let more = ["--plugin", "slim", "--plugin", "./plugins/label.wasm"];
        bench.build(&more);
        if warm {
            fs::remove_dir_all(bench.out()).unwrap();
            bench.build(&more);
        }
        (contents(&bench.out()), bench.lock())
    };
    let (first, second) = (make(false), make(true));
    assert!(first.0 == second.0, "layouts differ");
    assert_eq!(first.1, second.1);
}

#[test]
fn explain_tells_who_said_what_and_over_whom() {
    let bench = one();
    fs::write(bench.path("label.wasm"), label("x")).unwrap();
    let overlay = r#"{ "plugins": {"one": ["./label.wasm"]},
        "images": {"*": {"config": {"Labels": {"strata.test": "y"}, "User": "0"}}} }"#;
    bench.write("compose.overlay.json", overlay);
    let more = ["--set", "one.config.User=\"65534\""];
    let text = bench.ok(&[&["explain", "compose.json", "one"][..], &more].concat());
    for line in [
        "  plugin `./label.wasm` (metadata-mapper)",
        "  config.Labels.strata.test = y  [./compose.overlay.json:2:63] over x  [plugin `./label.wasm`]",
        "  config.User = 65534  [--set one.config.User=\"65534\"] over 0  [./compose.overlay.json:2:77]",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\nis not in:\n{text}");
    }
    let json = bench.ok(&[&["explain", "compose.json", "--format", "json"][..], &more].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let fields = json["images"][0]["fields"].as_array().unwrap();
    let user = fields.iter().find(|field| field["field"] == "config.User").unwrap();
    assert_eq!(user["source"], "command-line");
    assert_eq!(user["shadowed"][0]["line"], 2);
    assert!(!bench.out().exists() && !bench.path("strata.lock").exists(), "it writes nothing");
    let unknown = bench.strata(&["explain", "compose.json", "two"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
}

#[test]
fn list_and_inspect() {
    let bench = one();
    let listed = bench.ok(&["plugin", "list"]);
    for name in ["hardening ", "slim ", "systemd "] {
        assert!(listed.lines().any(|line| line.starts_with(name)), "{listed}");
    }
    let text = bench.ok(&["plugin", "inspect", "systemd"]);
    for part in ["metadata-mapper", "post-processor", "sha256:", "    unit", "API     0.1.0"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value =
        serde_json::from_str(&bench.ok(&["plugin", "inspect", "slim", "--format", "json"]))
            .unwrap();
    assert_eq!(json["roles"], serde_json::json!(["package-filter"]));
    fs::write(bench.path("own.wasm"), Wat::new().map(&format!("i32.const {EMPTY}")).build())
        .unwrap();
    let own = bench.ok(&["plugin", "inspect", "own.wasm"]);
    assert!(own.starts_with("hostile 1.0\n") && own.contains("no settings"), "{own}");
    let sum = run(Command::new("sha256sum").arg(bench.path("own.wasm")));
    assert!(own.contains(sum.split(' ').next().unwrap()), "{own}");
    let ran = bench.strata(&["plugin", "inspect", "sytemd"]);
    assert_refused(&ran, &["plugin `sytemd`", "`systemd`"]);
}

#[test]
fn plan_knows_what_filters_leave_out() {
    let bench = one();
    bench.package("manual", "1", "", &[("/usr/share/man/man1/x.1", &noise(100_000))]);
    bench.write(
        "compose.json",
        r#"{ "repos": ["./repo"], "images": {"one": {"packages": ["filesystem", "manual"]}} }"#,
    );
    let plan = bench.ok(&["plan", "compose.json", "--plugin", "slim", "--format", "json"]);
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let bytes: u64 = plan["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["content_bytes"].as_u64().unwrap())
        .sum();
    assert!(bytes < 1_000, "{plan}");
}
