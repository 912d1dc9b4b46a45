//! The same scriptlets in a real chroot, as root: the trees are compared entry by entry.

use crate::lab::{Lab, path, scratch, short};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt, chown, lchown, symlink},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use strata_rootfs::{Content, Kind, LinkSet, PackageIndex, Tree, scriptlets::Contents};
use strata_testkit::tool;

/// Interpreter and body. Each begins with what the ones before left.
const BODIES: &[(&str, &str)] = &[
    ("/bin/sh", "mkdir -p /opt/a/b; echo one >/opt/a/b/c; chmod 600 /opt/a/b/c; chmod 2775 /opt/a"),
    ("/bin/sh", "cd /srv; sed -i s/theirs/ours/ theirs; chown 33:42 theirs; mv data moved; ls -l"),
    ("/bin/sh", "cp -a /srv/moved /srv/copied; rm -r /srv/moved; mkfifo -m 640 /srv/fifo"),
    ("/bin/sh", "ln /opt/a/b/c /opt/hard; echo two >>/opt/hard; ln -s ../hard /opt/a/soft; exit 3"),
    ("/bin/sh", "install -D -m 4711 -o 33 -g 42 /bin/true /opt/bin/suid; chown 0 /opt/bin/suid"),
    ("/bin/sh", "rm -rf /usr/share/doc; ln -s /opt /usr/share/doc; touch /usr/share/doc/by-link"),
    (
        "/bin/sh",
        "for f in /etc/*.conf; do echo '# seen' >>$f; done; find /etc -type f | sort >/opt/l",
    ),
    (
        "/bin/sh",
        "while read line; do echo \"<$line>\"; done >/opt/stdin; umask >>/opt/stdin; pwd >>/opt/stdin",
    ),
    ("/bin/sh", "env | sort | grep -v '^_=' >/opt/env; id >>/opt/env; echo $0 $# >>/opt/env"),
    ("/bin/sh", "rm /opt/a/b/c; echo three >/opt/hard; mv /opt/a /opt/z; mkdir /opt/a"),
    ("/bin/sh", "chmod -R go-rwx /opt/z; chown -R 33:33 /opt/z; chown -h 42 /opt/z/soft"),
    ("/bin/sh", "tar -C /etc -cf - . 2>/dev/null | tar -C /opt/a -xf - ; rm -f /opt/a/passwd"),
    ("/bin/sh", "ldconfig; ldconfig -p | head -3 >/opt/ldconfig"),
    (
        "/bin/bash",
        "declare -A m=([a]=1 [b]=2); for k in a b; do echo $k ${m[$k]}; done | tee /opt/m",
    ),
    (
        "/usr/bin/python3",
        "import json, os\njson.dump(sorted(os.listdir('/usr/lib')), open('/opt/j', 'w'))",
    ),
    (
        "/usr/bin/python3",
        "import os, shutil\nshutil.copytree('/etc', '/opt/etc', symlinks=True)\nos.rename('/opt/etc', '/opt/cte')",
    ),
    (
        "/usr/bin/python3",
        "import os\nos.chmod('/opt/cte', 0o1777)\nos.truncate('/opt/l', 10)\nos.chown('/opt/l', 65534, 65534)\nos._exit(7)",
    ),
    (
        "/usr/bin/python3",
        "import os\nos.setgid(33); os.setuid(33)\ntry:\n open('/opt/no', 'w')\nexcept PermissionError: print('no')\nopen('/opt/cte/yes', 'w')",
    ),
    (
        "/usr/bin/python3",
        "import hashlib, zlib\nopen('/opt/z1', 'wb').write(zlib.compress(open('/bin/bash', 'rb').read()))",
    ),
    (
        "/usr/bin/perl",
        "open(my $f, '>', '/opt/p') or die; print $f join(',', sort keys %ENV), \"\\n\"; close $f; unlink '/opt/j'; exit 0",
    ),
    (
        "/usr/bin/perl",
        "rename '/opt/p', '/opt/q'; symlink 'q', '/opt/r'; chmod 0400, '/opt/q'; chown 33, 33, '/opt/q'; mkdir '/opt/s', 0700",
    ),
    (
        "/usr/bin/perl",
        "link '/usr/bin/perl', '/opt/perl'; utime 1, 1, '/opt/q'; `rm -rf /opt/s`; print `ls /opt`",
    ),
];

type Lines = BTreeMap<String, String>;

/// Not compared: what is mounted there, and what is not kept on purpose.
fn skipped(name: &str) -> bool {
    ["/dev", "/proc", "/tmp", "/var/tmp"]
        .iter()
        .any(|top| name == *top || name.starts_with(&format!("{top}/")))
        || name.starts_with("/var/cache/ldconfig")
}

fn write(tree: &Tree, contents: &dyn Contents, root: &Path) {
    let mut sets: BTreeMap<LinkSet, PathBuf> = BTreeMap::new();
    for (at, node) in tree.iter() {
        let place = root.join(&at.to_string()[1..]);
        match &node.kind {
            Kind::Directory => fs::create_dir_all(&place).unwrap(),
            Kind::Symlink { target } => {
                symlink(std::ffi::OsStr::from_bytes(target), &place).unwrap();
                lchown(&place, Some(node.uid), Some(node.gid)).unwrap();
                continue;
            }
            Kind::File { content, links, .. } => {
                if let Some(first) = links.and_then(|set| sets.get(&set)) {
                    fs::hard_link(first, &place).unwrap();
                    continue;
                }
                if let Some(set) = links {
                    sets.insert(*set, place.clone());
                }
                fs::write(&place, bytes(content, contents)).unwrap();
            }
            other => panic!("{at}: {other:?}"),
        }
        chown(&place, Some(node.uid), Some(node.gid)).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(node.mode.into())).unwrap();
        if let Kind::File { .. } = node.kind {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(node.mtime);
            fs::File::open(&place).unwrap().set_modified(time).unwrap();
        }
    }
}

fn bytes(content: &Content, contents: &dyn Contents) -> std::sync::Arc<[u8]> {
    match content {
        Content::Inline(bytes) => bytes.clone(),
        Content::Package { package, file } => contents.read(*package, *file).unwrap(),
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("{} {}", bytes.len(), hex::encode(Sha256::digest(bytes)))
}

/// What is on disk; digests of files that were not touched are those of the time before.
fn disk(root: &Path, known: &mut BTreeMap<(u64, i64, i64), String>) -> Lines {
    let mut lines = Lines::new();
    let mut inodes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(place) = todo.pop() {
        let name = format!("/{}", place.strip_prefix(root).unwrap().display());
        if skipped(&name) {
            continue;
        }
        let meta = fs::symlink_metadata(&place).unwrap();
        let mut line = format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid());
        if meta.is_dir() {
            todo.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_symlink() {
            line += &format!(" -> {}", fs::read_link(&place).unwrap().display());
        } else if meta.is_file() {
            let state = (meta.ino(), meta.ctime(), meta.ctime_nsec());
            let digest = known.entry(state).or_insert_with(|| digest(&fs::read(&place).unwrap()));
            line += &format!(" {digest}");
            if meta.nlink() > 1 {
                inodes.entry(meta.ino()).or_default().push(name.clone());
            }
        }
        lines.insert(name, line);
    }
    join(inodes.into_values(), &mut lines);
    lines
}

/// What a tree says.
fn listed(
    tree: &Tree,
    contents: &dyn Contents,
    known: &mut BTreeMap<(PackageIndex, u32), String>,
) -> Lines {
    let mut lines = Lines::new();
    let mut sets: BTreeMap<LinkSet, Vec<String>> = BTreeMap::new();
    for (at, node) in tree.iter() {
        let name = at.to_string();
        if skipped(&name) {
            continue;
        }
        let kind = match &node.kind {
            Kind::Directory => 0o040_000,
            Kind::File { .. } => 0o100_000,
            Kind::Symlink { .. } => 0o120_000,
            Kind::Fifo => 0o010_000,
            Kind::Device { .. } => 0o020_000,
        };
        let mut line = format!("{:o} {}:{}", kind | u32::from(node.mode), node.uid, node.gid);
        match &node.kind {
            Kind::Symlink { target } => line += &format!(" -> {}", String::from_utf8_lossy(target)),
            Kind::File { content, links, .. } => {
                let digest = match content {
                    Content::Inline(bytes) => digest(bytes),
                    Content::Package { package, file } => known
                        .entry((*package, *file))
                        .or_insert_with(|| digest(&bytes(content, contents)))
                        .clone(),
                };
                line += &format!(" {digest}");
                if let Some(set) = links {
                    sets.entry(*set).or_default().push(name.clone());
                }
            }
            _ => {}
        }
        lines.insert(name, line);
    }
    join(sets.into_values(), &mut lines);
    lines
}

fn join(sets: impl Iterator<Item = Vec<String>>, lines: &mut Lines) {
    for mut names in sets {
        names.sort();
        for name in &names {
            lines.get_mut(name).unwrap().push_str(&format!(" same {}", names[0]));
        }
    }
}

fn real(root: &Path, program: &str, body: &str) -> (i32, String) {
    fs::create_dir_all(root.join("var/tmp")).unwrap();
    fs::write(root.join("var/tmp/rpm-tmp.strata"), body).unwrap();
    let setup = "mount --make-rprivate / && mount --bind /dev \"$0/dev\" && mount -t proc proc \
                 \"$0/proc\" && umask 022 && exec chroot \"$0\" \"$@\"";
    let environment = [
        "/usr/bin/env",
        "-i",
        "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/X11R6/bin",
        "HOME=/root",
        "PWD=/",
        "PYTHONHASHSEED=0",
        "PERL_HASH_SEED=0",
        program,
        "/var/tmp/rpm-tmp.strata",
    ];
    let mut child = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "sh", "-c", setup])
        .arg(root)
        .args(environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::Write;
    // who does not read it closes it
    let _ = child.stdin.take().unwrap().write_all(b"first\nsecond\n");
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    fs::remove_file(root.join("var/tmp/rpm-tmp.strata")).unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

pub fn same() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a chroot needs root");
        return;
    }
    let (Some(mut lab), Some(_)) = (Lab::new(short()), tool("unshare")) else { return };
    let directory = scratch();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut tree = lab.image.tree.clone();
    tree.insert(path(""), strata_rootfs::Node::implied_directory());
    write(&tree, lab.image, &root);
    let (mut on_disk, mut in_tree) = (BTreeMap::new(), BTreeMap::new());
    let mut compare = |tree: &Tree, what: &str| {
        let theirs = disk(&root, &mut on_disk);
        let ours = listed(tree, lab.image, &mut in_tree);
        let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        let lines: Vec<String> = names
            .into_iter()
            .filter(|name| ours.get(*name) != theirs.get(*name))
            .map(|name| format!("{name}: ours {:?} theirs {:?}", ours.get(name), theirs.get(name)))
            .collect();
        assert!(lines.is_empty(), "{what}\n{}", lines.join("\n"));
    };
    compare(&tree, "before");
    for (program, body) in BODIES {
        let effects = lab.run_on(&tree, program, body).unwrap_or_else(|e| panic!("{e}\n{body}"));
        let (status, output) = real(&root, program, body);
        assert_eq!(effects.status, status, "{body}\n{output}");
        let count = |text: &str| text.lines().count();
        assert_eq!(count(&String::from_utf8_lossy(&effects.output)), count(&output), "{body}");
        effects.apply(&mut tree);
        compare(&tree, body);
    }
    println!("  {} bodies leave the same as in a chroot", BODIES.len());
}
