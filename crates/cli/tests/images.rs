//! Real images, in the hands of the programs that others would use on them.
//!
//! Each test makes its images once and then asks everything of them, because the test runner gives
//! every test a process of its own.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "tests")]

#[path = "support/oracle.rs"]
mod oracle;
mod support;

use oracle::{Built, Exception, Lab, RPMDB, alone, oracles, query, tables, tar, verify};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};
use strata_testkit::{Field, Repository, Set, corpus, rpmbuild, run};

/// Directories have the time 0, rpm's have that of the installation.
const DIRECTORY_TIMES: Exception = Exception {
    name: "directories have the time 0",
    covers: |seen| {
        seen.is_directory() && seen.difference.field == Field::Mtime && seen.difference.left == "0"
    },
};

/// podman 4 skips the entry of the root directory, whichever tool made the layer.
const ROOT_IN_PODMAN: Exception = Exception {
    name: "podman makes the root directory anew, read-only",
    covers: |seen| {
        let field = seen.difference.field;
        let anew = field == Field::Mtime || field == Field::Mode && seen.difference.left == "0555";
        seen.client == "podman" && seen.path == "." && anew
    },
};

/// What a real image may have otherwise than rpm's tree; see `docs/differences.md`.
const EXCEPTIONS: [Exception; 5] = [
    DIRECTORY_TIMES,
    ROOT_IN_PODMAN,
    Exception {
        name: "`ld.so.cache` has the time of the image's newest package",
        covers: |seen| {
            seen.path == "etc/ld.so.cache"
                && seen.difference.field == Field::Mtime
                && seen.difference.left == seen.epoch.to_string()
        },
    },
    Exception {
        name: "`ldconfig` leaves no `aux-cache`",
        covers: |seen| seen.path == "var/cache/ldconfig/aux-cache" && seen.ours.is_none(),
    },
    RPMDB_FILES,
];

/// Nothing of rpm's own running is left; the database itself is looked into.
const RPMDB_FILES: Exception = Exception {
    name: "the rpmdb is compared row by row, and nothing of rpm's running is left",
    covers: |seen| match seen.path.strip_prefix("usr/lib/sysimage/rpm/") {
        Some("rpmdb.sqlite") => match seen.difference.field {
            Field::Content => true,
            Field::Mtime => seen.difference.left == seen.epoch.to_string(),
            _ => false,
        },
        Some("rpmdb.sqlite-shm" | "rpmdb.sqlite-wal" | ".rpm.lock") => seen.ours.is_none(),
        _ => false,
    },
};

/// The site that `web` serves.
const SITE: &str = "etc/nginx/conf.d/strata.conf";

const SITE_OF_THE_OVERLAY: Exception = Exception {
    name: "a file of the overlay",
    covers: |seen| {
        seen.path == SITE && seen.theirs.is_none() && seen.difference.field == Field::Presence
    },
};

/// A script that writes to `/dev/null` makes a file of it where the chroot has no devices.
const DEV_NULL: Exception = Exception {
    name: "a file in the place of a device",
    covers: |seen| {
        seen.path == "dev/null" && seen.ours.is_none() && seen.difference.field == Field::Presence
    },
};

#[test]
fn images_of_the_large_corpus() {
    let (Some(repository), Some(podman)) = (corpus(Set::Large), oracles()) else { return };
    let port = free_port();
    let started = Instant::now();
    let built = Built::new(
        &repository,
        &json!({
            "min": {"packages": ["bash", "coreutils"]},
            "web": {"packages": ["nginx"]},
            "large": {"packages":
                ["python3-django", "postgresql", "nodejs", "openjdk-17-jre-headless"]},
        }),
        &json!({"images": {"web": {
            "config": {"Cmd": ["/usr/sbin/nginx", "-g", "daemon off;"]},
            // The packages bring the site as a link that their scriptlet makes, which wants
            // Debian's own tools.
            "files": [{"path": format!("/{SITE}"), "content": format!(
                "server {{ listen 127.0.0.1:{port}; root /usr/share/nginx/html; }}\n")}],
        }}}),
        false,
    );
    println!("built after {:?}", started.elapsed());
    let lab = Lab::new(podman, built);
    println!("unpacked after {:?}", started.elapsed());
    let mut union: Vec<Exception> = EXCEPTIONS.into();
    union.extend([SITE_OF_THE_OVERLAY, DEV_NULL]);
    // Every part runs to its end; then the scope fails if one of them did.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            lab.assert_union(&union);
            accepted(&lab.built);
            databases(&lab, "");
        });
        scope.spawn(|| stored_bytes(&lab));
        scope.spawn(|| {
            programs(&lab);
            serves(&lab, port);
        });
    });
    println!("done after {:?}", started.elapsed());
}

#[test]
fn images_with_documentation() {
    let (Some(repository), Some(podman)) = (corpus(Set::Large), oracles()) else { return };
    let images =
        json!({"min": {"packages": ["bash", "coreutils"]}, "web": {"packages": ["nginx"]}});
    let lab = Lab::new(podman, Built::new(&repository, &images, &json!({}), true));
    lab.assert_union(&EXCEPTIONS);
    databases(&lab, "");
    for (name, image) in &lab.images {
        let documents = image.scans[1].keys().filter(|path| path.starts_with(b"usr/share/doc/"));
        assert!(documents.count() > 20, "{name}");
    }
}

/// What real packages of the corpus do not have. No pipe: rpm 4.18 waits for somebody to write to it.
const ODD: &str = r#"
Name: odd
Version: 1
Release: 1
Summary: Files of every kind
License: MIT
BuildArch: noarch
%description
Text.
%package other
Summary: Reaches a directory through a link
%description other
Text.
%install
cd %{buildroot}
mkdir -p usr/bin usr/other etc srv var/log usr/lib/sysusers.d usr/share/doc/odd
LONG=$(printf 'n%.0s' $(seq 200))
mkdir -p usr/share/$LONG
echo long > usr/share/$LONG/$LONG
for name in capable set-id orphan one secret; do echo $name > usr/bin/$name; done
ln usr/bin/one usr/bin/two
ln usr/bin/one usr/other/three
ln -s usr/other other
ln -s /usr/bin/nothing etc/dangling
mkdir srv/sticky
: > etc/empty
echo 'u odd 500 "Odd" /srv' > usr/lib/sysusers.d/odd.conf
echo config > etc/odd.conf
echo documentation > usr/share/doc/odd/README
echo inside > usr/other/inside
find . -exec touch -h -d @1234567890 {} +
%files
%dir /usr/other
%caps(cap_net_bind_service,cap_net_raw=ep) /usr/bin/capable
%attr(6755, root, root) /usr/bin/set-id
%attr(4755, nobody-has-this-name, root) /usr/bin/orphan
%attr(0640, odd, odd) /usr/bin/secret
/usr/bin/one
/usr/bin/two
/usr/other/three
/other
/etc/dangling
%attr(1777, root, root) %dir /srv/sticky
/etc/empty
/usr/lib/sysusers.d/odd.conf
%config(noreplace) /etc/odd.conf
%doc /usr/share/doc/odd/README
/usr/share/nnn*
%ghost /var/log/odd.log
%dev(c, 1, 3) /dev/odd
%files other
/usr/other/inside
"#;

/// See `docs/differences.md`.
const ODD_EXCEPTIONS: [Exception; 5] = [
    DIRECTORY_TIMES,
    ROOT_IN_PODMAN,
    RPMDB_FILES,
    Exception {
        name: "device nodes are left out",
        covers: |seen| seen.path == "dev/odd" && seen.ours.is_none(),
    },
    Exception {
        name: "accounts are made, and then own what is theirs",
        covers: |seen| match seen.path {
            "etc/passwd" | "etc/group" | "etc/shadow" | "etc/gshadow" => seen.theirs.is_none(),
            "usr/bin/secret" => {
                seen.difference.field == Field::Owner && seen.difference.left == "500:500"
            }
            _ => false,
        },
    },
];

#[test]
fn images_of_odd_files() {
    let Some(podman) = oracles() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let repository = Repository::new(&scratch.path().join("repository"));
    for package in rpmbuild(ODD, scratch.path()) {
        let name = package.file_stem().unwrap().to_str().unwrap();
        repository.add(name, &fs::read(&package).unwrap());
    }
    let images = json!({"odd": {"packages": ["odd", "odd-other"]}});
    let lab = Lab::new(podman, Built::new(repository.path(), &images, &json!({}), false));
    let [theirs, ..] = &lab.images["odd"].scans;
    let capable = &theirs[&b"usr/bin/capable"[..]];
    assert!(capable.capabilities.is_some(), "the oracle lost the capabilities");
    assert_eq!(theirs[&b"usr/bin/one"[..]].links.len(), 3, "the oracle lost the links");
    lab.assert_union(&ODD_EXCEPTIONS);
    // A device node is left out, and still in the database.
    databases(&lab, "missing     /dev/odd\n");
}

#[test]
#[should_panic(expected = "not alone")]
fn a_program_that_starts_another_would_be_seen() {
    alone(Command::new("sh").args(["-c", "sleep 0.5; true"]));
}

/// The layout is valid, in our eyes and in skopeo's. umoci and podman have unpacked it already.
fn accepted(built: &Built) {
    println!("{}", built.strata(&["validate", "oci:layout"]).trim());
    for name in built.images.keys() {
        let image = format!("oci:{}:{name}", built.layout().display());
        let seen = run(Command::new("skopeo").args(["inspect", &image]));
        let seen: Value = serde_json::from_str(&seen).unwrap();
        assert_eq!(seen["Digest"], built.digest(name));
        let layers: Vec<_> = built.layers(name).into_iter().map(|(digest, _)| digest).collect();
        assert_eq!(seen["Layers"], json!(layers));
        assert_eq!((&seen["Os"], &seen["Architecture"]), (&json!("linux"), &json!("amd64")));
    }
}

/// Programs run, and are the packages' versions of themselves.
fn programs(lab: &Lab) {
    let version = |image: &str, package: &str| {
        let packages = &lab.built.images[image].packages;
        let nevra = packages.keys().find_map(|nevra| nevra.strip_prefix(&format!("{package}-")));
        let version = nevra.unwrap_or_else(|| panic!("no `{package}`")).split(['-', '+', '~']);
        version.into_iter().next().unwrap().rsplit(':').next().unwrap().to_owned()
    };
    let print = "import django; print(django.__file__, django.get_version())";
    let django = version("large", "python3-django");
    let django = format!("/usr/lib/python3/dist-packages/django/__init__.py {django}\n");
    let postgres = "/usr/lib/postgresql/15/bin/postgres";
    let cases: [(&str, &[&str], String); 6] = [
        ("min", &["bash", "-c", "echo ok"], "ok\n".to_owned()),
        ("large", &["/usr/bin/node", "--version"], format!("v{}", version("large", "nodejs"))),
        ("large", &["/usr/bin/node", "-p", "[6, 7].reduce((a, b) => a * b)"], "42\n".to_owned()),
        (
            "large",
            &["/usr/bin/java", "--version"],
            format!("openjdk {}", version("large", "openjdk-17-jre-headless")),
        ),
        ("large", &["/usr/bin/python3", "-c", print], django),
        (
            "large",
            &[postgres, "--version"],
            format!("postgres (PostgreSQL) {}", version("large", "postgresql-15")),
        ),
    ];
    for (image, program, expected) in cases {
        let ran = lab.podman.run(&lab.images[image].id, &[], program);
        assert_eq!(ran.code, Some(0), "{program:?}\n{}\n{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.starts_with(&expected), "{program:?}: {} ≠ {expected}", ran.stdout);
    }
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `web` answers on its port with the page that its package has.
fn serves(lab: &Lab, port: u16) {
    let web = &lab.images["web"];
    let running = lab.podman.start::<&str>(&web.id, &[], &[]);
    let deadline = Instant::now() + Duration::from_secs(60);
    let answer = loop {
        match get(port) {
            Ok(answer) => break answer,
            Err(error) if Instant::now() > deadline => {
                panic!("{error}: {}", running.stop());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let page = fs::read_to_string(web.umoci.join("usr/share/nginx/html/index.html")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with(&page), "{answer}");
}

fn get(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// rpm finds the image's database and files in order (`excused` is all it may say), and would write
/// the same rows itself.
fn databases(lab: &Lab, excused: &str) {
    for (name, image) in &lab.images {
        let inside = format!("{}/rpmdb.sqlite", RPMDB.trim_start_matches('/'));
        let rebuilt = lab.scratch.path().join(format!("rebuilt-{name}"));
        fs::create_dir(&rebuilt).unwrap();
        let file = rebuilt.join("rpmdb.sqlite");
        fs::copy(image.umoci.join(&inside), &file).unwrap();
        let before = tables(&file);
        run(Command::new("rpmdb").arg("--rebuilddb").arg("--dbpath").arg(&rebuilt));
        let after = tables(&file);
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        for (table, rows) in &before {
            let (ours, theirs) = (set(rows), set(&after[table]));
            let (ours, theirs) = (only(&ours, &theirs), only(&theirs, &ours));
            assert!(
                ours.is_empty() && theirs.is_empty() && rows.len() == after[table].len(),
                "{name}: {table}: only ours {ours:?}, only rpm's {theirs:?}"
            );
        }
        let rows: usize = before.values().map(Vec::len).sum();
        println!("{name}: {rows} equal rows in {} tables", before.len() - 1);

        let full = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\n";
        let installed = query(&image.umoci, &["-qa", "--qf", full]);
        let mut installed: Vec<&str> = installed.lines().collect();
        installed.sort_unstable();
        assert_eq!(installed, lab.built.images[name].packages.keys().collect::<Vec<_>>());

        let states = ["-qa", "--qf", "[%{=NAME} %{FILESTATES} %{FILENAMES}\n]"];
        let (ours, theirs) = (query(&image.umoci, &states), query(&image.rpm, &states));
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
            (ours.lines().collect(), theirs.lines().collect());
        assert!(!ours.is_empty());
        assert_eq!(only(&ours, &theirs), [""; 0], "{name}: file states");
        assert_eq!(only(&theirs, &ours), [""; 0], "{name}: file states");

        let verified = verify(&image.umoci);
        assert_eq!(verified.stdout + &verified.stderr, excused, "{name}");
        assert_eq!(verified.code, Some(i32::from(!excused.is_empty())), "{name}");
    }
}

fn set(rows: &[String]) -> BTreeSet<&str> {
    rows.iter().map(String::as_str).collect()
}

/// What only the first has, shortened.
fn only<'a>(one: &BTreeSet<&'a str>, other: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let short = |row: &'a str| row.get(..200).unwrap_or(row);
    one.difference(other).map(|row| short(row)).collect()
}

/// Bytes that the layers may take for each byte of packages compressed alone.
const MOST_STORED: f64 = 1.03;

/// All layers together are hardly larger than every package once, by the same compressor.
///
/// The yardstick owes nothing to our way of making layers: GNU tar packs what rpm installed, and
/// the compressor gets each package's tar whole, not in pieces.
fn stored_bytes(lab: &Lab) {
    let mut layers = BTreeMap::new();
    let mut own = BTreeMap::new();
    for name in lab.built.images.keys() {
        let stack = lab.built.layers(name);
        // The state is last, and below it, where there are any, files of the overlay.
        let first = stack.len() - if name == "web" { 2 } else { 1 };
        own.extend(stack[first..].iter().cloned());
        layers.extend(stack);
    }
    let mut packages: BTreeMap<&String, (&Path, &Path)> = BTreeMap::new();
    for (name, chosen) in &lab.built.images {
        let root = lab.images[name].rpm.as_path();
        packages
            .extend(chosen.packages.iter().map(|(nevra, path)| (nevra, (root, path.as_path()))));
    }
    let level = libdeflater::CompressionLvl::new(2).unwrap();
    let compressed = |(root, package): &(&Path, &Path)| -> u64 {
        let tar = tar(root, package);
        let mut compressor = libdeflater::Compressor::new(level);
        let mut room = vec![0; compressor.gzip_compress_bound(tar.len())];
        compressor.gzip_compress(&tar, &mut room).unwrap() as u64
    };
    let alone: u64 = packages.values().map(compressed).sum();
    let (stored, own): (u64, u64) = (layers.values().sum(), own.values().sum());
    let ratio = stored as f64 / (alone + own) as f64;
    println!(
        "{stored} bytes in {} layers; {} packages alone {alone}, state {own}; ratio {ratio:.4}",
        layers.len(),
        packages.len()
    );
    assert!(ratio <= MOST_STORED, "{ratio}");
    assert!(ratio > 0.9, "the yardstick is wrong: {ratio}");
}
