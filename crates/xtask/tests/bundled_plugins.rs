//! The committed components, held against their sources. What needs a compiler for WebAssembly is
//! left to `cargo xtask plugins --check`.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "the command uses more of these modules")]

use std::path::Path;

#[path = "../src/plugins/provenance.rs"]
mod provenance;
#[path = "../src/plugins/sources.rs"]
mod sources;

#[test]
fn components_are_what_the_sources_gave() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let provenance = provenance::Provenance::read(root).unwrap();
    let stale = provenance.stale(root).unwrap();
    assert!(stale.is_empty(), "{}\nrun `cargo xtask plugins`", stale.join("\n"));
}

#[test]
fn bindings_are_what_wit_gave() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let recorded = root.join(sources::BINDINGS).join(sources::BINDINGS_DIGEST);
    let recorded = std::fs::read_to_string(recorded).unwrap();
    assert_eq!(recorded.trim(), sources::bindings(root).unwrap(), "run `cargo xtask bindings`");
}

#[test]
fn provenance_is_written_as_it_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let committed = "plugins/bundled/provenance.json";
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("provenance");
    std::fs::create_dir_all(copy.join("plugins/bundled")).unwrap();
    provenance::Provenance::read(root).unwrap().write(&copy).unwrap();
    let read = |root: &Path| std::fs::read_to_string(root.join(committed)).unwrap();
    assert_eq!(read(&copy), read(root));
}

#[test]
fn a_component_is_built_again_with_the_tools_that_made_it() {
    let tools = |compiler: &str| provenance::Tools {
        compiler: compiler.to_owned(),
        library: "built from its source".to_owned(),
        linker: "a linker".to_owned(),
    };
    assert_eq!(tools("rustc 1").difference(&tools("rustc 1")), None);
    assert_eq!(
        tools("rustc 1").difference(&tools("rustc 2")).as_deref(),
        Some("its compiler was `rustc 1`, here is `rustc 2`")
    );
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
