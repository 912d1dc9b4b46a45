//! The architecture as it is described, held against the workspace as it is.

#![allow(clippy::unwrap_used, reason = "tests")]

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crate, whether it only decides (no file system, clock, environment or hash order), and the
/// crates of the workspace that it uses.
const CRATES: &[(&str, Kind, &[&str])] = &[
    ("assemble", Kind::Pure, &["oci", "rootfs", "spec"]),
    ("cli", Kind::Binary, &["compose", "oci", "plugin", "rootfs", "rpm", "sandbox", "spec"]),
    (
        "compose",
        Kind::Library,
        &[
            "assemble", "layer", "oci", "repo", "resolve", "rootfs", "rpm", "sandbox", "spec",
            "store",
        ],
    ),
    ("fuzz", Kind::Development, &["plugin-systemd", "rootfs", "rpm"]),
    ("layer", Kind::Pure, &["oci", "rootfs", "rpm"]),
    ("oci", Kind::Pure, &[]),
    ("plugin", Kind::Library, &["oci", "rootfs", "rpm", "store"]),
    ("plugin-hardening", Kind::Library, &["plugin-sdk"]),
    ("plugin-sdk", Kind::Library, &[]),
    ("plugin-slim", Kind::Library, &["plugin-sdk"]),
    ("plugin-systemd", Kind::Library, &["plugin-sdk"]),
    ("plugin-testkit", Kind::Development, &["oci", "plugin", "rootfs", "rpm"]),
    ("repo", Kind::Library, &["rpm", "store"]),
    ("resolve", Kind::Pure, &["rpm"]),
    ("rootfs", Kind::Pure, &["rpm"]),
    ("rpm", Kind::Pure, &[]),
    ("sandbox", Kind::Library, &["rootfs", "rpm"]),
    ("spec", Kind::Pure, &["oci", "rpm"]),
    ("store", Kind::Library, &[]),
    ("testkit", Kind::Development, &["rpm"]),
    ("xtask", Kind::Development, &[]),
];

/// Arrows in a row, from the binary down.
const LONGEST_CHAIN: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pure,
    Library,
    Binary,
    Development,
}

#[test]
fn crates_use_what_the_table_says() {
    let expected: BTreeMap<String, BTreeSet<String>> = CRATES
        .iter()
        .map(|(name, _, uses)| {
            ((*name).to_owned(), uses.iter().map(|name| (*name).to_owned()).collect())
        })
        .collect();
    assert_eq!(arrows(&metadata(), DependencyKind::Normal), expected);
}

#[test]
fn only_development_crates_are_used_by_tests_alone() {
    let development: BTreeSet<_> =
        CRATES.iter().filter(|(_, kind, _)| *kind == Kind::Development).map(|row| row.0).collect();
    for (name, uses) in arrows(&metadata(), DependencyKind::Normal) {
        let used: Vec<_> = uses.iter().filter(|used| development.contains(used.as_str())).collect();
        assert!(used.is_empty(), "`{name}` is built with {used:?}, which only tests may use");
    }
}

#[test]
fn chains_of_arrows_are_short() {
    let arrows = arrows(&metadata(), DependencyKind::Normal);
    for name in arrows.keys() {
        let chain = longest_chain(name, &arrows);
        assert!(chain.len() - 1 <= LONGEST_CHAIN, "too many arrows in a row: {chain:?}");
    }
}

#[test]
fn the_documentation_has_the_same_table() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let documented: BTreeSet<_> = text.lines().filter_map(documented_crate).collect();
    let expected: BTreeSet<_> = CRATES
        .iter()
        .map(|(name, kind, uses)| {
            let uses = uses.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
            ((*name).to_owned(), *kind == Kind::Pure, uses)
        })
        .collect();
    assert_eq!(documented, expected);
}

#[test]
fn paths_in_the_documentation_exist() {
    for document in ["docs/architecture.md", "docs/plugins.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for quoted in text.split('`').skip(1).step_by(2) {
            let first = quoted.split('/').next().unwrap_or_default();
            let is_path = quoted.contains('/')
                && ["crates", "docs", "tests", "examples", "plugins", "wit", ".ci"]
                    .contains(&first)
                && !quoted.contains([' ', '*', 'N']);
            assert!(!is_path || root().join(quoted).exists(), "{document}: no `{quoted}`");
        }
    }
}

#[test]
fn deciding_crates_share_one_clippy_toml() {
    let pure: Vec<_> = CRATES.iter().filter(|row| row.1 == Kind::Pure).map(|row| row.0).collect();
    let read = |name: &str| {
        let path = root().join("crates").join(name).join("clippy.toml");
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let first = read(pure[0]);
    for banned in [
        "std::fs::read",
        "std::fs::File::open",
        "std::env::var",
        "std::time::SystemTime::now",
        "std::time::Instant::now",
        "std::collections::HashMap",
        "std::collections::HashSet",
    ] {
        assert!(first.contains(&format!("\"{banned}\"")), "`{banned}` is not banned");
    }
    for name in pure {
        assert_eq!(read(name), first, "crates/{name}/clippy.toml differs");
    }
    // clippy reads one file only: the root's keys must stand in the others too.
    let shared = std::fs::read_to_string(root().join("clippy.toml")).unwrap();
    for line in shared.lines().filter(|line| !line.starts_with('#')) {
        assert!(first.contains(line), "the root's `{line}` is not repeated");
    }
}

#[test]
fn every_crate_takes_the_workspaces_lints() {
    for package in metadata().workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "`{}` does not take the workspace's lints",
            package.name
        );
    }
}

fn metadata() -> Metadata {
    MetadataCommand::new().current_dir(root()).no_deps().exec().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

fn arrows(metadata: &Metadata, kind: DependencyKind) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata.workspace_packages();
    let names: BTreeSet<_> = packages.iter().map(|package| package.name.to_string()).collect();
    let uses = |package: &Package| {
        let dependencies = package.dependencies.iter().filter(|found| found.kind == kind);
        dependencies
            .filter(|found| names.contains(&found.name))
            .map(|found| short(&found.name))
            .collect()
    };
    packages.iter().map(|package| (short(&package.name), uses(package))).collect()
}

fn short(package: &str) -> String {
    package.strip_prefix("strata-").unwrap_or(package).to_owned()
}

fn longest_chain(name: &str, arrows: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let below = arrows.get(name).into_iter().flatten().map(|used| longest_chain(used, arrows));
    let mut chain = vec![name.to_owned()];
    chain.extend(below.max_by_key(Vec::len).unwrap_or_default());
    chain
}

/// A row such as ``| `layer` ◆ | responsibility | oci, rootfs |``.
fn documented_crate(line: &str) -> Option<(String, bool, BTreeSet<String>)> {
    let cells: Vec<_> = line.strip_prefix("| `")?.trim_end_matches('|').split('|').collect();
    let [name, _, uses] = cells.as_slice() else { return None };
    let (name, mark) = name.split_once('`')?;
    let uses = uses.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "–");
    Some((name.to_owned(), mark.contains('◆'), uses.map(str::to_owned).collect()))
}
