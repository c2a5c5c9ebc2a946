//! One element with all that is in it.

use super::Extent;
use super::scanner::Place;
use super::text::{Characters, push_resolved};

/// Elements that a tree may have.
const NODES_MAX: usize = 400_000;
/// Bytes of names and texts that a tree may have.
const TEXT_BYTES_MAX: usize = 24 << 20;

/// Elements, and bytes of names and texts, after which a large element is read piece by piece.
const PAUSE_NODES: usize = 50_000;
const PAUSE_TEXT_BYTES: usize = 4 << 20;
/// The parts of an element that may be so many.
const PART: &str = "NtryDtls";

#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    name: Span,
    currency: Span,
    value: Span,
    /// The first element after all that are in this one.
    after: u32,
    place: Place,
    end: u64,
}

/// An element with its descendants, in the order of the file. Names and texts stand in one
/// string, so that reading the next element into the tree allocates nothing.
#[derive(Default)]
pub(crate) struct Tree {
    text: String,
    nodes: Vec<Node>,
    open: Vec<u32>,
    /// Elements that are open beyond those in `open`: the tree is full.
    unkept: usize,
    is_cut: bool,
    mixed: u64,
}

impl Tree {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.nodes.clear();
        self.open.clear();
        self.unkept = 0;
        self.is_cut = false;
        self.mixed = 0;
    }

    pub(super) fn open(&mut self, name: &[u8], currency: &[u8], place: Place) {
        self.drop_text_before_element();
        if self.nodes.len() >= NODES_MAX || self.text.len() >= TEXT_BYTES_MAX {
            self.is_cut = true;
            self.unkept += 1;
            return;
        }
        let name = self.push_bytes(name);
        let currency = self.push_bytes(currency);
        let start = self.text.len() as u32;
        let place_in_nodes = self.nodes.len() as u32;
        self.open.push(place_in_nodes);
        self.nodes.push(Node {
            name,
            currency,
            value: Span { start, end: start },
            after: place_in_nodes + 1,
            place,
            end: place.start,
        });
    }

    fn push_bytes(&mut self, bytes: &[u8]) -> Span {
        let start = self.text.len() as u32;
        self.text
            .push_str(std::str::from_utf8(bytes).unwrap_or("?"));
        let end = self.text.len() as u32;
        Span { start, end }
    }

    /// Text before an element is white space, or content that no message has.
    fn drop_text_before_element(&mut self) {
        let Some(&parent) = self.open.last() else {
            return;
        };
        let Some(node) = self.nodes.get_mut(parent as usize) else {
            return;
        };
        let start = node.value.start as usize;
        if node.value.end as usize > start {
            self.mixed += u64::from(!self.text[start..].trim().is_empty());
            self.text.truncate(start);
            node.value.end = node.value.start;
        }
    }

    pub(super) fn close(&mut self, end: u64) {
        if self.unkept > 0 {
            self.unkept -= 1;
            return;
        }
        let after = self.nodes.len() as u32;
        let closed = self.open.pop();
        if let Some(node) = closed.and_then(|at| self.nodes.get_mut(at as usize)) {
            node.after = after;
            node.end = end;
        }
    }

    pub(super) fn add_text(&mut self, raw: &[u8], characters: &mut Characters, resolve: bool) {
        // White space between elements says nothing, and an element of nothing else is empty.
        if raw.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let Some(&innermost) = self.open.last() else {
            return;
        };
        let is_leaf = innermost as usize + 1 == self.nodes.len();
        if self.unkept > 0 || self.text.len() >= TEXT_BYTES_MAX {
            self.is_cut = true;
            return;
        }
        if !is_leaf {
            self.mixed += 1;
            return;
        }
        let text = characters.decode(raw);
        if resolve && text.contains('&') {
            push_resolved(&text, &mut self.text);
        } else {
            self.text.push_str(&text);
        }
        let end = self.text.len() as u32;
        if let Some(node) = self.nodes.last_mut() {
            node.value.end = end;
        }
    }

    /// Whether the tree is large, and a piece of a part just ended: so its parts can be released.
    /// If so, the tree can be looked at.
    pub(super) fn pauses(&mut self) -> bool {
        let is_large = self.nodes.len() >= PAUSE_NODES || self.text.len() >= PAUSE_TEXT_BYTES;
        if !is_large || self.is_cut {
            return false;
        }
        let [_, part] = self.open[..] else {
            return false;
        };
        let name = self.nodes[part as usize].name;
        if &self.text[name.start as usize..name.end as usize] != PART {
            return false;
        }
        let after = self.nodes.len() as u32;
        for &open in &self.open {
            self.nodes[open as usize].after = after;
        }
        true
    }

    /// Drops the parts that were read, but keeps the one that is open.
    pub(super) fn release(&mut self) {
        let Some(root) = self.root() else { return };
        let (first, open) = (root.at(&[PART]), self.open.last());
        let (Some(first), Some(&open)) = (first.map(|part| part.place), open) else {
            return;
        };
        let start = self.nodes[first as usize].name.start;
        let mut node = self.nodes[open as usize];
        self.nodes.truncate(first as usize);
        self.text.truncate(start as usize);
        node.name = self.push_bytes(PART.as_bytes());
        let start = self.text.len() as u32;
        node.value = Span { start, end: start };
        node.currency = node.value;
        node.after = first + 1;
        self.nodes.push(node);
        if let Some(open) = self.open.last_mut() {
            *open = first;
        }
    }

    pub(super) fn extent(&self) -> Extent {
        if self.is_cut {
            Extent::Cut
        } else {
            Extent::Whole
        }
    }

    pub(super) fn line(&self) -> u64 {
        self.nodes.first().map_or(0, |node| node.place.line)
    }

    /// Texts that stand beside elements, where no message has text.
    pub fn mixed(&self) -> u64 {
        self.mixed
    }

    /// The outermost element; none before anything is read.
    pub fn root(&self) -> Option<Element<'_>> {
        (!self.nodes.is_empty()).then_some(Element {
            tree: self,
            place: 0,
        })
    }
}

/// An element of a tree.
#[derive(Clone, Copy)]
pub(crate) struct Element<'t> {
    tree: &'t Tree,
    place: u32,
}

impl<'t> Element<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.place as usize]
    }

    fn span(self, span: Span) -> &'t str {
        &self.tree.text[span.start as usize..span.end as usize]
    }

    /// The name without a prefix.
    pub fn name(self) -> &'t str {
        self.span(self.node().name)
    }

    /// The text, without white space around it; empty if elements are inside.
    pub fn text(self) -> &'t str {
        self.span(self.node().value).trim()
    }

    /// The attribute `Ccy`, or nothing.
    pub fn currency(self) -> &'t str {
        self.span(self.node().currency)
    }

    /// Line number from 1.
    pub fn line(self) -> u64 {
        self.node().place.line
    }

    /// Where it lies in the file.
    pub fn bytes(self) -> std::ops::Range<u64> {
        self.node().place.start..self.node().end
    }

    /// The elements directly inside.
    pub fn children(self) -> impl Iterator<Item = Element<'t>> {
        let end = self.node().after;
        let first = (self.place + 1 < end).then_some(self.place + 1);
        let next = move |place: &u32| {
            let after = self.tree.nodes[*place as usize].after;
            (after < end).then_some(after)
        };
        std::iter::successors(first, next).map(move |place| Element {
            tree: self.tree,
            place,
        })
    }

    /// The elements directly inside that have this name.
    pub fn all(self, name: &'static str) -> impl Iterator<Item = Element<'t>> {
        self.children().filter(move |child| child.name() == name)
    }

    /// The first element at `path`, seen from this one.
    pub fn at(self, path: &[&str]) -> Option<Element<'t>> {
        path.iter().try_fold(self, |element, name| {
            element.children().find(|child| child.name() == *name)
        })
    }

    /// The text of the first element at `path`, or nothing.
    pub fn text_at(self, path: &[&str]) -> &'t str {
        self.at(path).map_or("", Element::text)
    }

    /// The text of the first of the `paths` that has one.
    pub fn first_text(self, paths: &[&[&str]]) -> &'t str {
        let texts = paths.iter().map(|path| self.text_at(path));
        texts
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or("")
    }
}
