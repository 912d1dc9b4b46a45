//! Specifiers: `%i` and the like.
//!
//! Source: systemd.unit(5) *Specifiers*. The service manager runs as root.

use crate::files::{Files, parent};
use crate::name::{UnitName, unescape};

/// What specifiers stand for in one unit.
pub struct Specifiers<'a> {
    name: &'a UnitName,
    fragment: &'a str,
    files: &'a dyn Files,
}

/// A text with its specifiers replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The text.
    pub text: String,
    /// Specifiers that only the running machine knows; they are left in the text.
    pub unknown: Vec<char>,
}

impl<'a> Specifiers<'a> {
    /// Of the unit `name`, which `fragment` defines.
    pub fn new(name: &'a UnitName, fragment: &'a str, files: &'a dyn Files) -> Self {
        Self { name, fragment, files }
    }

    /// Replaces all. The error is a specifier that does not exist.
    pub fn expand(&self, text: &str) -> Result<Expanded, String> {
        let mut out = String::new();
        let mut unknown = Vec::new();
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match characters.next() {
                Some('%') => out.push('%'),
                Some(c) if c.is_ascii_alphanumeric() => match self.value(c)? {
                    Some(value) => out.push_str(&value),
                    None => {
                        out.extend(['%', c]);
                        unknown.push(c);
                    }
                },
                Some(c) => out.extend(['%', c]),
                None => out.push('%'),
            }
        }
        Ok(Expanded { text: out, unknown })
    }

    /// None for what only the running machine knows.
    fn value(&self, specifier: char) -> Result<Option<String>, String> {
        let wrong = |text: &str| format!("`%{specifier}`: `{text}` cannot be unescaped");
        let plain = |text: &str| unescape(text).ok_or_else(|| wrong(text));
        let name = self.name;
        let instance = name.instance.as_deref().unwrap_or_default();
        let last = name.prefix.rsplit('-').next().unwrap_or_default();
        Ok(Some(match specifier {
            'n' => name.full.clone(),
            'N' => name.stem().to_owned(),
            'p' => name.prefix.clone(),
            'P' => plain(&name.prefix)?,
            'i' => instance.to_owned(),
            'I' => plain(instance)?,
            'j' => last.to_owned(),
            'J' => plain(last)?,
            'f' => {
                let text = if instance.is_empty() { &name.prefix } else { instance };
                let text = plain(text)?;
                format!("/{}", text.trim_start_matches('/'))
            }
            'y' => self.fragment.to_owned(),
            'Y' => parent(self.fragment).to_owned(),
            't' => "/run".to_owned(),
            'S' => "/var/lib".to_owned(),
            'C' => "/var/cache".to_owned(),
            'L' => "/var/log".to_owned(),
            'E' => "/etc".to_owned(),
            'D' => "/usr/share".to_owned(),
            'd' => format!("/run/credentials/{}", name.full),
            'T' => "/tmp".to_owned(),
            'V' => "/var/tmp".to_owned(),
            'h' => "/root".to_owned(),
            'u' | 'g' => "root".to_owned(),
            'U' | 'G' => "0".to_owned(),
            's' => "/bin/sh".to_owned(),
            'a' => architecture(&self.files.arch()).to_owned(),
            'o' => self.os_release("ID"),
            'w' => self.os_release("VERSION_ID"),
            'W' => self.os_release("VARIANT_ID"),
            'M' => self.os_release("IMAGE_ID"),
            'A' => self.os_release("IMAGE_VERSION"),
            'B' => self.os_release("BUILD_ID"),
            'H' | 'l' | 'q' | 'm' | 'b' | 'v' | 'c' | 'r' | 'R' => return Ok(None),
            other => return Err(format!("`%{other}` is no specifier")),
        }))
    }

    fn os_release(&self, key: &str) -> String {
        let text = ["/etc/os-release", "/usr/lib/os-release"]
            .iter()
            .find_map(|path| self.files.read(path).ok())
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        crate::environment::parse(&text)
            .into_iter()
            .rfind(|variable| variable.name == key)
            .map(|variable| variable.value)
            .unwrap_or_default()
    }
}

/// systemd's name of what rpm calls `arch`.
fn architecture(arch: &str) -> &str {
    match arch {
        "x86_64" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => "x86-64",
        "i386" | "i486" | "i586" | "i686" => "x86",
        "aarch64" => "arm64",
        "armv7hl" | "armv7l" | "armv6hl" => "arm",
        "ppc64le" => "ppc64-le",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::memory::Memory;

    #[test]
    fn specifiers() {
        let name = UnitName::parse(r"foo-bar\x2db@x-y\x2dz").unwrap();
        let files = Memory::new().file("/usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        let specifiers = Specifiers::new(&name, "/usr/lib/systemd/system/f@.service", &files);
        let expand = |text| specifiers.expand(text).unwrap().text;
        assert_eq!(
            expand("%N %p|%P %i|%I"),
            r"foo-bar\x2db@x-y\x2dz foo-bar\x2db|foo/bar-b x-y\x2dz|x/y-z"
        );
        assert_eq!(expand("%j %J %f"), r"bar\x2db bar-b /x/y-z");
        assert_eq!(expand("%t %S%%n %- 5% %o%w%A %a"), "/run /var/lib%n %- 5% debian12 x86-64");
        assert_eq!(specifiers.expand("a%Hb%v").unwrap().unknown, ['H', 'v']);
        assert_eq!(specifiers.expand("a%Hb").unwrap().text, "a%Hb");
        assert!(specifiers.expand("%z").is_err());
    }
}
