//! Numbers for the accounts that have none, over all images at once.

use super::{Definitions, Owners, Primary};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Highest number for system accounts (`SYS_UID_MAX`, `SYS_GID_MAX`).
const HIGHEST: u32 = 999;

/// Numbers that were chosen here, not by a package. They belong in the lock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// By user name.
    #[serde(default)]
    pub users: BTreeMap<String, u32>,
    /// By group name.
    #[serde(default)]
    pub groups: BTreeMap<String, u32>,
}

/// No number is left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no number between 1 and {HIGHEST} is free for `{name}`")]
pub struct AllocateError {
    /// The user or group without a number.
    pub name: String,
}

/// Chooses numbers for the accounts that have no fixed one in some image. A name has the same
/// number in all images where it is chosen here. `previous` numbers stay as long as no package
/// fixed them for another name; then come a same-named group's or user's number, and last the
/// highest free number, names in byte order.
pub fn allocate(images: &[&Definitions], previous: &Ids) -> Result<Ids, AllocateError> {
    let mut taken = Holders::default();
    let mut fixed_users: BTreeMap<String, u32> = BTreeMap::new();
    let mut fixed_groups: BTreeMap<String, u32> = BTreeMap::new();
    let mut open: BTreeMap<&str, Open> = BTreeMap::new();
    for image in images {
        let fixed = fixed(image);
        for (name, uid) in &fixed.users {
            taken.hold(*uid, name);
            let least = fixed_users.entry(name.clone()).or_insert(*uid);
            *least = (*least).min(*uid);
        }
        for (name, gid) in &fixed.groups {
            taken.hold(*gid, name);
            let least = fixed_groups.entry(name.clone()).or_insert(*gid);
            *least = (*least).min(*gid);
        }
        for user in users(image).filter(|name| !fixed.users.contains_key(*name)) {
            open.entry(user).or_default().user = true;
        }
        for group in groups(image).filter(|name| !fixed.groups.contains_key(*name)) {
            open.entry(group).or_default().group = true;
        }
    }
    let mut ids = Ids::default();
    for (name, open) in &open {
        if let Some(uid) = previous.users.get(*name).filter(|_| open.user)
            && taken.free(*uid, name)
        {
            ids.users.insert((*name).to_owned(), *uid);
            taken.hold(*uid, name);
        }
        if let Some(gid) = previous.groups.get(*name).filter(|_| open.group)
            && taken.free(*gid, name)
        {
            ids.groups.insert((*name).to_owned(), *gid);
            taken.hold(*gid, name);
        }
    }
    let mut below = HIGHEST;
    for (name, open) in &open {
        let user = open.user && !ids.users.contains_key(*name);
        let group = open.group && !ids.groups.contains_key(*name);
        if !user && !group {
            continue;
        }
        let kin = [fixed_users.get(*name), fixed_groups.get(*name)];
        let kin =
            kin.into_iter().flatten().chain(ids.users.get(*name)).chain(ids.groups.get(*name));
        let id = match kin.copied().find(|id| *id != 0 && taken.free(*id, name)) {
            Some(id) => id,
            None => {
                while below > 0 && !taken.free(below, name) {
                    below -= 1;
                }
                if below == 0 {
                    return Err(AllocateError { name: (*name).to_owned() });
                }
                below
            }
        };
        taken.hold(id, name);
        if user {
            ids.users.insert((*name).to_owned(), id);
        }
        if group {
            ids.groups.insert((*name).to_owned(), id);
        }
    }
    Ok(ids)
}

/// The numbers of one image's accounts.
pub fn owners(image: &Definitions, ids: &Ids) -> Owners {
    let mut owners = fixed(image);
    for name in users(image) {
        if let Some(uid) = ids.users.get(name) {
            owners.users.entry(name.to_owned()).or_insert(*uid);
        }
    }
    for name in groups(image) {
        if let Some(gid) = ids.groups.get(name) {
            owners.groups.entry(name.to_owned()).or_insert(*gid);
        }
    }
    owners
}

/// What a name still needs a number for.
#[derive(Default)]
struct Open {
    user: bool,
    group: bool,
}

/// Who has which number anywhere, as user or as group. A number is for one name only, in both
/// roles and all images, so that adding an image never takes a chosen number away.
#[derive(Default)]
struct Holders(BTreeMap<u32, BTreeSet<String>>);

impl Holders {
    fn free(&self, id: u32, name: &str) -> bool {
        self.0.get(&id).is_none_or(|holders| holders.iter().all(|holder| holder == name))
    }

    fn hold(&mut self, id: u32, name: &str) {
        self.0.entry(id).or_default().insert(name.to_owned());
    }
}

fn users(image: &Definitions) -> impl Iterator<Item = &str> {
    image.users.iter().map(|user| user.name.as_str())
}

/// All groups that snippets ask for, the users' own ones too.
fn groups(image: &Definitions) -> impl Iterator<Item = &str> {
    let own = image.users.iter().filter(|user| user.primary == Primary::Own);
    image.groups.iter().map(|group| group.name.as_str()).chain(own.map(|user| user.name.as_str()))
}

/// Numbers that packages fix: the packaged databases first, then the numbers of snippets as far as
/// the image has them free.
fn fixed(image: &Definitions) -> Owners {
    let mut owners = Owners::default();
    for entry in &image.passwd {
        owners.users.entry(entry.name.clone()).or_insert(entry.uid);
    }
    for entry in &image.group {
        owners.groups.entry(entry.name.clone()).or_insert(entry.gid);
    }
    let mut uids: BTreeMap<u32, String> = BTreeMap::new();
    let mut gids: BTreeMap<u32, String> = BTreeMap::new();
    for (name, uid) in &owners.users {
        uids.entry(*uid).or_insert_with(|| name.clone());
    }
    for (name, gid) in &owners.groups {
        gids.entry(*gid).or_insert_with(|| name.clone());
    }
    for group in &image.groups {
        if let Some(gid) = group.gid
            && !owners.groups.contains_key(&group.name)
            && !gids.contains_key(&gid)
        {
            owners.groups.insert(group.name.clone(), gid);
            gids.insert(gid, group.name.clone());
        }
    }
    let listed: BTreeSet<&str> = image.groups.iter().map(|group| group.name.as_str()).collect();
    for user in &image.users {
        let Some(uid) = user.uid else { continue };
        let other = |holder: Option<&String>| holder.is_some_and(|holder| *holder != user.name);
        let own = user.primary == Primary::Own;
        let free = !other(uids.get(&uid));
        if own
            && free
            && !owners.groups.contains_key(&user.name)
            && !listed.contains(user.name.as_str())
            && !gids.contains_key(&uid)
        {
            owners.groups.insert(user.name.clone(), uid);
            gids.insert(uid, user.name.clone());
        }
        // Who names a group of its own accord takes the number even if it is another group's.
        if free && !owners.users.contains_key(&user.name) && (!own || !other(gids.get(&uid))) {
            owners.users.insert(user.name.clone(), uid);
            uids.insert(uid, user.name.clone());
        }
    }
    owners
}
