//! What plugins may call.

#[cfg(test)]
mod tests;

use super::{api, questions};
use crate::{
    limits,
    state::{HostStop, Level, State},
};
use api::tree::{Attributes, Entry, Error};
use strata_rootfs::{Content, ImageView, Kind, Node, Origin, Tree, TreePath, Walk, WalkError};
use wasmtime::Result;

impl api::types::Host for State {}

impl api::log::Host for State {
    fn write(&mut self, level: api::log::Level, message: String) -> Result<()> {
        self.charge(message.len())?;
        let level = match level {
            api::log::Level::Error => Level::Error,
            api::log::Level::Warn => Level::Warn,
            api::log::Level::Info => Level::Info,
            api::log::Level::Debug => Level::Debug,
        };
        State::write(self, level, &message);
        Ok(())
    }
}

impl api::settings::Host for State {
    fn all(&mut self) -> Result<Vec<(String, api::settings::Value)>> {
        let all: Vec<_> =
            self.settings().iter().map(|(name, json)| (name.clone(), value(json))).collect();
        self.charge(all.iter().map(|(name, value)| name.len() + value_len(value)).sum())?;
        Ok(all)
    }
}

fn value(json: &serde_json::Value) -> api::settings::Value {
    use api::settings::Value;
    use serde_json::Value as Json;
    let other = || Value::Json(json.to_string());
    match json {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => number.as_i64().map_or_else(other, Value::Integer),
        Json::Array(items) => {
            let texts: Option<Vec<_>> =
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            texts.map_or_else(other, Value::Texts)
        }
        Json::Null | Json::Object(_) => other(),
    }
}

fn value_len(value: &api::settings::Value) -> usize {
    use api::settings::Value;
    match value {
        Value::Text(text) | Value::Json(text) => text.len(),
        Value::Texts(texts) => texts.iter().map(|text| text.len() + 16).sum(),
        Value::Flag(_) | Value::Integer(_) => 16,
    }
}

impl api::image::Host for State {
    fn name(&mut self) -> Result<String> {
        self.charge(0)?;
        Ok(self.image()?.name.to_owned())
    }

    fn arch(&mut self) -> Result<String> {
        self.charge(0)?;
        Ok(self.image()?.arch.to_owned())
    }

    fn packages(&mut self) -> Result<Vec<api::types::Package>> {
        const EACH: usize = 200;
        self.charge(self.image()?.packages.len() * EACH)?;
        let seen = |package: &strata_rootfs::PackageInfo| {
            questions::types_package(&package.nevra, &package.source, package.requested)
        };
        Ok(self.image()?.packages.iter().map(seen).collect())
    }
}

impl api::tree::Host for State {
    fn stat(&mut self, path: String) -> Result<Result<Attributes, Error>> {
        self.look(&path, |image, walk| attributes(image, &followed(walk, &path)?), attributes_len)
    }

    fn lstat(&mut self, path: String) -> Result<Result<Attributes, Error>> {
        self.look(
            &path,
            |image, walk| {
                let place = walk.resolve_parent(&parse(&path)?).map_err(|error| stuck(&error))?;
                attributes(image, &place)
            },
            attributes_len,
        )
    }

    fn real_path(&mut self, path: String) -> Result<Result<String, Error>> {
        self.look(
            &path,
            |image, walk| {
                let path = followed(walk, &path)?;
                node(image.tree, &path)?;
                Ok(path.to_string())
            },
            String::len,
        )
    }

    fn entries(&mut self, path: String) -> Result<Result<Vec<Entry>, Error>> {
        const EACH: usize = 100;
        self.look(
            &path,
            |image, walk| {
                let path = followed(walk, &path)?;
                if !node(image.tree, &path)?.is_none_or(Node::is_dir) {
                    return Err(Error::NotADirectory);
                }
                let entry = |(name, node): (&[u8], &Node)| Entry {
                    name: String::from_utf8_lossy(name).into_owned(),
                    attributes: seen(image, node),
                };
                Ok(image.tree.children(&path).map(entry).collect::<Vec<_>>())
            },
            |entries| {
                let len = |one: &Entry| EACH + one.name.len() + attributes_len(&one.attributes);
                entries.iter().map(len).sum()
            },
        )
    }

    fn read(&mut self, path: String) -> Result<Result<Vec<u8>, Error>> {
        let content = match self.look(&path, |image, walk| file(image, walk, &path), |_| 0)? {
            Ok((size, _)) if size > limits::FILE => {
                return Ok(Err(Error::TooLarge(limits::FILE)));
            }
            Ok((_, content)) => content,
            Err(error) => return Ok(Err(error)),
        };
        let bytes = match content {
            Content::Inline(bytes) => bytes,
            Content::Package { .. } => self
                .image()?
                .contents
                .read(&content)
                .map_err(|error| HostStop::Read { path, reason: error.to_string() })?,
        };
        self.charge(bytes.len())?;
        Ok(Ok(bytes.to_vec()))
    }
}

impl State {
    /// Looks for something in the tree. What that took is charged: the call, the way there, and
    /// the bytes of what was found.
    fn look<T>(
        &mut self,
        path: &str,
        find: impl FnOnce(&ImageView<'_>, &mut Walk<'_>) -> Result<T, Error>,
        len: impl FnOnce(&T) -> usize,
    ) -> Result<Result<T, Error>> {
        self.charge(path.len())?;
        let image = self.image()?;
        let mut walk = Walk::new(image.tree);
        let found = find(&image, &mut walk);
        let steps = walk.steps();
        self.charge_work(steps as u64 * limits::HOST_STEP)?;
        self.charge_work(found.as_ref().map_or(0, len) as u64)?;
        Ok(found)
    }
}

/// A path as plugins may write it.
fn parse(path: &str) -> Result<TreePath, Error> {
    let canonical = path == "/" || (path.starts_with('/') && !path.ends_with('/'));
    match TreePath::new(path) {
        Ok(parsed) if canonical && path.len() <= limits::PATH => Ok(parsed),
        _ => Err(Error::InvalidPath),
    }
}

fn stuck(error: &WalkError) -> Error {
    match error {
        WalkError::Loop(_) => Error::LinkLoop,
        WalkError::NotDirectory(_) => Error::NotADirectory,
        WalkError::TooLong(_) => Error::InvalidPath,
    }
}

/// Where a path leads.
fn followed(walk: &mut Walk<'_>, path: &str) -> Result<TreePath, Error> {
    walk.resolve(&parse(path)?).map_err(|error| stuck(&error))
}

/// What is there; none for the root of a tree that does not mention it.
fn node<'a>(tree: &'a Tree, path: &TreePath) -> Result<Option<&'a Node>, Error> {
    match tree.get(path) {
        None if path.is_root() => Ok(None),
        None => Err(Error::NotFound),
        found => Ok(found),
    }
}

fn attributes(image: &ImageView<'_>, path: &TreePath) -> Result<Attributes, Error> {
    Ok(match node(image.tree, path)? {
        Some(node) => seen(image, node),
        None => seen(image, &Node::implied_directory()),
    })
}

fn file(image: &ImageView<'_>, walk: &mut Walk<'_>, path: &str) -> Result<(u64, Content), Error> {
    let path = followed(walk, path)?;
    match node(image.tree, &path)?.map(|node| &node.kind) {
        Some(Kind::File { size, content, .. }) => Ok((*size, content.clone())),
        _ => Err(Error::NotAFile),
    }
}

fn attributes_len(seen: &Attributes) -> usize {
    [&seen.target, &seen.package].into_iter().flatten().map(String::len).sum()
}

fn seen(image: &ImageView<'_>, node: &Node) -> Attributes {
    let (mut size, mut target, mut capable) = (0, None, false);
    let kind = match &node.kind {
        Kind::Directory => api::types::Kind::Directory,
        Kind::File { size: bytes, capabilities, .. } => {
            (size, capable) = (*bytes, capabilities.is_some());
            api::types::Kind::File
        }
        Kind::Symlink { target: bytes } => {
            target = Some(String::from_utf8_lossy(bytes).into_owned());
            api::types::Kind::Symlink
        }
        Kind::Device { .. } => api::types::Kind::Device,
        Kind::Fifo => api::types::Kind::Fifo,
    };
    let package = match node.origin {
        Origin::Package(index) => {
            image.packages.get(index.0 as usize).map(|package| package.nevra.name.clone())
        }
        _ => None,
    };
    Attributes {
        kind,
        mode: u32::from(node.mode),
        uid: node.uid,
        gid: node.gid,
        size,
        target,
        capabilities: capable,
        package,
    }
}
