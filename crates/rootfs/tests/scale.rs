//! A package with 100,000 files: time and memory grow with the number of files, no faster.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

use std::{fs, time::Duration, time::Instant};
use strata_rootfs::{MergeTask, Owners, merge};
use strata_rpm::{
    RpmFile,
    pack::{PackFile, PackFileKind, PackManifest, build},
    payload,
};

fn packed(count: usize) -> Vec<u8> {
    let text = r#"{"name": "p", "version": "1", "release": "1", "arch": "noarch",
                   "license": "MIT", "build_time": 1}"#;
    let manifest = PackManifest::from_json(text).unwrap();
    let file = |n: usize| PackFile {
        path: format!("/usr/share/p/{}/file-{n}", n % 1000).into_bytes(),
        kind: PackFileKind::Regular { content: n.to_string().into_bytes(), executable: false },
    };
    build(&manifest, (0..count).map(file).collect()).unwrap()
}

/// All that a build does with a package: header, files, payload with digests, merge.
fn take(bytes: &[u8], count: usize) {
    let rpm = RpmFile::parse(bytes).unwrap();
    let package = rpm.package().unwrap();
    assert_eq!(package.files.len(), count);
    let mut files = 0;
    payload::read(&rpm, &package, &mut |_, _, _| {
        files += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(files, count);
    let owners = Owners::default();
    let task = MergeTask {
        packages: &[&package],
        docs: true,
        filters: &[],
        langs: None,
        owners: &owners,
        color: 2,
    };
    assert!(merge(&task).unwrap().tree.len() > count);
}

/// The shortest of three, so that other work on the machine counts less.
fn time(bytes: &[u8], count: usize) -> Duration {
    let once = || {
        let begin = Instant::now();
        take(bytes, count);
        begin.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

/// KiB of memory at most since the last reset; none where the system does not say.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_hundred_thousand_files_are_read_linearly() {
    let (few, many) = (packed(10_000), packed(100_000));
    let short = time(&few, 10_000);
    // begins the counting of memory anew
    let counted = fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = peak();
    let long = time(&many, 100_000);
    println!("10,000 files {short:?}, 100,000 files {long:?}");
    // ten times the files; were it quadratic, a hundred times the time
    assert!(long < short * 30, "{short:?} {long:?}");
    if let (true, Some(before), Some(after)) = (counted, before, peak()) {
        println!("{} KiB on top", after - before);
        assert!(after - before < 200 << 10, "{before} {after}");
    }
}
