//! `exclude` and `includepkgs`: which packages of a repository are seen.

use strata_rpm::{Evr, Nevra, PackageRecord};

/// Keeps the packages that `include` names (all, when it is empty) and `exclude` does not.
pub(crate) fn apply(packages: &mut Vec<PackageRecord>, exclude: &[String], include: &[String]) {
    if exclude.is_empty() && include.is_empty() {
        return;
    }
    let names = |patterns: &[String], package: &PackageRecord| {
        patterns.iter().any(|pattern| matches(pattern, &package.nevra))
    };
    packages.retain(|package| {
        (include.is_empty() || names(include, package)) && !names(exclude, package)
    });
}

/// Whether a glob means a package, in any of the forms that `dnf` takes: name, name.arch,
/// name-version, name-version-release, and the last two with an epoch or an architecture.
fn matches(pattern: &str, nevra: &Nevra) -> bool {
    let Nevra { name, evr: Evr { epoch, version, release }, arch } = nevra;
    let plain = format!("{name}-{version}-{release}");
    let with_epoch = format!("{name}-{epoch}:{version}-{release}");
    glob(pattern, name)
        || glob(pattern, &format!("{name}.{arch}"))
        || glob(pattern, &format!("{name}-{version}"))
        || glob(pattern, &format!("{name}-{epoch}:{version}"))
        || [plain, with_epoch]
            .iter()
            .any(|full| glob(pattern, full) || glob(pattern, &format!("{full}.{arch}")))
}

/// `*`, `?` and `[…]`, over bytes; linear in the text for each `*`.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some(b'?') => Some(p + 1),
            Some(b'[') => class(pattern, p, text[t]),
            Some(b'\\') if p + 1 < pattern.len() => (pattern[p + 1] == text[t]).then_some(p + 2),
            Some(byte) => (*byte == text[t]).then_some(p + 1),
            None => None,
        };
        match (step, retry) {
            (Some(next), _) => {
                p = next;
                t += 1;
            }
            (None, Some((after, from))) => {
                p = after;
                t = from + 1;
                retry = Some((after, t));
            }
            (None, None) => return false,
        }
    }
    pattern[p.min(pattern.len())..].iter().all(|byte| *byte == b'*')
}

/// The position after the class that begins at `start`, if it contains `byte`. An unclosed bracket
/// stands for itself.
fn class(pattern: &[u8], start: usize, byte: u8) -> Option<usize> {
    let negated = matches!(pattern.get(start + 1), Some(b'!' | b'^'));
    let first = start + 1 + usize::from(negated);
    let mut at = first;
    let mut found = false;
    loop {
        match (pattern.get(at), pattern.get(at + 1), pattern.get(at + 2)) {
            (None, ..) => return (byte == b'[').then_some(start + 1),
            (Some(b']'), ..) if at > first => {
                return (found != negated).then_some(at + 1);
            }
            (Some(low), Some(b'-'), Some(high)) if *high != b']' => {
                found |= (*low..=*high).contains(&byte);
                at += 3;
            }
            (Some(one), ..) => {
                found |= *one == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("kernel*", "kernel-core", true),
            ("*-debug*", "a-debuginfo", true),
            ("*-debug", "a-debug-debug", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]x", "]x", true),
            ("[a", "[a", true),
            ("a\\*", "a*", true),
            ("a*b*c", "a-b-b-d", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!glob(&"*a".repeat(60), &"a".repeat(59).repeat(20).replace("aa", "ab")));
    }

    #[test]
    fn forms_of_a_name() {
        let nevra: Nevra = "openssl-1:3.0.7-2.el9.x86_64".parse().unwrap();
        for pattern in [
            "openssl",
            "openssl.x86_64",
            "openssl-3.0.7",
            "openssl-3.0.7-2.el9",
            "openssl-1:3.0.7-2.el9.x86_64",
            "openssl-3.0.7-2.el9.x86_64",
            "open*",
        ] {
            assert!(matches(pattern, &nevra), "{pattern}");
        }
        for pattern in ["openssl.i686", "openssl-0:3.0.7-2.el9.x86_64", "openssl-libs", "ssl"] {
            assert!(!matches(pattern, &nevra), "{pattern}");
        }
    }
}
