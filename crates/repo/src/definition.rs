//! What a user says about a repository.
//!
//! Keys and their meaning are those of `.repo` files: `dnf.conf(5)`, "Repo options".

use crate::{
    Base, DefinitionProblem as Problem, RepoError, Variables, Warning, base::without_credentials,
    ini,
};
use serde_json::Value;
use std::{collections::BTreeSet, path::Path};

/// A repository as it is defined, with every variable replaced before it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoDefinition {
    /// The name it goes by everywhere.
    pub id: String,
    /// A name for people; empty when there is none.
    pub name: String,
    /// Places that hold the same files, best first: URLs or paths.
    pub baseurl: Vec<String>,
    /// Whether it takes part when nobody names it.
    pub enabled: bool,
    /// Lower wins: a package of a repository with a higher number is not seen.
    pub priority: i32,
    /// Lower wins among equal versions.
    pub cost: i32,
    /// Packages that are left out, as globs.
    pub exclude: Vec<String>,
    /// If any: the only packages that are taken, as globs.
    pub includepkgs: Vec<String>,
}

/// Keys that change what is read.
const KEYS: [&str; 9] = [
    "name",
    "baseurl",
    "enabled",
    "priority",
    "cost",
    "exclude",
    "excludepkgs",
    "includepkgs",
    "gpgcheck",
];

/// Keys that ask for what this release cannot do; ignoring them is safe, but said.
const UNSUPPORTED: [&str; 13] = [
    "mirrorlist",
    "metalink",
    "repo_gpgcheck",
    "pkg_gpgcheck",
    "proxy",
    "proxy_username",
    "proxy_password",
    "username",
    "password",
    "sslverify",
    "sslcacert",
    "sslclientcert",
    "sslclientkey",
];

/// Keys that steer how another tool fetches, caches or shows, and mean nothing here.
const IRRELEVANT: [&str; 41] = [
    "gpgkey",
    "gpgcakey",
    "enabled_metadata",
    "type",
    "mediaid",
    "metadata_expire",
    "metadata_expire_filter",
    "mirrorlist_expire",
    "skip_if_unavailable",
    "module_hotfixes",
    "countme",
    "autorefresh",
    "keeppackages",
    "keepcache",
    "path",
    "service",
    "deltarpm",
    "deltarpm_percentage",
    "enablegroups",
    "failovermethod",
    "fastestmirror",
    "ip_resolve",
    "max_parallel_downloads",
    "bandwidth",
    "throttle",
    "minrate",
    "retries",
    "timeout",
    "user_agent",
    "http_caching",
    "keepalive",
    "ui_repoid_vars",
    "cacheonly",
    "localpkg_gpgcheck",
    "proxy_auth_method",
    "proxy_sslverify",
    "sslclientkeypass",
    "sslverifystatus",
    "strict",
    "debuglevel",
    "async",
];

/// A value before its key says what it means.
enum Raw<'a> {
    Text(&'a str),
    List(Vec<String>),
}

/// Where a definition was written, for errors and warnings.
#[derive(Clone, Copy)]
struct Place<'a> {
    origin: &'a str,
    line: u32,
    id: &'a str,
}

impl Place<'_> {
    fn error(self, problem: Problem) -> RepoError {
        let (origin, id) = (self.origin.to_owned(), self.id.to_owned());
        RepoError::Definition { origin, line: self.line, id, problem }
    }

    fn describe(self) -> String {
        match (self.origin, self.line) {
            ("", _) => format!("repository `{}`", self.id),
            (origin, 0) => origin.to_owned(),
            (origin, line) => format!("{origin}:{line}"),
        }
    }
}

impl RepoDefinition {
    /// A repository at a path or URL, with every default; an id that is a URL keeps no credentials.
    pub fn at(id: &str, place: &str) -> Self {
        Self { baseurl: vec![place.to_owned()], ..Self::empty(&without_credentials(id)) }
    }

    /// The repositories of a `.repo` file; `origin` is its name in messages. The section `[main]`
    /// configures the tool that reads the file, and is skipped.
    pub fn parse_repo_file(
        origin: &str,
        text: &str,
    ) -> Result<(Vec<Self>, Vec<Warning>), RepoError> {
        let sections = ini::parse(text).map_err(|(line, found)| {
            Place { origin, line, id: "" }.error(Problem::Syntax(without_credentials(&found)))
        })?;
        let (mut definitions, mut warnings) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for section in sections.iter().filter(|section| section.name != "main") {
            let place = Place { origin, line: section.line, id: &section.name };
            check_id(place)?;
            if !seen.insert(&section.name) {
                return Err(place.error(Problem::Duplicate));
            }
            let mut builder = Builder::new(place, false);
            for key in &section.keys {
                let place = Place { line: key.line, ..place };
                builder.set(place, &key.name, &Raw::Text(&key.value))?;
            }
            definitions.push(builder.finish(&mut warnings)?);
        }
        Ok((definitions, warnings))
    }

    /// From an object with the keys of a `.repo` file and, unless `id` is given, `id`. Lists may be
    /// JSON lists. Here an unknown key is an error: the object was written for strata.
    pub fn from_json(
        id: Option<&str>,
        object: &serde_json::Map<String, Value>,
    ) -> Result<(Self, Vec<Warning>), RepoError> {
        let own = object.get("id").and_then(Value::as_str);
        let id = id.or(own).unwrap_or_default();
        let place = Place { origin: "", line: 0, id };
        check_id(place)?;
        let mut builder = Builder::new(place, true);
        for (key, value) in object.iter().filter(|(key, _)| *key != "id") {
            let secret = key == "baseurl" || key.contains("password");
            let shown = if secret { "…".to_owned() } else { value.to_string() };
            let wrong = |expected| value_problem(key, expected, &shown);
            let text;
            let raw = match value {
                Value::String(one) => match list_kind(key) {
                    // a single path may contain spaces
                    Some(ListKind::Places) => Raw::List(vec![one.clone()]),
                    _ => Raw::Text(one),
                },
                Value::Bool(_) | Value::Number(_) if list_kind(key).is_none() => {
                    text = value.to_string();
                    Raw::Text(&text)
                }
                Value::Array(all) if list_kind(key).is_some() => {
                    let strings = all.iter().map(|one| one.as_str().map(str::to_owned));
                    let strings: Option<Vec<_>> = strings.collect();
                    Raw::List(strings.ok_or_else(|| place.error(wrong("a list of strings")))?)
                }
                _ => return Err(place.error(wrong("a string"))),
            };
            builder.set(place, key, &raw)?;
        }
        let mut warnings = Vec::new();
        let definition = builder.finish(&mut warnings)?;
        Ok((definition, warnings))
    }

    /// The definition with every variable replaced; one without a value is an error.
    pub fn substitute(&self, variables: &Variables) -> Result<Self, RepoError> {
        let place = Place { origin: "", line: 0, id: &self.id };
        let mut result = self.clone();
        for text in &mut result.baseurl {
            *text = variables.substitute(text).map_err(|variable| {
                place.error(Problem::Variable { variable, text: without_credentials(text) })
            })?;
        }
        // only for people: what cannot be replaced may stay
        if let Ok(name) = variables.substitute(&self.name) {
            result.name = name;
        }
        Ok(result)
    }

    /// The definition with relative paths of `baseurl` counted from `directory`.
    pub fn relative_to(mut self, directory: &Path) -> Self {
        for text in &mut self.baseurl {
            let path = text.strip_prefix("file:").unwrap_or(text);
            if !text.contains("://") && !path.starts_with(['/', '$']) {
                *text = directory.join(path).to_string_lossy().into_owned();
            }
        }
        self
    }

    /// The places, best first.
    pub(crate) fn bases(&self) -> Result<Vec<Base>, RepoError> {
        let place = Place { origin: "", line: 0, id: &self.id };
        if self.baseurl.is_empty() {
            return Err(place.error(Problem::NoBase));
        }
        let base = |text: &String| {
            Base::parse(text, Path::new(""))
                .ok_or_else(|| place.error(Problem::Base(without_credentials(text))))
        };
        self.baseurl.iter().map(base).collect()
    }

    fn empty(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: String::new(),
            baseurl: Vec::new(),
            enabled: true,
            priority: 99,
            cost: 1000,
            exclude: Vec::new(),
            includepkgs: Vec::new(),
        }
    }
}

/// Collects the keys of one repository.
struct Builder<'a> {
    place: Place<'a>,
    strict: bool,
    definition: RepoDefinition,
    indirect: Option<&'static str>,
    gpgcheck: bool,
    warnings: Vec<Warning>,
}

impl<'a> Builder<'a> {
    fn new(place: Place<'a>, strict: bool) -> Self {
        let definition = RepoDefinition::empty(place.id);
        Self { place, strict, definition, indirect: None, gpgcheck: false, warnings: Vec::new() }
    }

    fn set(&mut self, place: Place<'_>, key: &str, raw: &Raw<'_>) -> Result<(), RepoError> {
        let definition = &mut self.definition;
        match (key, raw) {
            ("name", Raw::Text(text)) => definition.name = (*text).to_owned(),
            ("enabled", Raw::Text(text)) => definition.enabled = boolean(place, key, text)?,
            ("gpgcheck", Raw::Text(text)) => self.gpgcheck = boolean(place, key, text)?,
            ("priority", Raw::Text(text)) => definition.priority = number(place, key, text)?,
            ("cost", Raw::Text(text)) => definition.cost = number(place, key, text)?,
            ("baseurl", raw) => definition.baseurl = items(raw),
            ("exclude" | "excludepkgs", raw) => definition.exclude.extend(items(raw)),
            ("includepkgs", raw) => definition.includepkgs.extend(items(raw)),
            _ => return self.other(place, key, raw),
        }
        Ok(())
    }

    fn other(&mut self, place: Place<'_>, key: &str, raw: &Raw<'_>) -> Result<(), RepoError> {
        if let Some(known) = UNSUPPORTED.iter().find(|known| **known == key) {
            if matches!(*known, "mirrorlist" | "metalink") {
                self.indirect = Some(known);
            }
            // `repo_gpgcheck=0` asks for nothing
            let off = matches!(raw, Raw::Text(text) if parse_boolean(text) == Some(false))
                && key.ends_with("gpgcheck");
            if !off && !key.ends_with("gpgcheck") {
                let repo = self.definition.id.clone();
                self.warnings.push(Warning::UnsupportedKey { repo, key: key.to_owned() });
            }
            self.gpgcheck |= !off && key.ends_with("gpgcheck");
            return Ok(());
        }
        if IRRELEVANT.contains(&key) {
            return Ok(());
        }
        let nearest = nearest(key);
        if self.strict {
            return Err(place.error(Problem::UnknownKey { key: key.to_owned(), nearest }));
        }
        let place = place.describe();
        self.warnings.push(Warning::UnknownKey { place, key: key.to_owned(), nearest });
        Ok(())
    }

    fn finish(mut self, warnings: &mut Vec<Warning>) -> Result<RepoDefinition, RepoError> {
        if self.definition.baseurl.is_empty() && self.definition.enabled {
            return Err(self.place.error(match self.indirect {
                Some(key) => Problem::Unsupported(key),
                None => Problem::NoBase,
            }));
        }
        if self.gpgcheck {
            let repo = self.definition.id.clone();
            self.warnings.push(Warning::SignaturesNotVerified { repo });
        }
        warnings.append(&mut self.warnings);
        Ok(self.definition)
    }
}

#[derive(PartialEq, Eq)]
enum ListKind {
    Places,
    Globs,
}

fn list_kind(key: &str) -> Option<ListKind> {
    match key {
        "baseurl" => Some(ListKind::Places),
        "exclude" | "excludepkgs" | "includepkgs" => Some(ListKind::Globs),
        _ => None,
    }
}

fn items(raw: &Raw<'_>) -> Vec<String> {
    match raw {
        Raw::List(list) => list.clone(),
        Raw::Text(text) => text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

fn check_id(place: Place<'_>) -> Result<(), RepoError> {
    let portable = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    if place.id.is_empty() || !place.id.bytes().all(portable) {
        let problem = Problem::Id(place.id.to_owned());
        return Err(Place { id: "", ..place }.error(problem));
    }
    Ok(())
}

fn parse_boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" => Some(true),
        "0" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

fn value_problem(key: &str, expected: &'static str, value: &str) -> Problem {
    Problem::Value { key: key.to_owned(), expected, value: value.to_owned() }
}

fn boolean(place: Place<'_>, key: &str, text: &str) -> Result<bool, RepoError> {
    parse_boolean(text).ok_or_else(|| place.error(value_problem(key, "`1` or `0`", text)))
}

fn number(place: Place<'_>, key: &str, text: &str) -> Result<i32, RepoError> {
    let number = text.trim().parse();
    number.map_err(|_| place.error(value_problem(key, "a whole number", text)))
}

/// The known key that `key` was most likely meant to be.
fn nearest(key: &str) -> Option<&'static str> {
    let lower = key.to_ascii_lowercase();
    KEYS.iter()
        .chain(&UNSUPPORTED)
        .chain(&IRRELEVANT)
        .map(|known| (strsim::damerau_levenshtein(&lower, known), *known))
        .filter(|(distance, known)| *distance <= known.len().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
