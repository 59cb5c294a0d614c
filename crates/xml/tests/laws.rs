//! Laws of the readers, and that none of them ever panics.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use std::collections::BTreeMap;

use dds_xml::{KeyPlan, Limits, Path, QName, Whitespace, canonical, check, diff, escape, extract, json};
use proptest::prelude::*;

/// Markup in bits, so that random documents get deep into the readers.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop::sample::select(vec![
        "<a>",
        "</a>",
        "<a/>",
        "<p:a xmlns:p='u'>",
        "</p:a>",
        "<a b='1' c=\"2\">",
        " xmlns='v'",
        "<!--",
        "-->",
        "--",
        "<![CDATA[",
        "]]>",
        "<?p x?>",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a>",
        "&lt;",
        "&#228;",
        "&#x",
        ";",
        "&",
        "<",
        ">",
        "=",
        "'",
        "\"",
        " ",
        "\r\n",
        "ä",
        "\u{FFFE}",
        "\u{0}",
        "]",
        "{",
        "}",
        "[",
        ":",
        ",",
        "\"a\"",
        "\"@x\"",
        "\"$\"",
        "1",
        "-1.5e3",
        "null",
        "true",
        "\\u00e4",
        "\\",
    ]);
    prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

/// A well-formed document.
fn document() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "p:a", "q:b", "ä"]);
    let text = prop::sample::select(vec![
        "",
        " ",
        "x",
        "ä&lt;",
        "<![CDATA[<]]>",
        "<!--c-->",
        "<?p d?>",
        "\n  ",
        "&#13;",
    ]);
    let attributes = prop::sample::select(vec![
        "",
        " x='1'",
        " p:x='1' x=\"2\"",
        " y='&#9;a\tb'",
        " xmlns=''",
        " xmlns:p='urn:z'",
        " xml:lang='de'",
    ]);
    let leaf =
        (name.clone(), attributes.clone(), text.clone()).prop_map(|(n, a, t)| format!("<{n}{a}>{t}</{n}>"));
    let tree = leaf.prop_recursive(4, 40, 5, move |inner| {
        (name.clone(), attributes.clone(), text.clone(), prop::collection::vec((inner, text.clone()), 0..5))
            .prop_map(|(n, a, t, children)| {
                let children: String = children.into_iter().map(|(child, text)| child + text).collect();
                format!("<{n}{a}>{t}{children}</{n}>")
            })
    });
    tree.prop_map(|tree| format!("<r xmlns:p='urn:p' xmlns:q='urn:q' xmlns='urn:d'>{tree}</r>"))
}

fn plan() -> KeyPlan {
    let prefixes =
        BTreeMap::from([("d".to_owned(), "urn:d".to_owned()), ("p".to_owned(), "urn:p".to_owned())]);
    let mut plan = KeyPlan::new();
    for path in ["/d:r/d:a", "/d:r/p:a/d:b", "/d:r/p:a/@x", "/a", "/a/@b", "/a/a/a"] {
        plan.add(&Path::parse(path, &prefixes).unwrap());
    }
    plan
}

/// Every reader of foreign bytes, and that they agree on what is acceptable.
fn read_everything(bytes: &[u8]) {
    let limits = Limits::default();
    let checked = check(bytes, &limits);
    let extracted = extract(bytes, &plan(), &limits);
    assert_eq!(checked.is_ok(), extracted.is_ok());
    let parsed = std::str::from_utf8(bytes).ok().and_then(|text| roxmltree::Document::parse(text).ok());
    if checked.is_ok() {
        assert!(
            parsed.is_some(),
            "accepted here, refused by roxmltree: {:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    for whitespace in [Whitespace::Keep, Whitespace::DropBetweenElements] {
        assert_eq!(canonical(bytes, whitespace).is_ok(), checked.is_ok());
        let same = diff(bytes, bytes, whitespace);
        assert!(same.is_err() == checked.is_err() && !matches!(same, Ok(Some(_))));
    }
    drop(json::from_map(bytes));
    if let Ok(xml) = json::to_xml(bytes, &limits) {
        assert_eq!(check(&xml, &limits), Ok(()));
        serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn no_scraps_panic(text in scraps()) {
        read_everything(text.as_bytes());
    }

    #[test]
    fn no_mutation_panics(document in document(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = document.into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        read_everything(&bytes);
    }

    /// What roxmltree accepts without DOCTYPE is accepted here, too, apart from what XML forbids and roxmltree
    /// overlooks.
    #[test]
    fn well_formed_documents_are_accepted(document in document()) {
        let ours = check(document.as_bytes(), &Limits::default());
        if roxmltree::Document::parse(&document).is_ok() {
            prop_assert_eq!(ours, Ok(()));
        }
    }

    /// The values that the one pass finds are those a tree has.
    #[test]
    fn extracted_values_are_those_of_the_tree(document in document()) {
        prop_assume!(check(document.as_bytes(), &Limits::default()).is_ok());
        let prefixes = BTreeMap::from([("d".to_owned(), "urn:d".to_owned()), ("p".to_owned(), "urn:p".to_owned())]);
        let mut plan = KeyPlan::new();
        let text = plan.add(&Path::parse("/d:r/p:a", &prefixes).unwrap());
        let attribute = plan.add(&Path::parse("/d:r/p:a/@y", &prefixes).unwrap());
        let found = extract(document.as_bytes(), &plan, &Limits::default()).unwrap();
        prop_assert_eq!(&found.root, &QName::new("urn:d", "r"));

        let tree = roxmltree::Document::parse(&document).unwrap();
        let elements = || tree.root_element().children().filter(|node| node.has_tag_name(("urn:p", "a")));
        let kept = |value: String| Some(value.trim_matches([' ', '\t', '\n', '\r']).to_owned()).filter(|value| !value.is_empty());
        let texts: Vec<String> = elements()
            .filter_map(|node| kept(node.children().filter(|child| child.is_text()).filter_map(|child| child.text()).collect()))
            .collect();
        let attributes: Vec<String> = elements().filter_map(|node| kept(node.attribute("y")?.to_owned())).collect();
        prop_assert_eq!(found.get(text), texts);
        prop_assert_eq!(found.get(attribute), attributes);
    }

    #[test]
    fn canonical_form_is_stable(document in document()) {
        prop_assume!(check(document.as_bytes(), &Limits::default()).is_ok());
        for whitespace in [Whitespace::Keep, Whitespace::DropBetweenElements] {
            let once = canonical(document.as_bytes(), whitespace).unwrap();
            prop_assert_eq!(canonical(once.as_bytes(), whitespace).unwrap(), once.clone());
            prop_assert_eq!(diff(document.as_bytes(), once.as_bytes(), whitespace).unwrap(), None);
        }
    }

    #[test]
    fn prefixes_do_not_matter(document in document()) {
        prop_assume!(check(document.as_bytes(), &Limits::default()).is_ok());
        let renamed = document.replace("p:", "other:").replace("xmlns:p", "xmlns:other");
        prop_assert_eq!(diff(document.as_bytes(), renamed.as_bytes(), Whitespace::Keep).unwrap(), None);
    }

    #[test]
    fn there_is_a_difference_exactly_when_canonical_forms_differ(a in document(), b in document()) {
        prop_assume!(check(a.as_bytes(), &Limits::default()).is_ok() && check(b.as_bytes(), &Limits::default()).is_ok());
        let same = canonical(a.as_bytes(), Whitespace::Keep).unwrap() == canonical(b.as_bytes(), Whitespace::Keep).unwrap();
        prop_assert_eq!(diff(a.as_bytes(), b.as_bytes(), Whitespace::Keep).unwrap().is_none(), same);
    }

    #[test]
    fn escaped_text_reads_back(text in "[\\t\\n\\r -\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]{0,40}") {
        let document = format!("<a b=\"{}\">{}</a>", escape::attribute(&text), escape::text(&text));
        prop_assert_eq!(check(document.as_bytes(), &Limits::default()), Ok(()));
        let tree = roxmltree::Document::parse(&document).unwrap();
        prop_assert_eq!(tree.root_element().attribute("b").unwrap(), text.as_str());
        prop_assert_eq!(tree.root_element().text().unwrap_or_default(), text.as_str());
    }
}
