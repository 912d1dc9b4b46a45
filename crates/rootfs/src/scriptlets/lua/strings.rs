//! The parts of Lua's library that are ours because the real ones would not end, or would tell
//! addresses: they touch nothing but their arguments and the meter.

use super::{
    arguments::type_name,
    meter::Meter,
    order,
    patterns::{Capture, Match, Matcher, PatternError},
};
use mlua::{Lua, LuaString, MultiValue, Table, Value};
use std::rc::Rc;

/// Steps of a matcher that count as one.
const PER_STEP: u64 = 64;

/// The functions for the prelude, by name.
pub(super) fn install(lua: &Lua, meter: &Rc<Meter>, table: &Table) -> mlua::Result<()> {
    let own = Rc::clone(meter);
    let check = lua.create_function(move |_, problem: Value| {
        own.check()?;
        // a script that ran out of memory does not go on
        match problem {
            Value::String(text) if *text.as_bytes() == *b"not enough memory" => {
                Err(own.out_of_memory())
            }
            Value::Error(_) => Err(own.out_of_memory()),
            _ => Ok(()),
        }
    })?;
    table.raw_set("check", check)?;
    let own = Rc::clone(meter);
    let refuse = lua.create_function(move |_, name: LuaString| -> mlua::Result<()> {
        Err(own.refuse(name.to_string_lossy()))
    })?;
    table.raw_set("refuse", refuse)?;
    let own = Rc::clone(meter);
    let charge =
        lua.create_function(move |_, bytes: usize| own.charge(bytes as u64 / 4096, bytes))?;
    table.raw_set("charge", charge)?;
    let own = Rc::clone(meter);
    let plain = lua.create_function(move |_, values: MultiValue| {
        values.iter().try_for_each(|value| plain(&own, value))
    })?;
    table.raw_set("plain", plain)?;
    let own = Rc::clone(meter);
    let pairs = lua.create_function(move |lua, value: Value| {
        order::pairs(lua, &own, &value).map(MultiValue::from_iter)
    })?;
    table.raw_set("pairs", pairs)?;
    let own = Rc::clone(meter);
    let next = lua
        .create_function(move |_, (table, key): (Table, Value)| order::next(&own, &table, &key))?;
    table.raw_set("next", next)?;
    let own = Rc::clone(meter);
    let find = lua.create_function(
        move |lua,
              (subject, pattern, from, anchored, last): (
            LuaString,
            LuaString,
            usize,
            bool,
            Option<usize>,
        )| { find(lua, &own, &subject, &pattern, from, anchored, last) },
    )?;
    table.raw_set("find", find)?;
    let own = Rc::clone(meter);
    let search =
        lua.create_function(move |_, (subject, wanted, from): (LuaString, LuaString, usize)| {
            let (subject, wanted) = (subject.as_bytes(), wanted.as_bytes());
            own.charge((subject.len() as u64) / PER_STEP, 0)?;
            plain_search(&own, subject.get(from..).unwrap_or_default(), &wanted)
                .map(|at| at.map(|at| at + from))
        })?;
    table.raw_set("search", search)
}

/// Refuses what has no text but its address.
fn plain(meter: &Meter, value: &Value) -> mlua::Result<()> {
    let metatable = match value {
        Value::Table(table) => table.metatable(),
        Value::Function(_) | Value::Thread(_) => None,
        Value::UserData(_) | Value::LightUserData(_) => None,
        _ => return Ok(()),
    };
    let own = metatable.map(|table| table.raw_get::<Value>("__tostring")).transpose()?;
    if own.is_none_or(|own| own.is_nil()) {
        return Err(meter.refuse(format!("the text of a {}", type_name(value))));
    }
    Ok(())
}

fn plain_search(meter: &Meter, subject: &[u8], wanted: &[u8]) -> mlua::Result<Option<usize>> {
    if wanted.is_empty() {
        return Ok(Some(0));
    }
    let mut from = 0;
    while let Some(at) = subject[from..].iter().position(|b| *b == wanted[0]) {
        from += at;
        if subject[from..].starts_with(wanted) {
            return Ok(Some(from));
        }
        meter.charge(1 + wanted.len() as u64 / 256, 0)?;
        from += 1;
    }
    Ok(None)
}

/// A match as values: a message; start and end, from 0; its captures, the whole when it has none.
fn find(
    lua: &Lua,
    meter: &Meter,
    subject: &LuaString,
    pattern: &LuaString,
    from: usize,
    anchored: bool,
    last: Option<usize>,
) -> mlua::Result<MultiValue> {
    let (subject, pattern) = (subject.as_bytes(), pattern.as_bytes());
    let all = meter.budget().left.steps.saturating_mul(PER_STEP);
    let mut matcher = Matcher::new(&subject, &pattern, all);
    let result = matcher.find(from, anchored, last);
    meter.charge((all - matcher.steps) / PER_STEP + 1, 0)?;
    let mut out = MultiValue::new();
    match result {
        Ok(None) => {}
        Ok(Some(found)) => {
            out.push_back(Value::Nil);
            out.push_back(Value::Integer(integer(found.start)));
            out.push_back(Value::Integer(integer(found.end)));
            for value in captures(lua, &subject, &found)? {
                match value {
                    Ok(value) => out.push_back(value),
                    Err(text) => {
                        return Ok([Value::String(lua.create_string(text)?)].into_iter().collect());
                    }
                }
            }
        }
        Err(PatternError::Wrong(text)) => out.push_back(Value::String(lua.create_string(text)?)),
        // the budget says so
        Err(PatternError::Limit) => meter.charge(u64::MAX, 0)?,
    }
    Ok(out)
}

fn integer(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

type Captured = Result<Value, &'static str>;

fn captures(lua: &Lua, subject: &[u8], found: &Match) -> mlua::Result<Vec<Captured>> {
    let whole = [Capture::Part(found.start, found.end)];
    let all = if found.captures.is_empty() { &whole[..] } else { &found.captures };
    let value = |capture: &Capture| {
        Ok(match capture {
            Capture::Part(from, to) => Ok(Value::String(lua.create_string(&subject[*from..*to])?)),
            Capture::Position(at) => Ok(Value::Integer(integer(at + 1))),
            Capture::Open(_) => Err("unfinished capture"),
        })
    };
    all.iter().map(value).collect()
}
