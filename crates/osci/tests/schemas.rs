//! What we write, judged by the schemas "incl. Korrigenda 1–10": the golden files, and messages of every kind freshly
//! signed and encrypted. The schemas are not ours to give away; without them ([`schemas`]) this says so and tests
//! nothing.
//!
//! As published, most envelope schemas break the rule of unique particle attribution of XML Schema 1.0 (`##other`
//! behind optional OSCI elements), and libxml2 and Xerces refuse to load them. XML Schema 1.1 lets the element win over
//! the wildcard, so that they are read here unchanged, by that version's rules.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly and say what they skip"
)]

mod fixture;
mod samples;
mod shared;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dds_osci::encryption::TransportTarget;
use dds_osci::outgoing::{Outgoing, message_bytes};
use dds_osci::random::SystemRandom;
use dds_osci::signature::SigningOptions;
use dds_osci::xml::{Document, limits, schema_location};
use fixture::{certificate, keys};
use xsd_schema::validation::{
    SchemaValidator, ValidationError, ValidationFlags, ValidationSink, ValidationWarning, drive_quick_xml,
};
use xsd_schema::{LocationRequest, SchemaResolver, SchemaSet, SchemaSetBuilder};

/// The schemas of others by the addresses under which the published ones import them.
fn local(address: &str) -> Option<&str> {
    if !address.starts_with("http") {
        return None;
    }
    if address == "http://schemas.xmlsoap.org/soap/envelope/" {
        return Some("soap-envelope.xsd");
    }
    address.rsplit('/').next()
}

fn load(folder: &Path, name: &str) -> SchemaSet {
    let mut builder = SchemaSetBuilder::xsd11();
    let foreign = folder.join("extern");
    builder.set_location_rewriter(move |request: &LocationRequest<'_>, _: &SchemaResolver| {
        local(request.location).map(|name| foreign.join(name).to_string_lossy().into_owned())
    });
    let compiled = builder
        .add("", folder.join(name).to_str().unwrap())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let compiled = compiled.compile().unwrap_or_else(|error| panic!("{name}: {error}"));
    let lost: Vec<_> = compiled.directive_failures().iter().map(|failure| format!("{failure:?}")).collect();
    assert!(lost.is_empty(), "{name}: {lost:?}");
    compiled.into_schema_set()
}

#[derive(Default)]
struct Findings(Vec<String>);

impl ValidationSink for &mut Findings {
    fn on_error(&mut self, error: ValidationError) {
        self.0.push(format!("{}: {}", error.constraint, error.message));
    }

    fn on_warning(&mut self, _warning: ValidationWarning) {}
}

/// The schemas, each loaded once.
struct Judge {
    folder: PathBuf,
    loaded: BTreeMap<String, SchemaSet>,
}

impl Judge {
    fn new() -> Option<Self> {
        Some(Self { folder: shared::shared("schemas-k10")?, loaded: BTreeMap::new() })
    }

    /// What the schema that an envelope names finds wrong with it; a fault names none.
    fn findings(&mut self, envelope: &[u8]) -> Vec<String> {
        let document = Document::parse(envelope.to_vec(), &limits()).unwrap();
        let location = schema_location(&document).unwrap_or("soapMessageFault.xsd");
        let name = location.split(' ').find(|word| word.starts_with("soap")).unwrap();
        let folder = &self.folder;
        let set = self.loaded.entry(name.to_owned()).or_insert_with(|| load(folder, name));
        let validator = SchemaValidator::new(set, ValidationFlags::empty());
        let mut findings = Findings::default();
        let mut run = validator.start_run(&mut findings);
        // Line feeds stand in Base64 alone; the engine refuses them there, though the type collapses white space.
        let unwrapped: Vec<u8> = envelope.iter().copied().filter(|octet| *octet != b'\n').collect();
        drive_quick_xml(unwrapped.as_slice(), &mut run, set).unwrap();
        drop(run);
        findings.0
    }

    fn assert_valid(&mut self, what: &str, envelope: &[u8]) {
        let findings = self.findings(envelope);
        assert!(findings.is_empty(), "{what}: {findings:#?}\n{}", String::from_utf8_lossy(envelope));
    }
}

/// The envelope in the octets of a message without encryption, or the one around the encryption.
fn envelope(outgoing: Outgoing) -> Vec<u8> {
    let octets = message_bytes(outgoing, &[]).unwrap();
    let end = b"</soap:Envelope>";
    let find = |word: &[u8]| octets.windows(word.len()).position(|window| window == word).unwrap();
    octets[find(b"<?xml")..find(end) + end.len()].to_vec()
}

#[test]
fn golden_files_are_valid() {
    let Some(mut judge) = Judge::new() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/messages");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        judge.assert_valid(&path.display().to_string(), &std::fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count >= 30, "{count}");
}

#[test]
fn messages_of_every_kind_are_valid_signed_and_encrypted() {
    let Some(mut judge) = Judge::new() else { return };
    let mut kinds = BTreeSet::new();
    for (name, message) in samples::all() {
        let sign = Some((&keys().signature as _, SigningOptions::default()));
        let signed = envelope(message.seal(sign, None, &[], &mut SystemRandom).unwrap());
        assert!(String::from_utf8_lossy(&signed).contains("<ds:SignatureValue>"), "{name}");
        judge.assert_valid(name, &signed);
        kinds.insert(message.kind().name());
    }
    assert_eq!(kinds.len(), 24);
    let target = TransportTarget::new(certificate(&keys().cipher).clone());
    let (name, message) = samples::all().remove(0);
    let encrypted = envelope(message.seal(None, Some(&target), &[], &mut SystemRandom).unwrap());
    assert!(String::from_utf8_lossy(&encrypted).contains("soapMessageEncrypted.xsd"), "{name}");
    judge.assert_valid("encrypted", &encrypted);
}

/// The judge is awake: each envelope schema finds what is taken out, put in or bent.
#[test]
fn what_the_schemas_forbid_is_found() {
    let Some(mut judge) = Judge::new() else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/messages/store_delivery.xml");
    let xml = std::fs::read_to_string(path).unwrap();
    for (from, to) in [
        ("<osci:storeDelivery", "<osci:fetchDelivery"),
        (" Id=\"body\"", ""),
        ("Service=\"reception\"", "Service=\"anything\""),
        ("<osci:MessageId>", "<osci:Unknown></osci:Unknown><osci:MessageId>"),
    ] {
        assert!(xml.contains(from), "{from}");
        let mut bent = xml.replacen(from, to, 1);
        if from.starts_with("<osci:store") {
            bent = bent.replace("</osci:storeDelivery", "</osci:fetchDelivery");
        }
        assert!(!judge.findings(bent.as_bytes()).is_empty(), "{from} -> {to}");
    }
}
