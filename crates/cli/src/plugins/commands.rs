//! `plugin list` and `plugin inspect`.

use super::{Plugins, failure};
use crate::{
    args::{Cli, PluginCommand},
    failure::Failure,
    spec::{cache_dir, print},
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};
use strata_compose::{Bytes, PluginFailure};
use strata_oci::Digest;

/// What a plugin says of itself, and what it is.
#[derive(Serialize)]
struct About {
    /// As the user gave it.
    reference: String,
    name: String,
    version: String,
    summary: String,
    digest: Digest,
    size: usize,
    api_version: String,
    roles: Vec<&'static str>,
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    name: String,
    summary: String,
}

/// Runs a `plugin` command.
pub(crate) fn plugin(cli: &Cli, command: &PluginCommand) -> Result<ExitCode, Failure> {
    match command {
        PluginCommand::List { cache_dir: cache } => {
            let plugins = Plugins::new(&cache_dir(cache.as_deref())?);
            let names = strata_plugin::BUNDLED.iter().map(|(name, _)| *name);
            let all = names.map(|name| about(&plugins, name)).collect::<Result<Vec<_>, _>>()?;
            print(cli, &all, |out| all.iter().try_for_each(|one| line(out, one)))
        }
        PluginCommand::Inspect { plugin, cache_dir: cache } => {
            let plugins = Plugins::new(&cache_dir(cache.as_deref())?);
            let about = about(&plugins, plugin)?;
            print(cli, &about, |out| block(out, &about))
        }
    }
}

fn about(plugins: &Plugins, reference: &str) -> Result<About, Failure> {
    let named = |failure: PluginFailure| Failure::plugin(reference, failure);
    let (plugin, size) = plugins.open(reference, Path::new("")).map_err(named)?;
    let description = plugin.describe().map_err(|error| named(failure(error)))?;
    Ok(About {
        reference: reference.to_owned(),
        name: description.name,
        version: description.version,
        summary: description.summary,
        digest: plugin.digest(),
        size,
        api_version: plugin.api_version().to_owned(),
        roles: plugin.roles().iter().map(|role| role.name()).collect(),
        settings: description
            .settings
            .into_iter()
            .map(|setting| Setting { name: setting.name, summary: setting.summary })
            .collect(),
    })
}

fn line(out: &mut dyn Write, about: &About) -> io::Result<()> {
    let About { reference, version, summary, roles, .. } = about;
    writeln!(out, "{reference} {version} ({})", roles.join(", "))?;
    writeln!(out, "  {summary}")
}

fn block(out: &mut dyn Write, about: &About) -> io::Result<()> {
    writeln!(out, "{} {}", about.name, about.version)?;
    writeln!(out, "  {}", about.summary)?;
    writeln!(out, "  digest  {}", about.digest)?;
    writeln!(out, "  size    {}", Bytes(about.size as u64))?;
    writeln!(out, "  API     {}", about.api_version)?;
    writeln!(out, "  roles   {}", about.roles.join(", "))?;
    if about.settings.is_empty() {
        return writeln!(out, "  no settings");
    }
    writeln!(out, "  settings:")?;
    let width = about.settings.iter().map(|one| one.name.len()).max().unwrap_or_default();
    about
        .settings
        .iter()
        .try_for_each(|Setting { name, summary }| writeln!(out, "    {name:<width$}  {summary}"))
}
