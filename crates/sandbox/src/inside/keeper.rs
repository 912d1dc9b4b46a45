//! Holds the user namespace, and in it the tree on disk: makes and removes paths as it is told,
//! starts runs, and takes everything away at the end, also when the program that began is gone.

use super::{LOWER, WORK, again, answer};
use crate::{
    message::{Failure, encode_result, failed},
    wire::{self, Broken, Reader},
};
use nix::sched::CloneFlags;
use rustix::{
    event::{PollFd, PollFlags},
    fs::{
        AtFlags, CWD, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid,
        XattrFlags,
    },
};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    process::{Child, Stdio},
};

/// Make the tree's next path; see [`crate::disk`].
pub(crate) const PUT: u8 = 1;
/// Remove a path.
pub(crate) const REMOVE: u8 = 2;
/// Run a scriptlet.
pub(crate) const RUN: u8 = 3;
/// Say whether all went well.
pub(crate) const SYNC: u8 = 4;

pub(super) fn main() -> i32 {
    if close_others().is_err() {
        return 1;
    }
    let made = nix::sched::unshare(CloneFlags::CLONE_NEWUSER);
    let made = made.map_err(failed("make a user namespace"));
    let failed = made.is_err();
    if answer(&encode_result(&made.map(|()| crate::message::Ran::default()))).is_err() || failed {
        return 1;
    }
    let mut input = io::stdin().lock();
    // until ids are mapped
    let Ok(Some(mapped)) = wire::receive(&mut input, 1) else { return 1 };
    let begun = begin(mapped.as_slice() == [1]);
    let failed = begun.is_err();
    if answer(&encode_result(&begun.map(|()| crate::message::Ran::default()))).is_err() || failed {
        return 1;
    }
    let mut keeper = Keeper { failure: None, directories: BTreeSet::new() };
    let result = keeper.serve(&mut input);
    let _ = fs::remove_dir_all(LOWER);
    let _ = fs::remove_dir_all(WORK);
    i32::from(result.is_err())
}

/// Closes what whoever started the program left open: a scriptlet would have it too.
fn close_others() -> io::Result<()> {
    let names: Vec<_> = fs::read_dir("/proc/self/fd")?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<_>>()?;
    for name in names {
        let number: Option<i32> = name.to_str().and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|number| *number > 2) {
            // the listing's own is closed by now
            let _ = nix::unistd::close(number);
        }
    }
    Ok(())
}

/// Becomes root of the namespace. With groups of its own only where these may be given up.
fn begin(many: bool) -> Result<(), Failure> {
    let step = "become root of the namespace";
    let (uid, gid) = (Uid::ROOT, Gid::ROOT);
    if many {
        rustix::thread::set_thread_groups(&[]).map_err(failed(step))?;
    }
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(failed(step))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(failed(step))?;
    rustix::process::umask(Mode::empty());
    for directory in [LOWER, WORK] {
        fs::create_dir(directory).map_err(failed("make the directory of the tree"))?;
    }
    rustix::fs::chmodat(CWD, LOWER, Mode::from_raw_mode(0o755), AtFlags::empty())
        .map_err(failed("make the directory of the tree"))
}

struct Keeper {
    /// The first thing that went wrong since it was last asked.
    failure: Option<Failure>,
    /// Directories whose times are to be set.
    directories: BTreeSet<Vec<u8>>,
}

impl Keeper {
    fn serve(&mut self, input: &mut impl Read) -> io::Result<()> {
        while let Some(message) = wire::receive(input, u64::MAX)? {
            let Some((kind, rest)) = message.split_first() else { return Err(broken(Broken)) };
            match *kind {
                PUT => {
                    let (node, size) = Put::decode(rest).map_err(broken)?;
                    let mut content = input.take(size);
                    let put = self.put(&node, &mut content);
                    // what was not wanted is still on the way
                    io::copy(&mut content, &mut io::sink())?;
                    self.remember(put);
                }
                REMOVE => {
                    let removed = self.remove(rest);
                    self.remember(removed);
                }
                RUN => {
                    let message = match self.settle() {
                        Ok(()) => run(rest),
                        Err(failure) => encode_result(&Err(failure)),
                    };
                    answer(&message)?;
                }
                SYNC => {
                    let result = self.settle().map(|()| crate::message::Ran::default());
                    answer(&encode_result(&result))?;
                }
                _ => return Err(broken(Broken)),
            }
        }
        Ok(())
    }

    fn remember(&mut self, result: Result<(), Failure>) {
        if let Err(failure) = result {
            self.failure.get_or_insert(failure);
        }
    }

    /// Gives directories their times, once all that was to be made in them is there.
    fn settle(&mut self) -> Result<(), Failure> {
        for path in std::mem::take(&mut self.directories) {
            let dated = place(&path).and_then(|(parent, name)| {
                date(&parent, name, 0).map_err(failed("date a directory"))
            });
            match dated {
                Err(Failure::System { errno, .. })
                    if errno == rustix::io::Errno::NOENT.raw_os_error() => {}
                other => self.remember(other),
            }
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn changed_in(&mut self, path: &[u8]) {
        if let Some(end) = path.iter().rposition(|b| *b == b'/') {
            self.directories.insert(path.get(..end).unwrap_or_default().to_vec());
        }
    }

    fn remove(&mut self, path: &[u8]) -> Result<(), Failure> {
        let (parent, name) = place(path)?;
        self.changed_in(path);
        clear(&parent, name).map_err(failed("remove a path of the tree"))
    }

    fn put(&mut self, put: &Put<'_>, content: &mut impl Read) -> Result<(), Failure> {
        let step = format!("make `/{}` of the tree", String::from_utf8_lossy(put.path));
        self.changed_in(put.path);
        let (parent, name) = place(put.path)?;
        let kind = put.kind;
        let directory = kind == b'd';
        if directory {
            self.directories.insert(put.path.to_vec());
        }
        let root = put.path.is_empty();
        let there = rustix::fs::statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        if !(root || directory && there) {
            clear(&parent, name).map_err(failed(&step))?;
        }
        let mut make = || -> io::Result<()> {
            match kind {
                b'd' if root || there => {}
                b'd' => rustix::fs::mkdirat(&parent, name, Mode::RWXU)?,
                b'l' => rustix::fs::symlinkat(put.target, &parent, name)?,
                b'p' => rustix::fs::mknodat(&parent, name, FileType::Fifo, Mode::RUSR, 0)?,
                b'h' => {
                    let (other, first) =
                        place(put.target).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
                    let none = AtFlags::empty();
                    rustix::fs::linkat(&other, first, &parent, name, none)?;
                }
                _ => {
                    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                    let file = rustix::fs::openat(&parent, name, flags, Mode::RUSR | Mode::WUSR)?;
                    let mut file = File::from(file);
                    io::copy(content, &mut file)?;
                    file.flush()?;
                }
            }
            Ok(())
        };
        make().map_err(failed(&step))?;
        if kind == b'h' {
            return Ok(());
        }
        put.attributes(&parent, name).map_err(failed(&step))
    }
}

/// A path of the tree to make.
struct Put<'a> {
    path: &'a [u8],
    /// `d`, `f`, `l`, `p` as `find -type`; `h`: another name of a file.
    kind: u8,
    mode: u32,
    owner: Option<(u32, u32)>,
    mtime: u64,
    /// Of a link.
    target: &'a [u8],
    capabilities: &'a [u8],
}

impl<'a> Put<'a> {
    /// And how many bytes of content follow.
    fn decode(bytes: &'a [u8]) -> Result<(Self, u64), Broken> {
        let mut from = Reader(bytes);
        let (path, kind, mode) = (from.bytes()?, from.u8()?, from.u32()?);
        let owner = if from.bool()? { Some((from.u32()?, from.u32()?)) } else { None };
        let (mtime, target, capabilities) = (from.u64()?, from.bytes()?, from.bytes()?);
        let size = from.u64()?;
        from.end()?;
        Ok((Self { path, kind, mode, owner, mtime, target, capabilities }, size))
    }

    fn attributes(&self, parent: &OwnedFd, name: &Path) -> rustix::io::Result<()> {
        if let Some((uid, gid)) = self.owner {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::chownat(parent, name, Some(uid), Some(gid), flags)?;
        }
        if self.kind != b'l' {
            let mode = Mode::from_raw_mode(self.mode & 0o7777);
            rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
        }
        if !self.capabilities.is_empty() {
            let file = rustix::fs::openat(
                parent,
                name,
                OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            let (name, flags) = ("security.capability", XattrFlags::empty());
            rustix::fs::fsetxattr(&file, name, self.capabilities, flags)?;
        }
        date(parent, name, self.mtime)
    }
}

fn date(parent: &OwnedFd, name: &Path, mtime: u64) -> rustix::io::Result<()> {
    let time = Timespec { tv_sec: i64::try_from(mtime).unwrap_or(i64::MAX), tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)
}

/// The directory that holds a path, through no link, and the name in it.
fn place(path: &[u8]) -> Result<(OwnedFd, &Path), Failure> {
    let (above, name) = match path.iter().rposition(|b| *b == b'/') {
        Some(slash) => (path.get(..slash).unwrap_or_default(), path.get(slash + 1..)),
        None => (&[][..], Some(path)),
    };
    let name = name.filter(|name| !name.is_empty()).unwrap_or(b".");
    let step = "open a directory of the tree";
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, LOWER, flags, Mode::empty()).map_err(failed(step))?;
    if above.is_empty() {
        return Ok((root, name_of(name)));
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let parent = rustix::fs::openat2(&root, name_of(above), flags, Mode::empty(), resolve)
        .map_err(failed(step))?;
    Ok((parent, name_of(name)))
}

fn name_of(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// Takes away whatever is there; of a directory only an empty one.
fn clear(parent: &OwnedFd, name: &Path) -> rustix::io::Result<()> {
    let none = AtFlags::empty();
    match rustix::fs::unlinkat(parent, name, none) {
        Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(rustix::io::Errno::ISDIR) => rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR),
        other => other,
    }
}

fn broken(error: Broken) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Runs a scriptlet in a process of its own, and gives back that one's answer.
fn run(order: &[u8]) -> Vec<u8> {
    runner(order).unwrap_or_else(|failure| encode_result(&Err(failure)))
}

fn runner(order: &[u8]) -> Result<Vec<u8>, Failure> {
    let step = "start the runner";
    let mut command = again("runner");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed(step))?;
    let answer = converse(&mut child, order);
    let _ = child.kill();
    child.wait().map_err(failed(step))?;
    answer
}

/// Waits for the answer, or for the end of the program that asks.
fn converse(child: &mut Child, order: &[u8]) -> Result<Vec<u8>, Failure> {
    let step = "hear the runner";
    let lost = || Failure::Wanted("what ended the runner".to_owned());
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(lost());
    };
    wire::send(&mut input, order).map_err(failed(step))?;
    let stdin = io::stdin();
    loop {
        let mut places = [
            PollFd::from_borrowed_fd(output.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::empty()),
        ];
        match rustix::event::poll(&mut places, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(failed(step)(error)),
        }
        if !places[1].revents().is_empty() {
            return Err(Failure::Wanted("an end".to_owned()));
        }
        if !places[0].revents().is_empty() {
            break;
        }
    }
    wire::receive(&mut output, u64::MAX).map_err(failed(step))?.ok_or_else(lost)
}
