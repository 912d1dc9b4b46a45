//! The fuzzer: libFuzzer around the target that `STRATA_FUZZ_TARGET` names.

#![no_main]

use std::sync::LazyLock;
use strata_fuzz::{Target, check, target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("STRATA_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| panic!("no target `{name}`"))
});

libfuzzer_sys::fuzz_target!(
    init: {
        LazyLock::force(&TARGET);
        quiet_parser();
    },
    |bytes: &[u8]| check(&TARGET, bytes)
);

/// libFuzzer's own hook ends the process at every panic. Those of the shell's parser are caught,
/// because the parser is not ours: only a panic that comes out of a target counts.
fn quiet_parser() {
    let _ = std::panic::take_hook();
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map(|location| location.file()).unwrap_or_default();
        if !file.contains("brush-parser") && !file.contains("/peg") {
            print(panic);
        }
    }));
}
