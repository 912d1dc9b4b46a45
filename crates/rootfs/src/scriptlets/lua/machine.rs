//! A Lua state: libraries, limits, the prelude, and a run in it.

use super::{
    arguments::{Args, Out},
    host::{self, Failure, Host},
    meter::Meter,
    posix, rpm, strings,
};
use crate::scriptlets::{ScriptletError, shell::Flow};
use mlua::{Function, Lua, LuaOptions, MultiValue, StdLib, Value};
use std::{cell::RefCell, rc::Rc};
use strata_rpm::ScriptletKind;

/// Makes the environment of scripts from Lua's libraries and ours.
const PRELUDE: &str = include_str!("prelude.lua");

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// At the end of the script.
    Returned,
    /// With an error: the message as rpm writes it.
    Failed(Vec<u8>),
    /// With `exec` or `exit`.
    Exited(i32),
}

/// The number of a host function.
pub(super) fn index_of(group: &str, name: &str) -> usize {
    let mut all = host::functions();
    all.position(|(own, other, _)| own == group && other == name).unwrap_or(usize::MAX)
}

/// Runs the script of the task in a state of its own, as the process that the host has now.
pub(super) fn run(host: &mut Host<'_>) -> Result<Ending, ScriptletError> {
    let meter = Meter::new(host.shell.budget);
    let result = state().and_then(|lua| {
        let result = run_in(&lua, &meter, host);
        lua.remove_global_hook();
        result
    });
    host.shell.budget = meter.budget();
    match (meter.end(), result) {
        (Some(Flow::Fatal(error)), _) => Err(error),
        (Some(Flow::Exit(status)), _) => Ok(Ending::Exited(status)),
        (_, Ok(ending)) => Ok(ending),
        // all errors of scripts are values; what is left is memory
        (_, Err(_)) => Err(ScriptletError::Limit { what: "memory" }),
    }
}

fn state() -> mlua::Result<Lua> {
    let libraries =
        StdLib::COROUTINE | StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH;
    Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))
}

fn run_in(lua: &Lua, meter: &Rc<Meter>, host: &mut Host<'_>) -> mlua::Result<Ending> {
    let task = host.shell.task;
    let cell = RefCell::new(host);
    lua.scope(|scope| {
        let table = lua.create_table()?;
        for (index, (group, name, function)) in host::functions().enumerate() {
            let (cell, meter) = (&cell, Rc::clone(meter));
            let callback = scope.create_function(move |lua, values: MultiValue| {
                meter.check()?;
                let args = Args::new(lua, name, values)?;
                let mut host = cell.try_borrow_mut().map_err(|_| super::meter::over())?;
                host.shell.budget = meter.budget();
                let answer = host.call(index, function, &args);
                meter.set_budget(host.shell.budget);
                match answer {
                    Ok(values) => values_of(lua, values),
                    Err(Failure::Raise(message)) => {
                        Ok([Value::String(lua.create_string(message)?)].into_iter().collect())
                    }
                    Err(Failure::End(flow)) => Err(meter.stop(located(lua, flow))),
                }
            })?;
            if !table.contains_key(group)? {
                table.raw_set(group, lua.create_table()?)?;
            }
            table.raw_get::<mlua::Table>(group)?.raw_set(name, callback)?;
        }
        strings::install(lua, meter, &table)?;
        for (name, list) in [("no_posix", posix::UNSUPPORTED), ("no_rpm", rpm::UNSUPPORTED)] {
            table.raw_set(name, lua.create_sequence_from(list.iter().copied())?)?;
        }
        table.raw_set("has_files", rpm::has_files(task.kind))?;
        let prelude = lua.load(PRELUDE).set_name("=prelude").set_mode(mlua::chunk::ChunkMode::Text);
        let start: Function = prelude.call(table)?;
        meter.watch(lua)?;
        let (script, arguments) = script(task);
        meter.charge(script.len() as u64 / 64, script.len())?;
        let (kind, message): (String, Option<mlua::LuaString>) =
            start.call((lua.create_string(script)?, chunk_name(task.kind), arguments))?;
        let message = message.map_or_else(|| b"(null)".to_vec(), |text| text.as_bytes().to_vec());
        Ok(match kind.as_str() {
            "done" => Ending::Returned,
            "syntax" => Ending::Failed([b"invalid syntax in lua script: ", &*message].concat()),
            _ => Ending::Failed([b"lua script failed: ", &*message].concat()),
        })
    })
}

/// The message, which is none, and the values.
fn values_of(lua: &Lua, values: Vec<Out>) -> mlua::Result<MultiValue> {
    let mut out = MultiValue::new();
    out.push_back(Value::Nil);
    for value in values {
        out.push_back(value.into_value(lua)?);
    }
    Ok(out)
}

/// An error with the line of the script that called.
fn located(lua: &Lua, flow: Flow) -> Flow {
    let Flow::Fatal(error) = flow else { return flow };
    let line = (0..16).find_map(|level| {
        lua.inspect_stack(level, |debug| {
            let of_script = debug.source().source.is_some_and(|name| name.starts_with("%"));
            debug.current_line().filter(|_| of_script)
        })
        .flatten()
    });
    Flow::Fatal(error.at(line.unwrap_or(0)))
}

/// The text as rpm gives it to Lua, and `arg`.
fn script(task: &crate::scriptlets::ScriptletTask<'_>) -> (String, Vec<String>) {
    let mut script = "local opt, arg = ...;".to_owned();
    for (index, _) in task.arguments.iter().take(2).enumerate() {
        let index = index + 2;
        script += &format!("arg[{index}] = tonumber(arg[{index}]);");
    }
    script += task.body;
    let mut arguments = task.program.to_vec();
    arguments.extend(task.arguments.iter().cloned());
    (script, arguments)
}

/// rpm names the chunk after the scriptlet and its package.
fn chunk_name(kind: ScriptletKind) -> &'static str {
    match kind {
        ScriptletKind::PreTrans => "%pretrans",
        ScriptletKind::Pre => "%pre",
        ScriptletKind::Post => "%post",
        ScriptletKind::PostTrans => "%posttrans",
        ScriptletKind::PreUn => "%preun",
        ScriptletKind::PostUn => "%postun",
        ScriptletKind::PreUnTrans => "%preuntrans",
        ScriptletKind::PostUnTrans => "%postuntrans",
        ScriptletKind::Verify => "%verify",
        ScriptletKind::Trigger => "%triggerin",
        ScriptletKind::FileTrigger => "%filetriggerin",
        ScriptletKind::TransFileTrigger => "%transfiletriggerin",
    }
}
