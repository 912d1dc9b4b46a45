use super::*;
use crate::{
    EntryKind,
    fixture::{checksum, path},
    plan,
};
use strata_rootfs::{Content, FilePolicy, MergeTask, Node, Origin, PackageIndex, Tree, merge};
use strata_rpm::{FileEntry, Nevra};

fn file(at: &str, mode: u16, content: &str) -> FileEntry {
    let link = mode & 0o170_000 == 0o120_000;
    let regular = mode & 0o170_000 == 0o100_000;
    FileEntry {
        path: at.into(),
        mode,
        size: if regular || link { content.len() as u64 } else { 0 },
        mtime: 1_600_000_000,
        user: "root".into(),
        group: "root".into(),
        flags: 0,
        digest: if regular { Digest::of(content.as_bytes()).as_bytes().to_vec() } else { vec![] },
        link_target: if link { content.into() } else { vec![] },
        rdev: 0,
        inode: 0,
        device: 1,
        lang: String::new(),
        color: 0,
        capabilities: None,
    }
}

pub(super) fn plain(at: &str, content: &str) -> FileEntry {
    file(at, 0o100_644, content)
}

pub(super) fn linked(at: &str, content: &str, inode: u32) -> FileEntry {
    FileEntry { inode, ..plain(at, content) }
}

pub(super) fn dir(at: &str, mode: u16) -> FileEntry {
    file(at, 0o040_000 | mode, "")
}

pub(super) fn package(name: &str, files: Vec<FileEntry>) -> Package {
    Package { files, ..Package::new(format!("{name}-1-1.noarch").parse::<Nevra>().unwrap()) }
}

struct Image {
    name: &'static str,
    merged: Merged,
    packages: Vec<(Package, Checksum)>,
}

pub(super) struct Fleet {
    images: Vec<Image>,
    owners: Owners,
}

impl Fleet {
    pub(super) fn new(images: &[(&'static str, &[&Package])]) -> Self {
        let images: Vec<(&'static str, &[&Package], &[FilePolicy])> =
            images.iter().map(|(name, packages)| (*name, *packages, [].as_slice())).collect();
        Self::filtered(&images)
    }

    /// Images, their packages, and what filters leave out of these.
    pub(super) fn filtered(images: &[(&'static str, &[&Package], &[FilePolicy])]) -> Self {
        let owners = Owners::default();
        let images = images
            .iter()
            .map(|(name, packages, filters)| {
                let task = MergeTask {
                    packages,
                    docs: true,
                    filters,
                    langs: None,
                    owners: &owners,
                    color: 0,
                };
                let identity = |package: &Package| {
                    let files = format!("{:?}", package.files);
                    checksum(&format!("{} {files}", package.nevra.name))
                };
                Image {
                    name,
                    merged: merge(&task).unwrap(),
                    packages: packages.iter().map(|p| ((*p).clone(), identity(p))).collect(),
                }
            })
            .collect();
        Self { images, owners }
    }

    pub(super) fn tree(&mut self, image: usize) -> &mut Tree {
        &mut self.images[image].merged.tree
    }

    /// Plans, arranges, and checks every image's union.
    pub(super) fn layering(&self, budget: usize) -> Layering {
        let inputs: Vec<Vec<PackageInput<'_>>> = self
            .images
            .iter()
            .map(|image| {
                let input = |(package, checksum)| PackageInput {
                    package,
                    checksum,
                    source: &package.nevra.name,
                };
                image.packages.iter().map(|(p, c)| input((p, c))).collect()
            })
            .collect();
        let images: Vec<ImageInput<'_>> = self
            .images
            .iter()
            .zip(&inputs)
            .map(|(image, packages)| ImageInput {
                name: image.name,
                merged: &image.merged,
                packages,
                owners: &self.owners,
            })
            .collect();
        let views = Views::collect(&images);
        let task = views.task(budget, None);
        let plan = plan::plan(&task).unwrap();
        plan.check(&task).unwrap();
        let layering = views.arrange(&plan);
        for image in &images {
            let layers = layering.images.iter().find(|layers| layers.name == image.name).unwrap();
            check_union(image, &layering.stack(layers)).unwrap();
        }
        layering
    }
}

/// The paths of a layer that are no directories.
pub(super) fn names(manifest: &LayerManifest) -> Vec<String> {
    let files = manifest.members.iter().flat_map(|member| &member.entries);
    files.map(|entry| entry.path.to_string()).collect()
}

#[test]
fn images_share_what_they_have_in_common() {
    let base = package("base", vec![dir("/usr", 0o755), plain("/usr/base", "base")]);
    let web = package("web", vec![plain("/usr/web", "web")]);
    let fleet = Fleet::new(&[("a", &[&base]), ("b", &[&base, &web])]);
    let layering = fleet.layering(96);
    assert_eq!(layering.layers.len(), 2);
    assert_eq!(layering.images[1].shared, [0, 1]);
    assert_eq!(names(&layering.layers[0]), ["/usr/base"]);
    assert!(layering.images[0].state.has_no_files());
}

/// chunkah PR#161, dakota PR#1376, apko PR#1624: a parent directory changes digests.
#[test]
fn directories_come_from_their_owner_wherever_it_is() {
    let files = package("files", vec![dir("/", 0o555), dir("/var", 0o750)]);
    let web = package("web", vec![plain("/var/web", "web")]);
    let fleet = Fleet::new(&[("a", &[&files, &web]), ("b", &[&web])]);
    let layering = fleet.layering(96);
    let directories = &layering.layers[0].directories;
    assert_eq!(directories[0].mode, 0o555);
    assert_eq!((directories[1].path.to_string().as_str(), directories[1].mode), ("/var", 0o750));
    // Where nobody owns them, the image's own layer says so.
    let state = &layering.images[1].state;
    assert_eq!(state.directories[1].mode, 0o755);
}

#[test]
fn a_shared_file_is_in_each_layer_once_and_keeps_its_owner_s_time() {
    let one = package("one", vec![plain("/etc/same", "same"), plain("/etc/one", "1")]);
    let mut later = plain("/etc/same", "same");
    later.mtime += 5;
    let two = package("two", vec![later, plain("/etc/two", "2")]);
    let fleet = Fleet::new(&[("a", &[&one, &two])]);
    for budget in [2, 96] {
        let layering = fleet.layering(budget);
        let times = layering.layers.iter().map(|layer| names(layer).len());
        assert_eq!(times.sum::<usize>(), if budget == 2 { 3 } else { 4 });
    }
}

#[test]
fn a_hard_link_set_stays_whole() {
    let set = vec![
        linked("/usr/a", "content", 7),
        plain("/usr/b", "other"),
        linked("/usr/c", "content", 7),
        linked("/usr/d", "content", 7),
    ];
    let git = package("git", set);
    let mut fleet = Fleet::new(&[("a", &[&git]), ("b", &[&git])]);
    let layering = fleet.layering(96);
    // Where the payload has the content, and the content under the last member's index.
    assert_eq!(names(&layering.layers[0]), ["/usr/b", "/usr/a", "/usr/c", "/usr/d"]);
    let entries = &layering.layers[0].members[0].entries;
    assert!(matches!(
        entries[1].kind,
        EntryKind::File { content: crate::ContentId::Package { file: 3, .. }, .. }
    ));
    let indexes = ContentIndexes::of(&git);
    assert_eq!([0, 1, 2, 3].map(|file| indexes.get(file)), [3, 1, 3, 3]);

    // One name replaced: the others stay links of each other, shared.
    fleet.tree(1).insert(path("usr/c"), Node::generated(b"new".as_slice(), 0o644, 0));
    let layering = fleet.layering(96);
    assert_eq!(layering.layers.len(), 1);
    assert_eq!(names(&layering.images[1].state), ["/usr/c"]);

    // A changed attribute: the set is written again, whole.
    for name in ["usr/a", "usr/c", "usr/d"] {
        fleet.tree(0).get_mut(&path(name)).unwrap().mode = 0o600;
    }
    let layering = fleet.layering(96);
    assert_eq!(names(&layering.images[0].state), ["/usr/a", "/usr/c", "/usr/d"]);
}

#[test]
fn a_set_that_another_package_breaks_is_mended() {
    let git = package("git", vec![linked("/usr/a", "same", 7), linked("/usr/b", "same", 7)]);
    let other = package("other", vec![plain("/usr/a", "same"), plain("/usr/o", "o")]);
    for order in [[&git, &other], [&other, &git]] {
        let fleet = Fleet::new(&[("x", &order)]);
        for budget in [2, 96] {
            fleet.layering(budget);
        }
    }
}

#[test]
fn little_that_is_hidden_stays_shared_and_much_makes_a_variant() {
    let big = "x".repeat(100_000);
    let setup = package(
        "setup",
        vec![plain("/etc/passwd", "p"), plain("/usr/big", &big), plain("/usr/z", "z")],
    );
    let mut fleet = Fleet::new(&[("a", &[&setup]), ("b", &[&setup])]);
    fleet.tree(0).insert(path("etc/passwd"), Node::generated(b"more".as_slice(), 0o644, 0));
    let layering = fleet.layering(96);
    assert_eq!(layering.layers.len(), 1);
    assert_eq!(names(&layering.images[0].state), ["/etc/passwd"]);
    assert_eq!(layering.inline.values().next().unwrap().as_ref(), b"more");

    fleet.tree(0).remove(&path("etc/passwd"));
    let layering = fleet.layering(96);
    assert_eq!(layering.layers.len(), 1);
    assert_eq!(names(&layering.images[0].state), ["/etc/.wh.passwd"]);

    fleet.tree(0).remove(&path("usr/big"));
    let layering = fleet.layering(96);
    assert_eq!(layering.layers.len(), 2);
    let contents: Vec<_> = layering.layers.iter().map(names).collect();
    assert_eq!(contents, [vec!["/usr/z"], vec!["/etc/passwd", "/usr/big", "/usr/z"]]);
}

#[test]
fn a_removed_directory_is_hidden_once() {
    let doc = package(
        "doc",
        vec![dir("/doc", 0o755), plain("/doc/a", "1"), plain("/doc/b", "2"), plain("/x", "3")],
    );
    let mut fleet = Fleet::new(&[("a", &[&doc])]);
    for gone in ["doc", "doc/a", "doc/b"] {
        fleet.tree(0).remove(&path(gone));
    }
    let layering = fleet.layering(96);
    assert_eq!(names(&layering.images[0].state), ["/.wh.doc"]);
}

#[test]
fn overlay_files_lie_between() {
    let base = package("base", vec![plain("/etc/a", "1")]);
    let mut fleet = Fleet::new(&[("a", &[&base])]);
    let overlay =
        |bytes: &[u8]| Node { origin: Origin::Overlay, ..Node::generated(bytes, 0o600, 0) };
    fleet.tree(0).insert(path("srv/site/index.html"), overlay(b"hello"));
    fleet.tree(0).insert(path("var/lib/db"), Node::generated(b"db".as_slice(), 0o644, 0));
    let layering = fleet.layering(96);
    let image = &layering.images[0];
    assert_eq!(names(image.overlay.as_ref().unwrap()), ["/srv/site/index.html"]);
    assert_eq!(names(&image.state), ["/var/lib/db"]);
    assert_eq!(layering.stack(image).len(), 3);
}

#[test]
fn devices_are_left_out_and_named() {
    let devs = package("dev", vec![file("/dev/null", 0o020_666, ""), plain("/a", "1")]);
    let layering = Fleet::new(&[("a", &[&devs])]).layering(96);
    assert_eq!(layering.images[0].left_out, [path("dev/null")]);
    assert!(layering.layers[0].entries().all(|entry| entry.path != path("dev/null")));
}

#[test]
fn paths_are_real_ones() {
    let merged =
        package("merged", vec![dir("/usr/bin", 0o755), file("/bin", 0o120_777, "usr/bin")]);
    let old = package("old", vec![plain("/bin/tool", "t")]);
    let layering = Fleet::new(&[("a", &[&merged, &old])]).layering(96);
    assert!(layering.layers.iter().any(|layer| names(layer) == ["/usr/bin/tool"]));
    for layer in &layering.layers {
        assert!(layer.directories.iter().all(|entry| entry.path != path("bin")));
    }
}

#[test]
fn another_place_is_another_view() {
    let merged =
        package("merged", vec![dir("/usr/bin", 0o755), file("/bin", 0o120_777, "usr/bin")]);
    let old = package("old", vec![plain("/bin/tool", "t")]);
    let layering = Fleet::new(&[("a", &[&merged, &old]), ("b", &[&old])]).layering(96);
    assert_eq!(layering.layers.len(), 3);
}

mod random {
    use super::*;
    use proptest::prelude::*;
    use strata_rootfs::{Access, Owner, TreeEdit, TreeEdits, apply_edits};

    /// Packages over a handful of paths, so that they meet often.
    fn packages() -> impl Strategy<Value = Vec<Package>> {
        let file = (0_usize..8, 0_u32..3, 0_u32..3, any::<bool>());
        let files = prop::collection::btree_map(0_usize..8, file, 1..7);
        prop::collection::vec(files, 1..5).prop_map(|packages| {
            let numbered = packages.into_iter().enumerate();
            numbered
                .map(|(number, files)| {
                    let mut files: Vec<FileEntry> = files
                        .into_iter()
                        .map(|(at, (directory, inode, time, big))| {
                            let at = format!("/d{}/{}f{at}", at % 3, ["", "e/"][directory % 2]);
                            // Equal paths have equal contents: conflicts are the merge's business.
                            let content = if inode > 0 {
                                format!("inode {inode}")
                            } else {
                                at.repeat(if at.len() % 2 == 0 { 9000 } else { 1 })
                            };
                            let _ = big;
                            let mut entry = linked(&at, &content, inode);
                            entry.mtime += time;
                            entry
                        })
                        .collect();
                    files.push(dir("/d1", 0o750));
                    files.push(plain(&format!("/own/{number}"), "own"));
                    files.sort_by(|a, b| a.path.cmp(&b.path));
                    package(&format!("p{number}"), files)
                })
                .collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn the_union_is_always_the_tree(
            packages in packages(),
            shapes in prop::collection::vec(1_usize..32, 1..4),
            budget in 3_usize..9,
            edits in prop::collection::vec((0_usize..30, 0_usize..8), 0..5),
        ) {
            let chosen: Vec<Vec<&Package>> = shapes
                .iter()
                .map(|shape| {
                    let within = packages.iter().enumerate();
                    within.filter(|(n, _)| shape >> n & 1 == 1).map(|(_, p)| p).collect()
                })
                .collect();
            let names = ["a", "b", "c"];
            let owners = Owners::default();
            let mergeable = chosen.iter().all(|packages| {
                let task =
                    MergeTask { packages, docs: true, filters: &[], langs: None, owners: &owners, color: 0 };
                merge(&task).is_ok()
            });
            prop_assume!(mergeable);
            let images: Vec<(&'static str, &[&Package])> =
                names.into_iter().zip(chosen.iter().map(Vec::as_slice)).collect();
            let mut fleet = Fleet::new(&images);
            for (which, edit) in edits {
                let tree = fleet.tree(0);
                let Some(at) = tree.iter().map(|(path, _)| path.clone()).nth(which) else { continue };
                let Some(node) = tree.get_mut(&at) else { continue };
                match edit {
                    0 => node.mode = 0o700,
                    1 => node.mtime = 3,
                    2 if !node.is_dir() => drop(tree.remove(&at)),
                    3 if !node.is_dir() => *node = Node::generated(b"g".as_slice(), 0o640, 9),
                    4 if !node.is_dir() => {
                        *node = Node { origin: Origin::Overlay, ..Node::generated(b"o".as_slice(), 0o640, 9) };
                    }
                    5 | 6 => {
                        let user = Owner::Id(7);
                        let access = Access { mode: 0o711, user: user.clone(), group: user };
                        let edit = match edit {
                            5 => TreeEdit::SetAccess { path: at, access },
                            _ => TreeEdit::Remove { path: at },
                        };
                        // the root itself cannot be removed
                        let _ = apply_edits(tree, &TreeEdits(vec![edit]), &owners, 9);
                    }
                    _ => {}
                }
            }
            fleet.layering(budget);
        }
    }

    #[test]
    fn content_of_another_package_is_found_again() {
        let one = package("one", vec![plain("/s", "same")]);
        let two = package("two", vec![plain("/s", "same"), plain("/t", "t")]);
        let fleet = Fleet::new(&[("a", &[&one, &two])]);
        let node = fleet.images[0].merged.tree.get(&path("s")).unwrap();
        assert!(matches!(
            &node.kind,
            Kind::File { content: Content::Package { package: PackageIndex(_), .. }, .. }
        ));
        fleet.layering(96);
    }
}
