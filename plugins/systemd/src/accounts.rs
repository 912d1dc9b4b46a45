//! Users of the image: `/etc/passwd`.

use crate::files::Files;

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
    let text = files.read("/etc/passwd")?;
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
