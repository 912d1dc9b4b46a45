//! How much a component asks of the compiler, counted before anything of it is compiled.
//!
//! A component that instantiates another one twice, which instantiates a third one twice, and so
//! on, says in a few hundred bytes what the compiler spells out in 2^n instances.

use crate::{PluginErrorKind, limits};
use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, Instance, Payload,
};

/// What one instance of a component takes, with all that it instantiates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Extent {
    /// Instances of modules.
    modules: u64,
    /// Instances of components.
    components: u64,
    /// Imports, exports, aliases, types and adapters.
    items: u64,
}

impl Extent {
    fn add(&mut self, other: Self) {
        self.modules = self.modules.saturating_add(other.modules);
        self.components = self.components.saturating_add(other.components);
        self.items = self.items.saturating_add(other.items);
    }

    fn add_items(&mut self, count: u32) {
        self.add(Self { items: u64::from(count), ..Self::default() });
    }
}

/// A component that is being read.
#[derive(Default)]
struct Open {
    extent: Extent,
    /// Its components by index; none for one that it gets from elsewhere.
    components: Vec<Option<Extent>>,
}

/// Adds up what is read.
pub(crate) struct Counter {
    /// What is being read, the innermost last; none for a module.
    open: Vec<Option<Open>>,
    /// For what stands in none.
    nowhere: Open,
    functions: usize,
    code: usize,
}

/// A fault of the format, or too much.
pub(crate) enum Fault {
    Format(BinaryReaderError),
    Much(PluginErrorKind),
}

impl From<BinaryReaderError> for Fault {
    fn from(error: BinaryReaderError) -> Self {
        Self::Format(error)
    }
}

impl Counter {
    /// For the outermost component.
    pub fn new() -> Self {
        Self { open: vec![Some(Open::default())], nowhere: Open::default(), functions: 0, code: 0 }
    }

    /// The next part, in the order of the bytes.
    pub fn read(&mut self, payload: &Payload<'_>) -> Result<(), Fault> {
        match payload {
            Payload::ModuleSection { .. } => self.open.push(None),
            Payload::ComponentSection { .. } => self.open.push(Some(Open::default())),
            Payload::CodeSectionEntry(body) => return self.function(body.range().len()),
            Payload::End(_) => return self.end(),
            _ => {}
        }
        match payload {
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    let found = match alias? {
                        ComponentAlias::InstanceExport {
                            kind: ComponentExternalKind::Component,
                            ..
                        } => None,
                        ComponentAlias::Outer {
                            kind: ComponentOuterAliasKind::Component,
                            count,
                            index,
                        } => self.outer(count, index),
                        _ => continue,
                    };
                    self.here().components.push(found);
                }
                self.here().extent.add_items(section.count());
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    if let ComponentTypeRef::Component(_) = import?.ty {
                        self.here().components.push(None);
                    }
                }
                self.here().extent.add_items(section.count());
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Component {
                        let found = self.outer(0, export.index);
                        self.here().components.push(found);
                    }
                }
                self.here().extent.add_items(section.count());
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    let (modules, named) = match instance? {
                        Instance::Instantiate { args, .. } => (1, args.len()),
                        Instance::FromExports(exports) => (0, exports.len()),
                    };
                    let items = named as u64 + 1;
                    self.here().extent.add(Extent { modules, components: 0, items });
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    let mut made = match instance? {
                        ComponentInstance::FromExports(exports) => {
                            Extent { items: exports.len() as u64, ..Extent::default() }
                        }
                        ComponentInstance::Instantiate { component_index, args } => {
                            let unknown = Fault::Much(PluginErrorKind::ForeignComponent);
                            let mut made = self.outer(0, component_index).ok_or(unknown)?;
                            made.add(Extent {
                                modules: 0,
                                components: 1,
                                items: args.len() as u64,
                            });
                            made
                        }
                    };
                    made.add_items(1);
                    self.here().extent.add(made);
                }
            }
            Payload::ComponentTypeSection(section) => {
                self.here().extent.add_items(section.count());
            }
            Payload::ComponentCanonicalSection(section) => {
                self.here().extent.add_items(section.count());
            }
            Payload::CoreTypeSection(section) => self.here().extent.add_items(section.count()),
            _ => {}
        }
        Ok(())
    }

    /// The component that is being read. The parser lets none of its sections into a module.
    fn here(&mut self) -> &mut Open {
        let innermost = self.open.iter_mut().rev().find_map(Option::as_mut);
        innermost.unwrap_or(&mut self.nowhere)
    }

    /// A component of the one that is `count` levels further out.
    fn outer(&self, count: u32, index: u32) -> Option<Extent> {
        let level = self.open.len().checked_sub(1 + count as usize)?;
        *self.open[level].as_ref()?.components.get(index as usize)?
    }

    fn function(&mut self, bytes: usize) -> Result<(), Fault> {
        self.functions += 1;
        self.code = self.code.saturating_add(bytes);
        let much = |what, most, count: usize| {
            Err(Fault::Much(PluginErrorKind::TooMuch { what, most, count: count as u64 }))
        };
        if bytes > limits::FUNCTION {
            return much("bytes in one function", limits::FUNCTION, bytes);
        }
        if self.functions > limits::FUNCTIONS {
            return much("functions", limits::FUNCTIONS, self.functions);
        }
        match self.code > limits::CODE {
            true => much("bytes of code", limits::CODE, self.code),
            false => Ok(()),
        }
    }

    /// The end of what is being read: a component is now one of those of the enclosing one.
    fn end(&mut self) -> Result<(), Fault> {
        let Some(Some(Open { extent, .. })) = self.open.pop() else { return Ok(()) };
        if let Some(Some(enclosing)) = self.open.last_mut() {
            enclosing.components.push(Some(extent));
            return Ok(());
        }
        for (what, most, count) in [
            ("instances of modules", limits::INSTANCES, extent.modules),
            ("instances of components", limits::INSTANCES, extent.components),
            ("imports, exports and types in its instances", limits::ITEMS, extent.items),
        ] {
            if count > most as u64 {
                return Err(Fault::Much(PluginErrorKind::TooMuch { what, most, count }));
            }
        }
        Ok(())
    }
}
