//! Which ids of this machine stand for those of the tree.

use std::{fs, io, path::Path, process::Command};

/// First id of a range that nothing on the machine uses, for root: what root of the namespace
/// writes then belongs to nobody, and it has no power over what belongs to root.
const BASE: u32 = 0x7000_0000;
/// How many of them.
const COUNT: u32 = 1 << 24;
/// Fewer than these are no range to map: `nobody` must be among them.
const FEWEST: u32 = 65_536;

/// The choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Written by this process, which may: the first id and how many.
    Own { base: u32, count: u32 },
    /// Written by `newuidmap` and `newgidmap`: this user's own id for root, then these.
    Lent { users: (u32, u32), groups: (u32, u32) },
    /// This user's own id stands for root; there are no others.
    One,
}

impl Ids {
    /// The best that this process can have.
    pub(crate) fn choose() -> Self {
        if rustix::process::geteuid().is_root() {
            let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
            let groups = fs::read_to_string("/proc/self/gid_map").unwrap_or_default();
            let capable = rustix::thread::capabilities(None).is_ok_and(|sets| {
                use rustix::thread::CapabilitySet as C;
                sets.effective.contains(C::SETUID | C::SETGID | C::CHOWN)
            });
            if !capable {
                return Self::One;
            }
            if has(&map, BASE, COUNT) && has(&groups, BASE, COUNT) {
                return Self::Own { base: BASE, count: COUNT };
            }
            // in a container root is nobody outside
            if has(&map, 0, FEWEST) && has(&groups, 0, FEWEST) {
                return Self::Own { base: 0, count: FEWEST };
            }
            return Self::One;
        }
        let user = rustix::process::geteuid().as_raw();
        let name = name_of(user);
        let range = |path: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            lent(&text, user, name.as_deref())
        };
        match (range("/etc/subuid"), range("/etc/subgid")) {
            (Some(users), Some(groups)) if there("newuidmap") && there("newgidmap") => {
                Self::Lent { users, groups }
            }
            _ => Self::One,
        }
    }

    /// Whether the ids of a tree can be given.
    pub(crate) fn many(&self) -> bool {
        !matches!(self, Self::One)
    }

    /// Maps them for a process that waits in its new namespace.
    pub(crate) fn map(&self, pid: u32) -> io::Result<()> {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let file = |name: &str| format!("/proc/{pid}/{name}");
        match self {
            Self::Own { base, count } => {
                let line = format!("0 {base} {count}\n");
                fs::write(file("uid_map"), &line)?;
                fs::write(file("gid_map"), &line)
            }
            Self::Lent { users, groups } => {
                lend("newuidmap", pid, uid, *users)?;
                lend("newgidmap", pid, gid, *groups)
            }
            Self::One => {
                fs::write(file("setgroups"), "deny")?;
                fs::write(file("uid_map"), format!("0 {uid} 1\n"))?;
                fs::write(file("gid_map"), format!("0 {gid} 1\n"))
            }
        }
    }

    /// Who must own a directory for root of the namespace to own it; none: who made it.
    pub(crate) fn root(&self) -> Option<u32> {
        match self {
            Self::Own { base, .. } => Some(*base),
            _ => None,
        }
    }
}

fn lend(program: &str, pid: u32, own: u32, (first, count): (u32, u32)) -> io::Result<()> {
    let numbers = [pid, 0, own, 1, 1, first, count].map(|number| number.to_string());
    let output = Command::new(program).args(numbers).output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(io::Error::other(format!("{program}: {text}")))
}

fn there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| Path::new(&directory).join(program).is_file())
}

/// Whether a map of this process has these ids.
fn has(map: &str, first: u32, count: u32) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(str::parse::<u64>);
        let (Some(Ok(inside)), Some(_), Some(Ok(length))) =
            (numbers.next(), numbers.next(), numbers.next())
        else {
            return false;
        };
        inside <= first.into() && u64::from(first) + u64::from(count) <= inside + length
    })
}

/// The first range that is lent to a user and is large enough.
fn lent(text: &str, user: u32, name: Option<&str>) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let (who, first, count) = (fields.next()?, fields.next()?, fields.next()?);
        let (first, count): (u32, u32) = (first.parse().ok()?, count.parse().ok()?);
        let ours = Some(who) == name || who.parse() == Ok(user);
        // the own id stands for root, the range for 1 and what follows
        (ours && count >= FEWEST - 1 && first.checked_add(count).is_some())
            .then_some((first, count))
    })
}

fn name_of(user: u32) -> Option<String> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(user)).then(|| name.to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_found_by_name_and_number() {
        let text = "other:100000:65536\nme:5:10\nme:200000:65536\n7:300000:65536\n";
        assert_eq!(lent(text, 1000, Some("me")), Some((200_000, 65_536)));
        assert_eq!(lent(text, 7, None), Some((300_000, 65_536)));
        assert_eq!(lent(text, 8, Some("x")), None);
        assert_eq!(lent("me:4294967000:65536\n", 8, Some("me")), None);
    }

    #[test]
    fn a_map_has_what_lies_in_one_of_its_lines() {
        assert!(has("         0          0 4294967295\n", BASE, COUNT));
        assert!(!has("0 1000 1\n1 100000 65536\n", 0, FEWEST));
        assert!(has("0 100000 65536\n", 0, FEWEST));
        assert!(!has("", 0, 1));
    }
}
