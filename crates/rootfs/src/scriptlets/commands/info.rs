//! `install-info`: the list of manuals that `info` begins with.

use super::{failed, operand, parse, unsupported};
use crate::scriptlets::{
    fs::FsError,
    shell::{Flow, Shell, Status},
};
use std::{collections::BTreeMap, io::Read};

/// Bytes of a manual that are looked at.
const MANUAL: u64 = 64 << 20;

const HEAD: &str = "This is the file .../info/dir, which contains the\n\
    topmost node of the Info hierarchy, called (dir)Top.\n\
    The first time you invoke Info you start off looking at this node.\n\
    \x1f\n\
    File: dir,\tNode: Top\tThis is the top of the INFO tree\n\
    \n\
    \x20\x20This (the Directory node) gives a menu of major topics.\n\
    \x20\x20Typing \"q\" exits, \"H\" lists all Info commands, \"d\" returns here,\n\
    \x20\x20\"h\" gives a primer for first-timers,\n\
    \x20\x20\"mEmacs<Return>\" visits the Emacs manual, etc.\n\
    \n\
    \x20\x20In Emacs, you can click mouse button 2 on a menu item or cross reference\n\
    \x20\x20to select it.\n\
    \n\
    * Menu:\n";

/// Manuals are read plain or packed by gzip.
pub(super) fn install_info(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("delete", 'r'),
        ("remove", 'r'),
        ("info-dir", 'D'),
        ("dir-file", 'd'),
        ("info-file", 'i'),
        ("quiet", 'q'),
        ("section", 's'),
        ("entry", 'e'),
    ];
    let parsed = parse("install-info", words, "rD:d:i:qs:e:", &names)?;
    if parsed.has('r') {
        return unsupported("install-info --delete");
    }
    let mut operands = parsed.operands.iter().cloned();
    let Some(manual) = parsed.value('i').map(str::to_owned).or_else(|| operands.next()) else {
        return shell.complain("install-info: no input file");
    };
    let dir = match (parsed.value('d'), parsed.value('D')) {
        (Some(file), _) => file.to_owned(),
        (None, Some(directory)) => format!("{directory}/dir"),
        (None, None) => match operands.next() {
            Some(file) => file,
            None => return unsupported("install-info without a directory"),
        },
    };
    // the plain name stands for a packed manual, too
    let packed = format!("{manual}.gz");
    let lacks = |name: &str| shell.fs.lookup(name.as_bytes(), true).is_err();
    let manual = if lacks(&manual) && !lacks(&packed) { packed } else { manual };
    let Some(bytes) = operand(shell, "install-info", &manual)? else { return Ok(1) };
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) { unpack(shell, &bytes)? } else { bytes };
    if bytes.starts_with(b"\xfd7zXZ") || bytes.starts_with(b"BZh") {
        return unsupported("install-info of a manual that gzip did not pack");
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let values = |letter| {
        let own = parsed.options.iter().filter(move |(one, _)| *one == letter);
        own.map(|(_, value)| value.clone())
    };
    let (given, sections): (Vec<_>, Vec<_>) = (values('e').collect(), values('s').collect());
    let mut found = entries(&text);
    if !given.is_empty() {
        let entries: Vec<String> = given.iter().map(|entry| format!("{entry}\n")).collect();
        let mut own: Vec<String> = found.keys().cloned().collect();
        if own.is_empty() {
            own.push("Miscellaneous".to_owned());
        }
        found = own.into_iter().map(|section| (section, entries.clone())).collect();
    }
    if !sections.is_empty() {
        let all: Vec<String> = found.into_values().flatten().collect();
        found = sections.into_iter().map(|section| (section, all.clone())).collect();
    }
    let entries = found;
    if entries.is_empty() {
        return Ok(0);
    }
    let old = match shell.fs.lookup(dir.as_bytes(), true).map_err(FsError::from) {
        Ok(place) => match shell.fs.read(&place) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => return failed(shell, &dir, error),
        },
        Err(_) => HEAD.to_owned(),
    };
    let new = merge(&old, &entries);
    let result = shell.fs.resolve(dir.as_bytes(), true).map_err(FsError::from);
    match result.and_then(|place| shell.fs.write_file(&place, new.as_bytes())) {
        Ok(()) => Ok(0),
        Err(error) => failed(shell, dir, error),
    }
}

/// What gzip packed, as far as the limits allow.
fn unpack(shell: &mut Shell<'_>, bytes: &[u8]) -> Result<Vec<u8>, Flow> {
    let most = shell.budget.left.bytes.min(MANUAL);
    let mut out = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(most);
    if reader.read_to_end(&mut out).is_err() || out.len() as u64 == most {
        return unsupported("install-info of a damaged or huge manual");
    }
    shell.budget.bytes(out.len())?;
    Ok(out)
}

/// The entries of a manual by the section they belong to.
fn entries(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut sections: Vec<String> = Vec::new();
    let mut entry: Option<String> = None;
    let mut fresh = true;
    for line in text.lines() {
        if let Some(section) = line.strip_prefix("INFO-DIR-SECTION ") {
            if fresh {
                sections.clear();
            }
            sections.push(section.trim().to_owned());
            fresh = false;
        } else if line == "START-INFO-DIR-ENTRY" {
            entry = Some(String::new());
        } else if line == "END-INFO-DIR-ENTRY" {
            let text = entry.take().unwrap_or_default();
            if sections.is_empty() {
                sections.push("Miscellaneous".to_owned());
            }
            for section in &sections {
                found.entry(section.clone()).or_default().push(text.clone());
            }
            fresh = true;
        } else if let Some(entry) = &mut entry {
            entry.push_str(line);
            entry.push('\n');
        }
    }
    found
}

/// The list with the entries in their sections, sorted.
fn merge(old: &str, entries: &BTreeMap<String, Vec<String>>) -> String {
    let (head, rest) = match old.split_once("* Menu:\n") {
        Some((head, rest)) => (format!("{head}* Menu:\n"), rest),
        None => (HEAD.to_owned(), ""),
    };
    let mut sections: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name: Option<String> = None;
    for line in rest.lines() {
        if line.is_empty() {
            name = None;
        } else if let Some(section) = &name {
            let list: &mut Vec<String> = sections.entry(section.clone()).or_default();
            match list.last_mut() {
                Some(last) if !line.starts_with('*') => last.push_str(&format!("{line}\n")),
                _ => list.push(format!("{line}\n")),
            }
        } else {
            name = Some(line.to_owned());
        }
    }
    for (section, texts) in entries {
        let list = sections.entry(section.clone()).or_default();
        for text in texts {
            let mut one = String::new();
            for line in text.lines().chain(["*"]) {
                if line.starts_with('*') && !one.is_empty() {
                    if !list.contains(&one) {
                        list.push(one.clone());
                    }
                    one.clear();
                }
                one.push_str(&format!("{line}\n"));
            }
        }
        list.sort();
    }
    let mut out = head;
    for (section, list) in sections {
        out.push_str(&format!("\n{section}\n"));
        out.extend(list);
    }
    out
}
