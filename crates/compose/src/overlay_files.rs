//! The overlay's files in an image.

use crate::{ComposeError, root_stage::Root};
use std::{collections::BTreeMap, sync::Arc};
use strata_rootfs::{Node, Origin, TreePath};

/// Puts the overlay's files into the tree, over whatever is there.
pub(crate) fn add_overlay_files(
    root: &mut Root<'_>,
    files: &BTreeMap<TreePath, OverlayFile>,
) -> Result<(), ComposeError> {
    // what is so without the overlay is none of its faults
    let fine = root.own_places().is_ok();
    for (path, file) in files {
        let target = root.target;
        let refuse = |reason: String| {
            let why = format!("the file cannot be put into the image `{target}`: {reason}");
            file.place.refuse(why, Some("choose another path".to_owned()))
        };
        let place =
            root.merged.tree.resolve_parent(path).map_err(|error| refuse(error.to_string()))?;
        if root.merged.tree.get(&place).is_some_and(Node::is_dir) {
            return Err(refuse(format!("`{place}` is a directory")).into());
        }
        let mut node = Node::generated(Arc::clone(&file.bytes), file.mode, root.epoch);
        (node.uid, node.gid, node.origin) = (file.uid, file.gid, Origin::Overlay);
        let there = root.merged.tree.insert(place.clone(), node);
        // two paths that lead to one place: neither is the stronger one
        if there.is_some_and(|node| node.origin == Origin::Overlay) {
            return Err(refuse(format!("another file of the overlay is `{place}` too")).into());
        }
        if fine && let Err(why) = root.own_places() {
            let why = format!("what strata itself makes has no place then: {why}");
            return Err(refuse(why).into());
        }
    }
    Ok(())
}

/// A file of the overlay, read.
#[derive(Debug, Clone)]
pub(crate) struct OverlayFile {
    /// Content.
    pub bytes: Arc<[u8]>,
    /// Permission bits.
    pub mode: u16,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Where the overlay says so.
    pub place: strata_spec::Place,
}
