//! Components written by hand, for what no compiler would make: the types of `wit/` as text, and a
//! function body for each role.
//!
//! The tests of `strata-plugin` make theirs from `wit/` itself, with a parser among their own files.
//! Here the types are written out: these components come to the command from outside, and an API
//! that changed without a new version would fail them.

#![allow(dead_code, reason = "no test file needs all of it")]

use std::fmt::Write as _;

/// The types of `wit/`, each after those it uses; `$` marks another of them.
const TYPES: [(&str, &str); 23] = [
    ("origin", r#"(record (field "path" string) (field "line" (option u32)))"#),
    ("severity", r#"(enum "refusal" "warning" "note")"#),
    (
        "diagnostic",
        r#"(record (field "severity" $severity) (field "message" string)
            (field "origin" (option $origin)) (field "hint" (option string)))"#,
    ),
    (
        "setting-error",
        r#"(record (field "name" string) (field "message" string) (field "hint" (option string)))"#,
    ),
    (
        "refusal",
        r#"(record (field "message" string) (field "origin" (option $origin))
            (field "hint" (option string)))"#,
    ),
    (
        "error",
        r#"(variant (case "setting" $setting-error) (case "refused" $refusal)
            (case "internal" string))"#,
    ),
    (
        "package",
        r#"(record (field "name" string) (field "epoch" u32) (field "version" string)
            (field "release" string) (field "arch" string) (field "source" string)
            (field "requested" bool))"#,
    ),
    ("kind", r#"(enum "directory" "file" "symlink" "device" "fifo")"#),
    ("setting", r#"(record (field "name" string) (field "summary" string))"#),
    (
        "description",
        r#"(record (field "name" string) (field "version" string) (field "summary" string)
            (field "settings" (list $setting)))"#,
    ),
    (
        "change",
        r#"(variant (case "entrypoint" (list string)) (case "cmd" (list string))
            (case "user" string) (case "working-dir" string) (case "stop-signal" string)
            (case "env" (tuple string string)) (case "port" string) (case "volume" string)
            (case "label" (tuple string string)) (case "annotation" (tuple string string)))"#,
    ),
    ("mapper-edit", r#"(record (field "change" $change) (field "origin" (option $origin)))"#),
    (
        "mapping",
        r#"(record (field "edits" (list $mapper-edit))
            (field "diagnostics" (list $diagnostic)))"#,
    ),
    ("owner", r#"(variant (case "id" u32) (case "name" string))"#),
    ("access", r#"(record (field "mode" u32) (field "user" $owner) (field "group" $owner))"#),
    ("dir", r#"(record (field "path" string) (field "access" $access))"#),
    (
        "new-file",
        r#"(record (field "path" string) (field "content" (list u8)) (field "access" $access))"#,
    ),
    ("link", r#"(record (field "path" string) (field "target" string))"#),
    ("change-access", r#"(record (field "path" string) (field "access" $access))"#),
    (
        "tree-edit",
        r#"(variant (case "make-directory" $dir) (case "write-file" $new-file)
            (case "make-symlink" $link) (case "set-access" $change-access)
            (case "remove" string))"#,
    ),
    (
        "outcome",
        r#"(record (field "edits" (list $tree-edit))
            (field "diagnostics" (list $diagnostic)))"#,
    ),
    (
        "package-file",
        r#"(record (field "path" string) (field "kind" $kind) (field "mode" u32)
            (field "size" u64) (field "doc" bool) (field "license" bool) (field "config" bool)
            (field "langs" (list string)))"#,
    ),
    (
        "config",
        r#"(record (field "user" string) (field "entrypoint" (list string))
            (field "cmd" (list string)) (field "working-dir" string)
            (field "env" (list (tuple string string))) (field "ports" (list string))
            (field "volumes" (list string)) (field "labels" (list (tuple string string)))
            (field "stop-signal" string) (field "annotations" (list (tuple string string))))"#,
    ),
];

/// An exported interface: its name, its function, that function's type, and the core function's.
struct Interface {
    name: &'static str,
    function: &'static str,
    signature: &'static str,
    core: &'static str,
}

const ABOUT: Interface = Interface {
    name: "about",
    function: "describe",
    signature: "(result $description)",
    core: "(result i32)",
};

const MAPPER: Interface = Interface {
    name: "mapper",
    function: "map",
    signature: "(result (result $mapping (error $error)))",
    core: "(result i32)",
};

const PROCESSOR: Interface = Interface {
    name: "processor",
    function: "process",
    signature: "(result (result $outcome (error $error)))",
    core: "(result i32)",
};

const FILTER: Interface = Interface {
    name: "filter",
    function: "exclude",
    signature: r#"(param "package" $package) (param "files" (list $package-file))
        (result (result (list u32) (error $error)))"#,
    core: "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)",
};

const CHECKER: Interface = Interface {
    name: "checker",
    function: "check",
    signature: r#"(param "config" $config) (result (result (list $diagnostic) (error $error)))"#,
    core: "(param i32) (result i32)",
};

/// Where [`Wat::answer`] lies: all zeros, which is an empty success of any role.
pub const EMPTY: u32 = 512;

/// A component to be; its functions are core WebAssembly that gives the address of the answer.
pub struct Wat {
    version: &'static str,
    describe: String,
    roles: Vec<(Interface, String)>,
    /// Fields of the core module besides these.
    module: String,
    /// Parts of the component besides these.
    outer: String,
}

impl Wat {
    /// A component without a role, that calls itself `hostile` 1.0 and has no settings.
    pub fn new() -> Self {
        let data = [
            // name, version, summary, settings
            words(0, &[64, 7, 72, 3, 64, 7, 0, 0]),
            r#"(data (i32.const 64) "hostile\00" "1.0")"#.to_owned(),
        ];
        Self {
            version: "0.1.0",
            describe: "i32.const 0".to_owned(),
            roles: Vec::new(),
            module: data.concat(),
            outer: String::new(),
        }
    }

    /// Of another version of the API.
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Another `describe`.
    pub fn describe(mut self, body: &str) -> Self {
        body.clone_into(&mut self.describe);
        self
    }

    /// A metadata mapper.
    pub fn map(self, body: &str) -> Self {
        self.role(MAPPER, body)
    }

    /// A post-processor.
    pub fn process(self, body: &str) -> Self {
        self.role(PROCESSOR, body)
    }

    /// A package filter.
    pub fn exclude(self, body: &str) -> Self {
        self.role(FILTER, body)
    }

    /// A policy.
    pub fn check(self, body: &str) -> Self {
        self.role(CHECKER, body)
    }

    fn role(mut self, interface: Interface, body: &str) -> Self {
        self.roles.push((interface, body.to_owned()));
        self
    }

    /// Further fields of the core module: functions, globals, data above 4096.
    pub fn module(mut self, fields: &str) -> Self {
        self.module += fields;
        self
    }

    /// Further parts of the component, at its beginning.
    pub fn outer(mut self, parts: &str) -> Self {
        self.outer += parts;
        self
    }

    /// The component's bytes.
    ///
    /// # Panics
    /// When a body is no WebAssembly.
    pub fn build(&self) -> Vec<u8> {
        let exports: Vec<(&Interface, &str)> = [(&ABOUT, self.describe.as_str())]
            .into_iter()
            .chain(self.roles.iter().map(|(interface, body)| (interface, body.as_str())))
            .collect();
        let mut text = format!("(component {}\n(core module $m\n", self.outer);
        // what comes from the host is put behind the first page, and never freed
        text += r#"(memory (export "memory") 2) (global $free (mut i32) (i32.const 65536))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
              (global.set $free (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
              (global.get $free)
              (global.set $free (i32.add (global.get $free) (local.get 3)))
              (block $enough
                (br_if $enough (i32.le_u (global.get $free) (i32.mul (memory.size) (i32.const 65536))))
                (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16)))))))"#;
        text += &self.module;
        for (interface, body) in &exports {
            let Interface { function, core, .. } = interface;
            let _ = write!(text, "\n(func (export \"{function}\") {core} {body})");
        }
        text += ")\n(core instance $i (instantiate $m))\n";
        for (name, definition) in TYPES {
            let _ = writeln!(text, "(type ${name} {definition})");
        }
        for (interface, _) in &exports {
            self.export(&mut text, interface);
        }
        text.push(')');
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
    }

    /// A function becomes an interface through a component of its own, as bindings make it: types
    /// get their names on the way.
    fn export(&self, text: &mut String, interface: &Interface) {
        let Interface { name, function, signature, .. } = interface;
        let version = self.version;
        let _ = writeln!(
            text,
            "(func ${function} {signature} (canon lift (core func $i \"{function}\")
               (memory (core memory $i \"memory\")) (realloc (core func $i \"cabi_realloc\"))))
             (component ${name}-shim"
        );
        for (name, definition) in TYPES {
            let _ = writeln!(
                text,
                "(type $t-{name} {definition}) (import \"t-{name}\" (type ${name} (eq $t-{name})))"
            );
        }
        let _ = writeln!(text, "(import \"f\" (func $f {signature}))");
        for (name, definition) in TYPES {
            let definition = definition.replace('$', "$x-");
            let _ = writeln!(
                text,
                "(type $n-{name} {definition}) (export $x-{name} \"{name}\" (type $n-{name}))"
            );
        }
        let exported = signature.replace('$', "$x-");
        let _ = writeln!(text, "(export \"{function}\" (func $f) (func {exported})))");
        let _ = write!(text, "(instance ${name} (instantiate ${name}-shim");
        for (name, _) in TYPES {
            let _ = write!(text, " (with \"t-{name}\" (type ${name}))");
        }
        let _ = writeln!(
            text,
            " (with \"f\" (func ${function}))))
             (export \"strata:plugin/{name}@{version}\" (instance ${name}))"
        );
    }
}

/// A data segment of 32-bit numbers.
pub fn words(at: u32, words: &[u32]) -> String {
    let mut text = format!("(data (i32.const {at}) \"");
    for byte in words.iter().flat_map(|word| word.to_le_bytes()) {
        let _ = write!(text, "\\{byte:02x}");
    }
    text + "\")"
}
