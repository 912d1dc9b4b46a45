//! Small universes as text, and what a solver makes of them.
//!
//! ```text
//! repo base priority=99 cost=1000     a repository; without one there is a single one
//! + name 1:2-3 x86_64                 a package
//! prv|req|pre|con|obs|rec|sug|sup|enh DEPENDENCY
//! file /PATH
//! ```

#![allow(clippy::unwrap_used, dead_code, reason = "tests")]

use strata_resolve::{
    ImageRequest, Libsolv, PackageRef, RepoView, Resolution, ResolveError, ResolveTask, Solver,
};
use strata_rpm::{Checksum, ChecksumAlgorithm, Nevra, PackageRecord, Requirement};

#[derive(Default)]
pub struct Repo {
    pub id: String,
    pub priority: i32,
    pub cost: i32,
    pub packages: Vec<PackageRecord>,
}

impl Repo {
    fn view(&self) -> RepoView<'_> {
        RepoView {
            id: &self.id,
            priority: self.priority,
            cost: self.cost,
            packages: &self.packages,
        }
    }
}

pub struct Universe {
    pub repos: Vec<Repo>,
}

impl Universe {
    pub fn parse(text: &str) -> Self {
        let mut this = Self { repos: Vec::new() };
        for line in text.lines() {
            let line = line.trim();
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim();
            match word {
                "" => {}
                "repo" => this.repos.push(repo(rest)),
                "+" => {
                    if this.repos.is_empty() {
                        this.repos.push(repo("test"));
                    }
                    let number = this.repos.iter().map(|repo| repo.packages.len()).sum();
                    this.repos.last_mut().unwrap().packages.push(record(rest, number));
                }
                _ => {
                    let package = this.repos.last_mut().unwrap().packages.last_mut().unwrap();
                    let dependency = || rest.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
                    match word {
                        "prv" => package.provides.push(dependency()),
                        "con" => package.conflicts.push(dependency()),
                        "obs" => package.obsoletes.push(dependency()),
                        "rec" => package.recommends.push(dependency()),
                        "sug" => package.suggests.push(dependency()),
                        "sup" => package.supplements.push(dependency()),
                        "enh" => package.enhances.push(dependency()),
                        "file" => package.files.push(rest.to_owned()),
                        "req" | "pre" => package
                            .requires
                            .push(Requirement { dependency: dependency(), pre: word == "pre" }),
                        _ => panic!("{line}"),
                    }
                }
            }
        }
        this
    }

    pub fn task(&self, images: Vec<ImageRequest>) -> ResolveTask<'_> {
        let repos = self.repos.iter().map(Repo::view).collect();
        ResolveTask { repos, images }
    }

    pub fn solve(&self, image: ImageRequest) -> Result<Resolution, ResolveError> {
        Libsolv.solve(&self.task(vec![image]))
    }

    /// The solution, in installation order, `x86_64` and an epoch of 0 left out.
    pub fn order(&self, image: ImageRequest) -> String {
        match self.solve(image) {
            Ok(resolution) => self.names(&resolution.images[0].packages).join(" "),
            Err(error) => format!("{error}"),
        }
    }

    /// The solution, by name.
    pub fn set(&self, image: ImageRequest) -> String {
        match self.solve(image) {
            Ok(resolution) => {
                let mut names = self.names(&resolution.images[0].packages);
                names.sort();
                names.join(" ")
            }
            Err(error) => format!("{error}"),
        }
    }

    pub fn names(&self, packages: &[PackageRef]) -> Vec<String> {
        let name = |at: &PackageRef| {
            let nevra = self.repos[at.repo].packages[at.package].nevra.to_string();
            nevra.strip_suffix(".x86_64").map(str::to_owned).unwrap_or(nevra)
        };
        packages.iter().map(name).collect()
    }

    pub fn checksum(&self, nevra: &str) -> Checksum {
        let all = self.repos.iter().flat_map(|repo| &repo.packages);
        all.into_iter().find(|one| one.nevra.to_string() == nevra).unwrap().checksum.clone()
    }
}

pub fn image(packages: &[&str]) -> ImageRequest {
    ImageRequest {
        name: "web".to_owned(),
        arch: "x86_64".to_owned(),
        packages: packages.iter().map(|one| (*one).to_owned()).collect(),
        exclude: Vec::new(),
        weak_deps: false,
        best: false,
        favor: Vec::new(),
    }
}

fn repo(text: &str) -> Repo {
    let mut words = text.split_whitespace();
    let id = words.next().unwrap_or("test").to_owned();
    let mut repo = Repo { id, priority: 99, cost: 1000, ..Repo::default() };
    for (key, value) in words.filter_map(|word| word.split_once('=')) {
        match key {
            "priority" => repo.priority = value.parse().unwrap(),
            "cost" => repo.cost = value.parse().unwrap(),
            _ => panic!("{text}"),
        }
    }
    repo
}

pub fn record(text: &str, number: usize) -> PackageRecord {
    let words: Vec<_> = text.split(' ').collect();
    let [name, evr, arch] = words[..] else { panic!("{text}") };
    let nevra = Nevra { name: name.to_owned(), evr: evr.parse().unwrap(), arch: arch.to_owned() };
    PackageRecord {
        checksum: Checksum::new(ChecksumAlgorithm::Sha256, &format!("{number:064x}")).unwrap(),
        location: format!("{nevra}.rpm"),
        location_base: None,
        size: 1,
        installed_size: 1,
        build_time: 0,
        source_rpm: String::new(),
        vendor: String::new(),
        provides: vec![format!("{name} = {evr}").parse().unwrap()],
        requires: Vec::new(),
        conflicts: Vec::new(),
        obsoletes: Vec::new(),
        recommends: Vec::new(),
        suggests: Vec::new(),
        supplements: Vec::new(),
        enhances: Vec::new(),
        files: Vec::new(),
        nevra,
    }
}
