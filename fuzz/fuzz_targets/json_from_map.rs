//! The map vocabulary of stylesheets written as JSON: always JSON that others can read.
#![no_main]

use dds_xml::{Limits, check, json::from_map};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|xml: &[u8]| {
    if check(xml, &Limits::default()).is_err() {
        return;
    }
    if let Ok(json) = from_map(xml) {
        serde_json::from_slice::<serde_json::Value>(&json).expect("JSON");
    }
});
