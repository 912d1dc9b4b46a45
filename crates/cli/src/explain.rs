//! `explain`: who set what in the images' configuration.

use crate::{
    args::{Cli, ExplainArgs},
    failure::Failure,
    plugins::Plugins,
    spec::{failed, mode, options, print, progress},
};
use serde_json::Value;
use std::{
    io::{self, Write},
    process::ExitCode,
};
use strata_compose::{ExplainedField, ExplainedImage, ExplainedPlugin, FailedImage, Options};

/// Prints each field with its author and what it overrode.
pub(crate) fn explain(cli: &Cli, args: &ExplainArgs) -> Result<ExitCode, Failure> {
    let mut options: Options = options(&args.spec, Some(&args.content), mode(&args.lock))?;
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
    image.fields.iter().try_for_each(|field| line(out, field))?;
    for found in &image.diagnostics {
        writeln!(out, "  {}: {found}", found.severity)?;
    }
    image.warnings.iter().try_for_each(|warning| writeln!(out, "  warning: {warning}"))
}

/// `FIELD = VALUE  [AUTHOR]`, then what it overrode in the same form.
fn line(out: &mut dyn Write, field: &ExplainedField) -> io::Result<()> {
    let ExplainedField { field, by, shadowed } = field;
    match &by.value {
        Value::Null => write!(out, "  {field} is taken away")?,
        Value::Bool(true) => write!(out, "  {field}")?,
        value => write!(out, "  {field} = {}", shown(value))?,
    }
    write!(out, "  [{}]", by.author)?;
    // an entry point takes a command away that the same author may give anew
    for over in shadowed.iter().filter(|over| over.author != by.author) {
        match &over.value {
            Value::Null | Value::Bool(true) => write!(out, " over [{}]", over.author)?,
            value => write!(out, " over {}  [{}]", shown(value), over.author)?,
        }
    }
    writeln!(out)
}

/// Texts as they are, anything else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
