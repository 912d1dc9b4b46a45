//! What is told of an image's scriptlets, and what is done with those that are not interpreted.

use serde::Serialize;
use std::{collections::BTreeMap, fmt};
use strata_oci::{Digest, canonical_json};
use strata_rootfs::installation::{Ran, ScriptRun};
use strata_spec::Scriptlets;

/// What became of one script of a package. One that several packages set off is there each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScriptletReport {
    /// The package, name only.
    pub package: String,
    /// The section of a spec file, `%post`.
    pub section: &'static str,
    /// Its interpreter with arguments.
    pub program: String,
    /// What became of it.
    pub outcome: ScriptletOutcome,
    /// Why, where it was left out or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What became of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptletOutcome {
    /// Interpreted on the tree.
    Interpreted,
    /// The image's own programs ran it, shut in.
    Sandboxed,
    /// Left out.
    Skipped,
    /// It ended with a failure that rpm only warns of.
    Failed,
}

impl fmt::Display for ScriptletOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interpreted => "interpreted",
            Self::Sandboxed => "sandboxed",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for ScriptletReport {
    /// `NAME %post (/bin/sh): skipped: WHY`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, section, program, outcome, reason } = self;
        write!(f, "{package} {section} ({program}): {outcome}")?;
        reason.iter().try_for_each(|reason| write!(f, ": {reason}"))
    }
}

impl ScriptletReport {
    /// What is told of a script of this package. The error is the reason why the image cannot be
    /// made with it.
    pub(crate) fn new(package: &str, run: &ScriptRun) -> Result<Self, String> {
        let section = run.phase.section();
        let (outcome, reason) = match &run.ran {
            Ran::Interpreted => (ScriptletOutcome::Interpreted, None),
            Ran::Sandboxed => (ScriptletOutcome::Sandboxed, None),
            Ran::Skipped(reason) => (ScriptletOutcome::Skipped, Some(reason.clone())),
            Ran::Failed(reason) => (ScriptletOutcome::Failed, Some(reason.clone())),
            Ran::Refused(reason) => return Err(format!("{section} of `{package}`: {reason}")),
        };
        let (package, program) = (package.to_owned(), run.program.join(" "));
        Ok(Self { package, section, program, outcome, reason })
    }

    /// Digest of the whole report of an image; none where there is nothing to tell.
    pub(crate) fn digest(reports: &[Self]) -> Option<Digest> {
        (!reports.is_empty()).then(|| Digest::of(&canonical_json(&reports)))
    }
}

/// What is done with scripts that are not interpreted, in one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScriptletPolicy {
    /// With those of all packages but these.
    pub all: Scriptlets,
    /// By the package's name.
    pub packages: BTreeMap<String, Scriptlets>,
}

impl ScriptletPolicy {
    /// What is done with those of a package.
    pub fn of(&self, package: &str) -> Scriptlets {
        self.packages.get(package).copied().unwrap_or(self.all)
    }
}
