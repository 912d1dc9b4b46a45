//! Which distribution an image is of, and what follows for its rpmdb.

use crate::TreePath;
use std::{fmt, str::FromStr};

/// How an rpmdb is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// `rpmdb.sqlite`
    Sqlite,
    /// `Packages.db` and `Index.db`
    Ndb,
}

impl Backend {
    /// The names of its files, the one with the packages first.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["rpmdb.sqlite"],
            Self::Ndb => &["Packages.db", "Index.db"],
        }
    }
}

/// A distribution that strata can make images of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distro {
    /// `ID` of its os-release, for example `fedora`.
    pub id: String,
    /// `VERSION_ID`, where it has one.
    pub version: Option<String>,
    /// Directory of the rpmdb.
    pub rpmdb: TreePath,
    /// How the rpmdb is stored.
    pub backend: Backend,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DistroError {
    /// Nothing says which distribution it is.
    #[error("the packages do not say which distribution they are of")]
    Missing,
    /// A distribution that strata has no facts about.
    #[error("where `{0}` keeps its rpmdb is not known")]
    Unknown(String),
    /// The distribution stores its rpmdb in a way that strata cannot write.
    #[error("`{distro}` keeps its rpmdb in the format `{backend}`, which is not supported yet")]
    Backend {
        /// The distribution.
        distro: String,
        /// Such as `bdb`.
        backend: &'static str,
    },
}

impl DistroError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let known = "`fedora`, `centos-9`, `rhel-9`, `almalinux-9`, `rocky-9`, `amzn-2023`, `azurelinux-3`, `opensuse-leap-15.6` or `debian`";
        Some(match self {
            Self::Missing | Self::Unknown(_) => {
                format!(
                    "set the key `distro` of the spec or of the image to the closest of {known}"
                )
            }
            Self::Backend { .. } => format!(
                "the image's own rpm could not read a database in another format; if the image needs no rpm, set the key `distro` to another, such as {known}"
            ),
        })
    }
}

/// Where the rpmdb lies.
const SYSIMAGE: &str = "usr/lib/sysimage/rpm";
const VAR: &str = "var/lib/rpm";

impl Distro {
    /// Where the files of the rpmdb are written, the one with the packages first.
    pub fn database(&self) -> impl Iterator<Item = TreePath> + use<'_> {
        self.backend.files().iter().map(|name| self.rpmdb.join(name.as_bytes()))
    }

    /// From the text of an `os-release(5)` file: by `ID`, else by the first of `ID_LIKE` that is
    /// known.
    pub fn from_os_release(text: &str) -> Result<Self, DistroError> {
        let id = value(text, "ID").ok_or(DistroError::Missing)?;
        let version = value(text, "VERSION_ID");
        match Self::new(&id, version.as_deref()) {
            Err(DistroError::Unknown(_)) => {
                // A relative's version number says nothing about the distribution it is like,
                // except that those like Enterprise Linux keep its major number.
                let like = value(text, "ID_LIKE").unwrap_or_default();
                let found = like.split_ascii_whitespace().find_map(|like| {
                    match Self::new(like, version.as_deref()) {
                        Err(DistroError::Unknown(_)) => None,
                        answer => Some(answer),
                    }
                });
                found.unwrap_or(Err(DistroError::Unknown(id.clone())))
            }
            answer => answer,
        }
        .map(|distro| Self { id, version, ..distro })
    }

    fn new(id: &str, version: Option<&str>) -> Result<Self, DistroError> {
        let major = version.and_then(|v| v.split('.').next()).and_then(|v| v.parse::<u32>().ok());
        let name = || match version {
            Some(version) => format!("{id}-{version}"),
            None => id.to_owned(),
        };
        let bdb = || DistroError::Backend { distro: name(), backend: "bdb" };
        let mut backend = Backend::Sqlite;
        let rpmdb = match id {
            "fedora" | "eln" => match major {
                Some(..=32) => return Err(bdb()),
                Some(33..=35) => VAR,
                _ => SYSIMAGE,
            },
            "rhel" | "centos" | "almalinux" | "rocky" | "ol" | "eurolinux" | "virtuozzo" => {
                match major {
                    Some(..=8) => return Err(bdb()),
                    Some(9) => VAR,
                    Some(_) => SYSIMAGE,
                    None => return Err(DistroError::Unknown(id.to_owned())),
                }
            }
            "amzn" => match major {
                Some(..=2) => return Err(bdb()),
                _ => VAR,
            },
            "azurelinux" | "mariner" => VAR,
            "debian" | "ubuntu" => SYSIMAGE,
            "opensuse"
            | "opensuse-leap"
            | "opensuse-tumbleweed"
            | "suse"
            | "sles"
            | "sle"
            | "sle-micro"
            | "sl-micro"
            | "opensuse-microos" => match major {
                // Micro counts on its own, a Tumbleweed's version is its date
                Some(..=13 | 42) if !id.contains("micro") => return Err(bdb()),
                _ => {
                    backend = Backend::Ndb;
                    SYSIMAGE
                }
            },
            _ => return Err(DistroError::Unknown(name())),
        };
        Ok(Self {
            id: id.to_owned(),
            version: version.map(str::to_owned),
            rpmdb: TreePath::new(rpmdb).map_err(|_| DistroError::Unknown(name()))?,
            backend,
        })
    }
}

impl FromStr for Distro {
    type Err = DistroError;

    /// From the spec's key: `fedora`, `fedora-41`, `centos-9`, `opensuse-leap-15.6`, `debian` …
    fn from_str(key: &str) -> Result<Self, DistroError> {
        let (id, version) = match key.rsplit_once('-') {
            Some((id, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                (id, Some(version))
            }
            _ => (key.strip_suffix("-rawhide").unwrap_or(key), None),
        };
        match Self::new(id, version) {
            Err(DistroError::Unknown(_)) => Err(DistroError::Unknown(key.to_owned())),
            answer => answer,
        }
    }
}

impl fmt::Display for Distro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{}-{version}", self.id),
            None => f.write_str(&self.id),
        }
    }
}

/// The value of one key, without quotes.
fn value(text: &str, key: &str) -> Option<String> {
    let line = text
        .lines()
        .rev()
        .find_map(|line| line.trim().strip_prefix(key).and_then(|rest| rest.strip_prefix('=')))?;
    let line = line.trim();
    let inner = ['"', '\'']
        .iter()
        .find_map(|quote| line.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(line);
    (!inner.is_empty()).then(|| inner.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn place(key: &str) -> String {
        key.parse::<Distro>().unwrap().rpmdb.to_string()
    }

    #[test]
    fn keys() {
        for key in ["fedora", "fedora-41", "fedora-36", "fedora-rawhide", "centos-10", "debian-12"]
        {
            assert_eq!(place(key), "/usr/lib/sysimage/rpm", "{key}");
        }
        for key in
            ["centos-9", "rhel-9.4", "almalinux-9", "amzn-2023", "azurelinux-3.0", "fedora-35"]
        {
            assert_eq!(place(key), "/var/lib/rpm", "{key}");
        }
    }

    #[test]
    fn backends() {
        let backend = |key: &str| key.parse::<Distro>().unwrap().backend;
        for key in ["opensuse-leap-15.6", "sles-15", "opensuse-tumbleweed", "sl-micro-6.0"] {
            assert_eq!(
                (backend(key), place(key).as_str()),
                (Backend::Ndb, "/usr/lib/sysimage/rpm")
            );
        }
        assert_eq!(backend("fedora-41"), Backend::Sqlite);
    }

    #[test]
    fn what_is_refused() {
        let error = |key: &str| key.parse::<Distro>().unwrap_err();
        assert!(matches!(error("centos-8"), DistroError::Backend { backend: "bdb", .. }));
        assert!(matches!(error("amzn-2"), DistroError::Backend { backend: "bdb", .. }));
        assert!(matches!(error("sles-12.5"), DistroError::Backend { backend: "bdb", .. }));
        assert!(matches!(error("opensuse-leap-42.3"), DistroError::Backend { backend: "bdb", .. }));
        assert_eq!(error("plan9-4"), DistroError::Unknown("plan9-4".to_owned()));
        assert_eq!(error("rhel"), DistroError::Unknown("rhel".to_owned()));
        assert!(error("plan9").hint().unwrap().contains("`distro`"));
    }

    #[test]
    fn os_release() {
        let fedora = "NAME=\"Fedora Linux\"\nID=fedora\nVERSION_ID=41\nPLATFORM_ID=x\n";
        assert_eq!(Distro::from_os_release(fedora).unwrap().to_string(), "fedora-41");
        let remix = "ID=\"remix\"\nID_LIKE=\"plan9 rhel centos fedora\"\nVERSION_ID=\"9.3\"\n";
        let remix = Distro::from_os_release(remix).unwrap();
        assert_eq!(
            (remix.id.as_str(), remix.rpmdb.to_string().as_str()),
            ("remix", "/var/lib/rpm")
        );
        let suse = "ID=geeko\nID_LIKE='suse opensuse'\n";
        assert_eq!(Distro::from_os_release(suse).unwrap().backend, Backend::Ndb);
        assert_eq!(Distro::from_os_release("NAME=x\n"), Err(DistroError::Missing));
        assert_eq!(
            Distro::from_os_release("ID=x\nID_LIKE=\"y z\"\n"),
            Err(DistroError::Unknown("x".to_owned()))
        );
    }
}
