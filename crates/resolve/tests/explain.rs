//! What is said when there is no solution.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Universe, image};
use strata_resolve::ImageRequest;

#[track_caller]
fn says(universe: &str, request: ImageRequest, expected: &str, hint: Option<&str>) {
    let error = Universe::parse(universe).solve(request).unwrap_err();
    let trimmed: Vec<_> = expected.lines().map(|line| line.trim()).collect();
    let said = error.to_string();
    let said: Vec<_> = said.lines().map(|line| line.trim()).collect();
    assert_eq!(said.join("\n"), trimmed.join("\n"));
    assert_eq!(error.hint().as_deref(), hint);
}

#[test]
fn a_conflict_behind_a_requirement() {
    says(
        "+ app 1-1 x86_64
           req libfoo >= 2
         + libfoo 2-1 x86_64
           con libbar
         + other 1-1 x86_64
           req libbar
         + libbar 1-1 x86_64",
        image(&["app", "other"]),
        "image `web`: the requested packages cannot be installed together
         - `app` is requested, which only `app-1-1.x86_64` matches
         - `other` is requested, which only `other-1-1.x86_64` matches
         - `app-1-1.x86_64` (requested) requires `libfoo >= 2`, which only `libfoo-2-1.x86_64` provides
         - `other-1-1.x86_64` (requested) requires `libbar`, which only `libbar-1-1.x86_64` provides
         - `libfoo-2-1.x86_64` conflicts with `libbar`, which `libbar-1-1.x86_64` provides",
        Some("leave out `app` or `other`, or have them in different images"),
    );
}

#[test]
fn a_long_chain_to_what_is_nowhere() {
    says(
        "+ a 1-1 x86_64
           req b
         + b 1-1 x86_64
           req c
         + c 1-1 x86_64
           req libssl.so.9()(64bit)",
        image(&["a"]),
        "image `web`: the requested packages cannot be installed together
         - `a` is requested, which only `a-1-1.x86_64` matches
         - `a-1-1.x86_64` (requested) requires `b`, which only `b-1-1.x86_64` provides
         - `b-1-1.x86_64` requires `c`, which only `c-1-1.x86_64` provides
         - `c-1-1.x86_64` requires `libssl.so.9()(64bit)`, which nothing provides",
        Some("add a repository that has `libssl.so.9()(64bit)`"),
    );
}

#[test]
fn versions_of_one_package_fail_alike() {
    says(
        "+ a 1-1 x86_64
           req gone = 1
         + a 2-1 x86_64
           req gone = 2
         + a 3-1 x86_64
           req gone = 3
         + gone 4 x86_64",
        image(&["a"]),
        "image `web`: the requested packages cannot be installed together
         - `a` is requested, which `a-3-1.x86_64`, `a-2-1.x86_64` and `a-1-1.x86_64` match
         - `a-3-1.x86_64` (requested) requires `gone = 3`, which nothing provides",
        Some("`gone` is there only as `gone-4.x86_64`"),
    );
}

#[test]
fn an_excluded_requirement() {
    says(
        "+ a 1-1 x86_64
           req bash
         + bash 5-1 x86_64",
        ImageRequest { exclude: vec!["bash".to_owned()], ..image(&["a"]) },
        "image `web`: the requested packages cannot be installed together
         - `a` is requested, which only `a-1-1.x86_64` matches
         - `a-1-1.x86_64` (requested) requires `bash`, which nothing installable provides
         - `bash-5-1.x86_64` is excluded",
        Some("`bash-5-1.x86_64` is excluded: take the pattern out of `exclude`"),
    );
}

#[test]
fn a_requirement_of_another_arch() {
    says(
        "+ a 1-1 noarch
           req b
         + b 1-1 aarch64",
        image(&["a"]),
        "image `web`: the requested packages cannot be installed together
         - `a` is requested, which only `a-1-1.noarch` matches
         - `a-1-1.noarch` (requested) requires `b`, which nothing provides",
        Some("`b` is provided for another architecture only: `b-1-1.aarch64`"),
    );
}

#[test]
fn one_obsoletes_the_other() {
    says(
        "+ new 2-1 x86_64
           obs old
         + old 1-1 x86_64",
        image(&["new", "old-1-1.x86_64"]),
        "image `web`: the requested packages cannot be installed together
         - `new` is requested, which only `new-2-1.x86_64` matches
         - `old-1-1.x86_64` is requested
         - `new-2-1.x86_64` obsoletes `old`, which is `old-1-1.x86_64`",
        Some("leave out `new` or `old-1-1.x86_64`, or have them in different images"),
    );
}

#[test]
fn names_that_nothing_matches() {
    let universe = "+ nginx 1-1 x86_64
         + bash 5-1 x86_64
         + grub 2-1 aarch64
         + secret 1-1 x86_64";
    let hidden = ImageRequest {
        exclude: vec!["secret".to_owned()],
        ..image(&["ngnix", "grub", "bash-6", "secret", "zzz"])
    };
    says(
        universe,
        hidden,
        "image `web`: no package matches `ngnix`; \
         `grub` exists for another architecture only (`grub-2-1.aarch64`); \
         no package matches `bash-6`, there is only `bash-5-1.x86_64`; \
         all that matches `secret` is excluded (`secret-1-1.x86_64`); \
         no package matches `zzz`",
        Some("did you mean `nginx`?"),
    );
}

#[test]
fn requests_that_cannot_be_read() {
    for (request, reason) in [("", "it is empty"), ("a\0b", "it contains a NUL")] {
        let error = Universe::parse("+ a 1-1 x86_64").solve(image(&[request])).unwrap_err();
        assert!(error.to_string().ends_with(reason), "{error}");
    }
    let error = Universe::parse("+ a 1-1 x86_64").solve(image(&["(a and"])).unwrap_err();
    assert!(error.to_string().starts_with("image `web`: `(a and` cannot be requested"), "{error}");
    let pdp = ImageRequest { arch: "pdp11".to_owned(), ..image(&["a"]) };
    let error = Universe::parse("+ a 1-1 x86_64").solve(pdp).unwrap_err();
    assert_eq!(error.to_string(), "image `web`: `pdp11` is not an architecture of rpm");
}
