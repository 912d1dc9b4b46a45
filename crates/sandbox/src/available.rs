//! Whether this machine lets a sandbox be made, and what forbids it.

use crate::{Limits, Sandbox, SandboxError};
use std::{fs, io};

/// Why this machine has no sandbox for scriptlets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this machine does not let scriptlets be run in a sandbox: {why}")]
pub struct Unavailable {
    /// What forbids it.
    why: String,
    /// What may be done about it.
    hint: String,
}

impl Unavailable {
    /// What may be done about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// From the step that failed and what the system said.
    pub(crate) fn new(step: &str, error: &io::Error) -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        let (why, hint) = explain(step, error, &read);
        Self { why, hint }
    }
}

/// Whether a sandbox can be made here. It makes one, with nothing in it.
pub fn available() -> Result<(), Unavailable> {
    let directory = tempfile::tempdir();
    let directory = directory.map_err(|error| Unavailable::new("make a directory", &error))?;
    let tried = Sandbox::new(directory.path(), Limits::default()).and_then(Sandbox::probe);
    match tried {
        Ok(()) => Ok(()),
        Err(SandboxError::Unavailable(why)) => Err(why),
        Err(SandboxError::Io { step, source }) => Err(Unavailable::new(&step, &source)),
        Err(other) => Err(Unavailable {
            why: other.to_string(),
            hint: "choose `--scriptlets skip` or `fail`".to_owned(),
        }),
    }
}

/// Words for a failed step, by what the machine's settings say.
fn explain(
    step: &str,
    error: &io::Error,
    read: &dyn Fn(&str) -> Option<String>,
) -> (String, String) {
    let is = |path: &str, value: &str| read(path).is_some_and(|text| text.trim() == value);
    let said = |why: &str, hint: &str| (why.to_owned(), hint.to_owned());
    if is("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        return said(
            "user namespaces are for root alone",
            "`sysctl kernel.unprivileged_userns_clone=1`, or run as root",
        );
    }
    if is("/proc/sys/user/max_user_namespaces", "0") {
        return said("no user namespace is allowed", "`sysctl user.max_user_namespaces=10000`");
    }
    if !read("/proc/self/uid_map").is_some_and(|map| map.contains(char::is_numeric)) {
        return said("the kernel has no user namespaces", "use a kernel with CONFIG_USER_NS");
    }
    if is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        return said(
            "AppArmor takes the power away from unprivileged user namespaces",
            "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or a profile for strata \
             that allows `userns`",
        );
    }
    let seccomp = read("/proc/self/status").is_some_and(|status| {
        status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|n| n.trim() == "2"))
    });
    let forbidden = matches!(error.raw_os_error(), Some(nix::libc::EPERM | nix::libc::EACCES));
    if seccomp && forbidden {
        return (
            format!("the filter of the container around it forbids to {step}"),
            "start the container with `--security-opt seccomp=unconfined`, and with \
             `--security-opt unmask=/proc/*` for programs that need `/proc`"
                .to_owned(),
        );
    }
    if matches!(error.raw_os_error(), Some(nix::libc::ENOSPC | nix::libc::EUSERS)) {
        return said(
            "there are as many user namespaces as are allowed, or they are too deep",
            "raise `sysctl user.max_user_namespaces`",
        );
    }
    let hint = "choose `--scriptlets skip` or `fail`, or build on another machine";
    (format!("cannot {step}: {error}"), hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(error: i32, files: &[(&str, &str)]) -> String {
        let read = |path: &str| {
            files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
        };
        let error = io::Error::from_raw_os_error(error);
        let (why, hint) = explain("make a user namespace", &error, &read);
        format!("{why}; {hint}")
    }

    #[test]
    fn settings_of_the_machine_are_named() {
        let map = ("/proc/self/uid_map", "0 0 4294967295");
        let one = words(1, &[map, ("/proc/sys/kernel/unprivileged_userns_clone", "0\n")]);
        assert!(one.contains("kernel.unprivileged_userns_clone=1"), "{one}");
        let two = words(28, &[map, ("/proc/sys/user/max_user_namespaces", "0\n")]);
        assert!(two.contains("user.max_user_namespaces"), "{two}");
        let three =
            words(13, &[map, ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")]);
        assert!(three.contains("AppArmor"), "{three}");
        let four = words(1, &[map, ("/proc/self/status", "Name:\tx\nSeccomp:\t2\n")]);
        assert!(four.contains("seccomp=unconfined"), "{four}");
        assert!(words(28, &[map]).contains("as many"));
        assert!(words(22, &[map]).contains("cannot make a user namespace: Invalid argument"));
        assert!(words(22, &[]).contains("CONFIG_USER_NS"));
    }
}
