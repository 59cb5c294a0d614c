//! Answers of targets that were cut off: what the beginning says must be what the whole says.
#![no_main]

use dds_soap::{begins_with_fault, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, envelope) = input;
    let beginning = &envelope[..envelope.len().min(usize::from(cut))];
    let (early, told) = (begins_with_fault(beginning), begins_with_fault(envelope));
    assert!(early.is_none() || early == told, "more octets do not change what was told");
    if let Ok(parsed) = parse(envelope) {
        let whole = parsed.payload().map(|_| parsed.fault().is_some());
        assert_eq!(told, whole, "a beginning that is all there is tells what the envelope tells");
    }
});
