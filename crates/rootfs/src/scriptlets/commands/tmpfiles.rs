//! `systemd-tmpfiles --create`: what `tmpfiles.d` puts into the image itself. What lies in
//! memory on a running system (`/run`, `/tmp`, `/dev`, `/proc`, `/sys`) is made at boot.

use super::{
    super::fs::{FsError, Meta},
    make_directories, meta, parse, text_of, unsupported,
};
use crate::scriptlets::{
    glob,
    shell::{Flow, Shell, Status},
    units::merged,
};

const DIRECTORIES: [&str; 3] =
    ["/etc/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d"];

pub(super) fn tmpfiles(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [
        ("create", 'c'),
        ("remove", 'r'),
        ("clean", 'l'),
        ("boot", 'b'),
        ("prefix", 'p'),
        ("exclude-prefix", 'x'),
    ];
    let parsed = parse("systemd-tmpfiles", words, "crlbp:x:E", &names)?;
    if parsed.has('p') || parsed.has('x') || parsed.has('r') {
        return unsupported("systemd-tmpfiles --prefix or --remove");
    }
    if !parsed.has('c') {
        return Ok(0);
    }
    let files: Vec<String> = if parsed.operands.is_empty() {
        merged(shell, &DIRECTORIES, ".conf")
    } else {
        let mut files = Vec::new();
        for name in &parsed.operands {
            if name == "-" {
                return unsupported("systemd-tmpfiles -");
            }
            if name.starts_with('/') {
                files.push(name.clone());
                continue;
            }
            let all = DIRECTORIES.iter().map(|directory| format!("{directory}/{name}"));
            let found = all.into_iter().find(|path| shell.fs.lookup(path.as_bytes(), true).is_ok());
            match found {
                Some(found) => files.push(found),
                None => return shell.complain(format!("Failed to find {name}")),
            }
        }
        files
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    for file in files {
        let text = text_of(shell, &file)?.unwrap_or_default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let fields: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            if fields.len() >= 2
                && !lines.iter().any(|other| other[0] == fields[0] && other[1] == fields[1])
            {
                lines.push(fields);
            }
        }
    }
    // parents first
    lines.sort_by(|a, b| a[1].cmp(&b[1]));
    let mut status = 0;
    for line in &lines {
        shell.budget.steps(1)?;
        if let Some(unknown) = unknown_owner(shell, line)? {
            shell.complain(format!("Failed to resolve {unknown}: No such process"))?;
            status = 65;
            continue;
        }
        match create(shell, line)? {
            Ok(()) => {}
            Err(FsError::Fatal(error)) => return Err(error.into()),
            Err(FsError::Errno(error)) => {
                shell.complain(format!("{}: {error}", line[1]))?;
                status = 73;
            }
        }
    }
    Ok(status)
}

/// The user or group of a line that nobody defines: such a line is passed over.
fn unknown_owner(shell: &Shell<'_>, line: &[String]) -> Result<Option<String>, Flow> {
    let named = |index: usize| {
        let text = line.get(index)?.trim_start_matches(':');
        (text != "-" && !text.is_empty() && !line[0].contains('!')).then_some(text)
    };
    if let Some(user) = named(3)
        && meta::user(shell, user)?.is_none()
    {
        return Ok(Some(format!("user '{user}'")));
    }
    if let Some(group) = named(4)
        && meta::group(shell, group)?.is_none()
    {
        return Ok(Some(format!("group '{group}'")));
    }
    Ok(None)
}

fn create(shell: &mut Shell<'_>, line: &[String]) -> Result<Result<(), FsError>, Flow> {
    let path = line[1].as_str();
    let volatile = ["/run", "/var/run", "/tmp", "/dev", "/proc", "/sys"];
    let below = |top: &str| path == top || path.starts_with(&format!("{top}/"));
    let link = path == "/var/run";
    if volatile.iter().any(|top| below(top)) && !link || line[0].contains('!') {
        return Ok(Ok(()));
    }
    // removal and exclusion do nothing at creation; attributes and lists of rights are not of the
    // tree; what comes from a credential is not there
    if line[0].starts_with(['r', 'R', 'x', 'X', 'h', 'H', 't', 'T', 'a', 'A'])
        || line[0].contains('^')
    {
        return Ok(Ok(()));
    }
    if line.iter().any(|field| field.contains('%')) {
        // an image has no machine-id yet: such lines are passed over
        let known = text_of(shell, "/etc/machine-id")?.is_some_and(|id| !id.trim().is_empty());
        let machine = |field: &String| !field.replace("%m", "").contains('%');
        if known || !line.iter().all(machine) {
            return unsupported(format!("specifier in tmpfiles.d of {path}"));
        }
        return Ok(Ok(()));
    }
    if line.iter().any(|field| field.starts_with(['"', '\''])) {
        return unsupported("quotes in tmpfiles.d");
    }
    if path.contains(['*', '?', '[']) {
        let text: Vec<(char, bool)> = path.chars().map(|c| (c, false)).collect();
        let found = glob::expand(&shell.fs, &mut shell.budget, &text)?;
        return if found.is_empty() { Ok(Ok(())) } else { unsupported("a pattern in tmpfiles.d") };
    }
    let kind = line[0].trim_end_matches(['!', '-', '=', '~', '^', '$']);
    let here = shell.fs.lookup(path.as_bytes(), false).ok();
    // after a colon: only for what is made anew
    let given = |index: usize| {
        let text = line.get(index).map(String::as_str).filter(|text| *text != "-")?;
        match text.strip_prefix(':') {
            Some(_) if here.is_some() => None,
            rest => Some(rest.unwrap_or(text)),
        }
    };
    let mode = match given(2).map(|text| text.trim_start_matches(['~', ':'])) {
        Some(text) => match u16::from_str_radix(text, 8) {
            Ok(mode) => Some(mode),
            Err(_) => return unsupported(format!("mode {text} in tmpfiles.d")),
        },
        None => None,
    };
    let mut wanted = Meta { mode, ..Meta::default() };
    if let Some(name) = given(3) {
        wanted.uid = meta::user(shell, name)?;
    }
    if let Some(name) = given(4) {
        wanted.gid = meta::group(shell, name)?;
    }
    let argument = line.get(6..).unwrap_or_default().join(" ");
    let argument = if argument == "-" { String::new() } else { argument };
    let above = path.trim_end_matches('/').rsplit_once('/').map_or("/", |(above, _)| above);
    let mut inner = || -> Result<Result<(), FsError>, Flow> {
        let mut step = || -> Result<Option<Meta>, FsError> {
            match kind {
                "d" | "D" | "v" | "q" | "Q" if here.is_none() => {
                    make_directories(shell, path)?;
                    wanted.mode = Some(wanted.mode.unwrap_or(0o755));
                }
                "f" | "f+" | "F" if here.is_none() || kind != "f" => {
                    make_directories(shell, above)?;
                    let place = shell.fs.resolve(path.as_bytes(), false)?;
                    shell.fs.write_file(&place, argument.as_bytes())?;
                    wanted.mode = Some(wanted.mode.unwrap_or(0o644));
                }
                "L" | "L+" => {
                    let place = shell.fs.resolve(path.as_bytes(), false);
                    if here.is_some() && kind == "L" {
                        return Ok(None);
                    }
                    if let (Ok(place), true) = (&place, here.is_some()) {
                        shell.fs.remove_all(place)?;
                    }
                    make_directories(shell, above)?;
                    let place = shell.fs.resolve(path.as_bytes(), false)?;
                    let target = if argument.is_empty() {
                        format!("/usr/share/factory{path}")
                    } else {
                        argument.clone()
                    };
                    shell.fs.symlink(target.as_bytes(), &place)?;
                    return Ok(None);
                }
                "e" | "z" | "m" if here.is_none() => return Ok(None),
                _ => {}
            }
            Ok(Some(wanted))
        };
        match kind {
            "d" | "D" | "v" | "q" | "Q" | "f" | "f+" | "F" | "L" | "L+" | "e" | "z" | "m" => {}
            // what is there stays
            "C" if here.is_some() => return Ok(Ok(())),
            other => return unsupported(format!("tmpfiles.d type {other}")),
        }
        let meta = match step() {
            Ok(Some(meta)) => meta,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let place = match shell.fs.lookup(path.as_bytes(), false) {
            Ok(place) => place,
            Err(error) => return Ok(Err(error.into())),
        };
        let owner = shell.fs.set_meta(&place, Meta { mode: None, ..meta });
        Ok(owner
            .and_then(|()| shell.fs.set_meta(&place, Meta { mode: meta.mode, ..Meta::default() })))
    };
    inner()
}
