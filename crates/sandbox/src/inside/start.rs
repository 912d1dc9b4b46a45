//! The last step before the scriptlet: everything it must not have is given up.

use super::filter;
use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, Signal},
    thread::{CapabilitySet, CapabilitySets},
};
use std::{ffi::OsString, io::Write, os::unix::process::CommandExt, process::Command};

/// What a container has.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::AUDIT_WRITE);

/// Exit status where nothing could be run, as a shell has it.
const NOT_RUN: i32 = 127;

/// Arguments: `single` or `many`, CPU seconds, memory, bytes of a file, processes, then the
/// program and its arguments.
pub(super) fn main(arguments: &[OsString]) -> i32 {
    let Some((bounds, words)) = arguments.split_at_checked(5) else { return NOT_RUN };
    let Some((program, words)) = words.split_first() else { return NOT_RUN };
    // until the guard watches this process and has closed it in
    let stopped = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
    if let Err(error) = stopped.and_then(|()| give_up(bounds)) {
        let _ = writeln!(std::io::stderr(), "the sandbox cannot be closed: {error}");
        return super::guard::BROKEN;
    }
    let error = Command::new(program).args(words).exec();
    let program = program.to_string_lossy();
    let _ = writeln!(std::io::stderr(), "`{program}` cannot be run: {error}");
    NOT_RUN
}

fn give_up(bounds: &[OsString]) -> rustix::io::Result<()> {
    let invalid = rustix::io::Errno::INVAL;
    let number = |at: usize| -> rustix::io::Result<u64> {
        bounds.get(at).and_then(|one| one.to_str()?.parse().ok()).ok_or(invalid)
    };
    let single = bounds.first().is_some_and(|one| one == "single");
    rustix::process::chdir("/")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    rustix::process::setsid()?;
    for (resource, most) in [
        (Resource::Core, 0),
        (Resource::Cpu, number(1)?),
        (Resource::As, number(2)?),
        (Resource::Fsize, number(3)?),
        (Resource::Nproc, number(4)?),
        (Resource::Nofile, 1024),
    ] {
        // what the user may not exceed already stays below
        let least = rustix::process::getrlimit(resource).maximum.map_or(most, |own| own.min(most));
        let limit = Rlimit { current: Some(least), maximum: Some(least) };
        rustix::process::setrlimit(resource, limit)?;
    }
    for bit in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if KEPT.contains(one) {
            continue;
        }
        match rustix::thread::remove_capability_from_bounding_set(one) {
            // beyond the kernel's last
            Err(rustix::io::Errno::INVAL) => break,
            other => other?,
        }
    }
    rustix::thread::clear_ambient_capability_set()?;
    let sets =
        CapabilitySets { effective: KEPT, permitted: KEPT, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets)?;
    rustix::thread::set_no_new_privs(true)?;
    filter::apply(single).map_err(|_| invalid)
}
