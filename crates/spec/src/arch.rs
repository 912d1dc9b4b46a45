//! The architectures an image is built for.

use std::{fmt, str::FromStr};
use strata_oci::{Platform, PlatformError};

/// An architecture as rpm names it; OCI's names (`amd64`, `arm64` …) are accepted when parsing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arch(&'static str);

impl Arch {
    /// What an image is built for when nothing says otherwise, on every machine.
    pub const DEFAULT: Self = Self("x86_64");

    /// rpm's name.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// What a configuration and an index say.
    pub fn platform(self) -> Platform {
        // Parsing took the name from the same table.
        Platform::from_rpm_arch(self.0).unwrap_or_default()
    }
}

impl FromStr for Arch {
    type Err = PlatformError;

    fn from_str(name: &str) -> Result<Self, PlatformError> {
        Platform::rpm_arch(name).map(Self)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn both_vocabularies_name_one_architecture() {
        for (name, rpm, platform) in [
            ("x86_64", "x86_64", "linux/amd64"),
            ("amd64", "x86_64", "linux/amd64"),
            ("arm64", "aarch64", "linux/arm64/v8"),
            ("armv7hl", "armv7hl", "linux/arm/v7"),
        ] {
            let arch: Arch = name.parse().unwrap();
            assert_eq!(arch.as_str(), rpm);
            assert_eq!(arch.platform().to_string(), platform);
        }
        assert!("noarch".parse::<Arch>().is_err());
        assert_eq!("x86_64".parse(), Ok(Arch::DEFAULT));
    }
}
