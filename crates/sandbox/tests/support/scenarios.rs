//! What is tried: ordinary work, owners, and what must not be kept.

use crate::{
    bounds, chroot, escapes, kept,
    lab::{HERE, Lab, as_user, lines, path, short},
};
use std::{fs, process::Command};
use strata_rootfs::Node;
use strata_sandbox::SandboxError;
use strata_testkit::tool;

pub type Test = (&'static str, fn());

pub const ALL: &[Test] = &[
    ("available", available),
    ("available_as_user", || user("available")),
    ("python", python),
    ("python_as_user", || user("python")),
    ("compiled_program", compiled),
    ("compiled_program_as_user", || user("compiled_program")),
    ("owners", owners),
    ("owners_as_user", || user("owners")),
    ("other_users", other_users),
    ("other_users_as_user", || user("other_users")),
    ("hard_links", hard_links),
    ("hard_links_as_user", || user("hard_links")),
    ("a_copy_and_a_layer_give_the_same", copies),
    ("the_tree_follows", follows),
    ("what_differs_is_refused", differs),
    ("random_state_is_normalised", normalised),
    ("what_no_image_can_hold", unholdable),
    ("endless_loop", bounds::endless_loop),
    ("fork_bomb", bounds::fork_bomb),
    ("fork_bomb_as_user", || user("fork_bomb")),
    ("memory_bomb", bounds::memory_bomb),
    ("disk_filler", bounds::disk_filler),
    ("output_without_end", bounds::output),
    ("left_behind", bounds::left_behind),
    ("killed_with_its_parent", bounds::killed),
    ("killed_with_its_parent_as_user", || user("killed_with_its_parent")),
    ("victim", bounds::victim),
    ("concurrent", bounds::concurrent),
    ("network", escapes::network),
    ("network_as_user", || user("network")),
    ("escapes", escapes::all),
    ("escapes_as_user", || user("escapes")),
    ("same_as_a_chroot", chroot::same),
    ("kept_results", kept::round_trip),
    ("keys", kept::keys),
    ("cost_on_large", kept::cost),
];

/// The same test as an ordinary user.
fn user(name: &str) {
    if std::env::var_os(HERE).is_none() && rustix::process::geteuid().is_root() {
        as_user(name);
    }
}

fn available() {
    strata_sandbox::available().unwrap();
}

fn python() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let body = "import os, sys\nopen('/srv/new', 'w').write(sys.stdin.readline())\n\
                os.mkdir('/srv/made')\nos.symlink('new', '/srv/link')\nos.remove('/srv/data/old')\n\
                os.chmod('/srv/theirs', 0o600)\nos.mkfifo('/srv/pipe')\nprint(os.getcwd(), sys.argv)\n";
    let effects = lab.run("/usr/bin/python3", body).unwrap();
    assert_eq!(String::from_utf8_lossy(&effects.output), "/ ['/var/tmp/rpm-tmp.strata']\n");
    assert_eq!(
        lines(&effects),
        [
            "/srv/data/old gone",
            "/srv/link 777 0:0 -> new",
            "/srv/made 755 0:0 directory",
            "/srv/new 644 0:0 \"first\\n\"",
            "/srv/pipe 644 0:0 fifo",
            "/srv/theirs 600 33:33 \"theirs\\n\"",
        ]
    );
}

/// A program that is no script of anybody.
fn compiled() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let Some(compiler) = tool("gcc") else { return };
    let directory = tempfile::tempdir().unwrap();
    let (source, program) = (directory.path().join("a.c"), directory.path().join("a"));
    fs::write(
        &source,
        "#include <stdio.h>\nint main(int c, char **v) { FILE *f = fopen(\"/srv/by-c\", \"w\");\n\
         fprintf(f, \"%d %s\", c, v[0]); fclose(f); puts(\"done\"); return 3; }\n",
    )
    .unwrap();
    strata_testkit::run(Command::new(compiler).arg("-o").args([&program, &source]));
    let mut tree = lab.image.tree.clone();
    tree.insert(path("usr/bin/compiled"), Node::generated(fs::read(&program).unwrap(), 0o755, 1));
    let effects = lab.run_on(&tree, "/usr/bin/compiled", "").unwrap();
    assert_eq!(effects.status, 3);
    assert_eq!(effects.output, b"done\n");
    assert_eq!(lines(&effects), ["/srv/by-c 644 0:0 \"1 /usr/bin/compiled\""]);
    let effects = lab.run("/usr/bin/compiled", "").unwrap();
    assert_eq!(effects.status, 127, "it is gone with the tree that had it");
}

/// With a range of ids they are given, with one id they are remembered: the same comes out.
fn owners() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let body = "set -e\ncd /srv\nmkdir d; echo a >d/a; echo b >b; echo c >c; ln -s b link\n\
                chown 33:42 d/a\nchown www b; chgrp shadow b\nchown -h 33 link\n\
                install -d -o 33 -g 33 made; mv d/a made/moved\nchown 0:0 theirs\n\
                echo x >x; chmod 4755 x; chown 33 x\nchown -R 42:42 d\nchown 33 c; chown root c\n\
                chgrp 42 data\ncp -p b copied || :\nchmod g+w data/old\nmkfifo p; chown 33 p\n";
    let lines = lab.lines("/bin/sh", body);
    let mut expected = vec![
        "/srv/b 644 33:42 \"b\\n\"",
        "/srv/c 644 0:0 \"c\\n\"",
        "/srv/copied 644 33:42 \"b\\n\"",
        "/srv/d 755 42:42 directory",
        "/srv/data 750 33:42 directory",
        "/srv/data/old 664 0:0 \"old\\n\"",
        "/srv/link 777 33:0 -> b",
        "/srv/made 755 33:33 directory",
        "/srv/made/moved 644 33:42 \"a\\n\"",
        "/srv/p 644 33:0 fifo",
        "/srv/theirs 640 0:0 \"theirs\\n\"",
        "/srv/x 755 33:0 \"x\\n\"",
    ];
    if !lab.has_ids() {
        // who looks at an owner sees root: documented
        expected[2] = "/srv/copied 644 0:0 \"b\\n\"";
    }
    assert_eq!(lines, expected);
    let failing = "import os\ntry:\n os.chown('/srv/none', 33, 33)\nexcept FileNotFoundError:\n \
                   open('/srv/right', 'w')\n";
    assert_eq!(lab.lines("/usr/bin/python3", failing), ["/srv/right 644 0:0 \"\""]);
}

/// To become another user takes a range of ids.
fn other_users() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let body = "import os\nos.chmod('/srv', 0o777)\ntry:\n os.setuid(33)\nexcept OSError:\n pass\n\
                open('/srv/mine', 'w')\n";
    match lab.run("/usr/bin/python3", body) {
        Ok(effects) if lab.has_ids() => {
            let expected = ["/srv 777 0:0 directory", "/srv/mine 644 33:0 \"\""];
            assert_eq!(lines(&effects), expected);
        }
        Err(SandboxError::Wanted { what }) if !lab.has_ids() => {
            assert_eq!(what, "to become the user 33");
        }
        other => panic!("{other:?}"),
    }
}

/// Names of one file are changed together, and taken apart.
fn hard_links() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let first = lab
        .run("/bin/sh", "cd /srv; echo 1 >a; ln a b; ln a c; ln -f /bin/true d; ln d e")
        .unwrap();
    let mut tree = lab.image.tree.clone();
    first.apply(&mut tree);
    let set = |tree: &strata_rootfs::Tree, at: &str| match &tree.get(&path(at)).unwrap().kind {
        strata_rootfs::Kind::File { links, .. } => *links,
        other => panic!("{other:?}"),
    };
    assert!(set(&tree, "srv/a").is_some());
    assert_eq!(set(&tree, "srv/a"), set(&tree, "srv/c"));
    assert!(set(&tree, "srv/d").is_some() && set(&tree, "srv/d") == set(&tree, "srv/e"));
    assert_ne!(set(&tree, "srv/a"), set(&tree, "srv/d"));
    let mut next = |body: &str| {
        let effects = lab.run_on(&tree, "/bin/sh", body).unwrap();
        assert_eq!(effects.status, 0, "{}", String::from_utf8_lossy(&effects.output));
        effects.apply(&mut tree);
        lines(&effects)
    };
    let three = |text: &str| {
        ["a", "b", "c"].map(|name| format!("/srv/{name} 644 0:0 \"{text}\\n\"")).to_vec()
    };
    assert_eq!(next("echo 2 >>/srv/b"), three("1\\n2"));
    assert_eq!(next("rm /srv/a; echo 3 >/srv/c"), {
        let mut lines = three("3");
        lines[0] = "/srv/a gone".to_owned();
        lines
    });
    let apart = ["/srv/b 644 0:0 \"4\\n\"", "/srv/c 644 0:0 \"3\\n\""];
    assert_eq!(next("echo 4 >/srv/n; mv /srv/n /srv/b"), apart);
    assert_eq!(set(&tree, "srv/b"), None);
    assert_eq!(set(&tree, "srv/c"), None);
}

/// Where no layer can be laid over a tree it is copied.
fn copies() {
    let (Some(mut layer), Some(mut copy)) = (Lab::new(short()), Lab::copying(short())) else {
        return;
    };
    for body in [
        "cd /srv; echo 1 >new; rm -r data; mkdir data; echo 2 >data/n; chmod 700 data; ln new other",
        "mv /srv/data /srv/moved; chown 33 /srv/moved/old; ln -sf x /srv/theirs",
        "rm -r /usr/share/doc; touch /usr/bin/env; rm -f /bin/ls; sed -i s/www/web/ /etc/passwd",
    ] {
        let (one, two) = (layer.run("/bin/sh", body).unwrap(), copy.run("/bin/sh", body).unwrap());
        assert_eq!(lines(&one), lines(&two), "{body}");
        assert_eq!(one, two, "{body}");
    }
}

/// One sandbox, one scriptlet after the other, each on what the one before left.
fn follows() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let mut tree = lab.image.tree.clone();
    for (body, changed) in [
        ("mkdir /opt/a; echo 1 >/opt/a/b; ln -s a /opt/l", "/opt/a/b 644 0:0 \"1\\n\""),
        ("rm -r /opt/a; echo 2 >/opt/a", "/opt/a 644 0:0 \"2\\n\""),
        ("cat /opt/a >/opt/c; rm /opt/l; mkdir /opt/l", "/opt/c 644 0:0 \"2\\n\""),
        ("test -d /opt/l && test ! -e /opt/a/b && touch /opt/yes", "/opt/yes 644 0:0 \"\""),
    ] {
        let effects = lab.run_on(&tree, "/bin/sh", body).unwrap();
        assert!(lines(&effects).contains(&changed.to_owned()), "{body}: {:?}", lines(&effects));
        effects.apply(&mut tree);
    }
}

fn differs() {
    let Some(mut lab) = Lab::new(short()) else { return };
    for body in ["head -c 8 /dev/urandom >/srv/x", "date +%s >/srv/x", "touch /srv/x$$-`date +%N`"]
    {
        match lab.run("/bin/sh", body) {
            Err(SandboxError::Differs { what }) => {
                assert!(what[0].starts_with("`/srv/x"), "{what:?}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

fn normalised() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let random = "head -c 16 /dev/urandom | od -An -tx1";
    let body = format!(
        "{random} >/etc/machine-id; mkdir -p /etc/ssh; {random} >/etc/ssh/ssh_host_rsa_key\n\
         mktemp; mktemp -d /var/tmp/XXXXXX; touch /etc/.pwd.lock; cp /etc/passwd /etc/passwd-\n\
         echo \"new:!:$(( $(date +%s) / 86400 )):0:99999:7:::\" >>/etc/shadow; exit 0\n"
    );
    assert_eq!(
        lab.lines("/bin/sh", &body),
        [
            "/etc/machine-id 644 0:0 \"\"",
            "/etc/shadow 644 0:0 \"root:*:18000:0:99999:7:::\\nwww:*:18000:0:99999:7:::\\n\
             new:!:11574:0:99999:7:::\\n\"",
            "/etc/ssh 755 0:0 directory",
        ]
    );
}

fn unholdable() {
    let Some(mut lab) = Lab::new(short()) else { return };
    for (body, words) in [
        (
            "import socket\nsocket.socket(socket.AF_UNIX).bind('/srv/s')",
            "it left a socket at `/srv/s`",
        ),
        (
            "import os\nos.setxattr('/srv/theirs', 'user.note', b'x')",
            "it left the extended attribute `user.note` at `/srv/theirs`",
        ),
        (
            "import os\ntry:\n os.mknod('/srv/n', 0o20666, os.makedev(1, 3))\nexcept OSError: pass",
            "it wanted to make the device node `/srv/n`",
        ),
        (
            "import os\nos.chdir('/srv')\nos.mknod('n', 0o60666, 0)",
            "it wanted to make the device node `/srv/n`",
        ),
    ] {
        let error = lab.run("/usr/bin/python3", body).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    let error = lab.run("<lua>", "x = 1").unwrap_err();
    assert!(matches!(error, SandboxError::Interpreter(_)), "{error}");
}
