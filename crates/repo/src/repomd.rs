//! `repomd.xml`: the table of a repository's metadata files.

use crate::xml::{self, Problem};
use quick_xml::{Reader, events::Event};
use std::collections::BTreeMap;
use strata_rpm::{Checksum, ChecksumAlgorithm};

/// Where it is, relative to the base.
pub(crate) const PATH: &str = "repodata/repomd.xml";

/// It has no stated size; real ones have a few KiB.
pub(crate) const MAX_SIZE: u64 = 16 << 20;

/// One metadata file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) location: String,
    pub(crate) checksum: Checksum,
    pub(crate) open_checksum: Option<Checksum>,
    pub(crate) size: Option<u64>,
    pub(crate) open_size: Option<u64>,
}

/// The metadata files by type.
#[derive(Debug, Default)]
pub(crate) struct Repomd {
    files: BTreeMap<String, DataFile>,
}

#[derive(Default)]
struct Draft {
    location: Option<String>,
    checksum: Option<Checksum>,
    open_checksum: Option<Checksum>,
    size: Option<u64>,
    open_size: Option<u64>,
}

impl Repomd {
    pub(crate) fn get(&self, kind: &str) -> Option<&DataFile> {
        self.files.get(kind)
    }

    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
        let mut reader = Reader::from_str(text);
        let mut repomd = Self::default();
        let mut draft: Option<(String, Draft)> = None;
        let mut algorithm = None;
        let mut content = String::new();
        let mut closed = false;
        loop {
            let event = reader.read_event().map_err(|e| e.to_string())?;
            match event {
                Event::Start(e) | Event::Empty(e) => {
                    content.clear();
                    match (e.local_name().into_inner(), &mut draft) {
                        ("data", _) => {
                            let kind = xml::attribute(&e, "type")?.unwrap_or_default();
                            draft = Some((kind, Draft::default()));
                        }
                        ("location", Some((_, draft))) => {
                            draft.location = xml::attribute(&e, "href")?;
                        }
                        ("checksum" | "open-checksum", _) => {
                            algorithm = xml::attribute(&e, "type")?;
                        }
                        _ => {}
                    }
                }
                Event::Text(text) => content.push_str(&text.xml10_content()),
                Event::CData(text) => content.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => xml::push_reference(&mut content, &reference)?,
                Event::End(e) => {
                    let name = e.local_name();
                    let Some((kind, fields)) = &mut draft else {
                        closed |= name.into_inner() == "repomd";
                        continue;
                    };
                    let content = content.trim();
                    match name.into_inner() {
                        "checksum" => fields.checksum = checksum(algorithm.as_deref(), content),
                        "open-checksum" => {
                            fields.open_checksum = checksum(algorithm.as_deref(), content);
                        }
                        "size" => fields.size = Some(xml::number(content, "size")?),
                        "open-size" => {
                            fields.open_size = Some(xml::number(content, "open-size")?);
                        }
                        "data" => {
                            let kind = std::mem::take(kind);
                            if let Some((_, fields)) = draft.take() {
                                repomd.add(kind, fields)?;
                            }
                        }
                        _ => {}
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if !closed {
            return Err("it ends in the middle, or is no `repomd` document".to_owned());
        }
        Ok(repomd)
    }

    fn add(&mut self, kind: String, draft: Draft) -> Result<(), Problem> {
        let Draft { location, checksum, open_checksum, size, open_size } = draft;
        let location = location.ok_or_else(|| format!("`{kind}` has no location"))?;
        let checksum = checksum.ok_or_else(|| format!("`{kind}` has no usable checksum"))?;
        let file = DataFile { location, checksum, open_checksum, size, open_size };
        self.files.entry(kind).or_insert(file);
        Ok(())
    }
}

fn checksum(algorithm: Option<&str>, hex: &str) -> Option<Checksum> {
    Checksum::new(ChecksumAlgorithm::from_name(algorithm?)?, hex).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn entities_prefixes_and_order() {
        let sum = "0".repeat(40);
        let text = format!(
            "<?xml version=\"1.0\"?><r:repomd xmlns:r='x'><revision>1</revision>\
             <r:data type='primary'><r:open-size> 7 </r:open-size><r:size>3</r:size>\
             <r:location href='a&amp;b.xml'/><r:checksum type='sha'>{sum}</r:checksum></r:data>\
             <r:data type='other'><r:checksum type='sha'>{sum}</r:checksum>\
             <r:location href='o'></r:location></r:data></r:repomd>"
        );
        let repomd = Repomd::parse(text.as_bytes()).unwrap();
        let primary = repomd.get("primary").unwrap();
        assert_eq!(primary.location, "a&b.xml");
        assert_eq!((primary.size, primary.open_size), (Some(3), Some(7)));
        assert_eq!(primary.checksum.to_string(), format!("sha1:{sum}"));
        assert_eq!(repomd.kinds().collect::<Vec<_>>(), ["other", "primary"]);
    }

    #[test]
    fn broken_ones() {
        for text in [
            "",
            "not xml",
            "<html></html>",
            "<repomd>",
            "<repomd><data type='x'></data></repomd>",
            "<repomd><data type='x'><location href='a'/></data></repomd>",
            "<repomd><revision>&bomb;</revision></repomd>",
            "<repomd><data type='x'><size>-1</size></data></repomd>",
        ] {
            assert!(Repomd::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
