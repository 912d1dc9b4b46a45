//! Definitions, numbers and files together. Against systemd: `tests/sysusers_oracle.rs`.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    facts::PackageFacts,
    fixture::{file, link, package},
};
use strata_rpm::{Capability, Comparison, Dependency, Evr, Package};

/// A package with these early files.
fn with(name: &str, files: &[(&str, &str)]) -> (Package, PackageFacts) {
    let package = package(name, files.iter().map(|(path, _)| file(path)).collect());
    let mut facts = PackageFacts::default();
    for (index, (_, text)) in (0u32..).zip(files) {
        facts.absorb(&package, index, text.as_bytes());
    }
    (package, facts)
}

fn define(packages: &[(Package, PackageFacts)]) -> Definitions {
    let pairs: Vec<_> = packages.iter().map(|(package, facts)| (package, facts)).collect();
    Definitions::new(&pairs)
}

fn snippets(files: &[(&str, &str)]) -> Definitions {
    define(&[with("p", files)])
}

fn one(text: &str) -> Definitions {
    snippets(&[("/usr/lib/sysusers.d/a.conf", text)])
}

fn names(definitions: &Definitions) -> Vec<&str> {
    definitions.users.iter().map(|user| user.name.as_str()).collect()
}

#[test]
fn snippets_in_order_of_file_names_and_masked_from_etc() {
    let (package, facts) = with(
        "p",
        &[
            ("/usr/lib/sysusers.d/b.conf", "u second 2"),
            ("/usr/lib/sysusers.d/a.conf", "u first 1\nu second 9"),
            ("/usr/lib/sysusers.d/c.conf", "u masked 3"),
            ("/etc/sysusers.d/c.conf", "u instead 4"),
            ("/usr/lib/sysusers.d/d.conf", "u gone 5"),
        ],
    );
    let mut package = package;
    package.files.push(link("/etc/sysusers.d/d.conf", "/dev/null"));
    let definitions = define(&[(package, facts)]);
    assert_eq!(names(&definitions), ["first", "second", "instead"]);
    assert_eq!(definitions.users[1].uid, Some(9));
}

#[test]
fn provides_carry_lines() {
    let (mut package, facts) = with("p", &[("/usr/lib/sysusers.d/a.conf", "u a 5")]);
    let mut provide = |name: &str, version: &str| {
        let evr = Evr { epoch: 0, version: version.to_owned(), release: String::new() };
        let version = Some((Comparison::Equal, evr));
        let capability = Capability { name: name.to_owned(), version };
        package.provides.push(Dependency::Simple(capability));
    };
    // `u dbus 81 "Bus"`, padded with NUL as rpm does; `g tty 5`; the snippet's `a` again; no line.
    provide("user(dbus)", "dSBkYnVzIDgxICJCdXMiAAAA");
    provide("group(tty)", "ZyB0dHkgNQ==");
    provide("user(a)", "dSBhIDc=");
    provide("group(x)", "1.0-2");
    let definitions = define(&[(package, facts)]);
    assert_eq!(names(&definitions), ["a", "dbus"]);
    assert_eq!(definitions.users[0].uid, Some(5));
    assert_eq!(definitions.groups[0].name, "tty");
    assert_eq!(definitions.problems, []);
}

#[test]
fn members_bring_users_and_groups_along() {
    let definitions = one("m a wheel\nm a audio\nu b -:games\ng audio 63\nnonsense");
    assert_eq!(names(&definitions), ["b", "a"]);
    let groups: Vec<_> = definitions.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(groups, ["audio", "games", "wheel"]);
    assert_eq!(definitions.problems[0].line, 5);
}

#[test]
fn numbers_downward_in_byte_order_over_all_images() {
    let a = one("u zeta -\nu alpha -\ng beta -");
    let b = one("u zeta -\nu delta -\nu fixed 998");
    let ids = allocate(&[&a, &b], &Ids::default()).unwrap();
    let users = [("alpha", 999), ("delta", 996), ("zeta", 995)];
    assert_eq!(ids.users, users.map(|(name, id)| (name.to_owned(), id)).into());
    let groups = [("alpha", 999), ("beta", 997), ("delta", 996), ("zeta", 995)];
    assert_eq!(ids.groups, groups.map(|(name, id)| (name.to_owned(), id)).into());
    assert_eq!(ids, allocate(&[&b, &a], &Ids::default()).unwrap());
    let (in_a, in_b) = (owners(&a, &ids), owners(&b, &ids));
    assert_eq!(in_a.uid("zeta"), in_b.uid("zeta"));
    assert_eq!(
        (in_b.uid("fixed"), in_b.gid("fixed"), in_a.uid("fixed")),
        (Some(998), Some(998), None)
    );
}

#[test]
fn previous_numbers_stay_unless_a_package_takes_them() {
    let a = one("u a -\nu b -\nu c -");
    let mut previous = allocate(&[&a], &Ids::default()).unwrap();
    assert_eq!(allocate(&[&a], &previous).unwrap(), previous);
    let more = one("u 0 -\nu _first -\nu a -\nu b -\nu c -");
    let kept = allocate(&[&more], &previous).unwrap();
    assert_eq!((kept.users["a"], kept.users["_first"]), (999, 996));
    let taken = one("u a -\nu b -\nu c -\nu new 998");
    let moved = allocate(&[&taken], &previous).unwrap();
    assert_eq!((moved.users["a"], moved.users["b"], moved.users["c"]), (999, 996, 997));
    previous.users.insert("gone".to_owned(), 500);
    assert!(!allocate(&[&a], &previous).unwrap().users.contains_key("gone"));
}

#[test]
fn kin_share_a_number() {
    let packaged = snippets(&[
        ("/etc/group", "root:x:0:\nmail:x:12:\n"),
        ("/etc/passwd", "root:x:0:0::/:/bin/sh\n"),
        ("/usr/lib/sysusers.d/a.conf", "u mail -"),
    ]);
    let ids = allocate(&[&packaged], &Ids::default()).unwrap();
    assert_eq!((ids.users["mail"], ids.groups.get("mail")), (12, None));
    // Fixed in one image, open in another: the fixed number.
    let fixed = one("u apache 48");
    let open = one("u apache -");
    let ids = allocate(&[&open, &fixed], &Ids::default()).unwrap();
    assert_eq!(ids.users["apache"], 48);
}

#[test]
fn a_number_that_the_image_has_given_away_is_open() {
    let definitions = snippets(&[
        ("/etc/passwd", "root:x:0:0::/:/bin/sh\ngames:x:5:60::/:/bin/sh\n"),
        ("/usr/lib/sysusers.d/a.conf", "u late 5\nu first 7\nu again 7\ng g7 7"),
    ]);
    let ids = allocate(&[&definitions], &Ids::default()).unwrap();
    let owners = owners(&definitions, &ids);
    assert_eq!(owners.uid("games"), Some(5));
    // Group lines come first, so that the group has 7 and the users do not.
    assert_eq!(owners.gid("g7"), Some(7));
    assert_eq!((owners.uid("again"), owners.uid("first")), (Some(999), Some(998)));
    assert_eq!(owners.uid("late"), Some(997));
}

#[test]
fn when_all_numbers_are_taken() {
    let many: String = (0..1100).map(|n| format!("u u{n} -\n")).collect();
    let error = allocate(&[&one(&many)], &Ids::default()).unwrap_err();
    assert!(error.to_string().contains("between 1 and 999"));
}

#[test]
fn nothing_to_add_changes_nothing() {
    let sources = Sources { passwd: Some(b"root:x:0:0::/:/bin/sh\n"), ..Sources::default() };
    let rendered = render(&Definitions::default(), &Ids::default(), &sources, 0);
    assert_eq!(rendered, Rendered::default());
}

#[test]
fn locked_users_expire_and_shadow_is_only_kept_up() {
    let definitions = one("u! a 5");
    let with = Sources { shadow: Some(b"root:*:1::::::\n"), ..Sources::default() };
    let rendered = render(&definitions, &Ids::default(), &with, 86_400 * 20_000 + 5);
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
    assert_eq!(text(rendered.shadow), "root:*:1::::::\na:!*:20000:::::1:\n");
    assert_eq!(rendered.gshadow, None);
    assert_eq!(text(rendered.passwd), "a:x:5:5::/:/usr/sbin/nologin\n");
    assert_eq!(text(rendered.group), "a:x:5:\n");
}

#[test]
fn lines_go_before_nis_and_members_into_old_groups() {
    let definitions = snippets(&[
        ("/etc/passwd", "root:x:0:0::/:/bin/sh\nzed:x:50:50::/:/bin/sh\n+::::::"),
        ("/etc/group", "root:x:0:\naudio:x:63:zed\n+:::"),
        ("/usr/lib/sysusers.d/a.conf", "u a 5\nm a audio\nm zed new\ng new 70"),
    ]);
    let sources = Sources {
        passwd: Some(b"root:x:0:0::/:/bin/sh\nzed:x:50:50::/:/bin/sh\n+::::::"),
        group: Some(b"root:x:0:\naudio:x:63:zed\n+:::"),
        gshadow: Some(b"audio:!::zed\n"),
        shadow: None,
    };
    let rendered = render(&definitions, &Ids::default(), &sources, 0);
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
    let passwd = text(rendered.passwd);
    assert!(passwd.ends_with("zed:x:50:50::/:/bin/sh\na:x:5:5::/:/usr/sbin/nologin\n+::::::\n"));
    assert_eq!(text(rendered.group), "root:x:0:\naudio:x:63:a,zed\nnew:x:70:zed\na:x:5:\n+:::\n");
    assert_eq!(text(rendered.gshadow), "audio:!::a,zed\nnew:!*::zed\na:!*::\n");
}

proptest::proptest! {
    #[test]
    fn hostile_files_never_panic(text in proptest::collection::vec(
        proptest::sample::select(b"ugmr! -:/%\"'\\\n#a0159,+\xff".to_vec()), 0..200,
    )) {
        let text = String::from_utf8_lossy(&text).into_owned();
        let definitions = snippets(&[
            ("/etc/passwd", &text),
            ("/etc/group", &text),
            ("/usr/lib/sysusers.d/a.conf", &text),
        ]);
        let ids = allocate(&[&definitions], &Ids::default()).unwrap();
        let sources = Sources {
            passwd: Some(text.as_bytes()),
            group: Some(text.as_bytes()),
            shadow: Some(text.as_bytes()),
            gshadow: Some(text.as_bytes()),
        };
        render(&definitions, &ids, &sources, u64::MAX);
    }
}
