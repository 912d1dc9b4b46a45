//! System calls that a scriptlet cannot make, and those that the guard looks at.

use nix::libc;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Op,
    SeccompCondition as Condition, SeccompFilter, SeccompRule as Rule,
};
use std::collections::BTreeMap;

/// No id: leave it as it is.
const SAME: u64 = 0xffff_ffff;

/// Refused as in a container, although the namespaces make most of them harmless.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// Namespaces that `clone` could make.
const NAMESPACES: u64 = 0x7e02_0000;

fn rule(conditions: Vec<Condition>) -> Result<Rule, seccompiler::BackendError> {
    Rule::new(conditions)
}

/// The argument is neither 0 nor "as it is".
fn other(argument: u8) -> Result<Rule, seccompiler::BackendError> {
    rule(vec![
        Condition::new(argument, Length::Dword, Op::Ne, 0)?,
        Condition::new(argument, Length::Dword, Op::Ne, SAME)?,
    ])
}

/// The argument says: a device.
fn device(argument: u8) -> Result<Vec<Rule>, seccompiler::BackendError> {
    [libc::S_IFCHR, libc::S_IFBLK]
        .into_iter()
        .map(|kind| {
            let is = Op::MaskedEq(u64::from(libc::S_IFMT));
            rule(vec![Condition::new(argument, Length::Dword, is, kind.into())?])
        })
        .collect()
}

/// What the guard is told of.
fn watched(single: bool) -> Result<BTreeMap<i64, Vec<Rule>>, seccompiler::BackendError> {
    let mut rules = BTreeMap::from([(libc::SYS_mknodat, device(2)?)]);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, device(1)?);
    if !single {
        return Ok(rules);
    }
    // an owner is remembered, so every change of it must be seen
    rules.extend([(libc::SYS_fchown, vec![]), (libc::SYS_fchownat, vec![])]);
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_chown, vec![]), (libc::SYS_lchown, vec![])]);
    for call in [libc::SYS_setuid, libc::SYS_setgid, libc::SYS_setfsuid, libc::SYS_setfsgid] {
        rules.insert(call, vec![other(0)?]);
    }
    for call in [libc::SYS_setreuid, libc::SYS_setregid] {
        rules.insert(call, vec![other(0)?, other(1)?]);
    }
    for call in [libc::SYS_setresuid, libc::SYS_setresgid] {
        rules.insert(call, vec![other(0)?, other(1)?, other(2)?]);
    }
    Ok(rules)
}

fn refused() -> Result<BTreeMap<i64, Vec<Rule>>, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<Rule>> = REFUSED.iter().map(|call| (*call, vec![])).collect();
    // typing into a terminal
    let typing = Condition::new(1, Length::Dword, Op::Eq, libc::TIOCSTI)?;
    rules.insert(libc::SYS_ioctl, vec![rule(vec![typing])?]);
    let mut namespaces = Vec::new();
    for bit in (0..32).map(|bit| 1u64 << bit).filter(|bit| NAMESPACES & bit != 0) {
        let has = Condition::new(0, Length::Dword, Op::MaskedEq(bit), bit)?;
        namespaces.push(rule(vec![has])?);
    }
    rules.insert(libc::SYS_clone, namespaces);
    Ok(rules)
}

fn program(
    rules: BTreeMap<i64, Vec<Rule>>,
    action: SeccompAction,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, action, architecture)?.try_into()
}

/// Closes the filter over this process and all that it starts.
pub(super) fn apply(single: bool) -> Result<(), Error> {
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    // what `clone3` is asked for cannot be seen: without it programs fall back to `clone`
    let newer = BTreeMap::from([(libc::SYS_clone3, vec![])]);
    for program in [
        program(refused()?, refuse)?,
        program(newer, absent)?,
        program(watched(single)?, SeccompAction::Trace(0))?,
    ] {
        seccompiler::apply_filter(&program)?;
    }
    Ok(())
}
