//! SOAP envelopes and faults of strangers.
#![no_main]

use dds_soap::{Fault, Version, parse};
use dds_xml::{Limits, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|envelope: &[u8]| {
    if let Ok(parsed) = parse(envelope) {
        if let Some(payload) = parsed.payload() {
            let alone = parsed.standalone(&payload);
            check(&alone, &Limits::default()).expect("the payload stands alone");
        }
        let _understood = parsed.not_understood(&[]);
        if let Some(fault) = parsed.fault() {
            for version in [Version::V11, Version::V12] {
                Fault::parse(&fault.to_bytes(version)).expect("what we write we read");
            }
        }
    }
});
