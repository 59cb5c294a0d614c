//! The gate that every foreign XML document passes. What it lets through, the tree readers behind it accept too.
#![no_main]

use dds_xml::{Limits, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let limits = Limits::default();
    match check(document, &limits) {
        Ok(()) => assert!(document.len() <= limits.bytes && std::str::from_utf8(document).is_ok()),
        Err(error) => assert!(error.line > 0 && error.column > 0, "{error:?}"),
    }
});
