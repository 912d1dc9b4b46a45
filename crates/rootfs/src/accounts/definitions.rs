//! What the packages of one image say about its accounts.

use super::{
    base64,
    database::{self, GroupEntry, PasswdEntry},
    sysusers::{self, Directive, Primary, SysGroup, SysUser},
};
use crate::facts::PackageFacts;
use std::collections::{BTreeMap, BTreeSet};
use strata_rpm::{Dependency, Package};

/// Where snippets lie, the strongest place first: a file there masks those of the same name in
/// later places.
pub const SYSUSERS_DIRECTORIES: [&str; 3] =
    ["/etc/sysusers.d", "/usr/local/lib/sysusers.d", "/usr/lib/sysusers.d"];

/// All accounts that an image's packages define.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    /// From the packaged `/etc/passwd`, in its order.
    pub passwd: Vec<PasswdEntry>,
    /// From the packaged `/etc/group`, in its order.
    pub group: Vec<GroupEntry>,
    /// From snippets, then from provides: in the order systemd takes them, each name once.
    pub users: Vec<SysUser>,
    /// As `users`; the users' own groups are not among them.
    pub groups: Vec<SysGroup>,
    /// `(user, group)`
    pub members: Vec<(String, String)>,
    /// From `r` lines.
    pub ranges: Vec<(u32, u32)>,
    /// Lines that were ignored.
    pub problems: Vec<Problem>,
}

/// A line that systemd-sysusers would ignore too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The snippet's path, or the package of a provide.
    pub source: String,
    /// Counted from 1; 0 for a provide.
    pub line: usize,
    /// Why it is ignored.
    pub reason: String,
}

impl Definitions {
    /// Collects what the packages of an image define. Their early facts must have been absorbed.
    pub fn new(packages: &[(&Package, &PackageFacts)]) -> Self {
        let mut this = Self::default();
        let mut snippets: BTreeMap<&[u8], (usize, String, &[u8])> = BTreeMap::new();
        for (package, facts) in packages {
            for (index, file) in (0u32..).zip(&package.files) {
                let content = facts.contents.get(&index).map(Vec::as_slice);
                match (file.path.as_slice(), content) {
                    (b"/etc/passwd", Some(text)) => this.passwd = database::passwd(text),
                    (b"/etc/group", Some(text)) => this.group = database::group(text),
                    (path, content) => {
                        // A link (to `/dev/null`) masks as an empty file does.
                        let Some(text) = content.or(file.is_symlink().then_some(b"".as_slice()))
                        else {
                            continue;
                        };
                        if let Some((rank, name)) = snippet(path) {
                            let path = String::from_utf8_lossy(path).into_owned();
                            let slot = snippets.entry(name).or_insert((rank, path.clone(), text));
                            if rank <= slot.0 {
                                *slot = (rank, path, text);
                            }
                        }
                    }
                }
            }
        }
        let mut taken = Taken::default();
        for (_, path, text) in snippets.into_values() {
            this.add_snippet(&path, text, &mut taken);
        }
        for (package, _) in packages {
            for provide in &package.provides {
                if let Dependency::Simple(capability) = provide
                    && let Some((_, version)) = &capability.version
                    && ["user(", "group(", "groupmember("]
                        .iter()
                        .any(|kind| capability.name.starts_with(kind))
                {
                    this.add_provide(package, &version.version, &mut taken);
                }
            }
        }
        this.add_implicit();
        this
    }

    /// Adds what one line asks for, unless the name is taken.
    pub fn add(&mut self, directive: Directive) {
        match directive {
            Directive::User(user) if self.users.iter().all(|one| one.name != user.name) => {
                self.users.push(user);
            }
            Directive::Group(group) if self.groups.iter().all(|one| one.name != group.name) => {
                self.groups.push(group);
            }
            Directive::Member { user, group } => {
                let member = (user, group);
                if !self.members.contains(&member) {
                    self.members.push(member);
                }
            }
            Directive::Range { low, high } => self.ranges.push((low, high)),
            Directive::User(_) | Directive::Group(_) => {}
        }
    }

    /// Adds the users, groups and members of another, whose names come after those here.
    pub fn extend(&mut self, other: Self) {
        let users = other.users.into_iter().map(Directive::User);
        let groups = other.groups.into_iter().map(Directive::Group);
        let members = other.members.into_iter();
        let members = members.map(|(user, group)| Directive::Member { user, group });
        for directive in users.chain(groups).chain(members) {
            self.add(directive);
        }
    }

    fn add_snippet(&mut self, path: &str, text: &[u8], taken: &mut Taken) {
        let text = String::from_utf8_lossy(text);
        for (line, number) in text.lines().zip(1..) {
            self.add_line(path, number, line, taken);
        }
    }

    fn add_provide(&mut self, package: &Package, version: &str, taken: &mut Taken) {
        // A version that is no line belongs to some other kind of provide.
        let Some(line) = base64::decode(version).and_then(|bytes| String::from_utf8(bytes).ok())
        else {
            return;
        };
        let source = package.nevra.name.clone();
        self.add_line(&source, 0, line.trim_end_matches('\0'), taken);
    }

    fn add_line(&mut self, source: &str, line: usize, text: &str, taken: &mut Taken) {
        let directive = match sysusers::parse(text) {
            Ok(Some(directive)) => directive,
            Ok(None) => return,
            Err(error) => {
                let (source, reason) = (source.to_owned(), error.to_string());
                self.problems.push(Problem { source, line, reason });
                return;
            }
        };
        match directive {
            Directive::User(user) => {
                if taken.users.insert(user.name.clone()) {
                    self.users.push(user);
                }
            }
            Directive::Group(group) => {
                if taken.groups.insert(group.name.clone()) {
                    self.groups.push(group);
                }
            }
            Directive::Member { user, group } => {
                if taken.members.insert((user.clone(), group.clone())) {
                    self.members.push((user, group));
                }
            }
            Directive::Range { low, high } => self.ranges.push((low, high)),
        }
    }

    /// Users and groups that are only named as members or as a primary group.
    fn add_implicit(&mut self) {
        let mut users: BTreeSet<String> = self.users.iter().map(|u| u.name.clone()).collect();
        let mut groups: BTreeSet<String> = self.groups.iter().map(|g| g.name.clone()).collect();
        groups.extend(self.users.iter().map(|u| u.name.clone()));
        groups.extend(self.group.iter().map(|g| g.name.clone()));
        let mut need_group = |name: &str, all: &mut Vec<SysGroup>| {
            if groups.insert(name.to_owned()) {
                all.push(SysGroup { name: name.to_owned(), gid: None });
            }
        };
        for user in &self.users {
            if let Primary::Named(group) = &user.primary {
                need_group(group, &mut self.groups);
            }
        }
        for (user, group) in &self.members {
            if users.insert(user.clone()) {
                self.users.push(SysUser {
                    name: user.clone(),
                    uid: None,
                    primary: Primary::Own,
                    description: String::new(),
                    home: None,
                    shell: None,
                    locked: false,
                });
            }
            need_group(group, &mut self.groups);
        }
    }
}

#[derive(Default)]
struct Taken {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    members: BTreeSet<(String, String)>,
}

/// Rank of the place and file name, if the path is that of a snippet.
fn snippet(path: &[u8]) -> Option<(usize, &[u8])> {
    SYSUSERS_DIRECTORIES.iter().enumerate().find_map(|(rank, directory)| {
        let name = path.strip_prefix(directory.as_bytes())?.strip_prefix(b"/")?;
        let fits = name.ends_with(b".conf") && !name.contains(&b'/') && !name.starts_with(b".");
        fits.then_some((rank, name))
    })
}
