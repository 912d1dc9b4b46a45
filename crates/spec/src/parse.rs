//! From a document's text to its type.

use crate::{
    ComposeSpec, Overlay, Place, Source, SpecError,
    compose::keys::COMPOSE,
    error::Problem,
    json,
    overlay::keys::OVERLAY,
    shape::{Cursor, Shape},
    unsupported,
    value::Node,
    yaml,
};
use std::sync::Arc;

/// Most bytes of a document.
pub(crate) const LARGEST: usize = 8 << 20;

static COMPOSE_SHAPE: Shape = Shape::Object(&COMPOSE);
static OVERLAY_SHAPE: Shape = Shape::Object(&OVERLAY);

/// Reads a compose file. `name` is what errors call it; a name that ends in `.yaml` or `.yml`
/// makes it YAML, any other JSON.
pub fn parse_compose(name: &str, text: &str) -> Result<ComposeSpec, SpecError> {
    let source = Source::new(name, text);
    let root = read(&source)?;
    let cursor = Cursor::root(&source, &root);
    COMPOSE_SHAPE.check(&cursor)?;
    let spec = ComposeSpec::read(&cursor)?;
    unsupported::in_compose(&spec)?;
    Ok(spec)
}

/// Reads a metadata overlay; see [`parse_compose`] for the name.
pub fn parse_overlay(name: &str, text: &str) -> Result<Overlay, SpecError> {
    let source = Source::new(name, text);
    let root = read(&source)?;
    read_overlay(&source, &root)
}

pub(crate) fn read_overlay(source: &Arc<Source>, root: &Node) -> Result<Overlay, SpecError> {
    let cursor = Cursor::root(source, root);
    OVERLAY_SHAPE.check(&cursor)?;
    Overlay::read(&cursor)
}

fn read(source: &Arc<Source>) -> Result<Node, SpecError> {
    if source.text().len() > LARGEST {
        return Err(Place::new(source, 0..0, "").error(Problem::TooLarge { limit: LARGEST }));
    }
    let name = source.name().to_ascii_lowercase();
    if name.ends_with(".yaml") || name.ends_with(".yml") {
        yaml::read(source)
    } else {
        json::read(source)
    }
}
