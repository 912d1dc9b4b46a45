//! What is tried.

use crate::lab::{HERE, Lab, as_user, lines, short};
use strata_sandbox::{Limits, SandboxError};

pub type Test = (&'static str, fn());

pub const ALL: &[Test] = &[("python", python), ("python_as_user", || user("python"))];

/// The same test as an ordinary user.
fn user(name: &str) {
    if std::env::var_os(HERE).is_none() && rustix::process::geteuid().is_root() {
        as_user(name);
    }
}

fn python() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let body = "import os, sys\nopen('/srv/new', 'w').write(sys.stdin.readline())\n\
                os.mkdir('/srv/made')\nos.symlink('new', '/srv/link')\nos.remove('/srv/data/old')\n\
                os.chmod('/srv/theirs', 0o600)\n";
    let changed = lab.lines("/usr/bin/python3", body);
    assert_eq!(
        changed,
        [
            "/srv/data/old gone",
            "/srv/link 777 0:0 -> new",
            "/srv/made 755 0:0 directory",
            "/srv/new 644 0:0 \"first\\n\"",
            "/srv/theirs 600 33:33 \"theirs\\n\"",
        ]
    );
}
