//! Plugins in the pipeline: the order of the steps, layers, the lock, and failures of one image.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::{Arc, Mutex};
use strata_compose::{
    ErrorKind, ExplainedSource, Options, Outcome, Status, check, explain, oci::Severity, plan,
};
use strata_rootfs::{Access, Kind, Owner, TreeEdit, TreeEdits};
use strata_testkit::noise;
use support::{
    Bench, Fake, Fakes, answer, failure, filter, mapper, path, processor, remove, silent, told,
};

const TWO: &str = r#"{"one": {"packages": ["base"]}, "two": {"packages": ["base", "app"]}}"#;

fn access(mode: u16) -> Access {
    Access { mode, user: Owner::Name("root".to_owned()), group: Owner::Id(0) }
}

fn write(at: &str, text: &'static str) -> TreeEdit {
    TreeEdit::WriteFile { path: path(at), content: text.as_bytes().into(), access: access(0o640) }
}

#[test]
fn the_steps_come_in_order_and_each_sees_the_one_before() {
    let mut bench = Bench::new(TWO);
    bench.overlay(
        r#"{"plugins": {"two": ["filter", "first", "second", "mapper", "policy"]},
            "images": {"two": {"files": [{"path": "/etc/overlay", "content": "o"}]}}}"#,
    );
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |text: &str| {
        let (seen, text) = (Arc::clone(&seen), text.to_owned());
        move |more: String| seen.lock().unwrap().push(format!("{text} {more}"))
    };
    let (on_first, on_second, on_map, on_policy) =
        (note("first"), note("second"), note("map"), note("policy"));
    let host = Fakes::default()
        .with("filter", filter("/app.more"))
        .with(
            "first",
            Fake {
                process: Some(Box::new(move |_, image| {
                    let there = ["/etc/app.more", "/etc/app.conf", "/etc/overlay", "/etc/passwd"];
                    on_first(format!("{:?}", there.map(|at| image.tree.get(&path(at)).is_some())));
                    on_first(format!("{} {}", image.name, image.arch));
                    let info = |one: &strata_rootfs::PackageInfo| {
                        format!("{} {}", one.nevra.name, one.requested)
                    };
                    on_first(format!("{:?}", image.packages.iter().map(info).collect::<Vec<_>>()));
                    let Kind::File { content, .. } =
                        &image.tree.get(&path("/etc/app.conf")).unwrap().kind
                    else {
                        panic!("no file");
                    };
                    let bytes = image.contents.read(content).unwrap();
                    on_first(String::from_utf8_lossy(&bytes).into_owned());
                    answer(TreeEdits(vec![write("/etc/made", "1"), remove("/usr/bin/app")]))
                })),
                ..Fake::default()
            },
        )
        .with(
            "second",
            Fake {
                process: Some(Box::new(move |settings, image| {
                    let made = image.tree.get(&path("/etc/made")).is_some();
                    on_second(format!("{made} {settings:?}"));
                    answer(TreeEdits(vec![write("/etc/made", "2"), write("/etc/overlay", "x")]))
                })),
                ..Fake::default()
            },
        )
        .with(
            "mapper",
            Fake {
                map: Some(Box::new(move |_, image| {
                    on_map(image.tree.get(&path("/usr/bin/app")).is_some().to_string());
                    (mapper(&["/usr/bin/sh"]).map.unwrap())(&Default::default(), image)
                })),
                ..Fake::default()
            },
        )
        .with(
            "policy",
            Fake {
                check: Some(Box::new(move |_, config| {
                    on_policy(format!("{:?}", config.entrypoint));
                    answer(())
                })),
                ..Fake::default()
            },
        );
    let report = bench.build(&host);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "first [false, true, true, false]",
            "first two x86_64",
            r#"first ["app true", "base true"]"#,
            "first conf",
            "second true {}",
            "map false",
            r#"policy Some(["/usr/bin/sh"])"#,
        ]
    );
    let files = bench.files("two");
    assert_eq!(files["/etc/made"], b"2");
    assert_eq!(files["/etc/overlay"], b"o", "the overlay wins");
    assert!(!files.contains_key("/usr/bin/app") && !files.contains_key("/etc/app.more"));
    assert_eq!(
        report.images[1].warnings,
        ["plugin `second`: `/etc/overlay` stays as the overlay has it"]
    );
    let titles: Vec<_> = bench.image("two").manifest.layers.iter().map(|l| l.size).collect();
    assert_eq!(titles.len(), report.images[1].layers);

    // nothing runs when all is current; the digests alone decide
    let calls = |host: &Fakes| ["filter", "first", "mapper", "policy"].map(|name| host.calls(name));
    let before = calls(&host);
    assert_eq!(bench.build(&host).images[1].status, Status::Current);
    assert_eq!(calls(&host), before);
    assert!(check(&bench.options, &bench.destination(), &host, &silent()).unwrap().is_current());
    bench.options.plugins = vec!["filter:x=1".to_owned()];
    let changed = bench.build(&host);
    assert_eq!(changed.images.iter().map(|one| one.status).collect::<Vec<_>>(), [Status::Built; 2]);
}

#[test]
fn untouched_packages_keep_their_layers_and_a_large_removed_file_is_stored_nowhere() {
    let bench = Bench::new(r#"{"a": {"packages": ["base", "app", "big"]}}"#);
    let large = noise(50 << 20);
    bench.package("big", &[("/usr/share/big/data", &large), ("/usr/share/big/note", "note")]);
    let plain = bench.build(&Fakes::default());
    assert!(plain.images[0].bytes > 30 << 20);
    let before = bench.layers("a");
    for (name, host) in [
        ("pp", Fakes::default().with("pp", processor(vec![remove("/usr/share/big/data")]))),
        ("filter", Fakes::default().with("filter", filter("/data"))),
    ] {
        bench.overlay(&format!(r#"{{"plugins": {{"*": ["{name}"]}}}}"#));
        let report = bench.build(&host);
        assert!(report.images[0].bytes < 100_000, "{}", report.images[0].bytes);
        assert!(!bench.files("a").contains_key("/usr/share/big/data"));
        assert!(bench.files("a").contains_key("/usr/share/big/note"));
        let after = bench.layers("a");
        // those of `base` and `app`
        let same = before.iter().filter(|layer| after.contains(layer)).count();
        assert!(same >= 2, "{before:?} {after:?}");
    }
}

#[test]
fn images_with_the_same_filter_share_their_layers_and_filters_run_once_a_package() {
    let bench = Bench::new(
        r#"{"a": {"packages": ["base", "app"]}, "b": {"packages": ["base", "app"]},
            "c": {"packages": ["base", "app"]}}"#,
    );
    bench.overlay(r#"{"plugins": {"a": ["filter"], "b": ["filter"]}}"#);
    let host = Fakes::default().with("filter", filter("/app.more"));
    bench.build(&host);
    assert_eq!(host.calls("filter"), 2, "two packages");
    let layers = |name: &str| {
        let mut layers = bench.layers(name);
        // the last one is the image's own state
        layers.pop();
        layers
    };
    assert_eq!(layers("a"), layers("b"));
    assert!(layers("a").iter().any(|layer| layers("c").contains(layer)), "`base` is shared by all");
    assert!(!bench.files("a").contains_key("/etc/app.more"));
    assert!(bench.files("c").contains_key("/etc/app.more"));
}

/// A plugin that fails in one role, or on its result.
fn broken(how: &str) -> Fake {
    match how {
        "filter" => {
            Fake { exclude: Some(Box::new(|_, _| Err(failure("trap")))), ..Fake::default() }
        }
        "processor" => {
            Fake { process: Some(Box::new(|_, _| Err(failure("trap")))), ..Fake::default() }
        }
        "mapper" => Fake { map: Some(Box::new(|_, _| Err(failure("trap")))), ..Fake::default() },
        "policy" => Fake { check: Some(Box::new(|_, _| Err(failure("trap")))), ..Fake::default() },
        "refusal" => Fake {
            check: Some(Box::new(|_, _| {
                let diagnostics = vec![told(Severity::Refusal, "no")];
                Ok(Outcome { value: (), diagnostics, log: Vec::new() })
            })),
            ..Fake::default()
        },
        "edits" => processor(vec![write("/etc/before", "x"), write("/etc", "x")]),
        "rpmdb" => processor(vec![remove("/usr/lib"), write("/usr/lib", "x")]),
        // the tree cannot be told apart without it
        "distribution" => filter("/os-release"),
        other => panic!("{other}"),
    }
}

#[test]
fn a_failing_plugin_fails_its_image_only_and_leaves_it_as_it_was() {
    for (how, why) in [
        ("filter", "plugin `bad`: trap (package `"),
        ("processor", "plugin `bad`: trap"),
        ("mapper", "plugin `bad`: trap"),
        ("policy", "plugin `bad`: trap"),
        ("refusal", "plugin `bad`: /etc/app.conf:3: no"),
        ("edits", "plugin `bad`: `/etc` is a directory, and is to become a file"),
        (
            "rpmdb",
            "plugin `bad`: after its changes `/usr/lib/sysimage/rpm/rpmdb.sqlite` cannot be written",
        ),
        ("distribution", "after its plugins left files out: image `two (x86_64)`"),
    ] {
        let bench = Bench::new(TWO);
        bench.overlay(r#"{"images": {"two": {"tags": ["old"]}}}"#);
        bench.build(&Fakes::default());
        let before = (bench.layers("two"), bench.layers("one"));
        bench.package("base", &[("/etc/os-release", support::OS_RELEASE), ("/usr/bin/sh", "new")]);
        bench.overlay(
            r#"{"images": {"*": {"tags": ["new"]}}, "plugins": {"two": ["fine", "bad"]}}"#,
        );
        let options = Options { lock: strata_compose::LockMode::Update, ..bench.options.clone() };
        let bench = Bench { options, ..bench };
        let host = Fakes::default()
            .with("fine", processor(vec![write("/etc/fine", "fine")]))
            .with("bad", broken(how));
        let report = bench.build(&host);
        assert_eq!(report.images.len(), 1, "{how}");
        assert_eq!(
            (report.images[0].name.as_str(), report.images[0].status),
            ("one", Status::Built)
        );
        assert_eq!(report.failed.len(), 1, "{how}");
        let failed = &report.failed[0];
        assert_eq!((failed.name.as_str(), failed.arch.as_str()), ("two", "x86_64"));
        assert!(failed.failure.message.starts_with(why), "{how}: {}", failed.failure.message);
        assert!(failed.failure.hint.is_some(), "{how}");
        if failed.failure.message.contains("trap") {
            assert_eq!(failed.failure.details, ["a back trace"]);
        }
        assert_eq!(bench.layers("two"), before.0, "{how}");
        assert_ne!(bench.layers("one"), before.1);
        let layout = bench.layout();
        assert!(layout.image("two:old", None).is_ok() && layout.image("two:new", None).is_err());
        assert!(layout.image("one:new", None).is_ok());
        assert!(bench.lock().contains("\"bad\": \"sha256:"), "{how}");
        let checked = check(&bench.options, &bench.destination(), &host, &silent()).unwrap();
        assert!(checked.images[0].changes.is_empty());
        let changes = &checked.images[1].changes;
        assert!(changes[0].starts_with("not built since the lock, the spec, "), "{changes:?}");
    }
}

#[test]
fn a_plugin_that_cannot_be_loaded_or_is_set_wrongly_fails_its_image() {
    let bench = Bench::new(TWO);
    bench.overlay(
        r#"{"plugins": {"one": [{"plugin": "./no.wasm", "config": {}}],
                        "two": [{"plugin": "fine", "config": {"wrong": 1}}]}}"#,
    );
    let host = Fakes::default().with("fine", filter("/nothing"));
    let report = bench.build(&host);
    assert!(report.images.is_empty());
    let messages: Vec<&str> =
        report.failed.iter().map(|one| one.failure.message.as_str()).collect();
    assert!(messages[0].contains("compose.overlay.json:1:"), "{}", messages[0]);
    assert!(messages[0].ends_with(": plugin `./no.wasm`: there is no such plugin"));
    assert_eq!(messages[1], "plugin `fine`: there is no setting `wrong`");
    let checked = check(&bench.options, &bench.destination(), &host, &silent()).unwrap();
    assert_eq!((checked.images.len(), checked.failed.len()), (0, 2));
    assert!(!checked.is_current());
    let planned = plan(&bench.options, &host, &silent()).unwrap();
    assert_eq!((planned.images.len(), planned.failed.len()), (2, 2));
    let explained = explain(&bench.options, &host, &silent()).unwrap();
    assert!(!explained.is_possible());
    assert_eq!(explained.images[1].failure, Some(report.failed[1].failure.clone()));
    // only those that were asked for are reported
    let options = Options { images: vec!["two".to_owned()], ..bench.options.clone() };
    let bench = Bench { options, ..bench };
    assert_eq!(bench.build(&host).failed.len(), 1);
}

#[test]
fn a_mapper_s_refusal_counts_unless_the_documents_say_what_is_started() {
    let refuse = || Fake {
        map: Some(Box::new(|_, image| {
            let mut outcome = (mapper(&["daemon"]).map.unwrap())(&Default::default(), image)?;
            outcome.diagnostics.push(told(Severity::Refusal, "the unit forks"));
            outcome.diagnostics.push(told(Severity::Warning, "odd"));
            outcome.log.push("a line".to_owned());
            Ok(outcome)
        })),
        ..Fake::default()
    };
    let plugins = r#""plugins": {"*": ["units"]}"#;
    let bench = Bench::new(r#"{"a": {"packages": ["base"]}}"#);
    bench.overlay(&format!("{{{plugins}}}"));
    let host = Fakes::default().with("units", refuse());
    let report = bench.build(&host);
    assert_eq!(report.failed[0].failure.message, "plugin `units`: /etc/app.conf:3: the unit forks");
    assert_eq!(report.failed[0].failure.hint.as_deref(), Some("help"));
    let explained = explain(&bench.options, &host, &silent()).unwrap();
    assert_eq!(explained.images[0].diagnostics[0].severity, Severity::Refusal);
    assert!(!explained.images[0].fields.is_empty(), "what it would be is told all the same");

    bench.overlay(&format!(r#"{{{plugins}, "images": {{"a": {{"config": {{"Cmd": ["x"]}}}}}}}}"#));
    let report = bench.build(&host);
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    assert_eq!(
        report.images[0].warnings,
        ["plugin `units`: /etc/app.conf:3: odd; help", "plugin `units`: a line"]
    );
    let config = bench.image("a").config.config.unwrap();
    assert_eq!(config.entrypoint.unwrap(), ["daemon"]);
    assert_eq!(config.cmd.unwrap(), ["x"]);

    bench.overlay(&format!("{{{plugins}}}"));
    let options =
        Options { sets: vec!["a.config.Entrypoint=x".to_owned()], ..bench.options.clone() };
    let bench = Bench { options, ..bench };
    assert!(bench.build(&host).failed.is_empty());
}

#[test]
fn explain_names_authors_and_what_they_overrode() {
    let mut bench = Bench::new(r#"{"a": {"packages": ["base"], "entrypoint": "/usr/bin/sh"}}"#);
    bench.overlay(r#"{"images": {"a": {"config": {"WorkingDir": "/srv"}}}}"#);
    bench.options.plugins = vec!["units:unit=a,unit=b".to_owned()];
    bench.options.sets = vec!["a.config.StopSignal=SIGINT".to_owned()];
    let host = Fakes::default().with("units", mapper(&["/usr/bin/app"]));
    let explained = explain(&bench.options, &host, &silent()).unwrap();
    let image = &explained.images[0];
    assert_eq!(image.plugins[0].settings["unit"], serde_json::json!(["a", "b"]));
    assert_eq!(image.plugins[0].roles, ["metadata-mapper"]);
    let field = |name: &str| image.fields.iter().find(|field| field.field == name).unwrap();
    let entrypoint = field("config.Entrypoint");
    assert_eq!(entrypoint.by.value, serde_json::json!(["/usr/bin/sh"]));
    assert_eq!(entrypoint.by.source, ExplainedSource::Document);
    let old = &entrypoint.shadowed[0];
    assert_eq!(old.author, "plugin `units`, /usr/lib/app.unit:12");
    assert_eq!((old.plugin.as_deref(), old.line), (Some("units"), Some(12)));
    assert_eq!(field("config.StopSignal").by.author, "--set a.config.StopSignal=SIGINT");
    assert_eq!(field("config.Env.PATH").by.source, ExplainedSource::Default);
    assert_eq!(field("config.WorkingDir").by.line, Some(1));
    assert!(!bench.destination().dir.exists());
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(json["images"][0]["fields"][1]["source"], "document", "{json}");
    // `--plugin` counts from where the caller says, the overlay's from its own directory
    assert!(host.loaded.lock().unwrap()[0].1.ends_with("elsewhere"));
}

#[test]
fn the_lock_holds_digests_and_locked_refuses_others() {
    let bench = Bench::new(TWO);
    bench.overlay(r#"{"plugins": {"*": ["p"]}}"#);
    let mut host = Fakes::default().with("p", filter("/nothing"));
    bench.build(&host);
    let locked = Bench { options: bench.locked(), ..bench };
    assert!(locked.try_build(&host).is_ok());
    host.put("p", "2", filter("/nothing"));
    let error = locked.try_build(&host).unwrap_err();
    assert!(error.to_string().contains("names another component for the plugin `p`"), "{error}");
    assert!(error.hint().unwrap().contains("without `--locked`"));
    assert_eq!(error.kind(), ErrorKind::Inputs);
    locked.overlay(r#"{"plugins": {"*": ["p", "q"]}}"#);
    host.put("p", "1", filter("/nothing"));
    host.put("q", "1", filter("/nothing"));
    let error = locked.try_build(&host).unwrap_err();
    assert!(error.to_string().contains("does not name the plugin `q`"), "{error}");
    // `resolve` keeps what it does not look at
    let options = Options { lock: strata_compose::LockMode::Use, ..locked.options.clone() };
    strata_compose::resolve(&options, true, &silent()).unwrap();
    assert!(locked.lock().contains("\"p\": \"sha256:"));
}

#[test]
fn a_wrong_plugin_on_the_command_line_is_a_matter_of_usage() {
    let mut bench = Bench::new(TWO);
    bench.options.plugins = vec!["p:a=1,b".to_owned()];
    let error = bench.try_build(&Fakes::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("--plugin:1:7"), "{error}");
}

#[test]
fn the_same_inputs_give_the_same_bytes_whatever_the_threads_do() {
    let images = r#"{"a": {"packages": ["base", "app"]}, "b": {"packages": ["app", "base"]},
                     "c": {"packages": ["base"]}}"#;
    let built = |threads: usize| {
        let bench = Bench::new(images);
        bench.overlay(r#"{"plugins": {"*": ["f", "p"], "a": ["m"]}}"#);
        let host = Fakes::default()
            .with("f", filter("/app.more"))
            .with("p", processor(vec![remove("/usr/bin/app"), write("/srv/x", "x")]))
            .with("m", mapper(&["x"]));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let report = pool.install(|| bench.build(&host));
        (report.images.iter().map(|one| one.digest).collect::<Vec<_>>(), bench.lock())
    };
    assert_eq!(built(1), built(4));
}

#[test]
fn one_architecture_may_fail_while_the_other_is_built() {
    let bench = Bench::new(r#"{"a": {"packages": ["base"], "arch": ["x86_64", "aarch64"]}}"#);
    bench.overlay(r#"{"plugins": {"*": ["p"]}}"#);
    let host = Fakes::default().with(
        "p",
        Fake {
            process: Some(Box::new(|_, image| match image.arch {
                "aarch64" => Err(failure("trap")),
                _ => answer(TreeEdits(vec![write("/etc/made", "x")])),
            })),
            ..Fake::default()
        },
    );
    let platforms = || {
        let layout = bench.layout();
        let index = layout.index().unwrap();
        let images = layout.images(index.find("a").unwrap()).unwrap();
        images.iter().map(|image| image.config.platform.architecture.clone()).collect::<Vec<_>>()
    };
    let report = bench.build(&host);
    assert_eq!((report.images.len(), report.failed[0].arch.as_str()), (1, "aarch64"));
    assert_eq!(platforms(), ["amd64"]);
    // what was there before stays beside what is new
    let fine = Fakes::default().with("p", processor(vec![write("/etc/made", "y")]));
    let mut again = fine;
    again.put("p", "2", processor(vec![write("/etc/made", "y")]));
    assert!(bench.build(&again).failed.is_empty());
    assert_eq!(platforms(), ["amd64", "arm64"]);
    assert_eq!(bench.build(&host).failed.len(), 1);
    assert_eq!(platforms(), ["amd64", "arm64"]);
}
