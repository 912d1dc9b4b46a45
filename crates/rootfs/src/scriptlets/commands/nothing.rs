//! Programs that do nothing in an image, and those that cannot be done here.

use crate::scriptlets::{
    Action, ScriptletError,
    shell::{Shell, Status},
};

/// Programs that talk to a kernel, a service or a security module, of which an image has none;
/// and those whose work is done elsewhere. The caches of fontconfig and of GIO's modules make
/// things faster alone: fontconfig's holds for directories of one time, and is made again where
/// that differs; without GIO's, all modules are asked.
const NOTHING: [&str; 29] = [
    "fc-cache",
    "gio-querymodules",
    "gio-querymodules-64",
    "sysctl",
    "systemd-sysctl",
    "systemd-binfmt",
    "restorecon",
    "semodule",
    "chcon",
    "fixfiles",
    "setsebool",
    "load_policy",
    "journalctl",
    "loginctl",
    "telinit",
    "modprobe",
    "depmod",
    "sync",
    "service",
    "initctl",
    "pkill",
    "killall",
    "dbus-send",
    "busctl",
    "selinuxenabled",
    "systemd-run",
    "systemd-random-seed",
    "sleep",
    "logger",
];

/// Programs that write caches only they can write.
const NEEDED: [&str; 17] = [
    "gdk-pixbuf-query-loaders",
    "gdk-pixbuf-query-loaders-64",
    "gtk-query-immodules-3.0",
    "gtk-query-immodules-3.0-64",
    "update-ca-trust",
    "update-ca-certificates",
    "update-crypto-policies",
    "ca-legacy",
    "texhash",
    "mktexlsr",
    "dracut",
    "kernel-install",
    "authselect",
    "localedef",
    "mandb",
    "dconf",
    "fix-info-dir",
];

pub(super) fn is_nothing(name: &str) -> bool {
    NOTHING.contains(&name)
}

pub(super) fn is_needed(name: &str) -> bool {
    NEEDED.contains(&name)
}

/// A program that does nothing here.
pub(super) fn ignored(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Status {
    // nothing to talk to: they fail
    if matches!(name, "selinuxenabled" | "systemd-run") {
        return Ok(1);
    }
    let command = [&[name.to_owned()], words].concat().join(" ");
    shell.actions.push(Action::Ignored { command });
    Ok(0)
}

/// A program that is needed itself.
pub(super) fn needed(name: &str) -> Status {
    Err(ScriptletError::NeedsProgram { program: name.to_owned(), line: 0 }.into())
}
