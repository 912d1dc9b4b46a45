//! What hostile input must not do, one function a kind of input.
//!
//! A target takes bytes that a stranger made and hands them to the code that would meet them. It
//! asserts what must hold whatever they are: no panic, no path outside the tree, no more memory
//! than [`Target::memory`]. The same functions run in the test suite, on their seeds and on a few
//! mutations of them, and under a fuzzer that looks for inputs which reach new code
//! (`cargo xtask fuzz`).

pub mod dictionary;
pub mod inside;
pub mod mutate;
pub mod seeds;
mod targets;

pub use targets::{TARGETS, Target, target};

use cap::Cap;
use std::alloc::System;

/// Counts what is allocated, by Rust code alone: what the decompressors' C libraries take is bounded
/// by their own settings.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// More than this is refused to any target, which ends the process: allocations out of all
/// proportion succeed on many hosts as long as nobody writes to them.
const HARD_LIMIT: usize = 4 << 30;

/// Runs a target on an input, and looks at the most that was allocated at a time.
///
/// The peak is that of the process so far. It is exact as long as no target with a larger bound
/// came before.
///
/// # Panics
/// When the input did what it must not.
pub fn check(target: &Target, input: &[u8]) {
    let input = input.get(..target.longest).unwrap_or(input);
    let (before, peak) = (ALLOCATOR.allocated(), ALLOCATOR.max_allocated());
    // before the first allocation of that size; fails only if more is in use already
    let _ = ALLOCATOR.set_limit(HARD_LIMIT);
    (target.run)(input);
    let after = ALLOCATOR.max_allocated();
    let used = after.saturating_sub(before);
    assert!(
        after == peak || used <= target.memory,
        "{}: {used} bytes were in use at a time, {} are allowed",
        target.name,
        target.memory
    );
}
