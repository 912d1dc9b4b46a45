//! Names to numbers, for one image.

use std::collections::BTreeMap;

/// The users and groups that exist in an image. `root` always does, with number 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    /// Number by user name.
    pub users: BTreeMap<String, u32>,
    /// Number by group name.
    pub groups: BTreeMap<String, u32>,
}

impl Owners {
    /// The number of a user; none if nobody defines it.
    pub fn uid(&self, user: &str) -> Option<u32> {
        if user == "root" { Some(0) } else { self.users.get(user).copied() }
    }

    /// The number of a group; none if nobody defines it.
    pub fn gid(&self, group: &str) -> Option<u32> {
        if group == "root" { Some(0) } else { self.groups.get(group).copied() }
    }
}
