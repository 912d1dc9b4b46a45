//! What the guard does about system calls that a sandbox cannot carry out.
//!
//! With one id alone mapped nothing can belong to anybody else. The owner that a scriptlet gives
//! a file is written on the file as an extended attribute, which goes with it wherever it is
//! renamed or linked to, and the call itself changes nothing.

use crate::message::Failure;
use nix::{libc, sys::ptrace, unistd::Pid};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, XattrFlags};
use std::{
    ffi::OsStr,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{ffi::OsStrExt, fs::FileExt},
    },
    path::PathBuf,
};

/// Where the owner is written: `UID:GID`, each `-` while it is as it was.
pub(super) const MARK: &str = "user.strata.owner";

/// A system call: its number and arguments.
struct Call {
    number: libc::c_long,
    arguments: [u64; 6],
}

#[cfg(target_arch = "x86_64")]
fn call(pid: Pid) -> nix::Result<Call> {
    let regs = ptrace::getregs(pid)?;
    let arguments = [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9];
    Ok(Call { number: regs.orig_rax.cast_signed(), arguments })
}

#[cfg(target_arch = "x86_64")]
fn set_argument(pid: Pid, at: usize, value: u64) -> nix::Result<()> {
    let mut regs = ptrace::getregs(pid)?;
    let register = match at {
        0 => &mut regs.rdi,
        1 => &mut regs.rsi,
        2 => &mut regs.rdx,
        3 => &mut regs.r10,
        4 => &mut regs.r8,
        _ => &mut regs.r9,
    };
    *register = value;
    ptrace::setregs(pid, regs)
}

#[cfg(target_arch = "aarch64")]
fn call(pid: Pid) -> nix::Result<Call> {
    let regs = ptrace::getregset::<ptrace::regset::NT_PRSTATUS>(pid)?;
    let [a, b, c, d, e, f, ..] = regs.regs;
    Ok(Call { number: regs.regs[8].cast_signed(), arguments: [a, b, c, d, e, f] })
}

#[cfg(target_arch = "aarch64")]
fn set_argument(pid: Pid, at: usize, value: u64) -> nix::Result<()> {
    let mut regs = ptrace::getregset::<ptrace::regset::NT_PRSTATUS>(pid)?;
    regs.regs[at] = value;
    ptrace::setregset::<ptrace::regset::NT_PRSTATUS>(pid, regs)
}

/// Owners of what cannot carry a mark: path, user, group.
pub(super) type Unmarked = Vec<(Vec<u8>, u32, u32)>;

/// Looks at a call of a stopped process; an error ends the run.
pub(super) fn look(pid: Pid, unmarked: &mut Unmarked) -> Result<(), Failure> {
    let call = call(pid).map_err(failed("look at a system call"))?;
    let [a, b, c, d, e, _] = call.arguments;
    let flags = |bits: u64| AtFlags::from_bits_truncate(id(bits));
    let no_follow = AtFlags::SYMLINK_NOFOLLOW;
    match call.number {
        libc::SYS_fchown => give(pid, a, None, AtFlags::EMPTY_PATH, (b, c), 1, unmarked),
        libc::SYS_fchownat => give(pid, a, Some(b), flags(e), (c, d), 2, unmarked),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chown => give(pid, here(), Some(a), AtFlags::empty(), (b, c), 1, unmarked),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_lchown => give(pid, here(), Some(a), no_follow, (b, c), 1, unmarked),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mknod => Err(device(pid, here(), a)),
        libc::SYS_mknodat => Err(device(pid, a, b)),
        libc::SYS_setuid | libc::SYS_setfsuid => Err(become_other("user", &[a])),
        libc::SYS_setgid | libc::SYS_setfsgid => Err(become_other("group", &[a])),
        libc::SYS_setreuid | libc::SYS_setresuid => Err(become_other("user", &[a, b])),
        libc::SYS_setregid | libc::SYS_setresgid => Err(become_other("group", &[a, b])),
        // the filter asks for no other
        _ => Err(Failure::Wanted(format!("the system call {}", call.number))),
    }
}

fn here() -> u64 {
    i64::from(libc::AT_FDCWD).cast_unsigned()
}

#[allow(clippy::cast_possible_truncation, reason = "ids and descriptors are the lower half")]
fn id(argument: u64) -> u32 {
    argument as u32
}

fn failed<E: Into<std::io::Error>>(step: &str) -> impl FnOnce(E) -> Failure + use<'_, E> {
    crate::message::failed(step)
}

fn become_other(what: &str, arguments: &[u64]) -> Failure {
    let wanted = arguments.iter().map(|one| id(*one)).find(|one| ![0, u32::MAX].contains(one));
    let wanted = wanted.map_or_else(|| "another".to_owned(), |one| one.to_string());
    Failure::Wanted(format!("to become the {what} {wanted}"))
}

fn device(pid: Pid, directory: u64, path: u64) -> Failure {
    let path = text(pid, path).unwrap_or_default();
    let place = place(pid, directory, &path);
    let shown = if path.starts_with(b"/") {
        PathBuf::from(OsStr::from_bytes(&path))
    } else {
        std::fs::read_link(&place.0).map_or(place.1.clone(), |at| at.join(&place.1))
    };
    Failure::Wanted(format!("to make the device node `{}`", shown.display()))
}

/// The path that an argument points at.
fn text(pid: Pid, at: u64) -> Option<Vec<u8>> {
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut text = Vec::new();
    let mut buffer = [0; 256];
    while text.len() <= 4096 {
        // not over the end of a page: the next one need not be there
        let offset = at.checked_add(text.len() as u64)?;
        let most = usize::try_from(256 - offset % 256).ok()?;
        let read = memory.read_at(buffer.get_mut(..most)?, offset).ok().filter(|n| *n > 0)?;
        let part = buffer.get(..read)?;
        if let Some(end) = part.iter().position(|b| *b == 0) {
            text.extend(part.get(..end)?);
            return Some(text);
        }
        text.extend(part);
    }
    None
}

/// Directory and path from there, for this process.
fn place(pid: Pid, directory: u64, path: &[u8]) -> (PathBuf, PathBuf) {
    let path = PathBuf::from(OsStr::from_bytes(path));
    let descriptor = id(directory).cast_signed();
    let directory = if descriptor == libc::AT_FDCWD {
        format!("/proc/{pid}/cwd")
    } else {
        format!("/proc/{pid}/fd/{descriptor}")
    };
    (PathBuf::from(directory), path)
}

fn give(
    pid: Pid,
    directory: u64,
    path: Option<u64>,
    flags: AtFlags,
    (uid, gid): (u64, u64),
    first: usize,
    unmarked: &mut Unmarked,
) -> Result<(), Failure> {
    let (uid, gid) = (id(uid), id(gid));
    let path = match path {
        None => Vec::new(),
        // the call will say what is wrong with it
        Some(at) => match text(pid, at) {
            Some(path) => path,
            None => return Ok(()),
        },
    };
    if path.is_empty() && !flags.contains(AtFlags::EMPTY_PATH) {
        return Ok(());
    }
    same_root(pid)?;
    let (base, rest) = place(pid, directory, &path);
    let mut how = OFlags::PATH | OFlags::CLOEXEC;
    let place = if path.is_empty() {
        base
    } else {
        if flags.contains(AtFlags::SYMLINK_NOFOLLOW) {
            how |= OFlags::NOFOLLOW;
        }
        base.join(rest)
    };
    // the call will say what is wrong
    let Ok(file) = rustix::fs::openat(CWD, &place, how, Mode::empty()) else { return Ok(()) };
    mark(&file, uid, gid, unmarked)?;
    // what is left of the call: it takes set-id bits, as it would have done
    for at in [first, first + 1] {
        set_argument(pid, at, 0).map_err(failed("answer a system call"))?;
    }
    Ok(())
}

/// A scriptlet that changed its root has other paths than this process.
fn same_root(pid: Pid) -> Result<(), Failure> {
    let step = "look at the root of a process";
    let own = rustix::fs::stat("/").map_err(failed(step))?;
    let theirs = rustix::fs::stat(format!("/proc/{pid}/root")).map_err(failed(step))?;
    if (own.st_dev, own.st_ino) == (theirs.st_dev, theirs.st_ino) {
        return Ok(());
    }
    Err(Failure::Wanted("to change owners in a root of its own".to_owned()))
}

fn mark(file: &OwnedFd, uid: u32, gid: u32, unmarked: &mut Unmarked) -> Result<(), Failure> {
    let step = "remember an owner";
    let stat = rustix::fs::fstat(file).map_err(failed(step))?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let kind = FileType::from_raw_mode(stat.st_mode);
    if !matches!(kind, FileType::RegularFile | FileType::Directory) {
        let real = rustix::fs::readlink(&path, Vec::new()).map_err(failed(step))?;
        unmarked.push((real.into_bytes(), uid, gid));
        return Ok(());
    }
    // through the descriptor's link to the file itself
    let mut value = [0; 32];
    let old = match rustix::fs::getxattr(&path, MARK, &mut value) {
        Ok(length) => parse(value.get(..length).unwrap_or_default()),
        Err(_) => (None, None),
    };
    let id = |new: u32, old: Option<u32>| match (new, old) {
        (u32::MAX, None) => "-".to_owned(),
        (u32::MAX, Some(old)) => old.to_string(),
        (new, _) => new.to_string(),
    };
    let value = format!("{}:{}", id(uid, old.0), id(gid, old.1));
    rustix::fs::setxattr(&path, MARK, value.as_bytes(), XattrFlags::empty()).map_err(failed(step))
}

/// The owner written on a file.
pub(super) fn read(path: impl rustix::path::Arg) -> (Option<u32>, Option<u32>) {
    let mut value = [0; 32];
    let Ok(length) = rustix::fs::lgetxattr(path, MARK, &mut value) else { return (None, None) };
    parse(value.get(..length).unwrap_or_default())
}

fn parse(mark: &[u8]) -> (Option<u32>, Option<u32>) {
    let text = str::from_utf8(mark).unwrap_or_default();
    let (uid, gid) = text.split_once(':').unwrap_or_default();
    (uid.parse().ok(), gid.parse().ok())
}
