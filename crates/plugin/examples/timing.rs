//! Measures what a plugin costs: `cargo run --release -p strata-plugin --example timing [FILE.wasm]`.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures and tells")]

use std::{error::Error, io, path::Path, sync::Arc, time::Instant};
use strata_oci::{Annotations, RuntimeConfig};
use strata_plugin::{BUNDLED, Host, Plugin, Role, Settings};
use strata_rootfs::{Content, ImageView, Node, ReadContent, Tree, TreePath};

const UNIT: &str = "[Unit]\nDescription=Timing\n[Service]\nExecStart=/usr/bin/timing --now\n";

struct NoContent;

impl ReadContent for NoContent {
    fn read(&self, _: &Content) -> io::Result<Arc<[u8]>> {
        Err(io::Error::other("all files are in memory"))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let given = std::env::args().nth(1).map(std::fs::read).transpose()?;
    match &given {
        Some(bytes) => measure("given", bytes, directory.path()),
        None => BUNDLED.iter().try_for_each(|(name, bytes)| measure(name, bytes, directory.path())),
    }
}

fn measure(name: &str, bytes: &[u8], cache: &Path) -> Result<(), Box<dyn Error>> {
    let ms = |from: Instant| from.elapsed().as_secs_f64() * 1e3;
    let started = Instant::now();
    Host::new(Some(cache))?.load(name, bytes)?;
    let cold = ms(started);
    let tree = tree()?;
    let mut cached = (f64::MAX, 0.0);
    for _ in 0..20 {
        let started = Instant::now();
        let plugin = Host::new(Some(cache))?.load(name, bytes)?;
        let loaded = ms(started);
        call(&plugin, &tree);
        if ms(started) < cached.0 {
            cached = (ms(started), loaded);
        }
    }
    let plugin = Host::new(Some(cache))?.load(name, bytes)?;
    call(&plugin, &tree);
    let started = Instant::now();
    for _ in 0..200 {
        call(&plugin, &tree);
    }
    let each = ms(started) / 200.0;
    let (all, load) = cached;
    println!("{name}: {} bytes, cold compile {cold:.1} ms", bytes.len());
    println!("  cached load {load:.2} ms, with a call {all:.2} ms; a further call {each:.3} ms");
    Ok(())
}

fn tree() -> Result<Tree, Box<dyn Error>> {
    let mut tree = Tree::default();
    for (path, content, mode) in [
        ("/usr/lib/systemd/system/timing.service", UNIT, 0o644),
        ("/usr/bin/timing", "", 0o755),
        ("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644),
        ("/etc/group", "root:x:0:\n", 0o644),
    ] {
        tree.insert(TreePath::new(path)?, Node::generated(content.as_bytes(), mode, 0));
    }
    Ok(tree)
}

/// A call of each role; an image without much in it may well be refused.
fn call(plugin: &Plugin, tree: &Tree) {
    let settings = Settings::new();
    let image =
        ImageView { name: "timing", arch: "x86_64", packages: &[], tree, contents: &NoContent };
    for role in plugin.roles() {
        let error = match role {
            Role::PackageFilter => {
                let name = "timing-1-1.noarch".parse().expect("a name");
                plugin.exclude(&settings, &strata_rpm::Package::new(name)).err()
            }
            Role::PostProcessor => plugin.process(&settings, &image).err(),
            Role::MetadataMapper => plugin.map(&settings, &image).err(),
            Role::Policy => {
                let config = RuntimeConfig::default();
                plugin.check(&settings, &image, &config, &Annotations::new()).err()
            }
        };
        if let Some(error) = error {
            println!("  {role}: {error}");
        }
    }
}
