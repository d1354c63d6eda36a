//! The trees of XML that notifications bring.
//!
//! **No entity, no other document**: a DTD is refused, and a tree larger than [`MOST_NODES`] is none.

use roxmltree::{Document, Node, ParsingOptions};

/// A busy switchboard's `dialog-info` of 64 KiB has fewer.
const MOST_NODES: u32 = 8192;
pub(super) const MOST_ENTRIES: usize = 256;
const LONGEST_TEXT: usize = 512;

pub(super) fn parse(text: &str) -> Option<Document<'_>> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text.trim_start(), options).ok()
}

pub(super) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.is_element() && child.tag_name().name() == name)
        .take(MOST_ENTRIES)
}

pub(super) fn child_text(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    children(node, name).next().and_then(text_of)
}

pub(super) fn text_of(node: Node<'_, '_>) -> Option<String> {
    node.text()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(cut)
}

pub(super) fn attribute(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).map(cut)
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}
