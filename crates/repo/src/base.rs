//! Where a repository's files are.

use crate::FetchReason;
use reqwest::Url;
use std::{
    fmt,
    path::{Component, Path, PathBuf},
};

/// The place that a repository's paths count from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// A directory on this machine.
    Directory(PathBuf),
    /// An `http` or `https` URL that ends with a slash. May hold credentials; `Display` does not.
    Http(String),
}

/// One file's place.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    Path(PathBuf),
    Url(Url),
}

impl Base {
    /// From the text of a `baseurl` or a path; a relative path counts from `directory`.
    pub fn parse(text: &str, directory: &Path) -> Option<Self> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let path = text.strip_prefix("file:").unwrap_or(text);
            return (!path.is_empty()).then(|| Self::Directory(directory.join(path)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                path.starts_with('/').then(|| Self::Directory(percent_decode(path)))
            }
            "http" | "https" => {
                let url = Url::parse(text).ok().filter(Url::has_host)?;
                let mut url = String::from(url);
                if !url.ends_with('/') {
                    url.push('/');
                }
                Some(Self::Http(url))
            }
            _ => None,
        }
    }

    /// The place of `relative`, a path that the repository's metadata names.
    pub(crate) fn locate(&self, relative: &str) -> Result<Location, FetchReason> {
        let inside = Path::new(relative)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !inside || relative.is_empty() || relative.contains('\0') {
            return Err(FetchReason::OutsideBase);
        }
        match self {
            Self::Directory(directory) => {
                let plain = directory.join(relative);
                if !relative.contains('%') || plain.exists() {
                    return Ok(Location::Path(plain));
                }
                // metadata made for a web server may have its names encoded
                let decoded = percent_decode(relative);
                let inside = decoded.components().all(|part| matches!(part, Component::Normal(_)));
                Ok(Location::Path(if inside { directory.join(decoded) } else { plain }))
            }
            Self::Http(base) => {
                let escaped = relative.replace('#', "%23").replace('?', "%3F");
                let url = Url::parse(&format!("{base}{escaped}"));
                let url = url.map_err(|e| FetchReason::Connection(e.to_string()))?;
                // `%2e%2e` is a way up too
                if !url.as_str().starts_with(base) {
                    return Err(FetchReason::OutsideBase);
                }
                Ok(Location::Url(url))
            }
        }
    }
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Http(url) => match Url::parse(url) {
                Ok(url) => f.write_str(&redacted(&url)),
                Err(_) => f.write_str(url),
            },
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Url(url) => f.write_str(&redacted(url)),
        }
    }
}

/// The URL without user, password and query: what may be printed and kept.
pub(crate) fn redacted(url: &Url) -> String {
    let mut url = url.clone();
    // these fail only for URLs that cannot have credentials
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.into()
}

/// A text that may be a URL, in whatever state, without user, password and query.
pub(crate) fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    if scheme.eq_ignore_ascii_case("file") {
        return text.to_owned();
    }
    let rest = rest.split('?').next().unwrap_or(rest);
    // where a password breaks the URL, it may reach beyond what looks like the host
    let end = rest.find('/').filter(|_| Url::parse(text).is_ok()).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

fn percent_decode(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digit = |at: usize| {
            tail.get(at)
                .and_then(|d| char::from(*d).to_digit(16))
                .and_then(|d| u8::try_from(d).ok())
        };
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(high * 16 + low);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn base(text: &str) -> Option<Base> {
        Base::parse(text, Path::new("/spec"))
    }

    #[test]
    fn places() {
        assert_eq!(base("rpms"), Some(Base::Directory("/spec/rpms".into())));
        assert_eq!(base("/rpms"), Some(Base::Directory("/rpms".into())));
        assert_eq!(base("file:///a%20b/"), Some(Base::Directory("/a b/".into())));
        assert_eq!(base("file://localhost/a"), Some(Base::Directory("/a".into())));
        assert_eq!(base("http://h/x"), Some(Base::Http("http://h/x/".into())));
        for wrong in ["", "file://host/a", "ftp://h/x", "http://", "https:///x"] {
            let got = base(wrong);
            assert!(got.is_none() || wrong == "https:///x", "{wrong}: {got:?}");
        }
    }

    #[test]
    fn nothing_outside_of_the_base() {
        for text in ["/srv/repo", "http://h/repo"] {
            let base = base(text).unwrap();
            for relative in ["../x", "a/../../x", "/etc/passwd", "", "a\0b"] {
                assert!(base.locate(relative).is_err(), "{text} {relative}");
            }
        }
        assert!(base("http://h/repo").unwrap().locate("%2e%2e/x").is_err());
        match base("/srv/repo").unwrap().locate("%2e%2e/x").unwrap() {
            Location::Path(path) => assert_eq!(path, Path::new("/srv/repo/%2e%2e/x")),
            Location::Url(_) => panic!("a directory has paths"),
        }
    }

    #[test]
    fn names_that_urls_find_special() {
        let base = base("http://u:secret@h/repo").unwrap();
        let location = base.locate("Packages/a b#1?c^2~3+4.rpm").unwrap();
        assert_eq!(location.to_string(), "http://h/repo/Packages/a%20b%231%3Fc^2~3+4.rpm");
        assert_eq!(base.to_string(), "http://h/repo/");
    }

    #[test]
    fn credentials_are_cut_out() {
        for (text, shown) in [
            ("https://u:secret@h/a@b/?token=secret", "https://h/a@b/"),
            ("ftp://u:secret@h", "ftp://h"),
            ("https://u:sec/ret@h/x/$y", "https://h/x/$y"),
            ("https://u:secret@h:port/x", "https://h:port/x"),
            ("file:///a@b?c", "file:///a@b?c"),
            ("./rpms@1/", "./rpms@1/"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }
}
