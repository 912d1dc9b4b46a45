//! Results that are kept, and what they cost.

use crate::{
    image::Image,
    lab::{Lab, path, scratch, short, task},
};
use std::time::Instant;
use strata_rootfs::{Node, scriptlets::ScriptletTask};
use strata_rpm::{Checksum, ChecksumAlgorithm};
use strata_sandbox::{Limits, Sandbox, decode, encode, key};
use strata_testkit::Set;

pub fn round_trip() {
    let Some(mut lab) = Lab::new(short()) else { return };
    let body = "cd /srv; rm theirs; ln -s a b; echo 1 >c; ln c d; mkfifo p; mkdir m; ln /bin/ls l";
    let effects = lab.run("/bin/sh", body).unwrap();
    let bytes = encode(&effects);
    assert_eq!(decode(&bytes).unwrap(), effects);
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "{end}");
    }
    for at in 0..bytes.len().min(4000) {
        let mut other = bytes.clone();
        other[at] ^= 0x41;
        // no panic, whatever it gives
        let _ = decode(&other);
    }
}

pub fn keys() {
    let Some(image) = crate::lab::image() else { return };
    let program = ["/bin/sh".to_owned()];
    let sums: Vec<Checksum> = (0..image.packages.len())
        .map(|number| Checksum::new(ChecksumAlgorithm::Sha256, &format!("{number:064x}")).unwrap())
        .collect();
    let of = |task: &ScriptletTask<'_>| key(task, &|package| sums.get(package.0 as usize));
    let one = task(image, &image.tree, &program, "true");
    assert_eq!(of(&one), of(&one));
    assert_eq!(of(&one).len(), 64);
    let mut others = vec![of(&one)];
    others.push(of(&ScriptletTask { body: "false", ..one }));
    others.push(of(&ScriptletTask { stdin: b"", ..one }));
    others.push(of(&ScriptletTask { arguments: &program, ..one }));
    others.push(of(&ScriptletTask { mtime: 1, ..one }));
    others.push(of(&ScriptletTask { installed: Some(3), ..one }));
    others.push(key(&one, &|package| sums.get(package.0 as usize + 1)));
    for node in [
        Node::generated(*b"1", 0o644, 1),
        Node::generated(*b"2", 0o644, 1),
        Node::generated(*b"1", 0o600, 1),
        Node { uid: 1, ..Node::generated(*b"1", 0o644, 1) },
        Node { gid: 1, ..Node::generated(*b"1", 0o644, 1) },
        Node::implied_directory(),
    ] {
        let mut tree = image.tree.clone();
        tree.insert(path("srv/new"), node);
        others.push(of(&ScriptletTask { tree: &tree, ..one }));
    }
    let count = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), count);
}

/// Says what one scriptlet costs on a large tree.
pub fn cost() {
    let Some(image) = Image::new(Set::Large) else { return };
    let scratch = scratch();
    for (package, header) in (0..).zip(&image.packages) {
        if !header.files.is_empty() {
            use strata_rootfs::{PackageIndex, scriptlets::Contents};
            let _ = image.read(PackageIndex(package), 0);
        }
    }
    let program = ["/usr/bin/python3".to_owned()];
    let task = task(&image, &image.tree, &program, "open('/opt/x', 'w').write('x')");
    let mut sandbox = Sandbox::new(scratch.path(), Limits::default()).unwrap();
    let mut last = Instant::now();
    let mut lap = |what: &str| {
        println!("  {what}: {:.0?}", last.elapsed());
        last = Instant::now();
    };
    println!("  {} paths", image.tree.len());
    sandbox.lay_out(&task).unwrap();
    lap("lay out");
    sandbox.run_once(&task).unwrap();
    lap("first run");
    sandbox.run_once(&task).unwrap();
    lap("second run");
    sandbox.lay_out(&task).unwrap();
    lap("lay out the same");
    let mut tree = image.tree.clone();
    tree.insert(path("opt/y"), Node::generated(*b"1", 0o644, 1));
    sandbox.lay_out(&ScriptletTask { tree: &tree, ..task }).unwrap();
    lap("lay out one more file");
    let _ = key(&task, &|_| None);
    lap("key");
    drop(sandbox);
    lap("take away");
}
