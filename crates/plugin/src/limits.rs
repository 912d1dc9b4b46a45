//! What one call of a plugin may use. None of it is measured by a clock: a plugin that ends on one
//! machine ends on every machine.

/// Instructions of the guest, about; copying a byte counts as one, too. A loop that does nothing
/// is stopped after two to five seconds.
pub const FUEL: u64 = 6_000_000_000;

/// What host functions may do for one call: a unit is a byte that is handed over.
pub const HOST_WORK: u64 = 4_000_000_000;

/// What a call of a host function costs of [`HOST_WORK`] beside the bytes.
pub const HOST_CALL: u64 = 1_000;

/// What a step on the way to a path costs of [`HOST_WORK`]: a component, a look-up in the tree, or 64
/// bytes of a path that was looked up.
pub const HOST_STEP: u64 = 200;

/// Bytes of all linear memories together.
pub const MEMORY: usize = 256 << 20;

/// Elements of all tables together.
pub const TABLE_ELEMENTS: usize = 1_000_000;

/// Instances of modules, those of components, and tables. What a component instantiates is counted
/// before it is compiled, with all that this instantiates.
pub const INSTANCES: usize = 200;

/// Linear memories.
pub const MEMORIES: usize = 64;

/// Bytes of WebAssembly stack.
pub const STACK: usize = 512 << 10;

/// Bytes that the host allocates for one result or one argument of a host function.
pub const OUTPUT: usize = 64 << 20;

/// Changes of the tree or the configuration.
pub const EDITS: usize = 100_000;

/// Findings.
pub const DIAGNOSTICS: usize = 1_000;

/// Bytes of a message, hint or log line; what is longer is cut.
pub const LINE: usize = 4 << 10;

/// Log lines.
pub const LOG_LINES: usize = 1_000;

/// Bytes of a file that `tree.read` returns.
pub const FILE: u64 = 16 << 20;

/// Bytes of a path, and of one name in it.
pub const PATH: usize = 4095;

/// Bytes of one name in a path.
pub const NAME: usize = 255;

/// Bytes of a component.
pub const COMPONENT: usize = 64 << 20;

/// Bytes of all functions of a component. Of interpreters in WebAssembly, Python's and
/// JavaScript's have less than half of that.
pub const CODE: usize = 32 << 20;

/// Functions of a component.
pub const FUNCTIONS: usize = 250_000;

/// Bytes of one function: some steps of compiling take more than twice the time for twice as many.
pub const FUNCTION: usize = 1 << 20;

/// Imports, exports, aliases, types and adapters of all instances of components together.
pub const ITEMS: usize = 100_000;
