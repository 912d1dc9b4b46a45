//! Joins layers until every image is within its budget.

use super::{Atom, Draft};
use std::collections::{BTreeMap, BTreeSet};

/// Joins layers of one image set, always the smallest, so that none grows out of proportion; only
/// when every set is down to one layer, layers of different sets, whose bytes are then stored more
/// than once. Layers nobody has yet go first.
pub(super) fn fit<'a>(
    mut drafts: Vec<Draft<'a>>,
    atoms: &[&Atom],
    room: &BTreeMap<&str, usize>,
) -> Vec<Draft<'a>> {
    loop {
        let over = over_budget(&drafts, room);
        if over.is_empty() {
            return drafts;
        }
        if let Some((a, b)) = same_set(&drafts, &over) {
            let taken = drafts.remove(a.max(b));
            if let Some(kept) = drafts.get_mut(a.min(b)) {
                kept.atoms.extend(taken.atoms);
                kept.size = kept.size.saturating_add(taken.size);
                kept.fresh &= taken.fresh;
            }
        } else if let Some((a, b)) = across_sets(&drafts, &over) {
            drafts = join_across(drafts, a, b, atoms);
        } else {
            // An image above its room has two layers at least, so there is always a pair.
            return drafts;
        }
    }
}

fn over_budget<'a>(drafts: &[Draft<'a>], room: &BTreeMap<&str, usize>) -> BTreeSet<&'a str> {
    let mut count: BTreeMap<&'a str, usize> = BTreeMap::new();
    for draft in drafts {
        for image in &draft.images {
            *count.entry(image).or_default() += 1;
        }
    }
    let over = |(image, count): &(&str, usize)| *count > room.get(image).copied().unwrap_or(0);
    count.into_iter().filter(over).map(|(image, _)| image).collect()
}

/// Orders drafts by size; the first atom makes it total.
fn rank(drafts: &[Draft<'_>], at: usize) -> (u64, Option<usize>) {
    drafts.get(at).map_or((u64::MAX, None), |draft| (draft.size, draft.atoms.first().copied()))
}

/// The cheapest pair with the same images, some of them over budget.
fn same_set(drafts: &[Draft<'_>], over: &BTreeSet<&str>) -> Option<(usize, usize)> {
    let mut sets: BTreeMap<&BTreeSet<&str>, Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        if !draft.images.is_disjoint(over) {
            sets.entry(&draft.images).or_default().push(at);
        }
    }
    let mut pairs = Vec::new();
    for mut members in sets.into_values().filter(|members| members.len() > 1) {
        members.sort_by_key(|at| rank(drafts, *at));
        let fresh = |at: &usize| drafts.get(*at).is_some_and(|draft| draft.fresh);
        let first = members.iter().position(fresh);
        let one = members.remove(first.unwrap_or(0));
        if let Some(two) = members.first() {
            let size = rank(drafts, one).0.saturating_add(rank(drafts, *two).0);
            pairs.push((first.is_none(), size, rank(drafts, one), one, *two));
        }
    }
    pairs.into_iter().min().map(|(.., one, two)| (one, two))
}

/// The pair of one image over budget that stores the fewest bytes again.
fn across_sets(drafts: &[Draft<'_>], over: &BTreeSet<&str>) -> Option<(usize, usize)> {
    let mut best = None;
    for (a, one) in drafts.iter().enumerate() {
        for (b, two) in drafts.iter().enumerate().skip(a + 1) {
            let mut common = one.images.intersection(&two.images).peekable();
            if common.peek().is_none() || common.all(|image| !over.contains(image)) {
                continue;
            }
            let mut again = 0_u64;
            for (draft, other) in [(one, two), (two, one)] {
                if !draft.images.is_subset(&other.images) {
                    again = again.saturating_add(draft.size);
                }
            }
            let cost = (again, one.size.saturating_add(two.size), rank(drafts, a), a, b);
            if best.is_none_or(|best| cost < best) {
                best = Some(cost);
            }
        }
    }
    best.map(|(.., a, b)| (a, b))
}

/// The images that have both get one layer instead; the others keep what they have.
fn join_across<'a>(
    mut drafts: Vec<Draft<'a>>,
    a: usize,
    b: usize,
    atoms: &[&Atom],
) -> Vec<Draft<'a>> {
    let two = drafts.remove(a.max(b));
    let one = drafts.remove(a.min(b));
    let images: BTreeSet<&str> = one.images.intersection(&two.images).copied().collect();
    let contents: BTreeSet<usize> = one.atoms.union(&two.atoms).copied().collect();
    let size = contents.iter().filter_map(|at| atoms.get(*at)).map(|atom| atom.size);
    let joined = Draft {
        size: size.fold(0, u64::saturating_add),
        atoms: contents,
        fresh: one.fresh && two.fresh,
        images: images.clone(),
    };
    for mut draft in [one, two] {
        draft.images.retain(|image| !images.contains(image));
        if !draft.images.is_empty() {
            drafts.push(draft);
        }
    }
    drafts.push(joined);
    drafts
}
