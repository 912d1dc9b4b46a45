//! `primary.xml`: what the solver needs to know of every package.
//!
//! A pull parser over one slice; nothing is built for elements that nobody reads.

mod draft;

use self::draft::{Draft, List, list};
use crate::{
    pieces,
    xml::{self, Problem},
};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use rayon::prelude::*;
use strata_rpm::PackageRecord;

/// The packages, and those that were left out with the reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Packages {
    pub(crate) records: Vec<PackageRecord>,
    pub(crate) skipped: Vec<(String, String)>,
}

/// The text that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Arch,
    Checksum,
    Vendor,
    SourceRpm,
    File,
}

/// Reads a whole `primary.xml`, its pieces at the same time. A document with comments, CDATA
/// sections or errors is read again from the beginning: it cannot be cut blindly, and its errors
/// need their place.
pub(crate) fn parse(xml: &str) -> Result<Packages, Problem> {
    let pieces = pieces::cut(xml);
    if pieces.len() == 1 {
        return parse_whole(xml);
    }
    let last = pieces.len() - 1;
    let parsed: Option<Vec<Parser>> = pieces
        .par_iter()
        .enumerate()
        .map(|(i, piece)| {
            let mut reader = Reader::from_str(piece);
            // the root was opened in the first piece
            reader.config_mut().allow_unmatched_ends = i == last;
            let mut parser = Parser::default();
            loop {
                match reader.read_event().ok()? {
                    Event::CData(_) | Event::Comment(_) | Event::DocType(_) => return None,
                    Event::PI(_) => return None,
                    event => {
                        if parser.event(event).ok()? {
                            break;
                        }
                    }
                }
            }
            // the root is open after the first piece and closed in the last
            let depth = i64::from(i == 0) - i64::from(i == last);
            (parser.depth == depth && parser.closed == (i == last)).then_some(parser)
        })
        .collect();
    let Some(parsed) = parsed else { return parse_whole(xml) };
    let mut all = Packages::default();
    for parser in parsed {
        all.records.extend(parser.packages.records);
        all.skipped.extend(parser.packages.skipped);
    }
    Ok(all)
}

fn parse_whole(xml: &str) -> Result<Packages, Problem> {
    let mut reader = Reader::from_str(xml);
    let mut parser = Parser::default();
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|e| format!("byte {at}: {e}"))?;
        match parser.event(event) {
            Ok(false) => {}
            Ok(true) => break,
            Err(problem) => return Err(format!("byte {at}: {problem}")),
        }
    }
    if !parser.closed {
        return Err("it ends in the middle, or is no `metadata` document".to_owned());
    }
    Ok(parser.packages)
}

#[derive(Default)]
struct Parser {
    packages: Packages,
    draft: Option<Draft>,
    field: Option<Field>,
    list: Option<List>,
    text: String,
    /// Elements opened and not closed.
    depth: i64,
    /// Whether the root was closed.
    closed: bool,
}

impl Parser {
    /// Whether the document has ended.
    fn event(&mut self, event: Event<'_>) -> Result<bool, Problem> {
        match event {
            Event::Start(element) => {
                self.depth += 1;
                self.open(&element, false)?;
            }
            Event::Empty(element) => self.open(&element, true)?,
            Event::Text(text) if self.field.is_some() => self.text.push_str(&text.xml10_content()),
            Event::CData(text) if self.field.is_some() => self.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if self.field.is_some() => {
                xml::push_reference(&mut self.text, &reference)?;
            }
            Event::End(element) => {
                self.depth -= 1;
                self.close(element.local_name().into_inner())?;
            }
            Event::Eof => return Ok(true),
            _ => {}
        }
        Ok(false)
    }

    fn open(&mut self, element: &BytesStart<'_>, empty: bool) -> Result<(), Problem> {
        let name = element.local_name().into_inner();
        let Some(draft) = &mut self.draft else {
            if name == "package" && !empty {
                self.draft = Some(Draft::default());
            }
            return Ok(());
        };
        if name == "entry" {
            if let Some(list) = self.list {
                draft.entry(list, element)?;
            }
            return Ok(());
        }
        let field = match name {
            "file" => Field::File,
            "name" => Field::Name,
            "arch" => Field::Arch,
            "vendor" => Field::Vendor,
            "sourcerpm" => Field::SourceRpm,
            "checksum" => {
                draft.algorithm = xml::attribute(element, "type")?;
                Field::Checksum
            }
            _ => {
                draft.attributes(name, element)?;
                if !empty {
                    self.list = list(name).or(self.list);
                }
                return Ok(());
            }
        };
        if !empty {
            self.field = Some(field);
            self.text.clear();
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Problem> {
        if let (Some(field), Some(draft)) = (self.field.take(), &mut self.draft) {
            let text = self.text.as_str();
            match field {
                Field::File => draft.files.push(text.to_owned()),
                Field::Name => text.trim().clone_into(&mut draft.name),
                Field::Arch => text.trim().clone_into(&mut draft.arch),
                Field::Checksum => text.trim().clone_into(&mut draft.checksum),
                Field::Vendor => text.trim().clone_into(&mut draft.vendor),
                Field::SourceRpm => text.trim().clone_into(&mut draft.source_rpm),
            }
            return Ok(());
        }
        match name {
            "package" => {
                if let Some(draft) = self.draft.take() {
                    draft.finish(&mut self.packages);
                }
            }
            "metadata" => self.closed = true,
            "entry" => {}
            _ if list(name).is_some() => self.list = None,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::parsed;
    use proptest::prelude::*;

    const SAMPLE: &str = "<?xml version='1.0'?><metadata xmlns:rpm='x' packages='1'>\
        <package type='rpm'><name>a&amp;b</name><arch>noarch</arch>\
        <version epoch='0' ver='1' rel='2'></version>\
        <checksum type='sha' pkgid='YES'>0123456789012345678901234567890123456789</checksum>\
        <description><![CDATA[<name>no</name>]]></description>\
        <time file='1' build='7'/><size package='3' installed='4'/>\
        <location xml:base='http://h/' href='p.rpm'/><format><rpm:vendor></rpm:vendor>\
        <rpm:sourcerpm/><rpm:provides><rpm:entry name='a&#38;b' flags='EQ' epoch='0' ver='1' \
        rel='2'/><rpm:entry name='&quot;q&quot;'></rpm:entry></rpm:provides>\
        <rpm:requires><rpm:entry name='(x and y)' pre='1'/></rpm:requires><rpm:enhances/>\
        <file type='ghost'><![CDATA[/c<d]]></file></format></package></metadata>";

    #[test]
    fn odd_but_right() {
        let packages = parse(SAMPLE).unwrap();
        let [record] = packages.records.as_slice() else { panic!("{packages:?}") };
        assert_eq!(record.nevra.to_string(), "a&b-1-2.noarch");
        assert_eq!(record.location_base.as_deref(), Some("http://h/"));
        assert_eq!(record.provides[0].to_string(), "a&b = 1-2");
        assert_eq!(record.provides[1].to_string(), "\"q\"");
        assert!(record.requires[0].pre);
        assert_eq!(record.files, ["/c<d"]);
        assert_eq!((record.size, record.installed_size, record.build_time), (3, 4, 7));
        assert!(record.enhances.is_empty());
    }

    #[test]
    fn a_faulty_package_is_left_out_alone() {
        let end = SAMPLE.find("<package").unwrap();
        for (from, to, part) in [
            ("<arch>noarch</arch>", "", "it has no architecture"),
            ("<name>a&amp;b</name>", "<name/>", "it has no name"),
            ("type='sha'", "type='crc'", "no known checksum type"),
            ("0123456789012345678901234567890123456789", "zz", "not a sha1 digest"),
            ("href='p.rpm'", "", "no location"),
            ("href='p.rpm'", "href='p&#27;.rpm'", "its location has a control character"),
            ("<arch>noarch", "<arch>&#27;[31m", "has a slash or space"),
            ("build='7'", "build='x&#27;'", "`build` is `x\u{fffd}`"),
            ("epoch='0' ver='1' rel='2'>", "epoch='99999999999'>", "too large"),
            ("epoch='0' ver='1' rel='2'>", ">", "it has no version"),
            ("flags='EQ'", "flags='XX'", "`XX` is no comparison"),
            ("name='(x and y)'", "name='(x and'", "a name is expected"),
            ("name='(x and y)'", "name=''", "a dependency without a name"),
        ] {
            let faulty = SAMPLE.replacen(from, to, 1);
            let faulty = faulty.get(end..faulty.len() - "</metadata>".len()).unwrap();
            let packages = parse(&SAMPLE.replacen("<package", &format!("{faulty}<package"), 1));
            let Packages { records, skipped } = packages.unwrap();
            assert_eq!((records.len(), skipped.len()), (1, 1), "{part}");
            assert!(skipped[0].1.contains(part), "{part}: {skipped:?}");
            assert!(!format!("{skipped:?}").contains(char::is_control));
        }
    }

    #[test]
    fn problems_say_where() {
        for (from, to, part) in [
            ("</metadata>", "", "ends in the middle"),
            ("&amp;", "&bomb;", "unknown entity"),
            ("</name>", "</nam>", "byte "),
        ] {
            let problem = parse(&SAMPLE.replacen(from, to, 1)).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }

    /// A document of several pieces, with `odd` somewhere in the middle.
    fn long(odd: &str) -> String {
        let package = |i: usize, extra: &str| {
            format!(
                "<package><name>p{i}</name><arch>noarch</arch><version ver='1' rel='1'/>\
                 <checksum type='sha256'>{i:064}</checksum><location href='{i}.rpm'/>\
                 <description>{}</description>{extra}</package>\n",
                "x".repeat(2000)
            )
        };
        let packages = (0..2000).map(|i| package(i, if i == 900 { odd } else { "" }));
        format!("<?xml version='1.0'?><metadata>{}</metadata>\n", packages.collect::<String>())
    }

    #[test]
    fn pieces_give_what_the_whole_gives() {
        let padding = "</package>".repeat(150_000);
        let comment = format!("<!-- </package> {padding} -->");
        let cdata = format!("<url><![CDATA[{padding}]]></url>");
        for odd in ["", "<!-- -->", "<?pi?>", "</wrong>", "<format>", "<", &comment, &cdata] {
            let text = long(odd);
            assert!(pieces::cut(&text).len() > 3);
            let whole = parse_whole(&text);
            assert!(parse(&text) == whole, "{:?}", whole.err());
            let short = odd.get(..20).unwrap_or(odd);
            assert_eq!(whole.is_ok(), !matches!(odd, "</wrong>" | "<format>" | "<"), "{short}");
        }
        for end in ["</metadata>\n", "</package>\n</metadata>\n"] {
            let text = long("");
            assert!(parse(text.strip_suffix(end).unwrap()).is_err());
        }
    }

    proptest! {
        #[test]
        fn damaged_documents_never_panic(cut in 0..SAMPLE.len(), at in 0..SAMPLE.len(), byte in 32u8..127) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[at] = byte;
            bytes.truncate(SAMPLE.len() - cut);
            if let Ok(packages) = parse(std::str::from_utf8(&bytes).unwrap()) {
                let encoded = parsed::encode(&packages);
                prop_assert_eq!(parsed::decode(&encoded), Some(packages));
            }
        }
    }
}
