//! Tells what the plugin does: `sdk::log::info!("{count} units")`.
//!
//! Natively, lines go to standard error.

use crate::bindings::imports::strata::plugin::log;

pub use crate::{
    __log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn,
};
pub use log::Level;

/// Writes a line at a level.
pub fn write(level: Level, message: &str) {
    if cfg!(target_arch = "wasm32") {
        log::write(level, message);
    } else {
        native(level, message);
    }
}

#[allow(clippy::print_stderr, reason = "what a native test shows when it fails")]
fn native(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}

/// Something is wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_error {
    ($($argument:tt)+) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($argument)+)) };
}

/// Something may be wrong.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_warn {
    ($($argument:tt)+) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($argument)+)) };
}

/// What is done.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_info {
    ($($argument:tt)+) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($argument)+)) };
}

/// How it is done.
#[doc(hidden)]
#[macro_export]
macro_rules! __log_debug {
    ($($argument:tt)+) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($argument)+)) };
}
