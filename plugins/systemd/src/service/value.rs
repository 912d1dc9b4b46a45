//! Values of directives, as systemd reads them.

use crate::files::simplify;

/// systemd's truth values; none for any other.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Whether systemd takes it as the name or number of a user or group. It is lenient with names,
/// but for such as look like numbers.
pub fn is_account(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let number = text.parse::<u32>();
        let reserved = |number| matches!(number, 0xffff | u32::MAX);
        return number.is_ok_and(|number| !reserved(number) && text == number.to_string());
    }
    !matches!(text, "." | "..")
        && text.trim() == text
        && !text.contains(|c: char| c == ':' || c == '/' || c.is_control())
}

/// A path below a directory; none for one that leads out of it.
pub fn below(text: &str) -> Option<String> {
    if text.starts_with('/') {
        return None;
    }
    let path = simplify(&format!("/{text}"))?;
    let path = path.strip_prefix('/')?;
    (!path.is_empty() && path != "private" && !path.starts_with("private/"))
        .then(|| path.to_owned())
}

/// `SIGTERM` for `TERM`, `15`; the number of a real-time signal.
pub fn signal(text: &str) -> Option<String> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    const RTMIN: u32 = 34;
    const RTMAX: u32 = 64;
    if let Ok(number) = text.parse::<u32>() {
        let name = number.checked_sub(1).and_then(|index| NAMES.get(index as usize));
        return match name {
            Some(name) => Some(format!("SIG{name}")),
            None => (32..=RTMAX).contains(&number).then(|| number.to_string()),
        };
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if NAMES.contains(&name) {
        return Some(format!("SIG{name}"));
    }
    let number = if let Some(offset) = name.strip_prefix("RTMIN") {
        let offset = if offset.is_empty() { 0 } else { offset.strip_prefix('+')?.parse().ok()? };
        RTMIN.checked_add(offset)?
    } else {
        let offset = name.strip_prefix("RTMAX")?;
        let offset = if offset.is_empty() { 0 } else { offset.strip_prefix('-')?.parse().ok()? };
        RTMAX.checked_sub(offset)?
    };
    (RTMIN..=RTMAX).contains(&number).then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals() {
        for (text, name) in [
            ("TERM", Some("SIGTERM")),
            ("SIGQUIT", Some("SIGQUIT")),
            ("9", Some("SIGKILL")),
            ("SIGRTMIN+3", Some("37")),
            ("RTMAX", Some("64")),
            ("0", None),
            ("65", None),
            ("RTMIN+40", None),
        ] {
            assert_eq!(signal(text).as_deref(), name, "{text}");
        }
    }
}
