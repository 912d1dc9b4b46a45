//! The manifest, `package.json`.

use super::PackError;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// What a package says of itself. Only `name` and `version` have no default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackManifest {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its release.
    #[serde(default = "one")]
    pub release: String,
    /// Its epoch.
    #[serde(default)]
    pub epoch: u32,
    /// rpm's name of the architecture.
    #[serde(default = "noarch")]
    pub arch: String,
    /// One line; by default the name.
    #[serde(default)]
    pub summary: Option<String>,
    /// Several lines; by default the summary.
    #[serde(default)]
    pub description: Option<String>,
    /// A licence expression.
    #[serde(default = "unspecified")]
    pub license: String,
    /// Who distributes it.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Its home page.
    #[serde(default)]
    pub url: Option<String>,
    /// Name of the source package; by default the package's own. Packages of one source change
    /// together.
    #[serde(default)]
    pub source: Option<String>,
    /// What must be installed too.
    #[serde(default)]
    pub requires: Vec<String>,
    /// What it offers beside its own name.
    #[serde(default)]
    pub provides: Vec<String>,
    /// What cannot be installed beside it.
    #[serde(default)]
    pub conflicts: Vec<String>,
    /// What it replaces.
    #[serde(default)]
    pub obsoletes: Vec<String>,
    /// What should be installed too.
    #[serde(default)]
    pub recommends: Vec<String>,
    /// What may be installed too.
    #[serde(default)]
    pub suggests: Vec<String>,
    /// What it should be installed with.
    #[serde(default)]
    pub supplements: Vec<String>,
    /// What it may be installed with.
    #[serde(default)]
    pub enhances: Vec<String>,
    /// Attributes by path or pattern; later ones win, key by key.
    #[serde(default)]
    pub files: FileRules,
    /// Scriptlets.
    #[serde(default)]
    pub scriptlets: PackScriptlets,
    /// Seconds since 1970: BUILDTIME, and the time of every file. By default the newest changelog
    /// entry's, else 0.
    #[serde(default)]
    pub build_time: Option<u32>,
    /// Newest first.
    #[serde(default)]
    pub changelog: Vec<ChangelogEntry>,
}

fn one() -> String {
    "1".to_owned()
}

fn noarch() -> String {
    "noarch".to_owned()
}

fn unspecified() -> String {
    "Unspecified".to_owned()
}

impl PackManifest {
    /// From JSON. Unknown keys are errors; errors say where.
    pub fn from_json(text: &str) -> Result<Self, PackError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let located = |path: String, error: &serde_json::Error| {
            let whole = error.to_string();
            // serde_json ends its message with what the error has as fields
            let reason = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(head, _)| head);
            PackError::Manifest {
                path,
                line: error.line(),
                column: error.column(),
                reason: reason.to_owned(),
            }
        };
        let manifest = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| located(error.path().to_string(), error.inner()))?;
        json.end().map_err(|error| located(".".to_owned(), &error))?;
        Ok(manifest)
    }

    /// The time of everything in the package.
    pub fn time(&self) -> u32 {
        let newest = || self.changelog.iter().map(|entry| entry.time).max();
        self.build_time.or_else(newest).unwrap_or(0)
    }
}

/// One entry of the changelog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangelogEntry {
    /// Seconds since 1970.
    pub time: u32,
    /// Name, address and by custom the version.
    pub author: String,
    /// What changed.
    pub text: String,
}

/// The rules in the order of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRules(pub Vec<(String, FileRule)>);

impl<'de> Deserialize<'de> for FileRules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = FileRules;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of paths and attributes")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<FileRules, A::Error> {
                let mut rules: Vec<(String, FileRule)> = Vec::new();
                while let Some((pattern, rule)) = map.next_entry()? {
                    if rules.iter().any(|(known, _)| *known == pattern) {
                        return Err(de::Error::custom(format!("`{pattern}` occurs twice")));
                    }
                    rules.push((pattern, rule));
                }
                Ok(FileRules(rules))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Serialize for FileRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(pattern, rule)| (pattern, rule)))
    }
}

/// What a rule says of the files it matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRule {
    /// Permission bits in octal, a string such as `"0640"`.
    #[serde(default)]
    pub mode: Option<FileMode>,
    /// Owner by name.
    #[serde(default)]
    pub user: Option<String>,
    /// Group by name.
    #[serde(default)]
    pub group: Option<String>,
    /// `%config`: `true`, `false` or `"noreplace"`.
    #[serde(default)]
    pub config: Option<ConfigRule>,
    /// `%doc`
    #[serde(default)]
    pub doc: Option<bool>,
    /// `%license`
    #[serde(default)]
    pub license: Option<bool>,
    /// `%ghost`: listed, not carried. Makes the file when there is none.
    #[serde(default)]
    pub ghost: Option<bool>,
    /// File capabilities, such as `cap_net_bind_service=ep`.
    #[serde(default)]
    pub caps: Option<String>,
    /// A directory that the package owns. Makes it when there is none.
    #[serde(default)]
    pub dir: Option<bool>,
    /// Makes a hard link to another file of the package.
    #[serde(default)]
    pub hard_link: Option<String>,
}

/// Permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(pub u16);

impl<'de> Deserialize<'de> for FileMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0o").unwrap_or(&text);
        match u16::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o7777 && !digits.starts_with('+') => Ok(Self(mode)),
            _ => Err(de::Error::custom(format!("`{text}` is not a mode in octal, such as `0755`"))),
        }
    }
}

impl Serialize for FileMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:04o}", self.0))
    }
}

/// Whether a file is configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigRule {
    /// Not.
    No,
    /// `%config`
    Yes,
    /// `%config(noreplace)`
    NoReplace,
}

impl<'de> Deserialize<'de> for ConfigRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ConfigRule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false` or `\"noreplace\"`")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<ConfigRule, E> {
                Ok(if value { ConfigRule::Yes } else { ConfigRule::No })
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<ConfigRule, E> {
                match value {
                    "noreplace" => Ok(ConfigRule::NoReplace),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl Serialize for ConfigRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::No => serializer.serialize_bool(false),
            Self::Yes => serializer.serialize_bool(true),
            Self::NoReplace => serializer.serialize_str("noreplace"),
        }
    }
}

/// The scriptlets of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PackScriptlets {
    /// `%pre`
    pub pre: Option<PackScriptlet>,
    /// `%post`
    pub post: Option<PackScriptlet>,
    /// `%preun`
    pub preun: Option<PackScriptlet>,
    /// `%postun`
    pub postun: Option<PackScriptlet>,
    /// `%pretrans`
    pub pretrans: Option<PackScriptlet>,
    /// `%posttrans`
    pub posttrans: Option<PackScriptlet>,
}

/// A scriptlet: a string is a shell script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackScriptlet {
    /// The interpreter and its arguments.
    pub program: Vec<String>,
    /// The script; may be empty when the program is all there is.
    pub script: String,
}

impl<'de> Deserialize<'de> for PackScriptlet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn shell() -> Vec<String> {
            vec!["/bin/sh".to_owned()]
        }

        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            #[serde(default = "shell")]
            program: Vec<String>,
            #[serde(default)]
            script: String,
        }

        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = PackScriptlet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a shell script, or an object with `program` and `script`")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<PackScriptlet, E> {
                Ok(PackScriptlet { program: shell(), script: value.to_owned() })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<PackScriptlet, A::Error> {
                let long = Long::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(PackScriptlet { program: long.program, script: long.script })
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
