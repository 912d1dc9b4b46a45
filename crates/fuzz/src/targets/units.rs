//! systemd's unit files, as the bundled plugin reads them.

use super::parts;
use crate::inside;
use strata_plugin_systemd::{
    files::memory::Memory,
    map::{Options, map},
    process::{TreeChange, process},
};

/// A service, a drop-in, its socket, its environment file and `/etc/passwd`.
pub fn unit(input: &[u8]) {
    let [service, drop_in, socket, environment, passwd] = parts(input);
    let system = "/usr/lib/systemd/system";
    for name in ["x.service", "x@.service"] {
        let image = Memory::new()
            .file("/usr/bin/x", b"")
            .link("/usr/bin/y", "x")
            .file(&format!("{system}/{name}"), service)
            .file(&format!("/etc/systemd/system/{name}.d/10.conf"), drop_in)
            .file(&format!("{system}/x.socket"), socket)
            .file("/etc/default/x", environment)
            .file("/etc/passwd", passwd);
        for exec in [true, false] {
            let unit = Some(if name == "x.service" { "x" } else { r"x@a-b\x2dc" }.to_owned());
            let options = Options { unit, exec };
            let _ = map(&image, &options);
            let Ok(processed) = process(&image, &options) else { continue };
            for change in &processed.changes {
                match change {
                    TreeChange::Directory { path, mode, .. } => {
                        inside::absolute(path.as_bytes());
                        assert!(*mode <= 0o7777, "mode {mode:o}");
                    }
                    TreeChange::Link { path, target } => {
                        inside::absolute(path.as_bytes());
                        assert!(!target.is_empty() && !target.contains('\0'));
                    }
                }
            }
        }
    }
}
