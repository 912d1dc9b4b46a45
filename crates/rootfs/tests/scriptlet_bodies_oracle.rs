//! Bodies of real packages as our interpreter and as a real shell leave the tree, entry by entry:
//! those of the databases of two distributions, and those of the corpora.
//!
//! Both see the programs of this machine, and begin with a tree that has what the bodies look
//! for: accounts, configuration, units, leftovers of older releases.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests"
)]

#[path = "support/scriptlets.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod bodies;
#[path = "support/chroot.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod chroot;
#[path = "support/headers.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod headers;

use chroot::{BASH, base, changed, differences, listed, path, possible, real, task};
use std::{collections::BTreeSet, fs, path::Path};
use strata_rootfs::{
    Kind, Node, Owners, Tree,
    scriptlets::{ScriptletError, run},
};
use strata_rpm::{Package, Scriptlet, ScriptletKind};

/// What bodies look for.
const MORE: [(&str, &str, u16); 24] = [
    ("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n", 0o644),
    ("etc/selinux/targeted/contexts/customizable_types", "a_t\ncontainer_file_t\nb_t\n", 0o644),
    ("etc/selinux/targeted/.rebuild", "", 0o644),
    ("etc/nsswitch.conf", "passwd:     files sss\ngroup: files\nhosts:  files dns  \n", 0o644),
    ("etc/fstab", "/dev/sda1 / ext4 defaults 1 1\nproc /proc proc defaults 0 0\n", 0o644),
    ("etc/krb5.conf", "[libdefaults]\n", 0o644),
    ("etc/vconsole.conf", "KEYMAP=\"fi-latin1\"\nFONT=x\n", 0o644),
    ("etc/sysconfig/kernel", "UPDATEDEFAULT=yes\nDEFAULTKERNEL=kernel-smp\n", 0o644),
    ("etc/sudoers", "root ALL=(ALL) ALL\n", 0o600),
    ("etc/blkid.tab", "<device>\n", 0o644),
    ("etc/blkid/blkid.tab.old", "<device>\n", 0o644),
    ("etc/grub.d/01_users", "password_pbkdf2 root secret\n", 0o755),
    ("etc/systemd/system/chronyd.service", "[Service]\nPIDFile=/var/run/chronyd.pid\n", 0o644),
    ("etc/sgml/catalog", "a\n xml-docbook one\nb\nxml-docbook two\n", 0o600),
    ("etc/shells", "/bin/sh\n", 0o644),
    ("boot/grub2/grub.cfg", "", 0o600),
    ("boot/extlinux.conf", "x\n", 0o644),
    ("var/lib/random-seed", "seed", 0o600),
    ("var/lib/systemd/clock", "", 0o644),
    ("var/lib/rpm-state/copy_jdk_configs.lua", "--\n", 0o644),
    ("var/cache/man/de/index.db", "x", 0o644),
    ("var/cache/fontconfig/one.cache", "x", 0o644),
    ("var/log/wtmp", "", 0o664),
    ("etc/audit/auditd.conf", "x\n", 0o640),
];

/// Made once for the whole image, by others than scriptlets.
const ELSEWHERE: [&str; 3] = ["/etc/ld.so.cache", "/var/cache/ldconfig", "/etc/udev"];

const DIRECTORIES: [&str; 10] = [
    "run",
    "etc/audit/rules.d",
    "var/empty",
    "var/tmp",
    "var/spool/mail",
    "etc/alternatives",
    "var/lib/dpkg/alternatives",
    "etc/systemd/user",
    "etc/skel",
    "var/lib/setroubleshoot",
];

/// The tree that both begin with, and the same with what the interpreter needs of `/usr`.
fn trees() -> (Tree, Tree) {
    let mut tree = base();
    for directory in DIRECTORIES {
        parents(&mut tree, directory);
        tree.insert(path(directory), Node::implied_directory());
    }
    for (at, text, mode) in MORE {
        parents(&mut tree, at);
        tree.insert(path(at), Node::generated(text.as_bytes(), mode, 1_000_000));
    }
    let mut seen = tree.clone();
    for place in ["usr/bin", "usr/sbin"] {
        for entry in fs::read_dir(format!("/{place}")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            seen.insert(path(&format!("{place}/{name}")), Node::generated(*b"\x7fELF", 0o755, 0));
        }
    }
    for place in ["systemd", "tmpfiles.d", "sysusers.d"] {
        mirror(&mut seen, Path::new(&format!("/usr/lib/{place}")));
    }
    // what says which machine it is
    let loader = "usr/lib64/ld-linux-x86-64.so.2";
    seen.insert(path(loader), Node::generated(*b"\x7fELF", 0o755, 0));
    (tree, seen)
}

fn parents(tree: &mut Tree, at: &str) {
    for (end, _) in at.match_indices('/') {
        let parent = path(&at[..end]);
        if tree.get(&parent).is_none() {
            tree.insert(parent, Node::implied_directory());
        }
    }
}

/// A part of this machine's `/usr` with its texts.
fn mirror(tree: &mut Tree, place: &Path) {
    let Ok(meta) = fs::symlink_metadata(place) else { return };
    let at = path(place.to_str().unwrap().trim_start_matches('/'));
    if meta.is_dir() {
        tree.insert(at, Node::implied_directory());
        for entry in fs::read_dir(place).unwrap() {
            mirror(tree, &entry.unwrap().path());
        }
    } else if meta.is_symlink() {
        let target = fs::read_link(place).unwrap().into_os_string().into_encoded_bytes();
        let kind = Kind::Symlink { target };
        tree.insert(at, Node { kind, ..Node::generated(*b"", 0o777, 0) });
    } else {
        use std::os::unix::fs::MetadataExt;
        let mode = u16::try_from(meta.mode() & 0o7777).unwrap();
        tree.insert(at, Node::generated(fs::read(place).unwrap(), mode, 0));
    }
}

/// The shell bodies that run when something is installed.
fn shell_bodies(packages: &[Package]) -> Vec<(String, &Scriptlet)> {
    use ScriptletKind as K;
    let mut out = Vec::new();
    for package in packages {
        for (place, scriptlet) in package.scriptlets.iter().enumerate() {
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
            let shell = scriptlet.program.first().is_some_and(|name| name.ends_with("/sh"));
            // those of removal are triggers, too
            let triggered = scriptlet.conditions.is_empty()
                || scriptlet.conditions.iter().any(|one| one.flags & (1 << 16 | 1 << 25) != 0);
            if installs && triggered && shell && !scriptlet.body.trim().is_empty() {
                let name = format!("{} {place} {:?}", package.nevra.name, scriptlet.kind);
                out.push((name, scriptlet));
            }
        }
    }
    out
}

#[derive(Debug, Default)]
struct Compared {
    same: usize,
    /// Of those, how many changed anything.
    effective: usize,
    refused: Vec<String>,
    /// Those that leave something else, and why.
    explained: Vec<String>,
    different: Vec<String>,
}

/// Compares bodies, each once. Those that are `explained` leave something else.
fn compare(
    bodies: &[(String, &Scriptlet)],
    explained: &[(&str, &str)],
    shells: &[&str],
    ways: &[&[&str]],
) -> Compared {
    let (tree, seen) = trees();
    let owners = Owners::default();
    let only = std::env::var("STRATA_BODY").ok();
    let mut compared = Compared::default();
    let mut known = BTreeSet::new();
    for (name, scriptlet) in bodies {
        if only.as_ref().is_some_and(|only| !name.starts_with(only.as_str())) {
            continue;
        }
        // many packages have the same body
        if !known.insert(&scriptlet.body) {
            continue;
        }
        for way in ways {
            let arguments: Vec<String> = way.iter().map(|one| (*one).to_owned()).collect();
            let task = task(&seen, &scriptlet.body, &owners, &arguments);
            let effects = match run(&task) {
                Ok(effects) => effects,
                Err(error) => {
                    assert!(!matches!(error, ScriptletError::Content { .. }), "{name}: {error}");
                    compared.refused.push(format!("{name} {way:?}: {error}"));
                    continue;
                }
            };
            let mut after = seen.clone();
            effects.apply(&mut after);
            let (ours, ours_usr) = (listed(&after), changed(&effects));
            for shell in shells {
                let mut theirs = real(&tree, shell, &scriptlet.body, way).unwrap();
                for elsewhere in ELSEWHERE {
                    theirs.tree.retain(|at, _| !at.starts_with(elsewhere));
                }
                // Debian's systemctl is built for a system whose `/lib` is no link
                for line in theirs.tree.values_mut() {
                    *line = line.replace("-> /lib/systemd/", "-> /usr/lib/systemd/");
                }
                let mut lines = differences(&ours, &theirs.tree);
                lines.extend(differences(&ours_usr, &theirs.usr));
                if effects.status != theirs.status {
                    lines.push(format!("  status {} theirs {}", effects.status, theirs.status));
                }
                if lines.is_empty() {
                    compared.same += 1;
                    compared.effective += usize::from(!effects.is_empty());
                } else if let Some((_, why)) = explained.iter().find(|(own, _)| own == name) {
                    compared.explained.push(format!("{name}: {why}"));
                } else {
                    let output = String::from_utf8_lossy(&effects.output);
                    compared.different.push(format!(
                        "{name} {way:?} {shell}\n{}\n  output: {output}\n  theirs: {}",
                        lines.join("\n"),
                        theirs.output
                    ));
                }
            }
        }
    }
    compared
}

fn check(name: &str, compared: &Compared, same: usize) {
    println!("{name}: {} the same, {} of them with an effect", compared.same, compared.effective);
    for refused in &compared.refused {
        println!("  refused {refused}");
    }
    for explained in &compared.explained {
        println!("  other {explained}");
    }
    let different = &compared.different;
    assert!(different.is_empty(), "{} differ\n{}", different.len(), different.join("\n\n"));
    if std::env::var_os("STRATA_BODY").is_none() {
        assert!(compared.same >= same, "only {} are the same", compared.same);
    }
}

const DEBCONF: &str = "debconf's Perl asks on this machine, and is not in the interpreter's tree";

const OF_THE_MACHINE: &str =
    "the cache is of this machine's files, which the interpreter's tree lacks";

/// Where the programs of this machine are not those of the distribution, or the result is no
/// function of its input.
const EXPLAINED: [(&str, &str); 11] = [
    (
        "systemd 1 Post",
        "what lies in memory is made at boot, machine-id is left empty, and the journal's catalog \
         is not built",
    ),
    ("systemd-udev 0 Post", "no random seed belongs in an image"),
    ("nginx-common 0 Post", DEBCONF),
    ("openssh-server 0 Post", DEBCONF),
    ("kernel-core 0 Post", "Debian's `uname -i` does not know the machine"),
    ("systemd-udev 1 Post", "no random seed belongs in an image"),
    ("adwaita-icon-theme 0 TransFileTrigger", OF_THE_MACHINE),
    ("glib2 2 TransFileTrigger", OF_THE_MACHINE),
    ("java-1.8.0-openjdk-headless 0 Post", OF_THE_MACHINE),
    ("hicolor-icon-theme 0 TransFileTrigger", OF_THE_MACHINE),
    ("fontconfig 1 TransFileTrigger", "its cache only makes things faster, and is not built"),
];

#[test]
fn bodies_of_two_distributions() {
    if !possible() {
        return;
    }
    for (name, same) in [("fedora31", 71), ("centos8", 101)] {
        let Some(database) = headers::database(name) else { return };
        let packages = headers::packages(&database);
        let compared = compare(&shell_bodies(&packages), &EXPLAINED, &[BASH], &[&["1"]]);
        check(name, &compared, same);
    }
}

/// Debian's own scripts are called with a word, and by another shell.
#[test]
fn bodies_of_the_corpora() {
    if !possible() {
        return;
    }
    let Some(directories) = headers::corpora() else { return };
    let packages: Vec<Package> = directories.iter().flat_map(|one| headers::files(one)).collect();
    let shells = [BASH, "/usr/bin/dash"];
    let compared =
        compare(&shell_bodies(&packages), &EXPLAINED, &shells, &[&["1"], &["configure"]]);
    check("corpora", &compared, 4);
}
