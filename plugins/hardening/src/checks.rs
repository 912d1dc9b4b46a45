//! What is worth telling of a configuration and of a file.

use strata_plugin_sdk::{Attributes, Config, Kind};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The image runs as root.
    Root,
    /// There is nothing to run.
    Command,
    /// A file gives rights to whoever starts it.
    SetId,
    /// Everyone may write.
    Writable,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Root, Self::Command, Self::SetId, Self::Writable];

    /// The setting that says what its findings do.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Command => "command",
            Self::SetId => "setid",
            Self::Writable => "writable",
        }
    }
}

/// One finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// What was looked for.
    pub check: Check,
    /// The file, if it is one.
    pub path: Option<String>,
    /// What is found.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A directory that cannot be looked into, so that nobody knows what the check would find there.
pub fn unseen(check: Check, path: String) -> Found {
    let message = format!("`{path}` cannot be opened by that name: what is in it was not checked");
    let hint = "leave out the package that has it, or let it pass with `allow`".to_owned();
    Found { check, path: Some(path), message, hint }
}

/// Findings of the configuration; `passwd` says which numbers users have.
pub fn config(config: &Config, passwd: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let user = config.user.split(':').next().unwrap_or_default();
    let named = is_root(passwd, user);
    if ["", "root"].contains(&user) || user.parse() == Ok(0_u32) || named {
        let message = match config.user.as_str() {
            "" => "the image runs as root: `User` is empty".to_owned(),
            user if named && user != "root" => {
                format!("the image runs as root: `User` is `{user}`, whose number is 0")
            }
            user => format!("the image runs as root: `User` is `{user}`"),
        };
        let hint = "set `User` in the overlay's `config` to a user of the image, or `root: ignore` \
                    in this plugin's settings";
        found.push(Found { check: Check::Root, path: None, message, hint: hint.to_owned() });
    }
    if config.entrypoint.is_empty() && config.cmd.is_empty() {
        let message = "neither `Entrypoint` nor `Cmd` says what the image runs".to_owned();
        let hint = "set one of them in the overlay's `config`, or `command: ignore` in this \
                    plugin's settings";
        found.push(Found { check: Check::Command, path: None, message, hint: hint.to_owned() });
    }
    found
}

/// Whether the user of this name is root under another one.
fn is_root(passwd: &str, name: &str) -> bool {
    let mut users = passwd.lines().map(|line| line.split(':'));
    let found = users.find_map(|mut fields| {
        (fields.next() == Some(name)).then(|| fields.nth(1).and_then(|id| id.parse().ok()))
    });
    found.flatten() == Some(0_u32)
}

/// Findings of a file that is not allowed.
pub fn file(path: &str, attributes: &Attributes) -> Vec<Found> {
    let mut found = Vec::new();
    let mut add = |check, message| {
        let hint = match &attributes.package {
            Some(package) => format!("add `{path}` to `allow`, or leave `{package}` out"),
            None => format!("add `{path}` to `allow`, or change its mode"),
        };
        found.push(Found { check, path: Some(path.to_owned()), message, hint });
    };
    let mode = attributes.mode;
    if attributes.kind == Kind::File {
        let ids: Vec<_> = [(0o4000, "user", attributes.uid), (0o2000, "group", attributes.gid)]
            .into_iter()
            .filter(|(bit, ..)| mode & bit != 0 && mode & executes(*bit) != 0)
            .map(|(_, what, id)| {
                format!("{what} {}", if id == 0 { "root".into() } else { id.to_string() })
            })
            .collect();
        if !ids.is_empty() {
            let message = format!("`{path}` runs as {} (mode {mode:04o})", ids.join(" and "));
            add(Check::SetId, message);
        }
        if attributes.capabilities {
            add(Check::SetId, format!("`{path}` has capabilities, whoever starts it"));
        }
    }
    let sticky = attributes.kind == Kind::Directory && mode & 0o1000 != 0;
    let counts = matches!(attributes.kind, Kind::File | Kind::Directory | Kind::Fifo);
    if counts && mode & 0o002 != 0 && !sticky {
        let what = match attributes.kind {
            Kind::Directory => "directory without sticky bit",
            Kind::Fifo => "pipe",
            _ => "file",
        };
        add(Check::Writable, format!("everyone may write the {what} `{path}` (mode {mode:04o})"));
    }
    found
}

/// Which permissions to execute give such a bit its meaning. A group's without its own is for
/// locks, as it was once.
const fn executes(bit: u32) -> u32 {
    match bit {
        0o2000 => 0o010,
        _ => 0o111,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\n\
                          nginx:x:33:0::/:/bin/sh\n";

    fn with(kind: Kind, mode: u32) -> Attributes {
        let (uid, gid, size, target) = (0, 0, 1, None);
        let package = Some("util-linux".to_owned());
        Attributes { kind, mode, uid, gid, size, target, capabilities: false, package }
    }

    fn configured(user: &str, command: &[&str]) -> Config {
        Config {
            user: user.to_owned(),
            entrypoint: command.iter().map(|word| (*word).to_owned()).collect(),
            cmd: Vec::new(),
            working_dir: String::new(),
            env: Vec::new(),
            ports: Vec::new(),
            volumes: Vec::new(),
            labels: Vec::new(),
            stop_signal: String::new(),
            annotations: Vec::new(),
        }
    }

    fn checks(found: &[Found]) -> Vec<Check> {
        found.iter().map(|found| found.check).collect()
    }

    #[test]
    fn root_is_found_under_each_of_its_names() {
        for user in ["", "0", "0:0", "root", "root:adm", "00:5", "toor", "toor:adm"] {
            assert_eq!(
                checks(&config(&configured(user, &["/a"]), PASSWD)),
                [Check::Root],
                "{user}"
            );
        }
        for user in ["999", "999:0", "10:10", "nginx"] {
            assert_eq!(config(&configured(user, &["/a"]), PASSWD), [], "{user}");
        }
    }

    #[test]
    fn an_image_that_runs_nothing_is_told() {
        assert_eq!(checks(&config(&configured("1", &[]), PASSWD)), [Check::Command]);
        let cmd = Config { cmd: vec!["a".to_owned()], ..configured("1", &[]) };
        assert_eq!(config(&cmd, PASSWD), []);
    }

    #[test]
    fn set_id_files_say_whose_rights_they_give() {
        let found = file("/usr/bin/su", &with(Kind::File, 0o4755));
        assert_eq!(found[0].message, "`/usr/bin/su` runs as user root (mode 4755)");
        assert_eq!(found[0].hint, "add `/usr/bin/su` to `allow`, or leave `util-linux` out");
        let group = Attributes { gid: 5, ..with(Kind::File, 0o2755) };
        assert_eq!(file("/w", &group)[0].message, "`/w` runs as group 5 (mode 2755)");
        let able = Attributes { capabilities: true, package: None, ..with(Kind::File, 0o755) };
        assert_eq!(file("/p", &able)[0].hint, "add `/p` to `allow`, or change its mode");
        for mode in [0o2745, 0o4644, 0o2644] {
            assert_eq!(file("/a", &with(Kind::File, mode)), [], "{mode:o}");
        }
        assert_eq!(file("/a", &with(Kind::File, 0o4001)).len(), 1);
        // a directory's bit only hands its group on
        assert_eq!(file("/var/log", &with(Kind::Directory, 0o2755)), []);
    }

    #[test]
    fn what_everyone_may_write_is_told_but_for_sticky_directories_and_links() {
        assert_eq!(checks(&file("/a", &with(Kind::File, 0o666))), [Check::Writable]);
        assert_eq!(checks(&file("/a", &with(Kind::Directory, 0o777))), [Check::Writable]);
        assert_eq!(file("/tmp", &with(Kind::Directory, 0o1777)), []);
        assert_eq!(file("/a", &with(Kind::Symlink, 0o777)), []);
        assert_eq!(file("/dev/null", &with(Kind::Device, 0o666)), []);
    }
}
