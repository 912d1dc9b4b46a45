//! Components that mean harm or are broken: each fails alone, within its limits, in words.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use strata_oci::{Annotations, RuntimeConfig};
use strata_plugin::{PluginErrorKind, Settings};
use support::{EMPTY, guest, load, said, shown};

const AUTHOR: &str =
    "hint: this is a fault of the plugin: tell its author, with the lines that it logged";

fn refused(bytes: &[u8]) -> String {
    said(&load(bytes).unwrap_err())
}

#[test]
fn what_is_no_component_is_refused() {
    const FILE: &str = "hint: a plugin is a `.wasm` file: a component of a world in `wit/`";
    let no = |why: &str| format!("this is not a WebAssembly component: {why}; {FILE}");
    assert_eq!(refused(b""), no("the file is empty"));
    assert_eq!(refused(b"\x7fELF\x02"), no("it is a program or a compiled component"));
    assert_eq!(refused(b"\xff\xfe\0x"), no("it does not begin with the magic bytes 00 61 73 6d"));
    assert_eq!(refused(b"\0asm\x63\0\0\0"), no("its format has another version"));
    assert!(refused(b"<html>").starts_with("this is not a WebAssembly component: it is text; "));
    let module = wat::parse_str("(module)").unwrap();
    assert!(
        refused(&module).starts_with(
            "this is a core WebAssembly module; a plugin is a component; hint: link it"
        )
    );
}

#[test]
fn a_component_cut_short_anywhere_is_refused() {
    let whole = guest().map(EMPTY).build();
    for end in (1..whole.len()).step_by(7) {
        let Err(error) = load(&whole[..end]) else {
            // only names and the like are gone, which stand at the end
            assert!(end > whole.len() / 2, "{end}");
            continue;
        };
        let fine = matches!(
            error.kind(),
            PluginErrorKind::Damaged(_) | PluginErrorKind::NoRole | PluginErrorKind::CoreModule
        );
        assert!(fine, "{end}: {error}");
    }
    assert_eq!(
        refused(&whole[..4]),
        "the component is damaged or cut short: it ends in its first bytes; hint: get or build \
         the file again"
    );
}

#[test]
fn damaged_bytes_never_panic() {
    let whole = guest().map(EMPTY).build();
    for at in (8..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        if let Ok(plugin) = load(&bytes) {
            let _ = plugin.describe();
            let _ = plugin.map(&Settings::new(), &shown().view());
        }
    }
}

#[test]
fn other_versions_are_named() {
    assert_eq!(
        guest().map(EMPTY).version("0.9.0").load_error(),
        "it needs plugin API 0.9.0, this strata has 0.1.0; hint: take a newer strata, or a build \
         of the plugin for plugin API 0.1.0"
    );
    assert_eq!(
        guest().map(EMPTY).version("0.0.9").load_error(),
        "it needs plugin API 0.0.9, this strata has 0.1.0; hint: build the plugin for plugin API \
         0.1.0"
    );
}

#[test]
fn imports_that_nobody_offers_are_named() {
    let with =
        |name: &str| wat::parse_str(format!("(component (import \"{name}\" (instance)))")).unwrap();
    assert_eq!(
        refused(&with("wasi:cli/environment@0.2.0")),
        "it imports WASI (`wasi:cli/environment@0.2.0`), which plugins do not get; hint: build it \
         for `wasm32-unknown-unknown`; in Rust without standard input and output, files, clocks \
         and random numbers, in JavaScript and Python with `--stub-wasi`"
    );
    assert_eq!(
        refused(&with("strata:plugin/network@0.1.0")),
        "it imports `strata:plugin/network@0.1.0`, which strata does not offer; hint: plugins get \
         the interfaces of `wit/` and nothing else"
    );
    let other = with("strata:plugin/tree@7.0.0");
    assert!(refused(&other).starts_with("it needs plugin API 7.0.0, this strata has 0.1.0"));
    let changed = r#"(component (import "strata:plugin/image@0.1.0" (instance
        (export "name" (func (result u32))))) (instance $i)
        (export "strata:plugin/mapper@0.1.0" (instance $i))
        (export "strata:plugin/about@0.1.0" (instance $i)))"#;
    let said = refused(&wat::parse_str(changed).unwrap());
    assert!(said.starts_with("its functions do not fit plugin API 0.1.0: "), "{said}");
    assert!(said.contains("strata:plugin/image@0.1.0"), "{said}");
}

#[test]
fn a_plugin_has_a_role_and_a_description() {
    assert!(guest().load_error().starts_with("it exports no role of a plugin; hint: a plugin"));
    let bare = r#"(component (instance $i) (export "strata:plugin/mapper@0.1.0" (instance $i)))"#;
    assert!(
        refused(&wat::parse_str(bare).unwrap()).starts_with("it exports a role, but not `about`")
    );
    let plugin = guest().map(EMPTY).plugin();
    let shown = shown();
    let error = plugin.process(&Settings::new(), &shown.view()).unwrap_err();
    assert_eq!(said(&error), "it is no post-processor");
}

#[test]
fn endless_work_ends() {
    const HINT: &str = "hint: an endless loop is likely; its author has to look at it";
    assert_eq!(
        guest().map(&format!("(loop $l (br $l)) {EMPTY}")).map_error(),
        format!("map did not finish within its limit of work; {HINT}")
    );
    // by the host's hands
    let (guest_with, [long, length]) = guest().data(|data| data.text(&"/a".repeat(2047)));
    let long = format!(
        "(loop $l (call $stat (i32.const {long}) (i32.const {length}) (i32.const 2048)) (br $l))"
    );
    for body in [
        long.as_str(),
        "(loop $l (call $stat (i32.const 4096) (i32.const 1) (i32.const 2048)) (br $l))",
        "(loop $l (call $log (i32.const 0) (i32.const 0) (i32.const 100000)) (br $l))",
        "(loop $l (memory.fill (i32.const 65536) (i32.const 0) (i32.const 65536)) (br $l))",
    ] {
        let imports = r#"
            (import "strata:plugin/tree@V" "stat" (func $stat (param i32 i32 i32)))
            (import "strata:plugin/log@V" "write" (func $log (param i32 i32 i32)))"#;
        let guest = guest_with.clone().module(imports).map(&format!("{body} {EMPTY}"));
        assert_eq!(
            guest.map_error(),
            format!("map did not finish within its limit of work; {HINT}"),
            "{body}"
        );
    }
    // before the call
    let guest = guest().map(EMPTY).module("(func $s (loop $l (br $l))) (start $s)");
    assert!(guest.map_error().starts_with("map did not finish within its limit of work"));
}

/// A component in which each level instantiates the one before it twice.
fn doubling(levels: usize, module: &str, alias: bool) -> Vec<u8> {
    let mut text = format!("(component $c0 {module})\n");
    for level in 1..=levels {
        let before = level - 1;
        let twice =
            format!("(instance (instantiate $c{before})) (instance (instantiate $c{before}))");
        text += &match alias {
            // by another name for it
            true => format!(
                "(component $c{level} (alias outer 1 $c{before} (component $d))
                (export $e \"x\" (component $d))
                (instance (instantiate $d)) (instance (instantiate $e)))\n"
            ),
            false => format!("(component $c{level} {twice})\n"),
        };
    }
    let exports = "(instance $i) (export \"strata:plugin/mapper@0.1.0\" (instance $i))
        (export \"strata:plugin/about@0.1.0\" (instance $i))";
    wat::parse_str(format!("(component {text} (instance (instantiate $c{levels})) {exports})"))
        .unwrap()
}

#[test]
fn components_that_multiply_are_counted_before_they_are_compiled() {
    for alias in [false, true] {
        let bytes = doubling(40, "", alias);
        assert!(bytes.len() < 5_000, "{}", bytes.len());
        assert_eq!(
            refused(&bytes),
            format!("it has {} instances of components; 200 is the most", (1_u64 << 41) - 1)
        );
        // more levels than numbers have bits
        let said = refused(&doubling(90, "", alias));
        assert_eq!(said, format!("it has {} instances of components; 200 is the most", u64::MAX));
        assert!(!refused(&doubling(6, "", alias)).contains("is the most"));
    }
    let two = "(core module $m) (core instance (instantiate $m)) (core instance (instantiate $m))";
    assert_eq!(
        refused(&doubling(7, two, false)),
        "it has 256 instances of modules; 200 is the most"
    );
    // few instances of much
    let types = "(type (list u8))".repeat(1600);
    let said = refused(&doubling(6, &types, false));
    assert!(
        said.ends_with(" imports, exports and types in its instances; 100000 is the most"),
        "{said}"
    );
    // one that is not there to be counted
    let foreign =
        "(component (component $c (import \"p\" (component $p)) (instance (instantiate $p)))
        (component $p) (instance (instantiate $c (with \"p\" (component $p)))))";
    assert!(
        refused(&wat::parse_str(foreign).unwrap())
            .starts_with("it instantiates a component that is not one of its own parts; hint: ")
    );
}

/// A component that is a module of so many functions, of so many bytes each.
fn code(functions: usize, bytes: usize) -> Vec<u8> {
    let section = |id: u8, content: &[u8]| [&[id], &leb(content.len())[..], content].concat();
    let mut body = leb(bytes);
    body.push(0);
    body.resize(body.len() + bytes - 2, 1);
    body.push(0x0b);
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[leb(functions), vec![0; functions]].concat()),
        section(10, &[leb(functions), body.repeat(functions)].concat()),
    ];
    [b"\0asm\x0d\0\x01\0".to_vec(), section(1, &module.concat())].concat()
}

/// A number as WebAssembly has it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn code_has_a_limit() {
    const MOST: usize = 1 << 20;
    let over = |functions, bytes| refused(&code(functions, bytes));
    assert_eq!(over(1, MOST + 1), "it has 1048577 bytes in one function; 1048576 is the most");
    assert_eq!(over(33, MOST), "it has 34603008 bytes of code; 33554432 is the most");
    assert_eq!(over(250_001, 2), "it has 250001 functions; 250000 is the most");
    // only then is looked at what it is
    assert!(over(32, MOST).starts_with("it exports no role of a plugin"));
    assert!(over(250_000, 2).starts_with("it exports no role of a plugin"));
}

#[test]
fn recursion_ends() {
    let deep = "(func $deep (param i32) (result i32)
        (i32.add (call $deep (local.get 0)) (i32.const 1)))";
    let guest = guest().module(deep).map("(call $deep (i32.const 0))");
    assert_eq!(guest.map_error(), format!("map overflowed its stack of 512 KiB; {AUTHOR}"));
}

#[test]
fn memory_has_a_limit() {
    let body = "(loop $l (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1))
        (then unreachable)) (br $l)) unreachable";
    let over = format!("map needs more memory than the limit of 256 MiB; {AUTHOR}");
    assert_eq!(guest().map(body).map_error(), over);
    // a guest that goes on with what it has is not stopped
    let patient = format!("(drop (memory.grow (i32.const 65000))) {EMPTY}");
    let shown = shown();
    assert!(guest().map(&patient).plugin().map(&Settings::new(), &shown.view()).is_ok());
    // from the start
    let large = guest().map(EMPTY).module("(memory 5000)").map_error();
    assert_eq!(large, over);
}

#[test]
fn results_are_bounded_before_the_host_makes_them() {
    // 100 million findings in the memory of one
    let (many, at) = guest().data(|data| {
        let list = data.words(&[0; 11]);
        data.words(&[0, 0, 0, list, 100_000_000])
    });
    let said = many.map(&format!("i32.const {at}")).map_error();
    assert!(said.contains("out of bounds"), "{said}");
    // a list of findings whose messages all are the same megabyte
    let body = |at: u32, records: u32| {
        format!(
            "(local $i i32)
             (drop (memory.grow (i32.const 200)))
             (memory.fill (i32.const 131072) (i32.const 97) (i32.const 1048576))
             (loop $l
               (i32.store
                 (i32.add (i32.const 2000004) (i32.mul (local.get $i) (i32.const 44)))
                 (i32.const 131072))
               (i32.store
                 (i32.add (i32.const 2000008) (i32.mul (local.get $i) (i32.const 44)))
                 (i32.const 1048576))
               (i32.store8
                 (i32.add (i32.const 2000000) (i32.mul (local.get $i) (i32.const 44)))
                 (i32.const 1))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const {records}))))
             i32.const {at}"
        )
    };
    let alias = |records: u32| {
        let (guest, at) = guest().data(|data| data.words(&[0, 0, 0, 2_000_000, records]));
        guest.map(&body(at, records))
    };
    let over = format!("map gave more than 67108864 bytes at once; {AUTHOR}");
    assert_eq!(alias(100).map_error(), over);
    assert_eq!(alias(100_000).map_error(), over);
    let shown = shown();
    let fine = alias(10).plugin().map(&Settings::new(), &shown.view()).unwrap();
    assert_eq!(fine.diagnostics.len(), 10);
    assert_eq!(fine.diagnostics[0].message.len(), 4096);
    // more than anybody reads
    let (findings, at) = guest().data(|data| data.words(&[0, 0, 0, 131_072, 1_001]));
    let grown = format!("(drop (memory.grow (i32.const 10))) i32.const {at}");
    assert_eq!(
        findings.map(&grown).map_error(),
        format!("map gave more than 1000 findings; {AUTHOR}")
    );
    let (edits, at) = guest().data(|data| data.words(&[0, 131_072, 100_001, 0, 0]));
    let grown = format!("(drop (memory.grow (i32.const 100))) i32.const {at}");
    assert_eq!(
        edits.map(&grown).map_error(),
        format!("map gave more than 100000 changes; {AUTHOR}")
    );
}

#[test]
fn wild_results_are_refused() {
    for (body, says) in [
        ("i32.const 0x7ffffff0", "bounds"),
        ("i32.const 257", "aligned"),
        ("(i32.store8 (i32.const 256) (i32.const 9)) i32.const 256", "discriminant"),
    ] {
        let said = guest().map(body).map_error();
        assert!(said.starts_with("map ") && said.contains(says), "{said}");
    }
}

#[test]
fn a_trap_in_every_export() {
    let plugin = guest()
        .describe("unreachable")
        .exclude("unreachable")
        .process("unreachable")
        .map("unreachable")
        .check("unreachable")
        .plugin();
    let (settings, shown) = (Settings::new(), shown());
    let (image, config) = (shown.view(), RuntimeConfig::default());
    let package = strata_rpm::Package::new("a-1-1.noarch".parse().unwrap());
    let errors = [
        ("describe", plugin.describe().unwrap_err()),
        ("exclude", plugin.exclude(&settings, &package).unwrap_err()),
        ("process", plugin.process(&settings, &image).unwrap_err()),
        ("map", plugin.map(&settings, &image).unwrap_err()),
        ("check", plugin.check(&settings, &image, &config, &Annotations::new()).unwrap_err()),
    ];
    for (call, error) in errors {
        let trap = "stopped itself (`unreachable`: a panic or an abort)";
        assert_eq!(said(&error), format!("{call} {trap}; {AUTHOR}"));
        let details = error.details();
        assert!(details[0].starts_with(&format!("at {call} (0x")), "{details:?}");
    }
}

#[test]
fn panics_and_their_traces_are_shown() {
    let (guest, [at, length]) = guest().data(|data| data.text("panicked at src/lib.rs:3:1:\nno"));
    let guest = guest
        .module(
            r#"(import "strata:plugin/log@V" "write" (func $log (param i32 i32 i32)))
               (func $inner unreachable)"#,
        )
        .map(&format!(
            "(call $log (i32.const 0) (i32.const {at}) (i32.const {length}))
             (call $inner) unreachable"
        ));
    let shown = shown();
    let error = guest.plugin().map(&Settings::new(), &shown.view()).unwrap_err();
    assert_eq!(said(&error), format!("map panicked at src/lib.rs:3:1: no; {AUTHOR}"));
    let details = error.details();
    assert_eq!(details[0], "panicked at src/lib.rs:3:1: no");
    assert!(details[1].starts_with("at inner (0x") && details[2].starts_with("at map (0x"));
}

#[test]
fn out_of_bounds_is_said() {
    let body = "(drop (i32.load (i32.const 0x7fffffff))) unreachable";
    let said = guest().map(body).map_error();
    assert_eq!(said, format!("map accessed memory out of bounds; {AUTHOR}"));
    let said = guest().map("(drop (i32.div_u (i32.const 1) (i32.const 0))) unreachable");
    assert_eq!(said.map_error(), format!("map was stopped: integer divide by zero; {AUTHOR}"));
}

#[test]
fn the_log_is_bounded() {
    let (guest, at) = guest().data(|data| data.text("\u{1b}[31mred").map(|word| word as i32));
    let guest = guest
        .module(r#"(import "strata:plugin/log@V" "write" (func $log (param i32 i32 i32)))"#)
        .map(&format!(
            "(local $i i32)
             (call $log (i32.const 1) (i32.const {}) (i32.const {}))
             (call $log (i32.const 2) (i32.const 0) (i32.const 3))
             (loop $l
               (call $log (i32.const 1) (i32.const 0) (i32.const 60000))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $l (i32.lt_u (local.get $i) (i32.const 5000))))
             {EMPTY}",
            at[0], at[1]
        ));
    let shown = shown();
    let log = guest.plugin().map(&Settings::new(), &shown.view()).unwrap().log;
    assert_eq!(log.len(), 999, "a line of level `info` counts, but is not told");
    assert_eq!(log[0], "\\u{1b}[31mred");
    assert!(log.iter().all(|line| line.len() <= 4096));
}

#[test]
fn a_description_has_no_image() {
    let guest = guest()
        .module(r#"(import "strata:plugin/image@V" "name" (func $name (param i32)))"#)
        .describe("(call $name (i32.const 256)) unreachable")
        .exclude("(call $name (i32.const 256)) unreachable");
    let plugin = guest.plugin();
    let none = "asked for the image, which there is none of in this call";
    assert_eq!(said(&plugin.describe().unwrap_err()), format!("describe {none}; {AUTHOR}"));
    let package = strata_rpm::Package::new("a-1-1.noarch".parse().unwrap());
    let error = plugin.exclude(&Settings::new(), &package).unwrap_err();
    assert_eq!(said(&error), format!("exclude {none}; {AUTHOR}"));
}

#[test]
fn a_file_of_the_image_that_cannot_be_read_is_no_fault_of_the_plugin() {
    let (guest, [at, length]) = guest().data(|data| data.text("/lib/gone"));
    let guest = guest
        .module(r#"(import "strata:plugin/tree@V" "read" (func $read (param i32 i32 i32)))"#)
        .map(&format!(
            "(call $read (i32.const {at}) (i32.const {length}) (i32.const 256)) unreachable"
        ));
    assert_eq!(
        guest.map_error(),
        "cannot read `/lib/gone` of the image for the plugin: the package is gone"
    );
}
