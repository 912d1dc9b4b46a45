//! `update-crypto-policies`: which of the texts that a package brings each library reads.
//!
//! Source: its own program. Where no administrator adds to a library's text, the program makes a
//! link to the one that was generated when the package was built, else a file of both.

use super::{failed, make_directories, parse, text_of, unsupported};
use crate::scriptlets::{
    ScriptletError,
    fs::FsError,
    shell::{Shell, Status},
};

const PROFILES: &str = "/usr/share/crypto-policies";
const BASE: &str = "/etc/crypto-policies";
/// What does the work of the program.
const PROGRAM: &str = "/usr/share/crypto-policies/python/update-crypto-policies.py";

pub(super) fn update(shell: &mut Shell<'_>, words: &[String]) -> Status {
    let names = [("set", 's'), ("no-check", 'c'), ("no-reload", 'r'), ("nocheck", 'c')];
    let parsed = parse("update-crypto-policies", words, "s:cr", &names)?;
    if !parsed.operands.is_empty() {
        return unsupported("update-crypto-policies of this form");
    }
    let needed = || {
        Err(ScriptletError::NeedsProgram { program: "update-crypto-policies".to_owned(), line: 0 }
            .into())
    };
    // later programs also write down what the policy comes to
    if text_of(shell, PROGRAM)?.is_none_or(|text| text.contains("CURRENT.pol")) {
        return needed();
    }
    let policy = match parsed.value('s') {
        Some(policy) => policy.to_uppercase(),
        None => {
            let text = match text_of(shell, &format!("{BASE}/config"))? {
                Some(text) => text,
                None => text_of(shell, &format!("{PROFILES}/default-config"))?.unwrap_or_default(),
            };
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            // more lines are changes of the policy, which have to be computed
            let [policy] = lines.as_slice() else { return needed() };
            policy.to_uppercase()
        }
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if policy.is_empty() || !policy.chars().all(plain) {
        return needed();
    }
    let profile = format!("{PROFILES}/{policy}");
    let Ok(directory) = shell.fs.lookup(profile.as_bytes(), true) else { return needed() };
    let texts: Vec<String> = shell
        .fs
        .children(&directory)
        .into_iter()
        .filter_map(|name| Some(String::from_utf8(name).ok()?.strip_suffix(".txt")?.to_owned()))
        .collect();
    if texts.is_empty() {
        return needed();
    }
    shell.out(format!("Setting system policy to {policy}\n"))?;
    match write(shell, &policy, &profile, &texts, parsed.has('s')) {
        Err(FsError::Fatal(error)) => Err(error.into()),
        Err(error) => failed(shell, "update-crypto-policies", error),
        Ok(()) => Ok(0),
    }
}

fn write(
    shell: &mut Shell<'_>,
    policy: &str,
    profile: &str,
    texts: &[String],
    set: bool,
) -> Result<(), FsError> {
    let back_ends = make_directories(shell, &format!("{BASE}/back-ends"))?;
    make_directories(shell, &format!("{BASE}/state"))?;
    for name in texts {
        let at = back_ends.join(format!("{name}.config").as_bytes());
        if shell.fs.exists(&at) {
            shell.fs.unlink(&at)?;
        }
        let added = added(shell, name)?;
        if added.is_empty() {
            shell.fs.symlink(format!("{profile}/{name}.txt").as_bytes(), &at)?;
            continue;
        }
        let place = shell.fs.resolve(format!("{profile}/{name}.txt").as_bytes(), true)?;
        let text = [&shell.fs.read(&place)?[..], &added].concat();
        shell.fs.write_file(&at, &text)?;
    }
    let line = format!("{policy}\n");
    if set {
        let place = shell.fs.resolve(format!("{BASE}/config").as_bytes(), true)?;
        shell.fs.write_file(&place, line.as_bytes())?;
    }
    let place = shell.fs.resolve(format!("{BASE}/state/current").as_bytes(), false)?;
    if shell.fs.exists(&place) {
        shell.fs.unlink(&place)?;
    }
    shell.fs.write_file(&place, line.as_bytes())
}

/// What the administrator's files add to a library's text: `local.d/NAME-*.config`.
fn added(shell: &mut Shell<'_>, name: &str) -> Result<Vec<u8>, FsError> {
    let Ok(directory) = shell.fs.lookup(format!("{BASE}/local.d").as_bytes(), true) else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    let start = format!("{name}-").into_bytes();
    for file in shell.fs.children(&directory) {
        if file.starts_with(&start) && file.ends_with(b".config") {
            out.extend_from_slice(&shell.fs.read(&directory.join(&file))?);
        }
    }
    Ok(out)
}
