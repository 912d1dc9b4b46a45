//! Every target on its seeds, on what once went wrong, and on a fixed number of mutations.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use strata_fuzz::{
    TARGETS, Target, check, dictionary,
    mutate::{Random, mutated},
    seeds::committed,
};

/// Mutations of a target's seeds.
const MUTATIONS: u64 = 60;
/// Far more than any input takes, on a busy machine and without optimisation.
const LONGEST: Duration = Duration::from_secs(120);

/// Alone in its program, because the most that is allocated is counted for the whole process.
#[test]
fn seeds_and_mutations_do_no_harm() {
    for target in TARGETS {
        let seeds = committed(target.name);
        assert!(!seeds.is_empty(), "no seeds for {}", target.name);
        for (name, bytes) in &seeds {
            run(target, name, bytes);
        }
        let seeds: Vec<_> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
        let words = dictionary::words(target.name);
        for number in 1..=MUTATIONS {
            let mut random = Random::new(number * 0x9e37_79b9);
            let bytes = mutated(&seeds, &words, &mut random);
            run(target, &format!("mutation {number}"), &bytes);
        }
    }
}

fn run(target: &Target, name: &str, bytes: &[u8]) {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| check(target, bytes)));
    let shown = || {
        let short = bytes.get(..500).unwrap_or(bytes);
        format!("{}: {name}: `{}`", target.name, short.escape_ascii())
    };
    assert!(result.is_ok(), "{}", shown());
    assert!(start.elapsed() < LONGEST, "{} took {:?}", shown(), start.elapsed());
}
