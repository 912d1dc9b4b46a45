//! Plugins written by hand: core WebAssembly as text, made a component with the types of `wit/`.

#![allow(dead_code, reason = "each test file uses some of it")]

mod image;

pub use image::shown;
use std::fmt::Write as _;
use strata_plugin::{Host, Plugin, PluginError, Settings};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A result of any role that is a success without anything in it: zeros.
pub const EMPTY: &str = "i32.const 256";

/// A plugin to be: a function body for each role, which gives the address of its result.
#[derive(Clone)]
pub struct Guest {
    exports: Vec<(&'static str, String)>,
    module: String,
    version: &'static str,
    data: Data,
}

/// What lies in a guest's memory, from 4096 on.
#[derive(Clone)]
pub struct Data {
    at: u32,
    text: String,
}

impl Data {
    pub fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let at = self.at;
        let _ = write!(self.text, "(data (i32.const {at}) \"");
        for byte in bytes {
            let _ = write!(self.text, "\\{byte:02x}");
        }
        self.text += "\")\n";
        self.at = (at + bytes.len() as u32).next_multiple_of(8);
        at
    }

    pub fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.bytes(&bytes)
    }

    /// Address and length.
    pub fn text(&mut self, text: &str) -> [u32; 2] {
        [self.bytes(text.as_bytes()), text.len() as u32]
    }
}

/// A plugin `hand` 1.0 with the setting `unit`, without roles.
pub fn guest() -> Guest {
    let mut data = Data { at: 4096, text: String::new() };
    let (name, version, summary) = (data.text("hand"), data.text("1.0"), data.text("by hand"));
    let (setting, about) = (data.text("unit"), data.text("which unit"));
    let setting = data.words(&[setting[0], setting[1], about[0], about[1]]);
    let about =
        data.words(&[name[0], name[1], version[0], version[1], summary[0], summary[1], setting, 1]);
    Guest {
        exports: vec![("about", format!("i32.const {about}"))],
        module: String::new(),
        version: "0.1.0",
        data,
    }
}

impl Guest {
    pub fn describe(mut self, body: &str) -> Self {
        self.exports[0].1 = body.to_owned();
        self
    }

    pub fn map(self, body: &str) -> Self {
        self.export("mapper", body)
    }

    pub fn process(self, body: &str) -> Self {
        self.export("processor", body)
    }

    pub fn exclude(self, body: &str) -> Self {
        self.export("filter", body)
    }

    pub fn check(self, body: &str) -> Self {
        self.export("checker", body)
    }

    fn export(mut self, interface: &'static str, body: &str) -> Self {
        self.exports.push((interface, body.to_owned()));
        self
    }

    /// Fields of the core module; imports first.
    pub fn module(mut self, fields: &str) -> Self {
        self.module += fields;
        self
    }

    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Puts something into memory.
    pub fn data<T>(mut self, put: impl FnOnce(&mut Data) -> T) -> (Self, T) {
        let put = put(&mut self.data);
        (self, put)
    }

    pub fn build(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let wit: String = ["types", "about", "worlds"]
            .map(|name| {
                let path = format!("{}/../../wit/{name}.wit", env!("CARGO_MANIFEST_DIR"));
                let text = std::fs::read_to_string(path).expect("wit");
                text.replace("package strata:plugin@0.1.0;", "")
            })
            .concat();
        let version = self.version;
        let wit = format!("package strata:plugin@{version};\n{wit}");
        resolve.push_str("plugin.wit", &wit).expect("wit");
        let mut world = "package test:test; world guest {\n".to_owned();
        for import in ["log", "settings", "image", "tree"] {
            let _ = writeln!(world, "import strata:plugin/{import}@{version};");
        }
        let mut text = "(module\n".to_owned();
        text += &self.module.replace("@V", &format!("@{version}"));
        text += MEMORY;
        text += &self.data.text;
        for (interface, body) in &self.exports {
            let _ = writeln!(world, "export strata:plugin/{interface}@{version};");
            let (function, core) = match *interface {
                "about" => ("describe", ""),
                "mapper" => ("map", ""),
                "processor" => ("process", ""),
                "checker" => ("check", "(param i32)"),
                _ => ("exclude", "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)"),
            };
            let _ = writeln!(
                text,
                "(func ${function} (export \"strata:plugin/{interface}@{version}#{function}\")
                   {core} (result i32) {body})"
            );
        }
        let package = resolve.push_str("test.wit", &(world + "}")).expect("world");
        let world = resolve.select_world(&[package], Some("guest")).expect("world");
        let mut module = wat::parse_str(text + ")").unwrap_or_else(|error| panic!("{error}"));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("metadata");
        let encoder = ComponentEncoder::default().module(&module).expect("module");
        encoder.validate(true).encode().unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// Loaded by a host of its own, as `hand.wasm`.
    pub fn plugin(&self) -> Plugin {
        load(&self.build()).expect("it loads")
    }

    pub fn load_error(&self) -> String {
        said(&load(&self.build()).expect_err("it does not load"))
    }

    /// The failure of its mapper.
    pub fn map_error(&self) -> String {
        let shown = shown();
        said(&self.plugin().map(&Settings::new(), &shown.view()).expect_err("it fails"))
    }

    /// The failure of its post-processor.
    pub fn process_error(&self) -> String {
        let shown = shown();
        said(&self.plugin().process(&Settings::new(), &shown.view()).expect_err("it fails"))
    }
}

/// What comes from the host lies behind 64 KiB and is never freed.
const MEMORY: &str = r#"
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (block $fits
        (br_if $fits
          (i32.le_u (global.get $free) (i32.shl (memory.size) (i32.const 16))))
        (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16))))))
      (local.get $at))
"#;

pub fn load(bytes: &[u8]) -> Result<Plugin, PluginError> {
    Host::new(None).expect("a host").load("hand.wasm", bytes)
}

/// Message, then the hint if there is one.
pub fn said(error: &PluginError) -> String {
    assert_eq!(error.plugin(), "hand.wasm");
    match error.hint() {
        Some(hint) => format!("{error}; hint: {hint}"),
        None => error.to_string(),
    }
}
