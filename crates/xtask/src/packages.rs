//! The programs that the commands need, and the distribution packages that bring them.

use crate::run::{exists, output, run, succeeds};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::process::Command;

/// Something that must be on the machine.
pub struct Need {
    /// A program; a path when it holds a `/`; a module of the system's Python after `python:`.
    probe: &'static str,
    /// The package on Debian and Ubuntu.
    debian: &'static str,
    /// The package on Fedora; empty when there is none.
    fedora: &'static str,
}

const fn need(probe: &'static str, debian: &'static str, fedora: &'static str) -> Need {
    Need { probe, debian, fedora }
}

/// To build the workspace: the solver is a C library.
pub const BUILD: &[Need] =
    &[need("cmake", "cmake", "cmake"), need("cc", "gcc", "gcc"), need("c++", "g++", "gcc-c++")];

/// To make a corpus.
pub const CORPUS: &[Need] = &[
    need("python3", "python3", "python3"),
    need("python:pip", "python3-pip", "python3-pip"),
    need("apt-get", "apt", ""),
    need("dpkg-deb", "dpkg", "dpkg"),
    need("rpmbuild", "rpm", "rpm-build"),
    need("/usr/lib/rpm/elfdeps", "rpm", "rpm-build"),
    need("createrepo_c", "createrepo-c", "createrepo_c"),
    need("cpio", "cpio", "cpio"),
    need("xz", "xz-utils", "xz"),
    need("lz4", "lz4", "lz4"),
];

/// What the tests compare with. Without one of these, the tests that ask it are left out.
pub const ORACLES: &[Need] = &[
    need("rpm", "rpm", "rpm"),
    need("dnf", "dnf", "dnf"),
    need("python:solv", "python3-solv", "python3-solv"),
    need("python:dnf", "python3-dnf", "python3-dnf"),
    need("testsolv", "libsolv-tools", "libsolv-tools"),
    need("skopeo", "skopeo", "skopeo"),
    need("umoci", "umoci", "umoci"),
    need("podman", "podman", "podman"),
    need("runc", "runc", "runc"),
    need("crun", "crun", "crun"),
    need("newuidmap", "uidmap", "shadow-utils"),
    need("setpriv", "util-linux", "util-linux"),
    need("sqlite3", "sqlite3", "sqlite"),
    need("getcap", "libcap2-bin", "libcap"),
    need("zstd", "zstd", "zstd"),
    need("bzip2", "bzip2", "bzip2"),
    need("curl", "curl", "curl"),
    need("/lib/systemd/systemd", "systemd", "systemd"),
    need("glib-compile-schemas", "libglib2.0-bin", "glib2-devel"),
    need("/usr/share/glib-2.0/schemas", "gsettings-desktop-schemas", "gsettings-desktop-schemas"),
    need("update-desktop-database", "desktop-file-utils", "desktop-file-utils"),
    need("update-mime-database", "shared-mime-info", "shared-mime-info"),
    need("gtk-update-icon-cache", "gtk-update-icon-cache", "gtk-update-icon-cache"),
    need("gtk4-update-icon-cache", "libgtk-4-bin", "gtk4"),
    need("/usr/share/icons/Adwaita", "adwaita-icon-theme", "adwaita-icon-theme"),
    need("systemd-hwdb", "udev", "systemd-udev"),
    need("trust", "p11-kit", "p11-kit"),
    need("/usr/share/p11-kit/modules/p11-kit-trust.module", "p11-kit-modules", "p11-kit-trust"),
    need("/usr/share/ca-certificates/mozilla", "ca-certificates", ""),
];

/// To build plugins where rustup has no target for them.
pub const WASM: &[Need] = &[
    need("/usr/bin/rustc", "rustc-web", ""),
    need("/usr/bin/cargo", "cargo-web", ""),
    need("/usr/lib/rustlib/src/rust/library/Cargo.toml", "rust-web-src", ""),
];

/// What benchmarks compare with, and what they measure with.
pub const BENCH: &[Need] = &[
    need("/usr/bin/time", "time", "time"),
    need("dnf", "dnf", "dnf"),
    need("rpm", "rpm", "rpm"),
    need("umoci", "umoci", "umoci"),
];

impl Need {
    fn is_met(&self) -> bool {
        match self.probe.strip_prefix("python:") {
            Some(module) => {
                succeeds(Command::new("/usr/bin/python3").args(["-c", &format!("import {module}")]))
            }
            None => exists(self.probe),
        }
    }
}

/// Whether all of them are met.
pub fn met(needs: &[Need]) -> bool {
    missing(&[needs]).is_empty()
}

/// The needs that are not met.
fn missing<'a>(needs: &[&'a [Need]]) -> Vec<&'a Need> {
    needs.iter().copied().flatten().filter(|need| !need.is_met()).collect()
}

/// Installs what is missing, when this is Debian and we are root; else an error that says what to
/// install.
pub fn require(purpose: &str, needs: &[&[Need]]) -> Result<()> {
    let lacking = missing(needs);
    if lacking.is_empty() {
        return Ok(());
    }
    if can_install() {
        install(&debian(&lacking))?;
    }
    match missing(needs).as_slice() {
        [] => Ok(()),
        lacking => bail!("{}", advice(purpose, lacking)),
    }
}

/// What a person must do to meet `needs`.
fn advice(purpose: &str, needs: &[&Need]) -> String {
    let probes: Vec<_> = needs.iter().map(|need| format!("`{}`", need.probe)).collect();
    let fedora: BTreeSet<_> =
        needs.iter().map(|need| need.fedora).filter(|name| !name.is_empty()).collect();
    let mut text = format!("{purpose} needs {}, which this machine lacks", probes.join(", "));
    text += &format!(
        "\nhint: on Debian or Ubuntu run `sudo apt-get install --no-install-recommends {}`",
        join(&debian(needs))
    );
    if needs.iter().all(|need| !need.fedora.is_empty()) {
        text += &format!("\nhint: on Fedora run `sudo dnf install {}`", join(&fedora));
    } else if needs.iter().any(|need| need.probe == "apt-get") {
        text += "\nhint: a corpus is made of Debian's packages: without apt, make it on Debian 12 \
                 and name its directory in STRATA_CORPUS";
    }
    text
}

fn debian(needs: &[&Need]) -> BTreeSet<&'static str> {
    needs.iter().map(|need| need.debian).collect()
}

fn join(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(" ")
}

/// Whether we may install packages here: root, on a distribution with apt.
pub fn can_install() -> bool {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    root && exists("apt-get")
}

fn install(packages: &BTreeSet<&str>) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y", "-o", "APT::Sandbox::User=root"]).args(arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null());
        run(&mut command)
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}
