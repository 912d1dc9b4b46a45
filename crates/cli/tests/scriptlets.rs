//! Scriptlets from the documents to the image: what is told of them, and who decides about those
//! that are not interpreted.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::fs;
use strata_testkit::Ran;
use support::Bench;

/// The interpreter of the package `odd`, which nothing knows.
const ODD: &str = r#""requires": ["filesystem"], "scriptlets":
    {"post": {"program": ["/usr/bin/odd"], "script": "anything"}}, "#;

fn bench() -> Bench {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"],
             "images": {"a": {"packages": ["odd"]}, "b": {"packages": ["daemon"]}} }"#,
    );
    bench.filesystem();
    bench.package("odd", "1", ODD, &[("/usr/bin/odd", "no program\n")]);
    let tools = r#""provides": ["/bin/sh"], "requires": ["filesystem"],
        "files": {"/bin/sh": {"mode": "0755"}, "/usr/sbin/useradd": {"mode": "0755"}}, "#;
    bench.package("tools", "1", tools, &[("/bin/sh", ""), ("/usr/sbin/useradd", "")]);
    let daemon = r#""requires": ["tools"], "files": {"/srv/data": {"user": "daemon"}},
        "scriptlets": {"pre": "useradd -r -s /sbin/nologin daemon", "post": "echo $1 > /etc/installed"}, "#;
    bench.package("daemon", "1", daemon, &[("/srv/data", "x")]);
    bench
}

fn scriptlets(report: &Value, image: &str) -> Vec<(String, String, String)> {
    let images = report["images"].as_array().unwrap();
    let one = images.iter().find(|one| one["name"] == image).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = one["scriptlets"].as_array().unwrap().iter();
    all.map(|one| (text(&one["package"]), text(&one["section"]), text(&one["outcome"]))).collect()
}

fn build(bench: &Bench, more: &[&str]) -> Ran {
    bench.strata(&[&["build", "compose.json", "-o", "oci:out"], more].concat())
}

#[test]
fn what_is_not_interpreted_goes_by_the_documents_and_the_command_line() {
    let bench = bench();
    let refused = build(&bench, &["--scriptlets", "fail"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("%post of `odd`: "), "{}", refused.stderr);
    assert!(!bench.out().exists());

    let report = bench.build(&["--scriptlets", "skip"]);
    let skipped = ("odd".to_owned(), "%post".to_owned(), "skipped".to_owned());
    assert_eq!(scriptlets(&report, "a"), std::slice::from_ref(&skipped));
    // another policy is another image
    bench.write("compose.overlay.json", r#"{"images": {"*": {"scriptlets": {"odd": "skip"}}}}"#);
    let report = bench.build(&["--scriptlets", "fail"]);
    assert_eq!(scriptlets(&report, "a"), [skipped]);
    // what is said of the image is stronger, and of a package that it has not, nothing
    bench.write(
        "compose.overlay.json",
        r#"{"images": {"*": {"scriptlets": {"odd": "skip", "none": "fail"}},
                       "a": {"scriptlets": {"odd": "fail"}}}}"#,
    );
    let refused = build(&bench, &["--scriptlets", "skip"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let set = ["--set", "a.scriptlets.odd=skip"];
    assert_eq!(build(&bench, &set).code, Some(0));
    let wrong = build(&bench, &["--scriptlets", "never"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

#[test]
fn accounts_of_scriptlets_are_numbered_and_own_files() {
    let bench = bench();
    let report = bench.build(&["--scriptlets", "skip"]);
    let interpreted = |section: &str| ("daemon".into(), section.into(), "interpreted".into());
    assert_eq!(scriptlets(&report, "b"), [interpreted("%pre"), interpreted("%post")]);
    let cat = |path: &str| bench.ok(&["cat", "oci:out:b", path]);
    assert_eq!(cat("/etc/installed"), "1\n");
    let passwd = cat("/etc/passwd");
    let fields: Vec<&str> = passwd.trim().split(':').collect();
    assert_eq!((fields[0], fields[6]), ("daemon", "/sbin/nologin"), "{passwd}");
    let lock: Value = serde_json::from_str(&bench.lock()).unwrap();
    assert_eq!(lock["ids"]["users"], json!({"daemon": fields[2].parse::<u32>().unwrap()}));
    let listed = bench.ok(&["ls", "-l", "oci:out:b", "/srv/data"]);
    assert!(listed.contains(&format!(" {}", fields[2])), "{listed}");
}

#[test]
fn the_manifest_has_the_digest_of_the_report() {
    let bench = bench();
    let report = bench.build(&["--scriptlets", "skip"]);
    let images = report["images"].as_array().unwrap();
    let one = images.iter().find(|one| one["name"] == "b").unwrap();
    let digest = one["digest"].as_str().unwrap().replace(':', "/");
    let manifest = fs::read(bench.out().join("blobs").join(digest)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let expected = strata_oci::Digest::of(&strata_oci::canonical_json(&one["scriptlets"]));
    assert_eq!(manifest["annotations"]["io.strata.scriptlets"], expected.to_string());
}

#[test]
fn a_failure_before_the_files_refuses_and_a_later_one_warns() {
    let bench =
        Bench::with_spec(r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["late"]}} }"#);
    bench.filesystem();
    let with = |when: &str| {
        format!(
            r#""requires": ["filesystem"], "provides": ["/bin/sh"],
               "scriptlets": {{"{when}": "echo said; exit 3"}}, "#
        )
    };
    bench.package("late", "1", &with("post"), &[("/usr/bin/late", "")]);
    let built = build(&bench, &[]);
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    let line = "late %post (/bin/sh): failed: exit status 3: said";
    assert!(built.stdout.contains(line), "{}", built.stdout);
    bench.package("late", "2", &with("pre"), &[("/usr/bin/late", "")]);
    let refused = build(&bench, &["--update"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("%pre of `late`: exit status 3"), "{}", refused.stderr);
}

#[test]
fn unknown_owners_can_be_refused() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["filesystem", "odd"]}} }"#,
    );
    bench.filesystem();
    bench.package(
        "odd",
        "1",
        r#""files": {"/srv/x": {"user": "nobody-knows"}}, "#,
        &[("/srv/x", "")],
    );
    let refused = build(&bench, &["--strict-owners"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("user `nobody-knows` does not exist"), "{}", refused.stderr);
    assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    let built = build(&bench, &[]);
    assert!(built.stdout.contains("warning: `odd`: user `nobody-knows`"), "{}", built.stdout);
}
