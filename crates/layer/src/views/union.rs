//! The invariant: an image's layers, stacked, are its tree.

use super::{ImageInput, fixup, stack::Stack};
use crate::LayerManifest;
use std::collections::{BTreeMap, BTreeSet};
use strata_rootfs::{Kind, TreePath};
use strata_rpm::{Checksum, Package};

/// Checks that stacking the layers gives exactly the image's tree, device nodes apart. The text
/// names the first paths that differ.
pub fn check_union(image: &ImageInput<'_>, layers: &[&LayerManifest]) -> Result<(), String> {
    let mut stack = Stack::default();
    for layer in layers {
        layer.check().map_err(|error| error.to_string())?;
        stack.push(layer);
    }
    let tree = &image.merged.tree;
    let packages: BTreeMap<&Checksum, &Package> =
        image.packages.iter().map(|input| (input.checksum, input.package)).collect();
    let mut wrong = Vec::new();
    for (path, node) in tree.iter() {
        let device = matches!(node.kind, Kind::Device { .. });
        match stack.get(path) {
            None if device => {}
            None => wrong.push(format!("{path} is missing")),
            Some(shown) if !fixup::is_shown(image, node, shown, &packages) => {
                wrong.push(format!("{path} is {:?}, not {node:?}", shown.entry));
            }
            Some(_) => {}
        }
    }
    for (path, _) in stack.iter() {
        // Every layer has a root, even one of an image that has nothing.
        if tree.get(path).is_none() && !path.is_root() {
            wrong.push(format!("{path} is too much"));
        }
    }
    let several = |set: &BTreeSet<&TreePath>| set.len() > 1;
    let wanted: BTreeSet<_> = fixup::link_sets(tree).into_values().filter(several).collect();
    let shown: BTreeSet<_> = stack.link_sets().into_values().filter(several).collect();
    for set in wanted.symmetric_difference(&shown) {
        wrong.push(format!("{set:?} are hard links on one side only"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let count = wrong.len();
    wrong.truncate(5);
    Err(format!("`{}`: {count} differences: {}", image.name, wrong.join("; ")))
}
