use super::*;
use proptest::prelude::*;

fn atom(source: &str, images: &[&str], size: u64) -> Atom {
    let images = images.iter().map(|name| (*name).to_owned()).collect();
    Atom { id: AtomId { source: source.to_owned(), images }, size }
}

fn task(images: &[&str], atoms: Vec<Atom>, budget: usize) -> LayerTask {
    let images =
        images.iter().map(|name| PlanImage { name: (*name).to_owned(), own_layers: 1 }).collect();
    LayerTask { images, atoms, budget, previous: None }
}

fn sources(plan: &LayerPlan) -> Vec<Vec<&str>> {
    plan.layers
        .iter()
        .map(|layer| layer.atoms.iter().map(|atom| atom.source.as_str()).collect())
        .collect()
}

#[test]
fn an_atom_a_layer_while_there_is_room() {
    let atoms = vec![atom("z", &["a", "b"], 1), atom("m", &["a"], 9), atom("c", &["a"], 5)];
    let task = task(&["a", "b"], atoms, 96);
    let plan = plan(&task).unwrap();
    plan.check(&task).unwrap();
    assert_eq!(sources(&plan), [vec!["z"], vec!["c"], vec!["m"]]);
    assert_eq!(plan.images["b"], [0]);
}

#[test]
fn the_smallest_of_one_set_are_joined() {
    let sizes = [("a", 50), ("b", 2), ("c", 3), ("d", 40), ("e", 4)];
    let atoms = sizes.iter().map(|(name, size)| atom(name, &["i"], *size)).collect();
    let task = task(&["i"], atoms, 4);
    let plan = plan(&task).unwrap();
    plan.check(&task).unwrap();
    assert_eq!(sources(&plan), [vec!["a"], vec!["b", "c", "e"], vec!["d"]]);
    assert_eq!(plan.layers[1].title(), "b, c, e");
}

/// More sets than the budget: nixpkgs#78744, closure larger than max layers drops paths.
#[test]
fn layers_of_different_sets_are_joined_when_nothing_else_helps() {
    let atoms = vec![
        atom("all", &["a", "b", "c"], 100),
        atom("ab", &["a", "b"], 10),
        atom("ac", &["a", "c"], 20),
        atom("only", &["a"], 1),
    ];
    let task = task(&["a", "b", "c"], atoms, 3);
    let plan = plan(&task).unwrap();
    plan.check(&task).unwrap();
    // The 100 bytes stay shared; the small ones are stored again.
    assert_eq!(plan.layers[0].atoms.len(), 1);
    assert_eq!(plan.layers[0].images.len(), 3);
}

#[test]
fn impossible_budgets_are_refused_in_words() {
    let some = |budget| task(&["a"], vec![atom("x", &["a"], 1)], budget);
    let error = plan(&some(121)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a budget of 121 layers is more than the 120 that every client can mount"
    );
    let error = plan(&some(1)).unwrap_err();
    assert_eq!(error.hint().unwrap(), "choose at least 2");
    assert_eq!(plan(&some(2)).unwrap().layers.len(), 1);
    assert!(matches!(plan(&task(&["a"], vec![atom("x", &["b"], 1)], 9)), Err(PlanError::Task(_))));
}

/// rpm-ostree#5302: one new package reshuffles all layers.
#[test]
fn a_new_source_changes_no_other_layer() {
    let atoms: Vec<Atom> = (0..30).map(|n| atom(&format!("s{n:02}"), &["i"], 10 + n)).collect();
    let first = task(&["i"], atoms, 11);
    let before = plan(&first).unwrap();
    let mut second = first;
    second.atoms.push(atom("new", &["i"], 3));
    second.previous = Some(before.record());
    let after = plan(&second).unwrap();
    after.check(&second).unwrap();
    let kept = before.layers.iter().filter(|layer| after.layers.contains(layer)).count();
    assert_eq!(kept, before.layers.len() - 1, "it joins the smallest");
}

/// rpm-ostree#5545: crash when the prior plan's components changed.
#[test]
fn a_plan_of_other_images_is_a_hint_only() {
    let odd = PlanRecord {
        layers: vec![
            RecordedLayer {
                images: BTreeSet::from(["gone".to_owned()]),
                sources: BTreeSet::from(["x".to_owned(), "never".to_owned()]),
                partial: vec![RecordedAtom { source: "x".to_owned(), images: BTreeSet::new() }],
            },
            RecordedLayer { images: BTreeSet::new(), sources: BTreeSet::new(), partial: vec![] },
        ],
    };
    let mut task = task(&["a"], vec![atom("x", &["a"], 1), atom("y", &["a"], 1)], 96);
    let fresh = plan(&task).unwrap();
    task.previous = Some(odd);
    assert_eq!(plan(&task).unwrap(), fresh);
}

#[test]
fn an_added_image_keeps_what_was_together() {
    let set = ["a", "b"];
    let atoms = ["p", "q", "r", "s"].map(|name| atom(name, &set, 10)).to_vec();
    let first = task(&set, atoms, 3);
    let before = plan(&first).unwrap();
    let wider = ["a", "b", "c"];
    let mut second = task(&wider, ["p", "q", "r", "s"].map(|n| atom(n, &wider, 10)).to_vec(), 96);
    second.previous = Some(before.record());
    assert_eq!(sources(&plan(&second).unwrap()), sources(&before));
}

/// chunkah#97: a catch-all layer of 1.3 GB.
#[test]
fn no_layer_grows_out_of_proportion() {
    let atoms: Vec<Atom> =
        (0..400).map(|n| atom(&format!("s{n:03}"), &["i"], 1000 + (n * 7919) % 5000)).collect();
    let total: u64 = atoms.iter().map(|atom| atom.size).sum();
    let task = task(&["i"], atoms, 41);
    let plan = plan(&task).unwrap();
    plan.check(&task).unwrap();
    assert_eq!(plan.layers.len(), 40);
    assert!(plan.layers.iter().all(|layer| layer.size < 3 * total / 40));
}

#[test]
fn records_survive_the_lock() {
    let atoms = vec![atom("x", &["a", "b"], 5), atom("y", &["a"], 1), atom("z", &["b"], 1)];
    let task = task(&["a", "b"], atoms, 2);
    let plan = plan(&task).unwrap();
    plan.check(&task).unwrap();
    let text = strata_oci::canonical_json(&plan.record());
    assert_eq!(
        String::from_utf8_lossy(&text),
        r#"{"layers":[{"images":["a"],"partial":[{"images":["a","b"],"source":"x"}],"sources":["y"]},{"images":["b"],"partial":[{"images":["a","b"],"source":"x"}],"sources":["z"]}]}"#
    );
    let back: PlanRecord = serde_json::from_slice(&text).unwrap();
    assert_eq!(back, plan.record());
    let again = LayerTask { previous: Some(back), ..task };
    assert_eq!(super::plan(&again).unwrap(), plan);
}

/// A fleet of up to 6 images and 60 atoms, some of one source.
fn fleets() -> impl Strategy<Value = LayerTask> {
    let atoms = prop::collection::btree_map((0..40_u32, 1_u32..64), 0_u64..100_000, 0..60);
    (atoms, 1_usize..4, 0_usize..24).prop_map(|(atoms, own, room)| {
        let atoms: Vec<Atom> = atoms
            .into_iter()
            .map(|((source, images), size)| {
                let images: Vec<String> =
                    (0..6).filter(|n| images >> n & 1 == 1).map(|n| format!("i{n}")).collect();
                let images: Vec<&str> = images.iter().map(String::as_str).collect();
                atom(&format!("s{source}"), &images, size)
            })
            .collect();
        let images = (0..6).map(|n| PlanImage { name: format!("i{n}"), own_layers: own }).collect();
        LayerTask { images, atoms, budget: own + 1 + room, previous: None }
    })
}

proptest! {
    #[test]
    fn every_plan_does_what_its_task_asks(task in fleets()) {
        let plan = plan(&task).unwrap();
        prop_assert_eq!(plan.check(&task), Ok(()));
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(task in fleets(), turn in 0_usize..60) {
        let mut turned = task.clone();
        if !turned.atoms.is_empty() {
            let by = turn % turned.atoms.len();
            turned.atoms.rotate_left(by);
        }
        turned.images.reverse();
        prop_assert_eq!(plan(&turned), plan(&task));
    }

    #[test]
    fn a_size_that_changes_moves_nothing(task in fleets(), which in 0_usize..60, size in 0_u64..1 << 40) {
        let before = plan(&task).unwrap();
        let mut next = LayerTask { previous: Some(before.record()), ..task };
        if !next.atoms.is_empty() {
            let at = which % next.atoms.len();
            next.atoms[at].size = size;
        }
        let after = plan(&next).unwrap();
        prop_assert_eq!(after.check(&next), Ok(()));
        prop_assert_eq!(after.record(), before.record());
    }

    #[test]
    fn what_comes_and_goes_leaves_the_plan_sound(task in fleets(), other in fleets()) {
        let before = plan(&task).unwrap();
        let next = LayerTask { previous: Some(before.record()), ..other };
        prop_assert_eq!(plan(&next).unwrap().check(&next), Ok(()));
    }
}
