//! Where images go to and come from, as written on the command line.

use std::{fmt, path::PathBuf, str::FromStr};

/// `oci:DIR` or `oci:DIR:NAME`: an OCI image layout, and an image in it. The notation is that of
/// containers/image (`containers-transports(5)`): the first colon after the transport ends DIR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The layout's directory.
    pub dir: PathBuf,
    /// The image's reference name.
    pub image: Option<String>,
}

/// Why a text names no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// There is no transport in front.
    #[error("`{0}` does not say what kind of destination it is; write `oci:{0}`")]
    NoTransport(String),
    /// A transport that strata does not write.
    #[error("`{0}:` is not a destination that strata knows; use `oci:DIR`")]
    Transport(String),
    /// Nothing after the transport.
    #[error("`oci:` needs a directory: `oci:DIR`")]
    NoDirectory,
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (transport, rest) = match text.split_once(':') {
            Some(parts) if !parts.0.contains('/') => parts,
            _ => return Err(DestinationError::NoTransport(text.to_owned())),
        };
        if transport != "oci" {
            return Err(DestinationError::Transport(transport.to_owned()));
        }
        let (dir, image) = match rest.split_once(':') {
            Some((dir, image)) => (dir, Some(image.to_owned()).filter(|name| !name.is_empty())),
            None => (rest, None),
        };
        if dir.is_empty() {
            return Err(DestinationError::NoDirectory);
        }
        Ok(Self { dir: dir.into(), image })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci:{}", self.dir.display())?;
        match &self.image {
            Some(image) => write!(f, ":{image}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn notation_of_containers_image() {
        let plain: Destination = "oci:out/images".parse().unwrap();
        assert_eq!(plain, Destination { dir: "out/images".into(), image: None });
        let named: Destination = "oci:/tmp/x:web:1.2".parse().unwrap();
        assert_eq!(named.image.as_deref(), Some("web:1.2"));
        assert_eq!(named.to_string(), "oci:/tmp/x:web:1.2");
        assert!(matches!("out".parse::<Destination>(), Err(DestinationError::NoTransport(_))));
        assert!(matches!("./a:b".parse::<Destination>(), Err(DestinationError::NoTransport(_))));
        assert!(matches!("docker:x".parse::<Destination>(), Err(DestinationError::Transport(_))));
        assert_eq!("oci:".parse::<Destination>(), Err(DestinationError::NoDirectory));
    }
}
