//! `filelists.xml`: looking for some paths among millions, without keeping the rest.

use crate::xml::{self, Problem};
use quick_xml::{Reader, events::Event};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::BufRead,
};
use strata_rpm::glob;

/// The wanted paths that each package has, by the hexadecimal checksum of the package.
pub(crate) type Hits = BTreeMap<String, Vec<String>>;

/// The paths that are wanted, as they are or as patterns.
struct Wanted<'a> {
    paths: HashSet<&'a str>,
    patterns: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn new(wanted: &'a BTreeSet<String>) -> Self {
        let paths = wanted.iter().map(String::as_str);
        // a dependency may name a path that looks like a pattern: it is both
        let patterns = paths.clone().filter(|path| glob::is_glob(path)).collect();
        Self { paths: paths.collect(), patterns }
    }

    fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
            || self.patterns.iter().any(|pattern| glob::matches(pattern, path))
    }
}

/// Reads the whole document, so that its checksum is verified too.
pub(crate) fn find(source: impl BufRead, wanted: &BTreeSet<String>) -> Result<Hits, Problem> {
    let wanted = Wanted::new(wanted);
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    let mut hits = Hits::new();
    let (mut package, mut text) = (String::new(), String::new());
    let (mut in_file, mut closed) = (false, false);
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(|e| match e {
            quick_xml::Error::Io(e) => e.to_string(),
            e => format!("byte {}: {e}", reader.error_position()),
        })?;
        match event {
            Event::Start(e) => match e.local_name().into_inner() {
                "file" => {
                    in_file = true;
                    text.clear();
                }
                "package" => package = xml::attribute(&e, "pkgid")?.unwrap_or_default(),
                _ => {}
            },
            Event::Text(part) if in_file => text.push_str(&part.xml10_content()),
            Event::CData(part) if in_file => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) if in_file => xml::push_reference(&mut text, &reference)?,
            Event::End(e) => {
                if in_file {
                    in_file = false;
                    if wanted.has(&text) {
                        hits.entry(package.to_ascii_lowercase()).or_default().push(text.clone());
                    }
                } else {
                    closed |= e.local_name().into_inner() == "filelists";
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if closed { Ok(hits) } else { Err("it ends in the middle".to_owned()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn only_what_is_wanted() {
        let text = "<filelists packages='2'><package pkgid='AB' name='a' arch='x'>\
            <version epoch='0' ver='1' rel='1'/><file>/a&amp;b</file><file type='dir'>/d</file>\
            <file>/c</file></package><package pkgid='cd'><file>/c</file></package></filelists>";
        let wanted = ["/a&b", "/c", "/none"].map(str::to_owned).into();
        let hits = find(text.as_bytes(), &wanted).unwrap();
        assert_eq!(hits["ab"], ["/a&b", "/c"]);
        assert_eq!(hits["cd"], ["/c"]);
        let hits =
            find(text.as_bytes(), &["*/c".to_owned(), "/a?[a-c]".to_owned()].into()).unwrap();
        assert_eq!(hits["ab"], ["/a&b", "/c"]);
        assert_eq!(hits["cd"], ["/c"]);
        assert!(find(&text.as_bytes()[..100], &wanted).is_err());
        assert!(find(&text.as_bytes()[..text.len() - 12], &wanted).is_err());
    }
}
