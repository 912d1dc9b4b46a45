//! What calls are given.

use super::{api::types, exports};
use strata_oci::{Annotations, RuntimeConfig};
use strata_rpm::{FileEntry, Package};

/// A package as a filter sees it: nothing of it depends on an image.
pub(super) fn package_with_files(
    package: &Package,
) -> (types::Package, Vec<exports::filter::File>) {
    let seen = types_package(&package.nevra, package.source_name(), false);
    (seen, package.files.iter().map(file).collect())
}

/// A package of the image.
pub(super) fn types_package(
    nevra: &strata_rpm::Nevra,
    source: &str,
    requested: bool,
) -> types::Package {
    types::Package {
        name: nevra.name.clone(),
        epoch: nevra.evr.epoch,
        version: nevra.evr.version.clone(),
        release: nevra.evr.release.clone(),
        arch: nevra.arch.clone(),
        source: source.to_owned(),
        requested,
    }
}

fn file(file: &FileEntry) -> exports::filter::File {
    let has = |flag| file.flags & flag != 0;
    exports::filter::File {
        path: String::from_utf8_lossy(&file.path).into_owned(),
        kind: match file.mode & 0o170_000 {
            0o040_000 => types::Kind::Directory,
            0o120_000 => types::Kind::Symlink,
            0o020_000 | 0o060_000 => types::Kind::Device,
            0o010_000 => types::Kind::Fifo,
            _ => types::Kind::File,
        },
        mode: u32::from(file.mode & 0o7777),
        size: file.size,
        doc: has(FileEntry::DOC),
        license: has(FileEntry::LICENSE),
        config: has(FileEntry::CONFIG),
        langs: file.lang.split('|').filter(|one| !one.is_empty()).map(str::to_owned).collect(),
    }
}

/// The configuration as it will be written.
pub(super) fn config(
    config: &RuntimeConfig,
    annotations: &Annotations,
) -> exports::checker::Config {
    let pairs = |map: &std::collections::BTreeMap<String, String>| -> Vec<(String, String)> {
        map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let variable = |text: &String| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    };
    exports::checker::Config {
        user: config.user.clone(),
        entrypoint: config.entrypoint.clone().unwrap_or_default(),
        cmd: config.cmd.clone().unwrap_or_default(),
        working_dir: config.working_dir.clone(),
        env: config.env.iter().map(variable).collect(),
        ports: config.exposed_ports.iter().cloned().collect(),
        volumes: config.volumes.iter().cloned().collect(),
        labels: pairs(&config.labels),
        stop_signal: config.stop_signal.clone(),
        annotations: pairs(annotations),
    }
}
