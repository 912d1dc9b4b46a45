//! What went wrong in other resolvers, each named after its symptom.

mod common;

use common::{Universe, image};
use strata_resolve::ImageRequest;

#[test]
fn two_arches_in_one_repo_conflict() {
    let universe = Universe::parse(
        "+ a 1-1 aarch64
           con b
         + a 1-1 x86_64
         + b 2-1 aarch64
         + b 1-1 x86_64",
    );
    assert_eq!(universe.set(image(&["a", "b"])), "a-1-1 b-1-1");
}

#[test]
fn rpmlib_unsatisfiable() {
    let universe = Universe::parse(
        "+ a 1-1 noarch
           pre rpmlib(CompressedFileNames) <= 3.0.4-1
           req rpmlib(NoSuchFeatureYet) <= 99",
    );
    assert_eq!(universe.set(image(&["a"])), "a-1-1.noarch");
}

#[test]
fn i686_chosen() {
    let universe = Universe::parse(
        "+ app 1-1 x86_64
           req libx
         + libx 1-1 x86_64
         + libx 9-1 i686",
    );
    assert_eq!(universe.set(image(&["app"])), "app-1-1 libx-1-1");
}

#[test]
fn both_classes_of_a_library_side_by_side() {
    let universe = Universe::parse(
        "+ glibc 2-1 x86_64
         + glibc 2-1 i686",
    );
    assert_eq!(universe.set(image(&["glibc.x86_64", "glibc.i686"])), "glibc-2-1 glibc-2-1.i686");
}

#[test]
fn the_host_arch_leaks_in() {
    let universe = Universe::parse(
        "+ a 1-1 s390x
         + a 1-1 ppc64le
         + a 1-1 armv7hl
         + a 1-1 riscv64
         + a 1-1 x86_64
         + a 1-1 aarch64",
    );
    for arch in ["s390x", "ppc64le", "armv7hl", "riscv64", "x86_64", "aarch64"] {
        let set = universe.set(ImageRequest { arch: arch.to_owned(), ..image(&["a"]) });
        let expected = format!("a-1-1.{arch}");
        assert_eq!(set, expected.strip_suffix(".x86_64").unwrap_or(&expected));
    }
}

#[test]
fn newer_x86_64_levels_are_preferred_where_they_run() {
    let universe = Universe::parse(
        "+ a 1-1 x86_64
         + a 1-1 x86_64_v3",
    );
    let on = |arch: &str| universe.set(ImageRequest { arch: arch.to_owned(), ..image(&["a"]) });
    assert_eq!(on("x86_64"), "a-1-1");
    assert_eq!(on("x86_64_v2"), "a-1-1");
    assert_eq!(on("x86_64_v4"), "a-1-1.x86_64_v3");
}

#[test]
fn no_solution_unexplained() {
    let universe = Universe::parse(
        "+ a 1-1 x86_64
           req c = 1
         + b 1-1 x86_64
           req c = 2
         + c 1 x86_64
         + c 2 x86_64",
    );
    let error = universe.set(image(&["a", "b"]));
    assert!(error.contains("`a-1-1.x86_64` (requested) requires `c = 1`"), "{error}");
    assert!(error.contains("`c-2.x86_64` and `c-1.x86_64` cannot both be installed"), "{error}");
}
