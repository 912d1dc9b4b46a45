//! Ports that an image listens on.

use std::{fmt, str::FromStr};

/// A port and its protocol, written `80/tcp` as in the image configuration's `ExposedPorts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// The protocol.
    pub protocol: Protocol,
}

/// What runs over a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// The usual one.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP, which podman and docker know too.
    Sctp,
}

/// A text that is no port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a port")]
pub struct ParsePortError(pub String);

impl ParsePortError {
    /// How ports are written.
    pub fn hint(&self) -> String {
        match self.0.contains('-') {
            true => "a range is written as a list of its ports".to_owned(),
            false => {
                "a port is a number from 1 to 65535, with `/udp` or `/sctp` unless TCP is meant"
                    .to_owned()
            }
        }
    }
}

impl FromStr for Port {
    type Err = ParsePortError;

    fn from_str(text: &str) -> Result<Self, ParsePortError> {
        let wrong = || ParsePortError(text.chars().take(60).collect());
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return Err(wrong()),
        };
        let plain = number.bytes().all(|b| b.is_ascii_digit());
        match number.parse() {
            Ok(number) if plain && number > 0 => Ok(Self { number, protocol }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Sctp => "sctp",
        };
        write!(f, "{}/{protocol}", self.number)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn forms() {
        for (text, port) in [("80", "80/tcp"), ("53/udp", "53/udp"), ("9/sctp", "9/sctp")] {
            assert_eq!(text.parse::<Port>().unwrap().to_string(), port);
        }
        for text in ["", "0", "65536", "80/http", "+80", "8000-8010", "80/"] {
            assert!(text.parse::<Port>().is_err(), "{text}");
        }
    }
}
