//! Why packages cannot be together, as facts and in words.

use crate::error::{printable, some};
use std::fmt;
use strata_rpm::Nevra;

/// One contradiction: a chain of facts that leads from what is requested to what is impossible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Each follows from those before it, as far as the solver tells.
    pub facts: Vec<Fact>,
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// The image asks for it.
    Requested {
        /// The request as it was written.
        request: String,
        /// The packages that would do.
        candidates: Vec<Nevra>,
    },
    /// A package needs one of others.
    Requires {
        /// The package.
        package: Nevra,
        /// Whether a request names it.
        requested: bool,
        /// What it requires.
        dependency: String,
        /// The packages that provide it.
        providers: Vec<Nevra>,
    },
    /// A package needs what is nowhere.
    NothingProvides {
        /// The package.
        package: Nevra,
        /// Whether a request names it.
        requested: bool,
        /// What it requires.
        dependency: String,
    },
    /// A package refuses another.
    Conflicts {
        /// The package.
        package: Nevra,
        /// What it conflicts with.
        dependency: String,
        /// The package that provides it; may be the package itself.
        other: Nevra,
    },
    /// A package replaces another.
    Obsoletes {
        /// The package.
        package: Nevra,
        /// What it obsoletes.
        dependency: String,
        /// The package that is obsoleted.
        other: Nevra,
    },
    /// Two packages of one name.
    SameName {
        /// The one.
        package: Nevra,
        /// The other.
        other: Nevra,
    },
    /// A package is excluded.
    Excluded {
        /// The package.
        package: Nevra,
    },
    /// A package may not be used, because there is the same for a better architecture.
    InferiorArch {
        /// The package.
        package: Nevra,
    },
    /// With `best`, an older package may not be taken.
    NotBest {
        /// The request as it was written, where it is known.
        request: Option<String>,
    },
    /// What the solver cannot say more of.
    Other {
        /// Its own words.
        text: String,
    },
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |requested: &bool| if *requested { " (requested)" } else { "" };
        match self {
            Self::Requested { request, candidates } => {
                write!(f, "`{}` is requested", printable(request))?;
                match candidates.as_slice() {
                    [] => Ok(()),
                    [one] if one.to_string() == *request => Ok(()),
                    [_] => write!(f, ", which only {} matches", some(candidates)),
                    _ => write!(f, ", which {} match", some(candidates)),
                }
            }
            Self::Requires { package, requested, dependency, providers } => {
                let dependency = printable(dependency);
                write!(f, "{}{} requires `{dependency}`", name(package), mark(requested))?;
                match providers.as_slice() {
                    [] => write!(f, ", which nothing installable provides"),
                    [_] => write!(f, ", which only {} provides", some(providers)),
                    _ => write!(f, ", which {} provide", some(providers)),
                }
            }
            Self::NothingProvides { package, requested, dependency } => {
                let dependency = printable(dependency);
                let mark = mark(requested);
                write!(f, "{}{mark} requires `{dependency}`, which nothing provides", name(package))
            }
            Self::Conflicts { package, dependency, other } => {
                write!(f, "{} conflicts with `{}`", name(package), printable(dependency))?;
                if package == other {
                    write!(f, ", which it provides itself")
                } else {
                    write!(f, ", which {} provides", name(other))
                }
            }
            Self::Obsoletes { package, dependency, other } => {
                write!(f, "{} obsoletes `{}`", name(package), printable(dependency))?;
                write!(f, ", which is {}", name(other))
            }
            Self::SameName { package, other } => {
                write!(f, "{} and {} cannot both be installed", name(package), name(other))
            }
            Self::Excluded { package } => write!(f, "{} is excluded", name(package)),
            Self::InferiorArch { package } => {
                write!(f, "{} is for an inferior architecture", name(package))
            }
            Self::NotBest { request: Some(request) } => {
                write!(f, "`best` asks for the newest `{}`", printable(request))
            }
            Self::NotBest { request: None } => write!(f, "`best` asks for the newest package"),
            Self::Other { text } => f.write_str(&printable(text)),
        }
    }
}

fn name(nevra: &Nevra) -> String {
    format!("`{}`", printable(&nevra.to_string()))
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 16;
        for (i, fact) in self.facts.iter().take(SHOWN).enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "  - {fact}")?;
        }
        match self.facts.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\n  - … and {more} more such facts"),
        }
    }
}
