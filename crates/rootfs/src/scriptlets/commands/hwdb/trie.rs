//! The trie, and its file.

use super::{Form, strings::Strings};

/// A value of a name.
#[derive(Debug, Clone, Copy)]
struct Value {
    key: usize,
    value: usize,
    file: usize,
    line: u32,
    priority: u16,
}

#[derive(Debug, Default)]
struct Node {
    /// Where the common part of all below is, among the strings.
    prefix: usize,
    /// By the byte that follows, sorted.
    children: Vec<(u8, usize)>,
    /// Sorted by key.
    values: Vec<Value>,
}

/// The trie.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    strings: Strings,
    full: bool,
}

impl Default for Trie {
    fn default() -> Self {
        Self { nodes: vec![Node::default()], strings: Strings::default(), full: false }
    }
}

/// Where a property is from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// None: not said in the file.
    pub path: Option<&'a str>,
    pub line: u32,
    pub priority: u16,
}

/// Most properties of one name; they are kept sorted.
const PROPERTIES: usize = 10_000;
const HEADER: usize = 80;
const NODE: usize = 24;
const CHILD: usize = 16;

impl Trie {
    /// Whether a name had more properties than it may.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Gives all that match a pattern a property.
    pub(super) fn insert(&mut self, pattern: &[u8], key: &[u8], value: &[u8], source: Source<'_>) {
        let (mut node, mut rest) = (0, pattern);
        loop {
            let prefix = self.strings.get(self.nodes[node].prefix);
            let same = prefix.iter().zip(rest).take_while(|(a, b)| a == b).count();
            if same < prefix.len() {
                self.divide(node, same);
            }
            rest = &rest[same..];
            let Some((byte, tail)) = rest.split_first() else { break };
            match self.nodes[node].children.binary_search_by_key(byte, |(byte, _)| *byte) {
                Ok(slot) => node = self.nodes[node].children[slot].1,
                Err(slot) => {
                    let prefix = self.strings.add(tail);
                    let child = self.nodes.len();
                    self.nodes.push(Node { prefix, ..Node::default() });
                    self.nodes[node].children.insert(slot, (*byte, child));
                    node = child;
                    break;
                }
            }
            rest = tail;
        }
        self.set(node, key, value, source);
    }

    /// Cuts a node's prefix: what follows becomes a child of it.
    fn divide(&mut self, node: usize, at: usize) {
        let own = &mut self.nodes[node];
        let prefix = own.prefix;
        let child = Node { prefix: prefix + at + 1, ..std::mem::take(own) };
        let byte = self.strings.bytes[prefix + at];
        let common = self.strings.bytes[prefix..prefix + at].to_vec();
        let index = self.nodes.len();
        self.nodes.push(child);
        self.nodes[node].prefix = self.strings.add(&common);
        self.nodes[node].children.push((byte, index));
    }

    /// A later value of a key takes the place of the one before.
    fn set(&mut self, node: usize, key: &[u8], value: &[u8], source: Source<'_>) {
        let value = Value {
            key: self.strings.add(key),
            value: self.strings.add(value),
            file: source.path.map_or(0, |path| self.strings.add(path.as_bytes())),
            line: source.line,
            priority: source.priority,
        };
        let values = &mut self.nodes[node].values;
        match values.binary_search_by(|own| self.strings.get(own.key).cmp(key)) {
            Ok(slot) => values[slot] = Value { key: values[slot].key, ..value },
            Err(_) if values.len() == PROPERTIES => self.full = true,
            Err(slot) => values.insert(slot, value),
        }
    }

    /// The nodes, each behind all that is below it.
    fn order(&self) -> Vec<usize> {
        let (mut order, mut todo) = (Vec::new(), vec![(0, 0)]);
        while let Some((node, child)) = todo.pop() {
            match self.nodes[node].children.get(child) {
                Some((_, below)) => todo.extend([(node, child + 1), (*below, 0)]),
                None => order.push(node),
            }
        }
        order
    }

    /// The file.
    pub(super) fn write(&self, version: u64, form: Form) -> Vec<u8> {
        let entry = if form == Form::Full { 32 } else { 16 };
        let size = |node: &Node| NODE + node.children.len() * CHILD + node.values.len() * entry;
        let strings = HEADER + self.nodes.iter().map(size).sum::<usize>();
        let mut places = vec![0u64; self.nodes.len()];
        let mut file = vec![0; HEADER];
        let put = |file: &mut Vec<u8>, number: usize| file.extend((number as u64).to_le_bytes());
        for index in self.order() {
            let node = &self.nodes[index];
            places[index] = file.len() as u64;
            put(&mut file, strings + node.prefix);
            put(&mut file, node.children.len() & 0xff);
            put(&mut file, node.values.len());
            for (byte, child) in &node.children {
                put(&mut file, usize::from(*byte));
                file.extend(places[*child].to_le_bytes());
            }
            for value in &node.values {
                put(&mut file, strings + value.key);
                put(&mut file, strings + value.value);
                if form == Form::Full {
                    put(&mut file, strings + value.file);
                    file.extend(value.line.to_le_bytes());
                    file.extend(value.priority.to_le_bytes());
                    file.extend([0, 0]);
                }
            }
        }
        file.extend(&self.strings.bytes);
        let mut header = b"KSLPHHRH".to_vec();
        header.extend(version.to_le_bytes());
        let numbers = [file.len(), HEADER, NODE, CHILD, entry];
        numbers.into_iter().for_each(|number| put(&mut header, number));
        header.extend(places[0].to_le_bytes());
        put(&mut header, strings - HEADER);
        put(&mut header, self.strings.bytes.len());
        file[..HEADER].copy_from_slice(&header);
        file
    }
}
