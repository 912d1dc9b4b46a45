//! Components that mean harm, each with what its failure has to say.

#![allow(dead_code, reason = "no test file needs all of it")]

use super::component::{EMPTY, Wat, words};

/// A component, and parts of the message of its failure.
pub struct Hostile {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub says: &'static [&'static str],
}

/// All of them.
pub fn hostile() -> Vec<Hostile> {
    let one = |name, component: &Wat, says| Hostile { name, bytes: component.build(), says };
    let empty = format!("i32.const {EMPTY}");
    let fine = Wat::new().map(&empty).build();
    vec![
        one(
            "loop",
            &Wat::new().map(&format!("(loop $again (br $again)) {empty}")),
            &["map did not finish within its limit of work"],
        ),
        one(
            "recursion",
            &Wat::new().map(&format!("(drop (call $deeper (i32.const 0))) {empty}")).module(
                "(func $deeper (param i32) (result i32)
                   (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))",
            ),
            &["overflowed its stack"],
        ),
        one(
            "memory",
            &Wat::new().map(
                "(loop $more
                   (if (i32.eq (memory.grow (i32.const 256)) (i32.const -1)) (then unreachable))
                   (br $more))
                 unreachable",
            ),
            &["more memory than the limit"],
        ),
        one("output", &huge_output(), &["gave more than"]),
        one("forged-parent", &forged("/../../../tmp/strata-was-here"), &["strata-was-here"]),
        one("forged-relative", &forged("tmp/strata-was-here"), &["strata-was-here"]),
        one("forged-empty", &forged("/tmp//strata-was-here"), &["strata-was-here"]),
        one(
            "forged-file",
            &Wat::new()
                .exclude("i32.const 1024")
                .module(&words(1024, &[0, 1100, 1]))
                .module(&words(1100, &[9_999])),
            &["9999"],
        ),
        one("trap", &Wat::new().map("unreachable"), &["unreachable"]),
        one(
            "trap-everywhere",
            &Wat::new()
                .describe("unreachable")
                .map("unreachable")
                .process("unreachable")
                .exclude("unreachable")
                .check("unreachable"),
            &["unreachable"],
        ),
        one("wild-answer", &Wat::new().map("i32.const 0x7ffffff0"), &[]),
        one(
            "wasi",
            &Wat::new().map(&empty).outer(
                r#"(import "wasi:cli/environment@0.2.0" (instance
                     (export "get-environment" (func (result (list (tuple string string)))))))"#,
            ),
            &["wasi:cli/environment"],
        ),
        one(
            "newer",
            &Wat::new().version("0.9.0").map(&empty),
            &["it needs plugin API 0.9.0, this strata has 0.1.0"],
        ),
        one("no-role", &Wat::new(), &["no role"]),
        Hostile {
            name: "core-module",
            bytes: wat::parse_str("(module)").unwrap_or_else(|error| panic!("{error}")),
            says: &["core WebAssembly module"],
        },
        Hostile {
            name: "truncated",
            bytes: fine.get(..fine.len() / 2).unwrap_or_default().to_vec(),
            says: &["damaged or cut short"],
        },
        Hostile {
            name: "text",
            bytes: b"#!/bin/sh\n".to_vec(),
            says: &["not a WebAssembly component"],
        },
        Hostile { name: "nothing", bytes: Vec::new(), says: &["not a WebAssembly component"] },
    ]
}

/// 4096 labels whose values are one MiB each, all of them the same.
fn huge_output() -> Wat {
    Wat::new()
        .map(
            "(local $at i32)
             (drop (memory.grow (i32.const 32)))
             (loop $next
               (i32.store8 (i32.add (i32.const 8192) (local.get $at)) (i32.const 8))
               (i32.store (i32.add (i32.const 8200) (local.get $at)) (i32.const 1))
               (i32.store (i32.add (i32.const 8208) (local.get $at)) (i32.const 0x100000))
               (local.set $at (i32.add (local.get $at) (i32.const 40)))
               (br_if $next (i32.lt_u (local.get $at) (i32.const 163840))))
             i32.const 1024",
        )
        .module(&words(1024, &[0, 8192, 4096, 0, 0]))
}

/// A post-processor that writes a link to a path.
fn forged(path: &str) -> Wat {
    Wat::new()
        .process("i32.const 1024")
        .module(&words(1024, &[0, 1100, 1, 0, 0]))
        .module(&words(1100, &[2, 2048, path.len() as u32, 2048, 1]))
        .module(&format!(r#"(data (i32.const 2048) "{path}")"#))
}

/// A post-processor that removes a path.
pub fn removes(path: &str) -> Vec<u8> {
    Wat::new()
        .process("i32.const 1024")
        .module(&words(1024, &[0, 1100, 1, 0, 0]))
        .module(&words(1100, &[4, 2048, path.len() as u32]))
        .module(&format!(r#"(data (i32.const 2048) "{path}")"#))
        .build()
}
