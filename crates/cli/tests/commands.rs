//! Every command as a person and as a program uses it: what is printed where, and the exit code.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};
use strata_testkit::{Ran, output, run, tool};
use support::{Bench, STRATA, layers};

/// Two images; one has links, an overlay file and a scriptlet.
fn built() -> Bench {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {
            "base": {"packages": ["filesystem"]},
            "app": {"packages": ["filesystem", "app"], "entrypoint": "/usr/bin/app", "expose": [80, "53/udp"]} } }"#,
    );
    bench.filesystem();
    let more = r#""files": {"/usr/bin/again": {"hard_link": "/usr/bin/app"}, "/usr/bin/app": {"mode": "4750"}},
        "provides": ["/bin/sh"], "scriptlets": {"post": "echo made > /etc/made"}, "#;
    let many: String = (0..40_000).map(|line| format!("line {line}\n")).collect();
    bench.package("app", "1.5", more, &[("/usr/bin/app", "app\n"), ("/usr/share/many", &many)]);
    let files: String = (0..4_000)
        .map(|at| format!(r#"{{"path": "/srv/files/{at:05}", "content": ""}},"#))
        .collect();
    bench.write(
        "compose.overlay.json",
        &format!(r#"{{"images": {{"app": {{"files": [{}]}}}}}}"#, files.trim_end_matches(',')),
    );
    bench.build(&[]);
    bench
}

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The keys of an object; those of the schema that programs rely on.
#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn version_and_help() {
    let bench = Bench::new();
    let version = bench.ok(&["--version"]);
    assert_eq!(version, format!("strata {}\n", env!("CARGO_PKG_VERSION")));
    let help = bench.ok(&["--help"]);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in:\n{help}");
        let own = bench.ok(&[command, "--help"]);
        assert!(own.contains("Usage: strata "), "{own}");
    }
    assert!(help.contains("Exit codes: 0 done or current, 1 "), "{help}");
    let ran = bench.strata(&[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("Usage: strata") && ran.stdout.is_empty());
    let ran = bench.strata(&["biuld"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("build"), "{}", ran.stderr);
}

const COMMANDS: [&str; 13] = [
    "build",
    "check",
    "resolve",
    "plan",
    "explain",
    "inspect",
    "ls",
    "cat",
    "validate",
    "pack",
    "plugin",
    "completions",
    "man",
];

#[test]
fn completions_that_shells_accept() {
    let bench = Bench::new();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = bench.ok(&["completions", shell]);
        for word in ["validate", "cache-dir", "strata"] {
            assert!(script.contains(word), "{shell}");
        }
        bench.write(shell, &script);
        // not every shell is on every machine, bash is
        let ran = Command::new(shell).arg(check).arg(bench.path(shell)).output();
        match ran {
            Ok(ran) => assert!(ran.status.success(), "{shell}"),
            Err(_) => assert_ne!(shell, "bash"),
        }
    }
    let script = "source ./bash; COMP_WORDS=(strata va); COMP_CWORD=1; _strata strata va strata; \
                  echo ${COMPREPLY[*]}";
    let answer = run(Command::new("bash").current_dir(bench.dir()).args(["-c", script]));
    assert_eq!(answer.trim(), "validate");
    assert_eq!(bench.strata(&["completions", "nosuch"]).code, Some(2));
}

#[test]
fn manual_pages() {
    let bench = Bench::new();
    bench.ok(&["man", "pages/man1"]);
    let found: BTreeSet<String> = fs::read_dir(bench.path("pages/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = COMMANDS
        .iter()
        .map(|command| format!("strata-{command}.1"))
        .chain(
            ["strata", "strata-plugin-list", "strata-plugin-inspect"]
                .map(|page| format!("{page}.1")),
        )
        .collect();
    assert_eq!(found, expected);
    let page = fs::read_to_string(bench.path("pages/man1/strata-build.1")).unwrap();
    assert!(page.contains(".TH STRATA-BUILD 1") && page.contains("cache\\-dir"), "{page}");
    // the same on every day
    bench.ok(&["man", "again"]);
    assert_eq!(page, fs::read_to_string(bench.path("again/strata-build.1")).unwrap());
}

#[test]
fn json_of_every_command() {
    let bench = built();
    let json = |arguments: &[&str]| {
        let ran = bench.strata(&[arguments, &["--format", "json", "--quiet"]].concat());
        assert_eq!(ran.stderr, "", "{arguments:?}");
        (ran.code.unwrap(), parsed(&ran.stdout))
    };
    let (code, report) = json(&["build", "compose.json", "-o", "oci:fresh"]);
    assert_eq!((code, keys(&report)), (0, vec!["images", "pruned"]));
    let image = &report["images"][0];
    let always =
        ["arch", "bytes", "digest", "inputs", "layers", "name", "new_bytes", "packages", "status"];
    assert_eq!(image["name"], "app");
    let mut with_scriptlets = [&always[..], &["scriptlets"]].concat();
    with_scriptlets.sort_unstable();
    assert_eq!(keys(image), with_scriptlets);
    assert_eq!(image["status"], "built");
    let script = &image["scriptlets"][0];
    assert_eq!(keys(script), ["outcome", "package", "program", "section"]);
    assert_eq!((&script["outcome"], &script["section"]), (&"interpreted".into(), &"%post".into()));
    assert_eq!(keys(&report["images"][1]), always);
    let (code, again) = json(&["build", "compose.json", "-o", "oci:fresh"]);
    assert_eq!((code, &again["images"][0]["status"]), (0, &Value::from("current")));
    assert_eq!(again["images"][0]["digest"], image["digest"]);

    let (code, report) = json(&["check", "compose.json", "-o", "oci:out"]);
    assert_eq!((code, keys(&report)), (0, vec!["images"]));
    assert_eq!(keys(&report["images"][0]), ["arch", "changes", "name"]);
    let (code, _) = json(&["check", "compose.json", "-o", "oci:nowhere"]);
    assert_eq!(code, 10);

    let (_, report) = json(&["resolve", "compose.json"]);
    assert_eq!(keys(&report[0]), ["arch", "name", "packages"]);
    assert_eq!(keys(&report[0]["packages"][0]), ["checksum", "nevra", "repo", "size"]);

    let (_, report) = json(&["plan", "compose.json"]);
    assert_eq!(keys(&report), ["images", "layers"]);
    assert_eq!(keys(&report["images"][0]), ["arch", "layers", "name", "own_layers"]);
    let layer = ["content_bytes", "images", "key", "packages", "stored_bytes", "title"];
    assert_eq!(keys(&report["layers"][0]), layer);

    let (_, report) = json(&["inspect", "oci:out"]);
    assert_eq!(report["images"].as_array().unwrap().len(), 2);
    let one = ["annotations", "config", "digest", "layers", "name", "platform"];
    assert_eq!(keys(&report["images"][0]), one);

    let (_, report) = json(&["ls", "oci:out:base"]);
    for entry in report.as_array().unwrap() {
        assert_eq!(keys(entry), ["gid", "mode", "mtime", "path", "size", "type", "uid"]);
    }
    let (_, report) = json(&["ls", "oci:out:app", "/usr/bin/app"]);
    assert_eq!(keys(&report[0]), ["gid", "mode", "mtime", "path", "size", "target", "type", "uid"]);

    let (code, report) = json(&["validate", "oci:out"]);
    assert_eq!((code, keys(&report)), (0, vec!["bytes", "findings", "images", "layers"]));

    bench.write("dir/package.json", r#"{"name": "tiny", "version": "1"}"#);
    let (_, report) = json(&["pack", "dir", "-o", "tiny.rpm"]);
    assert_eq!(keys(&report), ["checksum", "files", "nevra", "path", "size"]);
}

#[test]
fn ls_and_cat() {
    let bench = built();
    let all = bench.ok(&["ls", "oci:out:app"]);
    assert!(all.starts_with("/\n/etc\n"), "{}", &all[..40]);
    let lines: Vec<&str> = all.lines().collect();
    assert!(lines.is_sorted(), "in the order of the bytes");
    let below = bench.ok(&["ls", "oci:out:app", "/usr/bin"]);
    assert_eq!(below, "/usr/bin\n/usr/bin/again\n/usr/bin/app\n");
    let long = bench.ok(&["ls", "-l", "oci:out:app", "usr/bin/"]);
    let columns: Vec<Vec<&str>> =
        long.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(columns[0], ["drwxr-xr-x", "0:0", "0", "/usr/bin"]);
    assert_eq!(columns[1], ["-rwsr-x---", "0:0", "4", "/usr/bin/again"]);
    let link = ["-rwsr-x---", "0:0", "0", "/usr/bin/app", "link", "to", "/usr/bin/again"];
    assert_eq!(columns[2], link);
    for path in ["/usr/bin/app", "usr/bin/again", "/usr/../usr/bin/./app"] {
        assert_eq!(bench.ok(&["cat", "oci:out:app", path]), "app\n", "{path}");
    }
    let refused = |arguments: &[&str], code: i32, says: &str| {
        let ran = bench.strata(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(ran.stderr.contains(says) && ran.stderr.contains("hint: "), "{}", ran.stderr);
    };
    refused(&["cat", "oci:out:app", "/nowhere"], 1, "there is no `/nowhere` in the image");
    refused(&["cat", "oci:out:app", "/usr/bin"], 1, "is not a regular file");
    refused(&["ls", "oci:out:app", "/nowhere"], 1, "there is no `/nowhere` in the image");
    refused(&["ls", "oci:out:ap"], 1, "there is no image `ap` in `out`");
    refused(&["ls", "oci:out"], 2, "`oci:out` has 2 images; name one");
    refused(&["ls", "oci:repo:x"], 1, "`repo` is not an OCI image layout");
    refused(&["ls", "oci:out:app", "--arch", "pdp11"], 2, "pdp11");
}

/// `cat` follows links as a process inside the image would.
#[test]
fn cat_through_symbolic_links() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["./repo"], "images": {"app": {"packages": ["filesystem", "links"]}} }"#,
    );
    bench.filesystem();
    let root = bench.path("links/root");
    fs::create_dir_all(root.join("usr/share/data")).unwrap();
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("usr/share/data/text"), "text\n").unwrap();
    for (target, link) in [
        ("/usr/share", "etc/absolute"),
        ("../usr/share/data/text", "etc/relative"),
        ("absolute/data", "etc/twice"),
        ("../../../../../../usr/share/data/text", "etc/outside"),
        ("self", "etc/self"),
        ("nowhere", "etc/dangling"),
    ] {
        std::os::unix::fs::symlink(target, root.join(link)).unwrap();
    }
    bench.write("links/package.json", r#"{"name": "links", "version": "1"}"#);
    bench.ok(&["pack", "links", "-o", "repo/links.rpm"]);
    bench.build(&[]);
    for path in ["etc/absolute/data/text", "etc/relative", "etc/twice/text", "/etc/outside"] {
        assert_eq!(bench.ok(&["cat", "oci:out", path]), "text\n", "{path}");
    }
    for (path, says) in [("/etc/self", "too many levels"), ("/etc/dangling", "there is no `")] {
        let ran = bench.strata(&["cat", "oci:out", path]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    let listed = bench.ok(&["ls", "-l", "oci:out", "/etc/twice/text"]);
    assert!(listed.ends_with("/usr/share/data/text\n"), "{listed}");
    let listed = bench.ok(&["ls", "-l", "oci:out", "/etc"]);
    assert!(listed.contains("/etc/relative -> ../usr/share/data/text\n"), "{listed}");
}

#[test]
fn inspect_for_people() {
    let bench = built();
    let text = bench.ok(&["inspect", "oci:out:app"]);
    for line in [
        "app (linux/amd64)",
        "  created  2023-11-14T22:13:20Z",
        "  entry    \"/usr/bin/app\"",
        "  ports    53/udp 80/tcp",
    ] {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    let digests = layers(&bench.out(), "app");
    assert!(text.contains(&format!("  {} layers, ", digests.len())), "{text}");
    assert!(digests.iter().all(|digest| text.contains(digest.as_str())));
    assert!(!text.contains("base (linux"));
    assert!(bench.ok(&["inspect", "oci:out"]).contains("base (linux/amd64)"));
}

/// Changes the bytes of a blob.
type Damage<'a> = &'a dyn Fn(&mut Vec<u8>);

#[test]
fn validate_says_which_blob_is_damaged() {
    let bench = built();
    let clean = bench.ok(&["validate", "oci:out"]);
    assert!(clean.starts_with("valid: 2 images, "), "{clean}");
    let file = |digest: &str| bench.path("out/blobs").join(digest.replace(':', "/"));
    let damage = |digest: &str, change: Damage<'_>| -> Ran {
        let good = fs::read(file(digest)).unwrap();
        let mut bad = good.clone();
        change(&mut bad);
        // the cache may share the inode
        fs::remove_file(file(digest)).unwrap();
        fs::write(file(digest), &bad).unwrap();
        let ran = bench.strata(&["validate", "oci:out"]);
        let json = bench.strata(&["validate", "oci:out", "--format", "json"]);
        assert_eq!(json.code, Some(1));
        let findings = parsed(&json.stdout)["findings"].clone();
        assert!(findings[0].to_string().contains(digest), "{findings}");
        fs::write(file(digest), &good).unwrap();
        ran
    };
    let layer = layers(&bench.out(), "app")[1].clone();
    let manifest = support::manifest(&bench.out(), "app");
    let config = manifest["config"]["digest"].as_str().unwrap().to_owned();
    for digest in [&layer, &config] {
        let changes: [Damage<'_>; 3] = [
            &|bytes| *bytes.last_mut().unwrap() ^= 1,
            &|bytes| bytes.truncate(bytes.len() / 2),
            &Vec::clear,
        ];
        for change in changes {
            let ran = damage(digest, change);
            assert_eq!(ran.code, Some(1));
            assert!(ran.stdout.contains(digest.as_str()), "{}", ran.stdout);
            assert!(ran.stdout.contains("app") && ran.stdout.contains("not valid: "));
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        }
    }
    fs::remove_file(file(&layer)).unwrap();
    let ran = bench.strata(&["validate", "oci:out"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains(&layer), "{}", ran.stdout);
    // what is found can be mended
    bench.build(&[]);
    bench.assert_valid();
    fs::write(bench.path("out/index.json"), "{").unwrap();
    let ran = bench.strata(&["validate", "oci:out"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("out/index.json"), "{}", ran.stderr);
}

#[test]
fn packages_that_rpm_accepts() {
    let bench = Bench::new();
    let manifest = r#"{"name": "tool", "version": "1.2", "release": "3", "epoch": 1, "arch": "x86_64",
        "requires": ["bash >= 4", "/bin/sh"], "provides": ["virtual = 2"],
        "scriptlets": {"post": "echo installed"},
        "files": {"/etc/tool.conf": {"config": "noreplace", "mode": "0640"}, "/var/lib/tool": {"dir": true}}}"#;
    bench.write("tool/package.json", manifest);
    bench.write("tool/root/etc/tool.conf", "a = 1\n");
    bench.write("tool/root/usr/bin/tool", "#!/bin/sh\n");
    let said = bench.ok(&["pack", "tool", "-o", "tool.rpm"]);
    assert!(said.starts_with("tool.rpm: tool-1:1.2-3.x86_64 ("), "{said}");
    if tool("rpm").is_none() || tool("createrepo_c").is_none() {
        return;
    }
    let rpm =
        |arguments: &[&str]| run(Command::new("rpm").current_dir(bench.dir()).args(arguments));
    let checked = rpm(&["-K", "-v", "tool.rpm"]);
    assert!(checked.contains("Payload SHA256 digest: OK"), "{checked}");
    assert!(!checked.contains("BAD"), "{checked}");
    let provides = rpm(&["-qp", "--nosignature", "--provides", "tool.rpm"]);
    let own = ["config(tool) = 1:1.2-3", "tool = 1:1.2-3", "tool(x86-64) = 1:1.2-3", "virtual = 2"];
    assert_eq!(provides.lines().collect::<Vec<_>>(), own);
    let root = bench.path("root").display().to_string();
    rpm(&["-i", "--root", &root, "--nodeps", "--noscripts", "--ignorearch", "tool.rpm"]);
    assert_eq!(fs::read_to_string(bench.path("root/etc/tool.conf")).unwrap(), "a = 1\n");
    fs::copy(bench.path("tool.rpm"), bench.path("repo/tool.rpm")).unwrap();
    bench.repo().index();
    bench.write(
        "compose.json",
        r#"{"repos": ["./repo"], "images": {"a": {"packages": ["virtual"]}}}"#,
    );
    let ran = bench.strata(&["resolve", "compose.json"]);
    assert!(ran.stderr.contains("requires `bash >= 4`"), "{}", ran.stderr);
}

#[test]
fn quiet_says_nothing_and_data_is_on_standard_output() {
    let bench = built();
    bench.write("repos.d/a.repo", "[a]\nname=a\nbaseurl=../repo\ngpgcheck=1\nsslverify=0\n");
    let commands: [&[&str]; 7] = [
        &["build", "compose.json", "-o", "oci:out", "--force"],
        &["check", "compose.json", "-o", "oci:out"],
        &["resolve", "compose.json", "--update"],
        &["plan", "compose.json"],
        &["inspect", "oci:out"],
        &["ls", "oci:out:base"],
        &["validate", "oci:out"],
    ];
    for arguments in commands {
        let loud = bench.strata(arguments);
        let quiet = bench.strata(&[arguments, &["--quiet"]].concat());
        assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(quiet.stdout, loud.stdout, "{arguments:?}");
        assert!(!quiet.stdout.is_empty(), "{arguments:?}");
        assert!(!loud.stderr.contains('\u{1b}') && !loud.stdout.contains('\u{1b}'));
    }
    let loud = bench.strata(&["resolve", "compose.json", "--update"]);
    assert!(loud.stderr.contains("read repository"), "{}", loud.stderr);
    assert!(!loud.stdout.contains("read repository"));
    // an error is told even then
    let ran = bench.strata(&["--quiet", "ls", "oci:nowhere"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty());
    let mut logs = bench.command();
    let ran = output(logs.env("RUST_LOG", "debug").args(["plan", "compose.json"]));
    assert!(!ran.stderr.is_empty() && !ran.stdout.contains("DEBUG"));
}

/// `strata … | head -1`: no panic, no complaint.
#[test]
fn a_closed_pipe() {
    let bench = built();
    let long: [&[&str]; 6] = [
        &["ls", "oci:out:app"],
        &["ls", "-l", "oci:out:app"],
        &["ls", "oci:out:app", "--format", "json"],
        &["cat", "oci:out:app", "/usr/share/many"],
        &["completions", "bash"],
        &["--help"],
    ];
    for arguments in long {
        let mut command = bench.command();
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // nobody reads a byte
        drop(child.stdout.take());
        let ran = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(stderr, "", "{arguments:?}");
        assert!(ran.status.code().is_some_and(|code| code == 0), "{arguments:?}: {:?}", ran.status);
    }
    let script =
        format!("{STRATA} cat oci:out:app /usr/share/many | head -1; echo ${{PIPESTATUS[0]}}");
    let mut bash = Command::new("bash");
    bench.place(bash.args(["-c", &script]));
    let ran = output(&mut bash);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("line 0\n0\n", ""));
    // a full disk is another matter
    let mut full = bench.command();
    full.args(["ls", "oci:out:app"]).stdout(fs::File::create("/dev/full").unwrap());
    let ran = output_to(&mut full);
    assert_eq!(ran.0, Some(3));
    assert!(ran.1.contains("error: cannot write to standard output"), "{}", ran.1);
    let mut full = bench.command();
    full.args(["cat", "oci:out:app", "/usr/share/many"]);
    let ran = output_to(full.stdout(fs::File::create("/dev/full").unwrap()));
    assert_eq!(ran.0, Some(3));
    assert!(ran.1.contains("error: cannot write to standard output"), "{}", ran.1);
}

/// Exit code and standard error of a command whose standard output is set.
fn output_to(command: &mut Command) -> (Option<i32>, String) {
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let ran = child.wait_with_output().unwrap();
    (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

/// The example that started it all, as it stands.
#[test]
fn the_example_of_2015() {
    let bench = Bench::with_spec(
        r#"{ "repos": ["fedora-rawhide"],
  "images": { "baseimage": {"packages": ["yum"]},
              "freeipa": {"packages": ["freeipa"], "entrypoint": "/usr/libexec/freeipa-server", "expose": "80"} } }"#,
    );
    bench.write(
        "repos.d/fedora-rawhide.repo",
        "[fedora-rawhide]\nname=Fedora $releasever\nbaseurl=../repo\nenabled=1\ngpgcheck=0\n",
    );
    bench.filesystem();
    let requires = r#""requires": ["filesystem"], "#;
    bench.package("yum", "3.4.3", requires, &[("/usr/bin/yum", "#!/usr/bin/python\n")]);
    let server = [("/usr/libexec/freeipa-server", "#!/bin/sh\n")];
    let more = r#""requires": ["filesystem"], "files": {"/usr/libexec/freeipa-server": {"mode": "0755"}}, "#;
    bench.package("freeipa", "4.2", more, &server);
    if tool("createrepo_c").is_some() {
        bench.repo().index();
    }
    let report = bench.build(&[]);
    assert_eq!(report["images"].as_array().unwrap().len(), 2);
    bench.assert_valid();
    let config = |image: &str| {
        let manifest = support::manifest(&bench.out(), image);
        support::blob(&bench.out(), manifest["config"]["digest"].as_str().unwrap())
    };
    let freeipa = config("freeipa");
    assert_eq!(freeipa["config"]["Entrypoint"], serde_json::json!(["/usr/libexec/freeipa-server"]));
    assert_eq!(freeipa["config"]["ExposedPorts"], serde_json::json!({"80/tcp": {}}));
    assert_eq!(freeipa["config"]["Cmd"], Value::Null, "no shell is put before it");
    assert_eq!(config("baseimage")["config"]["Entrypoint"], Value::Null);
    assert!(bench.ok(&["ls", "oci:out:baseimage"]).contains("/usr/bin/yum\n"));
    assert!(!bench.ok(&["ls", "oci:out:baseimage"]).contains("freeipa"));
    // the package that both have is stored once
    let shared: BTreeSet<String> = layers(&bench.out(), "baseimage").into_iter().collect();
    assert!(layers(&bench.out(), "freeipa").iter().any(|layer| shared.contains(layer)));
    if tool("skopeo").is_some() {
        let image = format!("oci:{}:freeipa", bench.out().display());
        run(Command::new("skopeo").args(["inspect", "--config", &image]));
    }
    // the repository's directory beside another spec, named on the command line
    bench.write("elsewhere/compose.json", &fs::read_to_string(bench.path("compose.json")).unwrap());
    let more = ["build", "elsewhere/compose.json", "-o", "oci:elsewhere/out"];
    let ran = bench.strata(&more);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("no repository `fedora-rawhide` is defined"), "{}", ran.stderr);
    bench.ok(&[&more[..], &["--repo-dir", "repos.d"]].concat());
    let same = |path: &Path| fs::read(path.join("index.json")).unwrap();
    assert_eq!(same(&bench.out()), same(&bench.path("elsewhere/out")));
}
