//! Plugins written by hand: core WebAssembly as text, made a component with the types of `wit/`.

#![allow(dead_code, reason = "each test file uses some of it")]

mod image;
mod wit;

pub use image::shown;
use std::fmt::Write as _;
use strata_plugin::{Host, Plugin, PluginError, Settings};
use wit::Interface;

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
        let files = ["types", "about", "worlds"].map(|name| {
            let path = format!("{}/../../wit/{name}.wit", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).expect("wit")
        });
        let interfaces = wit::interfaces(&files);
        let version = self.version;
        let module = self.module.replace("@V", &format!("@{version}"));
        let mut text = format!("(component\n{LIBC}");
        let mut with = String::new();
        for (name, interface) in &interfaces {
            let full = format!("strata:plugin/{name}@{version}");
            if module.contains(&full) {
                text += &imported(name, &full, interface);
                let _ = write!(with, "(with \"{full}\" (instance");
                for (function, _) in &interface.functions {
                    let _ = write!(with, " (export \"{function}\" (func ${name}.{function}))");
                }
                with += "))\n";
            }
        }
        text += "(core module $code (import \"libc\" \"memory\" (memory 2))\n";
        text += &module;
        text += &self.data.text;
        for (interface, body) in &self.exports {
            let function = &interfaces[*interface].functions[0].0;
            let core = match *interface {
                "about" | "mapper" | "processor" => String::new(),
                "checker" => "(param i32)".to_owned(),
                _ => format!("(param{})", " i32".repeat(14)),
            };
            let _ = writeln!(
                text,
                "(func ${function} (export \"{function}\") {core} (result i32) {body})"
            );
        }
        let _ = writeln!(
            text,
            ")\n(core instance $code (instantiate $code (with \"libc\" (instance $libc)) {with}))"
        );
        for (interface, _) in &self.exports {
            text += &exported(interface, version, &interfaces[*interface]);
        }
        wat::parse_str(text + ")").unwrap_or_else(|error| panic!("{error}"))
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

/// The memory. What comes from the host lies behind 64 KiB and is never freed.
const LIBC: &str = r#"(core module $libc
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
      (local.get $at)))
  (core instance $libc (instantiate $libc))
"#;

const CANON: &str =
    r#"(memory (core memory $libc "memory")) (realloc (core func $libc "cabi_realloc"))"#;

/// An interface of the host, and its functions for the code.
fn imported(name: &str, full: &str, interface: &Interface) -> String {
    let named = |text: &str| text.replace('$', "$x-");
    let mut text = format!("(import \"{full}\" (instance ${name}\n");
    for (own, found) in &interface.types {
        let (id, definition) = (&found.id, named(&found.definition));
        let _ = writeln!(
            text,
            "(type $d-{id} {definition}) (export \"{own}\" (type $x-{id} (eq $d-{id})))"
        );
    }
    for (function, signature) in &interface.functions {
        let _ = writeln!(text, "(export \"{function}\" (func {}))", named(signature));
    }
    text += "))\n";
    for (function, _) in &interface.functions {
        let _ = writeln!(
            text,
            "(core func ${name}.{function} (canon lower (func ${name} \"{function}\") {CANON}))"
        );
    }
    text
}

/// A function of the code as an interface. A component of its own gives the types their names.
fn exported(name: &str, version: &str, interface: &Interface) -> String {
    let named = |prefix: &str, text: &str| text.replace('$', prefix);
    let (function, signature) = &interface.functions[0];
    let local = format!("$l-{name}-");
    let mut text = String::new();
    for (_, found) in &interface.types {
        let definition = named(&local, &found.definition);
        let _ = writeln!(text, "(type {local}{} {definition})", found.id);
    }
    let lifted = named(&local, signature);
    let _ = writeln!(
        text,
        "(func $f-{name} {lifted} (canon lift (core func $code \"{function}\") {CANON}))
         (component $c-{name}"
    );
    for (own, found) in &interface.types {
        let (id, definition) = (&found.id, named("$i-", &found.definition));
        let _ = writeln!(
            text,
            "(type $d-{id} {definition}) (import \"t-{own}\" (type $i-{id} (eq $d-{id})))"
        );
    }
    let _ = writeln!(text, "(import \"f\" (func $f {}))", named("$i-", signature));
    for (own, found) in &interface.types {
        let (id, definition) = (&found.id, named("$x-", &found.definition));
        let _ =
            writeln!(text, "(type $e-{id} {definition}) (export $x-{id} \"{own}\" (type $e-{id}))");
    }
    let shown = named("$x-", signature);
    let _ = writeln!(text, "(export \"{function}\" (func $f) (func {shown})))");
    let _ = writeln!(text, "(instance $s-{name} (instantiate $c-{name}");
    for (own, found) in &interface.types {
        let _ = writeln!(text, "(with \"t-{own}\" (type {local}{}))", found.id);
    }
    let _ = writeln!(
        text,
        "(with \"f\" (func $f-{name}))))
         (export \"strata:plugin/{name}@{version}\" (instance $s-{name}))"
    );
    text
}

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
