//! The programs that scriptlets call, done on the tree.

mod accounts;
mod alternatives;
mod copy;
mod crypto_policies;
mod desktop_database;
mod files;
mod find;
mod glib;
mod grep;
mod hwdb;
mod icon_cache;
mod info;
mod ldconfig;
mod listing;
mod machine;
mod markup;
mod meta;
mod mime;
mod modes;
mod nothing;
mod options;
mod paths;
mod schemas;
mod sed;
mod sort;
mod systemctl;
mod sysusers;
mod text;
mod tmpfiles;
mod trust;
mod update_helper;
mod values;

use super::{
    ScriptletError,
    fs::FsError,
    shell::{Flow, Shell, Status},
};
use crate::TreePath;
use options::{Parsed, parse};

pub(super) use accounts::home;

/// A program by what it does: the arguments are those after its name.
pub(super) type Command = fn(&mut Shell<'_>, &[String]) -> Status;

/// The program of a name.
pub(super) fn find(name: &str) -> Option<Command> {
    Some(match name {
        "[" | "test" | "echo" | "printf" | "true" | "false" | "pwd" => return builtin(name),
        "touch" => files::touch,
        "mkdir" => files::mkdir,
        "rmdir" => files::rmdir,
        "rm" => files::rm,
        "unlink" => files::unlink,
        "mv" => files::mv,
        "ln" => files::ln,
        "cp" => copy::cp,
        "install" => copy::install,
        "chmod" => meta::chmod,
        "chown" => meta::chown,
        "chgrp" => meta::chgrp,
        "mknod" => files::mknod,
        "mkfifo" => files::mkfifo,
        "cat" => text::cat,
        "head" => text::head,
        "tail" => text::tail,
        "cut" => text::cut,
        "tr" => text::tr,
        "wc" => text::wc,
        "tee" => text::tee,
        "cmp" => text::cmp,
        "diff" => text::diff,
        "sort" => sort::sort,
        "uniq" => sort::uniq,
        "grep" => |shell, words| grep::grep(shell, words, 'G'),
        "egrep" => |shell, words| grep::grep(shell, words, 'E'),
        "fgrep" => |shell, words| grep::grep(shell, words, 'F'),
        "sed" => sed::sed,
        "basename" => paths::basename,
        "dirname" => paths::dirname,
        "readlink" => paths::readlink,
        "realpath" => paths::realpath,
        "stat" => paths::stat,
        "ls" => paths::ls,
        "seq" => paths::seq,
        "which" => paths::which,
        "find" => find::find,
        "xargs" => find::xargs,
        "env" => find::env,
        "useradd" | "adduser" => accounts::useradd,
        "groupadd" | "addgroup" => accounts::groupadd,
        "usermod" => accounts::usermod,
        "gpasswd" => accounts::gpasswd,
        "passwd" => accounts::passwd,
        "getent" => accounts::getent,
        "id" => accounts::id,
        "systemctl" => systemctl::systemctl,
        "systemd-update-helper" => update_helper::run,
        "systemd-sysusers" => sysusers::sysusers,
        "systemd-tmpfiles" => tmpfiles::tmpfiles,
        "update-alternatives" | "alternatives" => alternatives::alternatives,
        "install-info" => info::install_info,
        "systemd-machine-id-setup" => sysusers::machine_id,
        "ldconfig" => ldconfig::ldconfig,
        "update-crypto-policies" => crypto_policies::update,
        "setfacl" => nothing::setfacl,
        "expr" => values::expr,
        "mktemp" => values::mktemp,
        "sha256sum" => values::sha256sum,
        "sha512sum" => values::sha512sum,
        "uname" => machine::uname,
        "arch" => machine::arch,
        "date" => machine::date,
        "pidof" | "pgrep" => machine::no_process,
        "trust" | "p11-kit" => trust::trust,
        "systemd-hwdb" => hwdb::hwdb,
        "udevadm" => hwdb::udevadm,
        "update-mime-database" => mime::update,
        "gtk-update-icon-cache" | "gtk-update-icon-cache-3.0" => {
            |shell, words| icon_cache::update(shell, "gtk-update-icon-cache", words)
        }
        "gtk4-update-icon-cache" => {
            |shell, words| icon_cache::update(shell, "gtk4-update-icon-cache", words)
        }
        "update-desktop-database" => desktop_database::update,
        "glib-compile-schemas" => schemas::compile,
        _ => return None,
    })
}

/// Runs a program by its name; none when it is not known.
pub(super) fn run(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Option<Status> {
    if let Some(command) = find(name) {
        return Some(command(shell, words));
    }
    if nothing::is_nothing(name) {
        return Some(nothing::ignored(shell, name, words));
    }
    None
}

/// Why a program that is none of these cannot be done without.
pub(super) fn lacking(name: &str) -> ScriptletError {
    if nothing::is_needed(name) {
        ScriptletError::NeedsProgram { program: name.to_owned(), line: 0 }
    } else {
        ScriptletError::unsupported(name)
    }
}

fn builtin(name: &str) -> Option<Command> {
    super::shell::builtin(name)
}

/// A message of a failed system call, or the end of the run.
fn failed(
    shell: &mut Shell<'_>,
    what: impl std::fmt::Display,
    error: impl Into<FsError>,
) -> Status {
    match error.into() {
        FsError::Fatal(error) => Err(error.into()),
        FsError::Errno(error) => shell.complain(format!("{what}: {error}")),
    }
}

fn unsupported<T>(construct: impl Into<String>) -> Result<T, Flow> {
    Err(ScriptletError::unsupported(construct).into())
}

/// The last component of a path as written.
fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// What a file operand holds; `-` is standard input. None after a message.
fn operand(shell: &mut Shell<'_>, command: &str, name: &str) -> Result<Option<Vec<u8>>, Flow> {
    if matches!(name, "-" | "/dev/stdin") {
        return Ok(Some(shell.env.streams.read_all(0).unwrap_or_default()));
    }
    if name == "/dev/null" {
        return Ok(Some(Vec::new()));
    }
    let found = shell.fs.lookup(name.as_bytes(), true).map_err(FsError::from);
    match found.and_then(|path| shell.fs.read(&path)) {
        Ok(bytes) => {
            shell.budget.bytes(bytes.len())?;
            Ok(Some(bytes.to_vec()))
        }
        Err(error) => {
            failed(shell, format!("{command}: {name}"), error)?;
            Ok(None)
        }
    }
}

/// Text of a file of the tree, for commands with configuration; empty when there is none.
pub(super) fn text_of(shell: &Shell<'_>, path: &str) -> Result<Option<String>, Flow> {
    let Ok(place) = shell.fs.lookup(path.as_bytes(), true) else { return Ok(None) };
    match shell.fs.read(&place) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(FsError::Fatal(error)) => Err(error.into()),
        Err(FsError::Errno(_)) => Ok(None),
    }
}

/// Makes a directory and those above it, 0755 root:root where they are missing.
fn make_directories(shell: &mut Shell<'_>, path: &str) -> Result<TreePath, FsError> {
    let mut at = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = format!("{at}/{part}");
        if shell.fs.lookup(at.as_bytes(), true).is_err() {
            let place = shell.fs.resolve(at.as_bytes(), true)?;
            shell.fs.mkdir(&place, 0o755)?;
        }
    }
    Ok(shell.fs.resolve(path.as_bytes(), true)?)
}

/// The same for a path that may be relative to the working directory.
fn make_directories_from(shell: &mut Shell<'_>, path: &str) -> Result<TreePath, FsError> {
    let full =
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", shell.fs.cwd) };
    make_directories(shell, &full)
}
