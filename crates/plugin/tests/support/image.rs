//! A small image to show to plugins.

use std::{io, sync::Arc};
use strata_rootfs::{
    Content, ImageView, Kind, Node, Origin, PackageIndex, PackageInfo, ReadContent, Tree, TreePath,
};

/// An image and what it borrows.
pub struct Shown {
    pub packages: Vec<PackageInfo>,
    pub tree: Tree,
    reader: Reader,
}

struct Reader;

impl ReadContent for Reader {
    fn read(&self, content: &Content) -> io::Result<Arc<[u8]>> {
        match content {
            Content::Inline(bytes) => Ok(bytes.clone()),
            Content::Package { file: 0, .. } => Ok(b"from a package".as_slice().into()),
            Content::Package { .. } => Err(io::Error::other("the package is gone")),
        }
    }
}

impl Shown {
    pub fn view(&self) -> ImageView<'_> {
        ImageView {
            name: "web",
            arch: "x86_64",
            packages: &self.packages,
            tree: &self.tree,
            contents: &self.reader,
        }
    }
}

pub fn shown() -> Shown {
    let nevra = "nginx-1:1.22-9.x86_64".parse().expect("a name");
    let info = PackageInfo { nevra, source: "nginx".to_owned(), requested: true };
    let mut tree = Tree::default();
    let mut put = |path: &str, kind: Kind, origin| {
        let node = Node { kind, origin, ..Node::generated(*b"", 0o644, 0) };
        tree.insert(TreePath::new(path).expect("a path"), node);
    };
    let packaged = |size, file| Kind::File {
        size,
        content: Content::Package { package: PackageIndex(0), file },
        capabilities: None,
        links: None,
    };
    let inline = |text: &str| Node::generated(text.as_bytes(), 0o644, 0).kind;
    put("/etc/motd", inline("hello"), Origin::Generated);
    put("/usr/lib/a-b", inline(""), Origin::Generated);
    put("/usr/lib/a/b", packaged(14, 0), Origin::Package(PackageIndex(0)));
    put("/usr/lib/gone", packaged(14, 1), Origin::Package(PackageIndex(0)));
    put("/usr/lib/huge", packaged(1 << 40, 0), Origin::Package(PackageIndex(0)));
    let link = |target: &str| Kind::Symlink { target: target.as_bytes().to_vec() };
    put("/lib", link("usr/lib"), Origin::Generated);
    put("/out", link("../../../etc"), Origin::Generated);
    put("/round", link("round"), Origin::Generated);
    put("/pipe", Kind::Fifo, Origin::Generated);
    Shown { packages: vec![info], tree, reader: Reader }
}
