//! `posix.stat` and other functions that give one field or a table of all.

use super::{
    arguments::{Args, Out},
    host::{Answer, Host, until_nul},
    mode,
};
use crate::{Kind, TreePath, scriptlets::fs::Errno};

/// One field by its name, or all in a table.
pub(super) fn select(args: &Args, index: usize, fields: Vec<(&'static str, Out)>) -> Answer {
    if args.get(index).is_none() {
        let fields = fields.into_iter().map(|(name, out)| (name.to_owned(), out)).collect();
        return Ok(vec![Out::Record(fields)]);
    }
    let wanted = args.text(index)?;
    match fields.into_iter().find(|(name, _)| name.as_bytes() == wanted) {
        Some((_, out)) => Ok(vec![out]),
        None => {
            let why = format!("invalid option '{}'", String::from_utf8_lossy(wanted));
            Err(args.wrong(index, &why))
        }
    }
}

/// `posix.stat(path, [field])`, of the link itself. Inode numbers are made up from the first name,
/// so that the names of one file have the same.
#[allow(clippy::cast_precision_loss, reason = "Lua's numbers")]
pub(super) fn stat(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &mut host.shell.fs;
    let path = match fs.lookup(name, false) {
        Ok(path) => path,
        Err(errno) => return Ok(host.failed(errno.into(), Some(name))),
    };
    let node = fs.node(&path).cloned().unwrap_or_else(crate::Node::implied_directory);
    let (kind, bits, size) = match &node.kind {
        Kind::Directory => ("directory", 0o040_000, 4096.0),
        Kind::File { size, .. } => ("regular", 0o100_000, *size as f64),
        Kind::Symlink { target } => ("link", 0o120_000, target.len() as f64),
        Kind::Fifo => ("fifo", 0o010_000, 0.0),
        Kind::Device { block: true, .. } => ("block device", 0o060_000, 0.0),
        Kind::Device { .. } => ("character device", 0o020_000, 0.0),
    };
    let names = fs.names(&path);
    let links = if node.is_dir() {
        let inside = fs.children(&path);
        2 + inside.iter().filter(|name| fs.is_dir(&path.join(name))).count()
    } else {
        names.len()
    };
    let (mode, mtime) = (node.mode, node.mtime as f64);
    let (uid, gid) = (node.uid, node.gid);
    let inode = inode(names.first().unwrap_or(&path));
    host.shell.budget.steps(links as u64 / 8)?;
    let fields = vec![
        ("mode", Out::text(mode::text(mode))),
        ("ino", Out::Number(inode)),
        ("dev", Out::Number(1.0)),
        ("nlink", Out::Number(links as f64)),
        ("uid", Out::Number(uid.into())),
        ("gid", Out::Number(gid.into())),
        ("size", Out::Number(size)),
        ("atime", Out::Number(mtime)),
        ("mtime", Out::Number(mtime)),
        ("ctime", Out::Number(mtime)),
        ("type", Out::text(kind)),
        ("_mode", Out::Number(f64::from(bits | u32::from(mode)))),
    ];
    select(args, 2, fields)
}

fn inode(path: &TreePath) -> f64 {
    // FNV-1a
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
    f64::from(path.as_bytes().iter().fold(2_166_136_261, step) | 1)
}

/// `posix.access(path, [mode])`, as root: only what nobody may run cannot be run.
pub(super) fn access(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let mut runs = false;
    for letter in args.text_or(2, b"f")? {
        match letter {
            b'x' => runs = true,
            b' ' | b'r' | b'w' | b'f' => {}
            other => {
                let why = format!("unknown mode option `{}'", char::from(*other));
                return Err(args.wrong(2, &why));
            }
        }
    }
    match host.there(name) {
        Ok(path) => {
            let dir = host.shell.fs.is_dir(&path);
            let may = host.shell.fs.node(&path).is_none_or(|node| dir || node.mode & 0o111 != 0);
            if runs && !may {
                return Ok(host.failed(super::errno::Problem::denied(), Some(name)));
            }
            Ok(vec![Out::Number(0.0)])
        }
        Err(errno) => Ok(host.failed(errno.into(), Some(name))),
    }
}

/// `posix.readlink(path)`
pub(super) fn readlink(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text(1)?);
    let fs = &host.shell.fs;
    let errno = match fs.lookup(name, false) {
        Ok(path) => match fs.node(&path).map(|node| &node.kind) {
            Some(Kind::Symlink { target }) => {
                return Ok(vec![Out::text(&target[..target.len().min(512)])]);
            }
            _ => Errno::Invalid,
        },
        Err(errno) => errno,
    };
    Ok(host.failed(errno.into(), Some(name)))
}

/// `posix.dir([path])` and the list behind `posix.files`: in byte order.
pub(super) fn dir(host: &mut Host<'_>, args: &Args) -> Answer {
    let name = until_nul(args.text_or(1, b".")?);
    let path = match host.there(name) {
        Ok(path) if host.shell.fs.is_dir(&path) => path,
        Ok(_) => return Ok(host.failed(Errno::NotDirectory.into(), Some(name))),
        Err(errno) => return Ok(host.failed(errno.into(), Some(name))),
    };
    let inside = host.shell.fs.children(&path);
    host.shell.budget.steps(inside.len() as u64)?;
    let all = [b".".to_vec(), b"..".to_vec()].into_iter().chain(inside);
    Ok(vec![Out::List(all.map(Out::Text).collect())])
}
