//! The 26 messages: golden files, reading back what we write, canonical form, the schemas of Korrigenda 1–10, the
//! captures.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly and say what they skip"
)]

mod samples;
mod shared;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dds_osci::c14n::canonical_bytes;
use dds_osci::feedback::{FeedbackCode, Language};
use dds_osci::inspect::inspect;
use dds_osci::intake::IntakeConfig;
use dds_osci::message::{ContentPackage, Envelope, Fault, Message, MessageKind, Order, Part};
use dds_osci::outgoing::message_bytes;
use dds_osci::random::SystemRandom;
use dds_osci::xml::{Document, Node, limits};

fn parse(xml: &[u8]) -> Document {
    Document::parse(xml.to_vec(), &limits()).unwrap()
}

/// What `osci inspect` says of a message, in its English words.
#[test]
fn inspection_shows_chunks_selections_qualities_features_headers_and_inspections() {
    let told = |name: &str| {
        let (_, envelope) = samples::all().into_iter().find(|(known, _)| *known == name).unwrap();
        let sealed = envelope.seal(None, None, &[], &mut SystemRandom).unwrap();
        let octets = message_bytes(sealed, &[]).unwrap();
        let report = inspect(&octets, &[], &IntakeConfig::default(), &mut SystemRandom);
        format!("{report}\n{}", report.to_json())
    };
    let has = |name: &str, expected: &[&str]| {
        let text = told(name);
        for line in expected {
            assert!(text.contains(line), "{name}: {line}\n{text}");
        }
    };
    has(
        "response_to_partial_store_delivery",
        &[
            "feedback on the delivery inside: 0800 [de]",
            "\"inside_feedback\":[{\"language\":\"de\",\"code\":\"0800\"",
            "order: ChunkInformation = ChunkNumber=4 ReceivedChunks=1 2 3 4 TotalChunkNumbers=4",
            "order: FeatureDescription = ",
            "Inspection: CN=Steueramt Musterstadt,C=DE (serial 4711): MathResult ok, OfflineResult valid, OnlineResult ok",
        ],
    );
    has("store_delivery", &["order: QualityOfTimestamp = ", "Service=creation", "Quality="]);
    has("fetch_process_card", &["order: SelectionRule = ", "NoReception=true", "Role="]);
    let (name, _) = samples::all()
        .into_iter()
        .find(|(_, envelope)| !envelope.custom_headers.is_empty())
        .expect("a sample with a custom header");
    has(name, &["order: CustomHeader = {http://www.osci.eu/ws/2014/10/transport}MessageMetaData #MetaData"]);
}

/// Compares with the golden file, or rewrites it when UPDATE_GOLDEN is set.
fn golden(name: &str, xml: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/messages/{name}.xml"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, xml).unwrap();
    }
    let expected = std::fs::read(&path).unwrap_or_default();
    assert!(
        expected == xml,
        "{name} differs from its golden file (UPDATE_GOLDEN=1 rewrites it); now:\n{}",
        String::from_utf8_lossy(xml)
    );
}

/// Everything of an envelope that the wire carries, for comparison.
fn facts(envelope: &Envelope) -> String {
    let mut envelope = envelope.clone();
    envelope.certificates.entries.sort_by_key(|entry| (entry.role, entry.id.clone()));
    format!("{envelope:#?}")
}

#[test]
fn every_kind_is_written_as_its_golden_file_and_read_back() {
    let mut kinds = BTreeSet::new();
    for (name, envelope) in samples::all() {
        let written = envelope.write().unwrap().assemble(None);
        golden(name, &written);
        let read = Envelope::read(&parse(&written)).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        assert_eq!(facts(&read), facts(&envelope), "{name}");
        kinds.insert(envelope.kind().name());
    }
    // All but MessageEncrypted (crate::encryption) and Fault (below).
    assert_eq!(kinds.len(), 24);
}

#[test]
fn faults_are_written_as_their_golden_files_and_read_back() {
    for code in [FeedbackCode::S9000, FeedbackCode::S9400] {
        let fault = Fault::of(code);
        let written = fault.write(Language::German);
        golden(&format!("fault_{code}"), &written);
        assert!(!String::from_utf8_lossy(&written).contains("schemaLocation"));
        let Message::Fault(read) = Message::read(&parse(&written)).unwrap() else { panic!("no fault") };
        assert_eq!((read.code, read.side), (fault.code, fault.side));
        assert_eq!(read.text, code.text(Language::German));
    }
}

#[test]
fn parts_of_ours_are_their_own_canonical_form_in_place() {
    for (name, envelope) in samples::all() {
        let unsigned = envelope.write().unwrap();
        let document = parse(&unsigned.assemble(None));
        let custom = |part: &&Part| envelope.custom_headers.iter().any(|header| header.id == part.id);
        for part in unsigned.parts().filter(|part| !custom(part)) {
            let node = document.by_id(&part.id).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&canonical_bytes(node)),
                String::from_utf8_lossy(&part.xml),
                "{name} #{}",
                part.id
            );
        }
    }
}

/// Content and custom headers from an Envelope with other prefixes: octets stay, author digests stay.
#[test]
fn relayed_content_keeps_octets_and_namespace_context() {
    let foreign = r#"<?xml version="1.0"?>
<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://www.osci.de/2002/04/osci" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:extra="urn:x" xsi:schemaLocation="http://schemas.xmlsoap.org/soap/envelope/ soapResponseToFetchDelivery.xsd http://www.w3.org/2000/09/xmldsig# oscisig.xsd http://www.w3.org/2001/04/xmlenc# oscienc.xsd"><S:Header>
<ControlBlock Id="c" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next" ConversationId="1" SequenceNumber="0"><Response>a</Response><Challenge>b</Challenge></ControlBlock>
<responseToFetchDelivery Id="r" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next"><Feedback><Entry><Code>0801</Code><Text/></Entry></Feedback><fetchDelivery/></responseToFetchDelivery>
<extra:kopf Id="k" extra:a = '1'><extra:b/></extra:kopf></S:Header>
<S:Body Id="b"><ContentPackage><ContentContainer Id="cc" ><!-- x --><Content><Base64Content Id='c0'>QQ==</Base64Content></Content></ContentContainer></ContentPackage></S:Body></S:Envelope>"#;
    let before = parse(foreign.as_bytes());
    let envelope = Envelope::read(&before).unwrap();
    let unsigned = envelope.write().unwrap();
    let written = unsigned.assemble(None);
    let after = parse(&written);
    let text = String::from_utf8(written).unwrap();
    assert!(
        text.contains(r#"<ContentContainer Id="cc" ><!-- x --><Content><Base64Content Id='c0'>"#),
        "{text}"
    );
    assert!(text.contains("<extra:kopf Id=\"k\" extra:a = '1'><extra:b/></extra:kopf>"), "{text}");
    for id in ["cc", "c0"] {
        assert_eq!(
            canonical_bytes(after.by_id(id).unwrap()),
            canonical_bytes(before.by_id(id).unwrap()),
            "{id}"
        );
    }
    assert_eq!(facts(&Envelope::read(&after).unwrap()).len(), facts(&envelope).len());
}

/// A header of the sender among other namespaces than those it was written in: what it inherited is declared, what it
/// declares itself stays, whatever its attributes look like.
#[test]
fn a_relayed_header_means_the_same_in_its_new_place() {
    let cases = [
        // Around the header, around the content, the header.
        ("xmlns:a='urn:a'", "", "<m:Meta xmlns:m='urn:m' Id='meta' title='a>b' xmlns:a='urn:b' a:x='1'/>"),
        ("xmlns:a='urn:a'", "", "<m:Meta xmlns:m='urn:m' Id='meta' title='a>b' xmlns:a='urn:a' a:x='1'/>"),
        ("xmlns:a='urn:a'", "", "<a:Meta Id='meta' title='see xmlns:a here'/>"),
        ("xmlns:a='urn:a'", "xmlns:a='urn:b'", "<a:Meta Id='meta'><a:Teil/></a:Meta>"),
        ("xmlns:a='urn:&quot;a'", "", "<a:Meta Id='meta'\r\n/>"),
        ("", "xmlns='http://www.osci.de/2002/04/osci'", "<ControlBlock Id='meta'><Teil/></ControlBlock>"),
        ("", "xmlns='http://www.osci.de/2002/04/osci'", "<m:Meta xmlns='' xmlns:m='urn:m' Id='meta'/>"),
        ("xmlns='urn:a'", "xmlns='urn:b'", "<Meta Id='meta'><Teil xmlns='' Teil=''/></Meta>"),
    ];
    let store = samples::all().into_iter().find(|(name, _)| *name == "store_delivery").unwrap().1;
    let plain = String::from_utf8(store.write().unwrap().assemble(None)).unwrap();
    for (header, body, xml) in cases {
        let order = plain
            .replace("<soap:Header>", &format!("<soap:Header {header}>"))
            .replace("</soap:Header>", &format!("{xml}</soap:Header>"))
            .replace("<soap:Body ", &format!("<soap:Body {body} "));
        let before = parse(order.as_bytes());
        let envelope = Envelope::read(&before).unwrap();
        let written = envelope.write().unwrap_or_else(|refused| panic!("{xml}: {refused}")).assemble(None);
        let after = parse(&written);
        let again = Envelope::read(&after).unwrap_or_else(|refused| panic!("{xml}: {refused}"));
        let names = |document: &Document| -> Vec<_> {
            let meta = document.by_id("meta").unwrap().descendants().filter(Node::is_element);
            meta.map(|node| {
                let name = node.tag_name();
                let attributes = node.attributes().map(|one| (one.namespace(), one.name(), one.value()));
                let attributes: Vec<_> = attributes.collect();
                format!("{:?} {} {attributes:?}", name.namespace().unwrap_or_default(), name.name())
            })
            .collect()
        };
        assert_eq!(names(&after), names(&before), "{xml}");
        assert_eq!(again.content.unwrap().xml, envelope.content.unwrap().xml, "{xml}");
    }
}

/// However many Ids the content takes: it is looked at once. A look for each would take hours here.
#[test]
fn the_id_of_the_body_gives_way_to_those_of_the_content() {
    let ids: Vec<_> = (0..2000).map(|number| format!("body{}", "_".repeat(number))).collect();
    let containers: String =
        ids.iter().map(|id| format!("<osci:ContentContainer Id=\"{id}\"></osci:ContentContainer>")).collect();
    let mut store = samples::all().into_iter().find(|(name, _)| *name == "store_delivery").unwrap().1;
    let package = format!("<osci:ContentPackage>{containers}</osci:ContentPackage>");
    store.content = Some(ContentPackage::new(package.into_bytes()));
    let document = parse(&store.write().unwrap().assemble(None));
    assert_eq!(document.body().unwrap().attribute("Id"), Some(format!("body{}", "_".repeat(2000)).as_str()));
    assert!(ids.iter().all(|id| document.by_id(id).is_some()));
}

/// `schemas.rs` asks the schemas of Korrigenda 1–10 about every golden file; here only that no kind was forgotten.
#[test]
fn every_kind_has_a_golden_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/messages");
    let names: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().replace('_', ""))
        .collect();
    for kind in MessageKind::ALL {
        let name = kind.name().to_ascii_lowercase();
        let there = names.iter().any(|golden| golden.starts_with(&name));
        assert_eq!(there, kind != MessageKind::MessageEncrypted, "{kind}");
    }
}

/// The XML of the root part.
fn root_part(mime: &[u8]) -> &[u8] {
    let find =
        |haystack: &[u8], needle: &[u8]| haystack.windows(needle.len()).position(|window| window == needle);
    let start = find(mime, b"<?xml").unwrap();
    let end = b"</soap:Envelope>";
    let length = find(&mime[start..], end).unwrap() + end.len();
    &mime[start..start + length]
}

fn captures(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "plain") {
            found.push(path);
        }
    }
}

#[test]
fn every_capture_is_read_and_written_again() {
    let Some(shared) = shared::shared("captures") else { return };
    let mut files = Vec::new();
    captures(&shared, &mut files);
    assert!(files.len() > 150, "{} captures", files.len());
    let (mut same, mut parts, mut kinds) = (0, 0, BTreeSet::new());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let document = parse(root_part(&std::fs::read(&file).unwrap()));
        let envelope =
            Envelope::read(&document).unwrap_or_else(|refused| panic!("{}: {refused}", file.display()));
        // client/: the file is named after what it holds; the others after the order.
        let stem = name.split('.').next().unwrap().rsplit('-').next().unwrap().to_owned();
        let expected = if name.contains(".response.") && !stem.starts_with("ResponseTo") {
            format!("ResponseTo{stem}")
        } else {
            stem
        };
        assert_eq!(envelope.kind().name(), expected, "{}", file.display());
        kinds.insert(envelope.kind().name());
        // The stand-in did not sign the response it cut into chunks.
        if !["unsigned", "reassembled"].iter().any(|word| file.to_string_lossy().contains(word)) {
            assert!(envelope.signer().is_some(), "{}", file.display());
        }
        let unsigned = envelope.write().unwrap();
        let written = parse(&unsigned.assemble(None));
        assert_eq!(facts(&Envelope::read(&written).unwrap()), facts(&envelope), "{}", file.display());
        for part in unsigned.parts() {
            let original = document.by_id(&part.id).unwrap_or_else(|| panic!("{name} has no #{}", part.id));
            let ours = written.by_id(&part.id).unwrap();
            parts += 1;
            same += usize::from(canonical_bytes(original) == canonical_bytes(ours));
        }
    }
    assert_eq!(kinds.len(), 24, "{kinds:?}");
    eprintln!("{same} of {parts} parts are octet for octet what the library wrote");
    // The rest are dates with a zone that we write in UTC.
    assert!(same * 1000 > parts * 990, "{same} of {parts}");
}

#[test]
fn facts_of_the_captures_are_what_was_sent() {
    let Some(shared) = shared::shared("captures") else { return };
    let read =
        |path: &str| Envelope::read(&parse(root_part(&std::fs::read(shared.join(path)).unwrap()))).unwrap();
    let store = read("all/client/02-StoreDelivery.request.plain");
    let Order::StoreDelivery { message_id, subject } = &store.order else { panic!() };
    assert_eq!(message_id.as_str(), "8838e603-9ea6-4829-b3e8-5850c86bbbf1");
    assert_eq!(subject.as_deref(), Some("Betreff Äpfel"));
    assert_eq!(store.control.sequence_number, Some(0));
    assert_eq!(store.certificates.entries.len(), 5);
    let answered = read("all/client/02-ResponseToStoreDelivery.response.plain");
    let Order::ResponseToStoreDelivery { feedback, card: Some(card) } = &answered.order else { panic!() };
    assert_eq!(feedback.codes(), [FeedbackCode::S0800]);
    assert_eq!(card.inspections.len(), 2);
    assert_eq!(answered.features.unwrap().max_chunk_size, Some(10_000));
    let last = read("partial/client/07-ResponseToPartialStoreDelivery.response.plain");
    let Order::ResponseToPartialStoreDelivery { inside, feedback, chunk, .. } = &last.order else { panic!() };
    assert_eq!(inside.as_ref().unwrap().codes(), [FeedbackCode::S0800]);
    assert_eq!(feedback.codes(), [FeedbackCode::S3950, FeedbackCode::S0801]);
    assert_eq!(chunk.received, Some(vec![1, 2, 3, 4]));
    // The stale Response of a second implicit order, without a ConversationId (facts 4).
    let stale = read("all/client/09-GetMessageId.request.plain");
    assert!(stale.control.response.is_some() && stale.control.conversation_id.is_none());
}

/// What a golden message becomes when one thing in it is changed.
fn changed(name: &str, from: &str, to: &str) -> Result<Message, u16> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/messages/{name}.xml"));
    let xml = std::fs::read_to_string(path).unwrap();
    assert!(xml.contains(from), "{name} has no {from}");
    let xml = xml.replacen(from, to, 1);
    Message::read(&parse(xml.as_bytes())).map_err(|refused| refused.code.number())
}

#[test]
fn what_breaks_the_structure_is_refused() {
    let cases = [
        ("init_dialog", "soapInitDialog.xsd ", "soapInitDialog.xsd  ", 9100),
        ("init_dialog", " xsi:schemaLocation=", " schemaLocation=", 9100),
        ("init_dialog", " Id=\"desiredlanguages\"", "", 9100),
        ("init_dialog", " Id=\"body\"", "", 9100),
        ("init_dialog", "<osci:initDialog></osci:initDialog>", "", 9100),
        ("init_dialog", "<osci:initDialog></osci:initDialog>", "<osci:exitDialog></osci:exitDialog>", 9100),
        ("init_dialog", "<osci:initDialog>", "<osci:a></osci:a><osci:initDialog>", 9100),
        ("init_dialog", "LanguagesList=\"de en\"", "LanguagesList=\"\"", 9100),
        ("exit_dialog", "ConversationId=\"1882", "ConversationId=\"x1882", 9400),
        ("exit_dialog", "SequenceNumber=\"7\"", "SequenceNumber=\"-7\"", 9400),
        ("exit_dialog", "SequenceNumber=\"7\"", "SequenceNumber=\"+7\"", 9400),
        ("exit_dialog", "SequenceNumber=\"7\"", "SequenceNumber=\"99999999999\"", 9400),
        ("store_delivery", "Service=\"reception\"", "Service=\"creation\"", 9100),
        ("store_delivery", "Quality=\"plain\"", "Quality=\"fast\"", 9100),
        ("store_delivery", "</osci:MessageId>", "*</osci:MessageId>", 9100),
        ("store_delivery", "<osci:MessageId>", "<osci:MessageId></osci:MessageId><osci:MessageId>", 9100),
        ("store_delivery", "Id='MetaData'", "id='MetaData'", 9100),
        ("store_delivery", "<osci:ContentPackage>", "<osci:x></osci:x><osci:ContentPackage>", 9100),
        ("store_delivery", "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", 9100),
        ("response_to_init_dialog", "<osci:Code>0801", "<osci:Code>801", 9100),
        ("response_to_store_delivery", "<osci:Plain>2026-11-22T08:00:00Z", "<osci:Plain>gestern", 9100),
        ("fetch_process_card", "Role=\"Addressee\"", "Role=\"Reader\"", 9100),
        ("fetch_process_card", "Limit=\"5\"", "Limit=\"-5\"", 9100),
        ("partial_store_delivery", "ChunkNumber=\"1\"", "ChunkNumber=\"eins\"", 9100),
    ];
    for (name, from, to, code) in cases {
        assert_eq!(changed(name, from, to).err(), Some(code), "{name}: {from} -> {to}");
    }
}

#[test]
fn push_with_a_reception_time_is_refused() {
    let added =
        "</osci:Forwarding><osci:Reception><osci:Plain>2026-11-22T08:00:01Z</osci:Plain></osci:Reception>";
    assert_eq!(changed("accept_delivery", "</osci:Forwarding>", added).err(), Some(9100));
}

#[test]
fn init_dialog_without_any_cipher_certificate_is_9500() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/messages/init_dialog.xml");
    let xml = std::fs::read_to_string(path).unwrap();
    let start = xml.find("<osci:CipherCertificateOriginator").unwrap();
    let end = "</osci:CipherCertificateOriginator>";
    let stop = xml.find(end).unwrap() + end.len();
    let xml = format!("{}{}", &xml[..start], &xml[stop..]);
    assert_eq!(Message::read(&parse(xml.as_bytes())).unwrap_err().code, FeedbackCode::S9500);
}

/// Misprints of older schemas, and what the library writes for "unknown" (facts 14 and 19).
#[test]
fn older_spellings_are_read() {
    let read = |name, from, to| match changed(name, from, to) {
        Ok(Message::Envelope(envelope)) => *envelope,
        other => panic!("{name}: {other:?}"),
    };
    let features = read("response_to_init_dialog", "ChunkMessageTimeout", "ChunkMessageTimeOut").features;
    assert_eq!(features.unwrap().chunk_message_timeout, Some(60_000));
    let Order::PartialStoreDelivery { chunk, .. } =
        read("partial_store_delivery", "TotalMessageSize=\"315\"", "TotalMessageSize=\"-1\"").order
    else {
        panic!()
    };
    assert!(format!("{chunk:?}").contains("total_size: None"));
    let zone = read("fetch_delivery", "2026-11-01T00:00:00Z", "2026-11-01T01:00:00+01:00").order;
    let plain = read("fetch_delivery", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00").order;
    assert_eq!(zone, plain);
}
