//! N1–N3, N7–N9, N28, N29, N42: messages altered on their way.

use dds_osci::feedback::FeedbackCode as F;
use dds_osci::keys::Signer;
use dds_osci::random::SystemRandom;
use dds_osci::signature::SigningOptions;

use crate::happy::message_id;
use crate::world::{
    ATTACHMENT, PKI, World, client, code, delivery, intake, is_fault, octets, plain, stream, with_attachment,
};

/// A signed storeDelivery in the clear.
fn order(world: &mut World) -> Vec<u8> {
    world.intermediary.rules.encryption_required = false;
    let id = message_id(world, &PKI.sender);
    octets(&PKI.sender, &plain(&PKI.sender).store(id, delivery("eins"), &mut SystemRandom).0, &[])
}

fn replace(octets: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = octets.windows(from.len()).position(|window| window == from.as_bytes()).expect(from);
    [&octets[..at], to.as_bytes(), &octets[at + from.len()..]].concat()
}

fn answered(from: &str, to: &str) -> (F, bool) {
    let mut world = World::new();
    let octets = order(&mut world);
    let answer = world.exchange(&PKI.sender, &replace(&octets, from, to)).unwrap();
    (code(&answer), is_fault(&answer))
}

#[test]
fn n1_body_altered_after_signing() {
    // ZWlucw== is "eins".
    assert_eq!(answered("ZWlucw==", "endlaQ=="), (F::S9601, false));
}

#[test]
fn n1_subject_altered_after_signing() {
    assert_eq!(answered("<osci:Subject>Anmeldung", "<osci:Subject>Abmeldung"), (F::S9601, false));
}

fn with_octets(sent: &[u8]) -> (F, bool) {
    let mut world = World::new();
    world.intermediary.rules.encryption_required = false;
    let id = message_id(&mut world, &PKI.sender);
    let signed = plain(&PKI.sender).store(id, with_attachment(b"abc"), &mut SystemRandom).0;
    let octets = octets(&PKI.sender, &signed, &[(ATTACHMENT, b"abc")]);
    let altered = replace(&octets, "\r\nabc\r\n", &format!("\r\n{}\r\n", String::from_utf8_lossy(sent)));
    let answer = world.exchange(&PKI.sender, &altered).unwrap();
    (code(&answer), is_fault(&answer))
}

#[test]
fn n2_attachment_altered() {
    assert_eq!(with_octets(b"abc"), (F::S0800, false));
    assert_eq!(with_octets(b"abd"), (F::S9601, false));
}

/// Names of files are names of people often enough: what goes to the log has none.
#[test]
fn n4_the_reason_for_the_log_names_no_file() {
    let mut world = World::new();
    world.intermediary.rules.encryption_required = false;
    let id = message_id(&mut world, &PKI.sender);
    let request = plain(&PKI.sender).store(id, with_attachment(b"abc"), &mut SystemRandom).0;
    let signer: (&dyn Signer, SigningOptions) = (&PKI.sender.signature, SigningOptions::default());
    let unsigned = request.seal(Some(signer), &[], &mut SystemRandom).unwrap();
    let unsigned = stream(unsigned, &[(ATTACHMENT, b"abc")]);
    assert_eq!(world.code(&PKI.sender, &unsigned), F::S9602);
    assert_eq!(world.refused.take().unwrap().detail, "an attachment: the part is not signed");

    let octets = order(&mut world);
    let doubled = replace(&octets, "Id=\"desiredlanguages\"", "Id=\"body\"");
    assert_eq!(world.code(&PKI.sender, &doubled), F::S9100);
    let detail = world.refused.unwrap().detail;
    assert!(detail.contains("an Id occurs more than once") && !detail.contains("body"), "{detail}");
}

#[test]
fn n3_attachment_removed() {
    let mut world = World::new();
    let id = message_id(&mut world, &PKI.sender);
    let (request, _) = client(&PKI.sender).store(id, with_attachment(b"abc"), &mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(is_fault(&answer));
    assert_eq!(code(&answer), F::S9100);
}

#[test]
fn n7_header_added_after_signing() {
    let (code, _) = answered("</soap:Header>", "<x:y xmlns:x=\"urn:x\" Id=\"neu\"></x:y></soap:Header>");
    assert!(matches!(code, F::S9601 | F::S9602), "{code}");
}

#[test]
fn n8_two_elements_with_one_id() {
    let (code, fault) = answered("</soap:Header>", "<x:y xmlns:x=\"urn:x\" Id=\"body\"></x:y></soap:Header>");
    assert_eq!((code, fault), (F::S9100, true));
}

#[test]
fn n9_second_body_second_header() {
    assert_eq!(
        answered("</soap:Envelope>", "<soap:Body Id=\"b2\"></soap:Body></soap:Envelope>"),
        (F::S9100, true)
    );
    assert_eq!(answered("<soap:Header>", "<soap:Header></soap:Header><soap:Header>"), (F::S9100, true));
}

#[test]
fn n10_doctype() {
    assert_eq!(
        answered("<soap:Envelope", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><soap:Envelope"),
        (F::S9100, true)
    );
}

#[test]
fn n28_encrypted_for_another_certificate() {
    let mut world = World::new();
    let mut lost = client(&PKI.sender);
    lost.intermediary_cipher = Some(PKI.stranger.cipher_certificate().clone());
    let (request, _) = lost.get_message_id(&mut SystemRandom);
    let answer = world.send(&PKI.sender, &request, &[]).unwrap();
    assert!(is_fault(&answer));
    assert_eq!(code(&answer), F::S9200);
}

#[test]
fn n29_flipped_octet_of_the_ciphertext() {
    let mut world = World::new();
    let (request, _) = client(&PKI.sender).get_message_id(&mut SystemRandom);
    let good = octets(&PKI.sender, &request, &[]);
    let at = good.windows(10).position(|window| window == b"<osci_enc>").unwrap() + 600;
    let mut broken = good.clone();
    broken[at] ^= 1;
    let answer = world.exchange(&PKI.sender, &broken).unwrap();
    assert!(is_fault(&answer));
    assert_eq!(code(&answer), F::S9202);
    assert_eq!(world.code(&PKI.sender, &good), F::S0800);
}

#[test]
fn n42_what_is_no_message() {
    let mut world = World::new();
    let order = order(&mut world);
    let cut = &order[..order.len() - 30];
    let bodies: [&[u8]; 4] = [b"", b"GET / HTTP/1.1\r\n\r\n", b"<soap:Envelope/>", cut];
    for body in bodies {
        let answer = world.exchange(&PKI.sender, body).unwrap();
        assert!(is_fault(&answer));
        assert_eq!(code(&answer), F::S9100);
    }
    let (code, fault) = answered("soapStoreDelivery.xsd", "soapStoredDelivery.xsd");
    assert_eq!((code, fault), (F::S9100, true));
    // A fault says nothing but the code of the table.
    let fault = world.post(b"");
    let text = String::from_utf8(fault.clone()).unwrap();
    assert!(text.contains("9100") && !text.contains("root part"), "{text}");
    assert!(intake(&fault, &PKI.sender).unwrap().transport.is_none());
}
