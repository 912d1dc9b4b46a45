//! One package of `primary.xml` in the making.

use super::Packages;
use crate::xml::{self, Problem};
use quick_xml::events::BytesStart;
use std::borrow::Cow;
use strata_rpm::{
    Capability, Checksum, ChecksumAlgorithm, Comparison, Dependency, Evr, Nevra, PackageRecord,
    ParseDependencyError, Requirement,
};

/// The list that entries go to.
#[derive(Clone, Copy)]
pub(super) enum List {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
    Recommends,
    Suggests,
    Supplements,
    Enhances,
}

/// A stranger's text, fit for a terminal.
fn printable(text: &str) -> String {
    const LONGEST: usize = 300;
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(LONGEST).map(plain).collect()
}

/// A package in the making.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) arch: String,
    evr: Option<Evr>,
    pub(super) algorithm: Option<String>,
    pub(super) checksum: String,
    location: String,
    location_base: Option<String>,
    size: u64,
    installed_size: u64,
    build_time: u64,
    pub(super) source_rpm: String,
    pub(super) vendor: String,
    requires: Vec<Requirement>,
    /// By [`List`]; that of `Requires` stays empty.
    lists: [Vec<Dependency>; 8],
    pub(super) files: Vec<String>,
    /// Why the package cannot be used.
    fault: Option<String>,
}

impl Draft {
    pub(super) fn attributes(
        &mut self,
        name: &str,
        element: &BytesStart<'_>,
    ) -> Result<(), Problem> {
        match name {
            "version" => {
                let mut evr = Evr::default();
                xml::attributes(element, |key, value| {
                    self.note(set_evr(&mut evr, key, value));
                    Ok(())
                })?;
                self.evr = Some(evr);
                Ok(())
            }
            "time" => xml::attributes(element, |key, value| {
                if key == "build" {
                    self.build_time = self.number(&value, key);
                }
                Ok(())
            }),
            "size" => xml::attributes(element, |key, value| {
                match key {
                    "package" => self.size = self.number(&value, key),
                    "installed" => self.installed_size = self.number(&value, key),
                    _ => {}
                }
                Ok(())
            }),
            "location" => xml::attributes(element, |key, value| {
                match key {
                    "href" => self.location = value.into_owned(),
                    "base" if !value.is_empty() => self.location_base = Some(value.into_owned()),
                    _ => {}
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn entry(&mut self, list: List, element: &BytesStart<'_>) -> Result<(), Problem> {
        let (mut name, mut comparison) = (String::new(), None);
        let (mut evr, mut pre) = (Evr::default(), false);
        xml::attributes(element, |key, value| {
            match key {
                "name" => name = value.into_owned(),
                "flags" => comparison = Some(value),
                "pre" => pre = matches!(&*value, "1" | "true"),
                _ => self.note(set_evr(&mut evr, key, value)),
            }
            Ok(())
        })?;
        let dependency = match dependency(name, comparison.as_deref(), evr) {
            Ok(dependency) => dependency,
            Err(fault) => {
                self.note(Err(fault));
                return Ok(());
            }
        };
        match (list, self.lists.get_mut(list as usize)) {
            (List::Requires, _) | (_, None) => {
                self.requires.push(Requirement { dependency, pre });
            }
            (_, Some(list)) => list.push(dependency),
        }
        Ok(())
    }

    /// Keeps the first fault: the package is left out for it, and the others are not.
    fn note(&mut self, outcome: Result<(), Problem>) {
        if let Err(fault) = outcome {
            self.fault.get_or_insert(fault);
        }
    }

    fn number(&mut self, text: &str, what: &str) -> u64 {
        let number = xml::number(text, what);
        let value = number.as_ref().copied().unwrap_or(0);
        self.note(number.map(drop));
        value
    }

    pub(super) fn finish(mut self, packages: &mut Packages) {
        if matches!(self.arch.as_str(), "src" | "nosrc") {
            return;
        }
        let evr = self.evr.take().unwrap_or_default();
        let nevra = Nevra {
            name: std::mem::take(&mut self.name),
            evr,
            arch: std::mem::take(&mut self.arch),
        };
        let names = [
            (&nevra.name, "name"),
            (&nevra.arch, "architecture"),
            (&nevra.evr.version, "version"),
            (&self.location, "location"),
        ];
        let empty = names.iter().find(|(text, _)| text.is_empty());
        let fault = match (self.fault.take(), empty) {
            (Some(fault), _) => Some(fault),
            (None, Some((_, what))) => Some(format!("it has no {what}")),
            (None, None) => odd(&nevra, &self.location),
        };
        let checksum = match fault {
            Some(fault) => Err(fault),
            None => self.checksum(),
        };
        let checksum = match checksum {
            Ok(checksum) => checksum,
            Err(fault) => {
                packages.skipped.push((printable(&nevra.to_string()), printable(&fault)));
                return;
            }
        };
        let [provides, _, conflicts, obsoletes, recommends, suggests, supplements, enhances] =
            self.lists;
        packages.records.push(PackageRecord {
            nevra,
            checksum,
            location: self.location,
            location_base: self.location_base,
            size: self.size,
            installed_size: self.installed_size,
            build_time: self.build_time,
            source_rpm: self.source_rpm,
            vendor: self.vendor,
            provides,
            requires: self.requires,
            conflicts,
            obsoletes,
            recommends,
            suggests,
            supplements,
            enhances,
            files: self.files,
        });
    }

    fn checksum(&self) -> Result<Checksum, Problem> {
        let algorithm = self.algorithm.as_deref().and_then(ChecksumAlgorithm::from_name);
        let algorithm = algorithm.ok_or_else(|| "it has no known checksum type".to_owned())?;
        Checksum::new(algorithm, &self.checksum).map_err(|e| e.to_string())
    }
}

/// What no name of a package has (and headers are refused for), but a terminal or a path would
/// obey.
fn odd(nevra: &Nevra, location: &str) -> Option<Problem> {
    let part = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    let Nevra { name, evr, arch } = nevra;
    if [name, arch, &evr.version, &evr.release].into_iter().any(|text| text.contains(part)) {
        return Some("its name, version or architecture has a slash or space".to_owned());
    }
    location.contains(char::is_control).then(|| "its location has a control character".to_owned())
}

/// The list that an element begins.
pub(super) fn list(element: &str) -> Option<List> {
    Some(match element {
        "provides" => List::Provides,
        "requires" => List::Requires,
        "conflicts" => List::Conflicts,
        "obsoletes" => List::Obsoletes,
        "recommends" => List::Recommends,
        "suggests" => List::Suggests,
        "supplements" => List::Supplements,
        "enhances" => List::Enhances,
        _ => return None,
    })
}

fn set_evr(evr: &mut Evr, key: &str, value: Cow<'_, str>) -> Result<(), Problem> {
    match key {
        "epoch" => {
            let number = xml::number(&value, key)?;
            let large = |_| format!("`epoch` is `{value}`, which is too large");
            evr.epoch = u32::try_from(number).map_err(large)?;
        }
        "ver" => evr.version = value.into_owned(),
        "rel" => evr.release = value.into_owned(),
        _ => {}
    }
    Ok(())
}

fn dependency(name: String, flags: Option<&str>, evr: Evr) -> Result<Dependency, String> {
    if name.is_empty() {
        return Err("it has a dependency without a name".to_owned());
    }
    if name.starts_with('(') {
        return name.parse().map_err(|e: ParseDependencyError| e.to_string());
    }
    let comparison = match flags {
        None => return Ok(Dependency::Simple(Capability { name, version: None })),
        Some("LT") => Comparison::Less,
        Some("LE") => Comparison::LessOrEqual,
        Some("EQ") => Comparison::Equal,
        Some("GE") => Comparison::GreaterOrEqual,
        Some("GT") => Comparison::Greater,
        Some(other) => return Err(format!("`{other}` is no comparison")),
    };
    Ok(Dependency::Simple(Capability { name, version: Some((comparison, evr)) }))
}
