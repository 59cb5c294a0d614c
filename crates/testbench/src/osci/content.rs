//! What stands inside a delivery: one document, signed by its author, for the eyes of one reader.

use dds_osci::{
    algorithm::KeyTransport,
    certificate::Certificate,
    content::{Author, ContainerDraft, ContentBody, encrypt_container, open, package},
    intake::{IntakeConfig, MemoryStore, Received},
    keys::Decrypter,
    message::{CertificateRole, ContentPackage, RoleCertificates},
    random::SystemRandom,
    signature::{PartDigests, SigningOptions, Verdict},
};

use super::{OsciFetched, OsciIdentity, unexpected};
use crate::Error;

/// A document under its name, with attachments that it only refers to: signed by `author`, encrypted for `reader`. With
/// the certificates that the envelope must carry for it.
pub(super) fn write(
    author: &OsciIdentity,
    reader: &Certificate,
    (name, document): (&str, &[u8]),
    attachments: &[PartDigests],
) -> Result<(ContentPackage, RoleCertificates), Error> {
    let mut certificates = RoleCertificates::default();
    let key_id = CertificateRole::SignatureOriginator.usual_id(author.signature_certificate(), 0);
    let authors = [Author { signer: author.signature.as_ref(), key_id: &key_id, time: None }];
    let mut draft = ContainerDraft::new(name).inline(&format!("{name}Inhalt"), document);
    for (number, digests) in attachments.iter().enumerate() {
        draft = draft.attachment(&format!("Anlage{}", number + 1), digests.clone());
    }
    let container = draft.write(&authors, SigningOptions::default()).map_err(unexpected)?;
    let id = certificates.add(CertificateRole::CipherAddressee, reader).to_owned();
    let readers = [(id.as_str(), reader)];
    let transport = KeyTransport::DEFAULT;
    let encrypted = encrypt_container(
        &format!("{name}Verschluesselt"),
        &container,
        &readers,
        transport,
        &mut SystemRandom,
    )
    .map_err(unexpected)?;
    Ok((ContentPackage::new(package(&[encrypted], &[])), certificates))
}

/// What `reader` finds in a delivery.
pub(super) fn read(
    reader: &OsciIdentity,
    intake: &IntakeConfig,
    id: String,
    received: &Received<MemoryStore>,
) -> Result<OsciFetched, Error> {
    let keys: [&dyn Decrypter; 1] = [reader.cipher.as_ref()];
    let content = open(&received.document, &received.digests(), &keys, intake, &mut SystemRandom)
        .map_err(unexpected)?;
    let containers = content.all_containers();
    let signed = !containers.is_empty()
        && containers.iter().all(|container| {
            let valid = |verdict: &Verdict| matches!(verdict, Verdict::Valid | Verdict::Pending);
            !container.signatures.is_empty()
                && container.signatures.iter().all(|signature| valid(&signature.verdict))
        });
    let inline =
        containers.iter().flat_map(|container| &container.contents).find_map(|item| match &item.body {
            ContentBody::Inline(octets) => Some(octets.clone()),
            ContentBody::Attachment(_) | ContentBody::Container(_) => None,
        });
    let document =
        inline.ok_or_else(|| Error::Unexpected("a delivery without readable content".to_owned()))?;
    let attachments =
        received.attachments.iter().map(|part| received.store.parts[part.handle].clone()).collect();
    Ok(OsciFetched { id, document, signed, attachments })
}
