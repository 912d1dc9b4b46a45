//! Commands that read a spec (`build`, `check`, `resolve`, `plan`), and `pack`.

use crate::{
    OUT_OF_DATE,
    args::{
        BuildArgs, CheckArgs, Cli, ContentArgs, Format, LockArgs, PackArgs, PlanArgs, ResolveArgs,
        SpecArgs,
    },
    failure::Failure,
    image::{finish, output, print_json},
    plugins::Plugins,
    progress::Progress,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use strata_compose::{
    Bytes, FailedImage, ImageReport, LayerReport, LockMode, Options, Reporter, ScriptletOutcome,
    ScriptletReport, Status,
};

/// Builds images.
pub(crate) fn build(cli: &Cli, args: &BuildArgs) -> Result<ExitCode, Failure> {
    let options = options(&args.spec, Some(&args.content), mode(&args.lock))?;
    let options = Options { force: args.force, ..options };
    refuse_image_name(&args.output)?;
    let host = Plugins::new(&options.cache_dir);
    let report = strata_compose::build(&options, &args.output, &host, &progress(cli))?;
    print(cli, &report, |out| report.images.iter().try_for_each(|image| built(out, image)))?;
    Ok(failed(&report.failed).unwrap_or(ExitCode::SUCCESS))
}

/// Tells of images that cannot be made, and gives the exit code if there are any: of several the
/// highest, so that an outside system is worth another try.
pub(crate) fn failed(images: &[FailedImage]) -> Option<ExitCode> {
    let mut code = None;
    for image in images {
        code = code.max(Some(Failure::image(image).print()));
    }
    code.map(ExitCode::from)
}

fn built(out: &mut dyn Write, image: &ImageReport) -> io::Result<()> {
    let ImageReport { name, arch, packages, layers, .. } = image;
    let (bytes, new) = (Bytes(image.bytes), Bytes(image.new_bytes));
    match image.status {
        Status::Current => writeln!(out, "{name} ({arch}): current, left alone: {}", image.digest)?,
        Status::Built => {
            writeln!(out, "{name} ({arch}): built {}", image.digest)?;
            writeln!(out, "  {packages} packages in {layers} layers, {bytes}, {new} of them new")?;
        }
    }
    scriptlets(out, &image.scriptlets)?;
    image.warnings.iter().try_for_each(|warning| writeln!(out, "  warning: {warning}"))
}

/// How many scripts went which way, and the odd ones.
fn scriptlets(out: &mut dyn Write, reports: &[ScriptletReport]) -> io::Result<()> {
    let mut counts: BTreeMap<ScriptletOutcome, usize> = BTreeMap::new();
    for report in reports {
        *counts.entry(report.outcome).or_default() += 1;
    }
    let odd = |report: &&ScriptletReport| report.outcome != ScriptletOutcome::Interpreted;
    if !counts.is_empty() {
        let counts: Vec<String> =
            counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        writeln!(out, "  scriptlets: {}", counts.join(", "))?;
    }
    reports.iter().filter(odd).try_for_each(|report| writeln!(out, "    {report}"))
}

/// Tells whether a build would change anything.
pub(crate) fn check(cli: &Cli, args: &CheckArgs) -> Result<ExitCode, Failure> {
    let mode = if args.locked { LockMode::Locked } else { LockMode::Update };
    let options = options(&args.spec, Some(&args.content), mode)?;
    refuse_image_name(&args.output)?;
    let host = Plugins::new(&options.cache_dir);
    let report = strata_compose::check(&options, &args.output, &host, &progress(cli))?;
    print(cli, &report, |out| {
        for image in &report.images {
            let state = if image.changes.is_empty() { "current" } else { "out of date" };
            writeln!(out, "{} ({}): {state}", image.name, image.arch)?;
            for change in &image.changes {
                writeln!(out, "  {change}")?;
            }
        }
        Ok(())
    })?;
    let code = if report.is_current() { ExitCode::SUCCESS } else { ExitCode::from(OUT_OF_DATE) };
    Ok(failed(&report.failed).unwrap_or(code))
}

/// Prints the packages of each image.
pub(crate) fn resolve(cli: &Cli, args: &ResolveArgs) -> Result<ExitCode, Failure> {
    let options = options(&args.spec, None, mode(&args.lock))?;
    let images = strata_compose::resolve(&options, args.write_lock, &progress(cli))?;
    print(cli, &images, |out| {
        for image in &images {
            let sizes = image.packages.iter().map(|package| package.size);
            let bytes = sizes.fold(0, u64::saturating_add);
            writeln!(
                out,
                "{} ({}): {} packages, {}",
                image.name,
                image.arch,
                image.packages.len(),
                Bytes(bytes)
            )?;
            for package in &image.packages {
                writeln!(out, "  {}  {}", package.nevra, package.repo)?;
            }
        }
        Ok(())
    })
}

/// Prints the layers of each image.
pub(crate) fn plan(cli: &Cli, args: &PlanArgs) -> Result<ExitCode, Failure> {
    let options = options(&args.spec, Some(&args.content), mode(&args.lock))?;
    let host = Plugins::new(&options.cache_dir);
    let report = strata_compose::plan(&options, &host, &progress(cli))?;
    print(cli, &report, |out| {
        for image in &report.images {
            let shared = image.layers.len();
            writeln!(
                out,
                "{} ({}): {shared} layers, {} of its own",
                image.name, image.arch, image.own_layers
            )?;
        }
        writeln!(out)?;
        for layer in &report.layers {
            planned(out, layer)?;
        }
        Ok(())
    })?;
    Ok(failed(&report.failed).unwrap_or(ExitCode::SUCCESS))
}

fn planned(out: &mut dyn Write, layer: &LayerReport) -> io::Result<()> {
    let content = Bytes(layer.content_bytes).to_string();
    writeln!(out, "{content:>9}  {}  [{}]", layer.title, layer.images.join(" "))?;
    if layer.packages.len() > 1 {
        for package in &layer.packages {
            writeln!(out, "             {package}")?;
        }
    }
    Ok(())
}

/// Makes a package of a directory.
pub(crate) fn pack(cli: &Cli, args: &PackArgs) -> Result<ExitCode, Failure> {
    let report = strata_compose::pack(&args.dir, &args.output)?;
    print(cli, &report, |out| {
        writeln!(out, "{}: {} ({})", args.output.display(), report.nevra, Bytes(report.size))
    })
}

pub(crate) fn print(
    cli: &Cli,
    value: &impl Serialize,
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<ExitCode, Failure> {
    let mut out = output();
    let written = match cli.format {
        Format::Json => serde_json::to_value(value)
            .map_err(io::Error::from)
            .and_then(|value| print_json(&mut out, &value)),
        Format::Text => text(&mut out),
    };
    finish(written, out)
}

/// The bar is taken away when the run ends and the last owner is gone.
pub(crate) fn progress(cli: &Cli) -> Arc<dyn Reporter + Send> {
    Arc::new(Progress::new(cli.quiet))
}

pub(crate) fn mode(args: &LockArgs) -> LockMode {
    match (args.update, args.locked) {
        (true, _) => LockMode::Update,
        (false, true) => LockMode::Locked,
        (false, false) => LockMode::Use,
    }
}

/// A destination is a layout: the images' names are the spec's.
fn refuse_image_name(destination: &strata_compose::Destination) -> Result<(), Failure> {
    match &destination.image {
        None => Ok(()),
        Some(name) => Err(Failure::usage(
            format!("the destination names the image `{name}`, but images are named in the spec"),
            Some(format!(
                "write `oci:{}`, and `--image {name}` to build only that one",
                destination.dir.display()
            )),
        )),
    }
}

pub(crate) fn options(
    args: &SpecArgs,
    content: Option<&ContentArgs>,
    lock: LockMode,
) -> Result<Options, Failure> {
    Ok(Options {
        spec: args.spec.clone(),
        overlay: args.overlay.clone(),
        sets: args.set.clone(),
        plugins: content.map(|args| args.plugin.clone()).unwrap_or_default(),
        scriptlets: content.and_then(|args| args.scriptlets).map(Into::into),
        strict_owners: content.is_some_and(|args| args.strict_owners),
        plugin_base: PathBuf::new(),
        repo_dirs: args.repo_dir.clone(),
        images: args.image.clone(),
        arches: args.arch.clone(),
        cache_dir: cache_dir(args.cache_dir.as_deref())?,
        source_date_epoch: source_date_epoch()?,
        lock,
        force: false,
    })
}

/// Where the cache is, if the command line does not say.
pub(crate) fn cache_dir(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let absolute =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(dir) = given {
        return Ok(dir.to_owned());
    }
    let base =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("strata")).ok_or_else(|| {
        Failure::usage(
            "there is no place for the cache: neither `XDG_CACHE_HOME` nor `HOME` is set",
            Some("give one with `--cache-dir`".to_owned()),
        )
    })
}

/// <https://reproducible-builds.org/specs/source-date-epoch/>
fn source_date_epoch() -> Result<Option<u64>, Failure> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Err(std::env::VarError::NotPresent) => Ok(None),
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => match text.parse() {
            // what a 32-bit INSTALLTIME and every tar reader can hold
            Ok(epoch) if epoch <= u64::from(u32::MAX) => Ok(Some(epoch)),
            _ => Err(Failure::usage(
                format!(
                    "SOURCE_DATE_EPOCH is `{text}`, which is not a number of seconds since 1970"
                ),
                None,
            )),
        },
        Err(error) => Err(Failure::usage(format!("SOURCE_DATE_EPOCH: {error}"), None)),
    }
}
