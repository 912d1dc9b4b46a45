//! `$releasever` and its kin in repository definitions.

use std::collections::BTreeMap;

/// Values of the variables that definitions may use. They come from the caller, never from the
/// machine that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables of an architecture and a release; `arch` is rpm's name of it.
    pub fn new(arch: &str, releasever: Option<&str>) -> Self {
        let mut variables = Self::default();
        variables.set("arch", arch);
        variables.set("basearch", base_arch(arch));
        if let Some(releasever) = releasever {
            variables.set("releasever", releasever);
        }
        variables
    }

    /// Sets one variable. `releasever` also sets `releasever_major` and `releasever_minor`.
    pub fn set(&mut self, name: &str, value: &str) {
        if name == "releasever" {
            let (major, minor) = value.split_once('.').unwrap_or((value, ""));
            self.0.insert("releasever_major".to_owned(), major.to_owned());
            self.0.insert("releasever_minor".to_owned(), minor.to_owned());
        }
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Replaces `$name` and `${name}`; the error is the name of the variable without a value.
    pub fn substitute(&self, text: &str) -> Result<String, String> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let (name, after) = match braced {
                Some(pair) => pair,
                None => after.split_at(
                    after
                        .bytes()
                        .position(|b| !b.is_ascii_alphanumeric() && b != b'_')
                        .unwrap_or(after.len()),
                ),
            };
            if name.is_empty() {
                result.push('$');
            } else {
                result.push_str(self.0.get(name).ok_or_else(|| name.to_owned())?);
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// The architecture that names a repository's directory.
fn base_arch(arch: &str) -> &str {
    match arch {
        "i386" | "i486" | "i586" | "i686" | "athlon" | "geode" => "i386",
        "x86_64" | "amd64" | "ia32e" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => "x86_64",
        "armv7hl" | "armv7hnl" | "armv8hl" => "armhfp",
        "armv5tel" | "armv6l" | "armv7l" => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings() {
        let mut variables = Variables::new("i686", Some("9.4"));
        variables.set("stream", "9-stream");
        let text = "http://x/$stream/${basearch}os/$releasever/$releasever_major/$arch$";
        assert_eq!(
            variables.substitute(text).as_deref(),
            Ok("http://x/9-stream/i386os/9.4/9/i686$")
        );
        assert_eq!(variables.substitute("a$none/b"), Err("none".to_owned()));
        assert_eq!(variables.substitute("a${open/b"), Ok("a${open/b".to_owned()));
    }
}
