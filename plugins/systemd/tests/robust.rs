//! Every unit file of the corpora, damaged in many ways, goes through without a panic.

#![allow(clippy::print_stdout, reason = "figures for whoever reads a test's output")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code)]
mod common;

use common::{Entry, Tree, image, services, trees};
use strata_plugin_systemd::map::{Options, map};
use strata_plugin_systemd::process::process;

#[test]
fn damaged_units_do_no_harm() {
    let Some(trees) = trees() else { return };
    let mut random = 1u64;
    let mut count = 0;
    for tree in &trees {
        for (path, content) in units(tree) {
            for damaged in damages(content, &mut random) {
                let mut alone = Tree::from([(path.clone(), Entry::File(damaged))]);
                alone.insert("/usr/lib/systemd/system/x@.service".into(), Entry::Link("x".into()));
                let image = image(&alone);
                for unit in services(&alone) {
                    for exec in [true, false] {
                        let options = Options { unit: Some(unit.clone()), exec };
                        let _ = map(&image, &options);
                        let _ = process(&image, &options);
                        count += 1;
                    }
                }
            }
        }
    }
    assert!(count > 1000, "{count} cases only");
    println!("{count} damaged units");
}

fn units(tree: &Tree) -> impl Iterator<Item = (&String, &Vec<u8>)> {
    tree.iter().filter_map(|(path, entry)| match entry {
        Entry::File(content) if path.ends_with(".service") => Some((path, content)),
        _ => None,
    })
}

fn damages(content: &[u8], random: &mut u64) -> Vec<Vec<u8>> {
    let mut next = |limit: usize| {
        // xorshift: the same on every run
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        usize::try_from(*random % limit.max(1) as u64).unwrap_or_default()
    };
    let newlines = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let mut all: Vec<Vec<u8>> = newlines.map(|(at, _)| content[..at].to_vec()).collect();
    for _ in 0..20 {
        let mut copy = content.to_vec();
        for _ in 0..=next(4) {
            let at = next(copy.len());
            let byte = b"%\\\"'[]=;$@{}: \n\0\xff\xc3-+!"[next(21)];
            if let Some(place) = copy.get_mut(at) {
                *place = byte;
            }
        }
        all.push(copy);
        all.push(content[..next(content.len())].to_vec());
    }
    all
}
