//! Commands about names of files.

use super::{Parsed, failed, meta, parse, unsupported};
use crate::{
    Kind,
    scriptlets::shell::{Shell, Status},
};

pub(super) fn basename(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let words = match words {
        [first, rest @ ..] if first == "--" => rest,
        words => words,
    };
    let (name, suffix) = match words {
        [option, ..] if option.starts_with('-') => {
            return unsupported(format!("basename {option}"));
        }
        [name] => (name.as_str(), ""),
        [name, suffix] => (name.as_str(), suffix.as_str()),
        _ => return shell.complain("basename: one operand"),
    };
    let base = super::base(name);
    let base = if base.is_empty() && name.starts_with('/') { "/" } else { base };
    let text = base.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(base);
    shell.out(format!("{text}\n"))?;
    Ok(0)
}

pub(super) fn dirname(shell: &mut Shell<'_>, words: &[String]) -> Status {
    for name in words.iter().filter(|word| *word != "--") {
        let trimmed = name.trim_end_matches('/');
        let text = match trimmed.rfind('/') {
            _ if trimmed.is_empty() && name.starts_with('/') => "/",
            None => ".",
            Some(at) => match trimmed[..at].trim_end_matches('/') {
                "" => "/",
                above => above,
            },
        };
        shell.out(format!("{text}\n"))?;
    }
    Ok(0)
}

pub(super) fn readlink(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("canonicalize", 'f'),
        ("canonicalize-existing", 'e'),
        ("canonicalize-missing", 'm'),
        ("no-newline", 'n'),
        ("quiet", 'q'),
        ("silent", 'q'),
    ];
    let parsed = parse("readlink", words, "femnqsv", &names)?;
    resolve_names(shell, &parsed, true)
}

pub(super) fn realpath(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("canonicalize-existing", 'e'), ("canonicalize-missing", 'm'), ("quiet", 'q')];
    let mut parsed = parse("realpath", words, "emq", &names)?;
    parsed.options.push(('f', String::new()));
    resolve_names(shell, &parsed, false)
}

fn resolve_names(shell: &mut Shell<'_>, parsed: &Parsed, quiet: bool) -> Status {
    let mut status = 0;
    let end = if parsed.has('n') { "" } else { "\n" };
    for name in &parsed.operands {
        let text = if parsed.has('m') {
            return unsupported("readlink -m");
        } else if parsed.has('e') {
            shell.fs.lookup(name.as_bytes(), true).map(|path| path.to_string())
        } else if parsed.has('f') {
            shell.fs.resolve(name.as_bytes(), true).map(|path| path.to_string())
        } else {
            shell.fs.lookup(name.as_bytes(), false).and_then(|path| {
                match shell.fs.node(&path).map(|node| &node.kind) {
                    Some(Kind::Symlink { target }) => {
                        Ok(String::from_utf8_lossy(target).into_owned())
                    }
                    _ => Err(super::super::fs::Errno::Invalid),
                }
            })
        };
        match text {
            Ok(text) => shell.out(format!("{text}{end}"))?,
            Err(_) if quiet => status = 1,
            Err(error) => status = failed(shell, format!("realpath: {name}"), error)?,
        }
    }
    Ok(status)
}

pub(super) fn stat(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("format", 'c'), ("printf", 'P'), ("dereference", 'L')];
    let parsed = parse("stat", words, "c:L", &names)?;
    let Some(format) = parsed.value('c').map(str::to_owned) else { return unsupported("stat") };
    let mut status = 0;
    for name in &parsed.operands {
        let path = match shell.fs.lookup(name.as_bytes(), parsed.has('L')) {
            Ok(path) => path,
            Err(error) => {
                status = failed(shell, format!("stat: cannot statx '{name}'"), error)?;
                continue;
            }
        };
        let node = shell.fs.node(&path).cloned().unwrap_or_else(crate::Node::implied_directory);
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            match chars.next() {
                Some('a') => text.push_str(&format!("{:o}", node.mode)),
                Some('u') => text.push_str(&node.uid.to_string()),
                Some('g') => text.push_str(&node.gid.to_string()),
                Some('U') => text.push_str(&meta::name_of(shell, "/etc/passwd", node.uid)?),
                Some('G') => text.push_str(&meta::name_of(shell, "/etc/group", node.gid)?),
                Some('n') => text.push_str(name),
                Some('s') if matches!(node.kind, Kind::File { .. }) => {
                    text.push_str(&shell.fs.size(&path).to_string());
                }
                Some('F') => text.push_str(match &node.kind {
                    Kind::Directory => "directory",
                    Kind::File { size: 0, .. } => "regular empty file",
                    Kind::File { .. } => "regular file",
                    Kind::Symlink { .. } => "symbolic link",
                    Kind::Fifo => "fifo",
                    Kind::Device { block: true, .. } => "block special file",
                    Kind::Device { .. } => "character special file",
                }),
                Some('%') => text.push('%'),
                other => return unsupported(format!("stat -c %{}", other.unwrap_or(' '))),
            }
        }
        shell.out(format!("{text}\n"))?;
    }
    Ok(status)
}

/// Names only.
pub(super) fn ls(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("ls", words, "1aAd", &[("directory", 'd'), ("all", 'a')])?;
    let mut operands = parsed.operands.clone();
    if operands.is_empty() {
        operands.push(".".to_owned());
    }
    operands.sort();
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    let mut status = 0;
    for name in operands {
        match shell.fs.lookup(name.as_bytes(), true) {
            Ok(path) if shell.fs.is_dir(&path) && !parsed.has('d') => {
                directories.push((name, path));
            }
            Ok(_) => files.push(name),
            Err(_) if shell.fs.lookup(name.as_bytes(), false).is_ok() => files.push(name),
            Err(error) => {
                failed(shell, format!("ls: cannot access '{name}'"), error)?;
                status = 2;
            }
        }
    }
    for name in &files {
        shell.out(format!("{name}\n"))?;
    }
    if directories.len() > 1 || !directories.is_empty() && !files.is_empty() {
        return unsupported("ls of several directories");
    }
    for (_, path) in directories {
        let mut names = shell.fs.children(&path);
        if parsed.has('a') {
            names.splice(0..0, [b".".to_vec(), b"..".to_vec()]);
        }
        for name in names {
            if !name.starts_with(b".") || parsed.has('a') || parsed.has('A') {
                shell.out([&name[..], b"\n"].concat())?;
            }
        }
    }
    Ok(status)
}

pub(super) fn seq(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let numbers: Result<Vec<i64>, _> = words.iter().map(|word| word.parse()).collect();
    let (first, step, last) = match numbers.as_deref() {
        Ok([last]) => (1, 1, *last),
        Ok([first, last]) => (*first, 1, *last),
        Ok([first, step, last]) if *step != 0 => (*first, *step, *last),
        _ => return unsupported("seq of this form"),
    };
    let mut number = first;
    while if step > 0 { number <= last } else { number >= last } {
        shell.budget.steps(1)?;
        shell.out(format!("{number}\n"))?;
        number = number.saturating_add(step);
    }
    Ok(0)
}

pub(super) fn which(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("which", words, "s", &[("skip-alias", 's'), ("skip-functions", 's')])?;
    let mut status = 0;
    for name in &parsed.operands {
        let path = shell.get("PATH").unwrap_or_default().to_owned();
        let found = path
            .split(':')
            .map(|directory| format!("{directory}/{name}"))
            .find(|path| shell.find_program(path).is_some());
        match found {
            Some(found) => shell.out(format!("{found}\n"))?,
            None => status = shell.complain(format!("which: no {name}"))?,
        }
    }
    Ok(status)
}
