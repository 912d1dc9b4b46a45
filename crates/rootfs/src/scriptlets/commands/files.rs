//! Making, moving and removing files.

use super::{
    super::fs::{Errno, FsError, Meta},
    Parsed, base, failed, modes, parse, unsupported,
};
use crate::{
    Kind, TreePath,
    scriptlets::shell::{Flow, Shell, Status},
};

pub(super) fn touch(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("no-create", 'c'), ("reference", 'r'), ("date", 'd'), ("no-dereference", 'h')];
    let parsed = parse("touch", words, "camfr:d:h", &names)?;
    let mut time = shell.fs.mtime;
    if let Some(reference) = parsed.value('r') {
        match shell.fs.lookup(reference.as_bytes(), true) {
            Ok(path) => time = shell.fs.node(&path).map_or(0, |node| node.mtime),
            Err(error) => return failed(shell, format!("touch: {reference}"), error),
        }
    }
    if let Some(date) = parsed.value('d') {
        match date.strip_prefix('@').and_then(|date| date.parse().ok()) {
            Some(date) => time = date,
            None => return unsupported("touch -d"),
        }
    }
    let mut status = 0;
    for name in &parsed.operands {
        let result = shell.fs.resolve(name.as_bytes(), !parsed.has('h')).map_err(FsError::from);
        let result = result.and_then(|path| {
            if !shell.fs.exists(&path) {
                if parsed.has('c') {
                    return Ok(());
                }
                shell.fs.create(&path, 0o666)?;
            }
            let only_access = parsed.has('a') && !parsed.has('m');
            if shell.fs.is_dir(&path) || only_access {
                return Ok(());
            }
            shell.fs.set_meta(&path, Meta { mtime: Some(time), ..Meta::default() })
        });
        if let Err(error) = result {
            status = failed(shell, format!("touch: cannot touch '{name}'"), error)?;
        }
    }
    Ok(status)
}

pub(super) fn mkdir(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("parents", 'p'), ("mode", 'm'), ("verbose", 'v')];
    let parsed = parse("mkdir", words, "pm:vZ", &names)?;
    let mut status = 0;
    for name in &parsed.operands {
        if let Err(error) = make(shell, name, parsed.has('p'), parsed.value('m'))? {
            status = failed(shell, format!("mkdir: cannot create directory '{name}'"), error)?;
        } else if parsed.has('v') {
            shell.out(format!("mkdir: created directory '{name}'\n"))?;
        }
    }
    Ok(status)
}

/// `mkdir`: the outer error ends the run.
fn make(
    shell: &mut Shell<'_>,
    name: &str,
    parents: bool,
    mode: Option<&str>,
) -> Result<Result<(), FsError>, Flow> {
    let mode = match mode {
        None => None,
        Some(text) => match modes::change(text, 0o777, true, shell.fs.umask) {
            Some(mode) => Some(mode),
            None => return unsupported(format!("mkdir -m {text}")),
        },
    };
    let mut inner = || -> Result<(), FsError> {
        if parents {
            let mut at = if name.starts_with('/') { "/".to_owned() } else { String::new() };
            for part in name.split('/').filter(|part| !part.is_empty()) {
                at = format!("{at}{part}/");
                match shell.fs.lookup(at.as_bytes(), true) {
                    Ok(path) if shell.fs.is_dir(&path) => continue,
                    Ok(_) => return Err(Errno::NotDirectory.into()),
                    Err(Errno::NoEntry) => {}
                    Err(error) => return Err(error.into()),
                }
                let bare = at.trim_end_matches('/');
                let path = shell.fs.resolve(bare.as_bytes(), false)?;
                shell.fs.mkdir(&path, 0o777)?;
                if bare == name.trim_end_matches('/') && mode.is_some() {
                    shell.fs.set_meta(&path, Meta { mode, ..Meta::default() })?;
                }
            }
            return Ok(());
        }
        let bare = name.trim_end_matches('/');
        let path = shell.fs.resolve(if bare.is_empty() { "/" } else { bare }.as_bytes(), false)?;
        shell.fs.mkdir(&path, 0o777)?;
        match mode {
            Some(_) => shell.fs.set_meta(&path, Meta { mode, ..Meta::default() }),
            None => Ok(()),
        }
    };
    Ok(inner())
}

pub(super) fn rmdir(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("parents", 'p'), ("ignore-fail-on-non-empty", 'i')];
    let parsed = parse("rmdir", words, "pvi", &names)?;
    let mut status = 0;
    for name in &parsed.operands {
        let mut at = name.trim_end_matches('/').to_owned();
        loop {
            let result = shell.fs.resolve(at.as_bytes(), false).map_err(FsError::from);
            match result.and_then(|path| shell.fs.rmdir(&path)) {
                Ok(()) => {}
                Err(FsError::Errno(Errno::NotEmpty)) if parsed.has('i') => break,
                Err(error) => {
                    status = failed(shell, format!("rmdir: failed to remove '{at}'"), error)?;
                    break;
                }
            }
            match at.rfind('/') {
                Some(slash) if parsed.has('p') && slash > 0 => at.truncate(slash),
                _ => break,
            }
        }
    }
    Ok(status)
}

pub(super) fn rm(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("force", 'f'),
        ("recursive", 'r'),
        ("verbose", 'v'),
        ("dir", 'd'),
        ("one-file-system", 'x'),
        ("preserve-root", 'x'),
    ];
    let parsed = parse("rm", words, "rRfvdx", &names)?;
    let recursive = parsed.has('r') || parsed.has('R');
    let mut status = 0;
    for name in &parsed.operands {
        let what = format!("rm: cannot remove '{name}'");
        if matches!(base(name), "." | "..") || name.chars().all(|c| c == '/') && !name.is_empty() {
            status = shell.complain(format!("rm: refusing to remove '{name}'"))?;
            continue;
        }
        let found = shell.fs.lookup(name.as_bytes(), false);
        let result = match found {
            Err(Errno::NoEntry | Errno::NotDirectory) if parsed.has('f') => continue,
            Err(error) => Err(error.into()),
            Ok(path) if shell.fs.is_dir(&path) => {
                if recursive {
                    shell.fs.remove_all(&path)
                } else if parsed.has('d') {
                    shell.fs.rmdir(&path)
                } else {
                    Err(Errno::IsDirectory.into())
                }
            }
            Ok(path) => shell.fs.unlink(&path),
        };
        match result {
            Err(error) => status = failed(shell, what, error)?,
            Ok(()) if parsed.has('v') => shell.out(format!("removed '{name}'\n"))?,
            Ok(()) => {}
        }
    }
    Ok(status)
}

pub(super) fn unlink(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let Parsed { operands, .. } = parse("unlink", words, "", &[])?;
    let [name] = operands.as_slice() else { return shell.complain("unlink: one operand") };
    let found = shell.fs.resolve(name.as_bytes(), false).map_err(FsError::from);
    match found.and_then(|path| shell.fs.unlink(&path)) {
        Ok(()) => Ok(0),
        Err(error) => failed(shell, format!("unlink: {name}"), error),
    }
}

/// Operands as sources with the path that each becomes.
pub(super) fn targets(
    shell: &mut Shell<'_>,
    command: &str,
    parsed: &Parsed,
    follow_last: bool,
) -> Result<Option<Vec<(String, String)>>, Flow> {
    let into = |sources: &[String], directory: &str| {
        let directory = directory.trim_end_matches('/');
        sources.iter().map(|name| (name.clone(), format!("{directory}/{}", base(name)))).collect()
    };
    if let Some(directory) = parsed.value('t') {
        return Ok(Some(into(&parsed.operands, directory)));
    }
    let Some((last, sources)) = parsed.operands.split_last() else {
        shell.complain(format!("{command}: missing operand"))?;
        return Ok(None);
    };
    if sources.is_empty() {
        shell.complain(format!("{command}: missing destination after '{last}'"))?;
        return Ok(None);
    }
    let found = shell.fs.lookup(last.as_bytes(), follow_last);
    if found.is_ok_and(|path| shell.fs.is_dir(&path)) && !parsed.has('T') {
        return Ok(Some(into(sources, last)));
    }
    if let [source] = sources {
        return Ok(Some(vec![(source.clone(), last.clone())]));
    }
    shell.complain(format!("{command}: target '{last}' is not a directory"))?;
    Ok(None)
}

pub(super) fn mv(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("force", 'f'),
        ("no-clobber", 'n'),
        ("no-target-directory", 'T'),
        ("target-directory", 't'),
        ("verbose", 'v'),
    ];
    let parsed = parse("mv", words, "fnTt:vZ", &names)?;
    let Some(pairs) = targets(shell, "mv", &parsed, true)? else { return Ok(1) };
    let mut status = 0;
    for (from, to) in pairs {
        let what = format!("mv: cannot move '{from}' to '{to}'");
        let source = match shell.fs.lookup(from.as_bytes(), false) {
            Ok(source) => source,
            Err(error) => {
                status = failed(shell, format!("mv: cannot stat '{from}'"), error)?;
                continue;
            }
        };
        let bare = if shell.fs.is_dir(&source) { to.trim_end_matches('/') } else { to.as_str() };
        let result = shell.fs.resolve(bare.as_bytes(), false).map_err(FsError::from);
        let result = result.and_then(|target| {
            if shell.fs.exists(&target) && parsed.has('n') {
                return Ok(());
            }
            if source == target {
                return Err(Errno::Exists.into());
            }
            // two names of one inode become one
            if shell.fs.links(&source).is_some()
                && shell.fs.links(&source) == shell.fs.links(&target)
            {
                return shell.fs.unlink(&source);
            }
            shell.fs.rename(&source, &target)
        });
        match result {
            Err(error) => status = failed(shell, what, error)?,
            Ok(()) if parsed.has('v') => shell.out(format!("renamed '{from}' -> '{to}'\n"))?,
            Ok(()) => {}
        }
    }
    Ok(status)
}

pub(super) fn ln(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("symbolic", 's'),
        ("force", 'f'),
        ("no-dereference", 'n'),
        ("no-target-directory", 'T'),
        ("target-directory", 't'),
        ("relative", 'r'),
        ("verbose", 'v'),
    ];
    let parsed = parse("ln", words, "sfnTt:rvLPi", &names)?;
    let mut parsed = parsed;
    if parsed.has('i') {
        return unsupported("ln -i");
    }
    if let [_] = parsed.operands.as_slice()
        && parsed.value('t').is_none()
    {
        parsed.operands.push(".".to_owned());
    }
    let Some(pairs) = targets(shell, "ln", &parsed, !parsed.has('n'))? else { return Ok(1) };
    let mut status = 0;
    for (target, name) in pairs {
        let result = link(shell, &target, &name, &parsed);
        match result {
            Err(error) => {
                status = failed(shell, format!("ln: failed to create link '{name}'"), error)?;
            }
            Ok(()) if parsed.has('v') => shell.out(format!("'{name}' -> '{target}'\n"))?,
            Ok(()) => {}
        }
    }
    Ok(status)
}

fn link(shell: &mut Shell<'_>, target: &str, name: &str, parsed: &Parsed) -> Result<(), FsError> {
    let place = shell.fs.resolve(name.as_bytes(), false)?;
    let source = if parsed.has('s') {
        None
    } else {
        let source = shell.fs.lookup(target.as_bytes(), parsed.has('L'))?;
        if shell.fs.is_dir(&source) {
            return Err(Errno::NotPermitted.into());
        }
        Some(source)
    };
    if shell.fs.exists(&place) {
        if !parsed.has('f') {
            return Err(Errno::Exists.into());
        }
        if shell.fs.is_dir(&place) {
            return Err(Errno::IsDirectory.into());
        }
        if source.as_ref() == Some(&place) {
            return Err(Errno::Exists.into());
        }
        shell.fs.unlink(&place)?;
    }
    match source {
        Some(source) => shell.fs.hard_link(&source, &place),
        None if parsed.has('r') => {
            let directory = place.parent().unwrap_or_default();
            let target = shell.fs.resolve(target.as_bytes(), true)?;
            shell.fs.symlink(&relative(&directory, &target), &place)
        }
        None => shell.fs.symlink(target.as_bytes(), &place),
    }
}

/// The way from a directory to a path.
pub(super) fn relative(directory: &TreePath, target: &TreePath) -> Vec<u8> {
    let from: Vec<&[u8]> = directory.components().collect();
    let to: Vec<&[u8]> = target.components().collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(&b".."[..], from.len() - common);
    let parts: Vec<&[u8]> = up.chain(to[common..].iter().copied()).collect();
    if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') }
}

pub(super) fn mkfifo(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("mkfifo", words, "m:", &[("mode", 'm')])?;
    let mut status = 0;
    for name in &parsed.operands {
        status = special(shell, name, Kind::Fifo, parsed.value('m'))?.max(status);
    }
    Ok(status)
}

pub(super) fn mknod(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let parsed = parse("mknod", words, "m:", &[("mode", 'm')])?;
    let operands: Vec<&str> = parsed.operands.iter().map(String::as_str).collect();
    let (name, kind) = match operands.as_slice() {
        [name, "p"] => (*name, Kind::Fifo),
        [name, letter @ ("b" | "c" | "u"), major, minor] => {
            let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else {
                return unsupported("mknod with these numbers");
            };
            (*name, Kind::Device { block: *letter == "b", major, minor })
        }
        _ => return unsupported("mknod of this form"),
    };
    special(shell, name, kind, parsed.value('m'))
}

fn special(shell: &mut Shell<'_>, name: &str, kind: Kind, mode: Option<&str>) -> Status {
    let mode = match mode {
        None => None,
        Some(text) => match modes::change(text, 0o666, false, shell.fs.umask) {
            Some(mode) => Some(mode),
            None => return unsupported(format!("mode {text}")),
        },
    };
    let result = shell.fs.resolve(name.as_bytes(), false).map_err(FsError::from);
    let result = result.and_then(|path| {
        shell.fs.special(&path, kind, 0o666)?;
        match mode {
            Some(_) => shell.fs.set_meta(&path, Meta { mode, ..Meta::default() }),
            None => Ok(()),
        }
    });
    match result {
        Ok(()) => Ok(0),
        Err(error) => failed(shell, name, error),
    }
}
