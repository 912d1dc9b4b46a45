//! `explain`: where each part of an image's configuration comes from.

use crate::{
    ComposeError, Options, PluginDiagnostic, PluginFailure, PluginHost, Reporter, Settings,
    run::Run, target::Target,
};
use rayon::prelude::*;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};
use strata_assemble::{Author, Provenance};
use strata_oci::Digest;
use strata_spec::SlotValue;

/// Where the configuration of each image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainReport {
    /// The images that were asked for, by name and architecture.
    pub images: Vec<ExplainedImage>,
}

impl ExplainReport {
    /// Whether a build of them would get past their plugins.
    pub fn is_possible(&self) -> bool {
        self.images.iter().all(|image| image.failure.is_none())
    }
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedImage {
    /// Its name.
    pub name: String,
    /// Its architecture, by rpm's name.
    pub arch: String,
    /// Its plugins in the order they run.
    pub plugins: Vec<ExplainedPlugin>,
    /// Every field that anybody spoke of, in order. Empty where a plugin kept it from being known.
    pub fields: Vec<ExplainedField>,
    /// Findings of its plugins, of all severities.
    pub diagnostics: Vec<PluginDiagnostic>,
    /// What its plugins logged as warnings or errors, and what became of their changes.
    pub warnings: Vec<String>,
    /// Why it cannot be built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<PluginFailure>,
}

/// A plugin of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedPlugin {
    /// As the documents have it.
    pub reference: String,
    /// Of its component.
    pub digest: Digest,
    /// What it can do.
    pub roles: Vec<&'static str>,
    /// Its settings.
    pub settings: Settings,
}

/// One field, or one key of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedField {
    /// `config.User`, `config.Env.PATH`, `annotations.NAME`
    pub field: String,
    /// What it holds, and who said so.
    #[serde(flatten)]
    pub by: ExplainedValue,
    /// What weaker sources had said, the strongest of them first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadowed: Vec<ExplainedValue>,
}

/// A value and its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedValue {
    /// Text, a list of words, or `true` for a key that is there; null where it is taken away.
    pub value: serde_json::Value,
    /// In a few words: ``web.json:3:4``, ``plugin `systemd`, /usr/lib/…:12``, `default`, `--set …`.
    pub author: String,
    /// Of what kind the author is.
    pub source: ExplainedSource,
    /// The plugin's reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The document, or the file of the image that the plugin read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line there, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// Kinds of authors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExplainedSource {
    /// strata itself.
    Default,
    /// A plugin.
    Plugin,
    /// The compose file or the overlay.
    Document,
    /// `--set`
    CommandLine,
}

/// Says where each part of the configuration of the selected images comes from. Writes nothing but
/// the cache.
pub fn explain(
    options: &Options,
    host: &dyn PluginHost,
    reporter: &Arc<dyn Reporter + Send>,
) -> Result<ExplainReport, ComposeError> {
    let run = Run::begin(options, Some(host), reporter)?;
    let wanted = run.wanted()?;
    let packages = run.packages()?;
    let (mut roots, _) = run.roots(&wanted, &packages)?;
    let selected: BTreeMap<usize, &Target> = run.selected().collect();
    run.post_process(&mut roots, &packages, |at| selected.contains_key(&at));
    let explained = |(at, target): (usize, &Target)| {
        let (Some(root), Some(wanted)) = (roots.get(at), wanted.get(at)) else {
            return Err(ComposeError::Internal(format!("the image `{target}` has no tree")));
        };
        let uses = run.plugins.of(at).unwrap_or_default();
        let mut found = root.found.clone();
        let mut fields = Vec::new();
        // mappers would see a tree that no image is going to have
        if found.failure.is_none() {
            let (configured, later) = wanted.configure(root, uses, &packages)?;
            found.append(later);
            fields = configured.map(|one| explain_fields(&one.provenance)).unwrap_or_default();
        }
        let plugins = uses.iter().map(|used| ExplainedPlugin {
            reference: used.reference.clone(),
            digest: used.plugin.digest(),
            roles: used.plugin.roles().iter().map(|role| role.name()).collect(),
            settings: used.settings.clone(),
        });
        Ok(ExplainedImage {
            name: target.image.name.to_string(),
            arch: target.arch.to_string(),
            plugins: plugins.collect(),
            fields,
            diagnostics: found.diagnostics().to_vec(),
            warnings: found.lines(),
            failure: found.failure,
        })
    };
    let images: Vec<_> = selected.into_par_iter().map(explained).collect();
    Ok(ExplainReport { images: images.into_iter().collect::<Result<_, _>>()? })
}

fn explain_fields(provenance: &Provenance) -> Vec<ExplainedField> {
    let field = |(slot, setting): (&strata_spec::Slot, &strata_assemble::Setting)| ExplainedField {
        field: slot.to_string(),
        by: ExplainedValue::new(setting.value.as_ref(), &setting.by),
        shadowed: setting
            .shadowed
            .iter()
            .map(|one| ExplainedValue::new(one.value.as_ref(), &one.by))
            .collect(),
    };
    provenance.iter().map(field).collect()
}

impl ExplainedValue {
    fn new(value: Option<&SlotValue>, by: &Author) -> Self {
        let (source, plugin, file, line) = match by {
            Author::Default => (ExplainedSource::Default, None, None, None),
            Author::Plugin { reference, origin } => {
                let file = origin.as_ref().map(|origin| origin.path.clone());
                let line = origin.as_ref().and_then(|origin| origin.line).map(u64::from);
                (ExplainedSource::Plugin, Some(reference.clone()), file, line)
            }
            Author::Document(place) if place.is_command_line() => {
                (ExplainedSource::CommandLine, None, None, None)
            }
            Author::Document(place) => {
                let file = Some(place.source().name().to_owned());
                (ExplainedSource::Document, None, file, Some(place.line() as u64))
            }
        };
        let value = match value {
            None => serde_json::Value::Null,
            Some(SlotValue::Text(text)) => text.as_str().into(),
            Some(SlotValue::Words(words)) => words.as_slice().into(),
            Some(SlotValue::Present) => true.into(),
        };
        Self { value, author: by.to_string(), source, plugin, file, line }
    }
}
