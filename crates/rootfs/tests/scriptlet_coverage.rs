//! How many images need no sandbox: the closure of each package name of two real distributions,
//! merged from headers, with every scriptlet that its installation would run.
//!
//! Headers do not hold what files contain, and a build does. Where a scriptlet reads one, a
//! stand-in of its kind is given ([`stand_in`]): nothing that a body is counted for depends on
//! what exactly it holds. What has no stand-in counts as a body that is not interpreted.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/headers.rs"]
mod headers;

use flate2::{Compression, write::GzEncoder};
use headers::Providers;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{Arc, Mutex},
};
use strata_rootfs::{
    MergeTask, Owners, PackageIndex, merge,
    scriptlets::{Contents, Limits, ScriptletError, ScriptletTask, run},
    transaction::{self, Member, Step},
};
use strata_rpm::{Package, ScriptletKind};

/// What a file of this path holds, as far as scriptlets go.
fn stand_in(path: &str, size: u64) -> Option<&'static str> {
    const UNIT: [&str; 9] = [
        ".service",
        ".socket",
        ".target",
        ".timer",
        ".path",
        ".mount",
        ".automount",
        ".slice",
        ".swap",
    ];
    let path = if path.starts_with("/lib/") { &format!("/usr{path}") } else { path };
    Some(match path {
        _ if size == 0 => "",
        "/etc/passwd" => {
            "root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\n\
             nobody:x:65534:65534:Kernel Overflow User:/:/sbin/nologin\n"
        }
        "/etc/group" => "root:x:0:\nbin:x:1:\nwheel:x:10:\nutmp:x:22:\nnobody:x:65534:\n",
        "/etc/shadow" => "root::0:0:99999:7:::\nbin:*:18000:0:99999:7:::\n",
        "/etc/gshadow" => "root:::\nbin:::\n",
        "/etc/nsswitch.conf" => "passwd: files sss\ngroup: files sss\nhosts: files dns\n",
        "/etc/selinux/config" => "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
        "/etc/crypto-policies/config" => "DEFAULT\n",
        "/etc/login.defs" => "USERGROUPS_ENAB yes\n",
        "/etc/ld.so.conf" => "include ld.so.conf.d/*.conf\n",
        _ if path.starts_with("/usr/lib/systemd/")
            && UNIT.iter().any(|one| path.ends_with(one)) =>
        {
            "[Unit]\nDescription=x\n[Install]\nWantedBy=multi-user.target\n"
        }
        _ if path.starts_with("/usr/lib/systemd/") && path.ends_with(".conf") => "[Unit]\n",
        // a release of 2019, which does not write down what a policy comes to
        "/usr/share/crypto-policies/python/update-crypto-policies.py" => "#!/usr/bin/python3\n",
        // a policy's texts, which have two names
        _ if path.starts_with("/usr/share/crypto-policies/")
            && (path.ends_with(".txt") || path.ends_with(".config")) =>
        {
            "x\n"
        }
        _ if path.ends_with(".preset") => "enable *.service\ndisable *\n",
        _ if path.starts_with("/usr/lib/tmpfiles.d/") => "d /run/stand-in 0755 root root -\n",
        _ if path.starts_with("/usr/share/info/") => {
            "INFO-DIR-SECTION Stand-ins\nSTART-INFO-DIR-ENTRY\n* It: (it).  A text.\n\
             END-INFO-DIR-ENTRY\n"
        }
        _ if path.starts_with("/etc/") && !path.starts_with("/etc/alternatives/") => {
            "# a text of the administrator's\nkey = value\n"
        }
        _ => return None,
    })
}

struct StandIns<'a> {
    packages: &'a [&'a Package],
    read: Mutex<BTreeSet<String>>,
}

impl Contents for StandIns<'_> {
    fn read(&self, package: PackageIndex, file: u32) -> Option<Arc<[u8]>> {
        let entry = &self.packages[package.0 as usize].files[file as usize];
        let path = String::from_utf8_lossy(&entry.path);
        let text = stand_in(&path, entry.size)?;
        if entry.size > 0 {
            self.read.lock().unwrap().insert(path.clone().into_owned());
        }
        if path.starts_with("/usr/share/info/") && path.ends_with(".gz") {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            return Some(packed.finish().unwrap().into());
        }
        Some(text.as_bytes().into())
    }
}

/// Why a body is not interpreted, by who is to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// The content of a file, which headers do not have and packages do.
    Content,
    /// A cache that only its own program writes.
    Cache,
    /// Anything else.
    Other,
}

const SCRIPTS: [&str; 3] = ["ca-legacy", "update-ca-trust", "fix-info-dir"];

fn lack(error: &ScriptletError) -> Lack {
    match error {
        ScriptletError::Content { .. } => Lack::Content,
        // scripts of the packages themselves, interpreted where their text is at hand
        ScriptletError::NeedsProgram { program, .. } if SCRIPTS.contains(&program.as_str()) => {
            Lack::Content
        }
        ScriptletError::NeedsProgram { .. } => Lack::Cache,
        _ => Lack::Other,
    }
}

/// A body by whose it is and when it runs.
type Body = (String, &'static str, String);

#[derive(Default)]
struct Survey {
    images: usize,
    /// Images whose every body is interpreted.
    whole: usize,
    /// Images that lack contents at most.
    nearly: usize,
    /// Runs over all images, and those that are interpreted.
    runs: usize,
    interpreted: usize,
    /// Every body that some image runs.
    bodies: BTreeSet<Body>,
    /// Those that are not interpreted somewhere: why, and in how many images.
    refused: BTreeMap<Body, BTreeMap<String, (Lack, usize)>>,
    /// Bodies that read stand-ins.
    reading: BTreeSet<Body>,
}

impl Survey {
    fn add(&mut self, other: Self) {
        self.images += other.images;
        self.whole += other.whole;
        self.nearly += other.nearly;
        self.runs += other.runs;
        self.interpreted += other.interpreted;
        self.bodies.extend(other.bodies);
        self.reading.extend(other.reading);
        for (body, reasons) in other.refused {
            let all = self.refused.entry(body).or_default();
            for (reason, (lack, count)) in reasons {
                all.entry(reason).or_insert((lack, 0)).1 += count;
            }
        }
    }

    /// Installs an image.
    fn image(&mut self, packages: &[&Package], docs: bool) {
        let owners = Owners::default();
        let task =
            MergeTask { packages, docs, filters: &[], langs: None, owners: &owners, color: 2 };
        let merged = merge(&task).unwrap();
        let count = u32::try_from(packages.len()).unwrap();
        let states: Vec<Vec<u8>> =
            (0..count).map(|at| merged.file_states(PackageIndex(at))).collect();
        let members: Vec<Member<'_>> = packages
            .iter()
            .zip(&states)
            .map(|(package, states)| Member { package, states })
            .collect();
        let contents = StandIns { packages, read: Mutex::default() };
        let mut tree = merged.tree;
        let (mut installed, mut lacks) = (0, BTreeSet::new());
        for step in transaction::steps(&members) {
            let action = match step {
                Step::Files(at) => {
                    installed = at.0 + 1;
                    continue;
                }
                Step::Run(action) => action,
            };
            let mut arguments = vec![action.arg1.to_string()];
            arguments.extend(action.arg2.map(|count| count.to_string()));
            let mut stdin = Vec::new();
            for path in action.paths.iter() {
                stdin.extend_from_slice(path);
                stdin.push(b'\n');
            }
            let result = run(&ScriptletTask {
                tree: &tree,
                installed: Some(installed),
                contents: &contents,
                owners: &owners,
                kind: kind(action.phase),
                program: &action.scriptlet.program,
                body: &action.scriptlet.body,
                arguments: &arguments,
                stdin: &stdin,
                mtime: 1_600_000_000,
                limits: Limits::default(),
            });
            let name = packages[action.package.0 as usize].nevra.name.clone();
            let body = (name, action.phase.section(), action.scriptlet.body.clone());
            self.runs += 1;
            match result {
                Ok(effects) => {
                    self.interpreted += 1;
                    effects.apply(&mut tree);
                }
                Err(error) => {
                    lacks.insert(lack(&error));
                    let reasons = self.refused.entry(body.clone()).or_default();
                    reasons.entry(error.to_string()).or_insert((lack(&error), 0)).1 += 1;
                }
            }
            if !std::mem::take(&mut *contents.read.lock().unwrap()).is_empty() {
                self.reading.insert(body.clone());
            }
            self.bodies.insert(body);
        }
        self.images += 1;
        self.whole += usize::from(lacks.is_empty());
        self.nearly += usize::from(lacks.iter().all(|lack| *lack == Lack::Content));
    }

    /// Bodies that are not interpreted, and not for want of contents.
    fn others(&self) -> usize {
        let other = |reasons: &&BTreeMap<String, (Lack, usize)>| {
            reasons.values().any(|(lack, _)| *lack != Lack::Content)
        };
        self.refused.values().filter(other).count()
    }

    fn report(&self, name: &str) {
        let share = |part: usize, all: usize| part as f64 * 100.0 / all as f64;
        let Self { images, whole, nearly, runs, interpreted, .. } = *self;
        let bodies = self.bodies.len();
        let refused = self.refused.len();
        println!("{name}:");
        println!("  images without a sandbox: {whole} of {images}, {:.1} %", share(whole, images));
        println!("  or only for want of contents: {nearly}, {:.1} %", share(nearly, images));
        println!("  runs interpreted: {interpreted} of {runs}, {:.2} %", share(interpreted, runs));
        println!("  bodies interpreted: {} of {bodies}", bodies - refused);
        println!("  not, and not for want of contents: {}", self.others());
        println!("  bodies that read stand-ins: {}", self.reading.len());
        for ((package, section, _), reasons) in &self.refused {
            for (reason, (lack, count)) in reasons {
                println!("  {package} {section} ({count} images): {reason} [{lack:?}]");
            }
        }
    }
}

fn kind(phase: transaction::Phase) -> ScriptletKind {
    use transaction::Phase as P;
    match phase {
        P::PreTrans => ScriptletKind::PreTrans,
        P::Pre => ScriptletKind::Pre,
        P::Post => ScriptletKind::Post,
        P::PostTrans => ScriptletKind::PostTrans,
        P::TriggerPreIn | P::TriggerIn => ScriptletKind::Trigger,
        P::FileTriggerIn => ScriptletKind::FileTrigger,
        P::TransFileTriggerIn => ScriptletKind::TransFileTrigger,
    }
}

/// Every package name of a distribution is an image.
fn survey(name: &str, docs: bool) -> Option<Survey> {
    let packages = headers::packages(&headers::database(name)?);
    let providers = Providers::new(&packages);
    let names: BTreeSet<&str> = packages.iter().map(|one| one.nevra.name.as_str()).collect();
    let roots: Vec<usize> = names
        .iter()
        .map(|name| packages.iter().rposition(|one| one.nevra.name == *name).unwrap())
        .collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let total = Mutex::new(Survey::default());
    std::thread::scope(|scope| {
        for part in 0..threads {
            let (roots, providers, packages, total) = (&roots, &providers, &packages, &total);
            scope.spawn(move || {
                let mut survey = Survey::default();
                for root in roots.iter().skip(part).step_by(threads) {
                    let order = providers.closure(*root);
                    let members: Vec<&Package> = order.iter().map(|at| &packages[*at]).collect();
                    survey.image(&members, docs);
                }
                total.lock().unwrap().add(survey);
            });
        }
    });
    let survey = total.into_inner().unwrap();
    survey.report(&format!("{name}, {} documentation", if docs { "with" } else { "without" }));
    Some(survey)
}

#[test]
fn fedora_31() {
    let Some(survey) = survey("fedora31", false) else { return };
    assert_eq!(survey.images, 399);
    assert!(survey.nearly >= 393, "{} images", survey.nearly);
    assert!(survey.others() <= 3, "{} bodies", survey.others());
}

#[test]
fn centos_8() {
    let Some(survey) = survey("centos8", false) else { return };
    assert_eq!(survey.images, 517);
    assert!(survey.nearly >= 506, "{} images", survey.nearly);
    assert!(survey.others() <= 7, "{} bodies", survey.others());
}

/// By hand: what else there is, and with documentation.
#[test]
#[ignore = "takes minutes"]
fn others() {
    for (name, docs) in
        [("fedora31", true), ("centos8", true), ("fedora26", false), ("centos7", false)]
    {
        survey(name, docs);
    }
}
