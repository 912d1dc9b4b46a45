//! XML elements with their namespaces, and how they are written again.

use super::super::markup::{self, Piece};

/// The namespace of the format.
pub(super) const NAMESPACE: &str = "http://www.freedesktop.org/standards/shared-mime-info";

/// What is inside of an element.
#[derive(Debug, Clone)]
pub(super) enum Child {
    Element(Element),
    Text(String),
    Comment(String),
}

/// An element.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    /// Without a prefix where the namespace is that of the format.
    pub name: String,
    /// Whether it is one of the format.
    pub known: bool,
    /// Those that declare namespaces are left out.
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Child>,
}

/// Reads a document.
pub(super) fn read(bytes: &[u8]) -> Result<Element, String> {
    let mut stack: Vec<(Element, Vec<(String, String)>)> = Vec::new();
    let mut root = None;
    markup::read_strict(bytes, &mut |piece| {
        match piece {
            Piece::Start(name, attributes) => {
                let (declared, attributes): (Vec<_>, Vec<_>) = attributes
                    .into_iter()
                    .partition(|(name, _)| name == "xmlns" || name.starts_with("xmlns:"));
                let (prefix, local) = name.split_once(':').unwrap_or(("", &name));
                let wanted =
                    if prefix.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{prefix}") };
                let known = namespace(&stack, &declared, &wanted) == Some(NAMESPACE);
                let name = if known { local.to_owned() } else { name };
                stack.push((Element { name, known, attributes, children: Vec::new() }, declared));
            }
            Piece::End(_) => {
                if let Some((element, _)) = stack.pop() {
                    match stack.last_mut() {
                        Some((parent, _)) => parent.children.push(Child::Element(element)),
                        None => root = Some(element),
                    }
                }
            }
            Piece::Text(text) => {
                if let Some((parent, _)) = stack.last_mut() {
                    match parent.children.last_mut() {
                        Some(Child::Text(before)) => before.push_str(&text),
                        _ => parent.children.push(Child::Text(text)),
                    }
                }
            }
            Piece::Comment(text) => {
                if let Some((parent, _)) = stack.last_mut() {
                    parent.children.push(Child::Comment(text));
                }
            }
        }
        Ok(())
    })?;
    root.ok_or_else(|| "no element".to_owned())
}

/// The namespace that the innermost declaration of a prefix gives.
fn namespace<'a>(
    stack: &'a [(Element, Vec<(String, String)>)],
    own: &'a [(String, String)],
    wanted: &str,
) -> Option<&'a str> {
    let outer = stack.iter().rev().flat_map(|(_, declared)| declared);
    let mut all = own.iter().chain(outer);
    all.find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
}

impl Element {
    /// An attribute without a prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The elements inside.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            _ => None,
        })
    }

    /// Whether all that is in here is of the format, too.
    pub(super) fn is_known(&self) -> bool {
        let prefixed =
            |(name, _): &(String, String)| name.contains(':') && !name.starts_with("xml:");
        self.known && !self.attributes.iter().any(prefixed) && self.elements().all(Self::is_known)
    }

    /// Writes it as libxml2 does: one element a line, but where there is text beside.
    pub(super) fn write(&self, out: &mut String, level: usize, pretty: bool) {
        *out += &format!("<{}", self.name);
        for (name, value) in &self.attributes {
            *out += &format!(" {name}=\"{}\"", escape(value, true));
        }
        if self.children.is_empty() {
            *out += "/>";
            return;
        }
        out.push('>');
        let pretty = pretty && !self.children.iter().any(|child| matches!(child, Child::Text(_)));
        for child in &self.children {
            if pretty {
                *out += &format!("\n{}", "  ".repeat(level + 1));
            }
            match child {
                Child::Element(element) => element.write(out, level + 1, pretty),
                Child::Text(text) => *out += &escape(text, false),
                Child::Comment(text) => *out += &format!("<!--{text}-->"),
            }
        }
        if pretty {
            *out += &format!("\n{}", "  ".repeat(level));
        }
        *out += &format!("</{}>", self.name);
    }
}

fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '\r' => out += "&#13;",
            '"' if attribute => out += "&quot;",
            '\n' if attribute => out += "&#10;",
            '\t' if attribute => out += "&#9;",
            c => out.push(c),
        }
    }
    out
}
