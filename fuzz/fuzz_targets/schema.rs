//! A schema of a package against a foreign document, and a foreign schema against the compiler. The input is cut at the
//! first NUL byte: schema, document. Without one, the input is a document for the schema of the Vorgang.
#![no_main]

use dds_validate::{Files, Schema, Tree};
use dds_xml::{Limits, check};
use libfuzzer_sys::fuzz_target;

const VORGANG: &[u8] = include_bytes!("../../rules/vorgang/1/vorgang.xsd");

thread_local! {
    static OWN: Schema = compile(VORGANG).expect("our own schema");
}

fn compile(schema: &[u8]) -> Option<Schema> {
    let mut files = Files::new();
    files.insert("main.xsd", schema);
    Schema::compile("main.xsd", &files).ok()
}

/// What a tree passes, its text passes.
fn judge(schema: &Schema, document: &[u8]) {
    let findings = schema.validate(document);
    assert!(!Tree::parse(document).is_ok_and(|tree| schema.accepts(&tree)) || findings.is_empty());
}

fuzz_target!(|input: &[u8]| {
    let acceptable = |document: &[u8]| check(document, &Limits::default()).is_ok();
    match input.iter().position(|byte| *byte == 0) {
        None if acceptable(input) => OWN.with(|schema| judge(schema, input)),
        Some(at) => {
            let (schema, document) = (&input[..at], &input[at + 1..]);
            let Some(schema) = compile(schema) else { return };
            if acceptable(document) {
                judge(&schema, document);
            }
        }
        None => {}
    }
});
