//! What a component says before anything of it is compiled: which API it was built for, what it
//! needs, what it can do.

use crate::{
    PluginErrorKind, Role,
    extent::{Counter, Fault},
    limits, text,
};
use std::collections::BTreeSet;
use wasmparser::{Encoding, Parser, Payload};

/// The one version of the plugin API that this host has.
pub(crate) const API: &str = "0.1.0";

/// What a component can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    pub roles: BTreeSet<Role>,
}

/// Looks at the names of the outermost imports and exports, and at how much there is to compile.
pub(crate) fn inspect(bytes: &[u8]) -> Result<Shape, PluginErrorKind> {
    is_component(bytes)?;
    if bytes.len() > limits::COMPONENT {
        return Err(PluginErrorKind::TooLarge(bytes.len()));
    }
    let damaged = |e: wasmparser::BinaryReaderError| PluginErrorKind::Damaged(e.to_string());
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0usize;
    let mut counter = Counter::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(damaged)?;
        counter.read(&payload).map_err(|fault| match fault {
            Fault::Format(error) => damaged(error),
            Fault::Much(kind) => kind,
        })?;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(PluginErrorKind::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    shape(&imports, &exports)
}

fn is_component(bytes: &[u8]) -> Result<(), PluginErrorKind> {
    let kind = match bytes {
        [] => "the file is empty",
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => return Err(PluginErrorKind::CoreModule),
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', _, _, _, _, ..] => "its format has another version",
        [0x7f, b'E', b'L', b'F', ..] => "it is a program or a compiled component",
        _ if b"\0asm".starts_with(bytes) || bytes.starts_with(b"\0asm") => {
            return Err(PluginErrorKind::Damaged("it ends in its first bytes".to_owned()));
        }
        _ if bytes.iter().take(64).all(|b| b.is_ascii() && *b != 0) => "it is text",
        _ => "it does not begin with the magic bytes 00 61 73 6d",
    };
    Err(PluginErrorKind::NotWasm(kind))
}

fn shape(imports: &[String], exports: &[String]) -> Result<Shape, PluginErrorKind> {
    for name in imports.iter().chain(exports) {
        if let Some(rest) = name.strip_prefix("strata:plugin/") {
            let needs = rest.split_once('@').map_or("without a version", |(_, version)| version);
            if needs != API {
                let needs = text::line(needs);
                return Err(PluginErrorKind::ApiVersion { needs, has: API });
            }
        }
    }
    let offered = ["types", "log", "settings", "image", "tree"];
    let mut unknown: Vec<String> = imports
        .iter()
        .filter(|name| !own(name).is_some_and(|interface| offered.contains(&interface)))
        .map(|name| text::line(name))
        .collect();
    unknown.sort();
    if unknown.iter().any(|name| name.starts_with("wasi:")) {
        unknown.retain(|name| name.starts_with("wasi:"));
        return Err(PluginErrorKind::Wasi(unknown));
    }
    if !unknown.is_empty() {
        return Err(PluginErrorKind::UnknownImport(unknown));
    }
    let exports: BTreeSet<&str> = exports.iter().filter_map(|name| own(name)).collect();
    let roles: BTreeSet<Role> =
        Role::ALL.into_iter().filter(|role| exports.contains(exported(*role))).collect();
    if roles.is_empty() {
        return Err(PluginErrorKind::NoRole);
    }
    if !exports.contains("about") {
        return Err(PluginErrorKind::NoAbout);
    }
    Ok(Shape { roles })
}

/// The interface of ours that a name means.
fn own(name: &str) -> Option<&str> {
    name.strip_prefix("strata:plugin/")?.split('@').next()
}

/// The interface that a component of this role exports.
fn exported(role: Role) -> &'static str {
    match role {
        Role::PackageFilter => "filter",
        Role::PostProcessor => "processor",
        Role::MetadataMapper => "mapper",
        Role::Policy => "checker",
    }
}
