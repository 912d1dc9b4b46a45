//! What happens during a run, as typed events: the only way from the library to a reader.

use std::{fmt, sync::Arc};

/// Something a person watching a build may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something is not as it should be, but the run goes on.
    Warning(String),
    /// A repository's metadata is at hand.
    RepositoryRead {
        /// The repository's id.
        id: String,
        /// How many packages it has.
        packages: usize,
    },
    /// Every image has its packages.
    Resolved {
        /// Images times architectures.
        images: usize,
        /// Distinct packages over all images.
        packages: usize,
        /// Whether the lock answered, without looking at a repository.
        from_lock: bool,
    },
    /// A number of packages is being fetched.
    FetchStarted {
        /// Packages.
        packages: usize,
        /// Their size.
        bytes: u64,
    },
    /// One package is at hand and verified.
    PackageFetched {
        /// Its full name.
        nevra: String,
        /// Bytes that were downloaded; 0 when it was there already.
        downloaded: u64,
    },
    /// A number of layers is being made.
    LayersStarted {
        /// Layers that are needed.
        layers: usize,
        /// Of those, how many are known already.
        known: usize,
    },
    /// One layer was made.
    LayerWritten {
        /// Its title.
        title: String,
        /// Compressed bytes.
        bytes: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning(text) => write!(f, "warning: {text}"),
            Self::RepositoryRead { id, packages } => {
                write!(f, "read repository `{id}`: {packages} packages")
            }
            Self::Resolved { images, packages, from_lock } => {
                let how = if *from_lock { "from strata.lock" } else { "resolved" };
                write!(f, "{how}: {packages} packages for {images} images")
            }
            Self::FetchStarted { packages, bytes } => {
                write!(f, "fetching {packages} packages ({})", Bytes(*bytes))
            }
            Self::PackageFetched { nevra, .. } => write!(f, "fetched {nevra}"),
            Self::LayersStarted { layers, known } => {
                write!(f, "{layers} layers, {known} of them known already")
            }
            Self::LayerWritten { title, bytes } => {
                write!(f, "wrote layer {title} ({})", Bytes(*bytes))
            }
        }
    }
}

/// A number of bytes as people read it, in decimal units: `512 B`, `12.3 MB`.
#[derive(Debug, Clone, Copy)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut tenths, mut unit) = (self.0 * 10, "B");
        for larger in ["kB", "MB", "GB", "TB"] {
            if tenths < 10_000 {
                break;
            }
            tenths = (tenths + 500) / 1000;
            unit = larger;
        }
        match unit {
            "B" => write!(f, "{} B", self.0),
            _ => write!(f, "{}.{} {unit}", tenths / 10, tenths % 10),
        }
    }
}

/// Takes events, from any thread.
pub trait Reporter: Sync {
    /// Called once for each event.
    fn event(&self, event: &Event);
}

/// Passes on what the repositories tell.
pub(crate) struct Relay(pub Arc<dyn Reporter + Send>);

impl strata_repo::Progress for Relay {
    fn event(&self, event: &strata_repo::Event<'_>) {
        use strata_repo::{Event as From, PackageOrigin};
        let event = match event {
            From::RepositoryLoaded { repo, packages, .. } => {
                Event::RepositoryRead { id: (*repo).to_owned(), packages: *packages }
            }
            From::PackagesWanted { count, bytes } => {
                Event::FetchStarted { packages: *count, bytes: *bytes }
            }
            From::PackageReady { package, bytes, origin, .. } => Event::PackageFetched {
                nevra: (*package).to_owned(),
                downloaded: if *origin == PackageOrigin::Downloaded { *bytes } else { 0 },
            },
            From::Warning(warning) => Event::Warning(warning.to_string()),
            From::Retry { url, attempt, reason } => {
                Event::Warning(format!("`{url}`: {reason}; attempt {attempt}"))
            }
            _ => return,
        };
        self.0.event(&event);
    }
}

/// Ignores every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Reporter for Silent {
    fn event(&self, _: &Event) {}
}

#[cfg(test)]
mod tests {
    use super::Bytes;

    #[test]
    fn bytes_read_well() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_960, "1.0 MB"),
            (12_345_678, "12.3 MB"),
            (2_000_000_000, "2.0 GB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }
}
