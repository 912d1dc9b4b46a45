//! What was found about one image: the failure, if it cannot be made, and what its plugins said.

use crate::{Outcome, PluginDiagnostic, PluginFailure, plugins::Use};
use std::collections::{BTreeMap, BTreeSet};
use strata_oci::{Diagnostic, Severity};

/// Findings and lines of one plugin about one image that are kept. The rest is counted.
const MOST_TOLD: usize = 1_000;

/// What was found about one image.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// Why it cannot be made.
    pub failure: Option<PluginFailure>,
    /// Findings of all plugins, in the order they ran, each once.
    diagnostics: Vec<PluginDiagnostic>,
    /// What else plugins are named with, each once.
    lines: Vec<Line>,
    known: BTreeSet<PluginDiagnostic>,
    known_lines: BTreeSet<Line>,
    /// How much is kept of each plugin, and how much is not.
    told: BTreeMap<String, (usize, usize)>,
}

/// A plugin's reference and a text.
type Line = (String, String);

impl Found {
    /// The image fails; the first reason counts.
    pub fn fail(&mut self, failure: PluginFailure) {
        self.failure.get_or_insert(failure);
    }

    /// Takes in a line about a plugin.
    pub fn note(&mut self, reference: &str, text: impl Into<String>) {
        let line = (reference.to_owned(), text.into());
        if !self.known_lines.contains(&line) && self.has_room(reference) {
            self.known_lines.insert(line.clone());
            self.lines.push(line);
        }
    }

    fn diagnostic(&mut self, found: PluginDiagnostic) {
        if !self.known.contains(&found) && self.has_room(&found.plugin) {
            self.known.insert(found.clone());
            self.diagnostics.push(found);
        }
    }

    /// Whether one more of a plugin is kept; counts it.
    fn has_room(&mut self, reference: &str) -> bool {
        let (kept, left) = self.told.entry(reference.to_owned()).or_default();
        let room = *kept < MOST_TOLD;
        *(if room { kept } else { left }) += 1;
        room
    }

    /// Takes in what a call said beside its result. Where a refusal does not count, it is a note.
    pub fn hear<T>(&mut self, used: &Use, outcome: &Outcome<T>, refuses: bool) {
        for line in &outcome.log {
            self.note(&used.reference, line);
        }
        for diagnostic in &outcome.diagnostics {
            let mut told = PluginDiagnostic::new(&used.reference, diagnostic);
            if diagnostic.severity == Severity::Refusal {
                match refuses {
                    true => self.fail(refusal(&used.reference, diagnostic)),
                    false => told.severity = Severity::Note,
                }
            }
            self.diagnostic(told);
        }
    }

    /// Findings of all severities.
    pub fn diagnostics(&self) -> &[PluginDiagnostic] {
        &self.diagnostics
    }

    /// What is told beside the findings.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.lines.iter().map(|(plugin, text)| format!("plugin `{plugin}`: {text}"));
        let left = self.told.iter().filter(|(_, (_, left))| *left > 0);
        let left = left.map(|(plugin, (_, left))| format!("plugin `{plugin}`: and {left} more"));
        lines.chain(left).collect()
    }

    /// Findings that warn, then the other lines.
    pub fn warnings(&self) -> Vec<String> {
        let warn = self.diagnostics.iter().filter(|one| one.severity == Severity::Warning);
        warn.map(ToString::to_string).chain(self.lines()).collect()
    }

    /// Adds what a later step found.
    pub fn append(&mut self, later: Self) {
        if let Some(failure) = later.failure {
            self.fail(failure);
        }
        later.diagnostics.into_iter().for_each(|one| self.diagnostic(one));
        for (plugin, text) in later.lines {
            self.note(&plugin, text);
        }
        for (plugin, (_, left)) in later.told {
            self.told.entry(plugin).or_default().1 += left;
        }
    }
}

fn refusal(reference: &str, diagnostic: &Diagnostic) -> PluginFailure {
    PluginFailure::new(diagnostic.to_string(), diagnostic.hint.clone()).named(reference)
}
