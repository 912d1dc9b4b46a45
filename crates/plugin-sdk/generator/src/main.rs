//! Writes the SDK's bindings from `wit/`: `generator WIT-DIRECTORY OUTPUT-DIRECTORY`.

use std::path::Path;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};

/// The worlds of `worlds.wit`.
const WORLDS: [&str; 6] = ["imports", "about", "mapper", "processor", "filter", "checker"];

const NOTE: &str = "// Generated from wit/ by `cargo xtask bindings`: do not edit.\n";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let [_, wit, output] = arguments.as_slice() else {
        return Err("usage: generator WIT-DIRECTORY OUTPUT-DIRECTORY".into());
    };
    for world in WORLDS {
        let mut text = NOTE.to_owned();
        text.push_str(&generate(Path::new(wit), world)?);
        std::fs::write(Path::new(output).join(format!("{world}.rs")), text)?;
    }
    Ok(())
}

fn generate(wit: &Path, world: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut resolve = Resolve::default();
    resolve.push_dir(wit)?;
    let package = resolve.push_str("worlds.wit", include_str!("../worlds.wit"))?;
    let world_id = resolve.select_world(&[package], Some(world))?;
    let mut options = Opts {
        format: true,
        runtime_path: Some("wit_bindgen::rt".to_owned()),
        additional_derive_attributes: vec!["PartialEq".to_owned(), "Eq".to_owned()],
        pub_export_macro: true,
        default_bindings_module: Some(format!("strata_plugin_sdk::bindings::{world}")),
        export_macro_name: Some(format!("export_{world}")),
        generate_all: true,
        ..Opts::default()
    };
    if world != "imports" && world != "about" {
        let shared = "crate::bindings::imports::strata::plugin::types".to_owned();
        options.with = vec![("strata:plugin/types@0.1.0".to_owned(), WithOption::Path(shared))];
    }
    let mut files = Files::default();
    options.build().generate(&mut resolve, world_id, &mut files)?;
    let (_, bytes) = files.iter().next().ok_or("nothing was generated")?;
    Ok(without_examples(std::str::from_utf8(bytes)?))
}

/// The generator's examples of use are for its own macros, which the SDK hides; each would be
/// compiled as a test.
fn without_examples(text: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("/// ```");
        if !inside && !fence {
            kept.push_str(line);
            kept.push('\n');
        }
        inside ^= fence;
    }
    kept
}
