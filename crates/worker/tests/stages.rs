//! The stages of a job: schema, canonical form, form of the output.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bytes::Bytes;
use common::{bundle, job, options, sheet, template};
use dds_message::{Code, Format, OutputForm};
use dds_worker::{Bundle, Job, Pool};

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="m"><xs:complexType><xs:sequence><xs:element name="n" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
</xs:schema>"#;

fn with_schema(sheets: &[(&str, String)]) -> Bundle {
    let mut bundle = bundle(sheets);
    bundle.files.insert("m.xsd".to_owned(), SCHEMA.into());
    bundle.schemas.push("m.xsd".to_owned());
    bundle
}

fn checked(document: &str) -> Job {
    Job { schema: Some("m.xsd".to_owned()), ..job("good", document) }
}

#[tokio::test]
async fn an_invalid_message_stops_with_its_findings() {
    let pool = Pool::start(options()).await.unwrap();
    assert_eq!(pool.load(with_schema(&[])).await.unwrap(), []);
    let result = pool.run(checked("<m><n>x</n></m>")).await.unwrap();
    assert!(!result.findings.is_empty());
    assert_eq!((result.canonical, result.outputs), (None, vec![]));
    let result = pool.run(checked("<m><n>1</n></m>")).await.unwrap();
    assert_eq!((result.findings, result.outputs.len()), (vec![], 1));
}

#[tokio::test]
async fn a_canonical_form_that_is_invalid_is_the_rule_authors_problem() {
    let pool = Pool::start(options()).await.unwrap();
    pool.load(with_schema(&[("v", template("<m><n><xsl:value-of select='/a/@n'/></n></m>"))])).await.unwrap();
    let job = |document| Job {
        canonical: Some("v".to_owned()),
        canonical_schema: Some("m.xsd".to_owned()),
        ..job("good", document)
    };
    assert!(pool.run(job("<a n='5'/>")).await.is_ok());
    let problem = pool.run(job("<a n='x'/>")).await.unwrap_err().problem;
    assert_eq!(problem.code, Code::OUTPUT_INVALID, "{problem}");
    assert!(!problem.findings.is_empty());
}

#[tokio::test]
async fn a_canonical_form_of_another_procedure_is_refused() {
    let pool = Pool::start(options()).await.unwrap();
    let as_tree = template("<v verfahren='{/a/@n}'/>");
    // A CDATA section keeps the result from being used as a tree.
    let as_bytes = sheet(
        "<xsl:output cdata-section-elements='w'/><xsl:template match='/'><v verfahren='{/a/@n}'><w>x</w></v></xsl:template>",
    );
    pool.load(with_schema(&[("tree", as_tree), ("bytes", as_bytes)])).await.unwrap();
    for stylesheet in ["tree", "bytes"] {
        let job = |document| Job {
            canonical: Some(stylesheet.to_owned()),
            procedure: Some("katze".to_owned()),
            ..job("good", document)
        };
        assert!(pool.run(job("<a n='katze'/>")).await.is_ok());
        for other in ["<a n='hund'/>", "<a n='katzen'/>", "<a/>"] {
            let problem = pool.run(job(other)).await.unwrap_err().problem;
            assert_eq!(problem.code, Code::OUTPUT_INVALID, "{problem}");
            assert!(problem.to_string().contains("verfahren of the Vorgang is not katze"), "{problem}");
        }
    }
}

#[tokio::test]
async fn json_comes_in_as_xml_and_goes_out_from_the_map_vocabulary() {
    let pool = Pool::start(options()).await.unwrap();
    let body = "<map xmlns='http://www.w3.org/2005/xpath-functions'>\
        <number key='n'><xsl:value-of select='/m/n'/></number></map>";
    pool.load(with_schema(&[("j", template(body))])).await.unwrap();
    let mut job = checked(r#"{"m": {"n": 7}}"#);
    job.format = Format::Json;
    job.targets[0].stylesheet = Some("j".to_owned());
    job.targets[0].output = OutputForm::Json;
    let result = pool.run(job).await.unwrap();
    assert_eq!(result.outputs, [Bytes::from_static(br#"{"n":7}"#)]);
    let mut broken = checked("{");
    broken.format = Format::Json;
    assert_eq!(pool.run(broken).await.unwrap_err().problem.code, Code::NOT_WELL_FORMED);
}

#[tokio::test]
async fn text_in_another_encoding_leaves_the_sandbox() {
    let pool = Pool::start(options()).await.unwrap();
    let body =
        "<xsl:output method='text' encoding='ISO-8859-15'/><xsl:template match='/'>5 \u{20ac}</xsl:template>";
    pool.load(bundle(&[("t", sheet(body))])).await.unwrap();
    let mut job = job("t", "<a/>");
    job.targets[0].output = OutputForm::Text;
    assert_eq!(pool.run(job).await.unwrap().outputs, [Bytes::from_static(b"5 \xa4")]);
}

#[tokio::test]
async fn a_schema_that_cannot_be_compiled_is_named_with_its_file() {
    let pool = Pool::start(options()).await.unwrap();
    let mut bundle = with_schema(&[]);
    bundle.files.insert("m.xsd".to_owned(), Bytes::from_static(b"<xs:schema"));
    let errors = pool.load(bundle).await.unwrap();
    assert_eq!((errors.len(), errors[0].artefact.as_str()), (1, "m.xsd"), "{errors:?}");
    assert_eq!(pool.run(checked("<m/>")).await.unwrap_err().problem.code, errors[0].code);
}
