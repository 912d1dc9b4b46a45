use super::*;
use crate::{Content, PackageIndex};

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn packaged(file: u32) -> Node {
    let content = Content::Package { package: PackageIndex(0), file };
    Node {
        kind: Kind::File { size: 9, content, capabilities: None, links: None },
        origin: Origin::Package(PackageIndex(0)),
        ..Node::generated(*b"", 0o755, 7)
    }
}

fn linked(file: u32) -> Node {
    let mut node = packaged(file);
    if let Kind::File { links, .. } = &mut node.kind {
        *links = Some(LinkSet { package: PackageIndex(0), leader: 3 });
    }
    node
}

fn tree() -> Tree {
    let mut tree = Tree::default();
    let link = |target: &str| Node {
        kind: Kind::Symlink { target: target.as_bytes().to_vec() },
        ..Node::generated(*b"", 0o777, 7)
    };
    let overlay = Node { origin: Origin::Overlay, ..Node::generated(*b"o", 0o600, 0) };
    for (at, node) in [
        ("/run/lock", Node::implied_directory()),
        ("/var/run", link("/run")),
        ("/usr/bin/a", packaged(0)),
        ("/usr/bin/b", linked(3)),
        ("/usr/bin/c", linked(3)),
        ("/usr/share/x/y", packaged(1)),
        ("/usr/share/x.y", packaged(2)),
        ("/etc/own/kept", overlay),
        ("/etc/own/gone", packaged(5)),
    ] {
        tree.insert(path(at), node);
    }
    tree
}

fn access(mode: u16, user: &str, group: u32) -> Access {
    Access { mode, user: Owner::Name(user.to_owned()), group: Owner::Id(group) }
}

fn root(mode: u16) -> Access {
    access(mode, "root", 0)
}

fn owners() -> Owners {
    Owners { users: [("web".to_owned(), 33)].into(), ..Owners::default() }
}

fn run(tree: &mut Tree, edits: &[TreeEdit]) -> Result<Vec<String>, String> {
    let kept = apply(tree, &TreeEdits(edits.to_vec()), &owners(), 42);
    kept.map(|all| all.iter().map(ToString::to_string).collect()).map_err(|e| e.to_string())
}

fn directory(at: &str, access: Access) -> TreeEdit {
    TreeEdit::MakeDirectory { path: path(at), access }
}

fn write(at: &str) -> TreeEdit {
    TreeEdit::WriteFile { path: path(at), content: b"new".as_slice().into(), access: root(0o644) }
}

fn link(at: &str) -> TreeEdit {
    TreeEdit::MakeSymlink { path: path(at), target: b"x".to_vec() }
}

fn set(at: &str, access: Access) -> TreeEdit {
    TreeEdit::SetAccess { path: path(at), access }
}

fn remove(at: &str) -> TreeEdit {
    TreeEdit::Remove { path: path(at) }
}

#[test]
fn directories_above_are_made_and_links_followed() {
    let mut tree = tree();
    let edits = [directory("/var/run/web/cache", access(0o750, "web", 5)), write("/opt/a/b")];
    assert_eq!(run(&mut tree, &edits), Ok(vec![]));
    let made = tree.get(&path("/run/web/cache")).unwrap();
    assert_eq!((made.mode, made.uid, made.gid, made.mtime), (0o750, 33, 5, 0));
    assert_eq!(made.origin, Origin::Plugin);
    assert_eq!(tree.get(&path("/run/web")).unwrap(), &Node::implied_directory());
    let file = tree.get(&path("/opt/a/b")).unwrap();
    assert_eq!((file.mtime, file.mode, file.origin), (42, 0o644, Origin::Plugin));
}

#[test]
fn a_directory_that_is_there_gets_the_attributes() {
    let mut tree = tree();
    run(&mut tree, &[directory("/run/lock", root(0o1777)), directory("/usr/share", root(0o755))])
        .unwrap();
    let lock = tree.get(&path("/run/lock")).unwrap();
    assert_eq!((lock.mode, lock.origin), (0o1777, Origin::Plugin));
    // nothing changed here, so it stays what it was
    assert_eq!(tree.get(&path("/usr/share")).unwrap().origin, Origin::Implied);
}

#[test]
fn what_is_refused() {
    for (edit, why) in [
        (write("/usr/share"), "`/usr/share` is a directory, and is to become a file"),
        (link("/usr/share"), "`/usr/share` is a directory, and is to become a symbolic link"),
        (
            directory("/usr/bin/a", root(0o755)),
            "`/usr/bin/a` is a file, and is to become a directory",
        ),
        (
            directory("/var/run", root(0o755)),
            "`/var/run` is a symbolic link, and is to become a directory",
        ),
        (
            write("/usr/bin/a/b"),
            "`/usr/bin/a/b` cannot be changed: `/usr/bin/a` is not a directory",
        ),
        (
            write("/usr/bin/a/b/c"),
            "`/usr/bin/a/b/c` cannot be changed: `/usr/bin/a` is not a directory",
        ),
        (write("/"), "the root directory cannot be removed or replaced"),
        (remove("/"), "the root directory cannot be removed or replaced"),
        (
            set("/nothing", root(0)),
            "`/nothing` is not in the image, so that its permissions cannot be changed",
        ),
        (
            set("/usr/bin/a", access(0, "www", 0)),
            "`/usr/bin/a` is to belong to the user `www`, which the image does not have",
        ),
        (
            link("/etc/.wh.passwd"),
            "`/etc/.wh.passwd` cannot be in an image: a name that begins with `.wh.` means removal in a layer",
        ),
        (
            write("/.wh..opq/x"),
            "`/.wh..opq/x` cannot be in an image: a name that begins with `.wh.` means removal in a layer",
        ),
    ] {
        assert_eq!(run(&mut tree(), &[edit]), Err(why.to_owned()));
    }
    let long = write(&format!("/{}", "x".repeat(256)));
    assert!(run(&mut tree(), &[long]).unwrap_err().ends_with("a name is longer than 255 bytes"));
    let deep = write(&"/x".repeat(200));
    assert!(run(&mut tree(), &[deep]).unwrap_err().ends_with("the path is too long"));
}

#[test]
fn files_and_links_are_replaced() {
    let mut tree = tree();
    run(&mut tree, &[write("/usr/bin/a"), link("/usr/bin/b"), write("/var/run")]).unwrap();
    assert!(matches!(&tree.get(&path("/usr/bin/a")).unwrap().kind,
        Kind::File { content: Content::Inline(bytes), .. } if &**bytes == b"new"));
    assert!(matches!(&tree.get(&path("/var/run")).unwrap().kind, Kind::File { .. }));
    // the other name of the set is alone now
    assert_eq!(link_set(tree.get(&path("/usr/bin/c")).unwrap()), None);
}

#[test]
fn the_names_of_one_file_keep_one_set_of_attributes() {
    let mut tree = tree();
    run(&mut tree, &[set("/usr/bin/c", access(0o4711, "web", 0))]).unwrap();
    for name in ["/usr/bin/b", "/usr/bin/c"] {
        let node = tree.get(&path(name)).unwrap();
        assert_eq!((node.mode, node.uid, node.origin), (0o4711, 33, Origin::Plugin));
        assert!(link_set(node).is_some());
    }
    assert_eq!(tree.get(&path("/usr/bin/a")).unwrap().mode, 0o755);
}

#[test]
fn a_name_that_was_taken_from_a_set_is_no_part_of_it() {
    let mut tree = tree();
    tree.insert(path("/usr/bin/d"), linked(3));
    let edits = [
        set("/usr/bin/b", root(0o700)),
        write("/usr/bin/c"),
        remove("/usr/bin/d"),
        link("/usr/bin/d"),
        set("/usr/bin/b", root(0o711)),
    ];
    run(&mut tree, &edits).unwrap();
    let mode = |at: &str| tree.get(&path(at)).unwrap().mode;
    let modes = ["/usr/bin/b", "/usr/bin/c", "/usr/bin/d"].map(mode);
    assert_ne!(modes[1], 0o711);
    assert_eq!((modes[0], modes[2]), (0o711, 0o777));
    assert_eq!(link_set(tree.get(&path("/usr/bin/b")).unwrap()), None, "one name is left");
}

#[test]
fn removing_takes_all_below_and_nothing_beside() {
    let mut tree = tree();
    let gone =
        [remove("/usr/share/x"), remove("/nothing"), remove("/usr/bin/a/b"), remove("/var/run")];
    run(&mut tree, &gone).unwrap();
    assert!(tree.get(&path("/usr/share/x")).is_none());
    assert!(tree.get(&path("/usr/share/x/y")).is_none());
    assert!(tree.get(&path("/usr/share/x.y")).is_some());
    assert!(tree.get(&path("/run/lock")).is_some());
    // and what was removed can be made again, as something else
    run(&mut tree, &[write("/usr/share/x")]).unwrap();
}

#[test]
fn the_overlay_wins() {
    let mut tree = tree();
    let before = tree.get(&path("/etc/own/kept")).unwrap().clone();
    for edit in [
        write("/etc/own/kept"),
        link("/etc/own/kept"),
        directory("/etc/own/kept", root(0o755)),
        set("/etc/own/kept", root(0)),
        remove("/etc"),
    ] {
        assert_eq!(run(&mut tree, &[edit]), Ok(vec!["/etc/own/kept".to_owned()]));
        assert_eq!(tree.get(&path("/etc/own/kept")), Some(&before));
    }
    assert!(tree.get(&path("/etc/own")).is_some());
    assert!(tree.get(&path("/etc/own/gone")).is_none());
}
