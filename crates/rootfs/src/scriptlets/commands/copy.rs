//! `cp` and `install`.

use super::{
    super::fs::{Errno, FsError, Meta},
    Parsed, failed, files, meta, modes, parse, unsupported,
};
use crate::{
    Kind, TreePath,
    scriptlets::{
        ScriptletError,
        shell::{Shell, Status},
    },
};

#[derive(Debug, Clone, Copy, Default)]
struct How {
    recursive: bool,
    /// Copy a link as a link: those named, those found.
    keep_named: bool,
    keep_found: bool,
    mode: bool,
    owner: bool,
    time: bool,
    xattrs: bool,
    no_clobber: bool,
}

pub(super) fn cp(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("archive", 'a'),
        ("recursive", 'r'),
        ("force", 'f'),
        ("no-clobber", 'n'),
        ("no-dereference", 'P'),
        ("dereference", 'L'),
        ("no-target-directory", 'T'),
        ("target-directory", 't'),
        ("update", 'u'),
        ("verbose", 'v'),
        ("preserve", 'q'),
        ("remove-destination", 'D'),
        ("reflink", 'w'),
        ("sparse", 'w'),
    ];
    let parsed = parse("cp", words, "arRfnPdLHTt:upvZxqDwl", &names)?;
    if parsed.has('H') || parsed.has('l') || parsed.has('D') || parsed.has('u') {
        return unsupported("cp -H, -l, -u or --remove-destination");
    }
    let mut how = How::default();
    for (letter, value) in &parsed.options {
        match letter {
            'a' => {
                (how.recursive, how.keep_named, how.keep_found) = (true, true, true);
                (how.mode, how.owner, how.time, how.xattrs) = (true, true, true, true);
            }
            'r' | 'R' => {
                how.recursive = true;
                how.keep_found = true;
                how.keep_named = true;
            }
            'P' | 'd' => (how.keep_named, how.keep_found) = (true, true),
            'L' => (how.keep_named, how.keep_found) = (false, false),
            'p' => (how.mode, how.owner, how.time) = (true, true, true),
            'n' => how.no_clobber = true,
            'q' => {
                let list = if value.is_empty() { "mode,ownership,timestamps" } else { value };
                for one in list.split(',') {
                    match one {
                        "mode" => how.mode = true,
                        "ownership" => how.owner = true,
                        "timestamps" => how.time = true,
                        "all" => {
                            (how.mode, how.owner, how.time, how.xattrs) = (true, true, true, true);
                        }
                        "xattr" => how.xattrs = true,
                        "context" | "links" => {}
                        _ => return unsupported(format!("cp --preserve={one}")),
                    }
                }
            }
            _ => {}
        }
    }
    if parsed.has('L') {
        (how.keep_named, how.keep_found) = (false, false);
    }
    let Some(pairs) = files::targets(shell, "cp", &parsed, true)? else { return Ok(1) };
    let mut status = 0;
    for (from, to) in pairs {
        let source = match shell.fs.lookup(from.as_bytes(), !how.keep_named) {
            Ok(source) => source,
            Err(error) => {
                status = failed(shell, format!("cp: cannot stat '{from}'"), error)?;
                continue;
            }
        };
        if shell.fs.is_dir(&source) && !how.recursive {
            status =
                shell.complain(format!("cp: -r not specified; omitting directory '{from}'"))?;
            continue;
        }
        let bare = if shell.fs.is_dir(&source) { to.trim_end_matches('/') } else { to.as_str() };
        // `.` as a name in a directory is the directory itself
        let bare = bare.strip_suffix("/.").unwrap_or(bare);
        let result = copy(shell, &source, bare.as_bytes(), how, 0);
        if let Err(error) = result {
            status = failed(shell, format!("cp: cannot copy '{from}' to '{to}'"), error)?;
        } else if parsed.has('v') {
            shell.out(format!("'{from}' -> '{to}'\n"))?;
        }
    }
    Ok(status)
}

fn copy(
    shell: &mut Shell<'_>,
    source: &TreePath,
    raw: &[u8],
    how: How,
    depth: u32,
) -> Result<(), FsError> {
    shell.budget.steps(1)?;
    if depth > 100 {
        return Err(ScriptletError::Limit { what: "nested directories" }.into());
    }
    let node = match shell.fs.node(source) {
        Some(node) => node.clone(),
        None => crate::Node::implied_directory(),
    };
    let mut target = shell.fs.resolve(raw, false)?;
    let link = matches!(node.kind, Kind::Symlink { .. });
    if !link && matches!(shell.fs.node(&target).map(|node| &node.kind), Some(Kind::Symlink { .. }))
    {
        target = shell.fs.resolve(raw, true)?;
    }
    let there = shell.fs.exists(&target);
    if there && how.no_clobber && !node.is_dir() {
        return Ok(());
    }
    match &node.kind {
        Kind::Directory => {
            let inside = [source.as_bytes(), b"/"].concat();
            if target == *source || target.as_bytes().starts_with(&inside) || source.is_root() {
                return Err(Errno::Invalid.into());
            }
            if there && !shell.fs.is_dir(&target) {
                return Err(Errno::NotDirectory.into());
            }
            if !there {
                shell.fs.mkdir(&target, node.mode & 0o777)?;
            }
            for name in shell.fs.children(source) {
                let mut from = source.join(&name);
                if !how.keep_found {
                    from = shell.fs.lookup(&[b"/", from.as_bytes()].concat(), true)?;
                }
                let to = [b"/", target.join(&name).as_bytes()].concat();
                copy(shell, &from, &to, how, depth + 1)?;
            }
        }
        Kind::File { links, .. } => {
            if target == *source {
                return Err(Errno::Exists.into());
            }
            if links.is_some() && how.xattrs {
                let text = "cp -a of a file with several names";
                return Err(ScriptletError::unsupported(text).into());
            }
            shell.fs.create(&target, node.mode & 0o777)?;
            shell.fs.copy_content(source, &target)?;
        }
        Kind::Symlink { target: text } => {
            if there {
                shell.fs.unlink(&target)?;
            }
            shell.fs.symlink(text, &target)?;
        }
        kind if how.recursive => {
            if there {
                shell.fs.unlink(&target)?;
            }
            shell.fs.special(&target, kind.clone(), node.mode)?;
        }
        _ => return Err(ScriptletError::unsupported("cp of a special file").into()),
    }
    let meta = Meta {
        mode: how.mode.then_some(node.mode),
        uid: how.owner.then_some(node.uid),
        gid: how.owner.then_some(node.gid),
        mtime: how.time.then_some(node.mtime),
    };
    shell.fs.set_meta(&target, meta)?;
    if how.xattrs {
        shell.fs.copy_capabilities(source, &target)?;
    }
    Ok(())
}

pub(super) fn install(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("directory", 'd'),
        ("mode", 'm'),
        ("owner", 'o'),
        ("group", 'g'),
        ("preserve-timestamps", 'p'),
        ("target-directory", 't'),
        ("no-target-directory", 'T'),
        ("verbose", 'v'),
        ("compare", 'C'),
    ];
    let parsed = parse("install", words, "dm:o:g:pt:TDvcCZ", &names)?;
    let text = parsed.value('m').unwrap_or("755");
    let directory = parsed.has('d');
    let Some(mode) = modes::change(text, 0, directory, 0) else {
        return unsupported(format!("install -m {text}"));
    };
    let mut meta = Meta { mode: Some(mode), ..Meta::default() };
    if let Some(user) = parsed.value('o') {
        meta.uid = meta::user(shell, user)?;
        if meta.uid.is_none() {
            return shell.complain(format!("install: invalid user '{user}'"));
        }
    }
    if let Some(group) = parsed.value('g') {
        meta.gid = meta::group(shell, group)?;
        if meta.gid.is_none() {
            return shell.complain(format!("install: invalid group '{group}'"));
        }
    }
    let mut status = 0;
    if directory {
        for name in &parsed.operands {
            let outer = std::mem::replace(&mut shell.fs.umask, 0o022);
            let result = super::make_directories_from(shell, name);
            shell.fs.umask = outer;
            let result = result.and_then(|path| put_meta(shell, &path, meta));
            if let Err(error) = result {
                status =
                    failed(shell, format!("install: cannot create directory '{name}'"), error)?;
            }
        }
        return Ok(status);
    }
    if parsed.has('D') {
        let above = match (parsed.value('t'), parsed.operands.last()) {
            (Some(directory), _) => Some(directory.to_owned()),
            (None, Some(last)) => last.rsplit_once('/').map(|(above, _)| above.to_owned()),
            _ => None,
        };
        if let Some(above) = above.filter(|above| !above.is_empty())
            && let Err(error) = super::make_directories_from(shell, &above)
        {
            return failed(shell, format!("install: cannot create directory '{above}'"), error);
        }
    }
    let Some(pairs) = files::targets(shell, "install", &parsed, true)? else { return Ok(1) };
    for (from, to) in pairs {
        if let Err(error) = install_one(shell, &from, &to, meta, &parsed) {
            status = failed(shell, format!("install: cannot install '{from}' as '{to}'"), error)?;
        }
    }
    Ok(status)
}

fn install_one(
    shell: &mut Shell<'_>,
    from: &str,
    to: &str,
    mut meta: Meta,
    parsed: &Parsed,
) -> Result<(), FsError> {
    let target = shell.fs.resolve(to.as_bytes(), false)?;
    if shell.fs.is_dir(&target) {
        return Err(Errno::IsDirectory.into());
    }
    if from == "/dev/null" {
        if shell.fs.exists(&target) {
            shell.fs.unlink(&target)?;
        }
        shell.fs.create(&target, 0o600)?;
        return put_meta(shell, &target, meta);
    }
    let source = shell.fs.lookup(from.as_bytes(), true)?;
    if source == target {
        return Err(Errno::Exists.into());
    }
    if shell.fs.is_dir(&source) {
        return Err(Errno::IsDirectory.into());
    }
    if shell.fs.exists(&target) {
        shell.fs.unlink(&target)?;
    }
    shell.fs.create(&target, 0o600)?;
    shell.fs.copy_content(&source, &target)?;
    if parsed.has('p') {
        meta.mtime = shell.fs.node(&source).map(|node| node.mtime);
    }
    put_meta(shell, &target, meta)
}

/// Owner first: it clears bits that the mode sets.
fn put_meta(shell: &mut Shell<'_>, path: &TreePath, meta: Meta) -> Result<(), FsError> {
    shell.fs.set_meta(path, Meta { mode: None, ..meta })?;
    shell.fs.set_meta(path, Meta { mode: meta.mode, ..Meta::default() })
}
