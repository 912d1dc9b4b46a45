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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;
    use Ordering::{Equal, Greater, Less};
    use proptest::prelude::*;

    fn evr(text: &str) -> Evr {
        text.parse().unwrap()
    }

    /// Answers of `rpmvercmp` in rpm 4.18.
    #[test]
    fn compares_like_rpm() {
        for (a, b, expected) in [
            ("1.0", "1.0", Equal),
            ("", "", Equal),
            ("", "+", Equal),
            ("", "..", Equal),
            ("+é^_", "+é^.", Equal),
            ("1..", "1..-", Equal),
            ("1.5", "1.05", Equal),
            ("1a..^", "1a..^-", Equal),
            ("_1_", "_1_..", Equal),
            ("a+", "+a", Equal),
            ("fc4", "fc.4", Equal),
            ("~", "~.", Equal),
            ("~b0ab1a~", "~b0ab1a~.", Equal),
            ("+^rc1", "+", Greater),
            ("002a1Z", "002", Greater),
            ("002~rc1~rc_", "a00b_", Greater),
            ("00abb0", "0~", Greater),
            ("1.0", "~", Greater),
            ("1.0010", "^", Greater),
            ("1.0^git1", "+", Greater),
            ("1.0~rc1^git1", "~", Greater),
            ("1.2.3-4", "xyz", Greater),
            ("1.5", "~^", Greater),
            ("1.9", "_", Greater),
            ("1aérc1ab", "~rc20240101git..b00", Greater),
            ("20240101git", "1a+9999999999999999999999", Greater),
            ("20240101gitrc1+", "201a", Greater),
            ("Zé0220240101gita", "Zé022024^", Greater),
            ("a", "+~rc^.02ab", Greater),
            ("fc409999999999999999999999", "fc409999999999b", Greater),
            ("éafc40a1", "éafc0", Greater),
            ("10.1xyz", "10.1", Greater),
            ("1.0^", "1.0", Greater),
            ("1.0^git1", "1.0^git1~pre", Greater),
            ("", "1+ab10", Less),
            ("+a", "1.0^20160101~", Less),
            ("+~rc", "+_", Less),
            ("-zabrc1Za1", "122", Less),
            ("00", "10aab+a2", Less),
            ("0210^git", "021010", Less),
            ("1.0^20160101~", "2.50", Less),
            ("1b", "10.1xyz", Less),
            ("20240101git", "20240101git9999999999999999999999", Less),
            ("^", "1.0^", Less),
            ("^", "1.0~rc1", Less),
            ("^rc1~1^git", "^rc1~1^git2", Less),
            ("a002~~Zz", "aa1", Less),
            ("ab..ab1-", "ab.20240101git", Less),
            ("z", "20240101git^", Less),
            ("~rc10a1", "~1a", Less),
            ("~~", "+", Less),
            ("1.0~rc1", "1.0", Less),
            ("1.0^git1", "1.0.1", Less),
        ] {
            assert_eq!(vercmp(a.as_bytes(), b.as_bytes()), expected, "{a} {b}");
            assert_eq!(vercmp(b.as_bytes(), a.as_bytes()), expected.reverse(), "{b} {a}");
        }
    }

    #[test]
    fn parts() {
        for (text, epoch, version, release) in [
            ("1.0", 0, "1.0", ""),
            ("1.0-1", 0, "1.0", "1"),
            ("2:1.0-1.fc40", 2, "1.0", "1.fc40"),
            (":1.0", 0, "1.0", ""),
            ("a:1.0-1", 0, "a:1.0", "1"),
            ("1-2-3", 0, "1-2", "3"),
            ("0:1", 0, "1", ""),
            ("", 0, "", ""),
        ] {
            let expected = Evr { epoch, version: version.to_owned(), release: release.to_owned() };
            assert_eq!(evr(text), expected, "{text}");
        }
        assert_eq!(evr("2:1.0-1").to_string(), "2:1.0-1");
        assert_eq!(evr("0:1.0").to_string(), "1.0");
    }

    #[test]
    fn dependencies_ignore_a_missing_release() {
        assert_eq!(evr("1.0-5").cmp_dependency(&evr("1.0")), Equal);
        assert_eq!(evr("1.0-5").cmp_dependency(&evr("1.0-6")), Less);
        assert_eq!(evr("1:1.0").cmp_dependency(&evr("2.0")), Greater);
    }

    #[test]
    fn order_agrees_with_equality() {
        assert_eq!(vercmp(b"1.0", b"1..0"), Equal);
        assert_ne!(evr("1.0").cmp(&evr("1..0")), Equal);
    }

    proptest! {
        #[test]
        fn total_order(texts in proptest::collection::vec("[0-9a-z.~^]{0,8}", 3)) {
            let [a, b, c] = [0, 1, 2].map(|i| texts[i].as_bytes());
            prop_assert_eq!(vercmp(a, b), vercmp(b, a).reverse());
            if vercmp(a, b) != Greater && vercmp(b, c) != Greater {
                prop_assert_ne!(vercmp(a, c), Greater);
            }
        }
    }
}
