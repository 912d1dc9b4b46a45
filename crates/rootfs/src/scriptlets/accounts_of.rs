//! Which accounts scriptlets would make, found before any image is numbered.

use super::{Contents, Limits, ScriptletTask, shell};
use crate::{Node, Owners, PackageIndex, Tree, TreePath, accounts::Definitions};
use std::{fmt::Write, sync::Arc};
use strata_rpm::{Package, Scriptlet, ScriptletKind};

/// Programs that make accounts.
const MAKERS: [&str; 6] = ["useradd", "groupadd", "adduser", "addgroup", "usermod", "gpasswd"];

/// No package's file is looked into.
struct Nothing;

impl Contents for Nothing {
    fn read(&self, _: PackageIndex, _: u32) -> Option<Arc<[u8]>> {
        None
    }
}

/// The users, groups and memberships that the scriptlets of packages would make when these are
/// installed in this order: each name once, with the number, home and shell that are asked for.
/// `known` has the accounts that are there without them; they are not among the result.
///
/// The scriptlets that call one of the programs for it are rehearsed: run on a tree that has
/// nothing but the accounts, where every other program does nothing and succeeds. A branch that
/// hangs on something else can thus be taken or missed wrongly; what is then not numbered here
/// gets its number when the scriptlet really runs.
pub fn accounts_of(packages: &[&Package], known: &Definitions) -> Definitions {
    let mut tree = Tree::default();
    for (path, text) in [("etc/passwd", passwd(known)), ("etc/group", group(known))] {
        if let Ok(path) = TreePath::new(path) {
            tree.insert(path, Node::generated(text.into_bytes(), 0o644, 0));
        }
    }
    let owners = Owners::default();
    let mut found = Definitions::default();
    let makers = packages.iter().flat_map(|package| &package.scriptlets).filter(|one| makes(one));
    for scriptlet in makers {
        let arguments = ["1".to_owned(), "1".to_owned()];
        let count = if scriptlet.kind == ScriptletKind::Trigger { 2 } else { 1 };
        let task = ScriptletTask {
            tree: &tree,
            installed: None,
            contents: &Nothing,
            owners: &owners,
            kind: scriptlet.kind,
            program: &scriptlet.program,
            body: &scriptlet.body,
            arguments: &arguments[..count],
            stdin: b"",
            mtime: 0,
            limits: Limits { steps: 100_000, bytes: 1 << 20, files: 1000, ..Limits::default() },
        };
        let (accounts, effects) = shell::rehearse(&task);
        for account in accounts {
            found.add(account);
        }
        effects.apply(&mut tree);
    }
    found
}

/// Whether it is worth a rehearsal.
fn makes(scriptlet: &Scriptlet) -> bool {
    use ScriptletKind as K;
    let installs = matches!(
        scriptlet.kind,
        K::PreTrans
            | K::Pre
            | K::Post
            | K::PostTrans
            | K::Trigger
            | K::FileTrigger
            | K::TransFileTrigger
    );
    let text = |text: &str| MAKERS.iter().any(|name| text.contains(name));
    installs && (text(&scriptlet.body) || scriptlet.program.iter().any(|word| text(word)))
}

/// Numbers do not matter here: who has none gets one that no scriptlet asks for.
fn passwd(known: &Definitions) -> String {
    let mut text = "root:x:0:0::/root:/bin/sh\n".to_owned();
    for user in known.passwd.iter().filter(|user| user.name != "root") {
        let _ = writeln!(text, "{}:x:{}:{}::/:/sbin/nologin", user.name, user.uid, user.gid);
    }
    for (number, user) in (UNKNOWN..).zip(&known.users) {
        let uid = user.uid.unwrap_or(number);
        let _ = writeln!(text, "{}:x:{uid}:{uid}::/:/sbin/nologin", user.name);
    }
    text
}

fn group(known: &Definitions) -> String {
    let mut text = "root:x:0:\n".to_owned();
    for group in known.group.iter().filter(|group| group.name != "root") {
        let _ = writeln!(text, "{}:x:{}:", group.name, group.gid);
    }
    let own = known.users.iter().map(|user| (&user.name, user.uid));
    let groups = known.groups.iter().map(|group| (&group.name, group.gid)).chain(own);
    for (number, (name, gid)) in (UNKNOWN..).zip(groups) {
        let _ = writeln!(text, "{name}:x:{}:", gid.unwrap_or(number));
    }
    text
}

/// Numbers from here on stand for unknown ones.
pub(super) const UNKNOWN: u32 = 1 << 30;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::accounts::{PasswdEntry, Primary, SysGroup, allocate};
    use strata_rpm::{Evr, Nevra};

    fn package(body: &str) -> Package {
        let evr = Evr { epoch: 0, version: "1".to_owned(), release: "1".to_owned() };
        let nevra = Nevra { name: "p".to_owned(), evr, arch: "noarch".to_owned() };
        let mut package = Package::new(nevra);
        package.scriptlets.push(Scriptlet {
            kind: ScriptletKind::Pre,
            program: vec!["/bin/sh".to_owned()],
            body: body.to_owned(),
            conditions: Vec::new(),
            priority: 0,
            flags: 0,
        });
        package
    }

    #[test]
    fn finds_what_would_be_made() {
        let packages = [
            package(
                "getent group sshd >/dev/null || groupadd -g 74 -r sshd || :\n\
                 getent passwd sshd >/dev/null || useradd -c 'A daemon' -u 74 -g sshd \\\n\
                 -s /sbin/nologin -r -d /var/empty sshd 2>/dev/null || :",
            ),
            package("/usr/sbin/useradd -r -U -s /bin/false own; nosuch --at all; groupadd -r late"),
            package("getent passwd ftp || useradd -r -u 99 ftp; usermod -aG late own; exit 0"),
        ];
        let ftp = PasswdEntry { name: "ftp".to_owned(), uid: 14, gid: 50 };
        let known = Definitions { passwd: vec![ftp], ..Definitions::default() };
        let packages: Vec<&Package> = packages.iter().collect();
        let found = accounts_of(&packages, &known);
        let users: Vec<_> =
            found.users.iter().map(|u| (u.name.as_str(), u.uid, u.primary.clone())).collect();
        let sshd = Primary::Named("sshd".to_owned());
        assert_eq!(users, [("sshd", Some(74), sshd), ("own", None, Primary::Own)]);
        assert_eq!(found.users[0].home.as_deref(), Some("/var/empty"));
        assert_eq!(found.users[0].description, "A daemon");
        let group = |name: &str, gid| SysGroup { name: name.to_owned(), gid };
        assert_eq!(found.groups, [group("sshd", Some(74)), group("late", None)]);
        assert_eq!(found.members, [("own".to_owned(), "late".to_owned())]);
        let ids = allocate(&[&found], &Default::default()).unwrap();
        assert_eq!(ids.users["own"], ids.groups["own"]);
    }
}
