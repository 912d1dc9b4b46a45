//! ASSEMBLE: what the documents say about an image beside its packages, and what decides whether
//! it is current.

use crate::{
    ComposeError, Mapping, Options, PluginFailure, Role, dnf_state, documents::Documents,
    found::Found, overlay_files::OverlayFile, packages::PackageSet, plugin_stage::ask,
    plugins::Use, root_stage::Root, scriptlets::ScriptletPolicy, target::Target,
};
use std::{collections::BTreeMap, sync::Arc};
use strata_assemble::{
    Accounts, AssembleError, Author, ConfigEdits, ConfigTask, Configured, InputFile, InputPackage,
    Inputs, Provenance, configure, defaults, owner,
};
use strata_layer::Compression;
use strata_oci::Digest;
use strata_rootfs::TreePath;
use strata_spec::{ConfigField, FileContent, Slot};

/// What the documents say about one image.
pub(crate) struct Wanted<'a> {
    inline: ConfigEdits,
    overlay: Vec<ConfigEdits>,
    sets: ConfigEdits,
    files: Vec<(&'a strata_spec::OverlayFile, Arc<[u8]>)>,
    /// What is done with scripts that are not interpreted.
    pub scriptlets: ScriptletPolicy,
    /// Digest of what the image is made of: it decides whether the image is current.
    pub inputs: Digest,
}

impl<'a> Wanted<'a> {
    /// Needs the packages' names and checksums, not the packages.
    pub fn new(
        documents: &'a Documents,
        options: &Options,
        target: &Target,
        compression: &Compression,
        plugins: &[Use],
    ) -> Result<Self, ComposeError> {
        let name = &target.image.name;
        let inline = ConfigEdits::inline(&target.image);
        let overlay: Vec<ConfigEdits> = documents
            .overlay
            .iter()
            .flat_map(|overlay| ConfigEdits::overlay(overlay, name))
            .collect();
        let sets = ConfigEdits::sets(&documents.sets, name);
        let scriptlets = policy(documents, options, target);
        let mut files = Vec::new();
        for file in documents.overlay.iter().flat_map(|overlay| overlay.files(name)) {
            files.push((file, content(documents, file)?));
        }
        let config: Vec<ConfigEdits> =
            [&inline].into_iter().chain(&overlay).chain([&sets]).cloned().collect();
        let inputs = Inputs {
            arch: target.arch.as_str().to_owned(),
            packages: target
                .packages
                .iter()
                .map(|package| InputPackage {
                    checksum: package.checksum.to_string(),
                    nevra: package.nevra.to_string(),
                })
                .collect(),
            distro: target.image.distro.as_ref().map(|distro| distro.value.clone()),
            docs: target.image.docs,
            langs: target.image.langs.clone(),
            scriptlets: scriptlets.all.to_string(),
            scriptlets_of: scriptlets
                .packages
                .iter()
                .map(|(package, word)| (package.clone(), word.to_string()))
                .collect(),
            epoch: options.source_date_epoch,
            compression: compression.to_string(),
            layer_format: strata_layer::FORMAT_VERSION,
            config,
            files: files.iter().map(|(file, bytes)| input_file(file, bytes)).collect(),
            plugins: plugins.iter().map(Use::input).collect(),
            dnf: dnf_state::inputs(target),
        };
        Ok(Self { inline, overlay, sets, files, scriptlets, inputs: inputs.digest() })
    }

    /// The overlay's files with numeric owners.
    pub fn files(
        &self,
        accounts: &Accounts,
    ) -> Result<BTreeMap<TreePath, OverlayFile>, ComposeError> {
        let mut files = BTreeMap::new();
        for (file, bytes) in &self.files {
            let (uid, gid) = owner(file, accounts)?;
            let path = TreePath::new(&file.path.value)
                .map_err(|error| file.path.place.refuse(error.to_string(), None))?;
            let (bytes, place) = (Arc::clone(bytes), file.path.place.clone());
            files.insert(path, OverlayFile { bytes, mode: file.mode, uid, gid, place });
        }
        Ok(files)
    }

    /// The configuration of the finished root, with what mappers find in it, and what policies say
    /// of it. None where it cannot be made because of a plugin.
    pub fn configure(
        &self,
        root: &Root<'_>,
        uses: &[Use],
        packages: &PackageSet,
    ) -> Result<(Option<Configured>, Found), ComposeError> {
        let mut found = Found::default();
        let answers = ask(root, uses, packages, Role::MetadataMapper, &mut found, |used, image| {
            used.plugin.map(&used.settings, image)
        });
        let mapped: Vec<ConfigEdits> =
            answers.iter().map(|(used, answer)| edits(&used.reference, &answer.value)).collect();
        let configured = configure(&ConfigTask {
            defaults: &defaults(&root.merged.tree),
            plugins: &mapped,
            inline: &self.inline,
            overlay: &self.overlay,
            sets: &self.sets,
            accounts: &root.accounts(),
        });
        let configured = match configured {
            Ok(configured) => Some(configured),
            // a plugin may have named the account, or taken it away
            Err(error) if root.touched || matches!(error, AssembleError::Account { .. }) => {
                found.fail(PluginFailure::new(error.to_string(), error.hint()));
                None
            }
            Err(error) => return Err(error.into()),
        };
        // a command line of the documents answers what a mapper could not
        let by_document = |one: &Configured| is_started_by_document(&one.provenance);
        let refuse = !configured.as_ref().is_some_and(by_document);
        for (used, answer) in &answers {
            found.hear(used, answer, refuse);
        }
        let Some(configured) = configured else { return Ok((None, found)) };
        let Configured { config, annotations, .. } = &configured;
        let answers = ask(root, uses, packages, Role::Policy, &mut found, |used, image| {
            used.plugin.check(&used.settings, image, config, annotations)
        });
        for (used, answer) in &answers {
            found.hear(used, answer, true);
        }
        Ok((Some(configured), found))
    }
}

/// Whether the words that are started are, in part at least, those of a document.
fn is_started_by_document(provenance: &Provenance) -> bool {
    [ConfigField::Entrypoint, ConfigField::Cmd].into_iter().any(|field| {
        let setting = provenance.get(&Slot::field(field));
        setting.is_some_and(|one| one.value.is_some() && matches!(one.by, Author::Document(_)))
    })
}

/// What the documents and the command line say of scripts that are not interpreted.
fn policy(documents: &Documents, options: &Options, target: &Target) -> ScriptletPolicy {
    let all = options.scriptlets.unwrap_or(target.image.scriptlets);
    let name = &target.image.name;
    let overlays = documents.overlay.iter().chain(&documents.sets);
    let mut packages = BTreeMap::new();
    for (package, word) in overlays.flat_map(|overlay| overlay.scriptlets(name)) {
        if target.packages.iter().any(|one| one.nevra.name == package) {
            packages.insert(package, word);
        }
    }
    packages.retain(|_, word| *word != all);
    ScriptletPolicy { all, packages }
}

fn edits(reference: &str, changes: &Mapping) -> ConfigEdits {
    let mut edits = ConfigEdits::new();
    for (change, origin) in changes {
        let (reference, origin) = (reference.to_owned(), origin.clone());
        edits.push(change.clone(), Author::Plugin { reference, origin });
    }
    edits
}

fn content(
    documents: &Documents,
    file: &strata_spec::OverlayFile,
) -> Result<Arc<[u8]>, ComposeError> {
    match &file.content {
        FileContent::Text(text) => Ok(text.as_bytes().into()),
        FileContent::Source(source) => {
            let path = documents.overlay_dir.join(&source.value);
            match std::fs::read(&path) {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) => {
                    let why = format!("cannot read `{}`: {error}", path.display());
                    let hint = "a relative path counts from the directory of the overlay";
                    Err(source.place.refuse(why, Some(hint.to_owned())).into())
                }
            }
        }
    }
}

fn input_file(file: &strata_spec::OverlayFile, bytes: &[u8]) -> InputFile {
    let account = |account: &Option<strata_spec::Located<strata_spec::Account>>| match account {
        None => String::new(),
        Some(located) => match &located.value {
            strata_spec::Account::Name(name) => name.clone(),
            strata_spec::Account::Id(id) => id.to_string(),
        },
    };
    InputFile {
        path: file.path.value.clone(),
        content: Digest::of(bytes),
        mode: file.mode,
        user: account(&file.user),
        group: account(&file.group),
    }
}
