//! Files that the overlay adds.

use crate::{
    Located, Place, SpecError,
    error::Problem,
    shape::Cursor,
    value::{Value, short},
};
use std::collections::BTreeMap;

/// A file for a layer of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayFile {
    /// Where it goes: absolute, no `.`, `..` or empty part.
    pub path: Located<String>,
    /// Its content.
    pub content: FileContent,
    /// Permissions with set-id and sticky bits.
    pub mode: u16,
    /// Owner; root when `None`.
    pub user: Option<Located<Account>>,
    /// Group; root when `None`.
    pub group: Option<Located<Account>>,
}

/// Where the content of a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    /// The document.
    Text(String),
    /// A file beside the overlay; relative paths begin at its directory.
    Source(Located<String>),
}

/// A user or group, by name or number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// To look up in the image.
    Name(String),
    /// As it is.
    Id(u32),
}

pub(super) fn read(list: &Cursor<'_>) -> Result<Vec<OverlayFile>, SpecError> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut files = Vec::new();
    for at in list.items() {
        let file = file(&at)?;
        if let Some(line) = lines.insert(file.path.value.clone(), file.path.place.line()) {
            return Err(file.path.place.error(Problem::invalid(format!(
                "the file {:?} is given twice; the first is on line {line}",
                short(&file.path.value)
            ))));
        }
        files.push(file);
    }
    Ok(files)
}

fn file(at: &Cursor<'_>) -> Result<OverlayFile, SpecError> {
    let Some(path_at) = at.get("path") else {
        return Err(at.error(Problem::MissingKey { key: "path", hint: "say where the file goes" }));
    };
    let path = path(&path_at)?;
    let content = match (at.get("content"), at.get("source")) {
        (Some(content), None) => FileContent::Text(content.text()),
        (None, Some(source)) => FileContent::Source(crate::compose::text(&source)?),
        (Some(_), Some(both)) => {
            return Err(both.error(Problem::invalid_hint(
                "both `content` and `source` are given",
                "remove one",
            )));
        }
        (None, None) => {
            return Err(at.error(Problem::MissingKey {
                key: "content",
                hint: "write \"content\": \"text\", or \"source\": the file that has it",
            }));
        }
    };
    Ok(OverlayFile {
        path,
        content,
        mode: at.get("mode").map(|at| mode(&at)).transpose()?.unwrap_or(0o644),
        user: at.get("user").map(|at| account(&at)).transpose()?,
        group: at.get("group").map(|at| account(&at)).transpose()?,
    })
}

fn path(at: &Cursor<'_>) -> Result<Located<String>, SpecError> {
    let path = at.text();
    let why = match path.strip_prefix('/') {
        None => "is not an absolute path",
        Some("") => "is the root itself",
        Some(_) if path.contains('\0') || path.len() > 4095 => "cannot be a path",
        Some(inner) => {
            if inner.split('/').any(|part| matches!(part, "" | "." | "..")) {
                "has an empty, `.` or `..` part"
            } else if inner.split('/').any(|part| part.len() > 255) {
                "has a part longer than 255 bytes"
            } else if inner.split('/').any(|part| part.starts_with(".wh.")) {
                "has a part that begins with `.wh.`, which means removal in a layer"
            } else {
                return Ok(Located::new(path, at.place()));
            }
        }
    };
    Err(at.error(Problem::invalid_hint(
        format!("{:?} {why}", short(&path)),
        "write the full path of a file: \"/etc/motd\"",
    )))
}

/// Octal. YAML hands over `0644` as a number, JSON has no such number.
fn mode(at: &Cursor<'_>) -> Result<u16, SpecError> {
    let text = at.text();
    let digits = text.strip_prefix("0o").unwrap_or(&text);
    let octal = !digits.is_empty() && digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let quoted = !matches!(at.node.value, Value::Number(_)) || text.starts_with('0');
    match u16::from_str_radix(digits, 8) {
        Ok(mode) if octal && mode <= 0o7777 && quoted => Ok(mode),
        _ => Err(at.error(Problem::invalid_hint(
            format!("`{}` is not a mode", short(&text)),
            "permissions are written in octal, as a string: \"0644\"",
        ))),
    }
}

fn account(at: &Cursor<'_>) -> Result<Located<Account>, SpecError> {
    let text = crate::compose::text(at)?;
    if text.value.contains([':', ' ', '/']) {
        let why = format!("{:?} is not the name of an account", short(&text.value));
        return Err(at.error(Problem::invalid_hint(why, "`user` and `group` are two keys")));
    }
    Ok(text.map(|text| match text.parse() {
        Ok(id) if text.bytes().all(|b| b.is_ascii_digit()) => Account::Id(id),
        _ => Account::Name(text),
    }))
}

impl OverlayFile {
    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.path.place
    }
}
