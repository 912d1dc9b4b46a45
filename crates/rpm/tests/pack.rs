//! Packages made by `pack`, judged by rpm itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests panic and use files")]

mod common;

use common::{files, have, regular, run, sample, stdout, text};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
};
use strata_rpm::{
    RpmFile,
    pack::{PackError, PackManifest, build},
};

fn manifest(text: &str) -> PackManifest {
    PackManifest::from_json(text).unwrap()
}

fn minimal(files: &str) -> PackManifest {
    manifest(&format!(r#"{{"name": "m", "version": "1", "files": {files}}}"#))
}

#[test]
fn same_input_same_bytes() {
    let mut shuffled = files();
    shuffled.reverse();
    let again = build(&manifest(common::MANIFEST), shuffled).unwrap();
    assert!(sample() == again);
}

#[test]
fn survives_its_own_reader() {
    let bytes = sample();
    let rpm = RpmFile::parse(&bytes).unwrap();
    let verified = rpm.verify().unwrap();
    assert!(verified.header.is_some() && verified.payload.is_some());
    let package = rpm.package().unwrap();
    assert_eq!(package.nevra.to_string(), "sample-4:1.2~rc1-3.test.x86_64");
    assert_eq!(package.source_rpm, "samples-1.2~rc1-3.test.src.rpm");
    assert_eq!((package.build_time, package.vendor.as_str()), (1_700_000_000, "Nobody"));
    let listing: Vec<String> = package
        .files
        .iter()
        .map(|f| {
            let path = String::from_utf8_lossy(&f.path);
            format!("{path} {:o} {} {} {} {}", f.mode, f.size, f.user, f.group, f.flags)
        })
        .collect();
    assert_eq!(
        listing,
        [
            "/etc/sample 40755 4096 root root 0",
            "/etc/sample/a.conf 100640 6 root daemon 17",
            "/etc/sample/empty 100644 0 root root 0",
            "/usr/bin/alias 120777 6 root root 0",
            "/usr/bin/sample 100755 22 root root 0",
            "/usr/bin/sample-link 100755 80000 root root 0",
            "/usr/bin/suid 104755 4 root root 0",
            "/usr/bin/tool 100755 80000 root root 0",
            "/usr/share/doc/sample/README 100644 7 root root 2",
            "/usr/share/licenses/sample/COPYING 100644 4 root root 128",
            "/var/lib/sample 40700 4096 daemon daemon 0",
            "/var/log/sample.log 100644 0 root root 64",
        ]
    );
    assert_eq!(package.hard_links(), [[5, 7]]);
    assert!(package.files.iter().all(|file| file.mtime == 1_700_000_000));
    assert_eq!(package.files[4].capabilities.unwrap().permitted, 1 << 10);
    let show = |all: &[strata_rpm::Dependency]| {
        all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        show(&package.provides),
        "config(sample) = 4:1.2~rc1-3.test; sample = 4:1.2~rc1-3.test; \
         sample(x86-64) = 4:1.2~rc1-3.test; virtual(sample) = 7"
    );
    assert_eq!(show(&package.conflicts), "other < 2");
    assert_eq!(show(&package.obsoletes), "older <= 1:1-1");
    assert_eq!(show(&package.recommends), "nice");
    assert_eq!(show(&package.suggests), "maybe");
    assert_eq!(show(&package.supplements), "(x and y)");
    assert_eq!(show(&package.enhances), "z");
    let pre: Vec<_> =
        package.requires.iter().filter(|r| r.pre).map(|r| r.dependency.to_string()).collect();
    assert_eq!(pre, ["/bin/sh", "/sbin/ldconfig"]);
    assert_eq!(package.scriptlets.len(), 4);
}

#[test]
fn rpm_accepts_it() {
    if !have("rpm") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sample.rpm");
    fs::write(&path, sample()).unwrap();
    let file = text(&path);
    assert!(
        stdout("rpm", &["-K", "--nosignature", "-v", file]).contains("Payload SHA256 digest: OK")
    );
    let header = stdout(
        "rpm",
        &[
            "-qp",
            "--qf",
            "%{NEVRA}|%{SUMMARY}|%{DESCRIPTION}|%{LICENSE}|%{VENDOR}|%{URL}|%{BUILDTIME}|%{SOURCERPM}|%{SIZE}|%{POSTINPROG}|[%{POSTUNPROG} ]|%{PREIN}",
            file,
        ],
    );
    assert_eq!(
        header,
        "sample-4:1.2~rc1-3.test.x86_64|A sample|One\nof everything.|MIT|Nobody|\
         https://example.org/|1700000000|samples-1.2~rc1-3.test.src.rpm|80043|/sbin/ldconfig|\
         /bin/sh -e |exit 0\n"
    );
    let requires = stdout("rpm", &["-qp", "--requires", file]);
    assert_eq!(
        requires.lines().collect::<Vec<_>>(),
        [
            "((a or b) if c)",
            "/bin/sh",
            "/bin/sh",
            "/sbin/ldconfig",
            "/usr/bin/env",
            "bash >= 5",
            "config(sample) = 4:1.2~rc1-3.test",
            "rpmlib(BuiltinLuaScripts) <= 4.2.2-1",
            "rpmlib(CompressedFileNames) <= 3.0.4-1",
            "rpmlib(FileCaps) <= 4.6.1-1",
            "rpmlib(FileDigests) <= 4.6.0-1",
            "rpmlib(PayloadFilesHavePrefix) <= 4.0-1",
            "rpmlib(PayloadIsZstd) <= 5.4.18-1",
            "rpmlib(RichDependencies) <= 4.12.0-1",
            "rpmlib(ScriptletInterpreterArgs) <= 4.0.3-1",
            "rpmlib(TildeInVersions) <= 4.10.0-1",
        ]
    );
    assert!(stdout("rpm", &["-qp", "--changelog", file]).contains("A <a@example.org> - 1"));
}

#[test]
fn rpm_installs_it() {
    if !have("rpm") || stdout("id", &["-u"]).trim() != "0" {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sample.rpm");
    fs::write(&path, sample()).unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let database = ["--root", text(&root), "--dbpath", "/var/lib/rpm"];
    let install = [&database[..], &["-i", "--nodeps", "--noscripts", text(&path)]].concat();
    let output = run("rpm", &install);
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaints}");

    let at = |path: &str| fs::symlink_metadata(root.join(path)).unwrap();
    assert_eq!(at("usr/bin/suid").permissions().mode(), 0o104_755);
    assert_eq!(at("etc/sample/a.conf").permissions().mode() & 0o7777, 0o640);
    assert_eq!(at("usr/bin/tool").nlink(), 2);
    assert_eq!(at("usr/bin/tool").ino(), at("usr/bin/sample-link").ino());
    assert_eq!(at("usr/bin/tool").mtime(), 1_700_000_000);
    assert_eq!(fs::read_link(root.join("usr/bin/alias")).unwrap().to_str(), Some("sample"));
    assert!(!root.join("var/log/sample.log").exists());
    assert_eq!(fs::read(root.join("usr/bin/tool")).unwrap(), b"0123456789abcdef".repeat(5000));

    let verify =
        run("rpm", &[&database[..], &["-Va", "--nodeps", "--nouser", "--nogroup"]].concat());
    let listing = String::from_utf8_lossy(&verify.stdout).into_owned();
    // a ghost may be missing
    assert!(listing.lines().all(|line| line.contains(" g ")), "{listing}");
}

#[test]
fn createrepo_accepts_it() {
    if !have("createrepo_c") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("sample.rpm"), sample()).unwrap();
    stdout("createrepo_c", &["--quiet", "--compress-type", "gz", text(dir.path())]);
    assert!(dir.path().join("repodata/repomd.xml").exists());
}

#[test]
fn an_empty_package() {
    let bytes = build(&minimal("{}"), vec![common::directory("/usr")]).unwrap();
    // only the top directory holds nothing, so it is what the package owns
    assert_eq!(common::contents(&bytes).unwrap().0.files.len(), 1);
    let bytes = build(&minimal("{}"), Vec::new()).unwrap();
    assert!(common::contents(&bytes).unwrap().0.files.is_empty());
    if have("rpm") {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.rpm");
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            stdout("rpm", &["-qp", "--qf", "%{NEVRA} %{BUILDTIME}", text(&path)]),
            "m-1-1.noarch 0"
        );
    }
}

#[test]
fn manifest_errors_say_where() {
    for (text, expected) in [
        (
            "{\"name\": \"a\",\n \"version\": \"1\",\n \"requird\": []}",
            "3:10: `requird`: unknown field `requird`",
        ),
        (
            "{\"name\": \"a\", \"version\": \"1\", \"files\": {\"/x\": {\"mod\": 1}}}",
            "`files./x.mod`: unknown field `mod`",
        ),
        (
            "{\"name\": \"a\", \"version\": \"1\", \"files\": {\"/x\": {\"mode\": \"0999\"}}}",
            "`files./x.mode`: `0999` is not a mode in octal",
        ),
        (
            "{\"name\": \"a\", \"version\": \"1\", \"files\": {\"/x\": {\"config\": \"yes\"}}}",
            "expected `true`, `false` or `\"noreplace\"`",
        ),
        ("{\"name\": \"a\"}", "missing field `version`"),
        (
            "{\"name\": \"a\", \"version\": \"1\", \"scriptlets\": {\"post\": {\"prog\": []}}}",
            "unknown field `prog`",
        ),
        (
            "{\"name\": \"a\", \"version\": \"1\", \"scriptlets\": {\"posttrigger\": \"\"}}",
            "`scriptlets.posttrigger`: unknown field",
        ),
        ("{\"name\": \"a\", \"version\": \"1\"} x", "1:31: `.`: trailing characters"),
    ] {
        let error = PackManifest::from_json(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn impossible_packages() {
    let file = || vec![regular("/etc/a", b"a", false)];
    for (rules, expected) in [
        ("{\"/etc/b\": {\"mode\": \"0600\"}}", "`files./etc/b`: it matches no file"),
        ("{\"/opt/*\": {\"doc\": true}}", "`files./opt/*`: it matches no file"),
        ("{\"etc/a\": {}}", "`files.etc/a`: it is relative"),
        ("{\"/etc/../a\": {\"ghost\": true}}", "it has a `.` or `..` component"),
        ("{\"/etc/a\": {\"dir\": true}}", "`dir` names something that is not a directory"),
        ("{\"/etc/a/b\": {\"ghost\": true}}", "`/etc/a` above it is not a directory"),
        ("{\"/etc/l\": {\"hard_link\": \"/etc/none\"}}", "needs a regular file"),
        ("{\"/etc/a\": {\"hard_link\": \"/etc/a\"}}", "a file that is there already"),
        ("{\"/b\": {\"hard_link\": \"/etc/a\", \"mode\": \"0600\"}}", "state them there"),
        ("{\"/etc/a\": {\"caps\": \"cap_foo=ep\"}}", "no capability `cap_foo`"),
        ("{\"/etc/a\": {\"user\": \"a:b\"}}", "is not an owner"),
    ] {
        let error = build(&minimal(rules), file()).unwrap_err();
        assert!(error.to_string().contains(expected), "{rules}: {error}");
    }
    for (key, value, expected) in [
        ("name", "a b", "` ` cannot be part of it"),
        ("name", "-a", "must begin with"),
        ("version", "1-2", "`-` cannot be part of it"),
        ("release", "", "it is empty"),
        ("arch", "src", "source packages"),
    ] {
        let mut value_of = serde_json::json!({"name": "a", "version": "1"});
        value_of[key] = value.into();
        let error = build(&manifest(&value_of.to_string()), Vec::new()).unwrap_err();
        assert!(matches!(&error, PackError::Key { key: k, .. } if k == key), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    for (key, text) in [("requires", "a >"), ("provides", "(a or b)"), ("conflicts", "(a")] {
        let mut value = serde_json::json!({"name": "a", "version": "1"});
        value[key] = serde_json::json!([text]);
        let error = build(&manifest(&value.to_string()), Vec::new()).unwrap_err();
        assert!(error.to_string().starts_with(&format!("`{key}")), "{error}");
    }
    let twice = build(&minimal("{}"), [file(), file()].concat()).unwrap_err();
    assert_eq!(twice.to_string(), "`/etc/a`: it occurs twice");
}

#[test]
fn later_rules_win_key_by_key() {
    let rules = r#"{"/etc/**": {"mode": "0600", "user": "daemon"}, "/etc/a": {"mode": "0644"}}"#;
    let bytes = build(&minimal(rules), vec![regular("/etc/a", b"a", true)]).unwrap();
    let package = RpmFile::parse(&bytes).unwrap().package().unwrap();
    assert_eq!(package.files[0].mode, 0o100_644);
    assert_eq!(package.files[0].user, "daemon");
}
