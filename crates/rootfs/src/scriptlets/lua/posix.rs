//! rpm's `posix` table.

use super::{
    accounts,
    arguments::{Args, Out},
    files,
    host::{Answer, Failure, Function, Host, until_nul},
    mode, process,
    stat::{self, select},
};
use crate::{
    Kind,
    scriptlets::{
        fs::{Errno, FsError, Meta},
        shell::Variable,
        streams::Stream,
    },
};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("access", stat::access),
    ("chdir", chdir),
    ("chmod", chmod),
    ("chown", chown),
    ("ctermid", |_, _| Ok(vec![Out::text("/dev/tty")])),
    ("dir", stat::dir),
    ("errno", errno),
    ("exec", process::exec),
    ("fork", process::fork),
    ("getcwd", getcwd),
    ("getenv", getenv),
    ("getgroup", accounts::getgroup),
    ("getlogin", |_, _| Ok(vec![Out::Nil])),
    ("getpasswd", accounts::getpasswd),
    ("getprocessid", getprocessid),
    ("link", link),
    ("mkdir", mkdir),
    ("mkfifo", mkfifo),
    ("pathconf", pathconf),
    ("putenv", putenv),
    ("readlink", stat::readlink),
    ("redirect2null", redirect2null),
    ("rmdir", rmdir),
    ("setenv", setenv),
    ("setgid", |_, args| set_id("posix.setgid", args)),
    ("setuid", |_, args| set_id("posix.setuid", args)),
    ("sleep", sleep),
    ("stat", stat::stat),
    ("symlink", symlink),
    ("sysconf", sysconf),
    ("ttyname", |_, _| Ok(vec![Out::Nil])),
    ("umask", umask),
    ("uname", uname),
    ("unlink", unlink),
    ("unsetenv", unsetenv),
    ("utime", utime),
    ("wait", process::wait),
];

/// Functions of the real table that have no answer here.
pub(super) const UNSUPPORTED: &[&str] = &["kill", "times"];

fn errno(host: &mut Host<'_>, _: &Args) -> Answer {
    let problem = &host.process.errno;
    Ok(vec![Out::text(&problem.text), Out::Number(problem.number.into())])
}

fn getcwd(host: &mut Host<'_>, _: &Args) -> Answer {
    Ok(vec![Out::text(format!("/{}", String::from_utf8_lossy(host.shell.fs.cwd.as_bytes())))])
}

fn chdir(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let result = host.there(name).and_then(|path| {
        if host.shell.fs.is_dir(&path) { Ok(path) } else { Err(Errno::NotDirectory) }
    });
    let result = result.map(|path| host.shell.fs.cwd = path);
    host.result(result.map_err(Into::into), Some(name))
}

fn mkdir(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &mut host.shell.fs;
    let path = fs.resolve(name, false).map_err(FsError::from);
    let result = path.and_then(|path| fs.mkdir(&path, 0o777));
    host.result(result, Some(name))
}

fn mkfifo(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &mut host.shell.fs;
    let path = fs.resolve(name, false).map_err(FsError::from);
    let result = path.and_then(|path| fs.special(&path, Kind::Fifo, 0o777));
    host.result(result, Some(name))
}

fn rmdir(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &mut host.shell.fs;
    let path = fs.lookup(name, false).map_err(FsError::from);
    let result = path.and_then(|path| fs.rmdir(&path));
    host.result(result, Some(name))
}

fn unlink(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &mut host.shell.fs;
    let path = fs.lookup(name, false).map_err(FsError::from);
    let result = path.and_then(|path| fs.unlink(&path));
    host.result(result, Some(name))
}

fn link(host: &mut Host<'_>, args: &Args) -> Answer {
    let (from, to) = (until_nul(args.text(1)?), until_nul(args.text(2)?));
    let fs = &mut host.shell.fs;
    let places = fs.lookup(from, false).and_then(|from| Ok((from, fs.resolve(to, false)?)));
    let result = places.map_err(FsError::from).and_then(|(from, to)| fs.hard_link(&from, &to));
    host.result(result, None)
}

fn symlink(host: &mut Host<'_>, args: &Args) -> Answer {
    let (target, name) = (until_nul(args.text(1)?), until_nul(args.text(2)?));
    let fs = &mut host.shell.fs;
    let path = fs.resolve(name, false).map_err(FsError::from);
    let result = path.and_then(|path| fs.symlink(target, &path));
    host.result(result, None)
}

fn chmod(host: &mut Host<'_>, args: &Args) -> Answer {
    let (name, text) = (until_nul(args.text(1)?), until_nul(args.text(2)?));
    let path = match host.there(name) {
        Ok(path) => path,
        Err(errno) => return Ok(host.failed(errno.into(), Some(name))),
    };
    let old = host.shell.fs.node(&path).map_or(0o755, |node| node.mode);
    let mode = mode::parse(old, text).ok_or_else(|| args.wrong(2, "bad mode"))?;
    let result = host.shell.fs.set_meta(&path, Meta { mode: Some(mode), ..Meta::default() });
    host.result(result, Some(name))
}

fn chown(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let uid = accounts::owner(host, "/etc/passwd", args, 2)?;
    let gid = accounts::owner(host, "/etc/group", args, 3)?;
    let result = host.there(name).map_err(FsError::from);
    let meta = Meta { uid, gid, ..Meta::default() };
    let result = result.and_then(|path| host.shell.fs.set_meta(&path, meta));
    host.result(result, Some(name))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn utime(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let mtime = if args.is_nothing(2) {
        host.shell.fs.mtime
    } else {
        args.number(2)?.clamp(0.0, 4e9) as u64
    };
    let result = host.there(name).map_err(FsError::from);
    let meta = Meta { mtime: Some(mtime), ..Meta::default() };
    let result = result.and_then(|path| host.shell.fs.set_meta(&path, meta));
    host.result(result, Some(name))
}

fn umask(host: &mut Host<'_>, args: &Args) -> Answer {
    let mut allowed = !host.shell.fs.umask & 0o777;
    if args.get(1).is_some() {
        match mode::parse(allowed, until_nul(args.text(1)?)) {
            Some(mode) => allowed = mode & 0o777,
            None => return Ok(vec![Out::Nil]),
        }
        host.shell.fs.umask = !allowed & 0o777;
    }
    Ok(vec![Out::text(mode::text(allowed))])
}

/// With a name its value, without all of them.
fn getenv(host: &mut Host<'_>, args: &Args) -> Answer {
    if args.get(1).is_some() {
        return files::getenv(host, args);
    }
    let exported = host.shell.env.variables.iter().filter(|(_, variable)| variable.exported);
    let set = exported
        .filter_map(|(name, variable)| Some((name.clone(), Out::text(variable.value.as_ref()?))));
    Ok(vec![Out::Record(set.collect())])
}

fn set(host: &mut Host<'_>, name: &str, value: String) {
    let variable = Variable { value: Some(value), exported: true, readonly: false };
    host.shell.env.variables.insert(name.to_owned(), variable);
}

fn setenv(host: &mut Host<'_>, args: &Args) -> Answer {
    let (name, value) = (args.string(1)?, args.string(2)?);
    let truth = |arg: &super::arguments::Arg| *arg != super::arguments::Arg::Boolean(false);
    let overwrite = args.is_nothing(3) || args.get(3).is_some_and(truth);
    if name.is_empty() || name.contains('=') {
        return Ok(host.failed(Errno::Invalid.into(), Some(name.as_bytes())));
    }
    let there = host.shell.env.variables.get(&name).is_some_and(|variable| variable.exported);
    if overwrite || !there {
        set(host, &name, value);
    }
    Ok(vec![Out::Number(0.0)])
}

/// `name=value` sets, a name alone takes away.
fn putenv(host: &mut Host<'_>, args: &Args) -> Answer {
    let text = args.string(1)?;
    match text.split_once('=') {
        Some((name, value)) => set(host, name, value.to_owned()),
        None => {
            host.shell.env.variables.remove(&text);
        }
    }
    Ok(vec![Out::Number(0.0)])
}

fn unsetenv(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = args.string(1)?;
    host.shell.env.variables.remove(&name);
    Ok(Vec::new())
}

fn getprocessid(host: &mut Host<'_>, args: &Args) -> Answer {
    let (zero, pid) = (Out::Number(0.0), Out::Number(host.process.pid.into()));
    let fields = vec![
        ("egid", zero.clone()),
        ("euid", zero.clone()),
        ("gid", zero.clone()),
        ("uid", zero),
        ("pgrp", Out::Number(100.0)),
        ("pid", pid),
        ("ppid", Out::Number(99.0)),
    ];
    select(args, 1, fields)
}

/// Root is who it is.
fn set_id(function: &str, args: &Args) -> Answer {
    match args.text(1)? {
        b"0" | b"root" => Ok(vec![Out::Number(0.0)]),
        _ => Err(Failure::unsupported(function)),
    }
}

/// Nothing takes time.
fn sleep(_: &mut Host<'_>, args: &Args) -> Answer {
    args.integer(1)?;
    Ok(vec![Out::Number(0.0)])
}

/// `rpm.redirect2null(fd)` and `posix.redirect2null(fd)`
pub(super) fn redirect2null(host: &mut Host<'_>, args: &Args) -> Answer {
    if !host.process.is_child() {
        return Err(Failure::raise("redirect2null not permitted in this context"));
    }
    let fd = i32::try_from(args.integer(1)?).unwrap_or(-1);
    if fd < 0 {
        return Ok(host.failed(super::errno::Problem::bad_descriptor(), None));
    }
    host.shell.env.streams.0.insert(fd, Stream::Null);
    Ok(vec![Out::Number(fd.into())])
}

/// A kernel that is new enough for all; what else it says of the machine is not known.
fn uname(_: &mut Host<'_>, args: &Args) -> Answer {
    let mut out = Vec::new();
    let mut format = until_nul(args.text_or(1, b"%s %n %r %v %m")?).iter();
    while let Some(letter) = format.next() {
        if *letter != b'%' {
            out.push(*letter);
            continue;
        }
        match format.next() {
            Some(b'%') => out.push(b'%'),
            Some(b's') => out.extend(b"Linux"),
            Some(b'r') => out.extend(b"6.12.0"),
            Some(other @ (b'm' | b'n' | b'v')) => {
                let construct = format!("posix.uname(\"%{}\")", char::from(*other));
                return Err(Failure::unsupported(construct));
            }
            other => {
                let letter = char::from(*other.unwrap_or(&0));
                return Err(args.wrong(2, &format!("unknown format option `{letter}'")));
            }
        }
    }
    Ok(vec![Out::Text(out)])
}

/// Linux's own numbers.
fn pathconf(_: &mut Host<'_>, args: &Args) -> Answer {
    args.text(1)?;
    let fields = [
        ("link_max", 127),
        ("max_canon", 255),
        ("max_input", 255),
        ("name_max", 255),
        ("path_max", 4096),
        ("pipe_buf", 4096),
        ("chown_restricted", 1),
        ("no_trunc", 1),
        ("vdisable", 0),
    ];
    select(args, 2, fields.map(|(name, value)| (name, Out::Number(value.into()))).into())
}

fn sysconf(_: &mut Host<'_>, args: &Args) -> Answer {
    let fields = [
        ("arg_max", 2_097_152),
        ("child_max", 4096),
        ("clk_tck", 100),
        ("ngroups_max", 65_536),
        ("stream_max", 16),
        ("tzname_max", -1),
        ("open_max", 1024),
        ("job_control", 1),
        ("saved_ids", 1),
        ("version", 200_809),
    ];
    select(args, 1, fields.map(|(name, value)| (name, Out::Number(value.into()))).into())
}
