//! Signatures of messages: each test fails when the check it names is taken out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

mod fixture;

use dds_osci::algorithm::{CryptoPolicy, DigestAlgorithm};
use dds_osci::feedback::FeedbackCode;
use dds_osci::signature::{Fault, MessageVerdict, Reason, Reference, Verdict, verify_message};
use fixture::{Message, certificate, certificate_element, custom_header, keys, read};

fn verdict_of(message: &Message, envelope: &str) -> MessageVerdict {
    let received = read(&message.packed(envelope)).unwrap();
    verify_message(&received.document, received.kind, &received.digests(), &CryptoPolicy::default())
}

/// Envelope signed, then bent.
fn bent(message: &Message, bend: impl Fn(String) -> String) -> MessageVerdict {
    verdict_of(message, &bend(message.signed()))
}

fn has(verdict: &MessageVerdict, reason: Reason, place: &str) -> bool {
    verdict.faults.contains(&Fault { reason, place: place.to_owned() })
}

fn code(verdict: &MessageVerdict) -> FeedbackCode {
    verdict.require().unwrap_err().code
}

#[test]
fn a_signed_message_is_valid_and_covers_its_parts() {
    let message = Message::new();
    let received = read(&message.packed(&message.signed())).unwrap();
    let verdict =
        verify_message(&received.document, received.kind, &received.digests(), &CryptoPolicy::default());
    assert_eq!(verdict.verdict, Verdict::Valid, "{:?}", verdict.faults);
    assert_eq!(verdict.require().unwrap(), certificate(&keys().signature));
    for id in ["controlblock", "storedelivery", "body", "nonintermediarycertificates"] {
        assert!(verdict.covers(received.document.by_id(id).unwrap().id()), "{id}");
    }
    assert!(!verdict.covers(received.document.by_id("clientsignature").unwrap().id()));
    assert!(!verdict.covers(received.document.by_id("addressee_cipher_1").unwrap().id()), "only whole parts");
}

#[test]
fn every_altered_part_is_named() {
    let message = Message::new();
    let verdict = bent(&message, |xml| xml.replace(">Antrag<", ">Betrug<"));
    assert!(
        has(&verdict, Reason::Digest, "#storedelivery") && verdict.faults.len() == 1,
        "{:?}",
        verdict.faults
    );
    assert_eq!(code(&verdict), FeedbackCode::S9601);
    assert!(!verdict.covers(read(&message.packed(&message.signed())).unwrap().document.body().unwrap().id()));

    let verdict = bent(&message, |xml| xml.replacen("<ds:SignatureValue>", "<ds:SignatureValue>AAAA", 1));
    assert!(has(&verdict, Reason::Value, ""));

    let mut altered = Message::new();
    let envelope = altered.signed();
    altered.attachments[0].1[0] ^= 1;
    let verdict = verdict_of(&altered, &envelope);
    assert!(has(&verdict, Reason::Digest, "cid:anlage.txt") && code(&verdict) == FeedbackCode::S9601);
    altered.attachments.clear();
    let verdict = verdict_of(&altered, &envelope);
    assert!(has(&verdict, Reason::Missing, "cid:anlage.txt") && code(&verdict) == FeedbackCode::S9601);
}

#[test]
fn parts_without_reference_are_9602_and_cut_references_9601() {
    let mut message = Message::new();
    message.references = |references| drop(references.remove(2));
    let verdict = verdict_of(&message, &message.signed());
    assert!(has(&verdict, Reason::Unsigned, "storedelivery"));
    assert_eq!(code(&verdict), FeedbackCode::S9602);

    let message = Message::new();
    let verdict = bent(&message, |xml| {
        let start = xml.find("<ds:Reference URI=\"#storedelivery\">").unwrap();
        let end = start + xml[start..].find("</ds:Reference>").unwrap() + "</ds:Reference>".len();
        format!("{}{}", &xml[..start], &xml[end..])
    });
    assert_eq!(code(&verdict), FeedbackCode::S9601);

    let mut message = Message::new();
    message.attachments.push(("zweite".into(), vec![1]));
    message.references = |references| drop(references.pop());
    let verdict = verdict_of(&message, &message.signed());
    assert!(has(&verdict, Reason::Unsigned, "cid:zweite") && code(&verdict) == FeedbackCode::S9602);

    let message = Message::new();
    let verdict = bent(&message, |xml| {
        xml.replace("</soap:Header>", &format!("{}</soap:Header>", custom_header("fremd", "")))
    });
    assert!(has(&verdict, Reason::Unsigned, "fremd"));
}

#[test]
fn a_moved_part_is_not_the_signed_part() {
    // Classic wrapping: the signed order goes into a header of its own, another order takes its place.
    let message = Message::new();
    let order = message.blocks[2].clone();
    let forged = order.replace("Id=\"storedelivery\"", "Id=\"forged\"").replace("Antrag", "Betrug");
    let verdict = bent(&message, |xml| {
        let xml = xml.replace(&order, &forged);
        xml.replace("</soap:Header>", &format!("{}</soap:Header>", custom_header("kopf", &order)))
    });
    assert!(has(&verdict, Reason::Unexpected, "#storedelivery"), "{:?}", verdict.faults);
    assert!(has(&verdict, Reason::Unsigned, "forged"));
    assert_eq!(code(&verdict), FeedbackCode::S9601);

    // The signed Body hides in a header, another Body takes its place.
    let hidden = message.body.clone();
    let verdict = bent(&message, |xml| {
        let xml = xml.replace(&hidden, &hidden.replace("Id=\"body\"", "Id=\"leib\""));
        xml.replace("</soap:Header>", &format!("{}</soap:Header>", custom_header("kopf", &hidden)))
    });
    assert!(has(&verdict, Reason::Unexpected, "#body") && has(&verdict, Reason::Unsigned, "leib"));
}

#[test]
fn duplicate_ids_and_second_parts_are_no_message() {
    let message = Message::new();
    let xml = message.signed();
    let refused = |envelope: String| read(&message.packed(&envelope)).unwrap_err();
    let cases = [
        xml.replace("Id=\"desiredlanguages\"", "Id=\"storedelivery\""),
        xml.replace("<osci:ContentPackage>", "<osci:ContentPackage Id=\"storedelivery\">"),
        xml.replace("</soap:Envelope>", &format!("{}</soap:Envelope>", fixture::body("").replace("\"body\"", "\"b2\""))),
        xml.replace("<soap:Body", "<soap:Header></soap:Header><soap:Body"),
        xml.replace("</soap:Envelope>", &format!("<x:y xmlns:x=\"urn:x\">{}</x:y></soap:Envelope>", fixture::body("").replace("\"body\"", "\"b2\""))),
        xml.replace("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/hostname\">]>"),
        xml.replace(">Antrag<", ">&b;<"),
        xml.replace("<osci:ContentPackage>", &format!("<osci:ContentPackage>{}", "<a>".repeat(1000))).replace("</osci:ContentPackage>", &format!("{}</osci:ContentPackage>", "</a>".repeat(1000))),
        xml.replace("soapStoreDelivery.xsd", "soapMessageFault.xsd"),
        xml.replace("xsi:schemaLocation", "xs:schemaLocation").replace("<soap:Envelope ", "<soap:Envelope xmlns:xs=\"http://www.w3.org/2001/XMLSchema-instance\" "),
    ];
    for (number, envelope) in cases.into_iter().enumerate() {
        assert_ne!(envelope, xml, "case {number} bends nothing");
        assert_eq!(refused(envelope).code, FeedbackCode::S9100, "case {number}");
    }
}

#[test]
fn references_must_be_exact() {
    let mut message = Message::new();
    message.references = |references| references.push(references[1].clone());
    let verdict = verdict_of(&message, &message.signed());
    assert!(has(&verdict, Reason::Twice, "#desiredlanguages") && code(&verdict) == FeedbackCode::S9601);

    message.references = |references| references.push(references.last().unwrap().clone());
    let verdict = verdict_of(&message, &message.signed());
    assert!(has(&verdict, Reason::Twice, "cid:anlage.txt"));

    // A certificate element exists, but is no part; "nowhere" does not exist.
    for (id, reason) in [("addressee_cipher_1", Reason::Unexpected), ("nowhere", Reason::Missing)] {
        message.references = if id == "nowhere" {
            |references| unknown(references, "nowhere")
        } else {
            |references| unknown(references, "addressee_cipher_1")
        };
        let verdict = verdict_of(&message, &message.signed());
        assert!(has(&verdict, reason, &format!("#{id}")), "{:?}", verdict.faults);
    }
}

fn unknown(references: &mut Vec<Reference>, id: &str) {
    references.push(Reference::Element { id: id.to_owned(), digest: vec![0; 32] });
}

#[test]
fn only_the_certificate_element_of_the_role_may_be_named() {
    // The same certificate in another role, in a custom header, and nowhere.
    let copy = |role: &str, id: &str| certificate_element(role, id, certificate(&keys().signature));
    let mut message = Message::new();
    message.key_id = "author7".to_owned();
    message.blocks[3] = message.blocks[3].replace(
        "</osci:NonInter",
        &format!("{}</osci:NonInter", copy("SignatureCertificateOtherAuthor", "author7")),
    );
    let verdict = verdict_of(&message, &message.signed());
    assert!(
        verdict.faults.iter().any(|fault| fault.reason == Reason::Signer)
            && code(&verdict) == FeedbackCode::S9601
    );

    let mut message = Message::new();
    message.key_id = "versteckt".to_owned();
    message.blocks.push(custom_header("kopf", &copy("SignatureCertificateOriginator", "versteckt")));
    let verdict = verdict_of(&message, &message.signed());
    assert!(verdict.faults.iter().any(|fault| fault.reason == Reason::Signer), "{:?}", verdict.faults);

    let mut message = Message::new();
    message.key_id = "nirgends".to_owned();
    assert_eq!(code(&verdict_of(&message, &message.signed())), FeedbackCode::S9601);

    // Another key than that of the certificate header.
    let mut message = Message::new();
    message.blocks[3] = message.blocks[3].replace(
        &certificate_element(
            "SignatureCertificateOriginator",
            fixture::SIGNER_ID,
            certificate(&keys().signature),
        ),
        &certificate_element(
            "SignatureCertificateOriginator",
            fixture::SIGNER_ID,
            certificate(&keys().author),
        ),
    );
    let verdict = verdict_of(&message, &message.signed());
    assert!(has(&verdict, Reason::Value, "") && code(&verdict) == FeedbackCode::S9601);
}

#[test]
fn algorithms_are_not_negotiable() {
    let message = Message::new();
    let c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    let cases = [
        (
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
            FeedbackCode::S9601,
        ),
        (
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
            "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
            FeedbackCode::S9100,
        ),
        (
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2001/04/xmlenc#ripemd160",
            FeedbackCode::S9601,
        ),
        (
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2000/09/xmldsig#sha1",
            FeedbackCode::S9601,
        ),
        ("http://www.w3.org/2001/04/xmlenc#sha256", "urn:unknown", FeedbackCode::S9100),
        (c14n, "http://www.w3.org/2001/10/xml-exc-c14n#", FeedbackCode::S9601),
        (c14n, "http://www.w3.org/TR/1999/REC-xslt-19991116", FeedbackCode::S9601),
    ];
    for (from, to, expected) in cases {
        assert_eq!(code(&bent(&message, |xml| xml.replace(from, to))), expected, "{to}");
    }

    // Properly signed with SHA-1 digests: only the policy stands against it.
    let mut weak = Message::new();
    weak.options.digest = DigestAlgorithm::Sha1;
    let verdict = verdict_of(&weak, &weak.signed());
    assert!(has(&verdict, Reason::RefusedAlgorithm, "#body"), "{:?}", verdict.faults);
    let received = read(&weak.packed(&weak.signed())).unwrap();
    let lax = CryptoPolicy { allow_sha1: true, ..CryptoPolicy::default() };
    let verdict = verify_message(&received.document, received.kind, &received.digests(), &lax);
    assert_eq!(verdict.verdict, Verdict::Valid, "{:?}", verdict.faults);

    let mut strong = Message::new();
    strong.options.digest = DigestAlgorithm::Sha512;
    assert_eq!(verdict_of(&strong, &strong.signed()).verdict, Verdict::Valid);
}

#[test]
fn the_structure_of_the_signature_is_fixed() {
    let message = Message::new();
    let retrieval = format!("<ds:RetrievalMethod URI=\"#{}\"></ds:RetrievalMethod>", fixture::SIGNER_ID);
    let x509 = "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>";
    let block = |xml: &str| {
        let (start, end) =
            (xml.find("<osci:ClientSignature").unwrap(), xml.find("</osci:ClientSignature>").unwrap());
        xml[start..end + "</osci:ClientSignature>".len()].to_owned()
    };
    let bends: [Box<dyn Fn(String) -> String>; 5] = [
        Box::new(|xml| xml.replace(&retrieval, x509)),
        Box::new(|xml| xml.replace(&retrieval, &format!("{retrieval}{x509}"))),
        Box::new(|xml| xml.replace("</ds:Signature>", "<ds:Object></ds:Object></ds:Signature>")),
        Box::new(|xml| {
            let second = block(&xml)
                .replace("clientsignature", "zweite")
                .replace("ClientSignature", "SupplierSignature");
            xml.replace("</soap:Header>", &format!("{second}</soap:Header>"))
        }),
        Box::new(|xml| xml.replace("</ds:Signature>", "</ds:Signature><ds:Signature></ds:Signature>")),
    ];
    for (number, bend) in bends.iter().enumerate() {
        assert_eq!(code(&bent(&message, bend)), FeedbackCode::S9100, "case {number}");
    }
    let verdict = bent(&message, |xml| xml.replace(&block(&xml), ""));
    assert_eq!((&verdict.verdict, code(&verdict)), (&Verdict::Absent, FeedbackCode::S9600));
}

#[test]
fn a_part_without_id_cannot_be_signed() {
    let message = Message::new();
    let verdict =
        bent(&message, |xml| xml.replace("</soap:Header>", "<x:y xmlns:x=\"urn:x\"></x:y></soap:Header>"));
    assert!(has(&verdict, Reason::Unsigned, "y"));
}
