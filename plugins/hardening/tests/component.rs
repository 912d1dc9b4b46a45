//! The finished component in the real host.

#![allow(clippy::unwrap_used, reason = "tests")]

use strata_plugin_testkit::{Component, Image, image};

fn component() -> Component {
    Component::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../bundled/hardening.wasm"))
}

fn base() -> Image {
    image("base")
        .package("util-linux")
        .executable("/usr/bin/su")
        .access(0o4755, 0, 0)
        .dir("/tmp")
        .access(0o1777, 0, 0)
        .dir("/srv/all")
        .access(0o777, 0, 0)
}

#[test]
fn findings_name_file_and_way_out() {
    let findings = component().check(&base(), ()).unwrap().findings;
    let all = findings.join("\n");
    assert_eq!(findings.len(), 4, "{all}");
    for part in [
        "`User` is empty",
        "neither `Entrypoint` nor `Cmd`",
        "`/usr/bin/su` runs as user root (mode 4755)",
        "everyone may write the directory without sticky bit `/srv/all`",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(!all.contains("/tmp"), "{all}");
}

#[test]
fn what_is_allowed_or_ignored_is_not_told() {
    let settings = [("root", "ignore"), ("command", "ignore"), ("allow", "/usr/**")];
    assert_eq!(component().check(&base(), settings).unwrap().findings.len(), 1);
    let settings = [("root", "ignore"), ("command", "ignore"), ("allow", "/**")];
    assert_eq!(component().check(&base(), settings).unwrap().findings, [""; 0]);
}

#[test]
fn a_refusal_is_a_setting_away() {
    let findings = component().check(&base(), [("setid", "refuse")]).unwrap().findings;
    let refusals = findings.iter().filter(|finding| finding.starts_with("refusal")).count();
    assert_eq!(refusals, 1, "{findings:?}");
}

#[test]
fn a_directory_that_cannot_be_opened_is_told_and_the_rest_is_seen() {
    let image = base().dir(b"/opt/\xff").executable(b"/opt/\xff/su").access(0o4755, 0, 0);
    let settings = [("root", "ignore"), ("command", "ignore")];
    let findings = component().check(&image, settings).unwrap().findings;
    let all = findings.join("\n");
    assert_eq!(findings.len(), 3, "{all}");
    assert!(all.contains("`/opt/\u{fffd}` cannot be opened by that name"), "{all}");
    assert!(all.contains("`/usr/bin/su` runs as user root"), "{all}");
    let settings = [("root", "ignore"), ("command", "ignore"), ("allow", "/**")];
    assert_eq!(component().check(&image, settings).unwrap().findings, [""; 0]);
}
