//! Lua scriptlets, as rpm runs them inside its own process: Lua 5.4 with rpm's `rpm` and `posix`
//! tables, on the tree.
//!
//! The language itself is the real one. All that reaches outside it is ours: functions that touch
//! files, programs or the environment are a fixed table of [`host`] functions on the same file
//! system, budget and commands as the shell. What a function gives back is written down, which is
//! how `posix.fork` works without processes: the child is a second state that runs the script
//! from its beginning with the noted answers, up to the fork, and goes on from there for real, up
//! to its `exec` or `exit`; then the parent goes on. So a child has done all it does before its
//! parent's next step.
//!
//! Nothing may depend on addresses, hash seeds or the clock: `pairs` and `next` go by the order of
//! the keys, tables have no texts, and `math.random` needs a seed.
//!
//! Facts: rpm 4.18 `rpmio/rpmlua.c`, `rpmio/lposix.c`, `lib/rpmscript.c`; the Lua 5.4 manual.

mod accounts;
mod arguments;
mod errno;
mod files;
mod host;
mod input;
mod machine;
mod macros;
mod meter;
mod mode;
mod order;
mod patterns;
mod posix;
mod process;
mod rpm;
mod stat;
mod strings;
#[cfg(test)]
mod tests;

use super::{Effects, ScriptletError, ScriptletTask};
use host::Host;
use machine::Ending;

/// Runs a scriptlet of the program `<lua>`.
pub(super) fn run(task: &ScriptletTask<'_>) -> Result<Effects, ScriptletError> {
    let (mut host, output) = Host::new(task);
    let ending = machine::run(&mut host)?;
    host.flush()?;
    let status = match ending {
        Ending::Returned => 0,
        Ending::Exited(status) => status,
        Ending::Failed(message) => {
            host.complain(&message)?;
            1
        }
    };
    host.shell.finish(&output, status)
}
