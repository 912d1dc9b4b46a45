//! Images as real clients unpack them, beside what rpm itself makes of the same packages.

use super::support::{STRATA, json};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};
use strata_testkit::{
    Difference, Entry, EntryKind, OrdinaryUser, Podman, Ran, Scan, diff, missing, output, run,
    scan, tool,
};

/// Where the rpmdb is in all images here.
pub const RPMDB: &str = "/usr/lib/sysimage/rpm";

/// What a spec says of one image, and the packages that were chosen.
pub struct Built {
    user: OrdinaryUser,
    /// The images that were made, by name.
    pub images: BTreeMap<String, Chosen>,
    /// Whether the documentation is in.
    docs: bool,
}

/// The packages of an image.
pub struct Chosen {
    /// `name-[epoch:]version-release.arch`
    pub packages: BTreeMap<String, PathBuf>,
    /// The newest build time among them.
    pub epoch: i64,
}

impl Built {
    /// Builds these images as somebody without privileges, who makes no namespace and no process.
    pub fn new(repository: &Path, images: &Value, overlay: &Value, docs: bool) -> Self {
        let user = OrdinaryUser::new();
        let repository = user.share(repository);
        let spec = serde_json::json!({
            "distro": "debian", "docs": docs, "repos": [repository], "images": images,
        });
        // these call Debian's own tools, and fail under rpm: without a sandbox the build is alone
        let mut overlay = overlay.clone();
        overlay["images"]["*"]["scriptlets"] =
            serde_json::json!({"nginx-common": "skip", "python3": "skip"});
        for (name, document) in [("compose.json", &spec), ("compose.overlay.json", &overlay)] {
            fs::write(user.home().join(name), document.to_string()).unwrap();
        }
        let ran = alone(user.command(Path::new(STRATA)).args([
            "build",
            "compose.json",
            "-o",
            "oci:layout",
            "--format",
            "json",
        ]));
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
        let mut resolve = user.command(Path::new(STRATA));
        let resolved = run(resolve.args(["resolve", "compose.json", "--format", "json"]));
        let resolved: Value = serde_json::from_str(&resolved).unwrap();
        let stored = stored(&repository);
        let chosen = |image: &Value| {
            let nevras = image["packages"].as_array().unwrap().iter();
            let nevras = nevras.map(|package| package["nevra"].as_str().unwrap());
            let found: Vec<_> = nevras.map(|nevra| (nevra, &stored[nevra])).collect();
            let packages = found.iter().map(|(nevra, one)| ((*nevra).to_owned(), one.0.clone()));
            let epoch = found.iter().map(|(_, (_, time))| *time).max().unwrap();
            (
                image["name"].as_str().unwrap().to_owned(),
                Chosen { packages: packages.collect(), epoch },
            )
        };
        let images = resolved.as_array().unwrap().iter().map(chosen).collect();
        Self { user, images, docs }
    }

    /// The OCI layout.
    pub fn layout(&self) -> PathBuf {
        self.user.home().join("layout")
    }

    /// Runs the binary where the spec is.
    #[track_caller]
    pub fn strata(&self, arguments: &[&str]) -> String {
        run(self.user.command(Path::new(STRATA)).args(arguments))
    }

    /// Descriptors of an image's layers as `(digest, bytes)`, the lowest first.
    pub fn layers(&self, image: &str) -> Vec<(String, u64)> {
        let manifest = super::support::manifest(&self.layout(), image);
        let layers = manifest["layers"].as_array().unwrap().iter();
        layers
            .map(|layer| {
                (layer["digest"].as_str().unwrap().to_owned(), layer["size"].as_u64().unwrap())
            })
            .collect()
    }

    /// Digest of the manifest that the index lists under a name.
    pub fn digest(&self, image: &str) -> String {
        let index = json(&self.layout().join("index.json"));
        let mut entries = index["manifests"].as_array().unwrap().iter();
        let entry = entries
            .find(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == image)
            .unwrap();
        entry["digest"].as_str().unwrap().to_owned()
    }
}

/// Runs a program, and sees to it that it leaves none of its namespaces and starts no other.
pub fn alone(command: &mut Command) -> Ran {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let ended = AtomicBool::new(false);
    let (output, seen) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !ended.load(Relaxed) {
                for thread in fs::read_dir(process.join("task")).into_iter().flatten().flatten() {
                    seen.extend(company(&thread.path()));
                }
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            seen
        });
        let output = child.wait_with_output().unwrap();
        ended.store(true, Relaxed);
        (output, watch.join().unwrap())
    });
    let own = company(
        Path::new("/proc/self/task").read_dir().unwrap().next().unwrap().unwrap().path().as_path(),
    );
    let own: BTreeSet<_> = own.into_iter().filter(|text| !text.starts_with("child")).collect();
    assert_eq!(seen, own, "not alone, or not where it was started");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The namespaces that a thread is in, and its child processes.
fn company(thread: &Path) -> Vec<String> {
    let namespaces = ["user", "mnt", "pid", "net"].iter();
    let namespaces = namespaces.filter_map(|name| fs::read_link(thread.join("ns").join(name)).ok());
    let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
    namespaces
        .map(|found| found.display().to_string())
        .chain(children.split_whitespace().map(|child| format!("child {child}")))
        .collect()
}

/// Packages of a repository by name, with their build times.
fn stored(repository: &Path) -> BTreeMap<String, (PathBuf, i64)> {
    let mut files = Vec::new();
    let mut todo = vec![repository.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpm") {
                files.push(path);
            }
        }
    }
    let format = "%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH} %{BUILDTIME}\n";
    let mut rpm = rpm();
    let text = run(rpm.args(["-qp", "--nosignature", "--qf", format]).args(&files));
    assert_eq!(text.lines().count(), files.len());
    let line = |(line, path): (&str, PathBuf)| {
        let (nevra, time) = line.split_once(' ').unwrap();
        (nevra.to_owned(), (path, time.parse().unwrap()))
    };
    text.lines().zip(files).map(line).collect()
}

fn rpm() -> Command {
    let mut rpm = Command::new("rpm");
    rpm.env("LC_ALL", "C");
    rpm
}

fn rpm_in(root: &Path) -> Command {
    let mut rpm = rpm();
    rpm.arg("--root").arg(root).args(["--dbpath", RPMDB]);
    rpm
}

/// Asks the rpmdb of a root.
#[track_caller]
pub fn query(root: &Path, arguments: &[&str]) -> String {
    run(rpm_in(root).args(arguments))
}

/// Compares every file of a root with its rpmdb.
pub fn verify(root: &Path) -> Ran {
    output(rpm_in(root).args(["-Va", "--nodeps"]))
}

/// An image in three forms.
pub struct Unpacked {
    /// What rpm installs.
    pub rpm: PathBuf,
    /// What umoci unpacks.
    pub umoci: PathBuf,
    /// Its id in podman.
    pub id: String,
    /// The three scanned: rpm's, umoci's, podman's.
    pub scans: [Scan; 3],
}

/// Images, unpacked by everybody.
pub struct Lab {
    /// What was built.
    pub built: Built,
    /// By name.
    pub images: BTreeMap<String, Unpacked>,
    /// With the images in its storage.
    pub podman: Podman,
    /// Emptied in the end.
    pub scratch: tempfile::TempDir,
}

/// Whether all oracles can be asked, which takes root: files keep their owners only then.
pub fn oracles() -> Option<Podman> {
    for program in ["rpm", "rpmdb", "umoci", "skopeo", "sqlite3", "tar"] {
        tool(program)?;
    }
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return missing("only root can install and unpack with owners");
    }
    Podman::new()
}

impl Lab {
    /// Has rpm, umoci and podman do their parts side by side.
    pub fn new(podman: Podman, built: Built) -> Self {
        let scratch = tempfile::Builder::new().prefix("strata-lab").tempdir().unwrap();
        let names: Vec<&String> = built.images.keys().collect();
        let place = |kind: &str, name: &str| scratch.path().join(format!("{kind}-{name}"));
        let (rpm, umoci, podman_ones) = std::thread::scope(|scope| {
            let rpm = scope.spawn(|| {
                let one = |name: &&String| {
                    let root = place("rpm", name);
                    install(&root, built.images[*name].packages.values(), built.docs);
                    (scan(&root), root)
                };
                names.iter().map(one).collect::<Vec<_>>()
            });
            let umoci = scope.spawn(|| {
                let one = |name: &&String| {
                    let bundle = place("umoci", name);
                    let image = format!("{}:{name}", built.layout().display());
                    run(Command::new("umoci").args(["unpack", "--image", &image]).arg(&bundle));
                    let root = bundle.join("rootfs");
                    (scan(&root), root)
                };
                names.iter().map(one).collect::<Vec<_>>()
            });
            let podman = scope.spawn(|| {
                let one = |name: &&String| {
                    let id = podman.pull(&built.layout(), name);
                    (scan(&podman.mount(&id)), id)
                };
                names.iter().map(one).collect::<Vec<_>>()
            });
            (rpm.join().unwrap(), umoci.join().unwrap(), podman.join().unwrap())
        });
        let images = names.into_iter().cloned().zip(rpm).zip(umoci).zip(podman_ones);
        let images = images.map(|(((name, rpm), umoci), podman)| {
            let scans = [rpm.0, umoci.0, podman.0];
            (name, Unpacked { rpm: rpm.1, umoci: umoci.1, id: podman.1, scans })
        });
        Self { images: images.collect(), built, podman, scratch }
    }

    /// Compares umoci's and podman's trees with rpm's: entries, and differences that no exception
    /// covers. An exception that covers nothing in any image is one difference more.
    pub fn assert_union(&self, exceptions: &[Exception]) {
        let mut used = BTreeSet::new();
        let mut wrong = Vec::new();
        for (name, image) in &self.images {
            let epoch = self.built.images[name].epoch;
            let [theirs, unpacked @ ..] = &image.scans;
            for (client, ours) in ["umoci", "podman"].iter().zip(unpacked) {
                let all = diff(ours, theirs);
                let count = all.len();
                for difference in all {
                    let seen = Seen {
                        client,
                        ours: ours.get(&difference.path),
                        theirs: theirs.get(&difference.path),
                        path: str::from_utf8(&difference.path).unwrap_or_default(),
                        difference: &difference,
                        epoch,
                    };
                    match exceptions.iter().find(|exception| (exception.covers)(&seen)) {
                        Some(exception) => drop(used.insert(exception.name)),
                        None => wrong.push(format!("{name} ({client}): {difference}")),
                    }
                }
                println!("{name} ({client}): {} entries, {count} exceptions", ours.len());
            }
        }
        let unused = exceptions.iter().filter(|exception| !used.contains(exception.name));
        wrong.extend(unused.map(|exception| format!("covers nothing: {}", exception.name)));
        assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// Installs packages as the reference: rpm in its own order, then the image's `ldconfig`.
fn install<'a>(root: &Path, packages: impl Iterator<Item = &'a PathBuf>, docs: bool) {
    fs::create_dir(root).unwrap();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    let mut rpm = rpm_in(root);
    rpm.args(["-i", "--nosignature"]);
    run(rpm.args((!docs).then_some("--excludedocs")).args(packages));
    let ldconfig = root.join("usr/sbin/ldconfig");
    if ldconfig.exists() {
        run(Command::new(ldconfig).arg("-r").arg(root));
    }
}

/// A difference and what it is between.
pub struct Seen<'a> {
    /// Who unpacked the image.
    pub client: &'a str,
    /// In the image.
    pub ours: Option<&'a Entry>,
    /// In rpm's tree.
    pub theirs: Option<&'a Entry>,
    /// Empty when it is no text.
    pub path: &'a str,
    /// What differs; left is ours.
    pub difference: &'a Difference,
    /// The image's.
    pub epoch: i64,
}

impl Seen<'_> {
    /// Whether both are directories.
    pub fn is_directory(&self) -> bool {
        let directory =
            |entry: Option<&Entry>| entry.is_some_and(|entry| entry.kind == EntryKind::Directory);
        directory(self.ours) && directory(self.theirs)
    }
}

/// A difference from rpm that is meant; each is in `docs/differences.md`.
#[derive(Clone, Copy)]
pub struct Exception {
    /// In a few words.
    pub name: &'static str,
    /// Whether this is one.
    pub covers: fn(&Seen<'_>) -> bool,
}

/// Every table of a database, a line a row, and the statements that made them.
pub fn tables(database: &Path) -> BTreeMap<String, Vec<String>> {
    let sqlite = |commands: &[&str]| -> Vec<String> {
        let text = run(Command::new("sqlite3").arg("-readonly").arg(database).args(commands));
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let schema = "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'sqlite_%'";
    let rows = |name: String| {
        let rows = sqlite(&[".mode quote", &format!("SELECT * FROM '{name}'")]);
        (name, rows)
    };
    let mut tables: BTreeMap<_, _> = sqlite(&[names]).into_iter().map(rows).collect();
    tables.insert("the schema".to_owned(), sqlite(&[schema]));
    tables
}

/// A tar of all that a package put into a root, directories left out, by GNU tar.
pub fn tar(root: &Path, package: &Path) -> Vec<u8> {
    let listing = ["-qp", "--nosignature", "--qf", "[%{FILENAMES}\n]"];
    let paths: Vec<String> = run(rpm().args(listing).arg(package))
        .lines()
        .map(|path| path.trim_start_matches('/').to_owned())
        .filter(|path| {
            let metadata = fs::symlink_metadata(root.join(path));
            metadata.is_ok_and(|metadata| !metadata.is_dir())
        })
        .collect();
    let list = tempfile::NamedTempFile::new().unwrap();
    let bytes: Vec<&[u8]> =
        paths.iter().map(|path| Path::new(path).as_os_str().as_bytes()).collect();
    fs::write(list.path(), bytes.join(&b"\n"[..])).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--create", "--no-recursion", "--numeric-owner", "--format=gnu", "--directory"]);
    tar.arg(root).arg("--verbatim-files-from").arg("--files-from").arg(list.path());
    let output = tar.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
