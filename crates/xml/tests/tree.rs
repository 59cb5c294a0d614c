//! The tree says what another parser of XML says of the same document, and refuses what the gate refuses.

#![allow(clippy::unwrap_used, reason = "a test may end by panic, also in its helpers")]

use dds_xml::{LimitKind, Limits, Tree, XmlErrorKind, check, tree::Node};
use proptest::prelude::*;

/// What a tree holds, line by line; `Err` if it is refused.
fn ours(document: &[u8]) -> Result<String, dds_xml::XmlError> {
    fn write(node: Node<'_>, out: &mut String) {
        for child in node.children() {
            assert_eq!(child.parent(), Some(node));
            if child.is_element() {
                let name = child.tag_name();
                out.push_str(&format!("element {:?} {:?}\n", name.namespace(), name.name()));
                for attribute in child.attributes() {
                    let written = attribute.qname().rsplit(':').next();
                    assert_eq!(written, Some(attribute.name()));
                    let (namespace, name) = (attribute.namespace(), attribute.name());
                    out.push_str(&format!(" attribute {namespace:?} {name:?} {:?}\n", attribute.value()));
                }
                let mut scope: Vec<_> = child
                    .namespaces()
                    .map(|one| format!(" scope {:?} {:?}\n", one.prefix(), one.uri()))
                    .collect();
                scope.sort();
                out.extend(scope);
                let source = &child.tree().text()[child.range()];
                out.push_str(&format!(" source {source:?}\n"));
            } else if child.is_text() {
                out.push_str(&format!("text {:?}\n", child.text()));
            } else if let Some(instruction) = child.instruction() {
                out.push_str(&format!("instruction {:?} {:?}\n", instruction.target, instruction.value));
            } else {
                out.push_str("comment\n");
            }
            write(child, out);
        }
        out.push_str("end\n");
    }
    let tree = Tree::parse(document.to_vec(), &Limits::default())?;
    let mut out = String::new();
    write(tree.root().parent().unwrap(), &mut out);
    Ok(out)
}

/// What roxmltree says.
fn theirs(text: &str) -> String {
    fn write(node: roxmltree::Node<'_, '_>, out: &mut String) {
        for child in node.children() {
            if child.is_element() {
                let name = child.tag_name();
                // Where the default namespace is undone it says that it is called "".
                let namespace = name.namespace().filter(|namespace| !namespace.is_empty());
                out.push_str(&format!("element {namespace:?} {:?}\n", name.name()));
                for attribute in child.attributes() {
                    let (namespace, name) = (attribute.namespace(), attribute.name());
                    out.push_str(&format!(" attribute {namespace:?} {name:?} {:?}\n", attribute.value()));
                }
                // It notes an undone default namespace where there was none, too.
                let undone = |text: &str| {
                    text.is_empty()
                        && !child
                            .ancestors()
                            .any(|one| one.default_namespace().is_some_and(|uri| !uri.is_empty()))
                };
                let scope = child.namespaces().map(|one| (one.name().unwrap_or_default(), one.uri()));
                let mut scope: Vec<_> = scope
                    .filter(|(_, uri)| !undone(uri))
                    .map(|(prefix, uri)| format!(" scope {prefix:?} {uri:?}\n"))
                    .collect();
                scope.sort();
                out.extend(scope);
                let source = &child.document().input_text()[child.range()];
                out.push_str(&format!(" source {source:?}\n"));
            } else if child.is_text() {
                out.push_str(&format!("text {:?}\n", child.text()));
            } else if let Some(instruction) = child.pi() {
                let value = instruction.value.unwrap_or_default();
                out.push_str(&format!("instruction {:?} {value:?}\n", instruction.target));
            } else {
                out.push_str("comment\n");
            }
            write(child, out);
        }
        out.push_str("end\n");
    }
    let mut out = String::new();
    write(roxmltree::Document::parse(text).unwrap().root(), &mut out);
    out
}

#[track_caller]
fn same(text: &str) {
    assert_eq!(ours(text.as_bytes()).unwrap(), theirs(text), "{text}");
}

#[test]
fn documents_are_read_as_by_another_parser() {
    for text in [
        "<a/>",
        "<?xml version='1.0' encoding='UTF-8'?>\n<!-- x --><?p  q ?><a> <b/>x<b>y</b> z</a><!--y-->\n",
        "<a xmlns='urn:a'><b xmlns=''><c/></b><d/></a>",
        "<p:a xmlns:p='urn:p' xmlns='urn:q' p:x='1' x='2' xml:lang='de'><p:b xmlns:p='urn:r' p:x='3'/><c xmlns:p='urn:p'/></p:a>",
        "<a x='1&#10;2&#x9;3 4\n5\t6' y=\"&lt;&amp;&quot;&apos;&gt;\">&lt;&#228;\u{1F600}ö&amp;</a>",
        "<a>one<![CDATA[ <two> & ]]>three<!-- c -->four<?p?>five<![CDATA[six]]></a>",
        "<a>]] &gt; ]]&gt;</a>",
        "<a xmlns:p='urn:&amp;&#x20;q'><p:b p:c=''/></a>",
        "<\u{e4}:\u{f6} xmlns:\u{e4}='urn:x'/>",
    ] {
        same(text);
    }
}

#[test]
fn a_mark_and_line_ends_go_before_anything_is_read() {
    let tree = Tree::parse("\u{FEFF}<a b='x\r\ny'>1\r&amp;\r\n\r2<?p q\rr?></a>".into(), &Limits::default())
        .unwrap();
    assert_eq!(tree.text(), "<a b='x\ny'>1\n&amp;\n\n2<?p q\nr?></a>");
    assert_eq!((tree.root().text(), tree.root().attribute("b")), (Some("1\n&\n\n2"), Some("x y")));
    let instruction = tree.root().children().find_map(|child| child.instruction()).unwrap();
    assert_eq!(instruction.value, "q\nr");
    assert_eq!(ours(b"<a>x\r\n</b>").unwrap_err().line, 2);
    assert!(Tree::parse("\u{FEFF}\u{FEFF}<a/>".into(), &Limits::default()).is_err(), "only one");
}

#[test]
fn comments_are_not_free() {
    let limits = Limits { elements: 2, ..Limits::default() };
    let of = |comments: usize| Tree::parse(format!("<a>{}</a>", "<!---->".repeat(comments)).into(), &limits);
    assert!(of(14).is_ok(), "the document, the element and they");
    let refused = of(15).unwrap_err().kind;
    assert!(matches!(refused, XmlErrorKind::Limit { what: LimitKind::Elements, max: 2 }), "{refused:?}");
}

#[test]
fn nodes_know_their_places() {
    let tree =
        Tree::parse("<a i='1'>t<b><c/></b><d xmlns:p='urn:p' p:i='2'/></a>".into(), &Limits::default())
            .unwrap();
    let names =
        |nodes: Vec<Node<'_>>| nodes.iter().map(|node| node.tag_name().name().to_owned()).collect::<Vec<_>>();
    let root = tree.root();
    assert_eq!(names(root.descendants().collect()), ["a", "", "b", "c", "d"]);
    let (b, c) = (root.first_element_child().unwrap(), root.descendants().nth(3).unwrap());
    let d = b.next_sibling().unwrap();
    assert_eq!(names(c.ancestors().collect()), ["c", "b", "a", ""]);
    assert_eq!((d.next_sibling(), c.next_sibling(), root.parent_element()), (None, None, None));
    assert_eq!(tree.node(c.id()), Some(c));
    let other = Tree::parse("<a/>".into(), &Limits::default()).unwrap();
    assert_eq!((other.node(c.id()), other.root() == root), (None, false));
    assert_eq!(
        (root.attribute("i"), d.attribute("i"), d.attribute(("urn:p", "i"))),
        (Some("1"), None, Some("2"))
    );
    assert!(c.shares_scope_with(root) && !d.shares_scope_with(root));
    let text = Tree::parse("<a><![CDATA[]]>b&lt;<![CDATA[c]]></a>".into(), &Limits::default()).unwrap();
    assert_eq!(text.root().first_child().map(|text| text.range()), Some(15..30));
    assert_eq!(format!("{root:?} {tree:?}"), "Node(0..53) Tree(53 bytes)");
}

proptest! {
    /// Whatever is put together from pieces of XML: refused here as by the gate, else read alike.
    #[test]
    fn what_the_gate_lets_through_is_read_alike(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("<a>"), Just("</a>"), Just("<p:b x='1' p:x=\"&lt;2\">"), Just("</p:b>"), Just("<c/>"),
                Just("<d xmlns='urn:d' xmlns:p='urn:p2'>"), Just("</d>"), Just("<e xmlns=''/>"), Just("text"),
                Just("&amp;"), Just("\n "), Just("<![CDATA[<x>]]>"), Just("<![CDATA[]]>"), Just("<!-- c -->"), Just("<?p i?>"),
                Just("]]"), Just("ä"), Just("<p:b xmlns:p='urn:p' xml:lang='de' y='\t'/>"),
            ],
            0..24,
        )
    ) {
        let text = format!("<r xmlns:p='urn:p'>{}</r>", pieces.concat());
        let read = ours(text.as_bytes());
        prop_assert_eq!(check(text.as_bytes(), &Limits::default()).err(), read.as_ref().err().cloned());
        if let Ok(read) = read {
            prop_assert_eq!(read, theirs(&text));
        }
    }
}
