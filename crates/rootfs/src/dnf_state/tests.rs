#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn nevra(text: &str) -> Nevra {
    text.parse().unwrap()
}

#[test]
fn generations() {
    let tree = |paths: &[&str]| {
        let mut tree = Tree::default();
        for path in paths {
            tree.insert(TreePath::new(path).unwrap(), Node::generated(b"".as_slice(), 0o755, 0));
        }
        tree
    };
    let found = |paths: &[&str]| Dnf::in_tree(&tree(paths));
    assert_eq!(found(&["usr/lib64/libdnf.so.2", "usr/bin/dnf"]), [Dnf::Four]);
    assert_eq!(found(&["usr/lib/x86_64-linux-gnu/libdnf.so.2"]), [Dnf::Four]);
    assert_eq!(
        found(&["usr/lib64/libdnf5.so.2", "usr/lib64/libdnf5.so.2.0", "usr/lib64/libdnf.so.2"]),
        [Dnf::Four, Dnf::Five]
    );
    // plugins, translations, headers, other places
    let none = ["usr/lib64/libdnf/plugins/x.so", "usr/lib64/libdnf5.so.2/x", "srv/libdnf.so.2"];
    assert_eq!(found(&none), []);
    assert!(Dnf::may_be_among(["bash", "python3-libdnf"]) && !Dnf::may_be_among(["bash", "rpm"]));
}

#[test]
fn an_empty_database_has_the_digest_of_nothing() {
    assert!(cookie(&[]).starts_with("e3b0c44298fc1c14"));
}

#[test]
fn documents_of_dnf_5() {
    let (a, b) = (nevra("a-1:2-3.x86_64"), nevra("b-1-1.noarch"));
    let packages = [
        DnfPackage { nevra: &b, reason: Reason::Weak, repo: "a \"repo\"" },
        DnfPackage { nevra: &a, reason: Reason::User, repo: "base" },
    ];
    let task = DnfTask { packages: &packages, time: 1, releasever: "41" };
    let files = Dnf::Five.state(&task).unwrap();
    let text = |name: &str| {
        let path = format!("usr/lib/sysimage/libdnf5/{name}.toml");
        let file = files.iter().find(|file| file.path == path).unwrap();
        String::from_utf8(file.bytes.clone()).unwrap()
    };
    assert_eq!(
        text("packages"),
        "version = \"1.0\"\n[packages]\n\"a.x86_64\" = { reason = \"User\" }\n\
         \"b.noarch\" = { reason = \"Weak Dependency\" }\n"
    );
    assert_eq!(
        text("nevras"),
        "version = \"1.0\"\n[nevras]\n\"a-1:2-3.x86_64\" = { from_repo = \"base\" }\n\
         \"b-1-1.noarch\" = { from_repo = \"a \\\"repo\\\"\" }\n"
    );
    assert_eq!(text("groups"), "version = \"1.0\"\n[groups]\n");
}

#[test]
fn the_history_is_the_same_twice() {
    let a = nevra("a-1-1.noarch");
    let packages = [DnfPackage { nevra: &a, reason: Reason::User, repo: "base" }];
    let task = DnfTask { packages: &packages, time: 1, releasever: "" };
    assert_eq!(Dnf::Four.state(&task).unwrap(), Dnf::Four.state(&task).unwrap());
}
