//! The component itself, in the host that strata has.

use strata_plugin_testkit::{Component, Image, image};

/// `cargo xtask plugins CRATE --test` says where the component is.
fn plugin() -> Component {
    let built = "target/wasm32-unknown-unknown/release/oci_labels.wasm";
    Component::open(std::env::var("STRATA_PLUGIN").unwrap_or_else(|_| built.to_owned()))
}

fn web() -> Image {
    image("web")
        .package("nginx")
        .file("/usr/lib/os-release", "NAME=\"Fedora Linux\"\nHOME_URL=https://fedoraproject.org/\n")
        .symlink("/etc/os-release", "../usr/lib/os-release")
}

#[test]
fn annotations_say_where_they_come_from() {
    let answer = plugin().map(&web(), [("package", "nginx")]).expect("it can be mapped");
    let vendor = answer.lines.iter().find(|line| line.contains("image.vendor")).expect("a vendor");
    assert!(vendor.contains("Fedora Linux") && vendor.contains("/usr/lib/os-release:1"), "{vendor}");
    assert_eq!(answer.lines.len(), 4, "{:?}", answer.lines);
}

#[test]
fn labels_are_written_when_they_are_wanted() {
    let answer = plugin().map(&web(), [("labels", "true")]).expect("it can be mapped");
    // title, vendor and url: no package is called `web`
    assert_eq!(answer.lines.len(), 6, "{:?}", answer.lines);
}

#[test]
fn a_package_that_is_not_there_is_an_error_of_the_setting() {
    let error = plugin().map(&web(), [("package", "httpd")]).expect_err("no httpd");
    assert!(error.to_string().contains("the image has no `httpd`"), "{error}");
}
