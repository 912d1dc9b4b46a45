//! XML as a run of elements and texts, for commands that read it. No entity is expanded but
//! those of the language itself, and elements nest only so deeply.

use quick_xml::{Reader, escape::unescape, events::Event};

/// How deeply elements may nest.
const DEPTH: usize = 200;
/// How many attributes an element may have.
const ATTRIBUTES: usize = 100;

/// A piece of a document.
#[derive(Debug)]
pub(super) enum Piece {
    /// An element begins: its name and its attributes in their order.
    Start(String, Vec<(String, String)>),
    /// It ends.
    End(String),
    /// Text between.
    Text(String),
    /// A comment inside of an element.
    Comment(String),
}

/// Takes the pieces.
type Sink<'a> = &'a mut dyn FnMut(Piece) -> Result<(), String>;

/// Reads a document as GLib's reader does; an error has the line it is in before it.
pub(super) fn read(bytes: &[u8], sink: Sink<'_>) -> Result<(), String> {
    read_with(bytes, false, sink)
}

/// Reads a document as readers do that follow the specification more closely.
pub(super) fn read_strict(bytes: &[u8], sink: Sink<'_>) -> Result<(), String> {
    read_with(bytes, true, sink)
}

fn read_with(bytes: &[u8], strict: bool, sink: Sink<'_>) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "1: text is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let result = pieces(&mut reader, strict, sink);
    result.map_err(|message| {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
        format!("{}: {message}", 1 + before.iter().filter(|byte| **byte == b'\n').count())
    })
}

fn pieces(reader: &mut Reader<&[u8]>, strict: bool, sink: Sink<'_>) -> Result<(), String> {
    let (mut depth, mut seen) = (0usize, false);
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(ref element) | Event::Empty(ref element) => {
                if depth == 0 && seen {
                    return Err("a second element at the top".to_owned());
                }
                seen = true;
                if depth == DEPTH {
                    return Err("elements nest too deeply".to_owned());
                }
                let name = element.name().into_inner().to_owned();
                if strict {
                    check(&name, element.attributes_raw())?;
                }
                let mut attributes = Vec::new();
                for attribute in element.attributes() {
                    if attributes.len() == ATTRIBUTES {
                        return Err("too many attributes".to_owned());
                    }
                    let attribute = attribute.map_err(|error| error.to_string())?;
                    let flat =
                        attribute.value.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ");
                    let value = unescape(&flat).map_err(|error| error.to_string())?.into_owned();
                    attributes.push((attribute.key.into_inner().to_owned(), value));
                }
                sink(Piece::Start(name.clone(), attributes))?;
                match event {
                    Event::Empty(_) => sink(Piece::End(name))?,
                    _ => depth += 1,
                }
            }
            Event::End(element) => {
                depth = depth.checked_sub(1).ok_or("an end without a start")?;
                sink(Piece::End(element.name().into_inner().to_owned()))?;
            }
            Event::Text(text) => {
                let text = text.xml10_content().into_owned();
                if strict && (text.contains("]]>") || text.contains(is_control)) {
                    return Err("characters that may not stand in text".to_owned());
                }
                text_piece(depth, text, sink)?;
            }
            Event::Comment(text) => {
                if strict && (text.contains("--") || text.ends_with('-')) {
                    return Err("`--` in a comment".to_owned());
                }
                if depth > 0 {
                    sink(Piece::Comment(text.xml10_content().into_owned()))?;
                }
            }
            Event::DocType(text) if strict && text.contains("<!ENTITY") => {
                return Err("entities of its own".to_owned());
            }
            Event::CData(text) => text_piece(depth, text.xml10_content().into_owned(), sink)?,
            Event::GeneralRef(reference) => {
                let name = format!("&{};", &*reference);
                let text = unescape(&name).map_err(|error| error.to_string())?.into_owned();
                text_piece(depth, text, sink)?;
            }
            Event::Eof if depth > 0 || !seen => return Err("the document is not complete".into()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Text is inside of elements; outside there is only space.
fn text_piece(depth: usize, text: String, sink: Sink<'_>) -> Result<(), String> {
    if depth > 0 {
        return sink(Piece::Text(text));
    }
    if text.trim_ascii().is_empty() { Ok(()) } else { Err("text at the top".to_owned()) }
}

fn is_control(c: char) -> bool {
    c < ' ' && !matches!(c, '\t' | '\n' | '\r') || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || matches!(c, '_' | ':');
    let inner = |c: char| first(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}');
    name.starts_with(first) && name.chars().all(inner)
}

/// What the parser below does not look at: characters of names, and what stands between
/// attributes.
fn check(name: &str, attributes: &str) -> Result<(), String> {
    let mut rest = attributes;
    if !is_name(name) {
        return Err(format!("`{name}` is no name"));
    }
    while !rest.trim_start().is_empty() {
        let start = rest.trim_start();
        let (key, value) = start.split_once('=').ok_or("an attribute without a value")?;
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or("an attribute without quotes")?;
        let (value, after) = value[1..].split_once(quote).ok_or("quotes that do not end")?;
        if start.len() == rest.len() || !is_name(key.trim_end()) {
            return Err("what is no attribute".to_owned());
        }
        if value.contains('<') || value.contains(is_control) {
            return Err("characters that may not stand in an attribute".to_owned());
        }
        rest = after;
    }
    Ok(())
}
