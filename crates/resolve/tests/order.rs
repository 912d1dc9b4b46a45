//! The installation order.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Universe, image};
use strata_resolve::install_order;

#[test]
fn what_is_required_comes_first() {
    let universe = Universe::parse(
        "+ app 1 x86_64
           req lib >= 1
           req (a-tool if lib)
           req /usr/bin/z
         + a-tool 1 x86_64
           req filesystem
         + lib 1 x86_64
           req filesystem
         + z 1 x86_64
           file /usr/bin/z
           req filesystem
         + filesystem 1 x86_64
           req setup
         + setup 1 x86_64",
    );
    assert_eq!(universe.order(image(&["app"])), "setup-1 filesystem-1 a-tool-1 lib-1 z-1 app-1");
}

#[test]
fn a_circle_is_broken_where_no_scriptlet_needs_it() {
    let universe = Universe::parse(
        "+ glibc 1 x86_64
           pre glibc-common
           req basesystem
         + glibc-common 1 x86_64
           req glibc
           pre langpack
         + langpack 1 x86_64
           req glibc-common
         + basesystem 1 x86_64",
    );
    assert_eq!(universe.order(image(&["glibc"])), "basesystem-1 langpack-1 glibc-common-1 glibc-1");
}

#[test]
fn the_order_of_the_repository_does_not_matter() {
    let text = "+ a 1 x86_64
           req b
         + b 1 x86_64
           req c
           req d
         + c 1 x86_64
           req a
         + d 1 x86_64
         + e 1 x86_64
           req a
         + e 1 i686
         + f 1 noarch";
    let universe = Universe::parse(text);
    let records = &universe.repos[0].packages;
    let order = |records: &[&strata_rpm::PackageRecord]| -> Vec<String> {
        install_order(records).into_iter().map(|at| records[at].nevra.to_string()).collect()
    };
    let mut listed: Vec<_> = records.iter().collect();
    let expected = order(&listed);
    for turn in 0..listed.len() {
        listed.rotate_left(1);
        assert_eq!(order(&listed), expected, "{turn}");
        let reversed: Vec<_> = listed.iter().rev().copied().collect();
        assert_eq!(order(&reversed), expected, "{turn}");
    }
    let mut sorted = expected;
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), records.len());
}

#[test]
fn a_thousand_in_a_circle() {
    let mut text = String::new();
    for i in 0..1000 {
        text += &format!("+ p{i} 1 x86_64\nreq p{}\n", (i + 1) % 1000);
    }
    let universe = Universe::parse(&text);
    assert_eq!(universe.order(image(&["p0"])).split(' ').count(), 1000);
}
