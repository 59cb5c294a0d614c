//! XML Schema with data of our own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use dds_validate::{Files, MAX_FINDINGS, Schema, ValidateError};

const MAIN: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:a" xmlns:b="urn:b"
    targetNamespace="urn:a" elementFormDefault="qualified">
  <xs:include schemaLocation="typen/grund.xsd"/>
  <xs:import namespace="urn:b" schemaLocation="typen/b1.xsd"/>
  <xs:import namespace="urn:b" schemaLocation="typen/b2.xsd"/>
  <xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>
  <xs:element name="antrag"><xs:complexType><xs:sequence>
    <xs:element name="ars" type="Ars"/>
    <xs:element ref="b:eins" minOccurs="0"/>
    <xs:element ref="b:zwei" minOccurs="0"/>
    <xs:element name="teil" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
      <xs:attribute name="id" type="xs:ID"/><xs:attribute name="zu" type="xs:IDREF"/><xs:attribute ref="xml:lang"/>
    </xs:complexType></xs:element>
    <xs:any processContents="lax" minOccurs="0" maxOccurs="unbounded" namespace="urn:offen"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"#;

fn files() -> Files {
    let schema = |namespace: &str, content: &str| {
        let target =
            if namespace.is_empty() { String::new() } else { format!("targetNamespace='{namespace}'") };
        format!("<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' {target}>{content}</xs:schema>")
            .into_bytes()
    };
    let mut files = Files::new();
    files.insert("schema/main.xsd", MAIN.as_bytes());
    // Without target namespace: takes on that of the including schema.
    files.insert(
        "schema/typen/grund.xsd",
        schema("", "<xs:simpleType name='Ars'><xs:restriction base='xs:string'><xs:pattern value='[0-9]{12}'/></xs:restriction></xs:simpleType>"),
    );
    files.insert(
        "schema/typen/b1.xsd",
        schema(
            "urn:b",
            "<xs:include schemaLocation='../typen/b3.xsd'/><xs:element name='eins' type='xs:int'/>",
        ),
    );
    files.insert("schema/typen/b2.xsd", schema("urn:b", "<xs:element name='zwei' type='xs:date'/>"));
    files.insert("schema/typen/b3.xsd", schema("urn:b", "<xs:element name='drei' type='xs:date'/>"));
    files
}

fn schema() -> Schema {
    Schema::compile("schema/main.xsd", &files()).unwrap()
}

fn message(inner: &str) -> Vec<u8> {
    format!("<a:antrag xmlns:a='urn:a' xmlns:b='urn:b'>{inner}</a:antrag>").into_bytes()
}

#[test]
fn includes_and_several_documents_of_one_namespace_are_merged() {
    let valid = "<a:ars>146120000000</a:ars><b:eins>1</b:eins><b:zwei>2026-11-22</b:zwei><a:teil id='x' xml:lang='de'/><a:teil zu='x'/>";
    assert_eq!(schema().validate(&message(valid)), []);
}

#[test]
fn findings_name_rule_and_place() {
    let schema = schema();
    let found = |inner: &str| -> Vec<(String, String)> {
        schema.validate(&message(inner)).into_iter().map(|finding| (finding.rule, finding.location)).collect()
    };
    let one = |rule: &str, location: &str| vec![(rule.to_owned(), location.to_owned())];
    assert_eq!(
        found("<a:ars>146120000000</a:ars><b:zwei>gestern</b:zwei>"),
        one("cvc-datatype-valid", "/antrag/zwei[1]")
    );
    assert!(
        found("<a:ars>1</a:ars>")
            .iter()
            .any(|(rule, location)| rule == "cvc-pattern-valid" && location == "/antrag/ars[1]")
    );
    assert!(found("<a:ars>146120000000</a:ars><a:teil/><a:fremd/>")[0].0.starts_with("cvc-complex-type.2.4"));
    assert!(
        found("<a:ars>146120000000</a:ars><a:teil/><a:teil zu='nirgends'/>")
            .iter()
            .any(|(rule, _)| rule.starts_with("cvc-id"))
    );
    assert_eq!(
        found("<a:ars>146120000000</a:ars><a:teil/><a:teil x='1'/>"),
        one("cvc-complex-type.3.2.2", "/antrag/teil[2]/@x")
    );
    assert!(schema.validate(b"<fremd/>")[0].rule.starts_with("cvc-"));
    assert_eq!(schema.validate(b"<a")[0].rule, "dds-well-formed");
}

/// The engine would tell the missing `eins` once for every element behind it, and that none of them is declared.
#[test]
fn broken_content_is_told_once_where_it_begins() {
    let sequence = |elements: &[&str]| {
        let elements = elements.iter().map(|name| format!("<xs:element name='{name}' type='xs:int'/>"));
        format!(
            "<xs:complexType><xs:sequence>{}</xs:sequence></xs:complexType>",
            elements.collect::<String>()
        )
    };
    let inner = |name: &str| format!("<xs:element name='{name}'>{}</xs:element>", sequence(&["x", "y", "z"]));
    let text = format!(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a'><xs:complexType><xs:sequence>\
         {}{}<xs:element name='c' type='xs:int'/></xs:sequence></xs:complexType></xs:element></xs:schema>",
        inner("b"),
        inner("d"),
    );
    let mut files = Files::new();
    files.insert("a.xsd", text.into_bytes());
    let schema = Schema::compile("a.xsd", &files).unwrap();
    let found = |text: &str| -> Vec<String> {
        let told = |finding: dds_message::Finding| format!("{} {}", finding.rule, finding.location);
        schema.validate(text.as_bytes()).into_iter().map(told).collect()
    };
    let xyz = "<x>1</x><y>1</y><z>1</z>";
    assert_eq!(found(&format!("<a><b>{xyz}</b><d>{xyz}</d><c>1</c></a>")), [""; 0]);
    assert_eq!(found(&format!("<a><d>{xyz}</d><c>1</c></a>")), ["cvc-complex-type.2.4 /a"]);
    // Each element whose content is broken is told, and so is everything else.
    assert_eq!(
        found("<a><b><y>1</y><z>1</z></b><d><x>1</x><u/><v/></d><c>viele</c></a>"),
        ["cvc-complex-type.2.4 /a/b[1]", "cvc-complex-type.2.4 /a/d[1]", "cvc-datatype-valid /a/c[1]"]
    );
    assert_eq!(found("<e/>"), ["cvc-elt.1 /e"]);
}

#[test]
fn findings_are_bounded() {
    let findings = schema().validate(&message(&format!(
        "<a:ars>{}</a:ars>{}",
        "x".repeat(5000),
        "<a:teil y='1'/>".repeat(500)
    )));
    assert_eq!(findings.len(), MAX_FINDINGS);
    assert!(findings.iter().all(|finding| finding.text.chars().count() <= 501));
}

#[test]
fn only_the_given_files_are_read() {
    // The file exists on every machine that builds this; nevertheless it is not to be found.
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for location in [
        own.to_owned(),
        format!("file://{own}"),
        "http://127.0.0.1:1/x.xsd".to_owned(),
        "../../../../etc/passwd".to_owned(),
    ] {
        let mut files = files();
        let main = MAIN.replace("typen/grund.xsd", &location);
        files.insert("schema/main.xsd", main.into_bytes());
        let error = Schema::compile("schema/main.xsd", &files).unwrap_err();
        assert!(
            matches!(&error, ValidateError::Missing { file, wanted } if file == "schema/main.xsd" && *wanted == location),
            "{error}"
        );
        assert_eq!(error.code().as_str(), "DDS-V003");
    }
    // Nor does a message make the engine fetch what it names.
    let hint = message(
        "<a:ars>146120000000</a:ars><o:x xmlns:o='urn:offen' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='urn:offen file:///etc/passwd'/>",
    );
    assert_eq!(schema().validate(&hint), []);
}

#[test]
fn mistakes_of_the_author_are_placed() {
    let mut files = files();
    files.insert("schema/main.xsd", MAIN.replace("type=\"Ars\"", "type=\"Arz\"").into_bytes());
    let error = Schema::compile("schema/main.xsd", &files).unwrap_err();
    assert_eq!(error.code().as_str(), "DDS-C003");
    assert!(error.to_string().contains("schema/main.xsd") && error.to_string().contains("Arz"), "{error}");
    assert!(!error.to_string().contains("depot:"), "{error}");

    files.insert("schema/main.xsd", &b"<xs:schema"[..]);
    assert!(Schema::compile("schema/main.xsd", &files).is_err());
    assert!(matches!(Schema::compile("fehlt.xsd", &files), Err(ValidateError::Missing { .. })));
}

#[test]
fn foreign_names_do_not_fill_the_memory() {
    let mut schema = schema();
    let names = |message: usize, count: usize| -> String {
        (0..count).map(|n| format!("<o:n{message}-{n}/>")).collect()
    };
    let open = |inner: String| {
        message(&format!("<a:ars>146120000000</a:ars><o:x xmlns:o='urn:offen'>{inner}</o:x>"))
    };
    assert_eq!(schema.validate(&open(names(0, 100))), []);
    assert!(schema.validate(&open(names(0, 5000))).iter().any(|finding| finding.rule == "dds-names"));
    for number in 1..60 {
        drop(schema.validate(&open(names(number, 1500))));
    }
    assert!(schema.needs_rebuild());
    schema.rebuild().unwrap();
    assert!(!schema.needs_rebuild());
    assert_eq!(schema.validate(&open(names(0, 100))), []);
}
