//! The accounts of an image, to turn names into numbers.

use std::collections::BTreeMap;

/// Users and groups of an image's `/etc/passwd` and `/etc/group`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accounts {
    /// User number and number of the primary group, by name.
    pub users: BTreeMap<String, (u32, u32)>,
    /// Group number by name.
    pub groups: BTreeMap<String, u32>,
}

impl Accounts {
    /// From the contents of `/etc/passwd` and `/etc/group`. Lines that are no entries are passed
    /// over; of two entries with one name the first counts, as for the C library.
    pub fn parse(passwd: &[u8], group: &[u8]) -> Self {
        let mut accounts = Self::default();
        for fields in entries(passwd) {
            if let [name, _, uid, gid, ..] = fields[..]
                && let (Some(uid), Some(gid)) = (number(uid), number(gid))
            {
                accounts.users.entry(name.to_owned()).or_insert((uid, gid));
            }
        }
        for fields in entries(group) {
            if let [name, _, gid, ..] = fields[..]
                && let Some(gid) = number(gid)
            {
                accounts.groups.entry(name.to_owned()).or_insert(gid);
            }
        }
        accounts
    }

    /// Number and primary group of a user. `root` is there in every image.
    pub fn user(&self, name: &str) -> Option<(u32, u32)> {
        let root = (name == "root").then_some((0, 0));
        self.users.get(name).copied().or(root)
    }

    /// Number of a group. `root` is there in every image.
    pub fn group(&self, name: &str) -> Option<u32> {
        self.groups.get(name).copied().or((name == "root").then_some(0))
    }

    /// The primary group of a user given by number; root's where nobody has the number, as the
    /// OCI runtimes do.
    pub fn primary_group(&self, uid: u32) -> u32 {
        self.users.values().find(|(user, _)| *user == uid).map_or(0, |(_, gid)| *gid)
    }
}

fn entries(text: &[u8]) -> impl Iterator<Item = Vec<&str>> {
    text.split(|b| *b == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| !line.starts_with(['#', '+', '-', ':']))
        .map(|line| line.split(':').take(5).collect())
}

/// Only digits: `u32::from_str` takes a sign too.
pub(crate) fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_entry_is_passed_over() {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\n# remark\n+::::\nweb:x:990:985::/:/bin/false\nweb:x:1:1::\n\xff:x:3:3::\nbad:x:-3:0::\n";
        let accounts = Accounts::parse(passwd, b"root:x:0:\nwww:x:33:web\nbroken\n");
        assert_eq!(accounts.user("web"), Some((990, 985)));
        assert_eq!(accounts.user("bad"), None);
        assert_eq!(accounts.group("www"), Some(33));
        assert_eq!(accounts.primary_group(990), 985);
        assert_eq!(accounts.primary_group(5), 0);
        assert_eq!(Accounts::default().user("root"), Some((0, 0)));
    }
}
