//! `systemd-update-helper`: what the macros of systemd's packages call.

use super::systemctl;
use crate::scriptlets::{
    Action,
    shell::{Shell, Status},
};

pub(super) fn run(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let Some((verb, units)) = words.split_first() else {
        return shell.complain("systemd-update-helper: verb expected");
    };
    let with = |first: &[&str]| -> Vec<String> {
        first.iter().map(|word| (*word).to_owned()).chain(units.iter().cloned()).collect()
    };
    match verb.as_str() {
        "install-system-units" => systemctl::systemctl(shell, &with(&["--no-reload", "preset"])),
        "install-user-units" => {
            systemctl::systemctl(shell, &with(&["--no-reload", "preset", "--global"]))
        }
        "remove-system-units" => {
            systemctl::systemctl(shell, &with(&["--no-reload", "disable", "--now"]))
        }
        "remove-user-units" => systemctl::systemctl(shell, &with(&["--global", "disable"])),
        "mark-restart-system-units"
        | "mark-reload-system-units"
        | "mark-restart-user-units"
        | "mark-reload-user-units"
        | "system-reload-restart"
        | "system-reload"
        | "system-restart"
        | "user-reload-restart"
        | "user-reload"
        | "user-restart" => {
            let command = format!("systemd-update-helper {}", words.join(" "));
            shell.actions.push(Action::Ignored { command });
            Ok(0)
        }
        _ => super::unsupported(format!("systemd-update-helper {verb}")),
    }
}
