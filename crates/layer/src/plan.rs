//! Which packages share a layer: a pure function of atoms, budget and the plan before.
//!
//! An *atom* is what one source package gives to one set of images. Every image must find each of
//! its atoms in exactly one of its layers, and have no more layers than the budget. A first plan
//! gives every atom a layer of its own and joins the smallest where an image has too many; a later
//! one starts from the plan before, because what moves is pulled again.

mod fit;
mod record;

pub use record::{PlanRecord, RecordedAtom, RecordedLayer};

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use strata_oci::validate::MOST_LAYERS;

/// Layers an image may have unless it is said otherwise, its own ones included.
pub const DEFAULT_BUDGET: usize = 96;

/// All that a plan depends on. The order of the lists does not matter.
#[derive(Debug, Clone, Default)]
pub struct LayerTask {
    /// The images.
    pub images: Vec<PlanImage>,
    /// What is in them.
    pub atoms: Vec<Atom>,
    /// Layers an image may have.
    pub budget: usize,
    /// The plan of the lock. Only a hint: it may name images and sources that are gone.
    pub previous: Option<PlanRecord>,
}

/// An image as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlanImage {
    /// Its name.
    pub name: String,
    /// Layers that are its own (state, overlay files) and count towards the budget.
    pub own_layers: usize,
}

/// The name of an atom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AtomId {
    /// The source package.
    pub source: String,
    /// The images that have it.
    pub images: BTreeSet<String>,
}

/// What one source package gives to one set of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// Its name.
    pub id: AtomId,
    /// Bytes of content.
    pub size: u64,
}

/// Layers, and which of them each image stacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerPlan {
    /// Most widely held first.
    pub layers: Vec<PlannedLayer>,
    /// By image, the lowest first: positions in `layers`.
    pub images: BTreeMap<String, Vec<usize>>,
}

/// One shared layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedLayer {
    /// The images that have it. Each atom is in all of them, and may be in more.
    pub images: BTreeSet<String>,
    /// What is in it, sorted.
    pub atoms: Vec<AtomId>,
    /// Bytes of content.
    pub size: u64,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A budget that clients cannot mount.
    #[error("a budget of {0} layers is more than the {MOST_LAYERS} that every client can mount")]
    BudgetTooLarge(usize),
    /// No room beside an image's own layers.
    #[error("a budget of {budget} layers leaves no room in `{image}`, which has {own} of its own")]
    BudgetTooSmall {
        /// Which image.
        image: String,
        /// Its own layers.
        own: usize,
        /// The budget.
        budget: usize,
    },
    /// An atom of an image that is not listed, or listed twice.
    #[error("the task is inconsistent: {0}")]
    Task(String),
}

impl PlanError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::BudgetTooLarge(_) => Some(format!("choose at most {MOST_LAYERS}")),
            Self::BudgetTooSmall { own, .. } => Some(format!("choose at least {}", own + 1)),
            Self::Task(_) => None,
        }
    }
}

/// Computes the plan.
pub fn plan(task: &LayerTask) -> Result<LayerPlan, PlanError> {
    if task.budget > MOST_LAYERS {
        return Err(PlanError::BudgetTooLarge(task.budget));
    }
    let mut images: Vec<&PlanImage> = task.images.iter().collect();
    images.sort();
    let mut atoms: Vec<&Atom> = task.atoms.iter().collect();
    atoms.sort_by(|a, b| a.id.cmp(&b.id));
    consistent(&images, &atoms)?;
    let mut room = BTreeMap::new();
    for image in &images {
        let left = task.budget.saturating_sub(image.own_layers);
        let needed = atoms.iter().any(|atom| atom.id.images.contains(&image.name));
        if task.budget < image.own_layers || (needed && left == 0) {
            return Err(PlanError::BudgetTooSmall {
                image: image.name.clone(),
                own: image.own_layers,
                budget: task.budget,
            });
        }
        room.insert(image.name.as_str(), left);
    }
    let drafts = record::carry_over(&atoms, task.previous.as_ref());
    let drafts = fit::fit(drafts, &atoms, &room);
    Ok(arrange(drafts, &atoms, &images))
}

/// A layer in the making; atoms by their position among the sorted ones.
#[derive(Debug, Clone)]
struct Draft<'a> {
    images: BTreeSet<&'a str>,
    atoms: BTreeSet<usize>,
    size: u64,
    /// Whether it is in no earlier plan, so that nobody has it yet.
    fresh: bool,
}

fn consistent(images: &[&PlanImage], atoms: &[&Atom]) -> Result<(), PlanError> {
    let names: BTreeSet<&str> = images.iter().map(|image| image.name.as_str()).collect();
    if names.len() != images.len() {
        return Err(PlanError::Task("an image is listed twice".to_owned()));
    }
    for pair in atoms.windows(2) {
        if let [a, b] = pair
            && a.id == b.id
        {
            return Err(PlanError::Task(format!("an atom of `{}` is listed twice", a.id.source)));
        }
    }
    for atom in atoms {
        let known = atom.id.images.iter().all(|image| names.contains(image.as_str()));
        if atom.id.images.is_empty() || !known {
            let source = &atom.id.source;
            return Err(PlanError::Task(format!("an atom of `{source}` is in unknown images")));
        }
    }
    Ok(())
}

fn arrange(drafts: Vec<Draft<'_>>, atoms: &[&Atom], images: &[&PlanImage]) -> LayerPlan {
    let mut layers: Vec<PlannedLayer> = drafts
        .into_iter()
        .map(|draft| PlannedLayer {
            images: draft.images.iter().map(|name| (*name).to_owned()).collect(),
            atoms: draft
                .atoms
                .iter()
                .filter_map(|at| atoms.get(*at))
                .map(|atom| atom.id.clone())
                .collect(),
            size: draft.size,
        })
        .collect();
    layers.sort_by(|a, b| {
        let key = |layer: &PlannedLayer| Reverse(layer.images.len());
        (key(a), &a.images, &a.atoms).cmp(&(key(b), &b.images, &b.atoms))
    });
    let stack = |image: &&PlanImage| {
        let held = |(_, layer): &(usize, &PlannedLayer)| layer.images.contains(&image.name);
        let stack = layers.iter().enumerate().filter(held).map(|(at, _)| at).collect();
        (image.name.clone(), stack)
    };
    LayerPlan { images: images.iter().map(stack).collect(), layers }
}

impl PlannedLayer {
    /// What is in it, in a few words for people.
    pub fn title(&self) -> String {
        let names: BTreeSet<&str> = self.atoms.iter().map(|atom| atom.source.as_str()).collect();
        let shown: Vec<&str> = names.iter().copied().take(3).collect();
        match names.len() - shown.len() {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

impl LayerPlan {
    /// Whether the plan does what its task asks for: nothing lost, nothing twice, the budget kept.
    /// The text says what is wrong.
    pub fn check(&self, task: &LayerTask) -> Result<(), String> {
        for image in &task.images {
            let stack = self.images.get(&image.name).ok_or("an image is missing")?;
            if stack.len() + image.own_layers > task.budget {
                return Err(format!("`{}` has {} layers", image.name, stack.len()));
            }
            let mut found = BTreeSet::new();
            for at in stack {
                let layer = self.layers.get(*at).ok_or("a layer is missing")?;
                if !layer.images.contains(&image.name) {
                    return Err(format!("`{}` has a layer of others", image.name));
                }
                for atom in &layer.atoms {
                    if !found.insert(atom) {
                        return Err(format!("`{}` has `{}` twice", image.name, atom.source));
                    }
                }
            }
            let wanted: BTreeSet<&AtomId> = task
                .atoms
                .iter()
                .map(|atom| &atom.id)
                .filter(|id| id.images.contains(&image.name))
                .collect();
            if found != wanted {
                return Err(format!("`{}` has other atoms than it should", image.name));
            }
        }
        let held = |at: usize| self.images.values().any(|stack| stack.contains(&at));
        match (0..self.layers.len()).find(|at| !held(*at)) {
            Some(at) => Err(format!("nobody has layer {at}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
