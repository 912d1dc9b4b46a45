//! The finished component in the real host.

#![allow(clippy::unwrap_used, reason = "tests")]

use strata_plugin_testkit::{Component, Package, package};

fn component() -> Component {
    Component::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../bundled/slim.wasm"))
}

fn tool() -> Package {
    package("tool")
        .file("/usr/bin/tool", 10)
        .dir("/usr/share/doc/tool")
        .doc("/usr/share/doc/tool/README", 10)
        .license("/usr/share/licenses/tool/COPYING", 10)
        .file("/usr/share/locale/de/LC_MESSAGES/tool.mo", 10)
        .file("/usr/share/locale/fr/LC_MESSAGES/tool.mo", 10)
        .doc("/usr/share/man/man1/tool.1.gz", 10)
}

#[test]
fn documentation_manuals_and_translations_are_left_out() {
    let answer = component().exclude(&tool(), ()).unwrap();
    assert_eq!(
        answer.lines,
        [
            "/usr/share/doc/tool/README",
            "/usr/share/locale/de/LC_MESSAGES/tool.mo",
            "/usr/share/locale/fr/LC_MESSAGES/tool.mo",
            "/usr/share/man/man1/tool.1.gz",
        ]
    );
}

#[test]
fn settings_keep_what_is_wanted() {
    let answer = component().exclude(&tool(), [("locales", "de"), ("man", "true")]).unwrap();
    assert_eq!(
        answer.lines,
        ["/usr/share/doc/tool/README", "/usr/share/locale/fr/LC_MESSAGES/tool.mo"]
    );
}

#[test]
fn a_wrong_setting_is_named() {
    let error = component().exclude(&tool(), [("man", "maybe")]).unwrap_err();
    assert!(error.to_string().contains("`maybe` is not `true` or `false`"), "{error}");
    let error = component().exclude(&tool(), [("locale", "de")]).unwrap_err();
    assert!(error.to_string().contains("locale"), "{error}");
}
