//! What the packages' files say of MIME types.

use super::super::glib::table::Table;
use super::element::{Child, Element, NAMESPACE};
use super::magic::{self, Match, TreeMatch};
use std::rc::Rc;

/// The pattern that says that those of packages before count for nothing.
pub(super) const NO_GLOBS: &str = "__NOGLOBS__";

/// A pattern of names.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    pub weight: i32,
    pub pattern: String,
    pub kind: Rc<str>,
    /// A sign that all patterns of packages before count for nothing.
    pub none: bool,
    pub case_sensitive: bool,
}

/// Rules of a type, with their priority.
#[derive(Debug, Clone)]
pub(super) struct Rules<M> {
    pub priority: i32,
    pub kind: Rc<str>,
    pub matches: Vec<M>,
    /// A sign that all rules of packages before count for nothing.
    pub none: bool,
}

/// All that is known.
#[derive(Debug, Default)]
pub(super) struct Database {
    /// By name what is written of a type.
    pub kinds: Table<Element>,
    pub globs: Table<Vec<Glob>>,
    pub magic: Vec<Rules<Match>>,
    pub tree_magic: Vec<Rules<TreeMatch>>,
    pub namespaces: Table<Rc<str>>,
    pub parents: Table<Vec<String>>,
    pub aliases: Table<Rc<str>>,
    pub icons: Table<String>,
    pub generic_icons: Table<String>,
}

/// Why a type was not read to its end.
#[derive(Debug)]
pub(super) enum Problem {
    /// What the program would warn of.
    Warning(String),
    /// Something that is not understood here.
    Unknown(String),
}

type Result<T> = std::result::Result<T, Problem>;

fn wrong<T>(text: impl Into<String>) -> Result<T> {
    Err(Problem::Warning(text.into()))
}

impl Database {
    /// Takes in a file; gives what is wrong with it.
    pub(super) fn load(&mut self, root: &Element) -> Vec<Problem> {
        if !root.known {
            return vec![Problem::Warning("Wrong namespace on document element".to_owned())];
        }
        if root.name != "mime-info" {
            let text = format!("Root element <{}> is not <mime-info>", root.name);
            return vec![Problem::Warning(text)];
        }
        root.elements().filter_map(|element| self.load_kind(element).err()).collect()
    }

    fn load_kind(&mut self, element: &Element) -> Result<()> {
        if !element.known || element.name != "mime-type" {
            return wrong("Excepted <mime-type>, but got wrong name or namespace");
        }
        let Some(name) = element.attribute("type") else {
            return wrong("<mime-type> element has no 'type' attribute");
        };
        if name.matches('/').count() != 1 {
            return wrong(format!("Invalid MIME-type '{name}'"));
        }
        if self.kinds.get(name).is_none() {
            let note = "Created automatically by update-mime-database. DO NOT EDIT!";
            let attributes = [("xmlns", NAMESPACE), ("type", name)];
            let written = Element {
                name: "mime-type".to_owned(),
                known: true,
                attributes: attributes.map(|(name, value)| (name.into(), value.into())).to_vec(),
                children: vec![Child::Comment(note.to_owned())],
            };
            self.kinds.insert(name, written);
        }
        let kind: Rc<str> = Rc::from(name);
        for field in element.elements() {
            if field.known && !self.field(&kind, field)? {
                continue;
            }
            if !field.is_known() {
                return Err(Problem::Unknown(format!("<{}> in a MIME type", field.name)));
            }
            if let Some(written) = self.kinds.get_mut(name) {
                if written.children.len() >= FIELDS {
                    return Err(Problem::Unknown(format!("more than {FIELDS} fields of {name}")));
                }
                replace(written, field);
            }
        }
        Ok(())
    }

    /// Takes in a field; says whether it is written with the type.
    fn field(&mut self, kind: &Rc<str>, field: &Element) -> Result<bool> {
        match field.name.as_str() {
            "glob" => self.glob(kind, field).map(|()| true),
            "glob-deleteall" => {
                let none = Glob {
                    weight: 0,
                    pattern: NO_GLOBS.to_owned(),
                    kind: Rc::clone(kind),
                    none: true,
                    case_sensitive: false,
                };
                push(&mut self.globs, NO_GLOBS, none);
                Ok(true)
            }
            "magic" => {
                let priority = magic::percent(field, "priority");
                let Some(priority) = priority else { return wrong("Bad priority in <magic>") };
                let matches = magic::matches(field).map_err(Problem::Warning)?;
                if matches.is_empty() {
                    return wrong("Incomplete <magic> element");
                }
                let kind = Rc::clone(kind);
                self.magic.push(Rules { priority, kind, matches, none: false });
                Ok(false)
            }
            "magic-deleteall" => {
                let kind = Rc::clone(kind);
                let matches = vec![Match::none()];
                self.magic.push(Rules { priority: 0, kind, matches, none: true });
                Ok(false)
            }
            "treemagic" => {
                let priority = magic::percent(field, "priority");
                let Some(priority) = priority else { return wrong("Bad priority in <treemagic>") };
                let matches = magic::tree_matches(field).map_err(Problem::Warning)?;
                let kind = Rc::clone(kind);
                self.tree_magic.push(Rules { priority, kind, matches, none: false });
                Ok(false)
            }
            "comment" | "acronym" | "expanded-acronym" => Ok(true),
            "alias" | "sub-class-of" => {
                let other = field.attribute("type").filter(|other| other.contains('/'));
                let Some(other) = other else {
                    return wrong(format!("Incorrect 'type' attribute in <{}>", field.name));
                };
                match field.name.as_str() {
                    "alias" => self.aliases.insert(other, Rc::clone(kind)),
                    _ => push(&mut self.parents, kind, other.to_owned()),
                }
                Ok(true)
            }
            "root-XML" => self.namespace(kind, field).map(|()| false),
            "generic-icon" | "icon" => {
                let Some(icon) = field.attribute("name") else { return Ok(false) };
                match field.name.as_str() {
                    "icon" => self.icons.insert(kind, icon.to_owned()),
                    _ => self.generic_icons.insert(kind, icon.to_owned()),
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn glob(&mut self, kind: &Rc<str>, field: &Element) -> Result<()> {
        let weight = magic::percent(field, "weight");
        let case_sensitive = field.attribute("case-sensitive") == Some("true");
        let Some(pattern) = field.attribute("pattern").filter(|pattern| !pattern.is_empty()) else {
            return wrong("Missing 'pattern' attribute in <glob> element");
        };
        let pattern =
            if case_sensitive { pattern.to_owned() } else { pattern.to_ascii_lowercase() };
        let glob = Glob {
            weight: weight.unwrap_or(-1),
            pattern: pattern.clone(),
            kind: Rc::clone(kind),
            none: false,
            case_sensitive,
        };
        // one with a bad weight is kept, and ends the type
        push(&mut self.globs, &pattern, glob);
        if weight.is_some() { Ok(()) } else { wrong("Bad weight in <glob> element") }
    }

    fn namespace(&mut self, kind: &Rc<str>, field: &Element) -> Result<()> {
        let Some(uri) = field.attribute("namespaceURI") else {
            return wrong("Missing 'namespaceURI' attribute'");
        };
        let Some(local) = field.attribute("localName") else {
            return wrong("Missing 'localName' attribute'");
        };
        if uri.is_empty() && local.is_empty() {
            return wrong("namespaceURI and localName attributes can't both be empty");
        }
        if [uri, local].iter().any(|text| text.contains([' ', '\n'])) {
            return wrong("namespaceURI and localName cannot contain spaces or newlines");
        }
        self.namespaces.insert(&format!("{uri} {local}"), Rc::clone(kind));
        Ok(())
    }
}

fn push<V>(table: &mut Table<Vec<V>>, key: &str, value: V) {
    match table.get_mut(key) {
        Some(values) => values.push(value),
        None => table.insert(key, vec![value]),
    }
}

/// How many fields a type may have; the largest of freedesktop.org have a hundred.
const FIELDS: usize = 5000;

/// Puts a field behind the others; a comment goes when there is one in the same language.
fn replace(written: &mut Element, field: &Element) {
    if field.name == "comment" {
        let lang = field.attribute("xml:lang");
        let old = written.children.iter().position(|child| match child {
            Child::Element(own) => own.name == "comment" && own.attribute("xml:lang") == lang,
            _ => false,
        });
        if let Some(old) = old {
            written.children.remove(old);
        }
    }
    written.children.push(Child::Element(field.clone()));
}
