//! `gtk-update-icon-cache`: which icons a theme has, in which of its directories.
//! <https://gitlab.gnome.org/GNOME/gtk/-/blob/main/docs/iconcache.txt>
//!
//! The cache is always written: what would make it current are the times of directories, which
//! are all 0 here. Pictures are not put into it, as is the default; attach points of `.icon`
//! files, which no theme has any more, need the program itself.

use super::glib::table::Table;
use super::listing;
use crate::scriptlets::{
    ScriptletError,
    fs::FsError,
    shell::{Flow, Shell, Status},
};

/// How deeply directories may nest; symlinks lead into circles.
const DEPTH: usize = 40;
/// What follows the version, the place of the hash table.
const HASH: u32 = 12;
const NONE: u32 = u32::MAX;

/// Numbers of buckets, as GLib chooses them.
const SIZES: [usize; 34] = [
    11, 19, 37, 73, 109, 163, 251, 367, 557, 823, 1237, 1861, 2777, 4177, 6247, 9371, 14057, 21089,
    31627, 47431, 71143, 106_721, 160_073, 240_101, 360_163, 540_217, 810_343, 1_215_497,
    1_823_231, 2_734_867, 4_102_283, 6_153_409, 9_230_113, 13_845_163,
];

/// Endings and what they set.
const XPM: u16 = 1;
const SVG: u16 = 2;
const PNG: u16 = 4;
const ICON: u16 = 8;

/// Which file endings an icon has, in which directory.
#[derive(Debug, Clone, Copy)]
struct Image {
    directory: u16,
    flags: u16,
}

/// What a theme has.
#[derive(Default)]
struct Theme {
    directories: Vec<String>,
    icons: Table<Vec<Image>>,
}

pub(super) fn update(shell: &mut Shell<'_>, name: &str, words: &[String]) -> Status {
    let names = [
        ("force", 'f'),
        ("ignore-theme-index", 't'),
        ("index-only", 'i'),
        ("quiet", 'q'),
        ("include-image-data", 'D'),
        ("source", 'c'),
        ("validate", 'v'),
    ];
    if words.is_empty() {
        return Ok(0);
    }
    let parsed = super::parse(name, words, "ftiqDc:v", &names)?;
    if let Some(option) = ['D', 'c', 'v'].into_iter().find(|option| parsed.has(*option)) {
        return super::unsupported(format!("{name} -{option}"));
    }
    let Some(directory) = parsed.operands.first() else {
        return super::unsupported(format!("{name} without a directory"));
    };
    let directory = directory.trim_end_matches('/');
    let index = shell.fs.lookup(format!("{directory}/index.theme").as_bytes(), true);
    if !parsed.has('t') && !index.is_ok_and(|place| shell.fs.is_file(&place)) {
        return shell.complain(format!("{name}: No theme index file."));
    }
    let place = shell.fs.lookup(format!("{directory}/").as_bytes(), true);
    if let Err(error) = place {
        return shell.complain(format!(
            "{name}: Failed to open file {directory}/.icon-theme.cache : {error}"
        ));
    }
    let mut theme = Theme::default();
    scan(shell, directory, "", DEPTH, &mut theme)?;
    let target = format!("{directory}/icon-theme.cache");
    if theme.icons.len() == 0 {
        if let Ok(place) = shell.fs.lookup(target.as_bytes(), false) {
            match shell.fs.unlink(&place) {
                Ok(()) | Err(FsError::Errno(_)) => {}
                Err(FsError::Fatal(error)) => return Err(error.into()),
            }
        }
        return Ok(0);
    }
    let bytes = write(&theme)?;
    // what the program would not take as a cache is left beside it
    let printable = |text: &str| text.len() < 1024 && text.bytes().all(|b| b.is_ascii_graphic());
    let names = theme.icons.iter().map(|(name, _)| name);
    if !names.chain(theme.directories.iter().map(String::as_str)).all(printable) {
        listing::replace(shell, &format!("{directory}/.icon-theme.cache"), &bytes)?;
        return shell.complain(format!("{name}: The generated cache was invalid."));
    }
    match listing::replace(shell, &target, &bytes)? {
        0 if parsed.has('q') => Ok(0),
        0 => shell.complain(format!("{name}: Cache file created successfully.")).map(|_| 0),
        status => Ok(status),
    }
}

/// Collects the icons of a directory, after those of the directories in it that sort before.
fn scan(
    shell: &mut Shell<'_>,
    base: &str,
    below: &str,
    depth: usize,
    theme: &mut Theme,
) -> Result<(), Flow> {
    if depth == 0 {
        return Err(ScriptletError::Limit { what: "nested directories" }.into());
    }
    let here = if below.is_empty() { base.to_owned() } else { format!("{base}/{below}") };
    let names = match listing::files(shell, &here) {
        Ok(names) => names,
        Err(FsError::Fatal(error)) => return Err(error.into()),
        Err(FsError::Errno(_)) => return Ok(()),
    };
    let mut found: Table<Image> = Table::default();
    let mut own = None;
    for name in names {
        let Ok(place) = shell.fs.lookup(format!("{here}/{name}").as_bytes(), true) else {
            continue;
        };
        if shell.fs.is_dir(&place) {
            let inner = if below.is_empty() { name } else { format!("{below}/{name}") };
            scan(shell, base, &inner, depth - 1, theme)?;
            continue;
        }
        let Some((stem, flags)) = picture(&name) else { continue };
        if below.is_empty() || !shell.fs.is_file(&place) {
            continue;
        }
        if let Some(image) = found.get_mut(stem) {
            image.flags |= flags;
            continue;
        }
        let directory = match own {
            Some(directory) => directory,
            None => {
                let directory = u16::try_from(theme.directories.len())
                    .map_err(|_| ScriptletError::Limit { what: "directories of icons" })?;
                theme.directories.push(below.to_owned());
                *own.insert(directory)
            }
        };
        found.insert(stem, Image { directory, flags });
    }
    for (name, image) in found.iter() {
        if image.flags == ICON {
            continue;
        }
        if image.flags & ICON != 0 {
            let construct = format!("{below}/{name}.icon");
            return Err(ScriptletError::unsupported(construct).into());
        }
        match theme.icons.get_mut(name) {
            Some(images) => images.insert(0, *image),
            None => theme.icons.insert(name, vec![*image]),
        }
    }
    Ok(())
}

/// The name of an icon and what its ending sets.
fn picture(name: &str) -> Option<(&str, u16)> {
    let endings = [(".png", PNG), (".svg", SVG), (".xpm", XPM), (".icon", ICON)];
    endings.into_iter().find_map(|(ending, flag)| Some((name.strip_suffix(ending)?, flag)))
}

/// The hash of an icon's name in the file.
fn hash(name: &str) -> u32 {
    let signed = |byte: u8| i32::from(byte.cast_signed()).cast_unsigned();
    let mut bytes = name.bytes();
    let first = bytes.next().map_or(0, signed);
    bytes.fold(first, |hash, byte| hash.wrapping_mul(31).wrapping_add(signed(byte)))
}

struct File {
    bytes: Vec<u8>,
    /// Where strings are that are there already.
    strings: Table<u32>,
}

impl File {
    fn at(&self) -> Result<u32, ScriptletError> {
        u32::try_from(self.bytes.len()).map_err(|_| ScriptletError::Limit { what: "bytes" })
    }

    fn put16(&mut self, number: u16) {
        self.bytes.extend(number.to_be_bytes());
    }

    fn put(&mut self, number: u32) {
        self.bytes.extend(number.to_be_bytes());
    }

    fn set(&mut self, at: usize, number: u32) {
        self.bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

/// The file: a header, a hash table of names with chains of nodes, a list of directories.
fn write(theme: &Theme) -> Result<Vec<u8>, ScriptletError> {
    let wanted = theme.icons.len() / 3;
    let size = SIZES.into_iter().find(|size| *size > wanted).unwrap_or(SIZES[33]);
    let mut buckets = vec![Vec::new(); size];
    for (name, images) in theme.icons.iter() {
        buckets[hash(name) as usize % size].push((name, images));
    }
    let mut file = File { bytes: Vec::new(), strings: Table::default() };
    file.put16(1);
    file.put16(0);
    file.put(HASH);
    file.put(0);
    file.put(u32::try_from(size).unwrap_or(NONE));
    let heads = file.bytes.len();
    file.bytes.resize(heads + size * 4, 0xff);
    for (number, bucket) in buckets.iter().enumerate() {
        let mut link = heads + number * 4;
        // the last that came into a bucket is its first
        for (name, images) in bucket.iter().rev() {
            let node = file.at()?;
            file.set(link, node);
            link = file.bytes.len();
            file.put(NONE);
            let known = file.strings.get(name).copied();
            file.put(known.unwrap_or(node + 12));
            let list = file.bytes.len();
            file.put(0);
            if known.is_none() {
                file.strings.insert(name, node + 12);
                file.text(name);
            }
            let place = file.at()?;
            file.set(list, place);
            file.put(u32::try_from(images.len()).unwrap_or(NONE));
            for image in *images {
                file.put16(image.directory);
                file.put16(image.flags);
                file.put(0);
            }
        }
    }
    let directories = file.at()?;
    file.set(8, directories);
    file.put(u32::try_from(theme.directories.len()).unwrap_or(NONE));
    let list = file.bytes.len();
    file.bytes.resize(list + theme.directories.len() * 4, 0);
    for (number, directory) in theme.directories.iter().enumerate() {
        let place = match file.strings.get(directory) {
            Some(place) => *place,
            None => {
                let place = file.at()?;
                file.strings.insert(directory, place);
                file.text(directory);
                place
            }
        };
        file.set(list + number * 4, place);
    }
    Ok(file.bytes)
}
