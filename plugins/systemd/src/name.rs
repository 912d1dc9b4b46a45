//! Names of units: `nginx.service`, `postgresql@15-main.service`.
//!
//! Source: systemd.unit(5), systemd-escape(1).

/// The name of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitName {
    /// All of it.
    pub full: String,
    /// Before the `@`, or before `.service`.
    pub prefix: String,
    /// Between `@` and `.service`; empty for a template.
    pub instance: Option<String>,
}

/// What services end with.
pub const SUFFIX: &str = ".service";

impl UnitName {
    /// Parses a name; `.service` may be left out. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stem = text.strip_suffix(SUFFIX).unwrap_or(text);
        let other = [".socket", ".target", ".timer", ".path", ".mount", ".slice", ".scope"];
        if other.iter().any(|suffix| stem.ends_with(suffix)) {
            return Err(format!("`{text}` is not a service"));
        }
        let valid = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if stem.is_empty() || stem.starts_with('@') || !stem.chars().all(valid) {
            return Err(format!("`{text}` is not the name of a unit"));
        }
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix.to_owned(), Some(instance.to_owned())),
            None => (stem.to_owned(), None),
        };
        Ok(Self { full: format!("{stem}{SUFFIX}"), prefix, instance })
    }

    /// The name without `.service`.
    pub fn stem(&self) -> &str {
        self.full.strip_suffix(SUFFIX).unwrap_or(&self.full)
    }

    /// Whether an instance is missing.
    pub fn is_template(&self) -> bool {
        self.instance.as_deref() == Some("")
    }

    /// `foo@.service` of `foo@bar.service`.
    pub fn template(&self) -> Option<String> {
        let instance = self.instance.as_deref()?;
        (!instance.is_empty()).then(|| format!("{}@{SUFFIX}", self.prefix))
    }

    /// Names of directories with drop-ins, without `.d`: the most specific first.
    pub fn drop_ins(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.prefix, self.instance.as_deref(), &mut names);
        names
    }
}

/// In systemd's order: the name, its template, then the same for the shorter prefix.
fn collect(prefix: &str, instance: Option<&str>, names: &mut Vec<String>) {
    let name = match instance {
        Some(instance) => format!("{prefix}@{instance}{SUFFIX}"),
        None => format!("{prefix}{SUFFIX}"),
    };
    if names.contains(&name) {
        return;
    }
    names.push(name);
    if instance.is_some_and(|instance| !instance.is_empty()) {
        collect(prefix, Some(""), names);
    }
    if let Some(dash) = prefix.trim_end_matches('-').rfind('-')
        && !prefix[..dash].is_empty()
    {
        // a template's shorter prefixes are without `@`, as systemd has it
        let instance = instance.filter(|instance| !instance.is_empty());
        collect(&prefix[..=dash], instance, names);
    }
}

/// `a-b\x2dc` → `a/b-c`.
pub fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'-' => out.push(b'/'),
            b'\\' => {
                let digits = std::str::from_utf8(tail.get(1..3)?).ok()?;
                if tail[0] != b'x' || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                out.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &tail[3..];
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_may_be_left_out() {
        assert_eq!(UnitName::parse("nginx").unwrap().full, "nginx.service");
        let name = UnitName::parse("a@b.service").unwrap();
        assert_eq!((name.prefix.as_str(), name.instance.as_deref()), ("a", Some("b")));
        assert!(UnitName::parse("a@").unwrap().is_template());
        for wrong in ["a.socket", "", ".service", "a/b", "@a"] {
            assert!(UnitName::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn prefixes_have_drop_ins() {
        let names = |text| UnitName::parse(text).unwrap().drop_ins();
        assert_eq!(names("a-b-c"), ["a-b-c.service", "a-b-.service", "a-.service"]);
        assert_eq!(names("a@b"), ["a@b.service", "a@.service"]);
        assert_eq!(
            names("a-b@c"),
            ["a-b@c.service", "a-b@.service", "a-.service", "a-@c.service", "a-@.service"]
        );
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(r"a-b\x2dc").as_deref(), Some("a/b-c"));
        assert_eq!(unescape(r"a\x2"), None);
        assert_eq!(unescape(r"a\xé"), None);
    }
}
