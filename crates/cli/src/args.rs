//! The command line, as clap types. Parsing only; nothing here acts.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;
use strata_compose::Destination;
use strata_spec::Scriptlets;

/// Compose OCI container images from RPM packages
#[derive(Debug, Parser)]
#[command(
    name = "strata",
    version,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done or current, 1 the inputs are wrong or unsatisfiable, 2 usage, \
                  3 an outside system failed, 4 internal error, 10 `check` found something out of date"
)]
pub struct Cli {
    /// Print errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// How to print results on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    pub format: Format,
    #[command(subcommand)]
    pub command: Command,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the images of a spec whose inputs changed
    ///
    /// Takes the packages that `strata.lock` names, or resolves them and writes the lock. An image
    /// whose inputs are those it was built from is left alone.
    Build(BuildArgs),
    /// Tell whether a build would change anything: exits with 10 if so
    ///
    /// Resolves against the repositories as they are now and compares with the images at the
    /// destination. Writes nothing.
    Check(CheckArgs),
    /// Print the packages of each image
    Resolve(ResolveArgs),
    /// Print the layers of each image, with sizes and packages, without building them
    Plan(PlanArgs),
    /// Print who set each field of the images' configuration, and what that overrode
    Explain(ExplainArgs),
    /// Print what an image is made of
    Inspect(ImageArgs),
    /// List the files of an image
    Ls(LsArgs),
    /// Print a file of an image
    Cat(CatArgs),
    /// Verify every blob, manifest and layer of an OCI layout
    Validate(ValidateArgs),
    /// Make a binary RPM of a directory
    ///
    /// DIR holds `package.json` (name, version, dependencies, scriptlets, file attributes) and
    /// `root/`, the files.
    Pack(PackArgs),
    /// List plugins, or print what one is
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Print a shell's completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a directory
    Man {
        /// Where to write them; made if missing
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
    },
}

/// What every command that reads a spec takes.
#[derive(Debug, Args)]
pub struct SpecArgs {
    /// The compose file, JSON or (by extension) YAML
    #[arg(value_name = "SPEC", value_hint = ValueHint::FilePath)]
    pub spec: PathBuf,
    /// The metadata overlay [default: `compose.overlay.json` beside the spec, if there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub overlay: Option<PathBuf>,
    /// Set one overlay value, for example `--set web.config.Cmd='["nginx"]'`; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A directory of `.repo` files, searched after `repos.d` beside the spec; may be repeated
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub repo_dir: Vec<PathBuf>,
    /// Only these images; everything is still resolved and planned together
    #[arg(long, value_name = "NAME")]
    pub image: Vec<String>,
    /// Only these architectures of the spec, or this one if the spec names none
    #[arg(long, value_name = "ARCH")]
    pub arch: Vec<String>,
    /// Where downloads, parsed metadata and layers are kept [default: `$XDG_CACHE_HOME/strata`]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache_dir: Option<PathBuf>,
}

/// What shapes images besides the documents.
#[derive(Debug, Args)]
pub struct ContentArgs {
    /// Run a plugin on all images, after the overlay's: a bundled name or a path that ends in
    /// `.wasm`, and settings, for example `systemd:unit=nginx.service`; may be repeated. A relative
    /// path counts from the current directory
    #[arg(long, value_name = "REF[:KEY=VALUE,…]")]
    pub plugin: Vec<String>,
    /// What to do with package scripts that strata cannot interpret, instead of what the spec says
    #[arg(long, value_name = "WAY")]
    pub scriptlets: Option<ScriptletsArg>,
    /// Fail where files belong to a user or group that no package defines, instead of to root
    #[arg(long)]
    pub strict_owners: bool,
}

/// `--scriptlets`
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ScriptletsArg {
    /// Run the image's own programs, shut in a user namespace
    Sandbox,
    /// Refuse the image
    Fail,
    /// Leave the script out, and list it
    Skip,
}

impl From<ScriptletsArg> for Scriptlets {
    fn from(word: ScriptletsArg) -> Self {
        match word {
            ScriptletsArg::Sandbox => Self::Sandbox,
            ScriptletsArg::Fail => Self::Fail,
            ScriptletsArg::Skip => Self::Skip,
        }
    }
}

/// How the lock is used.
#[derive(Debug, Args)]
pub struct LockArgs {
    /// Take the newest packages instead of the locked ones
    #[arg(long, conflicts_with = "locked")]
    pub update: bool,
    /// Fail if the lock is missing or does not fit the spec; never write it
    #[arg(long)]
    pub locked: bool,
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub content: ContentArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Where the images go: `oci:DIR`, an OCI image layout
    #[arg(long, short, value_name = "oci:DIR")]
    pub output: Destination,
    /// Rebuild images that are current, too, and replace damaged layers
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub content: ContentArgs,
    /// Compare with the lock instead of the newest packages
    #[arg(long)]
    pub locked: bool,
    /// Where the images are: `oci:DIR`
    #[arg(long, short, value_name = "oci:DIR")]
    pub output: Destination,
}

#[derive(Debug, Args)]
pub struct ResolveArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub lock: LockArgs,
    /// Write the result to `strata.lock`
    #[arg(long, conflicts_with = "locked")]
    pub write_lock: bool,
}

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten)]
    pub content: ContentArgs,
    #[command(flatten)]
    pub lock: LockArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Only this image; the same as `--image`
    #[arg(value_name = "IMAGE")]
    pub name: Option<String>,
    #[command(flatten)]
    pub content: ContentArgs,
    #[command(flatten)]
    pub lock: LockArgs,
}

/// An image in a layout.
#[derive(Debug, Args)]
pub struct ImageArgs {
    /// The image: `oci:DIR:NAME`, or `oci:DIR` if it holds only one
    #[arg(value_name = "oci:DIR[:NAME]")]
    pub image: Destination,
    /// The architecture, if the image has several
    #[arg(long, value_name = "ARCH")]
    pub arch: Option<String>,
}

#[derive(Debug, Args)]
pub struct LsArgs {
    #[command(flatten)]
    pub image: ImageArgs,
    /// Only what is below this path
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// Print mode, owner, size and link target too
    #[arg(long, short)]
    pub long: bool,
}

#[derive(Debug, Args)]
pub struct CatArgs {
    #[command(flatten)]
    pub image: ImageArgs,
    /// The file; symbolic links are followed inside the image
    #[arg(value_name = "PATH")]
    pub path: String,
}

#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The layout: `oci:DIR`
    #[arg(value_name = "oci:DIR")]
    pub layout: Destination,
}

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List the plugins that come with strata
    List {
        /// Where compiled plugins are kept [default: `$XDG_CACHE_HOME/strata`]
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        cache_dir: Option<PathBuf>,
    },
    /// Print what a plugin says of itself: version, roles, settings
    Inspect {
        /// A bundled plugin's name, or the path of a component that ends in `.wasm`
        #[arg(value_name = "PLUGIN", value_hint = ValueHint::FilePath)]
        plugin: String,
        /// Where compiled plugins are kept [default: `$XDG_CACHE_HOME/strata`]
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        cache_dir: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct PackArgs {
    /// The directory to pack
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// The package to write
    #[arg(long, short, value_name = "FILE.rpm", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}
