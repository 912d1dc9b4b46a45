//! Epoch, version, release, and rpm's way to compare them.

use std::{cmp::Ordering, convert::Infallible, fmt, str::FromStr};

/// `[epoch:]version[-release]`. An absent epoch is 0; an absent release is empty, and then matches
/// every release when a dependency is compared (see [`Evr::cmp_dependency`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Evr {
    /// 0 when the package states none.
    pub epoch: u32,
    /// Never contains `-`.
    pub version: String,
    /// Empty in most dependencies.
    pub release: String,
}

impl Evr {
    /// Compares as rpm does when a dependency's version is matched: without a release on either
    /// side, the release does not count.
    pub fn cmp_dependency(&self, other: &Self) -> Ordering {
        let head = self
            .epoch
            .cmp(&other.epoch)
            .then_with(|| vercmp(self.version.as_bytes(), other.version.as_bytes()));
        if self.release.is_empty() || other.release.is_empty() {
            return head;
        }
        head.then_with(|| vercmp(self.release.as_bytes(), other.release.as_bytes()))
    }
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| vercmp(self.version.as_bytes(), other.version.as_bytes()))
            .then_with(|| vercmp(self.release.as_bytes(), other.release.as_bytes()))
            // rpm calls `1.0` and `1..0` equal; an order that agrees with `==` has to tell them apart
            .then_with(|| self.version.cmp(&other.version))
            .then_with(|| self.release.cmp(&other.release))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if !self.release.is_empty() {
            write!(f, "-{}", self.release)?;
        }
        Ok(())
    }
}

impl FromStr for Evr {
    type Err = Infallible;

    /// Like rpm, takes any text: an epoch is only what consists of digits before the first colon.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, rest) = match text.split_once(':') {
            Some((e, rest)) if e.bytes().all(|b| b.is_ascii_digit()) => {
                (e.parse().unwrap_or(0), rest)
            }
            _ => (0, text),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Ok(Self { epoch, version: version.to_owned(), release: release.to_owned() })
    }
}

/// rpm's `rpmvercmp`: runs of digits against runs of letters, `~` before everything, `^` after the
/// end but before anything longer.
pub fn vercmp(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    let skip = |s: &[u8]| {
        s.iter()
            .position(|c| c.is_ascii_alphanumeric() || *c == b'~' || *c == b'^')
            .unwrap_or(s.len())
    };
    loop {
        a = &a[skip(a)..];
        b = &b[skip(b)..];
        match (a.first() == Some(&b'~'), b.first() == Some(&b'~')) {
            (true, true) => {
                a = &a[1..];
                b = &b[1..];
                continue;
            }
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        match (a.first() == Some(&b'^'), b.first() == Some(&b'^')) {
            (true, true) => {
                a = &a[1..];
                b = &b[1..];
                continue;
            }
            (true, false) => {
                return if b.is_empty() { Ordering::Greater } else { Ordering::Less };
            }
            (false, true) => {
                return if a.is_empty() { Ordering::Less } else { Ordering::Greater };
            }
            (false, false) => {}
        }
        let (Some(first), false) = (a.first(), b.is_empty()) else {
            return a.len().min(1).cmp(&b.len().min(1));
        };
        let digits = first.is_ascii_digit();
        let run = |s: &[u8]| {
            s.iter()
                .position(|c| if digits { !c.is_ascii_digit() } else { !c.is_ascii_alphabetic() })
                .unwrap_or(s.len())
        };
        let (na, nb) = (run(a), run(b));
        if nb == 0 {
            // a number is newer than a word
            return if digits { Ordering::Greater } else { Ordering::Less };
        }
        let (x, y) = (&a[..na], &b[..nb]);
        let order = if digits {
            let trim = |s: &[u8]| s.iter().position(|c| *c != b'0').unwrap_or(s.len());
            let (x, y) = (&x[trim(x)..], &y[trim(y)..]);
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
        a = &a[na..];
        b = &b[nb..];
    }
}
