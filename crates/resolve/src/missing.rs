//! Why a request matches nothing, and what comes near.

use crate::{
    ImageRequest, MissingReason, Request, ResolveTask,
    search::{Found, Universe, forms, is_file_pattern},
};
use strata_rpm::{Capability, Dependency, Nevra};

/// Explains a request that matches none of the visible packages of `universe`.
pub(crate) fn why(
    task: &ResolveTask<'_>,
    image: &ImageRequest,
    universe: &Universe<'_>,
    text: &str,
) -> MissingReason {
    let excluded = matching(universe, text);
    if !excluded.is_empty() {
        return MissingReason::Excluded(excluded);
    }
    let mut everything = matching(&Universe::new(task, None), text);
    everything.retain(|nevra| nevra.arch != image.arch && !matches!(&*nevra.arch, "src" | "nosrc"));
    if !everything.is_empty() {
        return MissingReason::OtherArch(everything);
    }
    let versions = other_versions(universe, text);
    if !versions.is_empty() {
        return MissingReason::OtherVersion(versions);
    }
    MissingReason::Unknown(nearest(universe.names(), text))
}

/// All that a request would match if nothing were hidden.
fn matching(universe: &Universe<'_>, text: &str) -> Vec<Nevra> {
    if let Ok(Request::Exact(checksum)) = text.parse() {
        let all = universe.records.iter().filter(|record| record.checksum == checksum);
        return all.map(|record| record.nevra.clone()).collect();
    }
    let mut provides = |dependency: &Dependency| providers(universe, dependency);
    let found = universe.search(text, &|_| true, &mut provides);
    let Found::Groups(groups) = found else {
        return Vec::new();
    };
    nevras(universe, groups.into_iter().flatten())
}

/// Who provides a plain capability, its version considered.
pub(crate) fn providers(universe: &Universe<'_>, dependency: &Dependency) -> Vec<usize> {
    let Dependency::Simple(wanted) = dependency else {
        return Vec::new();
    };
    let fits = |one: &Dependency| match one {
        Dependency::Simple(one) => {
            one.name == wanted.name && crate::search::ranges_overlap(one, wanted)
        }
        Dependency::Rich(_) => false,
    };
    let all = universe.records.iter().enumerate();
    all.filter(|(_, record)| record.provides.iter().any(fits)).map(|(index, _)| index).collect()
}

/// The packages that have the request's name in a version that it does not ask for.
fn other_versions(universe: &Universe<'_>, text: &str) -> Vec<Nevra> {
    for form in forms(text) {
        let named = universe.named(form.name);
        if !named.is_empty() {
            return nevras(universe, named.iter().copied());
        }
    }
    match text.parse::<Dependency>() {
        Ok(Dependency::Simple(wanted)) if wanted.version.is_some() => {
            let wanted = Capability { version: None, ..wanted };
            nevras(universe, providers(universe, &Dependency::Simple(wanted)).into_iter())
        }
        _ => Vec::new(),
    }
}

/// Their names, without repetitions, of each name the newest first.
pub(crate) fn nevras(universe: &Universe<'_>, indices: impl Iterator<Item = usize>) -> Vec<Nevra> {
    let mut all: Vec<Nevra> =
        indices.filter_map(|index| Some(universe.records.get(index)?.nevra.clone())).collect();
    all.sort_unstable_by(|a, b| (&a.name, &b.evr, &a.arch).cmp(&(&b.name, &a.evr, &b.arch)));
    all.dedup();
    all
}

/// The names that look most like the request.
pub(crate) fn nearest<'a>(names: impl Iterator<Item = &'a str>, text: &str) -> Vec<String> {
    const SHOWN: usize = 3;
    const LONGEST: usize = 100;
    let wanted = match text.rsplit_once('/') {
        Some((_, base)) if is_file_pattern(text) => base,
        _ => text.split([' ', '(']).next().unwrap_or(text),
    };
    if wanted.len() > LONGEST || wanted.is_empty() {
        return Vec::new();
    }
    let folded = wanted.to_lowercase();
    let limit = (folded.len() / 3).max(1);
    let mut near: Vec<(usize, usize, &str)> = names
        .filter(|name| name.len() <= LONGEST)
        .filter_map(|name| {
            let other = name.to_lowercase();
            let affix =
                folded.len() > 2 && (other.starts_with(&folded) || other.ends_with(&folded));
            if !affix && folded.len().abs_diff(other.len()) > limit {
                return None;
            }
            match strsim::osa_distance(&folded, &other) {
                distance if distance <= limit => Some((0, distance, name)),
                distance => affix.then_some((1, distance, name)),
            }
        })
        .collect();
    near.sort_unstable();
    near.dedup_by_key(|(_, _, name)| *name);
    near.into_iter().take(SHOWN).map(|(_, _, name)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn names_that_look_like_it() {
        let names = ["nginx", "nginx-core", "python3", "postgresql", "nano"];
        let near = |text| nearest(names.into_iter(), text).join(" ");
        assert_eq!(near("ngnix"), "nginx");
        assert_eq!(near("Nginx"), "nginx nginx-core");
        assert_eq!(near("postgres"), "postgresql");
        assert_eq!(near("/usr/bin/python"), "python3");
        assert_eq!(near("zzz"), "");
    }
}
