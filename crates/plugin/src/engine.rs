//! The engine: everything that could make two runs differ is off.

use crate::limits;
use wasmtime::{Config, Engine, OperatorCost, Result};

pub(crate) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.max_wasm_stack(limits::STACK);
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    config.wasm_memory64(false);
    // a back trace costs nothing before something fails; lines would need debug information
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(20));
    // a third less time for compiling; what plugins do is over in a millisecond
    config.cranelift_opt_level(wasmtime::OptLevel::None);
    config.consume_fuel(true);
    let mut cost = OperatorCost::default();
    // each page that is grown is a page that the system has to clear
    cost.variable.memory_grow_per_page = u8::MAX;
    config.operator_cost(cost);
    Engine::new(&config)
}
