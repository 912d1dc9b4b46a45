//! Names of units: `nginx.service`, `postgresql@15-main.service`.
//!
//! Source: systemd.unit(5), systemd-escape(1).

/// What services end with.
pub const SERVICE: &str = ".service";
/// What sockets end with.
pub const SOCKET: &str = ".socket";

/// The name of a service or socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName {
    /// All of it.
    pub full: String,
    /// Before the `@`, or before the suffix.
    pub prefix: String,
    /// Between `@` and the suffix; empty for a template.
    pub instance: Option<String>,
    /// `.service`, `.socket`
    pub suffix: &'static str,
}

impl UnitName {
    /// Parses a service's name; `.service` may be left out. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let stem = text.strip_suffix(SERVICE).unwrap_or(text);
        let other = [SOCKET, ".target", ".timer", ".path", ".mount", ".slice", ".scope"];
        if other.iter().any(|suffix| stem.ends_with(suffix)) {
            return Err(format!("`{text}` is not a service"));
        }
        Self::of_stem(stem, SERVICE).ok_or_else(|| format!("`{text}` is not the name of a unit"))
    }

    /// A full name of this kind; none for another.
    pub fn of_kind(text: &str, suffix: &'static str) -> Option<Self> {
        Self::of_stem(text.strip_suffix(suffix)?, suffix)
    }

    fn of_stem(stem: &str, suffix: &'static str) -> Option<Self> {
        let valid = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
        if stem.is_empty() || stem.starts_with('@') || !stem.chars().all(valid) {
            return None;
        }
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix.to_owned(), Some(instance.to_owned())),
            None => (stem.to_owned(), None),
        };
        Some(Self { full: [stem, suffix].concat(), prefix, instance, suffix })
    }

    /// The name without its suffix.
    pub fn stem(&self) -> &str {
        self.full.strip_suffix(self.suffix).unwrap_or(&self.full)
    }

    /// Whether an instance is missing.
    pub fn is_template(&self) -> bool {
        self.instance.as_deref() == Some("")
    }

    /// `foo@.service` of `foo@bar.service`.
    pub fn template(&self) -> Option<String> {
        let instance = self.instance.as_deref()?;
        (!instance.is_empty()).then(|| [&self.prefix, "@", self.suffix].concat())
    }

    /// `foo@bar.service` of `foo@.service`.
    pub fn instantiate(&mut self, instance: &str) {
        self.full = [&self.prefix, "@", instance, self.suffix].concat();
        self.instance = Some(instance.to_owned());
    }

    /// Names of directories with drop-ins, without `.d`: the most specific first.
    pub fn drop_ins(&self) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.prefix, self.instance.as_deref(), self.suffix, &mut names);
        names
    }
}

/// In systemd's order: the name, its template, then the same for the shorter prefix.
fn collect(prefix: &str, instance: Option<&str>, suffix: &str, names: &mut Vec<String>) {
    let name = match instance {
        Some(instance) => [prefix, "@", instance, suffix].concat(),
        None => [prefix, suffix].concat(),
    };
    if names.contains(&name) {
        return;
    }
    names.push(name);
    if instance.is_some_and(|instance| !instance.is_empty()) {
        collect(prefix, Some(""), suffix, names);
    }
    if let Some(dash) = prefix.trim_end_matches('-').rfind('-')
        && !prefix[..dash].is_empty()
    {
        // a template's shorter prefixes are without `@`, as systemd has it
        let instance = instance.filter(|instance| !instance.is_empty());
        collect(&prefix[..=dash], instance, suffix, names);
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
