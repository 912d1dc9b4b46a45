//! Scriptlets that take too much, or do not end.

use crate::lab::{HERE, Lab, image, lines, scratch, short};
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};
use strata_sandbox::{Limits, Sandbox, SandboxError};

/// Whether a process of this machine has these words in its command line.
fn running(words: &str) -> bool {
    let own = std::process::id().to_string();
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        entry.file_name().to_str() != Some(&own) && String::from_utf8_lossy(&line).contains(words)
    })
}

fn limited(result: Result<strata_rootfs::scriptlets::Effects, SandboxError>, what: &[&str]) {
    match result {
        Err(SandboxError::Limit { what: found }) if what.contains(&found.as_str()) => {}
        other => panic!("{other:?}"),
    }
}

fn quick() -> Limits {
    Limits { time: Duration::from_secs(3), ..short() }
}

pub fn endless_loop() {
    let Some(mut lab) = Lab::new(quick()) else { return };
    limited(lab.run("/bin/sh", "while :; do :; done"), &["time"]);
    limited(lab.run("/bin/sh", "sleep 876501; trap '' TERM; sleep 9"), &["time"]);
    assert!(!running("876501"));
    // and it goes on working
    drop(lab);
    let mut lab = Lab::new(short()).unwrap();
    assert_eq!(lab.lines("/bin/sh", "echo >/srv/x"), ["/srv/x 644 0:0 \"\\n\""]);
}

pub fn fork_bomb() {
    let limits = Limits { processes: 64, ..quick() };
    let Some(mut lab) = Lab::new(limits) else { return };
    let begun = Instant::now();
    let body = "import os, time\nwhile True:\n try:\n  if os.fork() == 0: time.sleep(0.001)\n \
                except OSError: time.sleep(876502)\n";
    limited(lab.run("/usr/bin/python3", body), &["time"]);
    assert!(begun.elapsed() < Duration::from_secs(200));
    drop(lab);
    let mut lab = Lab::new(short()).unwrap();
    assert_eq!(lab.lines("/bin/sh", "echo >/srv/x"), ["/srv/x 644 0:0 \"\\n\""]);
}

pub fn memory_bomb() {
    let limits = Limits { memory: 512 << 20, ..short() };
    let Some(mut lab) = Lab::new(limits) else { return };
    let one = "x = []\nwhile True: x.append(b'x' * (64 << 20))\n";
    match lab.run("/usr/bin/python3", one) {
        Ok(effects) => {
            assert!(String::from_utf8_lossy(&effects.output).contains("MemoryError"));
        }
        other => limited(other, &["memory"]),
    }
    let many = "import os, time\nfor n in range(8):\n if os.fork() == 0:\n  \
                x = b'x' * (200 << 20); time.sleep(9)\ntime.sleep(9)\n";
    limited(lab.run("/usr/bin/python3", many), &["memory"]);
}

pub fn disk_filler() {
    let limits = Limits { bytes: 32 << 20, files: 2000, ..short() };
    let Some(mut lab) = Lab::new(limits) else { return };
    let one = "cd /srv; for i in 1 2 3 4 5 6 7 8 9; do head -c 9000000 /dev/zero >f$i || :; done";
    limited(lab.run("/bin/sh", one), &["bytes"]);
    let hole = "truncate -s 20M /srv/a; truncate -s 20M /srv/b";
    limited(lab.run("/bin/sh", hole), &["bytes"]);
    let many = "for n in range(3000): open('/srv/%d' % n, 'w')\n";
    limited(lab.run("/usr/bin/python3", many), &["files"]);
}

pub fn output() {
    let Some(mut lab) = Lab::new(short()) else { return };
    limited(lab.run("/bin/sh", "while :; do echo yes; done"), &["output"]);
}

/// A daemon ends with the scriptlet.
pub fn left_behind() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let body = "setsid sleep 876503 >/dev/null 2>&1 </dev/null &\n\
                (trap '' HUP TERM; sleep 30; echo late >/srv/late) &\necho now >/srv/now\n";
    let effects = lab.run("/bin/sh", body).unwrap();
    assert_eq!(lines(&effects), ["/srv/now 644 0:0 \"now\\n\""]);
    assert!(!running("876503"));
}

/// Is killed by [`killed`].
pub fn victim() {
    let Some(place) = std::env::var_os("STRATA_SANDBOX_VICTIM") else { return };
    let image = image().unwrap();
    let mut sandbox = Sandbox::new(place.as_ref(), Limits::default()).unwrap();
    let program = ["/bin/sh".to_owned()];
    let body = "(sleep 876504; :) & sleep 876504; :";
    let _ = sandbox.run(&crate::lab::task(image, &image.tree, &program, body));
}

pub fn killed() {
    let Some(_) = image() else { return };
    let scratch = scratch();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim"])
        .env("STRATA_SANDBOX_VICTIM", scratch.path())
        .env_remove(HERE)
        .spawn()
        .unwrap();
    let wait = |what: &dyn Fn() -> bool| {
        let end = Instant::now() + Duration::from_secs(120);
        while !what() {
            assert!(Instant::now() < end, "nothing happens");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait(&|| running("876504"));
    child.kill().unwrap();
    child.wait().unwrap();
    wait(&|| !running("876504"));
    // the keeper takes the tree away
    let empty = || {
        fs::read_dir(scratch.path())
            .unwrap()
            .flatten()
            .all(|entry| fs::read_dir(entry.path()).is_ok_and(|mut inside| inside.next().is_none()))
    };
    wait(&empty);
    let name = scratch.path().to_str().unwrap().to_owned();
    assert!(!fs::read_to_string("/proc/self/mountinfo").unwrap().contains(&name));
}

pub fn concurrent() {
    let Some(image) = image() else { return };
    let threads: Vec<_> = (0..3)
        .map(|number| {
            std::thread::spawn(move || {
                let mut lab = Lab::new(Limits::default()).unwrap();
                let body = format!("echo {number} >/srv/n; sleep 1; cat /srv/n");
                let effects = lab.run("/bin/sh", &body).unwrap();
                assert_eq!(effects.output, format!("{number}\n").as_bytes());
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert!(image.tree.len() > 1000);
}
