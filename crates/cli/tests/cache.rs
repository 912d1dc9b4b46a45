//! The cache: what a power cut may do to it costs time and nothing else.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::fs;
use support::Bench;

/// Small files of the cache are not waited for: a power cut may empty them or cut them short.
#[test]
fn cut_cache_entries_are_made_again() {
    let bench = Bench::with_spec(
        r#"{"repos": ["./repo"], "images": {"a": {"packages": ["tool"]}, "b": {"packages": ["filesystem"]}}}"#,
    );
    bench.filesystem();
    bench.package("tool", "1", r#""requires": ["filesystem"],"#, &[("/usr/lib/liba.so.1", "no")]);
    bench.build(&[]);
    let index = fs::read(bench.out().join("index.json")).unwrap();
    for part in [0, 2] {
        let mut cut = 0;
        for directory in ["facts", "layers"] {
            for entry in fs::read_dir(bench.path("cache/strata").join(directory)).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "json") {
                    let bytes = fs::read(&path).unwrap();
                    fs::write(&path, &bytes[..bytes.len() / 4 * part]).unwrap();
                    cut += 1;
                }
            }
        }
        assert!(cut >= 4, "facts of two packages, two layers or more: {cut}");
        fs::remove_dir_all(bench.out()).unwrap();
        bench.build(&[]);
        assert_eq!(fs::read(bench.out().join("index.json")).unwrap(), index);
        bench.assert_valid();
    }
}
