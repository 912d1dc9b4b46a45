//! The committed components, held against their sources. What needs a compiler for WebAssembly is
//! left to `cargo xtask plugins --check`.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "the command uses more of these modules")]

use std::path::{Path, PathBuf};

#[path = "../src/plugins/sources.rs"]
mod sources;

#[test]
fn components_are_what_the_sources_gave() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let text = std::fs::read_to_string(root.join("plugins/bundled/provenance.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_str(&text).unwrap();
    let components = provenance["components"].as_object().unwrap();
    let names: Vec<_> = components.keys().cloned().collect();
    assert_eq!(names, sources::bundled(root).unwrap());
    for (name, recorded) in components {
        let bytes = std::fs::read(root.join(format!("plugins/bundled/{name}.wasm"))).unwrap();
        assert_eq!(recorded["sha256"], sources::sha256(&bytes), "`{name}` is another component");
        assert_eq!(
            recorded["sources"],
            sources::digest(root, name).unwrap(),
            "sources of `{name}` have changed: run `cargo xtask plugins {name}`"
        );
    }
}

#[test]
fn no_path_of_a_machine_is_in_a_component() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for name in sources::bundled(root).unwrap() {
        let bytes = std::fs::read(root.join(format!("plugins/bundled/{name}.wasm"))).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for path in ["/.cargo/", "/.rustup/", "/registry/src/", "/rustlib/", "/home/"] {
            assert!(!text.contains(path), "`{name}` contains `{path}`");
        }
        assert!(!text.contains(&*root.to_string_lossy()), "`{name}` contains its directory");
    }
}

/// As the command has it.
fn sorted(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listing = std::fs::read_dir(directory)?;
    let mut paths = listing.map(|item| Ok(item?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
