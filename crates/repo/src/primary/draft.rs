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
                xml::attributes(element, |key, value| set_evr(&mut evr, key, value))?;
                self.evr = Some(evr);
                Ok(())
            }
            "time" => xml::attributes(element, |key, value| {
                if key == "build" {
                    self.build_time = xml::number(&value, key)?;
                }
                Ok(())
            }),
            "size" => xml::attributes(element, |key, value| {
                match key {
                    "package" => self.size = xml::number(&value, key)?,
                    "installed" => self.installed_size = xml::number(&value, key)?,
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
                _ => set_evr(&mut evr, key, value)?,
            }
            Ok(())
        })?;
        let dependency = match dependency(name, comparison.as_deref(), evr) {
            Ok(dependency) => dependency,
            Err(fault) => {
                self.fault.get_or_insert(fault);
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

    pub(super) fn finish(self, packages: &mut Packages) -> Result<(), Problem> {
        if matches!(self.arch.as_str(), "src" | "nosrc") {
            return Ok(());
        }
        let missing = |what| format!("package `{}` has no {what}", self.name);
        let algorithm = self.algorithm.as_deref().and_then(ChecksumAlgorithm::from_name);
        let algorithm = algorithm.ok_or_else(|| missing("known checksum type"))?;
        let checksum = Checksum::new(algorithm, &self.checksum).map_err(|e| e.to_string())?;
        let evr = self.evr.ok_or_else(|| missing("version"))?;
        for (text, what) in [
            (&self.name, "name"),
            (&self.arch, "architecture"),
            (&evr.version, "version"),
            (&self.location, "location"),
        ] {
            if text.is_empty() {
                return Err(missing(what));
            }
        }
        let nevra = Nevra { name: self.name, evr, arch: self.arch };
        if let Some(fault) = self.fault {
            packages.skipped.push((nevra.to_string(), fault));
            return Ok(());
        }
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
        Ok(())
    }
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
