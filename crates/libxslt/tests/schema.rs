//! Schemas by libxml2: for trees that are at hand.
#![allow(clippy::unwrap_used, reason = "tests")]

use dds_libxslt::{Document, Error, Schema};

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="antrag"><xs:complexType><xs:sequence>
    <xs:element name="hunde" type="xs:positiveInteger"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"#;

fn judge(schema: &Schema, document: &str) -> Result<(), Error> {
    schema.validate(&Document::parse(document.as_bytes(), "antrag.xml").unwrap())
}

#[test]
fn one_schema_judges_one_document_after_the_other() {
    let schema = Schema::compile("antrag.xsd", SCHEMA.as_bytes()).unwrap();
    for _ in 0..3 {
        judge(&schema, "<antrag><hunde>2</hunde></antrag>").unwrap();
        let error = judge(&schema, "<antrag>\n<hunde>keiner</hunde></antrag>").unwrap_err();
        assert!(error.message.contains("keiner") && error.line == 2, "{error:?}");
        assert!(judge(&schema, "<antrag/>").is_err(), "a missing element");
        assert!(judge(&schema, "<anders/>").is_err(), "another root");
    }
}

#[test]
fn a_schema_with_a_fault_is_refused_with_its_line() {
    let error =
        Schema::compile("antrag.xsd", SCHEMA.replace("positiveInteger", "zahl").as_bytes()).err().unwrap();
    assert_eq!((error.file.as_str(), error.line), ("antrag.xsd", 3));
}

#[test]
fn a_schema_reads_no_other_file() {
    for word in ["import namespace=\"urn:x\"", "include"] {
        let foreign = format!("<xs:{word} schemaLocation=\"file:///etc/hostname\"/><xs:element");
        assert!(
            Schema::compile("antrag.xsd", SCHEMA.replacen("<xs:element", &foreign, 1).as_bytes()).is_err()
        );
    }
    let doctype = format!("<!DOCTYPE x [<!ENTITY a 'b'>]>{SCHEMA}");
    assert!(Schema::compile("antrag.xsd", doctype.as_bytes()).is_err());
}
