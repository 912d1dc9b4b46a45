//! The seeds are what they should be, and mutations are the same everywhere.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use strata_fuzz::{
    TARGETS,
    mutate::{Random, mutated},
    seeds::{DIRECTORY, committed, generated},
};
use strata_rpm::{Header, Package, RpmFile};

/// `cargo run -p strata-fuzz --bin strata-fuzz-seeds` writes them.
#[test]
fn generated_seeds_are_the_committed_ones() {
    for (target, name, bytes) in generated() {
        let path = Path::new(DIRECTORY).join(target).join(&name);
        assert!(std::fs::read(path).is_ok_and(|found| found == bytes), "{target}/{name}");
    }
}

/// What the archive targets begin with gets to the end: else they would test nothing.
#[test]
fn seeds_get_far() {
    for (name, bytes) in committed("package") {
        let parsed = Header::parse(&bytes).map(|(header, _)| Package::from_header(&header).is_ok());
        assert!(parsed == Ok(true) || name.starts_with("regression"), "{name}");
    }
    for (name, bytes) in committed("file") {
        let good = RpmFile::parse(&bytes).is_ok_and(|file| file.package().is_ok());
        assert!(good || name.starts_with("regression"), "{name}");
    }
    let bounds: Vec<_> = TARGETS.iter().map(|target| target.memory).collect();
    assert!(bounds.is_sorted(), "smaller bounds come first: {bounds:?}");
}

/// The same number gives the same mutation, on every machine.
#[test]
fn mutations_are_the_same_every_time() {
    let seeds = [b"one two".to_vec(), b"three".to_vec()];
    let words = [b"word".to_vec()];
    let all = || -> Vec<_> {
        (1..50).map(|number| mutated(&seeds, &words, &mut Random::new(number))).collect()
    };
    assert_eq!(all(), all());
    let different: std::collections::BTreeSet<_> = all().into_iter().collect();
    assert!(different.len() > 30, "{}", different.len());
}
