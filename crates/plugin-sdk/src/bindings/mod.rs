//! What is generated from `wit/`: the calls into the host, and a module for each exported
//! interface. `cargo xtask bindings` writes the files beside this one.

// The generated modules refer to one another by these paths, and their macros are used by
// `export!` in the plugin's crate.
#![allow(missing_docs, unsafe_code, unused_qualifications, reason = "generated")]
#![allow(clippy::restriction, reason = "generated")]

#[rustfmt::skip]
pub mod about;
#[rustfmt::skip]
pub mod checker;
#[rustfmt::skip]
pub mod filter;
#[rustfmt::skip]
pub mod imports;
#[rustfmt::skip]
pub mod mapper;
#[rustfmt::skip]
pub mod processor;
