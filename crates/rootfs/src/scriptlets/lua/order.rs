//! The order of keys. Lua's own goes by hashes with a seed of addresses and time; ours is
//! numbers, then texts, then truth values.

use super::{arguments::type_name, meter::Meter};
use mlua::{Lua, Table, Value};
use std::cmp::Ordering;

/// The keys in order. More than one key of a type without an order has none.
fn keys(table: &Table, meter: &Meter) -> mlua::Result<Vec<Value>> {
    let mut keys = Vec::new();
    let mut unordered = 0;
    for pair in table.pairs::<Value, Value>() {
        let (key, _) = pair?;
        if keys.len() % 64 == 0 {
            meter.charge(8, 64 * 48)?;
        }
        unordered += u32::from(rank(&key) == 3);
        keys.push(key);
    }
    if unordered > 1 {
        return Err(meter.refuse("pairs over tables or functions as keys"));
    }
    keys.sort_by(order);
    Ok(keys)
}

fn rank(key: &Value) -> u8 {
    match key {
        Value::Integer(_) | Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Boolean(_) => 2,
        _ => 3,
    }
}

#[allow(clippy::cast_precision_loss, reason = "numbers that are close are told apart below")]
fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => one.cmp(other),
        (Value::Integer(one), Value::Number(other)) => {
            (*one as f64).total_cmp(other).then(Ordering::Less)
        }
        (Value::Number(one), Value::Integer(other)) => {
            one.total_cmp(&(*other as f64)).then(Ordering::Greater)
        }
        (Value::Number(one), Value::Number(other)) => one.total_cmp(other),
        (Value::String(one), Value::String(other)) => (*one.as_bytes()).cmp(&*other.as_bytes()),
        (Value::Boolean(one), Value::Boolean(other)) => one.cmp(other),
        _ => rank(one).cmp(&rank(other)),
    }
}

/// What `pairs` goes by: a function of the value's own (`__pairs`), or a list of keys, or a
/// message.
pub(super) fn pairs(lua: &Lua, meter: &Meter, value: &Value) -> mlua::Result<[Value; 3]> {
    let metatable = match value {
        Value::Table(table) => table.metatable(),
        _ => None,
    };
    if let Some(metatable) = metatable {
        let own: Value = metatable.raw_get("__pairs")?;
        if !own.is_nil() {
            return Ok([Value::Nil, own, Value::Nil]);
        }
    }
    let Value::Table(table) = value else {
        let found = if value.is_nil() { "nil" } else { type_name(value) };
        let text = format!("bad argument #1 to 'for iterator' (table expected, got {found})");
        return Ok([Value::String(lua.create_string(text)?), Value::Nil, Value::Nil]);
    };
    let list = lua.create_sequence_from(keys(table, meter)?)?;
    Ok([Value::Nil, Value::Nil, Value::Table(list)])
}

/// The key after one, nil after the last.
pub(super) fn next(meter: &Meter, table: &Table, key: &Value) -> mlua::Result<Value> {
    if key.is_nil() && table.is_empty() {
        return Ok(Value::Nil);
    }
    let (mut best, mut unordered) = (Value::Nil, 0);
    for (count, pair) in table.pairs::<Value, Value>().enumerate() {
        let (other, _) = pair?;
        if count % 64 == 0 {
            meter.charge(16, 0)?;
        }
        unordered += u32::from(rank(&other) == 3);
        let after = key.is_nil() || order(key, &other) == Ordering::Less;
        if after && (best.is_nil() || order(&other, &best) == Ordering::Less) {
            best = other;
        }
    }
    if unordered > 1 {
        return Err(meter.refuse("next over tables or functions as keys"));
    }
    Ok(best)
}
