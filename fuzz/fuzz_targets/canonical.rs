//! The canonical form: making it again changes nothing, and a document never differs from itself.
#![no_main]

use dds_xml::{Limits, Whitespace, canonical, check, diff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    if check(document, &Limits::default()).is_err() {
        return;
    }
    for whitespace in [Whitespace::Keep, Whitespace::DropBetweenElements] {
        let Ok(once) = canonical(document, whitespace) else { continue };
        assert_eq!(canonical(once.as_bytes(), whitespace).expect("readable"), once);
        assert!(diff(document, document, whitespace).expect("readable").is_none());
        assert!(diff(document, once.as_bytes(), whitespace).expect("readable").is_none());
    }
});
