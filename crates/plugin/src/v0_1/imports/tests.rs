//! What looking into the tree costs a plugin.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use api::tree::Host;
use std::{io, sync::Arc};
use strata_rootfs::ReadContent;

struct NoContent;

impl ReadContent for NoContent {
    fn read(&self, _: &Content) -> io::Result<Arc<[u8]>> {
        Err(io::Error::other("all files are in memory"))
    }
}

fn tree(links: &[(String, String)], files: &[&str]) -> Tree {
    let mut tree = Tree::default();
    for (path, target) in links {
        let kind = Kind::Symlink { target: target.as_bytes().to_vec() };
        let node = Node { kind, ..Node::generated(*b"", 0o777, 0) };
        tree.insert(TreePath::new(path).unwrap(), node);
    }
    for path in files {
        tree.insert(TreePath::new(path).unwrap(), Node::generated(*b"text", 0o644, 0));
    }
    tree
}

/// Calls in turn, and what each was charged.
fn charged<T>(tree: &Tree, calls: &[fn(&mut State, String) -> T], path: &str) -> Vec<(T, u64)> {
    let image =
        ImageView { name: "web", arch: "x86_64", packages: &[], tree, contents: &NoContent };
    let settings = crate::Settings::new();
    // SAFETY: the state is gone at the end of this function, while the others are still there.
    #[allow(unsafe_code, reason = "see `State::new`")]
    let mut state = unsafe { State::new("test", &settings, Some(image)) };
    let mut each = Vec::new();
    for call in calls {
        let before = state.charged();
        let answer = call(&mut state, path.to_owned());
        each.push((answer, state.charged() - before));
    }
    each
}

/// All functions of the tree, by how they end.
const ALL: [fn(&mut State, String) -> bool; 5] = [
    |state, path| state.stat(path).unwrap().is_ok(),
    |state, path| state.lstat(path).unwrap().is_ok(),
    |state, path| state.real_path(path).unwrap().is_ok(),
    |state, path| state.entries(path).unwrap().is_ok(),
    |state, path| state.read(path).unwrap().is_ok(),
];

#[test]
fn a_short_path_is_cheap() {
    let tree = tree(&[], &["/etc/motd"]);
    let costs: Vec<u64> =
        charged(&tree, &ALL, "/etc/motd").into_iter().map(|(_, cost)| cost).collect();
    // two components, two look-ups; a call and the path's nine bytes
    assert_eq!(costs, [1_809, 1_409, 1_818, 1_809, 2_813]);
}

#[test]
fn every_component_of_a_long_path_is_charged() {
    let path = "/a".repeat(2047);
    for (there, least) in [
        // nothing is there: components are counted, but not looked up
        (tree(&[], &["/etc/motd"]), 2046 * limits::HOST_STEP),
        (tree(&[], &[&path]), 2 * 2046 * limits::HOST_STEP),
    ] {
        for (_, cost) in charged(&there, &ALL, &path) {
            assert!(cost >= 1_000 + 4_094 + least, "{cost}");
        }
    }
}

#[test]
fn every_link_of_a_chain_is_charged() {
    let target = "a/../".repeat(818);
    let links: Vec<_> =
        (0..40).map(|at| (format!("/l{at}"), format!("{target}l{}", at + 1))).collect();
    let tree = tree(&links, &["/l40"]);
    let costs = charged(&tree, &ALL, "/l0");
    assert_eq!(costs.iter().map(|one| one.0).collect::<Vec<_>>(), [true, true, true, false, true]);
    let way = 40 * 818 * 2 * limits::HOST_STEP;
    for (at, (_, cost)) in costs.into_iter().enumerate() {
        match at {
            // the link itself: its target is what is handed over
            1 => assert_eq!(cost, 1_000 + 3 + limits::HOST_STEP + links[0].1.len() as u64),
            _ => assert!(cost > way, "{at}: {cost}"),
        }
    }
}

#[test]
fn what_is_found_is_charged_by_its_length() {
    let long = format!("/d/{}", "n".repeat(200));
    let links = [("/short".to_owned(), long.clone()), (format!("{long}-link"), "t".repeat(300))];
    let tree = tree(&links, &[&long]);
    let real: [fn(&mut State, String) -> Option<String>; 1] =
        [|state, path| state.real_path(path).unwrap().ok()];
    let (found, cost) = charged(&tree, &real, "/short").remove(0);
    assert_eq!(found, Some(long.clone()));
    // three components and an absolute link's root; look-ups of 5, 1 and 202 bytes
    assert_eq!(cost, 1_000 + 6 + (4 + 1 + 1 + 4) * limits::HOST_STEP + long.len() as u64);
    let entries: [fn(&mut State, String) -> usize; 1] =
        [|state, path| state.entries(path).unwrap().unwrap().len()];
    let (count, cost) = charged(&tree, &entries, "/d").remove(0);
    let names = 200 + 205 + 300;
    assert_eq!((count, cost), (2, 1_000 + 2 + 2 * limits::HOST_STEP + 2 * 100 + names));
}

#[test]
fn what_leads_too_far_is_no_path() {
    let links = [("/l".to_owned(), "/a".repeat(2000))];
    let tree = tree(&links, &[]);
    let stat: [fn(&mut State, String) -> Option<Error>; 1] =
        [|state, path| state.stat(path).unwrap().err()];
    let path = format!("/l{}", "/b".repeat(100));
    assert!(matches!(charged(&tree, &stat, &path).remove(0).0, Some(Error::InvalidPath)));
}
