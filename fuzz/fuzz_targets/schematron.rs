//! Schematron rules of a package, and foreign ones. The input is cut at the first NUL byte: rules, document. Without
//! one, the input is a document for the rules of `hundesteuer`.
#![no_main]

use dds_validate::{Files, MAX_FINDINGS, Schematron, Tree};
use dds_xml::{Limits, check};
use libfuzzer_sys::fuzz_target;

const RULES: &[u8] = include_bytes!("../../rules/hundesteuer/1.0/schematron/hundesteuer.sch");

thread_local! {
    static OWN: Schematron = compile(RULES).expect("our own rules");
}

fn compile(rules: &[u8]) -> Option<Schematron> {
    let mut files = Files::new();
    files.insert("main.sch", rules);
    Schematron::compile("main.sch", &files).ok()
}

fuzz_target!(|input: &[u8]| {
    let acceptable = |document: &[u8]| check(document, &Limits::default()).is_ok();
    let run =
        |rules: &Schematron, document: &[u8]| Tree::parse(document).map_or(0, |tree| rules.run(&tree).len());
    let findings = match input.iter().position(|byte| *byte == 0) {
        None if acceptable(input) => OWN.with(|rules| run(rules, input)),
        Some(at) if acceptable(&input[at + 1..]) => match compile(&input[..at]) {
            Some(rules) => run(&rules, &input[at + 1..]),
            None => return,
        },
        _ => return,
    };
    assert!(findings <= MAX_FINDINGS + 1);
});
