//! Quittung: what the passive recipient replies to a processDelivery, so that the order ends well for its sender.

use dds_osci::{
    algorithm::KeyTransport,
    certificate::Certificate,
    content::{Author, ContainerDraft, encrypt_container, package},
    keys::Signer,
    message::{CertificateRole, ContentPackage, RoleCertificates},
    random::SystemRandom,
    recipient::Reply,
    signature::SigningOptions,
    xml::XmlWriter,
};
use dds_router::Acknowledgement;

/// Namespace of the receipt.
const NAMESPACE: &str = "urn:datendrehscheibe:osci:quittung:1";

/// The receipt for what the router has durably: our name of the message and when we took it, signed by us as author,
/// for the sender's eyes only where he has a cipher certificate. It says the same however often the order comes. The
/// reason if it cannot be made.
pub(super) fn reply(
    taken: &Acknowledgement,
    signer: &dyn Signer,
    reader: Option<&Certificate>,
) -> Result<Reply, String> {
    let mut certificates = RoleCertificates::default();
    let key_id = certificates.add(CertificateRole::SignatureOriginator, signer.certificate()).to_owned();
    let author = Author { signer, key_id: &key_id, time: Some(taken.accepted.to_jiff()) };
    let container = ContainerDraft::new("Quittung")
        .inline("Empfangsbestaetigung", &document(taken))
        .write(&[author], SigningOptions::default())
        .map_err(|error| error.to_string())?;
    let content = match reader {
        None => package(&[], &[container]),
        Some(reader) => {
            let id = certificates.add(CertificateRole::CipherAddressee, reader).to_owned();
            let readers = [(id.as_str(), reader)];
            let id = "QuittungVerschluesselt";
            let transport = KeyTransport::DEFAULT;
            let encrypted = encrypt_container(id, &container, &readers, transport, &mut SystemRandom)
                .map_err(|error| error.to_string())?;
            package(&[encrypted], &[])
        }
    };
    Ok(Reply {
        content: ContentPackage::new(content),
        certificates,
        subject: Some("Quittung".to_owned()),
        custom_headers: Vec::new(),
    })
}

fn document(taken: &Acknowledgement) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer.start("quittung", &[("xmlns", NAMESPACE)]);
    writer.element("nachricht", &taken.id.to_string());
    writer.element("angenommen", &taken.accepted.to_string());
    writer.finish()
}
