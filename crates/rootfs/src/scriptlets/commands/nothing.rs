//! Programs that do nothing in an image, and those that cannot be done here.

use crate::scriptlets::{
    Action,
    shell::{Shell, Status},
};

/// Programs that talk to a kernel, a service or a security module, of which an image has none;
/// and those whose work is done elsewhere. `iconvconfig` packs `gconv-modules` for speed; without
/// its cache, which packages bring empty, glibc reads that text. The caches of fontconfig and of
/// GIO's modules make things faster alone: fontconfig's holds for directories of one time, and is
/// made again where that differs; without GIO's, all modules are asked.
const NOTHING: [&str; 32] = [
    "fc-cache",
    "gio-querymodules",
    "gio-querymodules-64",
    "iconvconfig",
    "matchpathcon",
    "semanage",
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
const NEEDED: [&str; 16] = [
    "gdk-pixbuf-query-loaders",
    "gdk-pixbuf-query-loaders-64",
    "gtk-query-immodules-3.0",
    "gtk-query-immodules-3.0-64",
    "update-ca-trust",
    "update-ca-certificates",
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
    if matches!(name, "selinuxenabled" | "systemd-run" | "matchpathcon") {
        return Ok(1);
    }
    let command = [&[name.to_owned()], words].concat().join(" ");
    shell.actions.push(Action::Ignored { command });
    Ok(0)
}

/// `setfacl`: an image's layers hold no such lists, so the modes stay as they are. Paths that are
/// not there are errors all the same.
pub(super) fn setfacl(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let mut status = 0;
    let mut words_left = words.iter();
    while let Some(word) = words_left.next() {
        if let Some(long) = word.strip_prefix("--") {
            let takes = ["set", "modify", "remove", "set-file", "modify-file", "remove-file"];
            if takes.contains(&long) {
                words_left.next();
            }
        } else if let Some(letters) = word.strip_prefix('-') {
            if letters.ends_with(['m', 'x', 'M', 'X']) || letters == "s" {
                words_left.next();
            }
        } else if let Err(error) = shell.fs.lookup(word.as_bytes(), true) {
            status = shell.complain(format!("setfacl: {word}: {error}"))?;
        }
    }
    ignored(shell, "setfacl", words)?;
    Ok(status)
}
