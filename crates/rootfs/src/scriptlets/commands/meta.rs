//! `chmod`, `chown`, `chgrp`, and the names of accounts.

use super::{
    super::fs::{FsError, Meta},
    failed, modes, parse, text_of, unsupported,
};
use crate::{
    Kind, TreePath,
    scriptlets::shell::{Flow, Shell, Status},
};

/// The number of a user, by name as the tree has it or by number.
pub(super) fn user(shell: &Shell<'_>, name: &str) -> Result<Option<u32>, Flow> {
    number_of(shell, "/etc/passwd", name, shell.task.owners.uid(name))
}

/// The number of a group.
pub(super) fn group(shell: &Shell<'_>, name: &str) -> Result<Option<u32>, Flow> {
    number_of(shell, "/etc/group", name, shell.task.owners.gid(name))
}

fn number_of(
    shell: &Shell<'_>,
    file: &str,
    name: &str,
    known: Option<u32>,
) -> Result<Option<u32>, Flow> {
    let text = text_of(shell, file)?.unwrap_or_default();
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    let number = line.and_then(|line| line.split(':').nth(2)).and_then(|id| id.parse().ok());
    Ok(number.or(known).or_else(|| name.parse().ok()))
}

/// The name of a number, else the number.
pub(super) fn name_of(shell: &Shell<'_>, file: &str, id: u32) -> Result<String, Flow> {
    let text = text_of(shell, file)?.unwrap_or_default();
    let wanted = id.to_string();
    let line = text.lines().find(|line| line.split(':').nth(2) == Some(wanted.as_str()));
    Ok(line.and_then(|line| line.split(':').next()).unwrap_or(&wanted).to_owned())
}

/// Visits operands, with all below them where that is asked for; links found are not followed.
fn visit(
    shell: &mut Shell<'_>,
    command: &str,
    operands: &[String],
    recursive: bool,
    follow: bool,
    quiet: bool,
    mut change: impl FnMut(&mut Shell<'_>, &TreePath) -> Result<(), FsError>,
) -> Status {
    let mut status = 0;
    for name in operands {
        let path = match shell.fs.lookup(name.as_bytes(), follow) {
            Ok(path) => path,
            Err(_) if quiet => {
                status = 1;
                continue;
            }
            Err(error) => {
                status = failed(shell, format!("{command}: cannot access '{name}'"), error)?;
                continue;
            }
        };
        let mut all = vec![path.clone()];
        if recursive {
            all.extend(shell.fs.below(&path));
            shell.budget.steps(all.len() as u64)?;
        }
        for path in all {
            if let Err(error) = change(shell, &path) {
                status = failed(shell, format!("{command}: {name}"), error)?;
            }
        }
    }
    Ok(status)
}

pub(super) fn chmod(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("recursive", 'R'),
        ("verbose", 'v'),
        ("changes", 'c'),
        ("quiet", 'f'),
        ("silent", 'f'),
        ("reference", 'z'),
    ];
    // a mode like `-x` is no option
    let dashed = |word: &&String| {
        word.len() > 1 && word.starts_with('-') && word[1..].chars().all(|c| "rwxXst".contains(c))
    };
    let mode = words.iter().find(dashed).cloned();
    let words: Vec<String> = words.iter().filter(|word| !dashed(word)).cloned().collect();
    let mut parsed = parse("chmod", &words, "Rvcfz:", &names)?;
    let mut text = mode.unwrap_or_default();
    if let Some(reference) = parsed.value('z') {
        match shell.fs.lookup(reference.as_bytes(), true) {
            Ok(path) => text = format!("{:05o}", shell.fs.node(&path).map_or(0o755, |n| n.mode)),
            Err(error) => return failed(shell, format!("chmod: {reference}"), error),
        }
    } else if text.is_empty() {
        if parsed.operands.is_empty() {
            return shell.complain("chmod: missing operand");
        }
        text = parsed.operands.remove(0);
    }
    if modes::change(&text, 0, false, 0).is_none() {
        return shell.complain(format!("chmod: invalid mode: '{text}'"));
    }
    let umask = shell.fs.umask;
    let (recursive, quiet) = (parsed.has('R'), parsed.has('f'));
    visit(shell, "chmod", &parsed.operands, recursive, true, quiet, |shell, path| {
        let node = shell.fs.node(path);
        if node.is_some_and(|node| matches!(node.kind, Kind::Symlink { .. })) {
            return Ok(());
        }
        let old = node.map_or(0o755, |node| node.mode);
        let mode = modes::change(&text, old, shell.fs.is_dir(path), umask);
        shell.fs.set_meta(path, Meta { mode, ..Meta::default() })
    })
}

pub(super) fn chown(shell: &mut Shell<'_>, words: &[String]) -> Status {
    owner(shell, "chown", words)
}

pub(super) fn chgrp(shell: &mut Shell<'_>, words: &[String]) -> Status {
    owner(shell, "chgrp", words)
}

fn owner(shell: &mut Shell<'_>, command: &str, words: &[String]) -> Status {
    let names = [
        ("recursive", 'R'),
        ("verbose", 'v'),
        ("changes", 'c'),
        ("quiet", 'f'),
        ("silent", 'f'),
        ("no-dereference", 'h'),
        ("dereference", 'd'),
        ("reference", 'z'),
    ];
    let mut parsed = parse(command, words, "RvcfhPdz:", &names)?;
    let mut meta = Meta::default();
    if let Some(reference) = parsed.value('z') {
        let path = match shell.fs.lookup(reference.as_bytes(), true) {
            Ok(path) => path,
            Err(error) => return failed(shell, format!("{command}: {reference}"), error),
        };
        let (uid, gid) = shell.fs.node(&path).map_or((0, 0), |node| (node.uid, node.gid));
        meta.gid = Some(gid);
        meta.uid = (command == "chown").then_some(uid);
    } else {
        if parsed.operands.is_empty() {
            return shell.complain(format!("{command}: missing operand"));
        }
        let text = parsed.operands.remove(0);
        let (user_name, group_name) = match command {
            "chgrp" => ("", Some(text.as_str())),
            _ => match text.split_once(':') {
                Some((user, group)) => (user, Some(group)),
                None => match text.split_once('.') {
                    Some((name, group)) if user(shell, &text)?.is_none() => (name, Some(group)),
                    _ => (text.as_str(), None),
                },
            },
        };
        if !user_name.is_empty() {
            meta.uid = user(shell, user_name)?;
            if meta.uid.is_none() {
                return shell.complain(format!("{command}: invalid user: '{text}'"));
            }
        }
        match group_name {
            // `user:`: the group that the user has
            Some("") if !user_name.is_empty() => {
                let passwd = text_of(shell, "/etc/passwd")?.unwrap_or_default();
                let id = meta.uid.unwrap_or(0).to_string();
                let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(&id));
                let gid =
                    line.and_then(|line| line.split(':').nth(3)).and_then(|id| id.parse().ok());
                meta.gid = match gid {
                    Some(gid) => Some(gid),
                    None => return unsupported(format!("{command} {text}")),
                };
            }
            Some("") | None => {}
            Some(name) => {
                meta.gid = group(shell, name)?;
                if meta.gid.is_none() {
                    return shell.complain(format!("{command}: invalid group: '{text}'"));
                }
            }
        }
    }
    let (recursive, quiet) = (parsed.has('R'), parsed.has('f'));
    let follow = !parsed.has('h') && (!recursive || parsed.has('d'));
    visit(shell, command, &parsed.operands, recursive, follow, quiet, |shell, path| {
        shell.fs.set_meta(path, meta)
    })
}
