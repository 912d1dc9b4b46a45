//! Users of the image: `/etc/passwd`.

use crate::files::Files;
use crate::load::Unit;
use crate::service::{At, Service};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Number of its group.
    pub gid: u32,
    /// Its home.
    pub home: String,
    /// Its shell.
    pub shell: String,
}

/// The user of that name or number.
pub fn user(files: &dyn Files, name: &str) -> Option<User> {
    let text = files.read("/etc/passwd").ok()?;
    String::from_utf8_lossy(&text).lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [known, _, uid, gid, _, home, shell] = fields[..] else { return None };
        (known == name || uid == name).then(|| {
            Some(User {
                name: known.to_owned(),
                gid: gid.parse().ok()?,
                home: home.to_owned(),
                shell: shell.to_owned(),
            })
        })?
    })
}

/// Whom a service runs as, and who owns its directories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Name or number; none is root.
    pub user: Option<At<String>>,
    /// Name or number; none is the user's own.
    pub group: Option<At<String>>,
    /// Whether `DynamicUser=` would have to make the user up, as the image has none of that name.
    pub made_up: bool,
}

/// The account that `User=`, `Group=` and `DynamicUser=` mean.
pub fn account(files: &dyn Files, unit: &Unit, service: &Service) -> Account {
    let group = service.group.clone();
    let Some(place) = &service.dynamic_user else {
        return Account { user: service.user.clone(), group, made_up: false };
    };
    // systemd, too, takes the user that is there, and a number as it is
    let named = service.user.clone();
    let user =
        named.unwrap_or_else(|| At { value: unit.name.prefix.clone(), place: place.clone() });
    let number = service.user.is_some() && user.value.parse::<u32>().is_ok();
    let known = || self::user(files, &user.value).is_some_and(|known| known.name == user.value);
    let made_up = !number && !known();
    Account { user: Some(user), group, made_up }
}
