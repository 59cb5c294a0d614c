//! Canonicalisation and verdicts over any document.
#![no_main]

use dds_osci::algorithm::CryptoPolicy;
use dds_osci::c14n::canonical_bytes;
use dds_osci::message::MessageKind;
use dds_osci::signature::{Verdict, verify_content, verify_message};
use dds_osci::xml::{Document, limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let Ok(document) = Document::parse(octets.to_vec(), &limits()) else { return };
    let once = canonical_bytes(document.root());
    let again = Document::parse(once.clone(), &limits()).expect("the canonical form is a document");
    assert_eq!(canonical_bytes(again.root()), once, "the canonical form is stable");

    let policy = CryptoPolicy { allow_sha1: true, min_rsa_bits: 0, ..CryptoPolicy::default() };
    for kind in [
        MessageKind::StoreDelivery,
        MessageKind::ResponseToStoreDelivery,
        MessageKind::ResponseToAcceptDelivery,
    ] {
        let verdict = verify_message(&document, kind, &[], &policy);
        match verdict.verdict {
            Verdict::Valid => {
                let (header, body) = (document.header().expect("a header"), document.body().expect("a body"));
                let parts = header.children().filter(|node| node.is_element()).chain([body]);
                let uncovered = parts.filter(|part| !verdict.covers(part.id())).count();
                assert_eq!(uncovered, 1, "all but the signature block");
            }
            _ => assert!(document.body().is_none_or(|body| !verdict.covers(body.id()))),
        }
    }
    for node in document.root().descendants().filter(|node| node.is_element()).take(64) {
        let _verdicts = verify_content(&document, node.id(), &document, &[], &|_| false, &policy);
    }
});
