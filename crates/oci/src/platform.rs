//! Where an image runs: the table from RPM's architectures to OCI platforms.
//! <https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions>

use serde::{Deserialize, Serialize};
use std::fmt;

/// Operating system and CPU, in the names that Go gives them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform {
    /// `amd64`, `arm64` …
    pub architecture: String,
    /// `linux`
    pub os: String,
    /// `v7`, `v8` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Only of Windows images.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// Only of Windows images.
    #[serde(default, rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
}

/// An architecture that has no OCI platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no image platform is known for the architecture `{0}`")]
pub struct PlatformError(pub String);

impl PlatformError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let known: Vec<&str> = TABLE.iter().map(|row| row.0).collect();
        Some(format!("known architectures: {}", known.join(", ")))
    }
}

/// RPM architecture, OCI architecture, variant. Of the rows with one platform, the first is the
/// architecture that an image for this platform is made of.
const TABLE: &[(&str, &str, Option<&str>)] = &[
    ("x86_64", "amd64", None),
    ("aarch64", "arm64", Some("v8")),
    ("armv7hl", "arm", Some("v7")),
    ("armv7hnl", "arm", Some("v7")),
    ("armv6hl", "arm", Some("v6")),
    ("armv5tel", "arm", Some("v5")),
    ("i686", "386", None),
    ("i586", "386", None),
    ("i386", "386", None),
    ("loongarch64", "loong64", None),
    ("mips64el", "mips64le", None),
    ("mipsel", "mipsle", None),
    ("ppc64le", "ppc64le", None),
    ("ppc64", "ppc64", None),
    ("riscv64", "riscv64", None),
    ("s390x", "s390x", None),
];

impl Platform {
    /// The Linux platform of an RPM architecture such as `x86_64`; OCI's own names are accepted.
    pub fn from_rpm_arch(arch: &str) -> Result<Self, PlatformError> {
        let row = TABLE
            .iter()
            .find(|row| row.0 == arch)
            .or_else(|| TABLE.iter().find(|row| row.1 == arch))
            .ok_or_else(|| PlatformError(arch.to_owned()))?;
        Ok(Self {
            architecture: row.1.to_owned(),
            variant: row.2.map(str::to_owned),
            ..Self::default()
        })
    }

    /// The RPM architecture of a spelling that users write: `amd64` and `arm64` as well as
    /// `x86_64` and `aarch64`.
    pub fn rpm_arch(name: &str) -> Result<&'static str, PlatformError> {
        let by_rpm = TABLE.iter().find(|row| row.0 == name);
        let by_oci = || TABLE.iter().find(|row| row.1 == name);
        by_rpm.or_else(by_oci).map(|row| row.0).ok_or_else(|| PlatformError(name.to_owned()))
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            variant: None,
            os_version: None,
            os_features: Vec::new(),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn both_vocabularies_are_accepted() {
        assert_eq!(Platform::from_rpm_arch("x86_64").unwrap().to_string(), "linux/amd64");
        assert_eq!(Platform::from_rpm_arch("arm64").unwrap().to_string(), "linux/arm64/v8");
        assert_eq!(Platform::from_rpm_arch("armv7hl").unwrap().to_string(), "linux/arm/v7");
        assert_eq!(Platform::rpm_arch("amd64").unwrap(), "x86_64");
        assert_eq!(Platform::rpm_arch("386").unwrap(), "i686");
        assert!(Platform::rpm_arch("noarch").is_err());
    }
}
