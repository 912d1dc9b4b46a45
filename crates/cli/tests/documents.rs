//! What the documents and the command line mean beyond one plain build: where paths count from,
//! what `--locked` and `check` promise, and what is refused before any work is done.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fs, path::Path, process::Command};
use strata_testkit::{Ran, output};
use support::{Bench, OS_RELEASE, package};

/// Runs `strata build` on a spec from some directory, with the bench's cache.
fn build_from(bench: &Bench, directory: &Path, spec: &str, out: &Path) -> Ran {
    let mut command = Command::new(support::STRATA);
    bench.place(&mut command);
    command.current_dir(directory).args(["build", spec, "-o"]);
    output(command.arg(format!("oci:{}", out.display())))
}

#[track_caller]
fn assert_refused(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}\n{}", ran.stdout, ran.stderr);
    for text in texts {
        assert!(ran.stderr.contains(text), "`{text}` is not in\n{}", ran.stderr);
    }
}

#[test]
fn a_local_package_is_found_from_any_directory() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["./local/tool.rpm"]}} }"#,
    );
    bench.filesystem();
    let requires = r#""requires": ["filesystem"], "#;
    let tool = package("tool", "1", requires, &[("/usr/bin/tool", "1")]);
    fs::create_dir(bench.path("local")).unwrap();
    fs::write(bench.path("local/tool.rpm"), tool).unwrap();
    bench.build(&[]);
    let lock = bench.lock();

    // a checkout elsewhere, with the lock, and the first one gone
    let name = bench.dir().file_name().unwrap().to_str().unwrap().to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join(&name);
    let mut copy = Command::new("cp");
    assert_eq!(output(copy.arg("-a").arg(bench.dir()).arg(&moved)).code, Some(0));
    fs::remove_dir_all(bench.path("local")).unwrap();
    let absolute = moved.join("compose.json");
    let absolute = absolute.to_str().unwrap();
    let relative = format!("{name}/compose.json");
    let froms = [(moved.as_path(), "compose.json"), (elsewhere.path(), &relative)];
    for (from, spec) in froms.into_iter().chain([(Path::new("/"), absolute)]) {
        let out = elsewhere.path().join("out");
        let ran = build_from(&bench, from, spec, &out);
        assert_eq!(ran.code, Some(0), "{spec}\n{}", ran.stderr);
        assert!(ran.stdout.contains("built"), "{}", ran.stdout);
        assert_eq!(fs::read_to_string(moved.join("strata.lock")).unwrap(), lock);
        fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn an_error_shows_a_local_package_as_the_spec_does() {
    let bench = Bench::with_spec(
        r#"{ "repos": [], "distro": "fedora-42", "images": {"a": {"packages": ["./tool.rpm"]}} }"#,
    );
    let tool = package("tool", "1", r#""requires": ["nothing"], "#, &[]);
    fs::write(bench.path("tool.rpm"), tool).unwrap();
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_refused(&ran, 1, &["`./tool.rpm` is requested", "`nothing`", "hint: "]);
    assert!(!ran.stderr.contains("checksum:"), "{}", ran.stderr);
}

#[test]
fn another_directory_of_a_repository_makes_the_lock_stale() {
    let spec = |path: &str| {
        format!(
            r#"{{ "repos": [{{"id": "r", "baseurl": "./{path}"}}],
                  "images": {{"a": {{"packages": ["tool"]}}}} }}"#
        )
    };
    let bench = Bench::with_spec(&spec("repo"));
    bench.filesystem();
    let requires = r#""requires": ["filesystem"], "#;
    bench.package("tool", "1", requires, &[("/usr/bin/tool", "1")]);
    bench.build(&[]);
    let other = strata_testkit::Repository::new(&bench.path("other"));
    other.add("filesystem", &package("filesystem", "1", "", &[("/etc/os-release", OS_RELEASE)]));
    other.add("tool", &package("tool", "2", requires, &[("/usr/bin/tool", "2")]));
    bench.write("compose.json", &spec("other"));
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out", "--locked"]);
    assert_refused(&ran, 1, &["does not answer what the spec asks for `a`"]);
    bench.build(&[]);
    assert_eq!(bench.ok(&["cat", "oci:out", "/usr/bin/tool"]), "2");
}

#[test]
fn a_repository_that_is_not_enabled_is_used_only_by_name() {
    let bench = Bench::with_spec(
        r#"{ "repos": [{"id": "off", "baseurl": "./repo", "enabled": 0}],
             "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    bench.filesystem();
    let ran = bench.strata(&["resolve", "compose.json"]);
    assert_refused(&ran, 1, &["filesystem"]);
    bench.write("repos.d/x.repo", "[named]\nname=n\nbaseurl=../repo\nenabled=0\n");
    bench.write(
        "compose.json",
        r#"{ "repos": ["named"], "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    assert!(bench.ok(&["resolve", "compose.json"]).contains("filesystem-1"));
}

#[test]
fn with_locked_the_lock_is_never_written() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    bench.filesystem();
    // a lock without a layer plan
    bench.ok(&["resolve", "compose.json", "--write-lock"]);
    let lock = bench.lock();
    bench.build(&["--locked"]);
    assert_eq!(bench.lock(), lock);
    bench.build(&[]);
    assert_eq!(bench.lock(), lock, "nothing was made, so nothing new is known");
    bench.build(&["--force"]);
    assert_ne!(bench.lock(), lock);
}

#[test]
fn check_notices_what_a_build_would_write_into_the_index() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    bench.filesystem();
    bench.build(&[]);
    let check = ["check", "compose.json", "-o", "oci:out"];
    assert_eq!(bench.strata(&check).code, Some(0));
    bench.write("compose.overlay.json", r#"{"images": {"a": {"tags": ["1.0"]}}}"#);
    let ran = bench.strata(&check);
    assert_eq!(ran.code, Some(10), "{}", ran.stdout);
    assert!(ran.stdout.contains("its tags changed"), "{}", ran.stdout);
    bench.build(&[]);
    assert_eq!(bench.strata(&check).code, Some(0));
}

#[test]
fn two_names_of_one_architecture_are_one_image() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    bench.filesystem();
    let report = bench.build(&["--arch", "x86_64", "--arch", "amd64"]);
    assert_eq!(report["images"].as_array().unwrap().len(), 1);
}

#[test]
fn scriptlets_are_refused_before_a_layer_is_made() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "scriptlets": "fail",
             "images": {"a": {"packages": ["filesystem", "tool"]}} }"#,
    );
    let shell = r#""provides": ["/bin/sh"], "#;
    bench.package("filesystem", "1", shell, &[("/etc/os-release", OS_RELEASE)]);
    let scriptlet = r#""scriptlets": {"post": {"program": ["/usr/bin/tool"], "script": "?"}}, "#;
    bench.package("tool", "1", scriptlet, &[("/usr/bin/tool", "1")]);
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_refused(&ran, 1, &["%post of `tool`", "hint: "]);
    assert_eq!(fs::read_dir(bench.path("cache/strata/layers")).unwrap().count(), 0);
    assert!(!bench.out().exists());
}

#[test]
fn two_files_of_the_overlay_at_one_place_are_refused() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    bench.write("p/package.json", r#"{"name": "filesystem", "version": "1"}"#);
    bench.write("p/root/etc/os-release", OS_RELEASE);
    std::os::unix::fs::symlink("var/srv", bench.path("p/root/srv")).unwrap();
    bench.ok(&["pack", "p", "-o", "repo/filesystem.rpm"]);
    bench.write(
        "compose.overlay.json",
        r#"{"images": {"*": {"files": [{"path": "/var/srv/x", "content": "all"}]},
                       "a": {"files": [{"path": "/srv/x", "content": "one"}]}}}"#,
    );
    let ran = bench.strata(&["build", "compose.json", "-o", "oci:out"]);
    assert_refused(&ran, 1, &["compose.overlay.json", "`/var/srv/x`", "hint: "]);
}

#[test]
fn a_name_stands_for_all_its_platforms() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "arch": ["x86_64", "aarch64"],
             "images": {"a": {"packages": ["filesystem"]}} }"#,
    );
    bench.package("filesystem", "1", r#""arch": "noarch", "#, &[("/etc/os-release", OS_RELEASE)]);
    bench.build(&[]);
    let both = bench.ok(&["inspect", "oci:out:a"]);
    assert!(both.contains("linux/amd64") && both.contains("linux/arm64/v8"), "{both}");
    for image in ["oci:out:a", "oci:out"] {
        let one = bench.ok(&["inspect", image, "--arch", "aarch64"]);
        assert!(!one.contains("linux/amd64") && one.contains("linux/arm64/v8"), "{one}");
    }
    let ran = bench.strata(&["ls", "oci:out:a"]);
    assert_refused(&ran, 2, &["needs a platform", "`--arch`"]);
    assert_refused(&bench.strata(&["inspect", "oci:out:b"]), 1, &["it has `a`"]);
}

#[test]
fn accounts_that_were_not_read_are_not_written_over() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"a": {"packages": ["filesystem", "web"]}} }"#,
    );
    let passwd = "root:x:0:0::/root:/bin/sh\nkept:x:77:77::/:/bin/sh\n";
    bench.write("p/package.json", r#"{"name": "filesystem", "version": "1"}"#);
    bench.write("p/root/etc/os-release", OS_RELEASE);
    bench.write("p/root/usr/share/passwd", passwd);
    std::os::unix::fs::symlink("../usr/share/passwd", bench.path("p/root/etc/passwd")).unwrap();
    bench.ok(&["pack", "p", "-o", "repo/filesystem.rpm"]);
    bench.package("web", "1", "", &[("/usr/lib/sysusers.d/web.conf", "u web -\n")]);
    let report = bench.build(&[]);
    let warnings = report["images"][0]["warnings"].to_string();
    assert!(warnings.contains("`/usr/share/passwd` was not read"), "{report}");
    assert_eq!(bench.ok(&["cat", "oci:out", "/etc/passwd"]), passwd);
    assert!(bench.ok(&["cat", "oci:out", "/etc/group"]).contains("web:x:999:"));
}
