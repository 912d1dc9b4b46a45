//! `systemd-sysusers`: the accounts of `sysusers.d` are made elsewhere, for all packages at once.

use crate::scriptlets::{
    Action,
    shell::{Shell, Status},
};

pub(super) fn sysusers(shell: &mut Shell<'_>, words: &[String]) -> Status {
    // lines from elsewhere than the packages' own files are not known there
    if words.iter().any(|word| word == "-" || word == "--inline" || word.starts_with("--replace")) {
        return super::unsupported("systemd-sysusers with lines of its own");
    }
    let command = [&["systemd-sysusers".to_owned()], words].concat().join(" ");
    shell.actions.push(Action::Ignored { command });
    Ok(0)
}
