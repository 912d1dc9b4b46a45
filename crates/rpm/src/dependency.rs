//! Dependencies: capabilities with a version range, and rich (boolean) dependencies.
//!
//! Source: rpm's `docs/manual/dependencies.md` and `docs/manual/boolean_dependencies.md`.

mod parse;

use crate::Evr;
use std::fmt;

/// How a capability's version compares to the one that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    /// The operator as rpm writes it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }
}

/// `RPMSENSE_*`: what a header says of a dependency beside its name and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sense(pub u32);

impl Sense {
    /// `RPMSENSE_LESS`
    pub const LESS: u32 = 1 << 1;
    /// `RPMSENSE_GREATER`
    pub const GREATER: u32 = 1 << 2;
    /// `RPMSENSE_EQUAL`
    pub const EQUAL: u32 = 1 << 3;
    /// `RPMSENSE_POSTTRANS`
    pub const POSTTRANS: u32 = 1 << 5;
    /// `RPMSENSE_PREREQ`
    pub const PREREQ: u32 = 1 << 6;
    /// `RPMSENSE_PRETRANS`
    pub const PRETRANS: u32 = 1 << 7;
    /// `RPMSENSE_INTERP`
    pub const INTERP: u32 = 1 << 8;
    /// `RPMSENSE_SCRIPT_PRE`
    pub const SCRIPT_PRE: u32 = 1 << 9;
    /// `RPMSENSE_SCRIPT_POST`
    pub const SCRIPT_POST: u32 = 1 << 10;
    /// `RPMSENSE_SCRIPT_PREUN`
    pub const SCRIPT_PREUN: u32 = 1 << 11;
    /// `RPMSENSE_SCRIPT_POSTUN`
    pub const SCRIPT_POSTUN: u32 = 1 << 12;
    /// `RPMSENSE_TRIGGERIN`
    pub const TRIGGERIN: u32 = 1 << 16;
    /// `RPMSENSE_TRIGGERUN`
    pub const TRIGGERUN: u32 = 1 << 17;
    /// `RPMSENSE_TRIGGERPOSTUN`
    pub const TRIGGERPOSTUN: u32 = 1 << 18;
    /// `RPMSENSE_TRIGGERPREIN`
    pub const TRIGGERPREIN: u32 = 1 << 25;
    /// `RPMSENSE_RPMLIB`
    pub const RPMLIB: u32 = 1 << 24;
    /// `RPMSENSE_CONFIG`
    pub const CONFIG: u32 = 1 << 28;

    /// The comparison; none when there is none, or when every version would do.
    pub fn comparison(self) -> Option<Comparison> {
        match self.0 & (Self::LESS | Self::GREATER | Self::EQUAL) {
            Self::LESS => Some(Comparison::Less),
            Self::GREATER => Some(Comparison::Greater),
            Self::EQUAL => Some(Comparison::Equal),
            both if both == Self::LESS | Self::EQUAL => Some(Comparison::LessOrEqual),
            both if both == Self::GREATER | Self::EQUAL => Some(Comparison::GreaterOrEqual),
            _ => None,
        }
    }

    /// The flags of a comparison.
    pub fn of(comparison: Comparison) -> u32 {
        match comparison {
            Comparison::Less => Self::LESS,
            Comparison::LessOrEqual => Self::LESS | Self::EQUAL,
            Comparison::Equal => Self::EQUAL,
            Comparison::GreaterOrEqual => Self::GREATER | Self::EQUAL,
            Comparison::Greater => Self::GREATER,
        }
    }

    /// Whether it must be met before the package's scriptlets run; the flags that createrepo_c
    /// turns into `pre="1"`.
    pub fn is_pre(self) -> bool {
        self.0 & (Self::PREREQ | Self::SCRIPT_PRE | Self::SCRIPT_POST) != 0
    }
}

/// A name, with or without a version range: `libc.so.6(GLIBC_2.34)(64bit)`, `bash >= 5`,
/// `/usr/bin/sh`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability {
    /// Never empty.
    pub name: String,
    /// None: any version.
    pub version: Option<(Comparison, Evr)>,
}

impl Capability {
    /// Whether one version can satisfy both: rpm's `rpmdsCompare`. Without a version on either side
    /// any will do; a side without a release takes every release when its comparison has `=`.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        let (Some((ours, our)), Some((theirs, their))) = (&self.version, &other.version) else {
            return true;
        };
        let up = |c: &Comparison| matches!(c, Comparison::Greater | Comparison::GreaterOrEqual);
        let down = |c: &Comparison| matches!(c, Comparison::Less | Comparison::LessOrEqual);
        let equal = |c: &Comparison| !matches!(c, Comparison::Less | Comparison::Greater);
        match our.cmp_dependency(their) {
            std::cmp::Ordering::Less => up(ours) || down(theirs),
            std::cmp::Ordering::Greater => down(ours) || up(theirs),
            std::cmp::Ordering::Equal => {
                let open = match (our.release.is_empty(), their.release.is_empty()) {
                    (true, false) => equal(ours),
                    (false, true) => equal(theirs),
                    _ => false,
                };
                open || equal(ours) && equal(theirs)
                    || up(ours) && up(theirs)
                    || down(ours) && down(theirs)
            }
        }
    }
}

/// One entry of `Requires`, `Provides`, `Conflicts` and their kin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dependency {
    /// A plain capability.
    Simple(Capability),
    /// A boolean expression in parentheses.
    Rich(Box<RichDependency>),
}

/// A boolean dependency. Chains of one operator are kept flat, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RichDependency {
    /// All of them.
    And(Vec<Dependency>),
    /// At least one of them.
    Or(Vec<Dependency>),
    /// One package that provides all of them.
    With(Vec<Dependency>),
    /// A package that provides the first and none of the second.
    Without(Dependency, Dependency),
    /// `then if condition [else otherwise]`
    If {
        /// What is needed when the condition holds.
        then: Dependency,
        /// The condition.
        condition: Dependency,
        /// What is needed when it does not.
        otherwise: Option<Dependency>,
    },
    /// `then unless condition [else otherwise]`
    Unless {
        /// What is meant when the condition does not hold.
        then: Dependency,
        /// The condition.
        condition: Dependency,
        /// What is meant when it does.
        otherwise: Option<Dependency>,
    },
}

/// Why a text is not a dependency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a dependency: {reason}")]
pub struct ParseDependencyError {
    /// The whole text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ParseDependencyError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(if self.text.trim_start().starts_with('(') {
            "a boolean dependency looks like `(a >= 1 or b)`; see rpm's boolean dependencies"
                .to_owned()
        } else {
            "a dependency looks like `name` or `name >= version`, with spaces around the operator"
                .to_owned()
        })
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some((comparison, evr)) => write!(f, " {} {evr}", comparison.symbol()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(capability) => capability.fmt(f),
            Self::Rich(rich) => write!(f, "({rich})"),
        }
    }
}

impl fmt::Display for RichDependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = |f: &mut fmt::Formatter<'_>, word: &str, all: &[Dependency]| {
            for (i, one) in all.iter().enumerate() {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                one.fmt(f)?;
            }
            Ok(())
        };
        let conditional = |f: &mut fmt::Formatter<'_>,
                           word: &str,
                           then: &Dependency,
                           condition: &Dependency,
                           otherwise: &Option<Dependency>| {
            write!(f, "{then} {word} {condition}")?;
            match otherwise {
                Some(otherwise) => write!(f, " else {otherwise}"),
                None => Ok(()),
            }
        };
        match self {
            Self::And(all) => chain(f, "and", all),
            Self::Or(all) => chain(f, "or", all),
            Self::With(all) => chain(f, "with", all),
            Self::Without(a, b) => write!(f, "{a} without {b}"),
            Self::If { then, condition, otherwise } => {
                conditional(f, "if", then, condition, otherwise)
            }
            Self::Unless { then, condition, otherwise } => {
                conditional(f, "unless", then, condition, otherwise)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::{Capability, Dependency};

    fn capability(text: &str) -> Capability {
        match text.parse().unwrap() {
            Dependency::Simple(capability) => capability,
            Dependency::Rich(rich) => panic!("{rich:?}"),
        }
    }

    #[test]
    fn overlaps() {
        let both = |a: &str, b: &str| {
            let found = capability(a).overlaps(&capability(b));
            assert_eq!(found, capability(b).overlaps(&capability(a)), "{a} {b}");
            found
        };
        for (a, b) in [
            ("a", "a = 1"),
            ("a = 1", "a = 1-2"),
            ("a >= 1", "a = 3-1"),
            ("a < 2", "a = 1-9"),
            ("a > 1", "a > 5"),
            ("a > 1", "a < 5"),
            ("a = 1", "a > 1-2"),
            ("a <= 1", "a = 1-1"),
            ("a = 1:1-1", "a > 2"),
        ] {
            assert!(both(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("a", "b"),
            ("a = 1", "a = 2"),
            ("a > 1", "a = 1"),
            ("a > 1", "a = 1-5"),
            ("a < 1", "a > 1"),
            ("a = 1-1", "a = 1-2"),
            ("a > 5", "a < 5"),
        ] {
            assert!(!both(a, b), "{a} {b}");
        }
    }
}
