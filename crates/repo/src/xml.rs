//! Small helpers over the pull parser.

use quick_xml::{
    XmlVersion,
    events::{BytesRef, BytesStart, attributes::Attribute},
};
use std::borrow::Cow;

/// Why a metadata file cannot be understood.
pub(crate) type Problem = String;

/// The name of an attribute without its prefix.
fn attribute_name<'a>(attribute: &Attribute<'a>) -> &'a str {
    let name = attribute.key.into_inner();
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The value of an attribute, entities resolved.
fn value<'a>(attribute: &Attribute<'a>) -> Result<Cow<'a, str>, Problem> {
    // nearly every value is as it stands; without a branch inside, the loop is a few instructions
    let special = |byte: &u8| u8::from(*byte < b' ' || *byte == b'&');
    if attribute.value.as_bytes().iter().fold(0, |any, byte| any | special(byte)) == 0 {
        return Ok(attribute.value.clone());
    }
    attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|e| e.to_string())
}

/// Calls `each` with the name, without its prefix, and the value of every attribute.
pub(crate) fn attributes<'a>(
    element: &'a BytesStart<'_>,
    mut each: impl FnMut(&str, Cow<'a, str>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|e| e.to_string())?;
        each(attribute_name(&attribute), value(&attribute)?)?;
    }
    Ok(())
}

/// The attribute called `name`, entities resolved.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Problem> {
    let mut found = None;
    attributes(element, |key, value| {
        if key == name {
            found = Some(value.into_owned());
        }
        Ok(())
    })?;
    Ok(found)
}

/// Appends what `&name;` stands for.
pub(crate) fn push_reference(text: &mut String, reference: &BytesRef<'_>) -> Result<(), Problem> {
    if let Some(c) = reference.resolve_char_ref().map_err(|e| e.to_string())? {
        text.push(c);
        return Ok(());
    }
    let name = reference.xml10_content();
    let resolved = match name.as_ref() {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        // entities of its own would need a DTD: no metadata has one, but bombs do
        other => return Err(format!("unknown entity `&{other};`")),
    };
    text.push_str(resolved);
    Ok(())
}

/// A number as metadata writes it; an empty one is 0.
pub(crate) fn number(text: &str, what: &str) -> Result<u64, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| format!("`{what}` is `{text}`, which is not a number"))
}
