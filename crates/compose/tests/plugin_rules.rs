//! What plugins may not do, and whose trouble it is: places, names, findings, refusals.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fs, os::unix::fs::symlink};
use strata_compose::{ErrorKind, Outcome, PluginFailure, explain, oci::Severity, plan};
use strata_rootfs::{Kind, TreeEdits};
use support::{
    Bench, Fake, Fakes, answer, failure, filter, mapper, path, processor, remove, silent, told,
};

const TWO: &str = r#"{"one": {"packages": ["base"]}, "two": {"packages": ["base", "app"]}}"#;

#[test]
fn the_overlay_leaves_room_for_what_strata_makes() {
    for (file, why) in [
        ("/usr/lib/sysimage/rpm", "rpmdb.sqlite` cannot be written"),
        ("/usr/lib/sysimage/rpm/rpmdb.sqlite/x", "rpmdb.sqlite` is a directory"),
        ("/etc/ld.so.cache/x", "`/etc/ld.so.cache` is a directory"),
    ] {
        let bench = Bench::new(TWO);
        bench.overlay(&format!(
            r#"{{"images": {{"two": {{"files": [{{"path": "{file}", "content": ""}}]}}}}}}"#
        ));
        let error = bench.try_build(&Fakes::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("compose.overlay.json:1:") && text.contains(why), "{text}");
        assert_eq!(error.kind(), ErrorKind::Inputs);
    }
}

#[test]
fn one_path_from_two_places_is_two_plugins() {
    let mut bench = Bench::new(TWO);
    bench.overlay(r#"{"plugins": {"two": ["./p.wasm", "named"]}}"#);
    bench.options.plugins = vec!["./p.wasm:x=1".to_owned(), "named:x=1".to_owned()];
    let host = Fakes::default().with("./p.wasm", filter("/x")).with("named", filter("/x"));
    let plugins = |bench: &Bench| {
        let explained = explain(&bench.options, &host, &silent()).unwrap();
        let told = explained.images[1].plugins.iter();
        told.map(|one| (one.reference.clone(), one.settings.len())).collect::<Vec<_>>()
    };
    let (path, name) = ("./p.wasm".to_owned(), "named".to_owned());
    assert_eq!(plugins(&bench), [(path.clone(), 0), (name.clone(), 1), (path.clone(), 1)]);
    let loaded = host.loaded.lock().unwrap().clone();
    let from = loaded.iter().filter(|(name, _)| *name == path).map(|(_, base)| base);
    assert_eq!(from.collect::<std::collections::BTreeSet<_>>().len(), 2);
    bench.build(&host);
    let lock = bench.lock();
    assert!(lock.contains("\"./p.wasm\": \"sha256:"), "{lock}");
    assert!(lock.contains("\"--plugin ./p.wasm\": \"sha256:"), "{lock}");

    // the overlay's directory by another name
    bench.options.plugin_base = bench.dir.path().join("repo/..");
    assert_eq!(plugins(&bench), [(path, 1), (name, 1)]);
    bench.build(&host);
    assert!(!bench.lock().contains("--plugin"), "{}", bench.lock());
}

fn refusing() -> Fakes {
    let refuse = Fake {
        map: Some(Box::new(|_, image| {
            let mut outcome = (mapper(&["daemon"]).map.unwrap())(&Default::default(), image)?;
            outcome.diagnostics.push(told(Severity::Refusal, "the unit forks"));
            Ok(outcome)
        })),
        ..Fake::default()
    };
    Fakes::default().with("units", refuse)
}

#[test]
fn a_command_that_is_taken_away_answers_no_refusal() {
    let mut bench = Bench::new(r#"{"a": {"packages": ["base"]}}"#);
    bench.overlay(r#"{"plugins": {"*": ["units"]}, "images": {"a": {"config": {"Cmd": ["x"]}}}}"#);
    assert!(bench.build(&refusing()).failed.is_empty());
    let explained = explain(&bench.options, &refusing(), &silent()).unwrap();
    assert_eq!(explained.images[0].diagnostics[0].severity, Severity::Note);
    bench.options.sets = vec!["a.config.Cmd=null".to_owned()];
    let failed = bench.build(&refusing()).failed;
    assert!(failed[0].failure.message.ends_with("the unit forks"), "{:?}", failed[0].failure);
}

#[test]
fn an_account_of_the_documents_is_their_fault_unless_a_plugin_touched_the_image() {
    let bench = Bench::new(TWO);
    let user = |plugin: &str| {
        bench.overlay(&format!(
            r#"{{"plugins": {{"two": ["{plugin}"]}},
                "images": {{"two": {{"config": {{"User": "ghost"}}}}}}}}"#
        ));
    };
    let policy = Fake { check: Some(Box::new(|_, _| answer(()))), ..Fake::default() };
    let host = Fakes::default()
        .with("mapper", mapper(&["x"]))
        .with("policy", policy)
        .with("idle", processor(Vec::new()))
        .with("filter", filter("/app.more"))
        .with("processor", processor(vec![remove("/etc/app.more")]));
    for idle in ["mapper", "policy", "idle"] {
        user(idle);
        let error = bench.try_build(&host).unwrap_err().to_string();
        assert!(error.contains("compose.overlay.json:2:") && error.contains("`ghost`"), "{error}");
    }
    for touching in ["filter", "processor"] {
        user(touching);
        let report = bench.build(&host);
        assert!(report.failed[0].failure.message.contains("`ghost`"), "{touching}");
    }
}

#[test]
fn explain_post_processes_what_was_asked_for_and_a_build_all() {
    let mut bench = Bench::new(TWO);
    bench.overlay(r#"{"plugins": {"one": ["first"], "two": ["second"]}}"#);
    bench.options.images = vec!["two".to_owned()];
    let host = || {
        let idle = || processor(Vec::new());
        Fakes::default().with("first", idle()).with("second", idle())
    };
    let calls = |host: &Fakes| (host.calls("first"), host.calls("second"));
    let explaining = host();
    explain(&bench.options, &explaining, &silent()).unwrap();
    assert_eq!(calls(&explaining), (0, 1));
    let planning = host();
    plan(&bench.options, &planning, &silent()).unwrap();
    assert_eq!(calls(&planning), (1, 1));
    let building = host();
    bench.build(&building);
    assert_eq!(calls(&building), (1, 1), "both decide the plan of the layers");
}

#[test]
fn findings_are_told_once_and_not_without_end() {
    let chatty = |refuse: bool| Fake {
        check: Some(Box::new(move |_, _| {
            let mut diagnostics = Vec::new();
            for number in 0..5_000 {
                let text = format!("odd {number}");
                diagnostics
                    .extend([told(Severity::Warning, &text), told(Severity::Warning, "odd")]);
            }
            diagnostics.extend(refuse.then(|| told(Severity::Refusal, "no")));
            Ok(Outcome { value: (), diagnostics, log: vec!["line".to_owned(); 5] })
        })),
        ..Fake::default()
    };
    let bench = Bench::new(r#"{"a": {"packages": ["base"]}}"#);
    bench.overlay(r#"{"plugins": {"*": ["chatty"]}}"#);
    let report = bench.build(&Fakes::default().with("chatty", chatty(false)));
    let warnings = &report.images[0].warnings;
    // a line, and 999 of 5,001 findings
    assert_eq!(warnings.len(), 1_001);
    assert_eq!(warnings[999], "plugin `chatty`: line");
    assert_eq!(warnings[1_000], "plugin `chatty`: and 4002 more");
    let mut host = Fakes::default();
    host.put("chatty", "2", chatty(true));
    let failed = bench.build(&host).failed;
    assert!(failed[0].failure.message.ends_with(": no"), "{:?}", failed[0].failure);
}

#[test]
fn a_failing_disk_is_no_fault_of_the_inputs() {
    let bench = Bench::new(TWO);
    bench.overlay(r#"{"plugins": {"one": ["failing"], "two": ["reading"]}}"#);
    let repository = bench.dir.path().join("repo");
    let reading = Fake {
        process: Some(Box::new(move |_, image| {
            // can be opened, and fails when it is read
            for entry in fs::read_dir(&repository).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_string_lossy().starts_with("app") {
                    fs::remove_file(&path).unwrap();
                    symlink("/proc/self/mem", &path).unwrap();
                }
            }
            let node = image.tree.get(&path("/etc/app.conf")).unwrap();
            let Kind::File { content, .. } = &node.kind else { panic!("no file") };
            let error = image.contents.read(content).unwrap_err();
            Err::<Outcome<TreeEdits>, _>(failure(&error.to_string()))
        })),
        ..Fake::default()
    };
    let failing = || PluginFailure { kind: ErrorKind::Outside, ..failure("no room") };
    let failing = Fake { process: Some(Box::new(move |_, _| Err(failing()))), ..Fake::default() };
    let host = Fakes::default().with("failing", failing).with("reading", reading);
    let explained = explain(&bench.options, &host, &silent()).unwrap();
    for image in &explained.images {
        let failure = image.failure.as_ref().unwrap();
        assert_eq!(failure.kind, ErrorKind::Outside, "{}: {failure:?}", image.name);
    }
}
