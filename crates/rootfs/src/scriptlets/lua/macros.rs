//! Macros as far as the script itself defines them. Those of the host that would run rpm are not
//! known, so a question for any other macro has no answer here.

use super::host::Failure;
use std::collections::BTreeMap;

/// How deeply macros may stand in macros.
const DEPTH: u32 = 32;

/// Bodies by name, the latest definition last.
#[derive(Debug, Clone, Default)]
pub(super) struct Macros(BTreeMap<String, Vec<String>>);

impl Macros {
    /// `name body`
    pub(super) fn define(&mut self, text: &str) -> Result<(), Failure> {
        let text = text.trim_start();
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = text.split_at(end.unwrap_or(text.len()));
        if rest.starts_with('(') {
            return Err(Failure::unsupported("rpm.define of a macro with options"));
        }
        let body = rest.trim();
        if name.len() < 2 || name.starts_with(|c: char| c.is_ascii_digit()) || body.is_empty() {
            return Err(Failure::raise("error defining macro"));
        }
        // rpm itself takes what is in braces as one body
        if body.starts_with('{') {
            return Err(Failure::unsupported("rpm.define of a body in braces"));
        }
        self.0.entry(name.to_owned()).or_default().push(body.to_owned());
        Ok(())
    }

    pub(super) fn undefine(&mut self, name: &str) -> Result<(), Failure> {
        let bodies = self.0.get_mut(name).filter(|bodies| !bodies.is_empty());
        let bodies = bodies.ok_or_else(|| unknown(name))?;
        bodies.pop();
        Ok(())
    }

    /// The body, unexpanded.
    pub(super) fn body(&self, name: &str) -> Result<&str, Failure> {
        let body = self.0.get(name).and_then(|bodies| bodies.last());
        body.map(String::as_str).ok_or_else(|| unknown(name))
    }

    pub(super) fn expand(&self, text: &str) -> Result<String, Failure> {
        let mut left = 1 << 20;
        self.expand_at(text, 0, &mut left)
    }

    fn expand_at(&self, text: &str, depth: u32, left: &mut usize) -> Result<String, Failure> {
        if depth > DEPTH {
            return Err(Failure::raise("error expanding macro"));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            out += &rest[..at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let (name, after) = match rest.strip_prefix('{') {
                Some(inner) => {
                    let end =
                        inner.find('}').ok_or_else(|| Failure::raise("error expanding macro"))?;
                    (&inner[..end], &inner[end + 1..])
                }
                None => {
                    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
                    rest.split_at(end.unwrap_or(rest.len()))
                }
            };
            if name.is_empty() && !rest.starts_with(['(', '[', '{', '?', '!', '*', '#', '-']) {
                // a percent sign alone stands for itself
                out.push('%');
                continue;
            }
            let body = self.body(name.strip_prefix('?').unwrap_or(name))?;
            out += &self.expand_at(body, depth + 1, left)?;
            rest = after;
            *left = left
                .checked_sub(out.len() + 1)
                .ok_or_else(|| Failure::raise("error expanding macro"))?;
        }
        out += rest;
        Ok(out)
    }
}

fn unknown(name: &str) -> Failure {
    Failure::unsupported(format!("macro %{name}"))
}
