//! Why a call ended, in words.

use crate::{
    PluginErrorKind, limits,
    state::{HostStop, State},
};
use wasmtime::{Trap, WasmBacktrace};

/// What the engine calls a result or argument above [`limits::OUTPUT`]; its type is private.
const TOO_MUCH: &str = "fuel allocated for hostcalls has been exhausted";

/// The cause of a failed call.
pub(crate) fn kind(call: &'static str, error: &wasmtime::Error, state: &State) -> PluginErrorKind {
    match error.downcast_ref::<HostStop>() {
        Some(HostStop::Work) => return PluginErrorKind::Work { call },
        Some(HostStop::NoImage) => return PluginErrorKind::NoImage { call },
        Some(HostStop::Read { path, reason }) => {
            return PluginErrorKind::Read { path: path.clone(), reason: reason.clone() };
        }
        None => {}
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => PluginErrorKind::Work { call },
        Some(Trap::StackOverflow) => PluginErrorKind::Stack { call },
        // whatever a guest does after that, it does for want of memory
        _ if state.limits.refused => PluginErrorKind::Memory { call },
        Some(Trap::UnreachableCodeReached) => {
            let message = state.log.error.clone().filter(|line| line.starts_with("panicked"));
            PluginErrorKind::Panic { call, message }
        }
        Some(
            Trap::MemoryOutOfBounds
            | Trap::TableOutOfBounds
            | Trap::ArrayOutOfBounds
            | Trap::StringOutOfBounds
            | Trap::ListOutOfBounds,
        ) => PluginErrorKind::OutOfBounds { call },
        Some(trap) => {
            let reason = trap.to_string();
            let reason = reason.strip_prefix("wasm trap: ").unwrap_or(&reason).to_owned();
            PluginErrorKind::Stopped { call, reason }
        }
        None => {
            let reason = error.root_cause().to_string();
            if reason.contains(TOO_MUCH) {
                let most = limits::OUTPUT;
                return PluginErrorKind::Output { call, most, what: "bytes at once" };
            }
            PluginErrorKind::Stopped { call, reason: crate::text::line(&reason) }
        }
    }
}

/// The last lines that were logged, then the functions that were running.
pub(crate) fn details(error: &wasmtime::Error, state: &State) -> Vec<String> {
    let mut details: Vec<String> = state.log.last.iter().cloned().collect();
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return details };
    for frame in trace.frames() {
        let place = frame.module_offset().map(|at| format!(" ({at:#x})")).unwrap_or_default();
        details.push(match frame.func_name() {
            Some(name) => format!("at {}{place}", crate::text::line(name)),
            None => format!("at function {}{place}", frame.func_index()),
        });
    }
    details
}
