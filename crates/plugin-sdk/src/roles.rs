//! A trait for each role.

use crate::{
    Config, Description, Diagnostic, Error, File, Image, Mapping, Outcome, Package, Settings,
};

/// What every plugin says of itself.
pub trait About {
    /// Name, version, summary and settings: [`describe!`](crate::describe) writes it.
    fn describe() -> Description;
}

/// Turns what packages say of themselves into image configuration.
pub trait MetadataMapper: About {
    /// Called once for each image.
    fn map(image: &Image, settings: &Settings) -> Result<Mapping, Error>;
}

/// Changes the finished tree.
pub trait PostProcessor: About {
    /// Called once for each image.
    fn process(image: &Image, settings: &Settings) -> Result<Outcome, Error>;
}

/// Leaves files of packages out.
pub trait PackageFilter: About {
    /// Called once for each package; positions in `files` of what is left out.
    fn exclude(package: &Package, files: &[File], settings: &Settings) -> Result<Vec<u32>, Error>;
}

/// Warns of images, or refuses them.
pub trait Policy: About {
    /// Called once for each image, last of all.
    fn check(image: &Image, config: &Config, settings: &Settings)
    -> Result<Vec<Diagnostic>, Error>;
}
