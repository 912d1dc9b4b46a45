//! What bounds the language itself: instructions, and memory that is taken.
//!
//! The collector is stopped, so that the memory in use tells what was allocated, and a loop over
//! huge texts is as expensive as it is; every so often it is run by hand. A collection that Lua
//! does on its own means that the limit was hit.

use crate::scriptlets::{ScriptletError, limits::Budget, shell::Flow};
use mlua::{HookTriggers, Lua, Table, VmState};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Instructions between two looks.
const INTERVAL: u32 = 100;
/// Steps that these count as.
const STEPS: u64 = 2;
/// Bytes that a state may hold.
const MEMORY: usize = 32 << 20;
/// Bytes that may be taken between two collections.
const GARBAGE: usize = 6 << 20;

/// What is left, and whether the run is over.
pub(super) struct Meter {
    budget: Cell<Budget>,
    end: RefCell<Option<Flow>>,
    seen: Cell<usize>,
    live: Cell<usize>,
}

/// What the script gets instead of an error; it never sees its text.
pub(super) fn over() -> mlua::Error {
    mlua::Error::runtime("the scriptlet ends")
}

impl Meter {
    pub(super) fn new(budget: Budget) -> Rc<Self> {
        Rc::new(Self {
            budget: Cell::new(budget),
            end: RefCell::new(None),
            seen: Cell::new(0),
            live: Cell::new(0),
        })
    }

    pub(super) fn budget(&self) -> Budget {
        self.budget.get()
    }

    pub(super) fn set_budget(&self, budget: Budget) {
        self.budget.set(budget);
    }

    /// The end of the run, if it has come.
    pub(super) fn end(&self) -> Option<Flow> {
        self.end.borrow().clone()
    }

    /// Ends the run; the first reason counts.
    pub(super) fn stop(&self, flow: Flow) -> mlua::Error {
        self.end.borrow_mut().get_or_insert(flow);
        over()
    }

    pub(super) fn refuse(&self, construct: impl Into<String>) -> mlua::Error {
        self.stop(ScriptletError::unsupported(construct).into())
    }

    /// An error once the run is over.
    pub(super) fn check(&self) -> mlua::Result<()> {
        if self.end.borrow().is_some() { Err(over()) } else { Ok(()) }
    }

    pub(super) fn out_of_memory(&self) -> mlua::Error {
        self.stop(ScriptletError::Limit { what: "memory" }.into())
    }

    /// Takes from the budget.
    pub(super) fn charge(&self, steps: u64, bytes: usize) -> mlua::Result<()> {
        self.check()?;
        let mut budget = self.budget.get();
        let result = budget.steps(steps).and_then(|()| budget.bytes(bytes));
        self.budget.set(budget);
        result.map_err(|error| self.stop(error.into()))
    }

    /// Begins to watch a state.
    pub(super) fn watch(self: &Rc<Self>, lua: &Lua) -> mlua::Result<()> {
        lua.gc_collect()?;
        lua.gc_stop();
        lua.set_memory_limit(MEMORY)?;
        // a weak table whose only value lives until the next collection
        let canary = lua.create_table()?;
        let weak = lua.create_table()?;
        weak.raw_set("__mode", "v")?;
        canary.set_metatable(Some(weak))?;
        canary.raw_set(1, lua.create_table()?)?;
        self.seen.set(lua.used_memory());
        self.live.set(lua.used_memory());
        let meter = Rc::clone(self);
        let triggers = HookTriggers::new().every_nth_instruction(INTERVAL);
        lua.set_global_hook(triggers, move |lua, _| {
            meter.tick(lua, &canary)?;
            Ok(VmState::Continue)
        })
    }

    fn tick(&self, lua: &Lua, canary: &Table) -> mlua::Result<()> {
        let used = lua.used_memory();
        self.charge(STEPS, used.saturating_sub(self.seen.get()))?;
        if canary.raw_get::<mlua::Value>(1)?.is_nil() {
            return Err(self.out_of_memory());
        }
        self.seen.set(used);
        if used > self.live.get() + GARBAGE {
            lua.gc_collect()?;
            canary.raw_set(1, lua.create_table()?)?;
            let live = lua.used_memory();
            self.charge((live / 64) as u64, 0)?;
            self.live.set(live);
            self.seen.set(live);
        }
        Ok(())
    }
}
