//! An image in a few lines.

use serde_json::Value;
use std::{io, sync::Arc};
use strata_oci::{Annotations, RuntimeConfig};
use strata_rootfs::{
    Content, ImageView, Kind, Node, Origin, PackageIndex, PackageInfo, ReadContent, Tree, TreePath,
};
use strata_rpm::{Evr, Nevra};

/// An image: packages, a tree, and the configuration that a policy sees. Files belong to the
/// package that was named last; before the first one, to none. Everything is root's, times are 0.
#[derive(Debug, Clone)]
pub struct Image {
    name: String,
    arch: String,
    packages: Vec<PackageInfo>,
    tree: Tree,
    /// For each package, the contents of its files by file index.
    contents: Vec<Vec<Arc<[u8]>>>,
    config: RuntimeConfig,
    annotations: Annotations,
    last: TreePath,
}

/// An image of that name, for x86_64, with nothing in it but `/`.
pub fn image(name: &str) -> Image {
    let mut tree = Tree::default();
    tree.insert(TreePath::root(), Node::implied_directory());
    Image {
        name: name.to_owned(),
        arch: "x86_64".to_owned(),
        packages: Vec::new(),
        tree,
        contents: Vec::new(),
        config: RuntimeConfig::default(),
        annotations: Annotations::default(),
        last: TreePath::root(),
    }
}

impl Image {
    /// Another architecture, by rpm's name.
    pub fn arch(mut self, arch: &str) -> Self {
        arch.clone_into(&mut self.arch);
        self
    }

    /// A package, version 1-1, that the spec asked for; what follows belongs to it. A full name,
    /// `name-[epoch:]version-release.arch`, gives another version.
    ///
    /// # Panics
    /// When the name has `.` and `-` and still is no full name.
    pub fn package(self, name: &str) -> Self {
        self.add_package(name, true)
    }

    /// A package that came as a dependency, else as [`Image::package`].
    pub fn dependency(self, name: &str) -> Self {
        self.add_package(name, false)
    }

    fn add_package(mut self, name: &str, requested: bool) -> Self {
        let nevra = nevra(name, &self.arch);
        self.packages.push(PackageInfo { source: nevra.name.clone(), nevra, requested });
        self.contents.push(Vec::new());
        self
    }

    /// A regular file, mode 0644. Here and below, a path may have bytes that are not UTF-8.
    ///
    /// # Panics
    /// Here and below: when the path has `.`, `..` or empty components.
    pub fn file(self, path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.regular(path.as_ref(), content.as_ref(), 0o644)
    }

    /// A regular file, mode 0755, with some content.
    pub fn executable(self, path: impl AsRef<[u8]>) -> Self {
        self.regular(path.as_ref(), b"\x7fELF", 0o755)
    }

    /// A directory, mode 0755. Those above a path come by themselves.
    pub fn dir(self, path: impl AsRef<[u8]>) -> Self {
        self.put(path.as_ref(), Kind::Directory, 0o755)
    }

    /// A symbolic link.
    pub fn symlink(self, path: impl AsRef<[u8]>, target: &str) -> Self {
        self.put(path.as_ref(), Kind::Symlink { target: target.as_bytes().to_vec() }, 0o777)
    }

    /// Other permissions and owners for the path before.
    pub fn access(mut self, mode: u16, uid: u32, gid: u32) -> Self {
        if let Some(node) = self.tree.get_mut(&self.last) {
            (node.mode, node.uid, node.gid) = (mode, uid, gid);
        }
        self
    }

    /// A user, with a group of the same name and number: lines in `/etc/passwd` and `/etc/group`.
    pub fn user(self, name: &str, uid: u32) -> Self {
        let line = format!("{name}:x:{uid}:{uid}::/:/usr/sbin/nologin\n");
        self.append("/etc/passwd", &line).group(name, uid)
    }

    /// A group: a line in `/etc/group`.
    pub fn group(self, name: &str, gid: u32) -> Self {
        self.append("/etc/group", &format!("{name}:x:{gid}:\n"))
    }

    /// The configuration that a policy sees, with the specification's names:
    /// `json!({"User": "33:33"})`.
    ///
    /// # Panics
    /// When it is no such configuration.
    pub fn config(mut self, config: Value) -> Self {
        self.config = serde_json::from_value(config)
            .unwrap_or_else(|error| panic!("the configuration is wrong: {error}"));
        self
    }

    /// An annotation that a policy sees.
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.to_owned());
        self
    }

    /// As the host takes it.
    pub fn view(&self) -> ImageView<'_> {
        ImageView {
            name: &self.name,
            arch: &self.arch,
            packages: &self.packages,
            tree: &self.tree,
            contents: self,
        }
    }

    pub(crate) fn runtime(&self) -> (&RuntimeConfig, &Annotations) {
        (&self.config, &self.annotations)
    }

    fn regular(mut self, path: &[u8], content: &[u8], mode: u16) -> Self {
        let size = content.len() as u64;
        let package = PackageIndex(self.packages.len().saturating_sub(1) as u32);
        let content = match self.contents.last_mut() {
            Some(files) => {
                files.push(content.into());
                Content::Package { package, file: files.len() as u32 - 1 }
            }
            None => Content::Inline(content.into()),
        };
        self.put(path, Kind::File { size, content, capabilities: None, links: None }, mode)
    }

    fn put(mut self, path: &[u8], kind: Kind, mode: u16) -> Self {
        let origin = match self.packages.len() {
            0 => Origin::Generated,
            count => Origin::Package(PackageIndex(count as u32 - 1)),
        };
        self.last = tree_path(path);
        let node = Node { kind, mode, uid: 0, gid: 0, mtime: 0, origin };
        self.tree.insert(self.last.clone(), node);
        self
    }

    /// Accounts are strata's own work, whatever package came before.
    fn append(mut self, path: &str, line: &str) -> Self {
        let path = tree_path(path);
        let before = match self.tree.get(&path).map(|node| &node.kind) {
            Some(Kind::File { content, .. }) => self.read(content).unwrap_or_default(),
            _ => Arc::default(),
        };
        let content = [&*before, line.as_bytes()].concat();
        self.tree.insert(path, Node::generated(content, 0o644, 0));
        self
    }
}

impl ReadContent for Image {
    fn read(&self, content: &Content) -> io::Result<Arc<[u8]>> {
        match content {
            Content::Inline(bytes) => Ok(bytes.clone()),
            Content::Package { package, file } => self
                .contents
                .get(package.0 as usize)
                .and_then(|files| files.get(*file as usize))
                .cloned()
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }
}

pub(crate) fn nevra(name: &str, arch: &str) -> Nevra {
    if name.contains('.') && name.contains('-') {
        return name.parse().unwrap_or_else(|error| panic!("{error}"));
    }
    let evr = Evr { epoch: 0, version: "1".to_owned(), release: "1".to_owned() };
    Nevra { name: name.to_owned(), evr, arch: arch.to_owned() }
}

fn tree_path(path: impl AsRef<[u8]>) -> TreePath {
    TreePath::new(path).unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn packages_own_what_follows() {
        let image = image("web")
            .file("/etc/hostname", "web\n")
            .package("nginx")
            .file("/usr/share/page", "page")
            .user("nginx", 33)
            .dependency("zlib-1:1.2-3.x86_64")
            .dir("/var/lib/z")
            .access(0o700, 33, 33)
            .symlink("/lib", "usr/lib");
        let text: Vec<String> = image
            .tree
            .dump()
            .lines()
            .map(|line| line.split(" sha256:").next().unwrap().into())
            .collect();
        assert_eq!(
            text,
            [
                "d 0755 0 0 0 /",
                "d 0755 0 0 0 /etc",
                "f 0644 0 0 0 /etc/group 12",
                "f 0644 0 0 0 /etc/hostname 4",
                "f 0644 0 0 0 /etc/passwd 35",
                "l 0777 0 0 0 /lib -> usr/lib",
                "d 0755 0 0 0 /usr",
                "d 0755 0 0 0 /usr/share",
                "f 0644 0 0 0 /usr/share/page 4 0:0",
                "d 0755 0 0 0 /var",
                "d 0755 0 0 0 /var/lib",
                "d 0700 33 33 0 /var/lib/z",
            ]
        );
        let view = image.view();
        let page = Content::Package { package: PackageIndex(0), file: 0 };
        assert_eq!(&*view.contents.read(&page).unwrap(), b"page");
        assert_eq!(view.packages[1].nevra.to_string(), "zlib-1:1.2-3.x86_64");
        assert_eq!((view.packages[0].requested, view.packages[1].requested), (true, false));
    }
}
