//! What scripts give to host functions, and what they get back.

use super::host::Failure;
use mlua::{IntoLua, Lua, MultiValue, Value};

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Arg {
    Nil,
    Boolean(bool),
    /// With the text that Lua makes of it.
    Number {
        value: f64,
        integer: Option<i64>,
        text: Vec<u8>,
    },
    Text(Vec<u8>),
    /// A table, a function: the name of its type.
    Other(&'static str),
}

/// The arguments of a call, counted from 1 as in Lua.
#[derive(Debug, Clone)]
pub(super) struct Args {
    function: &'static str,
    values: Vec<Arg>,
}

/// A value for the script.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Out {
    Nil,
    Boolean(bool),
    Integer(i64),
    /// What rpm gives as `lua_pushnumber`: a float, `0.0`.
    Number(f64),
    Text(Vec<u8>),
    List(Vec<Out>),
    Record(Vec<(String, Out)>),
}

impl Args {
    pub(super) fn new(lua: &Lua, function: &'static str, values: MultiValue) -> mlua::Result<Self> {
        let values = values.into_iter().map(|value| Arg::new(lua, value)).collect::<Result<_, _>>();
        Ok(Self { function, values: values? })
    }

    /// Bytes of all texts.
    pub(super) fn size(&self) -> usize {
        let size = |arg: &Arg| match arg {
            Arg::Text(text) | Arg::Number { text, .. } => text.len(),
            _ => 0,
        };
        self.values.iter().map(size).sum()
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Arg> {
        self.values.get(index.checked_sub(1)?)
    }

    /// Not given, or nil.
    pub(super) fn is_nothing(&self, index: usize) -> bool {
        matches!(self.get(index), None | Some(Arg::Nil))
    }

    /// A failure of an argument, in the words of Lua's own functions.
    pub(super) fn wrong(&self, index: usize, why: &str) -> Failure {
        Failure::raise(format!("bad argument #{index} to '{}' ({why})", self.function))
    }

    pub(super) fn not(&self, index: usize, wanted: &str) -> Failure {
        let found = match self.get(index) {
            None => "no value",
            Some(Arg::Nil) => "nil",
            Some(Arg::Boolean(_)) => "boolean",
            Some(Arg::Number { .. }) => "number",
            Some(Arg::Text(_)) => "string",
            Some(Arg::Other(name)) => name,
        };
        self.wrong(index, &format!("{wanted} expected, got {found}"))
    }

    /// A text; numbers are texts too.
    pub(super) fn text(&self, index: usize) -> Result<&[u8], Failure> {
        match self.get(index) {
            Some(Arg::Text(text) | Arg::Number { text, .. }) => Ok(text),
            _ => Err(self.not(index, "string")),
        }
    }

    pub(super) fn text_or<'t>(
        &'t self,
        index: usize,
        default: &'t [u8],
    ) -> Result<&'t [u8], Failure> {
        if self.is_nothing(index) { Ok(default) } else { self.text(index) }
    }

    /// A text for what takes UTF-8 only.
    pub(super) fn string(&self, index: usize) -> Result<String, Failure> {
        let text = self.text(index)?;
        let text = str::from_utf8(text);
        text.map(str::to_owned).map_err(|_| Failure::unsupported("text that is not UTF-8"))
    }

    pub(super) fn number(&self, index: usize) -> Result<f64, Failure> {
        match self.get(index) {
            Some(Arg::Number { value, .. }) => Ok(*value),
            Some(Arg::Text(text)) => number(text).ok_or_else(|| self.not(index, "number")),
            _ => Err(self.not(index, "number")),
        }
    }

    pub(super) fn integer(&self, index: usize) -> Result<i64, Failure> {
        let exact = match self.get(index) {
            Some(Arg::Number { integer, .. }) => *integer,
            _ => whole(self.number(index)?),
        };
        exact.ok_or_else(|| self.wrong(index, "number has no integer representation"))
    }

    pub(super) fn integer_or(&self, index: usize, default: i64) -> Result<i64, Failure> {
        if self.is_nothing(index) { Ok(default) } else { self.integer(index) }
    }

    /// All texts from one on.
    pub(super) fn strings(&self, first: usize) -> Result<Vec<String>, Failure> {
        (first..=self.len()).map(|index| self.string(index)).collect()
    }
}

fn number(text: &[u8]) -> Option<f64> {
    str::from_utf8(text).ok()?.trim().parse().ok()
}

#[allow(clippy::cast_possible_truncation, reason = "checked")]
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

impl Arg {
    #[allow(clippy::cast_precision_loss, reason = "as Lua does")]
    fn new(lua: &Lua, value: Value) -> mlua::Result<Self> {
        let (number, integer) = match &value {
            Value::Nil => return Ok(Self::Nil),
            Value::Boolean(value) => return Ok(Self::Boolean(*value)),
            Value::String(text) => return Ok(Self::Text(text.as_bytes().to_vec())),
            Value::Integer(integer) => (*integer as f64, Some(*integer)),
            Value::Number(number) => (*number, whole(*number)),
            other => return Ok(Self::Other(type_name(other))),
        };
        let text = lua.coerce_string(value)?.map(|text| text.as_bytes().to_vec());
        Ok(Self::Number { value: number, integer, text: text.unwrap_or_default() })
    }
}

/// The name of a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}

impl Out {
    pub(super) fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Text(text.as_ref().to_vec())
    }

    /// Bytes of all texts in it, and something for each value.
    pub(super) fn size(&self) -> usize {
        8 + match self {
            Self::Text(text) => text.len(),
            Self::List(list) => list.iter().map(Self::size).sum(),
            Self::Record(fields) => fields.iter().map(|(name, out)| name.len() + out.size()).sum(),
            _ => 0,
        }
    }

    pub(super) fn into_value(self, lua: &Lua) -> mlua::Result<Value> {
        Ok(match self {
            Self::Nil => Value::Nil,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(text) => Value::String(lua.create_string(text)?),
            Self::List(list) => {
                let table = lua.create_table()?;
                for (index, out) in (1..).zip(list) {
                    table.raw_set(index, out.into_value(lua)?)?;
                }
                table.into_lua(lua)?
            }
            Self::Record(fields) => {
                let table = lua.create_table()?;
                for (name, out) in fields {
                    table.raw_set(name, out.into_value(lua)?)?;
                }
                table.into_lua(lua)?
            }
        })
    }
}
