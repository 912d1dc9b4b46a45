//! Packages made in code.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "shared by tests, which may panic and say why they do nothing"
)]

use std::{
    path::Path,
    process::{Command, Output},
};
use strata_rpm::{
    HeaderKind, Package, PayloadError, RpmFile,
    header::HeaderBuilder,
    pack::{PackFile, PackFileKind, PackManifest, build},
    payload,
};

pub fn regular(path: &str, content: &[u8], executable: bool) -> PackFile {
    PackFile {
        path: path.into(),
        kind: PackFileKind::Regular { content: content.to_vec(), executable },
    }
}

pub fn directory(path: &str) -> PackFile {
    PackFile { path: path.into(), kind: PackFileKind::Directory }
}

pub fn symlink(path: &str, target: &str) -> PackFile {
    PackFile { path: path.into(), kind: PackFileKind::Symlink { target: target.into() } }
}

/// One of everything.
pub const MANIFEST: &str = r#"{
    "name": "sample", "version": "1.2~rc1", "release": "3.test", "epoch": 4, "arch": "x86_64",
    "summary": "A sample", "description": "One\nof everything.", "license": "MIT",
    "vendor": "Nobody", "url": "https://example.org/", "source": "samples",
    "requires": ["bash >= 5", "((a or b) if c)", "/usr/bin/env"],
    "provides": ["virtual(sample) = 7"],
    "conflicts": ["other < 2"], "obsoletes": ["older <= 1:1-1"],
    "recommends": ["nice"], "suggests": ["maybe"],
    "supplements": ["(x and y)"], "enhances": ["z"],
    "files": {
        "/etc/sample/*.conf": {"config": "noreplace", "mode": "0640", "group": "daemon"},
        "/usr/bin/sample": {"caps": "cap_net_bind_service=ep"},
        "/usr/bin/sample-link": {"hard_link": "/usr/bin/tool"},
        "/usr/bin/suid": {"mode": "4755"},
        "/usr/share/doc/sample/**": {"doc": true},
        "/usr/share/licenses/sample/COPYING": {"license": true},
        "/var/lib/sample": {"dir": true, "mode": "0700", "user": "daemon", "group": "daemon"},
        "/var/log/sample.log": {"ghost": true}
    },
    "scriptlets": {
        "pre": "exit 0\n",
        "post": {"program": ["/sbin/ldconfig"]},
        "postun": {"program": ["/bin/sh", "-e"], "script": "true"},
        "posttrans": {"program": ["<lua>"], "script": "x = 1"}
    },
    "build_time": 1700000000,
    "changelog": [{"time": 1600000000, "author": "A <a@example.org> - 1", "text": "- first"}]
}"#;

pub fn files() -> Vec<PackFile> {
    vec![
        directory("/usr"),
        directory("/usr/bin"),
        regular("/usr/bin/sample", b"#!/bin/sh\necho sample\n", true),
        regular("/usr/bin/suid", b"suid", true),
        regular("/usr/bin/tool", &b"0123456789abcdef".repeat(5000), true),
        symlink("/usr/bin/alias", "sample"),
        regular("/etc/sample/a.conf", b"a = 1\n", false),
        regular("/etc/sample/empty", b"", false),
        directory("/etc/sample"),
        regular("/usr/share/doc/sample/README", b"read me", false),
        regular("/usr/share/licenses/sample/COPYING", b"copy", false),
    ]
}

pub fn sample() -> Vec<u8> {
    build(&PackManifest::from_json(MANIFEST).unwrap(), files()).unwrap()
}

/// A file of that header and payload, with an empty signature header.
pub fn assemble(header: &HeaderBuilder, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0xed, 0xab, 0xee, 0xdb, 3, 0];
    out.resize(96, 0);
    out.extend(HeaderBuilder::new().build(HeaderKind::Signature));
    out.resize(out.len().next_multiple_of(8), 0);
    out.extend(header.build(HeaderKind::Main));
    out.extend(payload);
    out
}

/// File index and content of what the payload carries.
pub type Contents = Vec<(u32, Vec<u8>)>;

pub fn contents(bytes: &[u8]) -> Result<(Package, Contents), PayloadError> {
    let rpm = RpmFile::parse(bytes).unwrap();
    let package = rpm.package().unwrap();
    let mut all = Vec::new();
    payload::read(&rpm, &package, &mut |index, size, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        assert_eq!(bytes.len() as u64, size);
        all.push((index, bytes));
        Ok(())
    })?;
    Ok((package, all))
}

/// Whether a program is there; a missing one is an error where `STRATA_REQUIRE_CORPUS=1`.
pub fn have(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|v| v == "1");
        assert!(!required, "`{program}` is needed by this test: install it");
        println!("skipped: `{program}` is not installed");
    }
    found
}

pub fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).env("LC_ALL", "C").env("TZ", "UTC").args(arguments).output().unwrap()
}

pub fn stdout(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // names in old packages are Latin-1
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
