//! `strata resolve` against dnf: for each package name of a real repository the same set.
//!
//! The repository is metadata alone, without packages. dnf's answers are kept beside it with the
//! script that asked for them; some names, drawn at random, are asked of dnf here and now.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use strata_testkit::{output, run, tool};
use support::Bench;

/// Excluded where some requests have to be unsatisfiable.
const EXCLUDED: &str = "perl-base";

/// How many names are asked of dnf live, and of these of its command line.
const LIVE: usize = 40;
const BY_COMMAND: usize = 3;

/// How dnf is asked, and with what the spec says the same.
#[derive(Debug, Clone, Copy)]
struct Mode {
    answers: &'static str,
    options: &'static [&'static str],
    weak_deps: bool,
    exclude: &'static [&'static str],
}

const PLAIN: Mode = Mode { answers: "dnf", options: &[], weak_deps: false, exclude: &[] };
const WEAK: Mode =
    Mode { answers: "dnf-weak", options: &["--weak"], weak_deps: true, exclude: &[] };
const WITHOUT: Mode = Mode {
    answers: "dnf-without",
    options: &["--exclude", EXCLUDED],
    weak_deps: false,
    exclude: &[EXCLUDED],
};

/// Packages by requested name; none where there is no solution.
type Answers = BTreeMap<String, Option<BTreeSet<String>>>;

#[test]
fn every_name_alone() {
    assert_eq!(agree(PLAIN, 400), 0);
}

#[test]
fn every_name_alone_with_weak_dependencies() {
    assert_eq!(agree(WEAK, 400), 0);
}

/// dnf finds no solution for some names then; strata has to say why.
#[test]
fn every_name_alone_without_a_package() {
    assert!(agree(WITHOUT, 300) > 20);
}

/// Holds strata against all kept answers; how many of them are that there is no solution.
fn agree(mode: Mode, at_least: usize) -> usize {
    let expected = kept(mode);
    let solvable = expected.values().flatten().count();
    assert!(solvable >= at_least, "only {solvable} answers in `{}`", mode.answers);
    compare(mode, &expected);
    expected.len() - solvable
}

/// dnf today says what was kept, its command line included, and so does strata.
#[test]
fn drawn_names_are_asked_of_dnf() {
    if tool("dnf").is_none() {
        return;
    }
    let names: Vec<String> = kept(PLAIN).into_keys().collect();
    let seed = seed();
    let drawn = draw(&names, LIVE, seed);
    println!("STRATA_SEED={seed} draws {}", drawn.join(" "));
    let scratch = tempfile::tempdir().unwrap();
    let asked = scratch.path().join("names");
    fs::write(&asked, drawn.join("\n")).unwrap();
    for mode in [PLAIN, WEAK, WITHOUT] {
        let answered = scratch.path().join(mode.answers);
        let oracle = workspace().join("crates/resolve/tests/oracle/dnf_answers.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(oracle).arg(repository()).args([&asked, &answered]).args(mode.options);
        run(&mut command);
        let live = parse(&fs::read_to_string(answered).unwrap());
        let kept = kept(mode);
        for name in live.keys().filter(|name| kept.contains_key(*name)) {
            let script = "tests/corpus-metadata/regenerate.sh";
            assert_eq!(live[name], kept[name], "`{name}`: stale answers, run {script}");
        }
        assert_eq!(live.len(), LIVE);
        compare(mode, &live);
        if mode.exclude.is_empty() {
            for name in drawn.iter().take(BY_COMMAND) {
                let set = by_command(name, mode, scratch.path());
                assert_eq!(Some(set), live[name], "`{name}`: dnf's API and its command line");
            }
        }
    }
}

/// Asserts that strata's answers are these.
///
/// There is no list of exceptions: every name agrees. A disagreement that is deliberate would be
/// named here and in `docs/differences.md`.
fn compare(mode: Mode, expected: &Answers) {
    let bench = Bench::new();
    let names: Vec<&String> =
        expected.iter().filter(|(_, set)| set.is_some()).map(|(name, _)| name).collect();
    let images = names.iter().enumerate().map(|(at, name)| (image(at, name), request(mode, name)));
    write_spec(&bench, &images.collect());
    let printed: Vec<Value> =
        serde_json::from_str(&bench.ok(&["resolve", "compose.json", "--format", "json"])).unwrap();
    assert_eq!(printed.len(), names.len());
    let mut sets: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for image in &printed {
        let packages = image["packages"].as_array().unwrap().iter();
        let set = packages.map(|package| package["nevra"].as_str().unwrap().to_owned());
        sets.insert(image["name"].as_str().unwrap(), set.collect());
    }
    let mut different = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let (ours, theirs) = (&sets[image(at, name).as_str()], expected[*name].as_ref().unwrap());
        if ours != theirs {
            let (only_ours, only_theirs) = (ours - theirs, theirs - ours);
            different.push(format!("{name}: only ours {only_ours:?}, only dnf's {only_theirs:?}"));
        }
    }
    let agreed = names.len() - different.len();
    println!("{}: {agreed} of {} sets agree", mode.answers, names.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    let unsatisfiable: Vec<&String> =
        expected.iter().filter(|(_, set)| set.is_none()).map(|(name, _)| name).collect();
    for name in &unsatisfiable {
        refused(&bench, mode, name);
    }
    println!("{}: {} names are unsatisfiable for both", mode.answers, unsatisfiable.len());
}

/// strata names the chain from the request to what is excluded.
fn refused(bench: &Bench, mode: Mode, name: &str) {
    write_spec(bench, &BTreeMap::from([("alone".to_owned(), request(mode, name))]));
    let ran = bench.strata(&["resolve", "compose.json", "--format", "json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{name}: {}", ran.stderr);
    if name == EXCLUDED {
        return;
    }
    let chain: Vec<&str> =
        ran.stderr.lines().filter_map(|line| line.strip_prefix("  - ")).collect();
    let [first, middle @ .., last] = chain.as_slice() else { panic!("{name}: {}", ran.stderr) };
    assert!(first.starts_with(&format!("`{name}` is requested")), "{name}: {}", ran.stderr);
    assert!(!middle.is_empty(), "{name}: {}", ran.stderr);
    for link in middle {
        assert!(link.contains(" requires `"), "{name}: {}", ran.stderr);
    }
    assert!(
        last.starts_with(&format!("`{EXCLUDED}-")) && last.ends_with("` is excluded"),
        "{name}: {}",
        ran.stderr
    );
    assert!(ran.stderr.contains("\nhint: "), "{name}: {}", ran.stderr);
}

fn write_spec(bench: &Bench, images: &BTreeMap<String, Value>) {
    let repository = json!({"id": "metadata", "baseurl": repository()});
    let spec = json!({"distro": "debian", "repos": [repository], "images": images});
    bench.write("compose.json", &spec.to_string());
}

fn request(mode: Mode, name: &str) -> Value {
    json!({"packages": [name], "weak_deps": mode.weak_deps, "exclude": mode.exclude})
}

/// A valid image name that reads like the package's.
fn image(at: usize, package: &str) -> String {
    let words = package.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    format!("{at}-{}", words.join("-").to_ascii_lowercase())
}

/// What dnf's command line shows for a request.
fn by_command(name: &str, mode: Mode, scratch: &Path) -> BTreeSet<String> {
    let mut command = Command::new("dnf");
    let path = |name: &str| scratch.join(name).display().to_string();
    for option in [
        format!("--installroot={}", path("root")),
        format!("--setopt=cachedir={}", path("dnf-cache")),
        format!("--setopt=reposdir={}", path("none")),
        format!("--setopt=install_weak_deps={}", mode.weak_deps),
        "--setopt=module_platform_id=platform:none".to_owned(),
        format!("--repofrompath=metadata,{}", repository().display()),
        "--repo=metadata".to_owned(),
        "--releasever=12".to_owned(),
        "--forcearch=x86_64".to_owned(),
        "--nogpgcheck".to_owned(),
        "--noplugins".to_owned(),
        "--assumeno".to_owned(),
    ] {
        command.arg(option);
    }
    let ran = output(command.args(["install", name]).env("LC_ALL", "C.UTF-8"));
    assert!(ran.stderr.contains("Operation aborted"), "{}\n{}", ran.stdout, ran.stderr);
    let table: Vec<&str> = ran.stdout.lines().skip_while(|line| *line != "Installing:").collect();
    let end = table.iter().position(|line| line.is_empty()).unwrap();
    let rows = table[..end].iter().filter(|line| line.starts_with(' '));
    // A long name stands on a line of its own, so words are counted and not lines.
    let words: Vec<&str> = rows.flat_map(|row| row.split_whitespace()).collect();
    let packages = words.chunks(6).map(|row| match row {
        [name, arch, evr, "metadata", _size, _unit] => format!("{name}-{evr}.{arch}"),
        other => panic!("{other:?}\n{}", ran.stdout),
    });
    packages.collect()
}

/// dnf's answers as they were kept.
fn kept(mode: Mode) -> Answers {
    let file = repository().join(format!("{}.txt.gz", mode.answers));
    parse(&run(Command::new("gzip").arg("-dc").arg(file)))
}

/// `name: nevra nevra …` or `name: UNSAT`.
fn parse(answers: &str) -> Answers {
    let parse = |line: &str| {
        let (name, answer) = line.split_once(": ").unwrap();
        let set = (answer != "UNSAT").then(|| answer.split(' ').map(str::to_owned).collect());
        (name.to_owned(), set)
    };
    answers.lines().map(parse).collect()
}

fn repository() -> PathBuf {
    workspace().join("tests/corpus-metadata")
}

fn workspace() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// `STRATA_SEED`, else one that changes with the answers.
fn seed() -> u64 {
    match std::env::var("STRATA_SEED") {
        Ok(seed) => seed.parse().unwrap_or_else(|error| panic!("STRATA_SEED: {error}")),
        Err(_) => {
            let answers = fs::read(repository().join("dnf.txt.gz")).unwrap();
            // FNV-1a
            answers.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
            })
        }
    }
}

/// Some of the names, by SplitMix64: the same for a seed everywhere.
fn draw(names: &[String], count: usize, mut seed: u64) -> Vec<String> {
    let mut keyed: Vec<(u64, &String)> = Vec::new();
    for name in names {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut key = seed;
        key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        keyed.push((key ^ (key >> 31), name));
    }
    keyed.sort();
    keyed.into_iter().take(count).map(|(_, name)| name.clone()).collect()
}
