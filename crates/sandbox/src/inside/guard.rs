//! The first process of a run's process namespace: closes the scriptlet in and waits for its end.

use super::{MERGED, SCRIPT, WORK, again, answer, die_with_parent, owners};
use crate::{
    message::{Failure, Order, Verdict, failed},
    wire,
};
use nix::{
    sys::{ptrace, signal::Signal},
    unistd::Pid,
};
use rustix::{
    fs::CWD,
    mount::{MountFlags, MountPropagationFlags, UnmountFlags},
    process::WaitOptions,
};
use std::{
    fs,
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{OpenOptionsExt, PermissionsExt, symlink},
    },
    path::Path,
    process::{Command, Stdio},
};

/// Exit status of a scriptlet that could not be closed in.
pub(super) const BROKEN: i32 = 255;

/// What a shell says of a command that a signal ended.
const BY_SIGNAL: i32 = 128;

/// `__WALL`: processes and threads alike.
const ALL: WaitOptions = WaitOptions::from_bits_retain(0x4000_0000);

const PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin";

pub(super) fn main() -> i32 {
    let mut input = io::stdin().lock();
    let order = match wire::receive(&mut input, u64::MAX).map(|it| it.map(|it| Order::decode(&it)))
    {
        Ok(Some(Ok(order))) => order,
        _ => return 2,
    };
    let mut unmarked = Vec::new();
    let (status, failure) = match run(&order, &mut unmarked) {
        Ok(status) => (status, None),
        Err(failure) => (0, Some(failure)),
    };
    let verdict = Verdict { status, failure, owners: unmarked };
    i32::from(answer(&verdict.encode()).is_err())
}

fn run(order: &Order, unmarked: &mut owners::Unmarked) -> Result<i32, Failure> {
    die_with_parent().map_err(failed("follow the runner"))?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(failed("hide the guard"))?;
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)
        .map_err(failed("make a mount namespace"))?;
    // in the tree's root the program itself is out of reach: it is started before
    let pid = spawn(order)?;
    devices()?;
    processes()?;
    enter()?;
    script(&order.body)?;
    watch(pid, unmarked)
}

fn spawn(order: &Order) -> Result<Pid, Failure> {
    let step = "start the scriptlet";
    let mut command: Command = again("start");
    let bounds = &order.bounds;
    command.arg(if order.single { "single" } else { "many" });
    let seconds = bounds.milliseconds.div_ceil(1000).max(1);
    for bound in [seconds, bounds.memory, bounds.bytes, bounds.processes] {
        command.arg(bound.to_string());
    }
    command.args(order.words.iter().map(|word| word.as_deref().unwrap_or(SCRIPT)));
    // as rpm starts it; the rest makes hashes the same in every run
    command.env("PATH", PATH).env("HOME", "/root").env("PWD", "/");
    command.env("PYTHONHASHSEED", "0").env("PERL_HASH_SEED", "0");
    let stdin = fs::File::open(Path::new(WORK).join("stdin")).map_err(failed(step))?;
    let output = || -> Result<Stdio, Failure> {
        let copy = io::stderr().as_fd().try_clone_to_owned().map_err(failed(step))?;
        Ok(copy.into())
    };
    command.stdin(stdin).stdout(output()?).stderr(output()?);
    let child = command.spawn().map_err(failed(step))?;
    let pid = i32::try_from(child.id()).map_err(|_| wanted("a process id that large"))?;
    let pid = Pid::from_raw(pid);
    let options = ptrace::Options::PTRACE_O_EXITKILL
        | ptrace::Options::PTRACE_O_TRACESECCOMP
        | ptrace::Options::PTRACE_O_TRACEFORK
        | ptrace::Options::PTRACE_O_TRACEVFORK
        | ptrace::Options::PTRACE_O_TRACECLONE;
    ptrace::seize(pid, options).map_err(failed("watch the scriptlet"))?;
    // it stops itself before it does anything
    while wait()?.is_none_or(|(_, status)| !status.stopped()) {}
    Ok(pid)
}

fn wanted(what: &str) -> Failure {
    Failure::Wanted(what.to_owned())
}

fn wait() -> Result<Option<(Pid, rustix::process::WaitStatus)>, Failure> {
    match rustix::process::wait(ALL) {
        Ok(found) => {
            Ok(found.map(|(pid, status)| (Pid::from_raw(pid.as_raw_nonzero().get()), status)))
        }
        Err(rustix::io::Errno::INTR) => Ok(None),
        Err(error) => Err(failed("wait for the scriptlet")(error)),
    }
}

/// A directory of the tree, itself and no link to another.
fn own_directory(name: &str) -> Option<String> {
    let path = format!("{MERGED}/{name}");
    if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        // the runner takes it away again
        fs::create_dir(&path).ok()?;
    }
    fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir()).then_some(path)
}

/// A few devices that hold nothing.
fn devices() -> Result<(), Failure> {
    let step = "make `/dev`";
    let Some(dev) = own_directory("dev") else { return Ok(()) };
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    let options = c"mode=0755,size=64k,nr_inodes=64";
    rustix::mount::mount("tmpfs", &dev, "tmpfs", flags, options).map_err(failed(step))?;
    for name in ["null", "zero", "full", "random", "urandom"] {
        let place = format!("{dev}/{name}");
        fs::write(&place, b"").map_err(failed(step))?;
        rustix::mount::mount_bind(format!("/dev/{name}"), &place).map_err(failed(step))?;
    }
    for (name, target) in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")] {
        let target = format!("/proc/self/fd{target}");
        symlink(target, format!("{dev}/{name}")).map_err(failed(step))?;
    }
    fs::create_dir(format!("{dev}/shm")).map_err(failed(step))?;
    let open = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(format!("{dev}/shm"), open).map_err(failed(step))
}

/// `/proc` of the new process namespace, where the host lets it be mounted.
fn processes() -> Result<(), Failure> {
    let Some(proc) = own_directory("proc") else { return Ok(()) };
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match rustix::mount::mount("proc", &proc, "proc", flags, None) {
        // in a container that covers parts of its own
        Err(rustix::io::Errno::PERM) => return Ok(()),
        other => other.map_err(failed("mount `/proc`"))?,
    }
    // where root of the namespace is root of the machine, these would be open to it
    for name in ["sys", "sysrq-trigger", "irq", "bus", "fs"] {
        let place = format!("{proc}/{name}");
        if !Path::new(&place).exists() {
            continue;
        }
        let step = "close `/proc`";
        rustix::mount::mount_bind(&place, &place).map_err(failed(step))?;
        let flags = flags | MountFlags::BIND | MountFlags::RDONLY;
        rustix::mount::mount_remount(&place, flags, c"").map_err(failed(step))?;
    }
    Ok(())
}

/// The tree becomes the root of this process and of the one that will be the scriptlet.
fn enter() -> Result<(), Failure> {
    let step = "enter the tree";
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", private).map_err(failed(step))?;
    rustix::process::chdir(MERGED).map_err(failed(step))?;
    rustix::process::pivot_root(".", ".").map_err(failed(step))?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(failed(step))?;
    rustix::process::chdir("/").map_err(failed(step))
}

/// Writes the script where rpm writes it. What is left there is not taken back.
fn script(body: &[u8]) -> Result<(), Failure> {
    if body.is_empty() {
        return Ok(());
    }
    let step = "write the script";
    let directory = Path::new(SCRIPT).parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(directory).map_err(failed(step))?;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(SCRIPT);
    file.and_then(|mut file| file.write_all(body)).map_err(failed(step))
}

/// Lets the scriptlet run. What it left running goes when this process ends.
fn watch(scriptlet: Pid, unmarked: &mut owners::Unmarked) -> Result<i32, Failure> {
    ptrace::cont(scriptlet, None).map_err(failed("start the scriptlet"))?;
    loop {
        let Some((pid, status)) = wait()? else { continue };
        if let Some(code) = status.exit_status() {
            if pid == scriptlet {
                return finish(code);
            }
        } else if let Some(signal) = status.terminating_signal() {
            if pid == scriptlet {
                return finish(BY_SIGNAL + signal);
            }
        } else if let Some(signal) = status.stopping_signal() {
            stopped(pid, signal, status.as_raw() >> 16, unmarked)?;
        }
    }
}

fn finish(code: i32) -> Result<i32, Failure> {
    if Path::new(SCRIPT).exists() {
        rustix::fs::unlinkat(CWD, SCRIPT, rustix::fs::AtFlags::empty())
            .map_err(failed("take the script away"))?;
    }
    Ok(code)
}

fn stopped(
    pid: Pid,
    signal: i32,
    event: i32,
    unmarked: &mut owners::Unmarked,
) -> Result<(), Failure> {
    use nix::libc::{PTRACE_EVENT_SECCOMP, SIGTRAP};
    let deliver = match event {
        PTRACE_EVENT_SECCOMP => {
            owners::look(pid, unmarked)?;
            None
        }
        0 if signal == SIGTRAP => None,
        0 => match Signal::try_from(signal) {
            Ok(signal) => Some(signal),
            Err(_) => return Err(wanted("a real-time signal")),
        },
        // a new process, or one that a signal stopped
        _ => None,
    };
    match ptrace::cont(pid, deliver) {
        // killed meanwhile
        Ok(()) | Err(nix::errno::Errno::ESRCH) => Ok(()),
        Err(error) => Err(failed("let a process go on")(error)),
    }
}
