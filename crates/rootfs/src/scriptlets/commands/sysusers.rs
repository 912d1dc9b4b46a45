//! `systemd-sysusers` and `systemd-machine-id-setup`: what is the same in all images. The accounts
//! of `sysusers.d` are made elsewhere, for all packages at once.

use crate::TreePath;
use crate::scriptlets::{
    Action,
    fs::Meta,
    shell::{Shell, Status},
};

pub(super) fn sysusers(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let inline = words.iter().any(|word| word == "-" || word == "--inline");
    // A `%pre` gives the lines of a file that its package is about to bring. Other lines are not
    // known where the accounts are made.
    let brought = words.iter().find_map(|word| word.strip_prefix("--replace="));
    let known = brought.and_then(|path| TreePath::new(path).ok());
    if inline && !known.is_some_and(|path| shell.fs.in_image(&path)) {
        return super::unsupported("systemd-sysusers with lines of its own");
    }
    let command = [&["systemd-sysusers".to_owned()], words].concat().join(" ");
    shell.actions.push(Action::Ignored { command });
    Ok(0)
}

/// An image has an empty machine-id: each machine gets its own when it boots.
pub(super) fn machine_id(shell: &mut Shell<'_>, words: &[String]) -> Status {
    if !words.is_empty() {
        return super::unsupported(format!("systemd-machine-id-setup {}", words.join(" ")));
    }
    let Ok(path) = shell.fs.resolve(b"/etc/machine-id", true) else { return Ok(1) };
    if shell.fs.exists(&path) {
        return Ok(0);
    }
    let made = shell.fs.create(&path, 0o444);
    let meta = Meta { mode: Some(0o444), ..Meta::default() };
    match made.and_then(|_| shell.fs.set_meta(&path, meta)) {
        Ok(()) => Ok(0),
        Err(error) => super::failed(shell, "/etc/machine-id", error),
    }
}
