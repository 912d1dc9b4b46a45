//! Commands that read images: `inspect`, `ls`, `cat`, `validate`.

use crate::{
    args::{CatArgs, Cli, Format, ImageArgs, LsArgs, ValidateArgs},
    failure::Failure,
};
use serde_json::{Value, json};
use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};
use strata_compose::{
    Bytes, Destination,
    oci::{
        Platform,
        layout::{Image, Layout, LayoutError},
        unpack::{EntryType, LayerEntry},
        validate,
    },
};

/// Prints images with their configuration and layers.
pub(crate) fn inspect(cli: &Cli, args: &ImageArgs) -> Result<ExitCode, Failure> {
    let layout = Layout::open(&args.image.dir)?;
    let (index, name, platform) = (layout.index()?, &args.image.image, platform(args)?);
    // a name stands for all its platforms, unless one is asked for
    let all = index.manifests.iter();
    let named = all.filter(|entry| name.is_none() || entry.ref_name() == name.as_deref());
    let mut images = Vec::new();
    for entry in named {
        images.extend(layout.images(entry)?);
    }
    images.retain(|image| platform.as_ref().is_none_or(|one| image.config.platform == *one));
    if let (Some(name), []) = (name, images.as_slice()) {
        // says what there is
        images.push(layout.image(name, platform.as_ref())?);
    }
    let mut out = output();
    let written = match cli.format {
        Format::Json => {
            let all: Vec<Value> = images.iter().map(as_json).collect();
            print_json(&mut out, &json!({ "images": all }))
        }
        Format::Text => images.iter().try_for_each(|image| as_text(&mut out, image)),
    };
    finish(written, out)
}

fn as_json(image: &Image) -> Value {
    json!({
        "name": image.name,
        "digest": image.descriptor.digest,
        "platform": image.config.platform.to_string(),
        "annotations": image.manifest.annotations,
        "config": image.config,
        "layers": image.manifest.layers,
    })
}

fn as_text(out: &mut dyn Write, image: &Image) -> io::Result<()> {
    // what a stranger claims may add up to more than a number can hold
    let sizes = image.manifest.layers.iter().map(|layer| layer.size);
    let bytes = sizes.fold(0, u64::saturating_add);
    writeln!(out, "{} ({})", image.name, image.config.platform)?;
    writeln!(out, "  digest   {}", image.descriptor.digest)?;
    if let Some(created) = &image.config.created {
        writeln!(out, "  created  {created}")?;
    }
    if let Some(config) = &image.config.config {
        let mut line = |name: &str, value: String| match value.is_empty() {
            true => Ok(()),
            false => writeln!(out, "  {name:<8} {value}"),
        };
        line("entry", quoted(config.entrypoint.as_deref().unwrap_or_default()))?;
        line("cmd", quoted(config.cmd.as_deref().unwrap_or_default()))?;
        line("user", config.user.clone())?;
        line("workdir", config.working_dir.clone())?;
        line("ports", config.exposed_ports.iter().cloned().collect::<Vec<_>>().join(" "))?;
        line("env", config.env.join(" "))?;
    }
    for (key, value) in &image.manifest.annotations {
        writeln!(out, "  {key}={value}")?;
    }
    writeln!(out, "  {} layers, {}", image.manifest.layers.len(), Bytes(bytes))?;
    let mut made = image.config.history.iter().filter(|step| !step.empty_layer);
    for layer in &image.manifest.layers {
        let by = made.next().and_then(|step| step.created_by.as_deref()).unwrap_or_default();
        let title = by.strip_prefix("strata: ").unwrap_or(by);
        writeln!(out, "    {} {:>9}  {title}", layer.digest, Bytes(layer.size).to_string())?;
    }
    Ok(())
}

fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    words.join(" ")
}

/// Lists paths.
pub(crate) fn ls(cli: &Cli, args: &LsArgs) -> Result<ExitCode, Failure> {
    let layout = Layout::open(&args.image.image.dir)?;
    let view = layout.merged(&open(&layout, &args.image)?)?;
    let below = match &args.path {
        Some(path) => view.resolve(path.as_bytes())?,
        None => Vec::new(),
    };
    let inside = |entry: &LayerEntry| {
        below.is_empty()
            || entry.path == below
            || entry.path.strip_prefix(below.as_slice()).is_some_and(|rest| rest.starts_with(b"/"))
    };
    let mut entries = view.iter().map(|(_, entry)| entry).filter(|entry| inside(entry)).peekable();
    if args.path.is_some() && entries.peek().is_none() {
        return Err(LayoutError::NotFile(args.path.clone().unwrap_or_default()).into());
    }
    let mut out = output();
    let written = match cli.format {
        Format::Json => {
            let all: Vec<Value> = entries.map(entry_json).collect();
            print_json(&mut out, &Value::Array(all))
        }
        Format::Text if args.long => entries.try_for_each(|entry| long_line(&mut out, entry)),
        Format::Text => entries.try_for_each(|entry| {
            out.write_all(b"/")?;
            out.write_all(&entry.path)?;
            out.write_all(b"\n")
        }),
    };
    finish(written, out)
}

fn entry_json(entry: &LayerEntry) -> Value {
    let (kind, target) = match &entry.kind {
        EntryType::Directory => ("directory", None),
        EntryType::File => ("file", None),
        EntryType::HardLink { target } => ("hardlink", Some(target)),
        EntryType::Symlink { target } => ("symlink", Some(target)),
        EntryType::Device { block: true, .. } => ("block", None),
        EntryType::Device { block: false, .. } => ("character", None),
        EntryType::Fifo => ("fifo", None),
        EntryType::Other(_) => ("other", None),
    };
    let mut value = json!({
        "path": format!("/{}", String::from_utf8_lossy(&entry.path)),
        "type": kind,
        "mode": format!("{:04o}", entry.mode),
        "uid": entry.uid,
        "gid": entry.gid,
        "size": entry.size,
        "mtime": entry.mtime,
    });
    if let (Some(target), Some(object)) = (target, value.as_object_mut()) {
        object.insert("target".to_owned(), String::from_utf8_lossy(target).into());
    }
    value
}

fn long_line(out: &mut dyn Write, entry: &LayerEntry) -> io::Result<()> {
    let (kind, arrow, target) = match &entry.kind {
        EntryType::Directory => ('d', "", None),
        EntryType::File => ('-', "", None),
        EntryType::HardLink { target } => ('-', " link to /", Some(target)),
        EntryType::Symlink { target } => ('l', " -> ", Some(target)),
        EntryType::Device { block: true, .. } => ('b', "", None),
        EntryType::Device { block: false, .. } => ('c', "", None),
        EntryType::Fifo => ('p', "", None),
        EntryType::Other(_) => ('?', "", None),
    };
    let (mode, owner) = (permissions(entry.mode), format!("{}:{}", entry.uid, entry.gid));
    write!(out, "{kind}{mode} {owner:>9} {:>10} /", entry.size)?;
    out.write_all(&entry.path)?;
    out.write_all(arrow.as_bytes())?;
    out.write_all(target.map_or(&b""[..], Vec::as_slice))?;
    out.write_all(b"\n")
}

/// Permission bits as `ls` writes them.
fn permissions(mode: u32) -> String {
    let mut text = String::new();
    for (shift, special, set, unset) in
        [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')]
    {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// Prints a file's content.
pub(crate) fn cat(args: &CatArgs) -> Result<ExitCode, Failure> {
    let layout = Layout::open(&args.image.image.dir)?;
    let image = open(&layout, &args.image)?;
    let mut out = Watched { out: output(), failed: None };
    let read = layout.read_file(&image, args.path.as_bytes(), &mut out);
    if let Some(error) = out.failed {
        return Err(Failure::output(&error));
    }
    read?;
    finish(Ok(()), out.out)
}

/// Keeps the error of a write apart from those of reading.
struct Watched<W> {
    out: W,
    failed: Option<io::Error>,
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            kind.into()
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Checks a layout.
pub(crate) fn validate(cli: &Cli, args: &ValidateArgs) -> Result<ExitCode, Failure> {
    let report = validate::validate(&Layout::open(&args.layout.dir)?)?;
    let mut out = output();
    let written = match cli.format {
        Format::Json => {
            let findings: Vec<Value> = report
                .findings
                .iter()
                .map(|one| json!({ "image": one.image, "blob": one.blob, "problem": one.problem.to_string() }))
                .collect();
            let all = json!({ "images": report.images, "layers": report.layers, "bytes": report.bytes, "findings": findings });
            print_json(&mut out, &all)
        }
        Format::Text => report
            .findings
            .iter()
            .try_for_each(|finding| writeln!(out, "{finding}"))
            .and_then(|()| {
                let (images, layers, bytes) = (report.images, report.layers, Bytes(report.bytes));
                let verdict = if report.is_clean() { "valid" } else { "not valid" };
                writeln!(out, "{verdict}: {images} images, {layers} distinct layers, {bytes}")
            }),
    };
    finish(written, out)?;
    if report.is_clean() {
        return Ok(ExitCode::SUCCESS);
    }
    // there is nobody to tell if this fails
    let _ = writeln!(io::stderr(), "hint: `strata build --force` makes what is damaged anew");
    Ok(ExitCode::from(1))
}

/// The image that the arguments name.
fn open(layout: &Layout, args: &ImageArgs) -> Result<Image, Failure> {
    let platform = platform(args)?;
    let find = |name: &str| {
        layout.image(name, platform.as_ref()).map_err(|error| match error {
            LayoutError::ChoosePlatform { .. } if platform.is_none() => Failure::usage(
                error.to_string(),
                error.hint().map(|hint| format!("{hint}; say which with `--arch`")),
            ),
            error => error.into(),
        })
    };
    let Destination { image, dir } = &args.image;
    if let Some(name) = image {
        return find(name);
    }
    let index = layout.index()?;
    let names: Vec<&str> = index.manifests.iter().filter_map(|entry| entry.ref_name()).collect();
    match names.as_slice() {
        [only] => find(only),
        _ => Err(Failure::usage(
            format!("`oci:{}` has {} images; name one", dir.display(), names.len()),
            names.first().map(|name| format!("for example `oci:{}:{name}`", dir.display())),
        )),
    }
}

fn platform(args: &ImageArgs) -> Result<Option<Platform>, Failure> {
    let parsed = args.arch.as_deref().map(Platform::from_rpm_arch).transpose();
    parsed.map_err(|error| Failure::usage(error.to_string(), error.hint()))
}

/// Standard output, buffered.
pub(crate) fn output() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Writes a value, indented.
pub(crate) fn print_json(out: &mut dyn Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Flushes, and turns a failure to print into the command's.
pub(crate) fn finish(
    written: io::Result<()>,
    mut out: BufWriter<io::StdoutLock<'static>>,
) -> Result<ExitCode, Failure> {
    written.and_then(|()| out.flush()).map_err(|e| Failure::output(&e))?;
    Ok(ExitCode::SUCCESS)
}
