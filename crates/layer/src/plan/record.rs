//! The plan as the lock keeps it, and how the next plan starts from it.

use super::{Atom, AtomId, Draft, LayerPlan};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// The plan as the lock keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRecord {
    /// In the plan's order.
    pub layers: Vec<RecordedLayer>,
}

/// One shared layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedLayer {
    /// The images that have it.
    pub images: BTreeSet<String>,
    /// Source packages that have exactly these images.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sources: BTreeSet<String>,
    /// Atoms that have more images, which find them in other layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial: Vec<RecordedAtom>,
}

/// An atom that more images have than its layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedAtom {
    /// The source package.
    pub source: String,
    /// All its images.
    pub images: BTreeSet<String>,
}

impl LayerPlan {
    /// What the lock keeps of it.
    pub fn record(&self) -> PlanRecord {
        let layers = self.layers.iter().map(|layer| {
            let (whole, partial): (Vec<&AtomId>, Vec<&AtomId>) =
                layer.atoms.iter().partition(|atom| atom.images == layer.images);
            RecordedLayer {
                images: layer.images.clone(),
                sources: whole.into_iter().map(|atom| atom.source.clone()).collect(),
                partial: partial
                    .into_iter()
                    .map(|atom| RecordedAtom {
                        source: atom.source.clone(),
                        images: atom.images.clone(),
                    })
                    .collect(),
            }
        });
        PlanRecord { layers: layers.collect() }
    }
}

/// One place where an earlier plan had a source.
struct Earlier<'a> {
    layer: usize,
    /// The images of the layer.
    held: &'a BTreeSet<String>,
    /// The images of the atom.
    images: &'a BTreeSet<String>,
}

/// The earlier plan's layers as far as their atoms still exist; a layer of its own for each other
/// atom. What was together and still has the same images stays together.
pub(super) fn carry_over<'a>(
    atoms: &[&'a Atom],
    previous: Option<&'a PlanRecord>,
) -> Vec<Draft<'a>> {
    let mut earlier: BTreeMap<&str, Vec<Earlier<'_>>> = BTreeMap::new();
    for (layer, recorded) in previous.iter().flat_map(|record| record.layers.iter().enumerate()) {
        let held = &recorded.images;
        for source in &recorded.sources {
            earlier.entry(source).or_default().push(Earlier { layer, held, images: held });
        }
        for RecordedAtom { source, images } in &recorded.partial {
            earlier.entry(source).or_default().push(Earlier { layer, held, images });
        }
    }
    let mut drafts: BTreeMap<(Place, BTreeSet<&str>), Draft<'a>> = BTreeMap::new();
    for (at, atom) in atoms.iter().enumerate() {
        let places = earlier.get(atom.id.source.as_str()).map(Vec::as_slice).unwrap_or_default();
        for (place, images) in place(at, &atom.id, places) {
            let draft = drafts.entry((place, images.clone())).or_insert_with(|| Draft {
                images,
                atoms: BTreeSet::new(),
                size: 0,
                fresh: matches!(place, Place::Own(_)),
            });
            draft.atoms.insert(at);
            draft.size = draft.size.saturating_add(atom.size);
        }
    }
    drafts.into_values().collect()
}

/// What keeps atoms together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A layer of the earlier plan.
    Earlier(usize),
    /// Nothing: an atom's own layer.
    Own(usize),
}

/// Where an atom goes, and for which of its images. Images whose layer held only a part of the
/// atom's images keep that layer; all others go together to the layer that fits best.
fn place<'a>(
    at: usize,
    atom: &'a AtomId,
    earlier: &[Earlier<'_>],
) -> Vec<(Place, BTreeSet<&'a str>)> {
    let fit = |known: &&Earlier<'_>| {
        let common = known.images.intersection(&atom.images).count();
        let other = known.images.len() + atom.images.len() - 2 * common;
        (common > 0).then_some((Reverse(common), other, known.layer))
    };
    // Another atom of the same source is no guide while this one is known itself.
    let exact = earlier.iter().any(|known| *known.images == atom.images);
    let earlier: Vec<&Earlier<'_>> =
        earlier.iter().filter(|known| !exact || *known.images == atom.images).collect();
    let mut left: BTreeSet<&str> = atom.images.iter().map(String::as_str).collect();
    let mut places = Vec::new();
    let mut partial: Vec<&Earlier<'_>> =
        earlier.iter().copied().filter(|known| known.held != known.images).collect();
    partial.retain(|known| fit(known).is_some());
    partial.sort_by_key(fit);
    for known in partial {
        let (taken, rest): (BTreeSet<&str>, BTreeSet<&str>) =
            left.into_iter().partition(|image| known.held.contains(*image));
        left = rest;
        if !taken.is_empty() {
            places.push((Place::Earlier(known.layer), taken));
        }
    }
    if !left.is_empty() {
        let whole = earlier.iter().copied().filter(|known| known.held == known.images);
        let best = whole.filter(|known| fit(known).is_some()).min_by_key(fit);
        places.push((best.map_or(Place::Own(at), |known| Place::Earlier(known.layer)), left));
    }
    places
}
