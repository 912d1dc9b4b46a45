//! Opens a repository and prints what it offers: `survey [--list] PLACE CACHE [PATH…]`.
//!
//! With `--list` one line a package, for comparing with other readers; paths are looked up in the
//! list of all files; the word `fetch` verifies all packages.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::{collections::BTreeSet, env, error::Error, sync::Arc, time::Instant};
use strata_repo::{
    Cache, Event, HttpSettings, PackageRequest, Progress, RepoDefinition, Repositories,
};
use strata_rpm::{Dependency, PackageRecord, Requirement};

/// Everything about a package, separated by tabs.
fn line(package: &PackageRecord) -> String {
    let list =
        |all: &[Dependency]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
    let requirement = |requirement: &Requirement| {
        format!("{}{}", requirement.dependency, if requirement.pre { " PRE" } else { "" })
    };
    [
        package.nevra.to_string(),
        package.checksum.to_string(),
        package.location.clone(),
        package.size.to_string(),
        package.installed_size.to_string(),
        package.build_time.to_string(),
        package.source_rpm.clone(),
        package.vendor.clone(),
        list(&package.provides),
        package.requires.iter().map(requirement).collect::<Vec<_>>().join("|"),
        list(&package.conflicts),
        list(&package.obsoletes),
        list(&package.recommends),
        list(&package.suggests),
        list(&package.supplements),
        list(&package.enhances),
        package.files.join("|"),
    ]
    .join("\t")
}

struct Stderr;

impl Progress for Stderr {
    fn event(&self, event: &Event<'_>) {
        if !matches!(event, Event::PackageReady { .. }) {
            eprintln!("{event:?}");
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let list = arguments.first().is_some_and(|first| first == "--list");
    arguments.drain(..usize::from(list));
    let [place, cache, paths @ ..] = arguments.as_slice() else {
        return Err("usage: survey [--list] PLACE CACHE [PATH…]".into());
    };
    let start = Instant::now();
    let repositories =
        Repositories::new(Cache::open(cache)?, HttpSettings::default(), Arc::new(Stderr))?;
    let mut snapshot = repositories.open(&RepoDefinition::at("survey", place))?;
    eprintln!("opened in {:?}", start.elapsed());
    let wanted: BTreeSet<String> = paths.iter().filter(|p| p.starts_with('/')).cloned().collect();
    let start = Instant::now();
    snapshot.add_file_paths(&wanted)?;
    eprintln!("paths in {:?}", start.elapsed());
    if paths.iter().any(|path| path == "fetch") {
        let start = Instant::now();
        let requests: Vec<_> =
            snapshot.packages.iter().map(|p| PackageRequest::new(&snapshot, p)).collect();
        let files = repositories.package_store().fetch_all(&requests)?;
        eprintln!("{} packages verified in {:?}", files.len(), start.elapsed());
    }
    let (mut provides, mut requires, mut files) = (0, 0, 0);
    for package in &snapshot.packages {
        provides += package.provides.len();
        requires += package.requires.len();
        files += package.files.len();
        if list {
            println!("{}", line(package));
        }
    }
    println!(
        "{} {}: {} packages, {provides} provides, {requires} requires, {files} files",
        snapshot.base,
        snapshot.repomd,
        snapshot.packages.len()
    );
    Ok(())
}
