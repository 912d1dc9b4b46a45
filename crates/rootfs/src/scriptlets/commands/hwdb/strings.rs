//! Strings one behind the other; what is the tail of one that is there takes no room.

/// A string that was added, and those that it is the tail of.
#[derive(Debug, Default)]
struct Node {
    at: usize,
    length: usize,
    /// By the next byte towards the front, sorted.
    children: Vec<(u8, u32)>,
}

/// The strings.
#[derive(Debug)]
pub(super) struct Strings {
    pub bytes: Vec<u8>,
    nodes: Vec<Node>,
}

impl Default for Strings {
    fn default() -> Self {
        Self { bytes: vec![0], nodes: vec![Node::default()] }
    }
}

impl Strings {
    /// Adds a string, which holds no zero; gives where it is.
    pub(super) fn add(&mut self, text: &[u8]) -> usize {
        if text.is_empty() {
            return 0;
        }
        let mut node = 0;
        let mut depth = 0;
        let slot = loop {
            let own = &self.nodes[node];
            if own.length >= text.len() {
                let at = own.at + own.length - text.len();
                if depth == text.len() || self.bytes[at..at + text.len()] == *text {
                    return at;
                }
            }
            let byte = text[text.len() - 1 - depth];
            match own.children.binary_search_by_key(&byte, |(byte, _)| *byte) {
                Ok(slot) => node = own.children[slot].1 as usize,
                Err(slot) => break slot,
            }
            depth += 1;
        };
        let at = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
        let index = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node { at, length: text.len(), children: Vec::new() });
        self.nodes[node].children.insert(slot, (text[text.len() - 1 - depth], index));
        at
    }

    /// The string at a place.
    pub(super) fn get(&self, at: usize) -> &[u8] {
        let rest = &self.bytes[at..];
        let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
        &rest[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_shared() {
        let mut strings = Strings::default();
        let whole = strings.add(b"keyboard");
        assert_eq!(strings.add(b"board"), whole + 3);
        assert_eq!(strings.add(b"keyboard"), whole);
        assert_eq!(strings.add(b""), 0);
        let other = strings.add(b"aboard");
        assert_eq!((strings.get(other), strings.get(whole + 3)), (&b"aboard"[..], &b"board"[..]));
        assert_eq!(strings.add(b"d"), whole + 7);
        assert_eq!(strings.bytes, b"\0keyboard\0aboard\0");
    }
}
