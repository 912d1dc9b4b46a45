//! Which packages are chosen.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Universe, image};
use strata_resolve::{ImageRequest, Libsolv, Reason, Request, Solver};

const BASE: &str = "
    + app 1-1 x86_64
      req lib >= 1
      rec extra
      req rpmlib(PayloadIsZstd) <= 5.4.18-1
    + lib 1-1 x86_64
    + lib 2-1 x86_64
    + lib 2-1 i686
    + extra 1-1 noarch
    + plugin 1-1 x86_64
      sup (app and lib)
    + httpd 2-1 x86_64
      prv webserver = 2
    + nginx 3-1 x86_64
      prv webserver = 3
      file /usr/sbin/nginx
    + old 1-1 x86_64
    + successor 5-1 x86_64
      obs old < 2
      prv old = 2
    + tool 1:0.9-1 x86_64
    + tool 1-2 x86_64
";

fn set(packages: &[&str]) -> String {
    Universe::parse(BASE).set(image(packages))
}

#[test]
fn a_requirement_is_met_by_the_newest() {
    assert_eq!(set(&["app"]), "app-1-1 lib-2-1");
}

#[test]
fn weak_dependencies_only_when_asked_for() {
    let universe = Universe::parse(BASE);
    let request = ImageRequest { weak_deps: true, ..image(&["app"]) };
    assert_eq!(universe.set(request.clone()), "app-1-1 extra-1-1.noarch lib-2-1 plugin-1-1");
    let resolved = universe.solve(request).unwrap().images.remove(0);
    let why: Vec<_> =
        universe.names(&resolved.packages).into_iter().zip(resolved.reasons).collect();
    for (name, reason) in [
        ("app-1-1", Reason::Requested),
        ("lib-2-1", Reason::Dependency),
        ("extra-1-1.noarch", Reason::Weak),
        ("plugin-1-1", Reason::Weak),
    ] {
        assert!(why.contains(&(name.to_owned(), reason)), "{why:?}");
    }
}

#[test]
fn every_form_of_a_name() {
    for (request, expected) in [
        ("lib", "lib-2-1"),
        ("lib.i686", "lib-2-1.i686"),
        ("lib.x86_64", "lib-2-1"),
        ("lib-1", "lib-1-1"),
        ("lib-1-1", "lib-1-1"),
        ("lib-1-1.x86_64", "lib-1-1"),
        ("lib-0:1-1.x86_64", "lib-1-1"),
        ("tool", "tool-1:0.9-1"),
        ("tool-1", "tool-1-2"),
        ("tool-1:0.9", "tool-1:0.9-1"),
        ("li[a-b]", "lib-2-1"),
        ("*inx", "nginx-3-1"),
        ("lib-1*", "lib-1-1"),
        ("[hn]*", "httpd-2-1 nginx-3-1"),
        ("lib.*", "lib-2-1"),
    ] {
        assert_eq!(set(&[request]), expected, "{request}");
    }
}

#[test]
fn capabilities_files_and_rich_dependencies() {
    for (request, expected) in [
        ("webserver", "nginx-3-1"),
        ("webserver < 3", "httpd-2-1"),
        ("webserver = 2", "httpd-2-1"),
        ("/usr/sbin/nginx", "nginx-3-1"),
        ("*/nginx", "nginx-3-1"),
        ("/usr/sb*/ng*", "nginx-3-1"),
        ("(httpd or nothing)", "httpd-2-1"),
        ("(webserver without nginx)", "httpd-2-1"),
        ("(httpd and extra)", "extra-1-1.noarch httpd-2-1"),
        ("(httpd if extra)", ""),
        ("(/usr/sbin/nginx and httpd)", "httpd-2-1 nginx-3-1"),
    ] {
        assert_eq!(set(&[request]), expected, "{request}");
    }
}

#[test]
fn what_obsoletes_a_name_answers_for_it() {
    assert_eq!(set(&["old"]), "successor-5-1");
    assert_eq!(set(&["old-1-1"]), "old-1-1");
}

#[test]
fn exactly_one_package_by_its_checksum() {
    let universe = Universe::parse(BASE);
    let request = Request::Exact(universe.checksum("lib-1-1.x86_64")).to_string();
    assert!(request.starts_with("checksum:sha256:"));
    assert_eq!(universe.set(image(&[&request])), "lib-1-1");
    assert_eq!(request.parse(), Ok(Request::Exact(universe.checksum("lib-1-1.x86_64"))));
}

#[test]
fn exclusion_by_name_and_glob() {
    let universe = Universe::parse(BASE);
    let excluding = |patterns: &[&str], packages: &[&str]| {
        let exclude = patterns.iter().map(|one| (*one).to_owned()).collect();
        universe.set(ImageRequest { exclude, ..image(packages) })
    };
    assert_eq!(excluding(&["lib-2*"], &["app"]), "app-1-1 lib-1-1");
    assert_eq!(excluding(&["nginx"], &["webserver"]), "httpd-2-1");
    assert_eq!(excluding(&["n*", "lib.x86_64"], &["webserver", "lib"]), "httpd-2-1 lib-2-1.i686");
}

#[test]
fn the_lower_priority_number_wins_then_the_newer_version_then_the_lower_cost() {
    let universe = Universe::parse(
        "repo far cost=2000
         + a 1-1 x86_64
         + b 1-1 x86_64
         repo near cost=500
         + a 1-1 x86_64
         repo vendor priority=10
         + b 0.5-1 x86_64
         repo newer
         + c 2-1 x86_64
         repo older
         + c 1-1 x86_64",
    );
    let resolved = universe.solve(image(&["a", "b", "c"])).unwrap().images.remove(0);
    let mut from: Vec<_> =
        resolved.packages.iter().map(|at| &*universe.repos[at.repo].id).collect();
    from.sort_unstable();
    assert_eq!(from, ["near", "newer", "vendor"]);
}

#[test]
fn best_refuses_an_older_version() {
    let universe = Universe::parse(
        "+ app 1-1 x86_64
         + app 2-1 x86_64
           req nowhere",
    );
    assert_eq!(universe.set(image(&["app"])), "app-1-1");
    let error = universe.set(ImageRequest { best: true, ..image(&["app"]) });
    assert!(error.contains("`app-2-1.x86_64` (requested) requires `nowhere`"), "{error}");
}

#[test]
fn favoured_packages_stay_while_they_fit() {
    let universe = Universe::parse(
        "+ app 1-1 x86_64
           req lib
           req mta
         + new-app 1-1 x86_64
           req lib >= 2
         + lib 1-1 x86_64
         + lib 2-1 x86_64
         + a-mta 9-1 x86_64
           prv mta
         + z-mta 1-1 x86_64
           prv mta",
    );
    let favor = ["app-1-1.x86_64", "lib-1-1.x86_64", "z-mta-1-1.x86_64"];
    let favor: Vec<_> = favor.iter().map(|one| universe.checksum(one)).collect();
    let locked =
        |packages: &[&str], best| ImageRequest { favor: favor.clone(), best, ..image(packages) };
    assert_eq!(universe.set(image(&["app"])), "a-mta-9-1 app-1-1 lib-2-1");
    assert_eq!(universe.set(locked(&["app"], false)), "app-1-1 lib-1-1 z-mta-1-1");
    assert_eq!(universe.set(locked(&["lib"], true)), "lib-1-1");
    // only what no longer fits moves
    let both = universe.set(locked(&["app", "new-app"], false));
    assert_eq!(both, "app-1-1 lib-2-1 new-app-1-1 z-mta-1-1");
}

#[test]
fn kernels_do_not_replace_each_other() {
    let universe = Universe::parse(
        "+ kernel 1-1 x86_64
         + kernel 2-1 x86_64",
    );
    assert_eq!(universe.set(image(&["kernel-1-1", "kernel-2-1"])), "kernel-1-1 kernel-2-1");
}

#[test]
fn several_images_several_architectures_one_task() {
    let universe = Universe::parse(
        "+ app 1-1 x86_64
         + app 1-1 aarch64
         + doc 1-1 noarch",
    );
    let on = |name: &str, arch: &str, packages: &[&str]| ImageRequest {
        name: name.to_owned(),
        arch: arch.to_owned(),
        ..image(packages)
    };
    let task = universe.task(vec![
        on("one", "x86_64", &["app"]),
        on("two", "aarch64", &["app", "doc"]),
        on("three", "x86_64", &["app"]),
        on("four", "x86_64", &[]),
    ]);
    let resolution = Libsolv.solve(&task).unwrap();
    let shown: Vec<_> = resolution
        .images
        .iter()
        .map(|image| format!("{}: {}", image.name, universe.names(&image.packages).join(" ")))
        .collect();
    assert_eq!(
        shown,
        ["one: app-1-1", "two: app-1-1.aarch64 doc-1-1.noarch", "three: app-1-1", "four: "]
    );
}

#[test]
fn the_same_task_the_same_answer() {
    let universe = Universe::parse(BASE);
    let request = ImageRequest { weak_deps: true, ..image(&["app", "webserver", "tool"]) };
    let first = universe.solve(request.clone()).unwrap();
    for _ in 0..10 {
        assert_eq!(universe.solve(request.clone()).unwrap(), first);
    }
}
