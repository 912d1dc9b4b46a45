//! `--set KEY=VALUE`: an overlay of one value, written on the command line.
//!
//! KEY is `IMAGE.config.FIELD`, `IMAGE.config.FIELD.NAME` (for `Env`, `Labels` and the like),
//! `IMAGE.annotations.NAME` or `IMAGE.tags`; `images.` may stand before it, `*` stands for all
//! images, and what follows the collection is one name, dots included. VALUE is JSON if it is any,
//! else text.

use super::{Overlay, keys};
use crate::{
    Place, Source, SpecError,
    error::{Problem, nearest},
    json,
    parse::read_overlay,
    value::{Entry, Node, Value, short},
};
use std::{ops::Range, sync::Arc};

/// The name under which errors show such an expression.
const NAME: &str = "--set";

const HOW: &str =
    "write IMAGE.config.FIELD=VALUE, for example web.config.User=nginx; `*` stands for all images";

/// Reads one expression. Later expressions win over earlier ones.
pub fn parse_set(expression: &str) -> Result<Overlay, SpecError> {
    let source = Source::expression(NAME, expression);
    let place = |span: Range<usize>| Place::new(&source, span, "");
    if expression.len() > crate::parse::LARGEST {
        let limit = crate::parse::LARGEST;
        return Err(place(0..0).error(Problem::TooLarge { limit }));
    }
    let Some(equals) = expression.find('=') else {
        return Err(
            place(0..expression.len()).error(Problem::invalid_hint("there is no `=` in this", HOW))
        );
    };
    let value = value(&source, equals + 1)?;
    let segments = segments(expression.get(..equals).unwrap_or(""));
    if let Some(empty) = segments.iter().find(|segment| segment.text.is_empty()) {
        return Err(place(empty.span.start..empty.span.start + 1)
            .error(Problem::invalid_hint("a part of the key is empty", HOW)));
    }
    let path = path(&source, segments)?;
    let root = path.into_iter().rev().fold(value, |value, segment| {
        let span = segment.span.start..value.span.end;
        let entry = Entry { key: segment.text, key_span: segment.span, value };
        Node { value: Value::Object(vec![entry]), span }
    });
    read_overlay(&source, &root)
}

/// A part of the key and where it stands.
struct Segment {
    text: String,
    span: Range<usize>,
}

fn segments(key: &str) -> Vec<Segment> {
    let mut start = 0;
    let parts = key.split('.').map(|part| {
        let span = start..start + part.len();
        start = span.end + 1;
        Segment { text: part.to_owned(), span }
    });
    parts.collect()
}

/// Joins parts that are one name with dots in it.
fn joined(parts: Vec<Segment>) -> Option<Segment> {
    let start = parts.first()?.span.start;
    let end = parts.last()?.span.end;
    let texts: Vec<String> = parts.into_iter().map(|part| part.text).collect();
    Some(Segment { text: texts.join("."), span: start..end })
}

/// The keys of the overlay that lead to the value.
fn path(source: &Arc<Source>, mut segments: Vec<Segment>) -> Result<Vec<Segment>, SpecError> {
    let images = |span: Range<usize>| Segment { text: "images".to_owned(), span };
    let mut path = vec![images(0..0)];
    let section =
        |segment: &Segment| keys::IMAGE.fields.iter().any(|field| field.key == segment.text);
    if segments.len() > 2 && segments.first().is_some_and(|first| first.text == "images") {
        path = vec![images(segments.remove(0).span)];
    }
    // The image's own name may have dots in it, so the first part is never a section.
    let Some(at) = segments.iter().skip(1).position(section).map(|at| at + 1) else {
        return Err(no_section(source, &segments));
    };
    let mut rest = segments.split_off(at);
    path.extend(joined(segments));
    let section = rest.remove(0);
    let is_config = section.text == "config";
    path.push(section);
    if is_config && !rest.is_empty() {
        path.push(rest.remove(0));
    }
    path.extend(joined(rest));
    Ok(path)
}

fn no_section(source: &Arc<Source>, segments: &[Segment]) -> SpecError {
    let known = || keys::IMAGE.fields.iter().map(|field| field.key);
    let alone = segments.len() < 2;
    let Some(wrong) = segments.get(1).or(segments.first()) else {
        return Place::new(source, 0..0, "").error(Problem::invalid_hint("the key is empty", HOW));
    };
    let place = Place::new(source, wrong.span.clone(), "");
    if alone || known().any(|key| segments.first().is_some_and(|first| first.text == key)) {
        return place.error(Problem::invalid_hint("the key does not begin with an image", HOW));
    }
    place.error(Problem::UnknownKey {
        key: short(&wrong.text),
        nearest: nearest(&wrong.text, known()).map(str::to_owned),
        known: known().collect(),
    })
}

/// The value that begins at a place of the expression.
fn value(source: &Arc<Source>, start: usize) -> Result<Node, SpecError> {
    let text = source.text().get(start..).unwrap_or("");
    let json = json::read_at(source, start);
    // What begins like JSON was meant as JSON: its mistakes are worth an error.
    if json.is_ok() || text.starts_with(['[', '{', '"']) {
        return json;
    }
    let span = start..start + text.len();
    Ok(Node { value: Value::Text(text.to_owned()), span })
}
