//! dnf goes on from our image as from an installation of its own: the same packages are there for
//! the same reasons, and every transaction that is asked for next is the same.
//!
//! The corpus has no dnf, so that a small package of the test's stands for its library; the dnf that
//! is asked is the host's.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use strata_compose::{Destination, NoPlugins, Options, Silent, build, check};
use strata_testkit::{Ran, Repository, Set, corpus, corpus_update, output, pack, run, tool};
use support::{Bench, Fakes};

/// What is asked for: something with many dependencies, a dependency of it, and a leaf.
const REQUESTS: [&str; 5] = ["basesystem", "nginx", "libssl3", "less", "libdnf"];

/// Packages of the repository that nobody asked for yet.
const MORE: [&str; 10] = [
    "redis-server",
    "redis-tools",
    "python3",
    "python3-minimal",
    "iputils-ping",
    "gawk",
    "perl",
    "adduser",
    "bash",
    "coreutils",
];

/// A root with a dnf that looks at it from outside.
struct Root {
    path: PathBuf,
    home: PathBuf,
}

impl Root {
    fn dnf(&self, arguments: &[&str]) -> Ran {
        let mut dnf = Command::new("dnf");
        dnf.arg("-c").arg(self.home.join("dnf.conf")).arg("--installroot").arg(&self.path);
        dnf.args(["--releasever=12", "--noplugins", "--setopt=tsflags=noscripts"]);
        // Debian's rpm would look for the database in the home
        dnf.args(arguments).env("HOME", &self.home).env("LC_ALL", "C");
        output(&mut dnf)
    }

    /// Asks, and changes nothing.
    #[track_caller]
    fn query(&self, arguments: &[&str]) -> BTreeSet<String> {
        let ran = self.dnf(&[&["-q"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.stdout.lines().map(str::to_owned).collect()
    }
}

/// The rows of a transaction's table: what happens, and to which package of which repository.
fn chosen(ran: &Ran) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut section, mut begun) = ("", Vec::new());
    for line in ran.stdout.lines() {
        if !line.starts_with(' ') {
            (section, begun) = (line, Vec::new());
            continue;
        }
        // a long name has a line of its own
        begun.extend(line.split_whitespace());
        if let [name, arch, version, repository, ..] = begun[..]
            && section.ends_with(':')
        {
            found.insert(format!("{section} {name}.{arch} {version} {repository}"));
            begun = Vec::new();
        }
    }
    found
}

/// Both roots, and how often they were asked.
struct Pair {
    ours: Root,
    theirs: Root,
    transactions: usize,
}

impl Pair {
    fn same_state(&self) {
        for format in ["%{name}.%{arch} %{reason}", "%{name} %{from_repo}"] {
            let query = ["repoquery", "--installed", "--qf", format];
            let (ours, theirs) = (self.ours.query(&query), self.theirs.query(&query));
            let only = |a: &BTreeSet<String>, b| a.difference(b).cloned().collect::<Vec<_>>();
            let (a, b) = (only(&ours, &theirs), only(&theirs, &ours));
            assert!(a.is_empty() && b.is_empty(), "only ours: {a:?}, only theirs: {b:?}");
            assert!(ours.len() > 20, "only {} packages", ours.len());
        }
    }

    /// What both want to do, or did with `-y`.
    #[track_caller]
    fn transaction(&mut self, arguments: &[&str]) -> BTreeSet<String> {
        let (ours, theirs) = (self.ours.dnf(arguments), self.theirs.dnf(arguments));
        let (a, b) = (chosen(&ours), chosen(&theirs));
        let text = || format!("dnf {arguments:?}\n{}{}", ours.stdout, ours.stderr);
        assert_eq!(a, b, "{}\n--- theirs\n{}{}", text(), theirs.stdout, theirs.stderr);
        assert_eq!(ours.code, theirs.code, "{}", text());
        if arguments.first() == Some(&"-y") {
            assert_eq!(ours.code, Some(0), "{}", text());
        }
        self.transactions += 1;
        a
    }

    #[track_caller]
    fn would(&mut self, arguments: &[&str]) -> BTreeSet<String> {
        let chosen = self.transaction(&[&["--assumeno"], arguments].concat());
        assert!(!chosen.is_empty(), "nothing to do for {arguments:?}");
        chosen
    }
}

fn write_config(home: &Path, repositories: &[(&str, &Path)]) {
    let mut text = String::from(
        "[main]\ngpgcheck=0\nplugins=0\ninstall_weak_deps=False\nprotected_packages=\n\
         reposdir=/nonexistent\nclean_requirements_on_remove=True\n",
    );
    text += &format!("cachedir={}\n", home.join("cache").display());
    for (id, path) in repositories {
        text += &format!("[{id}]\nname={id}\nbaseurl=file://{}\n", path.display());
    }
    fs::write(home.join("dnf.conf"), text).unwrap();
    // where Debian's own packages of rpm would have it
    fs::write(home.join(".rpmmacros"), "%_dbpath /usr/lib/sysimage/rpm\n").unwrap();
}

/// The image, built and unpacked.
fn our_root(place: &Path, repositories: &[(&str, &Path)]) -> PathBuf {
    let repos: Vec<serde_json::Value> = repositories
        .iter()
        .map(|(id, path)| {
            serde_json::json!({"id": id, "baseurl": format!("file://{}", path.display())})
        })
        .collect();
    let spec = serde_json::json!({
        "distro": "debian", "docs": true, "scriptlets": "skip", "repos": repos,
        "images": {"web": {"packages": REQUESTS}},
    });
    fs::write(place.join("compose.json"), spec.to_string()).unwrap();
    let options = Options {
        spec: place.join("compose.json"),
        cache_dir: place.join("strata"),
        plugin_base: place.to_owned(),
        ..Options::default()
    };
    let out = Destination { dir: place.join("out"), image: None };
    build(&options, &out, &NoPlugins, &(Arc::new(Silent) as _)).unwrap();
    let bundle = place.join("bundle");
    let image = format!("{}:web", out.dir.display());
    run(Command::new("umoci").args(["unpack", "--image", &image]).arg(&bundle));
    bundle.join("rootfs")
}

#[test]
fn the_next_transactions_are_those_after_its_own_installation() {
    let (Some(small), Some(update)) = (corpus(Set::Small), corpus_update(Set::Small)) else {
        return;
    };
    let tools = ["dnf", "umoci", "createrepo_c"].map(tool);
    if tools.iter().any(Option::is_none) {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let stand_in = Repository::new(&place.join("extra"));
    let library = "/usr/lib/x86_64-linux-gnu/libdnf.so.2";
    stand_in.add(
        "libdnf",
        &pack(
            r#"{"name": "libdnf", "version": "0.69", "arch": "x86_64", "build_time": 1700000000}"#,
            &[(library, "no library")],
        ),
    );
    run(Command::new("createrepo_c").arg("--quiet").arg(stand_in.path()));
    let home = place.join("home");
    fs::create_dir(&home).unwrap();
    let repositories = [("small", small.as_path()), ("extra", stand_in.path())];
    write_config(&home, &repositories);

    let root = |path| Root { path, home: home.clone() };
    let (ours, theirs) = (root(our_root(place, &repositories)), root(place.join("theirs")));
    let installed = theirs.dnf(&[&["-y", "install"], REQUESTS.as_slice()].concat());
    assert_eq!(installed.code, Some(0), "{}{}", installed.stdout, installed.stderr);
    assert!(ours.path.join("var/lib/dnf/history.sqlite").is_file());
    let mut pair = Pair { ours, theirs, transactions: 0 };
    pair.same_state();

    for name in MORE {
        pair.would(&["install", name]);
    }
    pair.would(&[&["install"], MORE.as_slice()].concat());
    // one who was asked for takes along what nobody else needs
    for name in REQUESTS {
        let set = pair.would(&["remove", name]);
        let along = set.iter().any(|row| row.starts_with("Removing unused dependencies:"));
        assert!(along || name != "nginx", "{set:?}");
    }
    let installed = pair.ours.query(&["repoquery", "--installed", "--qf", "%{name}"]);
    let chosen: Vec<&String> = installed.iter().step_by(installed.len().div_ceil(14)).collect();
    for name in chosen {
        pair.would(&["remove", name]);
    }
    assert_eq!(pair.transaction(&["--assumeno", "autoremove"]), BTreeSet::new());

    // the same with newer packages at hand
    let newer = [repositories.as_slice(), &[("update", update.as_path())]].concat();
    write_config(&home, &newer);
    assert!(pair.would(&["upgrade"]).iter().any(|row| row.contains("nginx")));
    pair.would(&["upgrade", "libssl3"]);
    pair.would(&["install", "redis-server"]);

    // and now in earnest, one after the other
    pair.transaction(&["-y", "install", "redis-server"]);
    pair.transaction(&["-y", "upgrade"]);
    pair.same_state();
    pair.transaction(&["-y", "remove", "--noautoremove", "nginx"]);
    let left = pair.transaction(&["-y", "autoremove"]);
    assert!(left.iter().any(|row| row.contains("nginx-common")), "{left:?}");
    pair.transaction(&["-y", "mark", "remove", "less"]);
    assert!(!pair.transaction(&["-y", "autoremove"]).is_empty());
    pair.transaction(&["-y", "remove", "redis-server"]);
    pair.transaction(&["-y", "install", "nginx"]);
    pair.same_state();
    assert!(pair.transactions >= 30, "only {} transactions", pair.transactions);
    println!("{} transactions", pair.transactions);
}

const HISTORY: &str = "/var/lib/dnf/history.sqlite";

/// With `tool`, which requires `libdnf`, and an image of these packages beside one without dnf.
fn bench(packages: &str) -> Bench {
    let bench = Bench::new("{}");
    request(&bench, packages);
    bench.package("libdnf", &[("/usr/lib64/libdnf.so.2", "no library")]);
    let tool =
        r#"{"name": "tool", "version": "1", "requires": ["libdnf"], "build_time": 1000000000}"#;
    Repository::new(&bench.dir.path().join("repo")).add("tool", &pack(tool, &[]));
    bench
}

fn request(bench: &Bench, packages: &str) {
    let images =
        format!(r#"{{"web": {{"packages": {packages}}}, "plain": {{"packages": ["base"]}}}}"#);
    bench.write("compose.json", &format!(r#"{{"repos": ["./repo"], "images": {images}}}"#));
}

/// Builds; the history in the image, and the images that were not current.
fn history(bench: &Bench) -> (Vec<u8>, usize) {
    let none = |tree: &str| !bench.files(tree).contains_key(HISTORY);
    let stale = check(&bench.options, &bench.destination(), &NoPlugins, &support::silent())
        .map_or(2, |report| report.images.iter().filter(|image| !image.changes.is_empty()).count());
    bench.build(&Fakes::default());
    assert!(none("plain"));
    (bench.files("web").remove(HISTORY).unwrap(), stale)
}

#[test]
fn what_was_asked_for_is_part_of_an_image_with_dnf() {
    let bench = bench(r#"["base", "tool"]"#);
    let (first, _) = history(&bench);
    assert!(first.starts_with(b"SQLite format 3\0"));
    assert_eq!(history(&bench), (first.clone(), 0));
    // the same packages, but one of them was asked for
    request(&bench, r#"["base", "tool", "libdnf"]"#);
    let (second, stale) = history(&bench);
    assert_eq!(stale, 1);
    assert_ne!(first, second);
    assert_eq!(history(&bench), (second, 0));
}

#[test]
fn with_an_older_lock_everything_counts_as_asked_for() {
    let bench = bench(r#"["base", "tool"]"#);
    let (first, _) = history(&bench);
    let mut lock: serde_json::Value = serde_json::from_str(&bench.lock()).unwrap();
    lock["version"] = 1.into();
    for image in lock["images"].as_array_mut().unwrap() {
        assert!(image.as_object_mut().unwrap().remove("reasons").is_some());
    }
    bench.write("strata.lock", &lock.to_string());
    let (old, stale) = history(&bench);
    assert_eq!(stale, 1);
    assert_ne!(first, old);
    let whole = self::bench(r#"["base", "tool", "libdnf"]"#);
    assert_eq!(history(&whole).0, old);
}
