//! Which plugins an image has: from the overlay, and from `--plugin REF[:k=v,…]`.

use super::{ImageName, Overlay, PluginUse, Selector};
use crate::{Located, Place, Source, SpecError, error::Problem, shape::Cursor, value::short};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, ops::Range};

/// The name under which errors show such an expression.
const NAME: &str = "--plugin";

const HOW: &str = "write NAME:SETTING=VALUE,SETTING=VALUE, for example systemd:unit=nginx.service; a setting with several values is repeated";

/// Reads `REF[:k=v,…]`: settings follow the last `:` before the last `=`. `true`, `false` and whole
/// numbers are what JSON makes of them, anything else is text; a repeated key becomes a list.
pub fn parse_plugin(expression: &str) -> Result<PluginUse, SpecError> {
    let source = Source::expression(NAME, expression);
    let place = |span: Range<usize>| Place::new(&source, span, "");
    if expression.len() > crate::parse::LARGEST {
        let limit = crate::parse::LARGEST;
        return Err(place(0..0).error(Problem::TooLarge { limit }));
    }
    let colon = expression
        .rfind('=')
        .and_then(|equals| expression.get(..equals))
        .and_then(|before| before.rfind(':'));
    let reference = expression.get(..colon.unwrap_or(expression.len())).unwrap_or("");
    if reference.is_empty() {
        return Err(place(0..expression.len())
            .error(Problem::invalid_hint("there is no plugin in this", HOW)));
    }
    let mut config: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    if let Some(colon) = colon {
        let mut start = colon + 1;
        for part in expression.get(start..).unwrap_or("").split(',') {
            let span = start..start + part.len();
            start = span.end + 1;
            match part.split_once('=') {
                Some((key, value)) if !key.is_empty() => {
                    config.entry(key.to_owned()).or_default().push(scalar(value));
                }
                _ => {
                    let why = format!("{:?} is not of the form SETTING=VALUE", short(part));
                    return Err(place(span).error(Problem::invalid_hint(why, HOW)));
                }
            }
        }
    }
    let one = |mut values: Vec<Value>| match values.len() {
        1 => values.remove(0),
        _ => Value::Array(values),
    };
    let config: Map<String, Value> =
        config.into_iter().map(|(key, values)| (key, one(values))).collect();
    let used = PluginUse {
        reference: Located::new(reference.to_owned(), place(0..reference.len())),
        config: Value::Object(config),
    };
    used.check_supported()?;
    Ok(used)
}

fn scalar(text: &str) -> Value {
    match (text, text.parse::<i64>()) {
        ("true", _) => Value::Bool(true),
        ("false", _) => Value::Bool(false),
        // `007` and `+7` are not numbers for anybody who looks at them again
        (_, Ok(number)) if number.to_string() == text => number.into(),
        _ => Value::String(text.to_owned()),
    }
}

/// Reads a list of plugins.
pub(super) fn read(list: &Cursor<'_>) -> Result<Vec<PluginUse>, SpecError> {
    let mut uses: Vec<PluginUse> = Vec::new();
    for at in list.items() {
        let used = plugin(&at)?;
        let name = &used.reference.value;
        if let Some(first) = uses.iter().find(|first| first.reference.value == *name) {
            let line = first.reference.place.line();
            return Err(used.reference.place.error(Problem::invalid_hint(
                format!("the plugin {:?} is given twice; the first is on line {line}", short(name)),
                "a plugin runs once for an image: put all settings into one place",
            )));
        }
        uses.push(used);
    }
    Ok(uses)
}

fn plugin(at: &Cursor<'_>) -> Result<PluginUse, SpecError> {
    let empty = || Value::Object(Map::new());
    let reference = at.get("plugin").unwrap_or_else(|| at.clone());
    let config = at.get("config").map_or_else(empty, |at| at.node.to_json());
    Ok(PluginUse { reference: crate::compose::text(&reference)?, config })
}

impl Overlay {
    /// The image's plugins in the order they run: those for all images, then its own. One that is
    /// named in both keeps its place and gets the image's own settings.
    pub fn plugins(&self, image: &ImageName) -> Vec<&PluginUse> {
        let one = Selector::One(image.clone());
        let parts = [self.plugins.get(&Selector::All), self.plugins.get(&one)];
        let uses = parts.into_iter().flatten().flatten().map(|used| (used, ()));
        stack_plugins(uses).into_iter().map(|(used, ())| used).collect()
    }
}

impl PluginUse {
    /// Whether the plugin is a file whose path counts from somewhere.
    pub fn is_relative_path(&self) -> bool {
        let reference = &self.reference.value;
        reference.ends_with(".wasm") && std::path::Path::new(reference).is_relative()
    }
}

/// Puts uses in order, the weakest first: a plugin that occurs again takes the settings of the
/// stronger use, at the place of the weaker one. With each use comes what its path counts from: the
/// same path from elsewhere is another plugin.
pub fn stack_plugins<'a, B: PartialEq>(
    uses: impl IntoIterator<Item = (&'a PluginUse, B)>,
) -> Vec<(&'a PluginUse, B)> {
    let mut stacked: Vec<(&PluginUse, B)> = Vec::new();
    for (used, base) in uses {
        let same = |(weaker, from): &&mut (&PluginUse, B)| {
            weaker.reference.value == used.reference.value
                && (!used.is_relative_path() || *from == base)
        };
        match stacked.iter_mut().find(same) {
            Some(weaker) => *weaker = (used, base),
            None => stacked.push((used, base)),
        }
    }
    stacked
}
