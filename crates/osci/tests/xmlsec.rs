//! What we sign and encrypt, judged by tools that know nothing of OSCI, and the other way round.
//!
//! `xmlsec1` (Debian) verifies and makes signatures, and opens and makes `xenc:EncryptedData`. It resolves `cid:`
//! references as what they are to it, names of files: the octets of each attachment lie in a file of that name, so that
//! it computes every digest itself. Its RSA-OAEP (1.2.37) knows only MGF1 with SHA-1; the session key is therefore
//! unwrapped and wrapped by `openssl pkeyutl`, and given to xmlsec1 instead of KeyInfo.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it saw and fails loudly"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use dds_osci::algorithm::{CryptoPolicy, DigestAlgorithm, KeyTransport, SignatureAlgorithm};
use dds_osci::certificate::Certificate;
use dds_osci::client::{Client, Delivery, Request};
use dds_osci::content::{Author, ContainerDraft, LayerState, encrypt_container, open, package};
use dds_osci::intake::IntakeConfig;
use dds_osci::keys::{Decrypter, Signer, SoftwareKey};
use dds_osci::message::{CertificateRole, ContentPackage, MessageId, MessageKind, RoleCertificates};
use dds_osci::outgoing::{AttachmentHead, PartHasher, message_bytes};
use dds_osci::random::SystemRandom;
use dds_osci::signature::{PartDigests, SigningOptions, Verdict, verify_message};
use dds_osci::xml::{Document, base64_lines, base64_of, limits};
use tempfile::TempDir;

const ATTACHMENT: &[u8] = b"Anlage: Lageplan \xC3\xBC\r\n\x00\xFF";
const INLINE: &[u8] = b"<antrag>Hund</antrag>";
const AUTHOR: &str = "originator_signature_1";
const TRANSPORT: &str = "http://www.w3.org/2001/04/xmlenc#";

struct Party {
    key: SoftwareKey,
    key_pem: String,
    certificate_pem: String,
}

impl Party {
    fn new(pair: &rcgen::KeyPair) -> Self {
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "Erfundene Stelle");
        let certificate_pem = parameters.self_signed(pair).unwrap().pem();
        let key_pem = pair.serialize_pem();
        Self { key: SoftwareKey::from_pem(&key_pem, &certificate_pem).unwrap(), key_pem, certificate_pem }
    }

    fn certificate(&self) -> &Certificate {
        Signer::certificate(&self.key)
    }
}

fn rsa() -> &'static Party {
    static PARTY: OnceLock<Party> = OnceLock::new();
    PARTY.get_or_init(|| {
        Party::new(
            &rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap(),
        )
    })
}

fn ec() -> Party {
    Party::new(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap())
}

/// A folder to work in, or `None` with a word about it when one of the tools is missing.
fn tools() -> Option<TempDir> {
    for tool in ["xmlsec1", "openssl"] {
        let version = if tool == "openssl" { "version" } else { "--version" };
        if !Command::new(tool).arg(version).output().is_ok_and(|output| output.status.success()) {
            eprintln!("NOT TESTED: {tool} is missing (Debian package of the same name)");
            return None;
        }
    }
    Some(TempDir::with_prefix("osci-xmlsec-").unwrap())
}

/// Runs a tool in the folder: whether it succeeded, standard output, standard error.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> (bool, Vec<u8>, String) {
    let output = Command::new(tool).args(arguments).current_dir(folder).output().unwrap();
    (output.status.success(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `--id-attr` for every kind of element that carries an Id: xmlsec1 knows no schema.
fn ids(xml: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(xml).unwrap();
    let mut names: Vec<_> = document
        .descendants()
        .filter(|node| node.attribute("Id").is_some())
        .map(|node| format!("{}:{}", node.tag_name().namespace().unwrap(), node.tag_name().name()))
        .collect();
    names.sort();
    names.dedup();
    names.into_iter().flat_map(|name| ["--id-attr:Id".to_owned(), name]).collect()
}

/// Verifies the signature below `parent`; says how many references were right.
fn verify(folder: &Path, xml: &str, parent: &str, party: &Party) -> Result<usize, String> {
    fs::write(folder.join("message.xml"), xml).unwrap();
    fs::write(folder.join("signer.pem"), &party.certificate_pem).unwrap();
    let path = format!("//*[local-name()='{parent}']/*[local-name()='Signature']");
    let ids = ids(xml);
    let mut arguments =
        vec!["--verify", "--pubkey-cert-pem", "signer.pem", "--enabled-key-data", "rsa,ec,ecdsa,x509"];
    arguments.extend(ids.iter().map(String::as_str));
    arguments.extend(["--node-xpath", &path, "message.xml"]);
    let (good, _, said) = run(folder, "xmlsec1", &arguments);
    let count = said.lines().find_map(|line| {
        line.strip_prefix("SignedInfo References (ok/all): ")?
            .split_once('/')
            .map(|(_, all)| all.trim().parse().unwrap())
    });
    if good { Ok(count.unwrap()) } else { Err(said) }
}

fn digests(digest: DigestAlgorithm) -> Vec<PartDigests> {
    let mut hasher = PartHasher::new("plan.bin", &[DigestAlgorithm::Sha256, digest]);
    hasher.update(ATTACHMENT);
    vec![hasher.finish()]
}

/// A storeDelivery of our client with a container that its author signed; the message is not encrypted unless
/// `encrypt`.
fn request(party: &Party, options: SigningOptions, encrypt: bool) -> Request {
    let container = ContainerDraft::new("container")
        .inline("inhalt", INLINE)
        .attachment("anlage", digests(options.digest).remove(0))
        .write(&[Author { signer: &party.key, key_id: AUTHOR, time: None }], options)
        .unwrap();
    let mut client = Client::new(
        rsa().certificate().clone(),
        party.certificate().clone(),
        rsa().certificate().clone(),
        rsa().certificate().clone(),
    );
    if !encrypt {
        client.intermediary_cipher = None;
    }
    let mut delivery =
        Delivery::new(ContentPackage::new(package(&[], &[container])), rsa().certificate().clone());
    delivery.subject = Some("Müller & Söhne".to_owned());
    let mut certificates = RoleCertificates::default();
    certificates.add(CertificateRole::SignatureOriginator, party.certificate());
    certificates.entries.iter_mut().for_each(|entry| entry.id = AUTHOR.to_owned());
    delivery.certificates = certificates;
    client.store(MessageId::new("3a6f0c1e-1111-4222-8333-444455556666"), delivery, &mut SystemRandom).0
}

fn octets(request: &Request, party: &Party, options: SigningOptions) -> Vec<u8> {
    let outgoing =
        request.seal(Some((&party.key, options)), &digests(options.digest), &mut SystemRandom).unwrap();
    let head = AttachmentHead {
        content_id: "plan.bin".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        length: Some(ATTACHMENT.len() as u64),
    };
    message_bytes(outgoing, &[(head, ATTACHMENT)]).unwrap()
}

/// The parts of a MIME message, taken apart without the crate's own reader.
fn parts(octets: &[u8]) -> Vec<Vec<u8>> {
    let find =
        |haystack: &[u8], needle: &[u8]| haystack.windows(needle.len()).position(|window| window == needle);
    let start = find(octets, b"boundary=").unwrap() + 9;
    let end = start + octets[start..].iter().position(|byte| *byte == b';').unwrap();
    let boundary = [b"\r\n--", &octets[start..end]].concat();
    let (mut rest, mut found) = (octets, Vec::new());
    while let Some(at) = find(rest, &boundary) {
        found.push(rest[..at].to_vec());
        rest = &rest[at + boundary.len()..];
    }
    assert!(rest.starts_with(b"--"));
    let body = |part: &Vec<u8>| part[find(part, b"\r\n\r\n").unwrap() + 4..].to_vec();
    found.iter().skip(1).map(body).collect()
}

#[test]
fn our_signatures_are_right_for_xmlsec1() {
    let Some(folder) = tools() else { return };
    let folder = folder.path();
    let (curve, default) = (ec(), SigningOptions::default());
    let long =
        SigningOptions { digest: DigestAlgorithm::Sha512, signature: Some(SignatureAlgorithm::RsaSha512) };
    for (what, party, options) in
        [("RSA", rsa(), default), ("RSA, SHA-512", rsa(), long), ("ECDSA", &curve, default)]
    {
        let octets = octets(&request(party, options, false), party, options);
        let mut parts = parts(&octets);
        assert_eq!(parts[1], ATTACHMENT);
        fs::write(folder.join("cid:plan.bin"), &parts[1]).unwrap();
        let xml = String::from_utf8(parts.remove(0)).unwrap();
        // Seven header blocks, Body, attachment; Base64Content, Content, attachment.
        let message =
            verify(folder, &xml, "ClientSignature", party).unwrap_or_else(|said| panic!("{what}: {said}"));
        let content =
            verify(folder, &xml, "ContentContainer", party).unwrap_or_else(|said| panic!("{what}: {said}"));
        eprintln!("{what}: xmlsec1 verified {message} references of the message, {content} of the content");
        assert_eq!((message, content), (9, 3), "{what}");

        // The peer does look: each of these must fail.
        let bent = xml.replace("LanguagesList=\"de\"", "LanguagesList=\"en\"");
        assert_ne!(bent, xml);
        verify(folder, &bent, "ClientSignature", party).unwrap_err();
        let stranger = ec();
        verify(folder, &xml, "ClientSignature", &stranger).unwrap_err();
        fs::write(folder.join("cid:plan.bin"), b"another").unwrap();
        verify(folder, &xml, "ClientSignature", party).unwrap_err();
        verify(folder, &xml, "ContentContainer", party).unwrap_err();
    }
}

/// A `ds:Signature` template over all parts; xmlsec1 fills in digests and value.
fn template(envelope: &str) -> String {
    let document = roxmltree::Document::parse(envelope).unwrap();
    let c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    let digest = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue/>";
    let parts = document.root_element().children().flat_map(|part| {
        let header = part.tag_name().name() == "Header";
        if header { part.children().filter(roxmltree::Node::is_element).collect() } else { vec![part] }
    });
    let references: String = parts
        .filter(roxmltree::Node::is_element)
        .map(|part| {
            let id = part.attribute("Id").unwrap();
            let transforms = format!("<ds:Transforms><ds:Transform Algorithm=\"{c14n}\"/></ds:Transforms>");
            format!("<ds:Reference URI=\"#{id}\">{transforms}{digest}</ds:Reference>\n")
        })
        .collect();
    format!(
        "<osci:ClientSignature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" xmlns:osci=\"http://www.osci.de/2002/04/osci\" \
         xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" Id=\"clientsignature\" \
         soap:actor=\"http://schemas.xmlsoap.org/soap/actor/next\" soap:mustUnderstand=\"1\"><ds:Signature><ds:SignedInfo>\
         <ds:CanonicalizationMethod Algorithm=\"{c14n}\"/>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>{references}\
         <ds:Reference URI=\"cid:plan.bin\">{digest}</ds:Reference></ds:SignedInfo><ds:SignatureValue/>\
         <ds:KeyInfo><ds:RetrievalMethod URI=\"#{AUTHOR}\"/></ds:KeyInfo></ds:Signature></osci:ClientSignature>"
    )
}

#[test]
fn a_signature_of_xmlsec1_is_right_for_us() {
    let Some(folder) = tools() else { return };
    let folder = folder.path();
    let unsigned = request(rsa(), SigningOptions::default(), false).envelope.write().unwrap();
    let bare = String::from_utf8(unsigned.assemble(None)).unwrap();
    let xml = String::from_utf8(unsigned.assemble(Some(template(&bare).as_bytes()))).unwrap();
    fs::write(folder.join("template.xml"), &xml).unwrap();
    fs::write(folder.join("key.pem"), &rsa().key_pem).unwrap();
    fs::write(folder.join("cid:plan.bin"), ATTACHMENT).unwrap();
    let ids = ids(&xml);
    let mut arguments =
        vec!["--sign", "--privkey-pem", "key.pem", "--enabled-key-data", "rsa", "--output", "signed.xml"];
    arguments.extend(ids.iter().map(String::as_str));
    arguments.extend([
        "--node-xpath",
        "//*[local-name()='ClientSignature']/*[local-name()='Signature']",
        "template.xml",
    ]);
    let (good, _, said) = run(folder, "xmlsec1", &arguments);
    assert!(good, "{said}");

    let signed = fs::read(folder.join("signed.xml")).unwrap();
    let judge = |octets: Vec<u8>| {
        let document = Document::parse(octets, &limits()).unwrap();
        verify_message(
            &document,
            MessageKind::StoreDelivery,
            &digests(DigestAlgorithm::Sha256),
            &CryptoPolicy::default(),
        )
    };
    let verdict = judge(signed.clone());
    assert_eq!(verdict.verdict, Verdict::Valid, "{:?}", verdict.faults);
    assert_eq!(verdict.references.len(), 9);
    let bent = String::from_utf8(signed).unwrap().replace("LanguagesList=\"de\"", "LanguagesList=\"en\"");
    assert!(matches!(judge(bent.into_bytes()).verdict, Verdict::Invalid(_)));
}

const OAEP: [&str; 6] =
    ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256"];

/// Unwraps the only session key of an EncryptedData into `session.key` and takes KeyInfo out, because the key is given.
fn unwrap(folder: &Path, encrypted: &str) -> String {
    let start = encrypted.find("<ds:KeyInfo>").unwrap();
    let end = encrypted.rfind("</ds:KeyInfo>").unwrap() + "</ds:KeyInfo>".len();
    let info = &encrypted[start..end];
    let value = info.split("<xenc:CipherValue>").nth(1).unwrap().split('<').next().unwrap();
    fs::write(folder.join("wrapped.bin"), base64_of(value).unwrap()).unwrap();
    fs::write(folder.join("key.pem"), &rsa().key_pem).unwrap();
    let mut arguments =
        vec!["pkeyutl", "-decrypt", "-inkey", "key.pem", "-in", "wrapped.bin", "-out", "session.key"];
    arguments.extend(OAEP);
    let (good, _, said) = run(folder, "openssl", &arguments);
    assert!(good, "{said}");
    encrypted.replace(info, "")
}

fn decrypt(folder: &Path, encrypted: &str) -> (bool, Vec<u8>, String) {
    fs::write(folder.join("encrypted.xml"), encrypted).unwrap();
    run(folder, "xmlsec1", &["--decrypt", "--aeskey", "session.key", "encrypted.xml"])
}

#[test]
fn our_encryption_is_opened_by_openssl_and_xmlsec1() {
    let Some(folder) = tools() else { return };
    let folder = folder.path();
    let container = ContainerDraft::new("container")
        .inline("inhalt", INLINE)
        .write(&[], SigningOptions::default())
        .unwrap();
    let readers = [("reader0_cipher_1", rsa().certificate())];
    let content =
        encrypt_container("e", &container, &readers, KeyTransport::DEFAULT, &mut SystemRandom).unwrap();
    let bare = unwrap(folder, &String::from_utf8(content).unwrap());
    let (good, plaintext, said) = decrypt(folder, &bare);
    assert!(good, "{said}");
    let plaintext = String::from_utf8(plaintext).unwrap();
    assert!(plaintext.contains(&String::from_utf8(container).unwrap()), "{plaintext}");
    // The tag is checked: another key opens nothing.
    fs::write(folder.join("session.key"), [7; 32]).unwrap();
    assert!(!decrypt(folder, &bare).0);

    // Transport encryption: the outer envelope refers to its octets as cid:osci_enc and names the Base64
    // transformation, so the file holds them in Base64.
    let options = SigningOptions::default();
    let sent = parts(&octets(&request(rsa(), options, true), rsa(), options));
    assert_eq!(sent.len(), 2);
    fs::write(folder.join("cid:osci_enc"), base64_lines(&sent[1])).unwrap();
    let bare = unwrap(folder, std::str::from_utf8(&sent[0]).unwrap());
    let (good, plaintext, said) = decrypt(folder, &bare);
    assert!(good, "{said}");
    let inner = parts(&plaintext);
    assert_eq!(inner[1], ATTACHMENT);
    fs::write(folder.join("cid:plan.bin"), &inner[1]).unwrap();
    let xml = String::from_utf8(inner[0].clone()).unwrap();
    assert_eq!(verify(folder, &xml, "ClientSignature", rsa()), Ok(9));
}

#[test]
fn what_xmlsec1_and_openssl_encrypt_is_opened_by_us() {
    let Some(folder) = tools() else { return };
    let folder = folder.path();
    let container = ContainerDraft::new("container")
        .inline("inhalt", INLINE)
        .write(&[Author { signer: &rsa().key, key_id: AUTHOR, time: None }], SigningOptions::default())
        .unwrap();
    let session = [0x42; 32];
    fs::write(folder.join("session.key"), session).unwrap();
    fs::write(folder.join("container.xml"), &container).unwrap();
    fs::write(folder.join("reader.pem"), &rsa().certificate_pem).unwrap();
    let method = format!(
        "<xenc:EncryptedData xmlns:xenc=\"{TRANSPORT}\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" Id=\"e\" MimeType=\"text/xml\">\
         <xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\">"
    );
    let template = format!(
        "{method}</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
    );
    fs::write(folder.join("template.xml"), &template).unwrap();
    let (good, _, said) = run(
        folder,
        "xmlsec1",
        &[
            "--encrypt",
            "--aeskey",
            "session.key",
            "--binary-data",
            "container.xml",
            "--output",
            "out.xml",
            "template.xml",
        ],
    );
    assert!(good, "{said}");
    let mut arguments = vec![
        "pkeyutl",
        "-encrypt",
        "-certin",
        "-inkey",
        "reader.pem",
        "-in",
        "session.key",
        "-out",
        "wrapped.bin",
    ];
    arguments.extend(OAEP);
    let (good, _, said) = run(folder, "openssl", &arguments);
    assert!(good, "{said}");

    let mut request = request(rsa(), SigningOptions::default(), false);
    let entries = &request.envelope.certificates.entries;
    let reader = &entries.iter().find(|entry| entry.role == CertificateRole::CipherAddressee).unwrap().id;
    let wrapped = base64_lines(&fs::read(folder.join("wrapped.bin")).unwrap());
    let key = format!(
        "<osci128:IvLength xmlns:osci128=\"http://xoev.de/transport/osci12/8\" Value=\"12\"/></xenc:EncryptionMethod><ds:KeyInfo>\
         <xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#rsa-oaep\">\
         <xenc11:MGF xmlns:xenc11=\"http://www.w3.org/2009/xmlenc11#\" Algorithm=\"http://www.w3.org/2009/xmlenc11#mgf1sha256\"/>\
         <ds:DigestMethod Algorithm=\"{TRANSPORT}sha256\"/></xenc:EncryptionMethod>\
         <ds:KeyInfo><ds:RetrievalMethod URI=\"#{reader}\"/></ds:KeyInfo>\
         <xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
    );
    let out = fs::read_to_string(folder.join("out.xml")).unwrap();
    let start = out.find("<xenc:EncryptedData").unwrap();
    let data = out[start..].trim_end().replacen("</xenc:EncryptionMethod>", &key, 1).replacen(
        "#aes256-gcm\"/>",
        &format!("#aes256-gcm\">{key}"),
        1,
    );

    // Into a message of ours, whose certificate header names the reader's certificate by that Id.
    request.envelope.content = Some(ContentPackage::new(package(&[data.into_bytes()], &[])));
    let xml = request.envelope.write().unwrap().assemble(None);
    let document = Document::parse(xml, &limits()).unwrap();
    let ours: [&dyn Decrypter; 1] = [&rsa().key];
    let content = open(&document, &[], &ours, &IntakeConfig::default(), &mut SystemRandom).unwrap();
    assert!(matches!(content.encrypted[0].state, LayerState::Opened(_)), "{:?}", content.encrypted[0].state);
    let signature = &content.all_containers()[0].signatures[0];
    assert_eq!(signature.verdict, Verdict::Valid, "{:?}", signature.faults);
}
