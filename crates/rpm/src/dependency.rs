//! Dependencies: capabilities with a version range, and rich (boolean) dependencies.
//!
//! Source: rpm's `docs/manual/dependencies.md` and `docs/manual/boolean_dependencies.md`.

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

/// A name, with or without a version range: `libc.so.6(GLIBC_2.34)(64bit)`, `bash >= 5`,
/// `/usr/bin/sh`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability {
    /// Never empty.
    pub name: String,
    /// None: any version.
    pub version: Option<(Comparison, Evr)>,
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
