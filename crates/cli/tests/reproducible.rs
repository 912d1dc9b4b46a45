//! The same inputs give the same bytes, wherever, whenever and by whomever they are built.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::{fs, path::Path, process::Command};
use strata_testkit::{Repository, Set, corpus, corpus_update, run, tool};
use support::{Bench, STRATA, contents};

/// Two images that share packages, an overlay with users, tags and files, and one package with
/// hard links, capabilities and an account of its own.
fn quick() -> Bench {
    let bench = Bench::with_spec(SPEC);
    bench.write("compose.overlay.json", OVERLAY);
    bench.write("motd", "welcome\n");
    bench.filesystem();
    let twins = r#""files": {"/usr/bin/twin": {"hard_link": "/usr/bin/tool"},
        "/usr/bin/tool": {"caps": "cap_net_bind_service=ep", "group": "tools"}},"#;
    bench.package("tool", "1", twins, &[("/usr/bin/tool", "tool\n")]);
    let sysusers = "u web - \"Web\" /srv\ng tools -\n";
    bench.package("web", "1", "", &[("/usr/lib/sysusers.d/web.conf", sysusers)]);
    bench.package("data", "1", "", &[("/usr/share/data", &"0123456789".repeat(200_000))]);
    bench
}

const SPEC: &str = r#"{ "repos": ["./repo"], "images": {
    "one": {"packages": ["filesystem", "tool", "web"]},
    "two": {"packages": ["filesystem", "data"], "expose": 80} } }"#;

const OVERLAY: &str = r#"{ "images": { "*": {"tags": ["b", "a"], "config": {"Labels": {"z": "1", "a": "2"}}},
    "one": {"config": {"User": "web", "Env": ["B=1", "A=2"]}, "files": [
        {"path": "/etc/motd", "source": "motd"}, {"path": "/etc/a", "content": "a", "user": "web"}]} } }"#;

/// What a machine may be like.
struct Machine {
    umask: &'static str,
    cpus: &'static str,
    environment: &'static [(&'static str, &'static str)],
}

const MACHINES: [Machine; 4] = [
    Machine { umask: "022", cpus: "0", environment: &[] },
    Machine {
        umask: "077",
        cpus: "0",
        environment: &[
            ("TZ", "Pacific/Kiritimati"),
            ("LC_ALL", "C"),
            ("RAYON_NUM_THREADS", "1"),
            ("HOME", "/nonexistent"),
        ],
    },
    Machine {
        umask: "000",
        cpus: "0-63",
        environment: &[
            ("TZ", "America/St_Johns"),
            ("LC_ALL", "tr_TR.UTF-8"),
            ("RAYON_NUM_THREADS", "4"),
            ("USER", "somebody"),
            ("HOSTNAME", "elsewhere"),
        ],
    },
    Machine {
        umask: "027",
        cpus: "0-63",
        environment: &[("LC_ALL", "C.UTF-8"), ("LANG", "de_DE"), ("RAYON_NUM_THREADS", "3")],
    },
];

impl Machine {
    fn build(&self, bench: &Bench, spec: &str) {
        let taskset = tool("taskset");
        let mut command = Command::new("sh");
        let script = format!("umask {}; exec \"$@\"", self.umask);
        command.args(["-c", &script, "sh"]);
        if taskset.is_some() {
            command.args(["taskset", "-c", self.cpus]);
        }
        bench.place(command.args([STRATA, "build", spec, "-o", "oci:out", "--quiet"]));
        run(command.envs(self.environment.iter().copied()));
    }
}

/// The same directory elsewhere: other inodes, times, and order of entries.
fn elsewhere(bench: &Bench) -> Bench {
    let copy = Bench::new();
    let mut files: Vec<_> = contents(bench.dir()).into_iter().collect();
    files.reverse();
    for (path, content) in files {
        let made = ["cache", "out", "home", "strata.lock"];
        if made.iter().any(|name| path.starts_with(name)) {
            continue;
        }
        let path = copy.dir().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    copy
}

/// Names what differs instead of printing megabytes.
#[track_caller]
fn assert_same(left: &Path, right: &Path) {
    let (left, right) = (contents(left), contents(right));
    let names: Vec<_> = left.keys().collect();
    assert_eq!(names, right.keys().collect::<Vec<_>>());
    for (path, bytes) in &left {
        assert!(Some(bytes) == right.get(path), "{} differs", path.display());
    }
    assert!(!left.is_empty());
}

#[test]
fn other_umask_zone_locale_cores_and_home() {
    let first = quick();
    let benches: Vec<Bench> = MACHINES
        .iter()
        .map(|machine| {
            let bench = elsewhere(&first);
            machine.build(&bench, "compose.json");
            bench
        })
        .collect();
    let [first, others @ ..] = benches.as_slice() else { unreachable!("there are machines") };
    first.assert_valid();
    for other in others {
        assert_same(&first.out(), &other.out());
        // its repository is below the spec: nothing in it is a place on this machine
        assert_eq!(first.lock(), other.lock());
    }
    // the umask decides the rights of the files, nothing else
    assert_ne!(first.dir(), others.first().unwrap().dir());
}

#[test]
fn without_the_lock_of_an_earlier_build() {
    let bench = quick();
    bench.build(&[]);
    let lock = bench.lock();
    fs::remove_file(bench.path("strata.lock")).unwrap();
    fs::rename(bench.out(), bench.path("before")).unwrap();
    bench.build(&[]);
    assert_same(&bench.out(), &bench.path("before"));
    assert_eq!(lock, bench.lock());
}

/// However the spec is named, and from wherever.
#[test]
fn the_spec_by_other_paths() {
    let bench = quick();
    bench.write("local/extra.rpm", "");
    let extra = support::package("extra", "1", "", &[("/usr/share/extra", "extra\n")]);
    fs::write(bench.path("local/extra.rpm"), extra).unwrap();
    bench.write(
        "compose.json",
        &SPEC.replace(r#""tool", "web"]"#, r#""tool", "web", "./local/extra.rpm"]"#),
    );
    bench.build(&[]);
    let lock = bench.lock();
    let name = bench.dir().file_name().unwrap().to_str().unwrap().to_owned();
    let absolute = bench.path("compose.json").display().to_string();
    for spec in ["./compose.json", &absolute, &format!("../{name}/compose.json")] {
        // with the lock that the other path made, and without
        bench.ok(&["build", spec, "-o", "oci:again", "--force", "--locked"]);
        assert_same(&bench.out(), &bench.path("again"));
        fs::remove_file(bench.path("strata.lock")).unwrap();
        fs::remove_dir_all(bench.path("again")).unwrap();
        bench.ok(&["build", spec, "-o", "oci:again"]);
        assert_same(&bench.out(), &bench.path("again"));
        assert_eq!(lock, bench.lock(), "{spec}");
    }
}

#[test]
fn with_a_cache_that_other_images_warmed() {
    let (cold, warm) = (quick(), quick());
    cold.build(&[]);
    let other = r#"{ "repos": ["./repo"], "images": {
        "all": {"packages": ["filesystem", "tool", "web", "data"]},
        "one": {"packages": ["filesystem", "data"], "docs": true} } }"#;
    warm.write("other/compose.json", &other.replace("./repo", "../repo"));
    warm.ok(&["build", "other/compose.json", "-o", "oci:other/out"]);
    warm.build(&[]);
    assert_same(&cold.out(), &warm.out());
    assert_eq!(cold.lock(), warm.lock());
}

#[test]
fn an_update_from_cached_members_equals_a_cold_build() {
    let bench = quick();
    bench.build(&[]);
    let change = |bench: &Bench| {
        bench.package("data", "2", "", &[("/usr/share/data", &"9876543210".repeat(200_000))]);
        bench.package(
            "web",
            "1.1",
            "",
            &[("/usr/lib/sysusers.d/web.conf", "u web - \"Web\"\ng tools -\n")],
        );
    };
    change(&bench);
    bench.build(&["--update"]);
    bench.assert_valid();
    let cold = elsewhere(&bench);
    // ids and plan of the lock are inputs; the packages are found anew
    fs::copy(bench.path("strata.lock"), cold.path("strata.lock")).unwrap();
    cold.build(&[]);
    assert_same(&bench.out(), &cold.out());
    assert_eq!(bench.lock(), cold.lock());
    // the accounts and the sources are the same as before: the lock adds nothing
    let stateless = elsewhere(&bench);
    stateless.build(&[]);
    assert_same(&bench.out(), &stateless.out());
}

/// The update of the small corpus, seen through one repository whose content changes.
#[test]
fn an_update_of_real_packages_equals_a_cold_build() {
    let (Some(old), Some(new)) = (corpus(Set::Small), corpus_update(Set::Small)) else { return };
    let spec = r#"{ "distro": "debian", "repos": ["./repo/"], "images": {
        "min": {"packages": ["bash", "coreutils"]}, "web": {"packages": ["nginx"]} } }"#;
    let warm = Bench::with_spec(spec);
    point(&warm, &old);
    warm.build(&[]);
    point(&warm, &new);
    warm.build(&["--update"]);
    let cold = Bench::with_spec(spec);
    point(&cold, &new);
    fs::copy(warm.path("strata.lock"), cold.path("strata.lock")).unwrap();
    MACHINES[1].build(&cold, "compose.json");
    assert_same(&warm.out(), &cold.out());
    assert_eq!(warm.lock(), cold.lock());
    cold.assert_valid();
}

/// Has `repo` be a link to a repository.
fn point(bench: &Bench, repository: &Path) {
    let link = bench.path("repo");
    if link.is_symlink() {
        fs::remove_file(&link).unwrap();
    } else {
        fs::remove_dir(&link).unwrap();
    }
    std::os::unix::fs::symlink(repository, &link).unwrap();
}

#[test]
fn a_directory_and_its_metadata_give_the_same_image() {
    if tool("createrepo_c").is_none() {
        return;
    }
    let (plain, indexed) = (quick(), quick());
    Repository::new(&indexed.path("repo")).index();
    plain.build(&[]);
    indexed.build(&[]);
    assert_same(&plain.out(), &indexed.out());
}

#[test]
fn the_given_epoch_is_an_input() {
    let bench = quick();
    let build = |epoch: &str| {
        let mut command = bench.command();
        command.args(["build", "compose.json", "-o", "oci:out"]);
        run(command.env("SOURCE_DATE_EPOCH", epoch));
        let index = contents(&bench.out()).remove(Path::new("index.json")).unwrap();
        String::from_utf8(index).unwrap()
    };
    let (first, second, again) = (build("1000000000"), build("1000000001"), build("1000000000"));
    assert_ne!(first, second);
    assert_eq!(first, again);
}
