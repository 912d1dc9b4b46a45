//! What nobody can foresee: full disks, kills, other builds at the same time. The images that were
//! there before stay, or the new ones are whole.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::print_stderr, reason = "notes for whoever reads a test's output")]

#[path = "support/refusals.rs"]
mod refusals;
mod support;

use refusals::{OUTSIDE, assert_refused, built, spec, state};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use strata_testkit::{Ran, missing, noise, output, run};
use support::{Bench, STRATA, contents, package};

/// Runs a build with `full/` on a small file system that nobody else sees, and copies what it holds
/// to `after/`. None where that is not possible.
fn on_small_disk(bench: &Bench, size: &str, prepare: &str, arguments: &[&str]) -> Option<Ran> {
    fs::create_dir_all(bench.path("full")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={size} tmpfs full || exit 99; {prepare}; \"$@\"; code=$?; \
         mkdir after; cp -a full/. after/; exit $code"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script, "sh", STRATA]).args(arguments);
    bench.place(&mut command);
    let ran = output(&mut command);
    if ran.code == Some(99) || ran.stderr.starts_with("unshare:") {
        return missing(&format!("no file system can be mounted here: {}", ran.stderr));
    }
    Some(ran)
}

#[test]
fn a_full_disk_below_the_output() {
    let bench = built();
    bench.write("compose.json", &spec(r#""filesystem", "big""#));
    let before = state(&bench);
    let args = ["build", "compose.json", "-o", "oci:full"];
    let Some(ran) = on_small_disk(&bench, "1m", "cp -a out/. full/", &args) else { return };
    let says = ["full/blobs/sha256/", "No space left on device"];
    assert_refused(&ran, OUTSIDE, &says, "is full; what was there before is untouched");
    assert!(contents(&bench.path("after")) == before.0, "the output changed");
    assert!(before == state(&bench), "the lock changed");
}

#[test]
fn a_full_disk_below_the_cache() {
    for size in ["32k", "1m"] {
        let bench = built();
        bench.write("compose.json", &spec(r#""filesystem", "big""#));
        let before = state(&bench);
        let args = ["build", "compose.json", "-o", "oci:out", "--cache-dir", "full"];
        let Some(ran) = on_small_disk(&bench, size, ":", &args) else { return };
        assert_refused(&ran, OUTSIDE, &["No space left on device"], "free some space");
        assert!(before == state(&bench));
    }
}

#[test]
fn a_full_disk_below_the_lock() {
    let bench = built();
    let before = state(&bench);
    let prepare = "sed 's|./repo|../repo|; s|\"filesystem\"|\"filesystem\", \"big\"|' compose.json \
                   > full/compose.json; cp strata.lock full/; cat /dev/zero > full/zero 2>/dev/null";
    let args = ["build", "full/compose.json", "-o", "oci:out"];
    let Some(ran) = on_small_disk(&bench, "64k", prepare, &args) else { return };
    let says = ["strata.lock", "No space left on device"];
    assert_refused(&ran, OUTSIDE, &says, "free some space on the file system of `full`");
    assert!(before == state(&bench), "the images are in place, but the lock is not");
    assert_eq!(fs::read_to_string(bench.path("after/strata.lock")).unwrap(), bench.lock());
}

/// Killed at any moment, old or new images are there, and the next run succeeds.
#[test]
fn killed_at_any_moment() {
    const TIMES: u32 = 10;
    let bench = Bench::with_spec(&spec(r#""filesystem", "a", "b", "c""#));
    bench.filesystem();
    let content = noise(1_500_000);
    let add = |version: &str| {
        for name in ["a", "b", "c"] {
            let text = format!("{name}{version}{content}");
            bench.package(name, version, "", &[(&format!("/usr/share/{name}"), &text)]);
        }
    };
    add("0");
    let begin = Instant::now();
    bench.build(&[]);
    let whole = begin.elapsed();
    let mut ended = 0;
    for round in 1..=TIMES {
        add(&round.to_string());
        if round % 3 == 0 {
            fs::remove_dir_all(bench.out()).unwrap();
        }
        let mut command = bench.command();
        command.args(["build", "compose.json", "-o", "oci:out", "--update"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // at the beginning, at the end, and at places in between that nobody chose
        let part = (round * 618 + 45) % 1000;
        std::thread::sleep(Duration::from_micros(
            u64::try_from(whole.as_micros()).unwrap() * u64::from(part) / 1000,
        ));
        child.kill().unwrap();
        ended += u32::from(child.wait().unwrap().success());
        if bench.path("out/index.json").is_file() {
            bench.assert_valid();
        }
        bench.build(&["--update"]);
        bench.assert_valid();
        let text = bench.ok(&["cat", "oci:out", "/usr/share/b"]);
        assert!(text.starts_with(&format!("b{round}")));
    }
    assert!(ended < TIMES, "no build was killed in the middle");
    eprintln!("{} of {TIMES} builds of {} ms were killed", TIMES - ended, whole.as_millis());
    let left = |dir: PathBuf| {
        let names = contents(&dir).into_keys().map(|path| path.display().to_string());
        names.filter(|name| name.contains("tmp-")).collect::<Vec<_>>()
    };
    assert_eq!(left(bench.out()), Vec::<String>::new());
    // and what came of all that is what a build without any of it gives
    let calm = Bench::with_spec(&spec(r#""filesystem", "a", "b", "c""#));
    run(Command::new("cp").arg("-a").arg(bench.path("repo/.")).arg(calm.path("repo")));
    calm.build(&[]);
    assert_eq!(
        fs::read(calm.path("out/index.json")).unwrap(),
        fs::read(bench.path("out/index.json")).unwrap()
    );
}

#[test]
fn several_builds_at_once() {
    let bench = Bench::with_spec(&spec(r#""filesystem", "big", "small""#));
    bench.filesystem();
    bench.package("big", "1", "", &[("/usr/share/big", &noise(2_000_000))]);
    bench.package("small", "1", "", &[("/usr/share/small", "small\n")]);
    let other = spec(r#""filesystem", "big""#).replace("./repo", "../repo");
    bench.write("other/compose.json", &other.replace("\"one\"", "\"two\""));
    for round in 0..3 {
        let specs = ["compose.json", "other/compose.json", "compose.json"];
        let children: Vec<_> = specs
            .iter()
            .map(|spec| {
                let mut command = bench.command();
                command.args(["build", spec, "-o", "oci:out", "--force"]);
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let ran = child.wait_with_output().unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        }
        bench.assert_valid();
        assert_eq!(bench.ok(&["cat", "oci:out:one", "/usr/share/small"]), "small\n");
        assert!(bench.ok(&["ls", "oci:out:two"]).contains("/usr/share/big\n"));
        if round == 0 {
            let newer = package("small", "2", "", &[("/usr/share/small", "small\n")]);
            bench.repo().add("small-2", &newer);
        }
        if round == 1 {
            fs::remove_dir_all(bench.path("cache")).unwrap();
        }
    }
}
