//! What a plugin returned, taken for true only where it is.

use crate::{
    limits,
    text::{harmful, quoted},
};
use strata_oci::Port;
use strata_rootfs::TreePath;

/// Words after "the plugin gave".
pub(crate) type Wrong = String;

/// A path of the image: absolute, no `.`, `..` or empty components.
pub(crate) fn path(what: &str, text: &str) -> Result<TreePath, Wrong> {
    let wrong = |why: &str| format!("{what} {}: {why}", quoted(text));
    if !text.starts_with('/') {
        return Err(wrong("a path begins with `/`"));
    }
    if text.len() > limits::PATH {
        return Err(wrong("a path has at most 4095 bytes"));
    }
    if text != "/" && text.ends_with('/') {
        return Err(wrong("a path does not end with `/`"));
    }
    let path = TreePath::new(text)
        .map_err(|_| wrong("a path has no empty parts, no `.` and `..`, and no NUL"))?;
    for part in path.components() {
        if part.len() > limits::NAME {
            return Err(wrong("a name in a path has at most 255 bytes"));
        }
        if part.starts_with(b".wh.") {
            return Err(wrong("a name that begins with `.wh.` means a removed file in a layer"));
        }
    }
    Ok(path)
}

/// A path of the image that is not the root itself.
pub(crate) fn inner_path(what: &str, text: &str) -> Result<TreePath, Wrong> {
    inner(what, path(what, text)?)
}

/// A path that will be made: fit to be shown, too.
pub(crate) fn new_path(what: &str, text: &str) -> Result<TreePath, Wrong> {
    if text.chars().any(harmful) {
        return Err(format!("{what} {}: it has control characters", quoted(text)));
    }
    path(what, text)
}

/// A path that will be made, and is not the root itself.
pub(crate) fn new_inner_path(what: &str, text: &str) -> Result<TreePath, Wrong> {
    inner(what, new_path(what, text)?)
}

fn inner(what: &str, path: TreePath) -> Result<TreePath, Wrong> {
    match path.is_root() {
        true => Err(format!("{what} `/`: the root is there, and stays")),
        false => Ok(path),
    }
}

/// What a symbolic link says.
pub(crate) fn target(at: &str, target: String) -> Result<Vec<u8>, Wrong> {
    let wrong = |why| format!("{} as target of {}: {why}", quoted(&target), quoted(at));
    if target.is_empty() {
        return Err(wrong("a link has a target"));
    }
    if target.len() > limits::PATH {
        return Err(wrong("a target has at most 4095 bytes"));
    }
    if target.chars().any(harmful) {
        return Err(wrong("it has control characters"));
    }
    Ok(target.into_bytes())
}

/// Permission bits.
pub(crate) fn mode(at: &str, mode: u32) -> Result<u16, Wrong> {
    u16::try_from(mode)
        .ok()
        .filter(|mode| *mode <= 0o7777)
        .ok_or_else(|| format!("mode {mode:#o} for {}: 0o7777 is the most", quoted(at)))
}

/// Name of a user or group.
pub(crate) fn account(at: &str, name: String) -> Result<String, Wrong> {
    match is_account(&name) {
        true => Ok(name),
        false => Err(format!("owner {} for {}: it is no name", quoted(&name), quoted(at))),
    }
}

fn is_account(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || "_.-$@\\".contains(c);
    !name.is_empty() && name.len() <= 256 && !name.starts_with('-') && name.chars().all(fine)
}

/// `User`: names or numbers, with or without a group.
pub(crate) fn user(text: String) -> Result<String, Wrong> {
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text.as_str(), None),
    };
    let number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let fine = |part: &str| is_account(part) && (!number(part) || part.parse::<u32>().is_ok());
    match fine(user) && group.is_none_or(fine) {
        true => Ok(text),
        false => Err(format!("user {}: it is not of the form user[:group]", quoted(&text))),
    }
}

/// Program and arguments.
pub(crate) fn words(what: &str, words: Vec<String>) -> Result<Vec<String>, Wrong> {
    if words.first().is_none_or(String::is_empty) {
        return Err(format!("{what} without a program"));
    }
    words.into_iter().map(|word| value(what, word)).collect()
}

/// A text of any characters but NUL, which no program can get.
pub(crate) fn value(what: &str, text: String) -> Result<String, Wrong> {
    match text.contains('\0') {
        true => Err(format!("{what} {}: it has a NUL", quoted(&text))),
        false => Ok(text),
    }
}

/// Name of a label or annotation.
pub(crate) fn key(what: &str, name: String) -> Result<String, Wrong> {
    match name.is_empty() || name.chars().any(harmful) {
        true => Err(format!("{what} {}: it is empty or has control characters", quoted(&name))),
        false => Ok(name),
    }
}

/// Name of a variable of the environment.
pub(crate) fn variable(name: String) -> Result<String, Wrong> {
    match name.is_empty() || name.contains('=') || name.chars().any(harmful) {
        true => Err(format!("variable {}: that is no name of a variable", quoted(&name))),
        false => Ok(name),
    }
}

/// `SIGTERM`, `SIGRTMIN+3`, or a number.
pub(crate) fn signal(text: String) -> Result<String, Wrong> {
    let number = text.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
    let named = text.strip_prefix("SIG").is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"+-".contains(&b))
    });
    match number || named {
        true => Ok(text),
        false => Err(format!("stop signal {}: it is no signal", quoted(&text))),
    }
}

/// A port in its full form.
pub(crate) fn port(text: &str) -> Result<String, Wrong> {
    match text.parse::<Port>() {
        Ok(port) => Ok(port.to_string()),
        Err(error) => Err(format!("port {}: {}", quoted(text), error.hint())),
    }
}
