//! Real packages against rpm itself: each is installed alone, by both, and compared entry by entry.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "support/packages.rs"]
mod packages;
#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/rpm.rs"]
mod rpm;

use packages::{Case, Mode, Outcome};
use std::{collections::BTreeMap, path::PathBuf, sync::Mutex};
use strata_testkit::{Set, corpus, corpus_rpms};

/// All packages below some directories, each content once.
fn cases(directories: Vec<PathBuf>) -> Vec<Case> {
    let mut found = BTreeMap::new();
    let mut todo = directories;
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "rpm" || extension == "drpm")
        {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            found.entry(name).or_insert(path);
        }
    }
    found.into_iter().map(|(name, path)| Case { name, path }).collect()
}

/// Runs all on two threads; the outcomes are in the order of the cases.
fn outcomes(cases: &[Case], modes: &[Mode]) -> Vec<Outcome> {
    let work: Vec<(usize, &Case, Mode)> = cases
        .iter()
        .flat_map(|case| modes.iter().map(move |mode| (case, *mode)))
        .enumerate()
        .map(|(number, (case, mode))| (number, case, mode))
        .collect();
    let next = Mutex::new(work.iter());
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let one = next.lock().unwrap().next();
                    let Some((number, case, mode)) = one else { break };
                    if let Some(outcome) = packages::compare(case, *mode) {
                        done.lock().unwrap().insert(*number, outcome);
                    }
                }
            });
        }
    });
    done.into_inner().unwrap().into_values().collect()
}

fn run(directories: &[PathBuf], modes: &[Mode]) {
    let cases = cases(directories.to_vec());
    assert!(!cases.is_empty(), "no packages in the corpus");
    let begin = std::time::Instant::now();
    let outcomes = outcomes(&cases, modes);
    let paths: usize = outcomes.iter().map(|outcome| outcome.paths).sum();
    println!("{} packages, {paths} paths in {:?}", cases.len(), begin.elapsed());
    let wrong: Vec<String> = outcomes.iter().flat_map(complaints).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Packages that neither installs: the beginning of the name, our reason, rpm's.
const REFUSED: [(&str, &str, &str); 2] = [
    // The file ends after the header.
    ("hello-2.0-1.x86_64-corrupted.rpm", "does not match its PAYLOADDIGEST", "does not verify"),
    ("tour-", "is a delta package", "is a Delta RPM and cannot be directly installed"),
];

/// What is wrong with an outcome.
fn complaints(outcome: &Outcome) -> Vec<String> {
    let Outcome { name, mode, ours, theirs, differences, .. } = outcome;
    let explained = match (ours, theirs) {
        (Ok(()), Ok(())) => true,
        // rpm unpacks sources where it builds, and remembers nothing
        (Err(ours), Ok(())) => ours.ends_with("is a source package") && !outcome.recorded,
        (Err(ours), Err(theirs)) => REFUSED.iter().any(|(start, our, their)| {
            name.starts_with(start) && ours.contains(our) && theirs.contains(their)
        }),
        (Ok(()), Err(_)) => false,
    };
    let refusal = format!("{name} {mode:?}\n  ours {ours:?}\n  rpm  {theirs:?}");
    let differences = differences.iter().map(|what| format!("{name} {mode:?}: {what}"));
    (!explained).then_some(refusal).into_iter().chain(differences).collect()
}

#[test]
fn packages_that_other_projects_test_with() {
    let Some(directory) = corpus_rpms().filter(|_| rpm::available()) else { return };
    run(&[directory], &[Mode::Whole, Mode::Filtered]);
}

#[test]
fn packages_of_the_corpora() {
    let sets = [corpus(Set::Small), corpus(Set::Large)];
    if let [Some(small), Some(large)] = sets
        && rpm::available()
    {
        run(&[small, large], &[Mode::Whole]);
    }
}

#[test]
#[ignore = "400 packages, 600 MB"]
fn packages_of_the_full_corpus() {
    let Some(full) = corpus(Set::Full).filter(|_| rpm::available()) else { return };
    run(&[full], &[Mode::Whole, Mode::Filtered]);
}
