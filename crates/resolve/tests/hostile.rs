//! Repositories that mean harm: an error or an answer, soon, and never a crash.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Universe, image, record};
use proptest::prelude::*;
use strata_resolve::{ResolveError, file_paths_needed, unusable};
use strata_rpm::{Capability, Dependency, RichDependency};

fn simple(name: &str) -> Dependency {
    Dependency::Simple(Capability { name: name.to_owned(), version: None })
}

#[test]
fn ten_thousand_providers() {
    let mut text = "+ app 1 x86_64\nreq thing\n".to_owned();
    for i in 0..10_000 {
        text += &format!("+ p{i} {i} x86_64\nprv thing = {i}\ncon q{i}\n");
    }
    let universe = Universe::parse(&text);
    assert_eq!(universe.set(image(&["app"])).split(' ').count(), 2);
}

fn versions(count: usize) -> Universe {
    let package = |i| format!("+ app {i} x86_64\nreq thing{i}\n");
    Universe::parse(&(0..count).map(package).collect::<String>())
}

#[test]
fn two_thousand_versions_none_of_which_fits() {
    let error = versions(2_000).set(image(&["app"]));
    assert!(error.contains("cannot be installed together") && error.len() < 10_000, "{error}");
}

#[test]
fn more_versions_than_pairs_can_be_kept_of() {
    let error = versions(5_000).set(image(&["app"]));
    assert!(error.ends_with("has too many versions"), "{error}");
}

#[test]
fn ten_thousand_provides_of_one_package() {
    let mut text = "+ app 1 x86_64\nreq x9999\n+ p 1 x86_64\n".to_owned();
    for i in 0..10_000 {
        text += &format!("prv x{i}\n");
    }
    assert_eq!(Universe::parse(&text).order(image(&["app"])), "p-1 app-1");
}

#[test]
fn packages_that_turn_on_themselves() {
    let universe = Universe::parse(
        "+ needs-itself 1 x86_64
           req needs-itself
           pre needs-itself = 1
         + hates-itself 1 x86_64
           con hates-itself
         + replaces-itself 1 x86_64
           obs replaces-itself
         + a 1 x86_64
           obs b
         + b 1 x86_64
           obs c
         + c 1 x86_64
           obs a",
    );
    let all = ["needs-itself", "hates-itself", "replaces-itself"];
    assert_eq!(universe.set(image(&all)), "hates-itself-1 needs-itself-1 replaces-itself-1");
    // each of the three answers for the one it obsoletes
    assert_eq!(universe.set(image(&["a"])).split(' ').count(), 1);
    assert!(universe.solve(image(&["a-1", "b-1", "c-1"])).is_err());
}

#[test]
fn control_characters_and_nul() {
    let mut universe = Universe::parse("+ app 1 x86_64\n+ other 1 x86_64");
    universe.repos[0].packages[0]
        .requires
        .push(strata_rpm::Requirement { dependency: simple("bell\u{7}\n\u{1b}[31m"), pre: false });
    let error = universe.set(image(&["app"]));
    assert!(error.contains("requires `bell\\u{7}\\n\\u{1b}[31m`"), "{error}");
    let other = universe.set(image(&["other"]));
    assert_eq!(other, "other-1");

    universe.repos[0].packages[0].nevra.name = "a\0pp".to_owned();
    let error = universe.solve(image(&["other"])).unwrap_err();
    assert!(matches!(error, ResolveError::Record { .. }), "{error}");
    universe.repos[0].packages[0].nevra.name = String::new();
    assert!(universe.solve(image(&["other"])).is_err());
}

#[test]
fn a_rich_dependency_that_would_explode() {
    let pair = |i: usize| {
        let both = vec![simple(&format!("a{i}")), simple(&format!("b{i}"))];
        Dependency::Rich(Box::new(RichDependency::And(both)))
    };
    let mut universe = Universe::parse("+ app 1 x86_64");
    let or = |count| Dependency::Rich(Box::new(RichDependency::Or((0..count).map(pair).collect())));
    let require = |dependency| vec![strata_rpm::Requirement { dependency, pre: false }];
    universe.repos[0].packages[0].requires = require(or(64));
    let error = universe.solve(image(&["app"])).unwrap_err();
    assert!(error.to_string().ends_with("a rich dependency with too many cases"), "{error}");
    let app = &universe.repos[0].packages[0];
    assert_eq!(unusable(app), Some("a rich dependency with too many cases"));

    let long = (0..3000).map(|i| simple(&format!("x{i}"))).chain([simple("app")]).collect();
    let long = Dependency::Rich(Box::new(RichDependency::Or(long)));
    universe.repos[0].packages[0].requires = require(long);
    assert_eq!(universe.set(image(&["app"])), "app-1");
}

#[test]
fn requests_of_any_length() {
    let universe = Universe::parse("+ app 1 x86_64");
    for request in ["a".repeat(1 << 16), "*a".repeat(1 << 10), "(".repeat(5000), "-".repeat(5000)] {
        assert!(universe.solve(image(&[&request])).is_err());
    }
}

#[test]
fn empty_repositories_and_empty_tasks() {
    let universe = Universe::parse("repo one\nrepo two");
    assert_eq!(universe.set(image(&[])), "");
    assert!(universe.solve(image(&["a"])).is_err());
    assert!(
        strata_resolve::Solver::solve(&strata_resolve::Libsolv, &universe.task(vec![])).is_ok()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the packages say, there is an answer that is closed, or an error that has words.
    #[test]
    fn any_small_universe(
        packages in prop::collection::vec(
            (0..6_u8, 1..4_u8, prop::collection::vec((0..6_u8, 0..7_u8, 0..4_u8), 0..4)), 1..12),
        requests in prop::collection::vec(0..6_u8, 1..3),
        weak in any::<bool>(),
        best in any::<bool>(),
    ) {
        let mut universe = Universe::parse("repo test");
        for (number, (name, version, dependencies)) in packages.iter().enumerate() {
            let mut package = record(&format!("p{name} {version} x86_64"), number);
            for (to, kind, version) in dependencies {
                let text = match version {
                    0 => format!("p{to}"),
                    version => format!("p{to} >= {version}"),
                };
                let dependency: Dependency = text.parse().unwrap();
                match kind {
                    0 => package.conflicts.push(dependency),
                    1 => package.obsoletes.push(dependency),
                    2 => package.recommends.push(dependency),
                    3 => package.supplements.push(dependency),
                    4 => package.provides.push(simple(&format!("p{to}"))),
                    _ => package.requires.push(strata_rpm::Requirement {
                        dependency,
                        pre: *kind == 6,
                    }),
                }
            }
            universe.repos[0].packages.push(package);
        }
        let texts: Vec<_> = requests.iter().map(|name| format!("p{name}")).collect();
        let texts: Vec<_> = texts.iter().map(String::as_str).collect();
        let request = strata_resolve::ImageRequest { weak_deps: weak, best, ..image(&texts) };
        file_paths_needed(&universe.task(vec![request.clone()]));
        match universe.solve(request) {
            Ok(resolution) => {
                let chosen = &resolution.images[0].packages;
                let mut once = chosen.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(once.len(), chosen.len());
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
