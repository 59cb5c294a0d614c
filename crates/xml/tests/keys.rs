//! Key facts of messages in one pass.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use std::collections::BTreeMap;

use dds_xml::{KeyPlan, LimitKind, Limits, Path, QName, XmlErrorKind, extract};

fn path(text: &str) -> Path {
    let prefixes = BTreeMap::from([("h".to_owned(), "urn:h".to_owned())]);
    Path::parse(text, &prefixes).unwrap()
}

const DOCUMENT: &str = "<?xml version='1.0'?>
<x:anmeldung xmlns:x='urn:h' art=' hund '>
  <x:kopf><x:ars> 146120000000 </x:ars><x:leer> </x:leer><ars>fremd</ars></x:kopf>
  <x:tief><x:kopf><x:ars>falsche Stelle</x:ars></x:kopf></x:tief>
  <x:kopf><x:ars>1<![CDATA[2]]>&#51;<x:b>nicht</x:b>4<!-- x -->5</x:ars></x:kopf>
</x:anmeldung>";

#[test]
fn values_are_found_by_path() {
    let mut plan = KeyPlan::new();
    let ars = plan.add(&path("/h:anmeldung/h:kopf/h:ars"));
    let art = plan.add(&path("/h:anmeldung/@art"));
    let empty = plan.add(&path("/h:anmeldung/h:kopf/h:leer"));
    let none = plan.add(&path("/h:anmeldung/h:kopf/@ars"));
    assert_eq!(plan.add(&path("/h:anmeldung/h:kopf/h:ars")), ars, "the same path has one slot");
    assert_ne!(plan.add(&path("/h:anderes/h:kopf/h:ars")), art);

    let found = extract(DOCUMENT.as_bytes(), &plan, &Limits::default()).unwrap();
    assert_eq!(found.root, QName::new("urn:h", "anmeldung"));
    assert_eq!(found.get(ars), ["146120000000", "12345"]);
    assert_eq!(found.first(art), Some("hund"));
    assert!(found.get(empty).is_empty() && found.first(none).is_none());
}

#[test]
fn an_unknown_root_is_named_and_gives_nothing() {
    let mut plan = KeyPlan::new();
    let slot = plan.add(&path("/h:a/h:b"));
    plan.add_root(&QName::new("urn:h", "ohne"));
    assert!(plan.knows(&QName::new("urn:h", "ohne")) && !plan.knows(&QName::new("", "a")));
    let found = extract(b"<a><b>1</b></a>", &plan, &Limits::default()).unwrap();
    assert_eq!((found.root.to_string().as_str(), found.first(slot)), ("a", None));
    assert!(extract(b"<ohne xmlns='urn:h'/>", &plan, &Limits::default()).unwrap().values.is_empty());
}

#[test]
fn the_whole_document_is_checked() {
    let mut plan = KeyPlan::new();
    plan.add(&path("/a/b"));
    assert!(extract(b"<a><b>1</b><c></a>", &plan, &Limits::default()).is_err());
}

#[test]
fn keys_are_never_cut() {
    let mut plan = KeyPlan::new();
    let slot = plan.add(&path("/a/b"));
    let read = |document: String| extract(document.as_bytes(), &plan, &Limits::default());
    assert_eq!(
        read(format!("<a><b> {} </b></a>", "x".repeat(1024))).unwrap().first(slot).unwrap().len(),
        1024
    );
    let kind = |document| match read(document).unwrap_err().kind {
        XmlErrorKind::Limit { what, .. } => what,
        XmlErrorKind::Rule(rule) => panic!("{rule}"),
    };
    assert_eq!(kind(format!("<a><b>{}</b></a>", "x".repeat(1025))), LimitKind::KeyLength);
    assert_eq!(kind(format!("<a>{}</a>", "<b>x</b>".repeat(1001))), LimitKind::KeyValues);
}
