//! `cargo xtask bench`: how long builds take and how much they write, beside `dnf --installroot`
//! with `umoci insert` on the same packages in the same run. Writes `docs/benchmarks.md`.

mod machine;
mod measure;
mod page;

use crate::corpus::{self, Set};
use crate::run::{self, cargo, output};
use crate::{packages, workspace};
use anyhow::{Context, Result, bail};
use measure::{Cost, Runs, measure};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cargo xtask bench`
#[derive(clap::Args)]
pub struct Arguments {
    /// The date to write onto the page: benchmarks do not look at the clock
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: String,
    /// How often each thing is done
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Where corpora are  [default: target/corpus, made if missing]
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Where roots, caches and images go; best a file system in memory
    #[arg(long, value_name = "DIR", default_value = "/dev/shm")]
    scratch: PathBuf,
    /// The page
    #[arg(long, value_name = "FILE", default_value = "docs/benchmarks.md")]
    output: PathBuf,
}

/// The images, and what is asked for in each.
const IMAGES: [(&str, &[&str]); 3] = [
    ("min", &["bash", "coreutils"]),
    ("web", &["nginx"]),
    ("large", &["python3-django", "postgresql", "nodejs", "openjdk-17-jre-headless"]),
];

/// `check` found something out of date.
const OUT_OF_DATE: i32 = 10;

/// A spec, and how its builds went.
struct Case {
    name: &'static str,
    images: Vec<&'static str>,
    cold: Runs,
    again: Runs,
    packages: usize,
    stored: u64,
}

/// Builds after the packages of the repository were updated.
#[derive(Default)]
struct Update {
    build: Runs,
    check_current: Runs,
    check_outdated: Runs,
    packages: usize,
    images: usize,
    new_blobs: usize,
    new_bytes: u64,
    stored: u64,
}

/// `dnf --installroot` and `umoci insert`.
#[derive(Default)]
struct Peers {
    dnf: Runs,
    umoci: Runs,
    both: Runs,
    stored: u64,
}

/// Everything that the page tells.
struct Figures {
    cases: Vec<Case>,
    update: Update,
    peers: Peers,
    load: [String; 2],
}

/// Measures, and writes the page.
pub fn bench(arguments: &Arguments) -> Result<()> {
    packages::require("benchmarks", &[packages::BUILD, packages::BENCH])?;
    run::run(&mut cargo(&["build", "--release", "--package", "strata-cli"]))?;
    let corpora = match &arguments.corpus {
        Some(directory) => directory.clone(),
        None => corpus::default_directory(),
    };
    if arguments.corpus.is_none() {
        corpus::make(&[Set::Large], &corpora, false)?;
    }
    let scratch = arguments.scratch.join(format!("strata-bench-{}", std::process::id()));
    fs::create_dir_all(&scratch)
        .with_context(|| format!("cannot create `{}`", scratch.display()))?;
    let lab = Lab {
        strata: workspace::target().join("release/strata"),
        corpora: fs::canonicalize(&corpora)
            .with_context(|| format!("there is no corpus in `{}`", corpora.display()))?,
        scratch,
    };
    let figures = lab.figures(arguments.runs);
    fs::remove_dir_all(&lab.scratch)?;
    let page = page::page(&figures?, &arguments.date, arguments.runs);
    let path = workspace::root().join(&arguments.output);
    fs::write(&path, page).with_context(|| format!("cannot write `{}`", path.display()))?;
    println!("{}", path.display());
    Ok(())
}

/// Programs, packages and room.
struct Lab {
    strata: PathBuf,
    corpora: PathBuf,
    scratch: PathBuf,
}

impl Lab {
    fn figures(&self, runs: u32) -> Result<Figures> {
        let case = |name, images: &[&'static str]| Case {
            name,
            images: images.to_vec(),
            cold: Runs::default(),
            again: Runs::default(),
            packages: 0,
            stored: 0,
        };
        let mut figures = Figures {
            cases: vec![
                case("min", &["min"]),
                case("web", &["web"]),
                case("large", &["large"]),
                case("all three", &["min", "web", "large"]),
            ],
            update: Update::default(),
            peers: Peers::default(),
            load: [machine::load(), String::new()],
        };
        self.read_packages()?;
        // in turn, so that whatever else the machine does falls on all alike
        for number in 1..=runs {
            eprintln!("run {number} of {runs}");
            for case in &mut figures.cases {
                self.build(case)?;
            }
            self.peers(&mut figures.peers)?;
            self.update(&mut figures.update)?;
        }
        figures.load[1] = machine::load();
        Ok(figures)
    }

    /// Reads every package once, so that nobody is the one who waits for the disk.
    fn read_packages(&self) -> Result<()> {
        for set in ["large", "large-upd"] {
            for entry in fs::read_dir(self.corpora.join(set).join("Packages"))? {
                fs::read(entry?.path())?;
            }
        }
        Ok(())
    }

    /// Builds with an empty cache, then once more.
    fn build(&self, case: &mut Case) -> Result<()> {
        self.clear()?;
        self.write_spec(&case.images, "large")?;
        let (cost, printed) = self.strata("build", &["-o", "oci:out"], 0)?;
        case.cold.push(cost);
        case.packages = packages_of(&self.resolved()?)?.len();
        case.stored = size(&self.path("out"))?;
        if statuses(&printed)?.iter().any(|status| status != "built") {
            bail!("an image was not built");
        }
        let (cost, printed) = self.strata("build", &["-o", "oci:out"], 0)?;
        case.again.push(cost);
        if statuses(&printed)?.iter().any(|status| status != "current") {
            bail!("an image was built again");
        }
        Ok(())
    }

    /// Builds all images, replaces packages in the repository, builds again.
    fn update(&self, update: &mut Update) -> Result<()> {
        let images = IMAGES.map(|(name, _)| name);
        self.clear()?;
        self.write_spec(&images, "large")?;
        self.strata("build", &["-o", "oci:out"], 0)?;
        let before = blobs(&self.path("out"))?;
        let packages = packages_of(&self.resolved()?)?;
        update.check_current.push(self.strata("check", &["-o", "oci:out"], 0)?.0);
        self.write_spec(&images, "large-upd")?;
        update.check_outdated.push(self.strata("check", &["-o", "oci:out"], OUT_OF_DATE)?.0);
        let (cost, printed) = self.strata("build", &["--update", "-o", "oci:out"], 0)?;
        update.build.push(cost);
        update.images = statuses(&printed)?.iter().filter(|status| *status == "built").count();
        update.packages = packages_of(&self.resolved()?)?.difference(&packages).count();
        let after = blobs(&self.path("out"))?;
        let new: Vec<u64> = after.difference(&before).map(|(_, size)| *size).collect();
        (update.new_blobs, update.new_bytes) = (new.len(), new.iter().sum());
        update.stored = after.iter().map(|(_, size)| size).sum();
        Ok(())
    }

    /// dnf installs what `large` asks for, umoci makes an image with one layer of it.
    fn peers(&self, peers: &mut Peers) -> Result<()> {
        self.clear()?;
        let dnf = self.measure(&self.dnf(), 0)?.0;
        // what strata does too: scriptlets that only run ldconfig
        let ldconfig =
            self.measure(Command::new("ldconfig").arg("-r").arg(self.path("root")), 0)?;
        let dnf = dnf.then(ldconfig.0);
        let mut umoci = Cost::default();
        let (layout, image) = (self.text("oci"), format!("{}:large", self.text("oci")));
        for step in [
            &["init", "--layout", &layout][..],
            &["new", "--image", &image],
            &["insert", "--image", &image, &self.text("root"), "/"],
        ] {
            umoci = umoci.then(self.measure(Command::new("umoci").args(step), 0)?.0);
        }
        peers.dnf.push(dnf);
        peers.umoci.push(umoci);
        peers.both.push(dnf.then(umoci));
        peers.stored = size(&self.path("oci"))?;
        self.same_packages()
    }

    /// A comparison of different things would say nothing.
    fn same_packages(&self) -> Result<()> {
        let format = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\\n";
        let mut rpm = Command::new("rpm");
        rpm.arg("--root").arg(self.path("root")).args(["-qa", "--qf", format]);
        let theirs: BTreeSet<String> = output(&mut rpm)?.lines().map(str::to_owned).collect();
        self.write_spec(&["large"], "large")?;
        let ours = packages_of(&self.resolved()?)?;
        if ours != theirs {
            bail!("strata and dnf do not install the same packages");
        }
        Ok(())
    }

    fn dnf(&self) -> Command {
        let mut command = Command::new("dnf");
        command.arg(format!("--installroot={}", self.text("root")));
        for option in [
            format!("reposdir={}", self.text("none")),
            format!("cachedir={}", self.text("dnf-cache")),
            "install_weak_deps=0".to_owned(),
            "tsflags=nodocs,noscripts".to_owned(),
            "module_platform_id=platform:none".to_owned(),
        ] {
            command.arg(format!("--setopt={option}"));
        }
        command.arg(format!("--repofrompath=corpus,{}", self.corpora.join("large").display()));
        command.args(["--repo=corpus", "--nogpgcheck", "--noplugins", "--releasever=12"]);
        command.args(["--forcearch=x86_64", "-y", "-q", "install"]);
        command.args(requests("large"));
        command
    }

    fn write_spec(&self, images: &[&str], set: &str) -> Result<()> {
        // one place whose content changes, as with a real repository
        let repository = self.path("repository");
        if repository.is_symlink() {
            fs::remove_file(&repository)?;
        }
        std::os::unix::fs::symlink(self.corpora.join(set), &repository)?;
        let repository = json!({"id": "corpus", "baseurl": repository});
        let image = |name: &&str| ((*name).to_owned(), json!({"packages": requests(name)}));
        let images: serde_json::Map<String, Value> = images.iter().map(image).collect();
        let spec = json!({"distro": "debian", "repos": [repository], "images": images});
        fs::write(self.path("compose.json"), spec.to_string())?;
        Ok(())
    }

    /// A command on the spec, with the scratch directory's cache.
    fn strata(&self, command: &str, more: &[&str], code: i32) -> Result<(Cost, Value)> {
        let mut strata = Command::new(&self.strata);
        strata.args([command, &self.text("compose.json"), "--format", "json"]);
        strata.args(["--cache-dir", &self.text("cache")]);
        strata.args(more.iter().map(|word| match word.strip_prefix("oci:") {
            Some(name) => format!("oci:{}", self.text(name)),
            None => (*word).to_owned(),
        }));
        let (cost, printed) = self.measure(&strata, code)?;
        Ok((cost, serde_json::from_slice(&printed)?))
    }

    fn resolved(&self) -> Result<Value> {
        Ok(self.strata("resolve", &[], 0)?.1)
    }

    fn measure(&self, command: &Command, code: i32) -> Result<(Cost, Vec<u8>)> {
        measure(command, code, &self.scratch)
    }

    /// Nothing is left of the run before.
    fn clear(&self) -> Result<()> {
        fs::remove_dir_all(&self.scratch)?;
        Ok(fs::create_dir(&self.scratch)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

fn requests(image: &str) -> &'static [&'static str] {
    IMAGES.iter().find(|(name, _)| *name == image).map_or(&[], |(_, requests)| requests)
}

/// `status` of each image that a build reports.
fn statuses(report: &Value) -> Result<Vec<String>> {
    let images = report["images"].as_array().context("the report has no images")?;
    Ok(images.iter().map(|image| image["status"].as_str().unwrap_or_default().to_owned()).collect())
}

/// The distinct packages of all images.
fn packages_of(resolved: &Value) -> Result<BTreeSet<String>> {
    let images = resolved.as_array().context("`resolve` printed no list")?;
    let packages = images.iter().flat_map(|image| image["packages"].as_array()).flatten();
    Ok(packages.filter_map(|package| package["nevra"].as_str()).map(str::to_owned).collect())
}

/// The blobs of a layout with their sizes.
fn blobs(layout: &Path) -> Result<BTreeSet<(PathBuf, u64)>> {
    let mut blobs = BTreeSet::new();
    for entry in fs::read_dir(layout.join("blobs/sha256"))? {
        let entry = entry?;
        blobs.insert((entry.path(), entry.metadata()?.len()));
    }
    Ok(blobs)
}

/// Bytes of all blobs.
fn size(layout: &Path) -> Result<u64> {
    Ok(blobs(layout)?.iter().map(|(_, size)| size).sum())
}
