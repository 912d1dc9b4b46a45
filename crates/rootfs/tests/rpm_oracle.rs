//! The merge against rpm itself: the same packages, entry by entry.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "support/rpm.rs"]
mod rpm;

use rpm::Lab;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use strata_rootfs::{
    Conflict, Content, Kind, MergeError, MergeTask, Merged, Owners, PackageIndex,
    accounts::{self, Definitions, Ids},
    facts::{self, PackageFacts},
    merge,
};
use strata_rpm::{ChecksumAlgorithm, Package, RpmFile, payload};

/// What to install with, in both languages.
#[derive(Clone, Copy, Default)]
struct Options<'a> {
    nodocs: bool,
    langs: Option<&'a [&'a str]>,
    /// 0 counts as 2.
    color: u32,
}

fn facts(rpms: &[PathBuf], packages: &[Package]) -> Vec<PackageFacts> {
    let read = |(path, package): (&PathBuf, &Package)| {
        let wanted: BTreeSet<u32> = facts::wanted_early(package).into_iter().collect();
        let mut facts = PackageFacts::default();
        if !wanted.is_empty() {
            let bytes = fs::read(path).unwrap();
            let rpm = RpmFile::parse(&bytes).unwrap();
            payload::read(&rpm, package, &mut |file, _, content| {
                if wanted.contains(&file) {
                    let mut bytes = Vec::new();
                    content.read_to_end(&mut bytes)?;
                    facts.absorb(package, file, &bytes);
                }
                Ok(())
            })
            .unwrap();
        }
        facts
    };
    rpms.iter().zip(packages).map(read).collect()
}

/// Users and groups as rpm sees them without scriptlets: the packaged databases.
fn owners(rpms: &[PathBuf], packages: &[Package]) -> Owners {
    let facts = facts(rpms, packages);
    let pairs: Vec<_> = packages.iter().zip(&facts).collect();
    let defined = Definitions::new(&pairs);
    let only = Definitions { passwd: defined.passwd, group: defined.group, ..Default::default() };
    accounts::owners(&only, &Ids::default())
}

fn ours(packages: &[Package], owners: &Owners, options: Options<'_>) -> Result<Merged, MergeError> {
    let refs: Vec<&Package> = packages.iter().collect();
    let langs: Option<Vec<String>> =
        options.langs.map(|langs| langs.iter().map(|lang| (*lang).to_owned()).collect());
    let color = if options.color == 0 { 2 } else { options.color };
    let docs = !options.nodocs;
    merge(&MergeTask {
        packages: &refs,
        docs,
        filters: &[],
        langs: langs.as_deref(),
        owners,
        color,
    })
}

/// Installs, merges, and compares paths, metadata, contents, file states and warnings.
fn compare(lab: &Lab, root: &str, rpms: &[PathBuf], options: Options<'_>) -> Merged {
    let mut flags = Vec::new();
    if options.nodocs {
        flags.push("--excludedocs".to_owned());
    }
    if let Some(langs) = options.langs {
        flags.push(format!("--define=_install_langs {}", langs.join(":")));
    }
    if options.color != 0 {
        flags.push(format!("--define=_prefer_color {}", options.color));
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (root, output) = lab.install(root, rpms, &flags);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");

    let packages = rpm::packages(rpms);
    let merged = ours(&packages, &owners(rpms, &packages), options).unwrap();
    let mut theirs = rpm::disk(&root);
    let ours = rpm::lines(&merged.tree);
    // An empty transaction leaves the directory itself, which our tree has only when needed.
    if ours.is_empty() {
        theirs.remove("/");
    }
    let differences: Vec<String> = ours
        .keys()
        .chain(theirs.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|path| ours.get(*path) != theirs.get(*path))
        .map(|path| format!("{path}\n  ours {:?}\n  rpm  {:?}", ours.get(path), theirs.get(path)))
        .collect();
    assert!(differences.is_empty(), "{}\n{stderr}", differences.join("\n"));
    compare_contents(&root, &merged, &packages);
    for (index, package) in packages.iter().enumerate() {
        let states = merged.file_states(PackageIndex(index as u32));
        let theirs = rpm::file_states(&root, package);
        assert_eq!(states, theirs, "file states of {}", package.nevra);
    }
    let warned: BTreeSet<String> = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("warning: "))
        .filter_map(|line| line.split_once(" does not exist").map(|(who, _)| who.to_owned()))
        .collect();
    let warnings: BTreeSet<String> = merged
        .warnings
        .iter()
        .map(|warning| match warning {
            strata_rootfs::Warning::UnknownUser { user, .. } => format!("user {user}"),
            strata_rootfs::Warning::UnknownGroup { group, .. } => format!("group {group}"),
        })
        .collect();
    // rpm also warns about files that it does not install.
    assert!(warnings.is_subset(&warned), "{warnings:?} {warned:?}");
    merged
}

/// The bytes on disk are those of the file that the tree names.
fn compare_contents(root: &Path, merged: &Merged, packages: &[Package]) {
    for (path, node) in merged.tree.iter() {
        if let Kind::File { content: Content::Package { package, file }, .. } = &node.kind {
            let package = &packages[package.0 as usize];
            if package.digest_algorithm != ChecksumAlgorithm::Sha256 {
                continue;
            }
            let at = root.join(str::from_utf8(path.as_bytes()).unwrap());
            let digest = Sha256::digest(fs::read(at).unwrap());
            assert_eq!(digest.as_slice(), package.files[*file as usize].digest, "{path}");
        }
    }
}

/// The files that rpm calls conflicts: path, and the two packages in byte order.
fn rpm_conflicts(stderr: &str) -> BTreeSet<(String, String, String)> {
    stderr
        .lines()
        .filter_map(|line| {
            let (path, rest) = line
                .trim()
                .strip_prefix("file ")?
                .split_once(" conflicts between attempted installs of ")?;
            let (a, b) = rest.split_once(" and ")?;
            Some((path.to_owned(), a.min(b).to_owned(), a.max(b).to_owned()))
        })
        .collect()
}

fn our_conflicts(error: &MergeError) -> BTreeSet<(String, String, String)> {
    let MergeError::Conflicts(all) = error else { panic!("{error}") };
    let one = |conflict: &Conflict| {
        let (a, b) = (conflict.first.to_string(), conflict.second.to_string());
        (conflict.path.clone(), a.clone().min(b.clone()), a.max(b))
    };
    all.iter().map(one).collect()
}

fn compare_conflicts(
    lab: &Lab,
    root: &str,
    rpms: &[PathBuf],
) -> BTreeSet<(String, String, String)> {
    let (_, output) = lab.install(root, rpms, &[]);
    assert!(!output.status.success());
    let theirs = rpm_conflicts(&String::from_utf8_lossy(&output.stderr));
    let packages = rpm::packages(rpms);
    let error = ours(&packages, &Owners::default(), Options::default()).unwrap_err();
    assert_eq!(our_conflicts(&error), theirs);
    theirs
}

const SETUP: &str = "mkdir -p $R/etc
printf 'root:x:0:0::/root:/bin/sh\\nmail:x:8:12::/:/bin/false\\n' > $R/etc/passwd
printf 'root:x:0:\\nstaff:x:50:\\nmail:x:12:\\n' > $R/etc/group";
const SETUP_FILES: &str = "/etc/passwd\n/etc/group";

#[test]
fn shared_files_and_directories() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let script = "mkdir -p $R/opt/d; echo x > $R/opt/d/f; ln -s f $R/opt/d/l";
    let build = |n: u32| {
        let caps = if n == 3 { "%caps(cap_net_raw=ep) " } else { "" };
        let files = format!("%dir /opt/d\n{caps}/opt/d/f\n/opt/d/l");
        lab.build(&format!("s{n}"), 1_600_000_000 + n, script, &files)
    };
    let rpms: Vec<PathBuf> = (1..=5).map(build).collect();
    for n in 1..=5 {
        compare(&lab, &format!("root{n}"), &rpms[..n], Options::default());
    }
}

#[test]
fn documentation_licences_and_languages() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let script = "mkdir -p $R/usr/share/doc/p/sub $R/usr/share/doc/q $R/usr/share/l/de $R/usr/share/man/man1 $R/e/f/g
cd $R/usr/share; for f in doc/p/NEWS doc/p/sub/x doc/q/a doc/q/b l/de/m l/fr l/both COPYING man/man1/p.1; do echo $f > $f; done
touch $R/e/f/g/x";
    let files = "%dir /usr/share/doc/p
%doc /usr/share/doc/p/NEWS
%dir /usr/share/doc/p/sub
%doc /usr/share/doc/p/sub/x
%dir /usr/share/doc/q
%doc /usr/share/doc/q/a
/usr/share/doc/q/b
%dir /usr/share/l
%dir /usr/share/l/de
%lang(de) /usr/share/l/de/m
%lang(fr) /usr/share/l/fr
%lang(de_AT) /usr/share/l/both
%license /usr/share/COPYING
/usr/share/man/man1/p.1
%doc %dir /e
%dir /e/f
%doc %dir /e/f/g
%doc /e/f/g/x";
    let rpms = [lab.build("p", 1_600_000_000, script, files)];
    compare(&lab, "all", &rpms, Options::default());
    let nodocs = Options { nodocs: true, ..Options::default() };
    let merged = compare(&lab, "nodocs", &rpms, nodocs);
    assert!(merged.file_states(PackageIndex(0)).contains(&2));
    for (name, langs) in
        [("de", &["de"][..]), ("dech", &["de_CH", "en"]), ("at", &["de_AT.UTF-8"]), ("en", &["en"])]
    {
        compare(&lab, name, &rpms, Options { langs: Some(langs), ..nodocs });
    }
}

#[test]
fn ghosts() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let script =
        "mkdir -p $R/g/d $R/g/sub; touch $R/g/f $R/g/sub/h; ln -s x $R/g/l; echo 1 > $R/g/real";
    let ghost = lab.build(
        "ghost",
        1_600_000_001,
        script,
        "%ghost %dir /g/d\n%ghost /g/f\n%ghost /g/sub/h\n%ghost /g/l\n%ghost %attr(600,mail,mail) /g/real",
    );
    let real = lab.build("real", 1_600_000_002, script, "/g/real\n%dir /g/d");
    let rpms = [ghost.clone()];
    compare(&lab, "alone", &rpms, Options::default());
    compare(&lab, "first", &[ghost.clone(), real.clone()], Options::default());
    compare(&lab, "last", &[real.clone(), ghost.clone()], Options::default());
    let again = lab.build("again", 1_600_000_003, script, "/g/real\n%dir /g/d");
    compare(&lab, "between", &[real, ghost, again], Options::default());
}

#[test]
fn directory_links() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let filesystem = lab.build(
        "filesystem",
        1_600_000_001,
        "mkdir -p $R/usr/lib $R/var/a; ln -s usr/lib $R/lib; ln -s ../../opt/x $R/var/a/deep; ln -s /var/a/../../lib $R/usr/back; mkdir -p $R/opt/x",
        "/lib\n/usr/lib\n/var\n/usr/back\n/opt/x",
    );
    let user = lab.build(
        "user",
        1_600_000_002,
        "mkdir -p $R/lib/d $R/var/a/deep/n $R/usr/back/q; for f in lib/d/f var/a/deep/n/f usr/back/q/f; do echo $f > $R/$f; done",
        "/lib/d\n/var/a/deep/n/f\n/usr/back/q/f",
    );
    let twin = lab.build(
        "twin",
        1_600_000_003,
        "mkdir -p $R/usr/lib/d; echo lib/d/f > $R/usr/lib/d/f",
        "%dir /usr/lib/d\n/usr/lib/d/f",
    );
    let merged =
        compare(&lab, "root", &[filesystem.clone(), user.clone(), twin], Options::default());
    assert!(merged.tree.get(&"/usr/lib/d/f".parse_path()).is_some());
    let other = lab.build(
        "other",
        1_600_000_003,
        "mkdir -p $R/usr/lib/d; echo differs > $R/usr/lib/d/f",
        "/usr/lib/d/f",
    );
    let found = compare_conflicts(&lab, "conflict", &[filesystem, user, other]);
    assert_eq!(found.len(), 1);
}

trait ParsePath {
    fn parse_path(&self) -> strata_rootfs::TreePath;
}

impl ParsePath for str {
    fn parse_path(&self) -> strata_rootfs::TreePath {
        strata_rootfs::TreePath::new(self).unwrap()
    }
}

#[test]
fn hard_links_with_members_left_out() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let script = "mkdir -p $R/h; cd $R/h; echo 1 > a; ln a b; ln a c; echo 2 > d; ln d e; echo 3 > f; ln f g; echo 4 > i; ln i j";
    let rpms = [lab.build(
        "h",
        1_600_000_001,
        script,
        "/h/a\n%doc /h/b\n/h/c\n%doc /h/d\n/h/e\n/h/f\n%doc /h/g\n%doc /h/i\n%doc /h/j",
    )];
    compare(&lab, "all", &rpms, Options::default());
    compare(&lab, "nodocs", &rpms, Options { nodocs: true, ..Options::default() });
    // Members that other packages share or write again.
    let alone = |n: u32| {
        let script = "mkdir -p $R/h; echo 1 > $R/h/c; echo 3 > $R/h/f";
        lab.build(&format!("alone{n}"), 1_600_000_001 + n, script, "/h/c\n/h/f")
    };
    let (one, two) = (alone(1), alone(2));
    compare(&lab, "before", &[one.clone(), rpms[0].clone()], Options::default());
    compare(&lab, "after", &[rpms[0].clone(), one.clone(), two.clone()], Options::default());
    compare(&lab, "around", &[one, two, rpms[0].clone()], Options::default());
}

#[test]
fn owners_set_id_bits_and_implied_directories() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let setup = lab.build("setup", 1_600_000_001, SETUP, SETUP_FILES);
    let script = "mkdir -p $R/o/sg $R/o/ug; touch $R/o/a $R/o/b $R/o/c $R/o/d";
    let p = lab.build(
        "p",
        1_600_000_002,
        script,
        "%attr(6755,mail,mail) /o/a\n%attr(6755,nobody,mail) /o/b\n%attr(6755,mail,nogroup) /o/c\n\
         %attr(7755,nobody,nogroup) /o/d\n%dir %attr(2775,root,staff) /o/sg\n\
         %dir %attr(2775,root,nogroup) /o/ug",
    );
    let below = lab.build(
        "below",
        1_600_000_003,
        "mkdir -p $R/o/sg/a/b $R/o/ug/a $R/o/sg/own/x; touch $R/o/sg/a/b/f $R/o/ug/a/f $R/o/sg/own/x/f",
        "/o/sg/a/b/f\n/o/ug/a/f\n%dir /o/sg/own\n/o/sg/own/x/f",
    );
    let merged = compare(&lab, "root", &[setup, p, below], Options::default());
    assert_eq!(merged.warnings.len(), 2);
}

#[test]
fn special_files_and_capabilities() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    // rpm 4.18.0 opens special files before it sets their owner, and waits for ever on a pipe.
    let script = "mkdir -p $R/dev $R/run; touch $R/run/c $R/run/d";
    let rpms = [lab.build(
        "p",
        1_600_000_001,
        script,
        "%dev(c,1,3) %attr(666,root,root) /dev/null\n%dev(c,1,5) %attr(600,root,root) /dev/zero\n\
         %attr(4755,root,root) %caps(cap_net_bind_service,cap_sys_admin+eip) /run/c\n\
         %caps(cap_bpf=p) /run/d",
    )];
    compare(&lab, "root", &rpms, Options::default());
}

/// What rpm 4.18 still makes: each compressor, and no compression.
#[test]
fn payload_formats() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    for (format, magic) in [
        ("w9.gzdio", &b"\x1f\x8b"[..]),
        ("w9.bzdio", b"BZh"),
        ("w6.xzdio", b"\xfd7zXZ"),
        ("w6.lzdio", b"\x5d\0\0"),
        ("w3.zstdio", b"\x28\xb5\x2f\xfd"),
        ("w.ufdio", b"07070"),
    ] {
        let script = format!(
            "%global _binary_payload {format}\nmkdir -p $R/f; seq 5000 > $R/f/a; ln $R/f/a $R/f/b"
        );
        let name = format.replace('.', "");
        let built = lab.build(&name, 1_600_000_001, &script, "/f/a\n/f/b");
        let bytes = fs::read(&built).unwrap();
        let package = RpmFile::parse(&bytes).unwrap();
        assert!(package.payload.starts_with(magic), "{format}");
        compare(&lab, &format!("root-{name}"), &[built], Options::default());
    }
}

/// In an empty root every `%config` file is new, whoever else has the same one.
#[test]
fn configuration_and_other_attributes() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let script = "mkdir -p $R/etc/d $R/usr/lib/.build-id $R/usr/share/doc/p; cd $R/etc; \
        echo a > a.conf; echo b > b.conf; echo c > c.conf; echo d > d/d.conf; echo g > g.conf; \
        echo x > $R/usr/lib/.build-id/x; echo r > $R/usr/share/doc/p/r.conf; echo m > missing";
    let one = lab.build(
        "one",
        1_600_000_001,
        script,
        "%config /etc/a.conf\n%config(noreplace) /etc/b.conf\n%config(missingok) /etc/c.conf\n\
         %config(noreplace) %attr(600,root,root) /etc/d/d.conf\n%ghost %config /etc/g.conf\n\
         %artifact /usr/lib/.build-id/x\n%doc %config /usr/share/doc/p/r.conf\n\
         %missingok /etc/missing",
    );
    let two = lab.build(
        "two",
        1_600_000_002,
        script,
        "%config(noreplace) /etc/a.conf\n/etc/b.conf\n%config /etc/g.conf\n\
         %artifact /usr/lib/.build-id/x",
    );
    let three =
        lab.build("three", 1_600_000_003, script, "%config /etc/b.conf\n%config /etc/a.conf");
    let nodocs = Options { nodocs: true, ..Options::default() };
    compare(&lab, "alone", std::slice::from_ref(&one), Options::default());
    compare(&lab, "nodocs", std::slice::from_ref(&one), nodocs);
    compare(&lab, "both", &[one.clone(), two.clone()], nodocs);
    compare(&lab, "reverse", &[two.clone(), one.clone()], Options::default());
    let merged = compare(&lab, "three", &[one, two, three], Options::default());
    let names = merged.tree.iter().map(|(path, _)| path.to_string());
    assert!(names.into_iter().all(|path| !path.contains(".rpm")), "nothing was put aside");
}

#[test]
fn conflicts() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let a = lab.build(
        "a",
        1_600_000_001,
        "mkdir -p $R/c/owner $R/c/group $R/c/type $R/c/dirmode; cd $R/c; echo 1 > content; touch mode size same; ln -s x target; ln -s y time",
        "/c/content\n%attr(644,root,root) /c/mode\n/c/size\n/c/same\n/c/owner\n/c/group\n/c/type\n/c/dirmode\n/c/target\n/c/time",
    );
    let b = lab.build(
        "b",
        1_600_000_002,
        "mkdir -p $R/c/owner $R/c/group $R/c/dirmode; cd $R/c; echo 2 > content; touch mode same; echo x > size; ln -s z target; ln -s y time; ln -s q type",
        "%config /c/content\n%attr(600,root,root) /c/mode\n/c/size\n%config /c/same\n%attr(-,mail,-) /c/owner\n%attr(-,-,mail) /c/group\n/c/type\n%attr(700,-,-) /c/dirmode\n/c/target\n/c/time",
    );
    let found = compare_conflicts(&lab, "root", &[a, b]);
    assert_eq!(found.len(), 8, "{found:?}");
}

/// An ELF header is all that rpmbuild looks at to tell the class.
#[test]
fn elf_colours() {
    if !rpm::available() {
        return;
    }
    let lab = Lab::new();
    let elf = |class: u8, machine: u8, n: u32| {
        let header = format!(
            "\\177ELF\\{class:03o}\\001\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\003\\000\\{machine:03o}\\000\\001\\000\\000\\000"
        );
        let script = format!(
            "mkdir -p $R/usr/bin; (printf '{header}'; head -c 200 /dev/zero) > $R/usr/bin/tool; chmod 755 $R/usr/bin/tool"
        );
        lab.build(&format!("elf{class}n{n}"), 1_600_000_000 + n, &script, "/usr/bin/tool")
    };
    let (narrow, wide) = (elf(1, 3, 1), elf(2, 62, 2));
    let (narrow2, wide2) = (elf(1, 3, 3), elf(2, 62, 4));
    for color in [0, 1, 2] {
        let options = Options { color, ..Options::default() };
        let run = |name: &str, rpms: &[&PathBuf]| {
            let rpms: Vec<PathBuf> = rpms.iter().map(|path| (*path).clone()).collect();
            compare(&lab, &format!("{name}{color}"), &rpms, options)
        };
        run("narrow-wide", &[&narrow, &wide]);
        let merged = run("wide-narrow", &[&wide, &narrow]);
        assert!((0..2).any(|n| merged.file_states(PackageIndex(n)) == [4]));
        run("three", &[&narrow, &narrow2, &wide]);
        run("mixed", &[&wide, &narrow, &narrow2, &wide2]);
        run("alternating", &[&narrow, &wide, &narrow2, &wide2]);
    }
}

/// Installs all packages of a directory that can be together, `filesystem` and its like first.
fn corpus(size: &str) {
    let Some(corpus) = std::env::var_os("STRATA_CORPUS") else {
        let required = std::env::var("STRATA_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
        assert!(!required, "STRATA_CORPUS must name the directory that `cargo xtask corpus` made");
        return;
    };
    if !rpm::available() {
        return;
    }
    let mut rpms = Vec::new();
    let mut todo = vec![PathBuf::from(corpus).join(size)];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            let bytes = fs::read(&path).unwrap();
            if RpmFile::parse(&bytes).is_ok_and(|rpm| rpm.package().is_ok()) {
                rpms.push(path);
            }
        }
    }
    assert!(!rpms.is_empty(), "no packages in the corpus");
    let first = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let rank = ["filesystem-", "setup-", "base"].iter().position(|p| name.starts_with(p));
        (rank.unwrap_or(9), name)
    };
    rpms.sort_by_key(|path| first(path));
    let lab = Lab::new();

    // First all of them: the conflicts must be the same.
    let mut packages = rpm::packages(&rpms);
    let (all, output) = lab.install("all", &rpms, &["--test"]);
    fs::remove_dir_all(all).unwrap();
    let theirs = rpm_conflicts(&String::from_utf8_lossy(&output.stderr));
    let owners = owners(&rpms, &packages);
    let begin = std::time::Instant::now();
    let result = ours(&packages, &owners, Options::default());
    let files: usize = packages.iter().map(|package| package.files.len()).sum();
    println!("{} packages, {files} files, merged in {:?}", packages.len(), begin.elapsed());
    let found = match &result {
        Ok(_) => BTreeSet::new(),
        Err(error) => our_conflicts(error),
    };
    println!("{} conflicts", found.len());
    assert_eq!(found, theirs);

    // Then without the later one of each pair.
    while let Err(MergeError::Conflicts(all)) = ours(&packages, &owners, Options::default()) {
        let drop: BTreeSet<String> = all.iter().map(|c| c.second.to_string()).collect();
        let keep: Vec<bool> =
            packages.iter().map(|package| !drop.contains(&package.nevra.to_string())).collect();
        let mut each = keep.iter();
        rpms.retain(|_| *each.next().unwrap());
        let mut each = keep.iter();
        packages.retain(|_| *each.next().unwrap());
    }
    println!("{} packages together", packages.len());
    for nodocs in [true, false] {
        let name = format!("nodocs-{nodocs}");
        let merged = compare(&lab, &name, &rpms, Options { nodocs, ..Options::default() });
        fs::remove_dir_all(lab.dir.path().join(&name)).unwrap();
        println!("nodocs {nodocs}: {} paths equal", merged.tree.len());
    }
}

#[test]
fn corpus_small() {
    corpus("small");
}

#[test]
#[ignore = "installs the whole corpus twice"]
fn corpus_full() {
    corpus("full");
}
