//! Puts lead, signature header, header and payload together.

use super::{
    PackError, PackFile, PackManifest,
    archive::{self, Member},
    dependencies,
    entries::{Entry, EntryKind, entries},
};
use crate::{
    Evr, HeaderKind, Tag,
    header::{Data, HeaderBuilder},
};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Compression level of the payload. It enters the package's bytes.
const LEVEL: i32 = 10;
/// What the old size tags can hold.
const MAX_SIZE: usize = u32::MAX as usize;

/// A binary package of these files. The same input gives the same bytes.
pub fn build(manifest: &PackManifest, files: Vec<PackFile>) -> Result<Vec<u8>, PackError> {
    check(manifest)?;
    let entries = entries(manifest, files)?;
    let time = manifest.time();
    let inodes = inodes(&entries);
    let archive = payload(&entries, &inodes, time)?;
    let payload = zstd::stream::encode_all(archive.as_slice(), LEVEL)
        .map_err(|error| PackError::key("files", format!("cannot be compressed: {error}")))?;

    let mut header = HeaderBuilder::new();
    describe(manifest, time, &mut header);
    list_files(&entries, &inodes, time, &mut header)?;
    let evr = Evr {
        epoch: manifest.epoch,
        version: manifest.version.clone(),
        release: manifest.release.clone(),
    };
    dependencies::write(manifest, &evr.to_string(), &entries, &mut header)?;
    header
        .string(Tag::PAYLOADFORMAT, "cpio")
        .string(Tag::PAYLOADCOMPRESSOR, "zstd")
        .string(Tag::PAYLOADFLAGS, &LEVEL.to_string())
        .set(Tag::PAYLOADDIGEST, strings([hex::encode(Sha256::digest(&payload))]))
        .set(Tag::PAYLOADDIGESTALT, strings([hex::encode(Sha256::digest(&archive))]))
        .set(Tag::PAYLOADDIGESTALGO, Data::Int32(vec![8]));
    let header = header.build(HeaderKind::Main);

    let md5 = Md5::new().chain_update(&header).chain_update(&payload).finalize();
    let mut signature = HeaderBuilder::new();
    signature
        .string(Tag::SHA1HEADER, &hex::encode(Sha1::digest(&header)))
        .string(Tag::SHA256HEADER, &hex::encode(Sha256::digest(&header)))
        .set(Tag::SIG_SIZE, Data::Int32(vec![(header.len() + payload.len()) as u32]))
        .set(Tag::SIG_MD5, Data::Bin(md5.to_vec()))
        .set(Tag::SIG_PAYLOADSIZE, Data::Int32(vec![archive.len() as u32]));
    let signature = signature.build(HeaderKind::Signature);

    let mut out = lead(manifest);
    out.extend(signature);
    out.resize(out.len().next_multiple_of(8), 0);
    out.extend(header);
    out.extend(payload);
    Ok(out)
}

fn check(manifest: &PackManifest) -> Result<(), PackError> {
    let part = |key: &str, text: &str, extra: &str| {
        let fine = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
        match text.chars().find(|c| !fine(*c)) {
            _ if text.is_empty() => Err(PackError::key(key, "it is empty")),
            Some(wrong) => {
                Err(PackError::key(key, format!("`{}` cannot be part of it", wrong.escape_debug())))
            }
            None => Ok(()),
        }
    };
    part("name", &manifest.name, "._+-")?;
    if manifest.name.starts_with(['.', '+', '-']) {
        return Err(PackError::key("name", "it must begin with a letter, a digit or `_`"));
    }
    part("version", &manifest.version, "._+~^")?;
    part("release", &manifest.release, "._+~^")?;
    part("arch", &manifest.arch, "_")?;
    if matches!(manifest.arch.as_str(), "src" | "nosrc") {
        return Err(PackError::key("arch", "source packages cannot be packed"));
    }
    if let Some(source) = &manifest.source {
        part("source", source, "._+-")?;
    }
    let texts = [
        ("summary", manifest.summary.as_deref()),
        ("description", manifest.description.as_deref()),
        ("license", Some(manifest.license.as_str())),
        ("vendor", manifest.vendor.as_deref()),
        ("url", manifest.url.as_deref()),
    ];
    for (key, text) in texts {
        if text.is_some_and(|text| text.contains('\0')) {
            return Err(PackError::key(key, "it has a NUL"));
        }
    }
    for (index, entry) in manifest.changelog.iter().enumerate() {
        if entry.author.contains('\0') || entry.text.contains('\0') {
            return Err(PackError::key(format!("changelog[{index}]"), "it has a NUL"));
        }
    }
    let all = &manifest.scriptlets;
    for (key, scriptlet) in [
        ("scriptlets.pre", &all.pre),
        ("scriptlets.post", &all.post),
        ("scriptlets.preun", &all.preun),
        ("scriptlets.postun", &all.postun),
        ("scriptlets.pretrans", &all.pretrans),
        ("scriptlets.posttrans", &all.posttrans),
    ] {
        let Some(scriptlet) = scriptlet else { continue };
        let program = scriptlet.program.first();
        if !program.is_some_and(|program| program.starts_with('/') || program == "<lua>") {
            return Err(PackError::key(key, "`program` begins with an absolute path or `<lua>`"));
        }
        if scriptlet.program.iter().chain([&scriptlet.script]).any(|text| text.contains('\0')) {
            return Err(PackError::key(key, "it has a NUL"));
        }
    }
    Ok(())
}

fn lead(manifest: &PackManifest) -> Vec<u8> {
    let mut out = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1];
    let name = format!("{}-{}-{}", manifest.name, manifest.version, manifest.release);
    out.extend(name.bytes().take(65));
    out.resize(76, 0);
    // operating system Linux, signature type "header"
    out.extend([0, 1, 0, 5]);
    out.resize(96, 0);
    out
}

fn strings(texts: impl IntoIterator<Item = String>) -> Data {
    Data::StringArray(texts.into_iter().map(String::into_bytes).collect())
}

/// Everything but files and dependencies.
fn describe(manifest: &PackManifest, time: u32, header: &mut HeaderBuilder) {
    let summary = manifest.summary.as_deref().unwrap_or(&manifest.name);
    let description = manifest.description.as_deref().unwrap_or(summary);
    let source = manifest.source.as_deref().unwrap_or(&manifest.name);
    let i18n = |text: &str| Data::I18nString(text.as_bytes().to_vec());
    header
        .set(Tag::HEADERI18NTABLE, strings(["C".to_owned()]))
        .string(Tag::NAME, &manifest.name)
        .string(Tag::VERSION, &manifest.version)
        .string(Tag::RELEASE, &manifest.release)
        .set(Tag::SUMMARY, i18n(summary))
        .set(Tag::DESCRIPTION, i18n(description))
        .set(Tag::GROUP, i18n("Unspecified"))
        .set(Tag::BUILDTIME, Data::Int32(vec![time]))
        .string(Tag::BUILDHOST, "localhost")
        .string(Tag::LICENSE, &manifest.license)
        .string(Tag::OS, "linux")
        .string(Tag::ARCH, &manifest.arch)
        .string(Tag::RPMVERSION, "strata")
        .string(Tag::ENCODING, "utf-8")
        .string(
            Tag::SOURCERPM,
            &format!("{source}-{}-{}.src.rpm", manifest.version, manifest.release),
        );
    if manifest.epoch != 0 {
        header.set(Tag::EPOCH, Data::Int32(vec![manifest.epoch]));
    }
    for (tag, text) in [(Tag::VENDOR, &manifest.vendor), (Tag::URL, &manifest.url)] {
        if let Some(text) = text {
            header.string(tag, text);
        }
    }
    for (scriptlet, _, [body, program]) in dependencies::scriptlets(manifest) {
        let Some(scriptlet) = scriptlet else { continue };
        if !scriptlet.script.is_empty() {
            header.string(body, &scriptlet.script);
        }
        match scriptlet.program.as_slice() {
            [only] => header.string(program, only),
            several => header.set(program, strings(several.to_vec())),
        };
    }
    let log = &manifest.changelog;
    header
        .set(Tag::CHANGELOGTIME, Data::Int32(log.iter().map(|entry| entry.time).collect()))
        .set(Tag::CHANGELOGNAME, strings(log.iter().map(|entry| entry.author.clone())))
        .set(Tag::CHANGELOGTEXT, strings(log.iter().map(|entry| entry.text.clone())));
}

/// Of every entry: the position of the entry whose inode it has.
fn inodes(entries: &[Entry]) -> Vec<usize> {
    let by_path: BTreeMap<&[u8], usize> =
        entries.iter().enumerate().map(|(i, entry)| (entry.path.as_slice(), i)).collect();
    entries
        .iter()
        .enumerate()
        .map(|(i, entry)| match &entry.kind {
            EntryKind::HardLink { target } => by_path.get(target.as_slice()).copied().unwrap_or(i),
            _ => i,
        })
        .collect()
}

/// The content that an entry shares with its hard links.
fn content(entries: &[Entry], inode: usize) -> &[u8] {
    match entries.get(inode).map(|entry| &entry.kind) {
        Some(EntryKind::Regular { content }) => content,
        _ => &[],
    }
}

fn payload(entries: &[Entry], inodes: &[usize], time: u32) -> Result<Vec<u8>, PackError> {
    let mut sets = BTreeMap::<usize, Vec<usize>>::new();
    for (position, inode) in inodes.iter().enumerate() {
        sets.entry(*inode).or_default().push(position);
    }
    let mut archive = Vec::new();
    for (position, inode) in inodes.iter().enumerate() {
        let set = sets.get(inode).map(Vec::as_slice).unwrap_or_default();
        // rpm wants the members of a hard-link set one after the other, content with the last
        if set.last() != Some(&position) {
            continue;
        }
        for (member, entry) in set.iter().filter_map(|at| Some((*at, entries.get(*at)?))) {
            if entry.is_ghost() {
                continue;
            }
            let bytes = match &entry.kind {
                EntryKind::Symlink { target } => target.as_slice(),
                EntryKind::Directory => &[],
                EntryKind::Regular { .. } | EntryKind::HardLink { .. } if member != position => &[],
                EntryKind::Regular { .. } | EntryKind::HardLink { .. } => content(entries, *inode),
            };
            if archive.len().saturating_add(bytes.len()) > MAX_SIZE - (1 << 20) {
                return Err(PackError::file(&entry.path, "the package would exceed 4 GiB"));
            }
            let member = Member {
                path: &entry.path,
                inode: *inode as u32 + 1,
                mode: entry.mode,
                links: set.len() as u32,
                time,
            };
            archive::append(&mut archive, &member, bytes);
        }
    }
    archive::finish(&mut archive);
    Ok(archive)
}

fn list_files(
    entries: &[Entry],
    inodes: &[usize],
    time: u32,
    header: &mut HeaderBuilder,
) -> Result<(), PackError> {
    let mut directories = Vec::<Vec<u8>>::new();
    let mut directory_of = BTreeMap::<Vec<u8>, u32>::new();
    let mut indexes = Vec::new();
    let mut names = Vec::new();
    let (mut sizes, mut digests, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    let mut total = 0_usize;
    for (position, (entry, inode)) in entries.iter().zip(inodes).enumerate() {
        let split = entry.path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (directory, name) = entry.path.split_at(split);
        let next = directories.len() as u32;
        let index = *directory_of.entry(directory.to_vec()).or_insert(next);
        if index == next {
            directories.push(directory.to_vec());
        }
        indexes.push(index);
        names.push(name.to_vec());
        let (size, digest, target) = match &entry.kind {
            EntryKind::Symlink { target } => (target.len(), Vec::new(), target.clone()),
            // rpm counts a directory as one block
            EntryKind::Directory => (4096, Vec::new(), Vec::new()),
            _ if entry.is_ghost() => (0, Vec::new(), Vec::new()),
            EntryKind::Regular { .. } | EntryKind::HardLink { .. } => {
                let content = content(entries, *inode);
                (content.len(), hex::encode(Sha256::digest(content)).into_bytes(), Vec::new())
            }
        };
        if *inode == position && matches!(entry.kind, EntryKind::Regular { .. }) {
            total += size;
        }
        sizes.push(size as u32);
        digests.push(digest);
        targets.push(target);
    }
    let total = u32::try_from(total)
        .map_err(|_| PackError::key("files", "they have more than 4 GiB in all"))?;
    header.set(Tag::SIZE, Data::Int32(vec![total]));
    if entries.is_empty() {
        return Ok(());
    }
    let numbers = |pick: &dyn Fn(&Entry) -> u32| Data::Int32(entries.iter().map(pick).collect());
    let texts = |pick: fn(&Entry) -> &str| {
        Data::StringArray(entries.iter().map(|entry| pick(entry).as_bytes().to_vec()).collect())
    };
    header
        .set(Tag::FILESIZES, Data::Int32(sizes))
        .set(Tag::FILEMODES, Data::Int16(entries.iter().map(|entry| entry.mode).collect()))
        .set(Tag::FILERDEVS, Data::Int16(vec![0; entries.len()]))
        .set(Tag::FILEMTIMES, numbers(&|_| time))
        .set(Tag::FILEDIGESTS, Data::StringArray(digests))
        .set(Tag::FILELINKTOS, Data::StringArray(targets))
        .set(Tag::FILEFLAGS, numbers(&|entry| entry.flags))
        .set(Tag::FILEUSERNAME, texts(|entry| &entry.user))
        .set(Tag::FILEGROUPNAME, texts(|entry| &entry.group))
        // all, but of a ghost only what it keeps when somebody fills it
        .set(
            Tag::FILEVERIFYFLAGS,
            numbers(&|entry| if entry.is_ghost() { !0b10_0111 } else { u32::MAX }),
        )
        .set(Tag::FILEDEVICES, numbers(&|_| 1))
        .set(Tag::FILEINODES, Data::Int32(inodes.iter().map(|i| *i as u32 + 1).collect()))
        .set(Tag::FILELANGS, texts(|_| ""))
        .set(Tag::DIRINDEXES, Data::Int32(indexes))
        .set(Tag::BASENAMES, Data::StringArray(names))
        .set(Tag::DIRNAMES, Data::StringArray(directories))
        .set(Tag::FILEDIGESTALGO, Data::Int32(vec![8]));
    if entries.iter().any(|entry| !entry.caps.is_empty()) {
        header.set(Tag::FILECAPS, texts(|entry| &entry.caps));
    }
    Ok(())
}
