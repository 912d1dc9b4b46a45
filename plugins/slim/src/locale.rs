//! Names of locales: `de`, `pt_BR`, `sr@latin`, `de_DE.UTF-8`.

/// Languages that are kept.
#[derive(Debug, Default)]
pub struct Kept {
    all: bool,
    names: Vec<String>,
}

impl Kept {
    /// Lists in one another: `["de,fr", "pt_BR"]`. What is no name of a language comes back.
    pub fn parse(lists: &[String]) -> Result<Self, String> {
        let mut kept = Self::default();
        let separator = |letter: char| letter == ',' || letter == ':' || letter.is_whitespace();
        for name in lists.iter().flat_map(|list| list.split(separator)).filter(|it| !it.is_empty())
        {
            if name == "all" {
                kept.all = true;
            } else if is_locale(name) {
                kept.names.push(plain(name));
            } else {
                return Err(name.to_owned());
            }
        }
        Ok(kept)
    }

    /// Whether a locale's files stay. A language keeps its countries, and a country keeps its
    /// language, which programs fall back to.
    pub fn has(&self, locale: &str) -> bool {
        if self.all || ["C", "POSIX"].contains(&locale) {
            return true;
        }
        let locale = plain(locale);
        self.names.iter().any(|kept| {
            *kept == locale
                || locale
                    .strip_prefix(kept.as_str())
                    .is_some_and(|rest| rest.starts_with(['_', '@']))
                || kept
                    .strip_prefix(locale.as_str())
                    .is_some_and(|rest| rest.starts_with(['_', '@']))
        })
    }
}

/// Whether this is the name of a locale: a language of two or three letters, then maybe more.
pub fn is_locale(name: &str) -> bool {
    if ["C", "POSIX"].contains(&name) {
        return true;
    }
    let language = name.split(['_', '-', '@', '.']).next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte))
}

/// Without the encoding, which says nothing of the language: `de_DE.UTF-8@euro` is `de_DE@euro`.
fn plain(name: &str) -> String {
    let name = name.replace('-', "_");
    let (rest, modifier) = match name.split_once('@') {
        Some((rest, modifier)) => (rest.to_owned(), format!("@{modifier}")),
        None => (name, String::new()),
    };
    let language = rest.split('.').next().unwrap_or_default();
    format!("{language}{modifier}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(list: &str) -> Kept {
        Kept::parse(&[list.to_owned()]).unwrap()
    }

    #[test]
    fn a_language_keeps_its_countries_and_a_country_its_language() {
        let kept = kept("de,pt_BR");
        for locale in ["de", "de_AT", "de_DE.UTF-8", "de@hebrew", "pt_BR", "pt", "C", "POSIX"] {
            assert!(kept.has(locale), "{locale}");
        }
        for locale in ["den", "pt_PT", "fr", "en_GB"] {
            assert!(!kept.has(locale), "{locale}");
        }
    }

    #[test]
    fn lists_may_be_written_in_any_way() {
        for list in ["de,fr", "de fr", "de:fr", " de , fr "] {
            assert!(kept(list).has("de") && kept(list).has("fr"), "{list}");
        }
        assert!(kept("all").has("tlh"));
        assert!(!Kept::default().has("en"));
        assert_eq!(Kept::parse(&["de,german".to_owned()]).unwrap_err(), "german");
    }
}
