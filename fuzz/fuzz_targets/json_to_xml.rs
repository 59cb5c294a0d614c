//! JSON read as XML: what comes out is acceptable XML, or nothing comes out.
#![no_main]

use dds_xml::{Limits, check, json::to_xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let limits = Limits::default();
    if let Ok(xml) = to_xml(json, &limits) {
        check(&xml, &limits).expect("acceptable XML");
        serde_json::from_slice::<serde_json::Value>(json).expect("no other reader takes it for JSON");
    }
});
