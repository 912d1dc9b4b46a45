//! One run: lays a file system for the difference over the tree, watches, and reads what is left.

use super::{LOWER, MERGED, UPPER, WORK, again, answer, die_with_parent, gather, whole};
use crate::{
    message::{Bounds, Failure, Order, Ran, Verdict, encode_result, failed},
    wire,
};
use nix::sched::CloneFlags;
use rustix::{
    event::{PollFd, PollFlags},
    fs::Timespec,
    mount::{MountFlags, MountPropagationFlags},
};
use std::{
    ffi::CString,
    fs,
    io::{self, Read},
    os::{
        fd::AsFd,
        unix::{
            ffi::OsStrExt,
            fs::{MetadataExt, PermissionsExt, chown},
        },
    },
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// The name of the machine that a scriptlet sees.
const HOST: &[u8] = b"localhost";

/// Between two looks at what a run has taken.
const LOOK: Duration = Duration::from_millis(20);

pub(super) fn main() -> i32 {
    let mut input = io::stdin().lock();
    let order = match wire::receive(&mut input, u64::MAX).map(|it| it.map(|it| Order::decode(&it)))
    {
        Ok(Some(Ok(order))) => order,
        _ => return 2,
    };
    i32::from(answer(&encode_result(&run(&order))).is_err())
}

/// How the tree can be changed without changing it.
enum Copy {
    /// A layer over it, with what was put there before.
    Layer(gather::Touched),
    /// A copy, with what it was like.
    Whole(whole::Before),
}

fn run(order: &Order) -> Result<Ran, Failure> {
    die_with_parent().map_err(failed("follow the keeper"))?;
    nix::sched::unshare(
        CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWUTS,
    )
    .map_err(failed("make namespaces"))?;
    rustix::system::sethostname(HOST).map_err(failed("name the machine"))?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).map_err(failed("make mounts private"))?;
    let copy = lay(order)?;
    fs::write(Path::new(WORK).join("stdin"), &order.stdin).map_err(failed("write the input"))?;
    let mut guard = spawn(order)?;
    let watched = watch(&mut guard, &order.bounds);
    // the end of the guard is the end of all processes
    let _ = guard.kill();
    guard.wait().map_err(failed("wait for the guard"))?;
    let (verdict, output) = watched?;
    if let Some(failure) = verdict.failure {
        return Err(failure);
    }
    if verdict.status == super::guard::BROKEN && output.starts_with(b"the sandbox cannot") {
        return Err(Failure::Wanted(String::from_utf8_lossy(&output).trim_end().to_owned()));
    }
    let mut found = match copy {
        Copy::Layer(before) => gather::layer(Path::new(UPPER), Path::new(LOWER), &before, order)?,
        Copy::Whole(before) => whole::changed(Path::new(MERGED), &before, order)?,
    };
    for (path, uid, gid) in verdict.owners {
        let path = path.strip_prefix(b"/").unwrap_or(&path);
        let given = |id: u32, old: Option<u32>| if id == u32::MAX { old } else { Some(id) };
        if let Some(one) = found.iter_mut().find(|one| one.path == path) {
            (one.uid, one.gid) = (given(uid, one.uid), given(gid, one.gid));
        }
    }
    Ok(Ran { status: verdict.status, output, found })
}

fn lay(order: &Order) -> Result<Copy, Failure> {
    let step = "make room for the difference";
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    // the copy's own bytes come on top
    let copied = if order.copy { whole::size(Path::new(LOWER))? } else { linked(order)? };
    let size = order.bounds.bytes.saturating_add(copied);
    let inodes = order.bounds.files.saturating_mul(4).saturating_add(1 << 16);
    let options = CString::new(format!("mode=0755,size={size},nr_inodes={inodes}"));
    let options = options.map_err(|error| failed(step)(io::Error::from(error)))?;
    rustix::mount::mount("tmpfs", WORK, "tmpfs", flags, options.as_c_str())
        .map_err(failed(step))?;
    for directory in [UPPER, MERGED, "work/inner"] {
        fs::create_dir(directory).map_err(failed(step))?;
    }
    let root = fs::symlink_metadata(LOWER).map_err(failed(step))?;
    for directory in [UPPER, MERGED] {
        chown(directory, Some(root.uid()), Some(root.gid())).map_err(failed(step))?;
        let mode = fs::Permissions::from_mode(root.mode() & 0o7777);
        fs::set_permissions(directory, mode).map_err(failed(step))?;
    }
    if order.copy {
        let before = whole::copy(Path::new(LOWER), Path::new(MERGED))?;
        // a root is a mount
        rustix::mount::mount_bind(MERGED, MERGED).map_err(failed(step))?;
        return Ok(Copy::Whole(before));
    }
    let before = whole::links(Path::new(LOWER), Path::new(UPPER), &order.links)?;
    let options = c"lowerdir=lower,upperdir=work/upper,workdir=work/inner,userxattr";
    rustix::mount::mount("overlay", MERGED, "overlay", flags, options)
        .map_err(failed("lay the difference over the tree"))?;
    Ok(Copy::Layer(before))
}

/// Bytes that the files with several names take.
fn linked(order: &Order) -> Result<u64, Failure> {
    let mut bytes = 0_u64;
    for name in order.links.iter().filter_map(|names| names.first()) {
        let place = Path::new(LOWER).join(std::ffi::OsStr::from_bytes(name));
        let meta = fs::symlink_metadata(place).map_err(failed("read the tree"))?;
        bytes = bytes.saturating_add(meta.len()).saturating_add(8192);
    }
    Ok(bytes)
}

fn spawn(order: &Order) -> Result<Child, Failure> {
    let step = "start the guard";
    let mut command = again("guard");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed(step))?;
    if let Some(mut input) = child.stdin.take() {
        wire::send(&mut input, &order.encode()).map_err(failed(step))?;
    }
    Ok(child)
}

fn limit(what: &str) -> Failure {
    Failure::Limit(what.to_owned())
}

/// Until the guard has ended, or a bound is reached.
fn watch(guard: &mut Child, bounds: &Bounds) -> Result<(Verdict, Vec<u8>), Failure> {
    let step = "watch the guard";
    let lost = || Failure::Wanted("what ended the guard".to_owned());
    let (Some(mut answer), Some(mut output)) = (guard.stdout.take(), guard.stderr.take()) else {
        return Err(lost());
    };
    let end = Instant::now() + Duration::from_millis(bounds.milliseconds);
    let (mut verdict, mut text) = (Vec::new(), Vec::new());
    let (mut answering, mut speaking) = (true, true);
    let mut last = Instant::now();
    let mut buffer = vec![0; 1 << 16];
    while answering || speaking {
        let mut ready = [PollFlags::empty(); 2];
        {
            let mut places = [
                PollFd::from_borrowed_fd(answer.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(output.as_fd(), PollFlags::IN),
            ];
            let (from, to) = (usize::from(!answering), 1 + usize::from(speaking));
            let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(LOOK.subsec_nanos()) };
            let polled = places.get_mut(from..to).unwrap_or_default();
            match rustix::event::poll(polled, Some(&wait)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(failed(step)(error)),
            }
            for (flags, place) in ready.iter_mut().zip(&places) {
                *flags = place.revents();
            }
        }
        if answering && !ready[0].is_empty() {
            let read = answer.read(&mut buffer).map_err(failed(step))?;
            verdict.extend(buffer.get(..read).unwrap_or_default());
            answering = read > 0;
        }
        if speaking && !ready[1].is_empty() {
            let read = output.read(&mut buffer).map_err(failed(step))?;
            text.extend(buffer.get(..read).unwrap_or_default());
            speaking = read > 0;
            if text.len() as u64 > bounds.output {
                return Err(limit("output"));
            }
        }
        if Instant::now() > end {
            return Err(limit("time"));
        }
        if last.elapsed() >= LOOK {
            last = Instant::now();
            look(guard.id(), bounds)?;
        }
    }
    full()?;
    let message = wire::receive(&mut verdict.as_slice(), u64::MAX).map_err(failed(step))?;
    let verdict = message.and_then(|message| Verdict::decode(&message).ok()).ok_or_else(lost)?;
    Ok((verdict, text))
}

/// Memory and disk space that a run has taken so far.
fn look(guard: u32, bounds: &Bounds) -> Result<(), Failure> {
    full()?;
    // the guard's root is the scriptlet's, where its processes are listed; until it is there,
    // it sees those of the machine
    let place = format!("/proc/{guard}/root/proc");
    let device = |path: &str| fs::metadata(path).map(|meta| meta.dev()).ok();
    if device(&place) == device("/proc") {
        return Ok(());
    }
    let Ok(listing) = fs::read_dir(&place) else { return Ok(()) };
    let mut pages = 0_u64;
    for entry in listing.flatten() {
        if entry.file_name().to_str().is_none_or(|name| name.parse::<u32>().is_err()) {
            continue;
        }
        let text = fs::read_to_string(entry.path().join("statm")).unwrap_or_default();
        let own = |at: usize| text.split(' ').nth(at).and_then(|n| n.parse::<u64>().ok());
        // without what is shared with a file or with others
        pages += own(1).unwrap_or(0).saturating_sub(own(2).unwrap_or(0));
    }
    let page = rustix::param::page_size() as u64;
    if pages.saturating_mul(page) > bounds.memory { Err(limit("memory")) } else { Ok(()) }
}

/// A scriptlet that was told of a full disk is not what it would have been.
fn full() -> Result<(), Failure> {
    let room = rustix::fs::statfs(WORK).map_err(failed("look at the room that is left"))?;
    if room.f_bfree == 0 {
        return Err(limit("bytes"));
    }
    if room.f_files > 0 && room.f_ffree == 0 { Err(limit("files")) } else { Ok(()) }
}
