//! The gate that every foreign XML document passes. What it lets through, the tree readers behind it accept too, and
//! its own tree holds the same as that of another parser.
#![no_main]

use dds_xml::{Limits, Tree, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let limits = Limits::default();
    match check(document, &limits) {
        Ok(()) => {
            assert!(document.len() <= limits.bytes && std::str::from_utf8(document).is_ok());
            let tree = Tree::parse(document.to_vec(), &limits).unwrap();
            // The other parser treats some line ends differently; here they are LF already.
            let other = roxmltree::Document::parse(tree.text()).unwrap();
            assert!(ours(&tree).eq(theirs(&other)));
        }
        Err(error) => assert!(error.line > 0 && error.column > 0, "{error:?}"),
    }
});

/// Names, attributes and texts in the order of the document.
fn ours(tree: &Tree) -> impl Iterator<Item = String> {
    tree.root().descendants().map(|node| {
        let attributes: Vec<_> =
            node.attributes().map(|one| (one.namespace(), one.name(), one.value())).collect();
        let text = node.is_text().then(|| node.text()).flatten();
        let name = node.tag_name();
        format!("{:?} {:?} {attributes:?} {text:?}", name.namespace(), name.name())
    })
}

fn theirs<'a>(document: &'a roxmltree::Document<'_>) -> impl Iterator<Item = String> + 'a {
    document.root_element().descendants().map(|node| {
        let attributes: Vec<_> =
            node.attributes().map(|one| (one.namespace(), one.name(), one.value())).collect();
        let text = node.is_text().then(|| node.text()).flatten();
        let name = node.tag_name();
        // Where the default namespace is undone it says that it is called "".
        let namespace = name.namespace().filter(|namespace| !namespace.is_empty());
        format!("{namespace:?} {:?} {attributes:?} {text:?}", name.name())
    })
}
