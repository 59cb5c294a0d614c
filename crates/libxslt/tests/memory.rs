//! Memory over many runs, in a process of its own so that nothing else moves it.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use dds_libxslt::{Document, Error, Limits, Stylesheet};

const LIMITS: Limits =
    Limits { operations: 20_000_000, depth: 3000, variables: 15_000, output_bytes: 1 << 20 };

fn compile(body: &str) -> Result<Stylesheet, Error> {
    let text = format!(
        r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">{body}</xsl:stylesheet>"#
    );
    Stylesheet::compile("main.xsl", BTreeMap::from([("main.xsl".to_owned(), text.into_bytes())]))
}

fn template(body: &str) -> String {
    format!(r#"<xsl:template match="/">{body}</xsl:template>"#)
}

#[test]
fn memory_stays_flat_over_runs_compilations_and_errors() {
    let body = template("<r><xsl:for-each select='//b'><x><xsl:value-of select='.'/></x></xsl:for-each></r>");
    let input = format!("<a>{}</a>", "<b>some text</b>".repeat(100));
    let round = || {
        let document = Document::parse(input.as_bytes(), "input").unwrap();
        let style = compile(&body).unwrap();
        for _ in 0..4 {
            style.run(&document, &[], &LIMITS).unwrap();
        }
        assert!(style.run(&document, &[], &Limits { output_bytes: 10, ..LIMITS }).is_err());
        assert!(style.run(&document, &[], &Limits { operations: 10, ..LIMITS }).is_err());
        assert!(compile("<xsl:template/>").is_err());
        assert!(compile("<xsl:import href='nowhere'/>").is_err());
        assert!(Document::parse(b"<a><b></a>", "input").is_err());
        assert!(
            compile(&template("<xsl:value-of select='foo('/>"))
                .and_then(|style| style.run(&document, &[], &LIMITS))
                .is_err()
        );
        let reader = compile(&template("<xsl:copy-of select=\"document('x')\"/>")).unwrap();
        assert!(reader.run(&document, &[], &LIMITS).is_err());
    };
    (0..200).for_each(|_| round());
    let before = resident();
    (0..2000).for_each(|_| round());
    let grown = resident().saturating_sub(before);
    // A leak of one input tree per round would be 40 MB.
    assert!(grown < 2 << 20, "grew by {grown} bytes");

    // Memory of a large document (54 MB) may stay with the process, because glibc does not give it back, but is used
    // again.
    let large = format!("<a>{}</a>", "<b c='d'>some longer text in here</b>".repeat(100_000));
    let read = || drop(Document::parse(large.as_bytes(), "large").unwrap());
    read();
    let before = resident();
    (0..10).for_each(|_| read());
    let grown = resident().saturating_sub(before);
    assert!(grown < 16 << 20, "large documents: grew by {grown} bytes");
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
