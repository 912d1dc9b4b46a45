//! `explain`: who set what in the images' configuration.

use crate::{
    args::{Cli, ExplainArgs},
    failure::Failure,
    plugins::Plugins,
    spec::{failed, mode, options, print, progress},
};
use std::{
    io::{self, Write},
    process::ExitCode,
};
use strata_compose::{ExplainedField, ExplainedImage, ExplainedPlugin, FailedImage, Options};

/// Prints each field with its author and what it overrode.
pub(crate) fn explain(cli: &Cli, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let mut options: Options = options(&args.spec, Some(&args.plugins), mode(&args.lock))?;
    options.images.extend(args.name.clone());
    let host = Plugins::new(&options.cache_dir);
    let report = strata_compose::explain(&options, &host, &progress(cli))?;
    print(cli, &report, |out| report.images.iter().try_for_each(|image| block(out, image)))?;
    let failures = report.images.iter().filter_map(|image| {
        let failure = image.failure.clone()?;
        Some(FailedImage { name: image.name.clone(), arch: image.arch.clone(), failure })
    });
    Ok(failed(&failures.collect::<Vec<_>>()).unwrap_or(ExitCode::SUCCESS))
}

fn block(out: &mut dyn Write, image: &ExplainedImage) -> io::Result<()> {
    writeln!(out, "{} ({})", image.name, image.arch)?;
    for ExplainedPlugin { reference, roles, settings, .. } in &image.plugins {
        write!(out, "  plugin `{reference}` ({})", roles.join(", "))?;
        for (name, value) in settings {
            write!(out, " {name}={}", shown(value))?;
        }
        writeln!(out)?;
    }
    for ExplainedField { field, by, shadowed } in &image.fields {
        match &by.value {
            serde_json::Value::Null => writeln!(out, "  {field} is taken away")?,
            serde_json::Value::Bool(true) => writeln!(out, "  {field}")?,
            value => writeln!(out, "  {field} = {}", shown(value))?,
        }
        writeln!(out, "      from {}", by.author)?;
        for over in shadowed {
            match &over.value {
                serde_json::Value::Null | serde_json::Value::Bool(true) => {
                    writeln!(out, "      over {}", over.author)?;
                }
                value => writeln!(out, "      over {} from {}", shown(value), over.author)?,
            }
        }
    }
    for found in &image.diagnostics {
        writeln!(out, "  {}: {found}", found.severity)?;
    }
    image.warnings.iter().try_for_each(|warning| writeln!(out, "  warning: {warning}"))
}

/// Texts as they are, anything else as JSON.
fn shown(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
