//! The order of scripts against rpm itself: random packages that write down what runs.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/rpm.rs"]
mod rpm;

use rpm::Lab;
use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use strata_rootfs::transaction::{Member, Step, steps};
use strata_rpm::Package;

/// The same numbers on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const NAMES: [&str; 6] = ["pa", "pb", "pc", "pd", "pe", "pf"];
const DIRECTORIES: [&str; 5] =
    ["/usr/lib", "/usr/lib/x", "/usr/lib64", "/usr/share/app", "/usr/share/applications"];
const PREFIXES: [&str; 9] = [
    "/usr/lib",
    "/usr/lib/",
    "/usr/lib/x",
    "/usr/lib64",
    "/usr/share/app",
    "/usr/share/applications/",
    "/usr/lib/x/pa1",
    "/usr",
    "/opt",
];
const VERSIONS: [&str; 6] = ["", "", " < 2", " >= 2", " = 1", " > 1-1"];

/// A script that says who runs it with which arguments, and what it reads.
fn script(name: &str, section: &str, number: usize, reads: bool) -> String {
    let read = if reads { "while read -r line; do echo \" $line\"; done >>/log\n" } else { "" };
    format!("echo \"{name} {section} {number} $#:$*\" >>/log\n{read}")
}

/// A spec with six packages of one version.
fn spec(random: &mut Random, version: u32) -> String {
    let mut head = format!(
        "Name: {0}\nVersion: {version}\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n\
         AutoReqProv: no\n%description\nx\n",
        NAMES[0]
    );
    for name in &NAMES[1..] {
        let _ = writeln!(head, "%package -n {name}\nSummary: x\n%description -n {name}\nx");
    }
    let (mut install, mut body) = (String::new(), String::new());
    for name in NAMES {
        for section in ["pretrans", "pre", "post", "posttrans"] {
            if random.below(2) == 0 {
                let script = script(name, section, 0, false);
                let _ = write!(body, "%{section} -n {name}\n{script}");
            }
        }
        for number in 0..random.below(4) as usize {
            let section = random.pick(&["triggerin", "triggerin", "triggerprein", "triggerun"]);
            let mut one = || format!("{}{}", random.pick(&NAMES), random.pick(&VERSIONS));
            let conditions = [one(), one()].join(", ");
            let script = script(name, section, number, false);
            let _ = write!(body, "%{section} -n {name} -- {conditions}\n{script}");
        }
        for number in 0..random.below(5) as usize {
            let section = random.pick(&[
                "filetriggerin",
                "filetriggerin",
                "transfiletriggerin",
                "filetriggerun",
            ]);
            let priority = random.pick(&["", " -P 9999", " -P 10000", " -P 2000000", " -P 0"]);
            let first = random.pick(&PREFIXES);
            let second = random.pick(&PREFIXES);
            let script = script(name, section, number, true);
            let _ = write!(body, "%{section} -n {name}{priority} -- {first} {second}\n{script}");
        }
        let _ = writeln!(body, "%files -n {name}");
        for number in 0..random.below(6) {
            let directory = random.pick(&DIRECTORIES);
            let flag = random.pick(&["", "", "%doc ", "%ghost "]);
            let path = format!("{directory}/{name}{number}-{version}");
            let _ = writeln!(install, "mkdir -p %{{buildroot}}{directory}");
            let _ = writeln!(install, "touch %{{buildroot}}{path}");
            let _ = writeln!(body, "{flag}{path}");
        }
    }
    format!("{head}%install\n{install}{body}")
}

fn build(place: &Path, text: &str) -> Vec<PathBuf> {
    fs::create_dir_all(place).unwrap();
    let spec = place.join("test.spec");
    fs::write(&spec, text).unwrap();
    let output = Command::new("rpmbuild")
        .args(["-bb", "--quiet", "--define"])
        .arg(format!("_topdir {}", place.display()))
        .args(["--define", "_rpmfilename %%{NAME}.rpm"])
        .arg(&spec)
        .output()
        .unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    NAMES.map(|name| place.join(format!("RPMS/{name}.rpm"))).to_vec()
}

/// A root with nothing but a shell.
fn shell(root: &Path) {
    let libraries = Command::new("ldd").arg("/bin/sh").output().unwrap();
    let libraries = String::from_utf8(libraries.stdout).unwrap();
    let mut files = vec!["/bin/sh"];
    files.extend(libraries.split_ascii_whitespace().filter(|word| word.starts_with('/')));
    for file in files {
        let copy = root.join(file.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(file, copy).unwrap();
    }
}

/// What our order would have written.
fn expected(packages: &[Package], states: &[Vec<u8>]) -> String {
    let members: Vec<_> =
        packages.iter().zip(states).map(|(package, states)| Member { package, states }).collect();
    let mut log = String::new();
    for step in steps(&members) {
        let Step::Run(action) = step else { continue };
        let body = &action.scriptlet.body;
        let text = body.split_once('"').unwrap().1.split_once(" $#").unwrap().0;
        let (package, rest) = text.split_once(' ').unwrap();
        assert_eq!(package, packages[action.package.0 as usize].nevra.name);
        assert_eq!(rest.split(' ').next(), action.phase.section().strip_prefix('%'));
        let _ = match action.arg2 {
            Some(arg2) => writeln!(log, "{text} 2:{} {arg2}", action.arg1),
            None => writeln!(log, "{text} 1:{}", action.arg1),
        };
        for path in action.paths.iter() {
            let _ = writeln!(log, " {}", String::from_utf8_lossy(path));
        }
    }
    log
}

#[test]
fn random_transactions() {
    if !rpm::available() {
        return;
    }
    let rounds = std::env::var("STRATA_ROUNDS").map_or(6, |text| text.parse().unwrap());
    let mut lines = 0;
    for seed in 1..=rounds {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let lab = Lab::new();
        let place = lab.dir.path();
        let mut rpms = build(&place.join("one"), &spec(&mut random, 1));
        // a second version of some: two packages of one name
        let second = build(&place.join("two"), &spec(&mut random, 2));
        rpms.extend(second.into_iter().filter(|_| random.below(3) == 0));
        for last in (1..rpms.len()).rev() {
            rpms.swap(last, random.below(last as u64 + 1) as usize);
        }
        let root = place.join("root");
        shell(&root);
        let output = Command::new("rpm")
            .arg("--root")
            .arg(&root)
            .args(["--dbpath", rpm::DBPATH, "-i", "--nodeps", "--noorder", "--nosignature"])
            .arg("--excludedocs")
            .args(&rpms)
            .env("LC_ALL", "C")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "seed {seed}: {error}");
        let packages = rpm::packages(&rpms);
        let states: Vec<_> = packages.iter().map(|one| rpm::file_states(&root, one)).collect();
        let theirs = fs::read_to_string(root.join("log")).unwrap_or_default();
        let ours = expected(&packages, &states);
        assert!(
            ours == theirs,
            "seed {seed}: order of {:?}\n--- ours\n{ours}--- rpm's\n{theirs}",
            packages.iter().map(|one| one.nevra.to_string()).collect::<Vec<_>>()
        );
        lines += theirs.lines().count();
    }
    println!("{rounds} transactions, {lines} lines");
    assert!(lines > 100 * rounds as usize);
}
