//! The one pass over an incoming document: reads no more than `check` allows, and finds the same in every run.
#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use dds_xml::{KeyPlan, Limits, Path, check, extract};
use libfuzzer_sys::fuzz_target;

static PLAN: LazyLock<KeyPlan> = LazyLock::new(|| {
    let prefixes = BTreeMap::from([("h".to_owned(), "urn:datendrehscheibe:hundesteuer:1".to_owned())]);
    let mut plan = KeyPlan::new();
    for path in
        ["/h:anmeldung/h:kopf/h:ars", "/h:anmeldung/h:kopf/h:vorgang", "/h:anmeldung/h:kopf/@art", "/a/b/c"]
    {
        plan.add(&Path::parse(path, &prefixes).expect("a path"));
    }
    plan
});

fuzz_target!(|document: &[u8]| {
    let limits = Limits::default();
    if let Ok(found) = extract(document, &PLAN, &limits) {
        check(document, &limits).expect("what is read was acceptable");
        assert!(PLAN.knows(&found.root) || found.values.iter().all(Vec::is_empty));
    }
});
