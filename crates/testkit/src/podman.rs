//! podman, with storage and configuration of its own, on machines without systemd and cgroups.

use crate::tool::{Ran, output, run, tool};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Names are numbered rather than drawn: podman wants them in lower case.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// For containers inside containers: no systemd, no journal, no network of its own, limits that an
/// unprivileged parent can grant.
const CONTAINERS_CONF: &str = r#"[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
netns = "host"
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:4096", "nproc=4096:8192"]
"#;

/// A podman whose images and containers vanish with it.
#[derive(Debug)]
pub struct Podman {
    directory: tempfile::TempDir,
}

/// A container that is ended when this is dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    kill: PathBuf,
}

impl Podman {
    /// None where podman or runc is not installed.
    ///
    /// # Panics
    /// When one is missing and `STRATA_REQUIRE_CORPUS=1`, or its directory cannot be made.
    pub fn new() -> Option<Self> {
        tool("podman")?;
        tool("runc")?;
        let name = format!("strata-podman-{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
        let directory = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir();
        let podman = Self {
            directory: directory.unwrap_or_else(|error| panic!("cannot make storage: {error}")),
        };
        let kill = format!(
            "#!/bin/sh\nexport CONTAINERS_CONF='{conf}'\nexec podman {options} rm -f -t 0 \"$1\"\n",
            conf = podman.path("containers.conf").display(),
            options = podman.options().join(" "),
        );
        for (file, text) in [
            ("containers.conf", CONTAINERS_CONF),
            ("policy.json", r#"{"default": [{"type": "insecureAcceptAnything"}]}"#),
            ("kill", &kill),
        ] {
            std::fs::write(podman.path(file), text)
                .unwrap_or_else(|error| panic!("cannot write `{file}`: {error}"));
        }
        Some(podman)
    }

    /// `podman` with everything that comes before its command.
    pub fn command(&self) -> Command {
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", self.path("containers.conf"));
        command.args(self.options());
        command
    }

    /// Takes an image from an OCI layout; its id.
    ///
    /// # Panics
    /// When podman refuses it.
    pub fn pull(&self, layout: &Path, image: &str) -> String {
        // podman makes a reference of the path, which must then be in lower case.
        let link = self.path(&format!("layout-{}", COUNT.fetch_add(1, Relaxed)));
        std::fs::canonicalize(layout)
            .and_then(|layout| std::os::unix::fs::symlink(layout, &link))
            .unwrap_or_else(|error| panic!("cannot link to `{}`: {error}", layout.display()));
        let mut command = self.command();
        command.args(["pull", "--quiet", "--signature-policy"]).arg(self.path("policy.json"));
        let id = run(command.arg(format!("oci:{}:{image}", link.display())));
        id.trim().to_owned()
    }

    /// Runs a program of an image without a network, to its end. `arguments` come after the
    /// image; `options` before it.
    ///
    /// # Panics
    /// When podman cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, image: &str, options: &[&str], arguments: &[S]) -> Ran {
        let mut command = self.command();
        command.args(["run", "--rm", "--network", "none"]);
        output(command.args(options).arg(image).args(arguments))
    }

    /// Starts an image on the host's network.
    ///
    /// # Panics
    /// When podman cannot be started.
    pub fn start<S: AsRef<OsStr>>(
        &self,
        image: &str,
        options: &[&str],
        arguments: &[S],
    ) -> Running {
        let count = COUNT.fetch_add(1, Relaxed);
        let name = format!("strata-test-{}-{count}", std::process::id());
        let mut command = self.command();
        command.args(["run", "--rm", "--network", "host", "--name", &name]);
        command.args(options).arg(image).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot run podman: {error}"));
        Running { name, child, kill: self.path("kill") }
    }

    /// Mounts an image and returns where its files are.
    ///
    /// # Panics
    /// When podman fails.
    pub fn mount(&self, image: &str) -> PathBuf {
        PathBuf::from(run(self.command().args(["image", "mount", image])).trim())
    }

    fn options(&self) -> Vec<String> {
        vec![
            "--runtime=runc".to_owned(),
            format!("--root={}", self.path("storage").display()),
            format!("--runroot={}", self.path("run").display()),
            "--storage-driver=overlay".to_owned(),
            "--storage-opt=overlay.skip_mount_home=true".to_owned(),
        ]
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // Mounts would keep the directory from being removed; there is nobody to tell.
        let _ = self.command().args(["image", "unmount", "--all", "--force"]).output();
        let _ = self.command().args(["rm", "--all", "--force", "--time", "0"]).output();
    }
}

impl Running {
    /// What it wrote, after ending it.
    ///
    /// # Panics
    /// When its output cannot be read.
    pub fn stop(mut self) -> String {
        self.end();
        let mut text = String::new();
        for pipe in [
            self.child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>),
            self.child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn std::io::Read>),
        ] {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                pipe.read_to_end(&mut bytes)
                    .unwrap_or_else(|error| panic!("cannot read the container's output: {error}"));
            }
            text += &String::from_utf8_lossy(&bytes);
        }
        text
    }

    fn end(&mut self) {
        let _ = Command::new("sh").arg(&self.kill).arg(&self.name).output();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
