//! Plugins that mean harm or are broken: their image fails, and nothing else does.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "support/component.rs"]
mod component;
#[path = "support/hostile.rs"]
mod hostile;
mod support;

use component::{EMPTY, Wat};
use hostile::hostile;
use serde_json::{Map, Value, json};
use std::fs;
use strata_testkit::Ran;
use support::{Bench, contents, layers};

/// An image for each of the plugins, named like it, and `good` without one; every image has the
/// packages `filesystem` and `page`.
fn bench(plugins: &[(&str, &[u8])]) -> Bench {
    let mut images = Map::new();
    let mut uses = Map::new();
    images.insert("good".to_owned(), json!({"packages": ["page"]}));
    for (name, _) in plugins {
        images.insert((*name).to_owned(), json!({"packages": ["page"]}));
        uses.insert((*name).to_owned(), json!([format!("./{name}.wasm")]));
    }
    let spec = json!({"repos": ["./repo"], "images": images});
    let bench = Bench::with_spec(&spec.to_string());
    bench.write("compose.overlay.json", &json!({"plugins": uses}).to_string());
    bench.filesystem();
    bench.package("page", "1", r#""requires": ["filesystem"], "#, &[("/usr/share/page", "page\n")]);
    for (name, bytes) in plugins {
        fs::write(bench.path(&format!("{name}.wasm")), bytes).unwrap();
    }
    bench
}

/// The message of one image's failure, with what belongs to it.
fn message<'a>(ran: &'a Ran, image: &str) -> &'a str {
    let begin = format!("error: image `{image}`");
    let at = ran.stderr.find(&begin);
    let at = at.unwrap_or_else(|| panic!("nothing of `{image}` in:\n{}", ran.stderr));
    let rest = &ran.stderr[at..];
    rest[begin.len()..].find("\nerror: ").map_or(rest, |end| &rest[..begin.len() + end])
}

#[test]
fn each_fails_its_image_only() {
    let all = hostile();
    let plugins: Vec<(&str, &[u8])> = all.iter().map(|one| (one.name, &one.bytes[..])).collect();
    let bench = bench(&plugins);
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let mut wrong = Vec::new();
    for one in &all {
        let message = message(&ran, one.name);
        let first = message.lines().next().unwrap();
        let plugin = format!("plugin `./{}.wasm`", one.name);
        let says = one.says.iter().copied().chain([plugin.as_str()]);
        wrong.extend(
            says.filter(|part| !first.contains(part))
                .map(|part| format!("{}: `{part}` is not in: {first}", one.name)),
        );
        if !message.contains("\nhint: ") {
            wrong.push(format!("{}: no hint", one.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran.stdout.contains("good (x86_64): built"), "{}", ran.stdout);
    bench.assert_valid();
    let index = support::json(&bench.path("out/index.json"));
    let listed: Vec<&Value> = index["manifests"].as_array().unwrap().iter().collect();
    assert_eq!(listed.len(), 1, "{index}");
    assert_eq!(layers(&bench.out(), "good").len(), 3);
}

#[test]
fn a_failed_image_keeps_what_was_there_before() {
    let empty = format!("i32.const {EMPTY}");
    let fine = Wat::new().map(&empty).build();
    let bench = bench(&[("web", &fine)]);
    bench.build(&[]);
    let before = support::manifest(&bench.out(), "web");
    fs::write(bench.path("web.wasm"), Wat::new().map("unreachable").build()).unwrap();
    bench.package("page", "2", r#""requires": ["filesystem"], "#, &[("/usr/share/page", "2\n")]);
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--update"]);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    assert_eq!(before, support::manifest(&bench.out(), "web"), "the old image stays");
    assert_eq!(bench.ok(&["cat", "oci:out:good", "/usr/share/page"]), "2\n");
    assert_eq!(bench.ok(&["cat", "oci:out:web", "/usr/share/page"]), "page\n");
    bench.assert_valid();
}

/// envoy#16726, #26485: after a trap the machine was dead for all that came after.
#[test]
fn a_trap_leaves_nothing_behind() {
    // traps where a package's name has three letters
    let picky = Wat::new().exclude(&format!(
        "(if (i32.eq (local.get 1) (i32.const 3)) (then unreachable)) i32.const {EMPTY}"
    ));
    let spec = r#"{ "repos": ["./repo"], "images": {
        "a": {"packages": ["filesystem", "bad"]},
        "b": {"packages": ["filesystem"]},
        "c": {"packages": ["filesystem", "bad"]},
        "d": {"packages": ["filesystem"]} } }"#;
    let bench = Bench::with_spec(spec);
    bench.filesystem();
    bench.package("bad", "1", "", &[("/usr/share/bad", "bad\n")]);
    fs::write(bench.path("picky.wasm"), picky.build()).unwrap();
    let arguments = ["build", "compose.json", "-o", "oci:out", "--plugin", "./picky.wasm"];
    let ran = bench.strata(&arguments);
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.stdout, ran.stderr);
    for image in ["a", "c"] {
        let message = message(&ran, image);
        assert!(message.contains("picky.wasm") && message.contains("unreachable"), "{message}");
    }
    assert_eq!(layers(&bench.out(), "b"), layers(&bench.out(), "d"));
    bench.assert_valid();
}

/// envoy#16726, the other half: what one call left in its memory, the next must not see.
#[test]
fn every_call_is_the_first() {
    let once = Wat::new().map(&format!(
        "(if (i32.load8_u (i32.const 3000)) (then unreachable))
         (i32.store8 (i32.const 3000) (i32.const 1)) i32.const {EMPTY}"
    ));
    let component = once.build();
    let bench = bench(&[("one", &component), ("two", &component), ("three", &component)]);
    bench.build(&[]);
    bench.build(&["--force"]);
}

/// zed#16284, zellij#1925, moon#1139: a plugin for another host ended in a garbled error or a panic.
#[test]
fn version_skew_is_told_in_words() {
    let empty = format!("i32.const {EMPTY}");
    let newer = Wat::new().version("0.9.0").map(&empty).build();
    let bench = bench(&[("newer", &newer)]);
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_eq!(ran.code, Some(1));
    let message = message(&ran, "newer");
    let first = message.lines().next().unwrap();
    assert!(first.contains("0.9.0") && first.contains("0.1.0"), "needs and has: {message}");
    assert!(message.contains("hint: "), "{message}");
    let inspect = bench.strata(&["plugin", "inspect", "./newer.wasm"]);
    assert_eq!(inspect.code, Some(1));
    assert!(inspect.stderr.contains("0.9.0") && inspect.stderr.contains("0.1.0"));
}

/// The compiled components in the cache, by path.
fn compiled(bench: &Bench) -> Vec<std::path::PathBuf> {
    let plugins = bench.path("cache/strata/plugins");
    contents(&plugins).into_keys().map(|path| plugins.join(path)).collect()
}

/// How often a build compiles a plugin.
#[track_caller]
fn compilations(bench: &Bench, more: &[&str]) -> usize {
    let mut command = bench.command();
    command.args(["build", "compose.json", "-o", "oci:out"]).args(more);
    let ran = strata_testkit::output(command.env("RUST_LOG", "strata_plugin=debug"));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    ran.stderr.matches("compiled sha256:").count()
}

/// wasmtime#11685: compiled code of another release was loaded, or refused for good.
#[test]
fn damaged_and_foreign_compiled_plugins_are_compiled_again() {
    let fine = Wat::new().map(&format!("i32.const {EMPTY}")).build();
    let bench = bench(&[("web", &fine)]);
    let digest = bench.build(&[])["images"].clone();
    let cached = compiled(&bench);
    assert_eq!(cached.len(), 1, "{cached:?}");
    let good = fs::read(&cached[0]).unwrap();
    let (half, mut other) = (good[..good.len() / 2].to_vec(), good.clone());
    // wherever the version stands, it is not the same any more
    for byte in other.iter_mut().take(good.len() / 4) {
        *byte = byte.wrapping_add(1);
    }
    for damaged in [Vec::new(), b"not compiled".to_vec(), half, other] {
        fs::write(&cached[0], &damaged).unwrap();
        assert_eq!(compilations(&bench, &["--force"]), 1);
        let report = bench.build(&["--force"]);
        let digests = |images: &Value| -> Vec<Value> {
            images.as_array().unwrap().iter().map(|image| image["digest"].clone()).collect()
        };
        assert_eq!(digests(&report["images"]), digests(&digest));
        assert_eq!(compiled(&bench), cached);
        assert_eq!(compilations(&bench, &["--force"]), 0, "it is whole again");
    }
}

/// zed#16284, exomonad#478: every start compiled the plugin anew, for twelve seconds.
#[test]
fn a_plugin_is_compiled_once() {
    let fine = Wat::new().map(&format!("i32.const {EMPTY}")).build();
    let bench = bench(&[("one", &fine), ("two", &fine)]);
    assert_eq!(compilations(&bench, &[]), 1, "once for both images");
    let before = support::on_disk(&bench.path("cache/strata/plugins"));
    assert_eq!(compilations(&bench, &["--force"]), 0);
    assert_eq!(before, support::on_disk(&bench.path("cache/strata/plugins")), "nothing is written");
}
