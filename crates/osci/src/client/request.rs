use super::Client;
use crate::control::Expected;
use crate::encryption::TransportTarget;
use crate::feedback::{FeedbackCode, Refused};
use crate::keys::Signer;
use crate::message::{
    CertificateRole, ContentPackage, ControlBlock, CustomHeader, Envelope, FeatureDescription, MessageKind,
    Order, Qualities, RoleCertificates,
};
use crate::outgoing::Outgoing;
use crate::random::Random;
use crate::signature::{PartDigests, SigningOptions};

/// An order ready to be sent once.
#[derive(Debug)]
pub struct Request {
    /// The order.
    pub envelope: Envelope,
    /// It is to be signed.
    pub sign: bool,
    /// For whom it is to be encrypted.
    pub encrypt: Option<TransportTarget>,
}

/// A delivery (*Zustellung*) on its way to an addressee: what storeDelivery, forwardDelivery and mediateDelivery share.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The content, made with [`crate::content`].
    pub content: ContentPackage,
    /// The addressee's cipher certificate: it names the mailbox.
    pub addressee: crate::certificate::Certificate,
    /// Certificates of authors, readers and the addressee's signature that the content refers to, with their Ids.
    pub certificates: RoleCertificates,
    /// Subject (*Betreff*): **the intermediary reads it**. Keep `<` and `&` out, the Java library does not escape them.
    pub subject: Option<String>,
    /// Custom header blocks, e.g. MessageMetaData.
    pub custom_headers: Vec<CustomHeader>,
}

impl Delivery {
    /// A delivery with its content and addressee.
    pub fn new(content: ContentPackage, addressee: crate::certificate::Certificate) -> Self {
        Self {
            content,
            addressee,
            certificates: RoleCertificates::default(),
            subject: None,
            custom_headers: Vec::new(),
        }
    }

    pub(super) fn fill(self, client: &Client, envelope: &mut Envelope) {
        // Only orders with a MessageId are logged and have time stamps (facts 5.2).
        let logged = !matches!(envelope.order, Order::MediateDelivery { message_id: None, .. });
        envelope.certificates =
            client.certificates(&[CertificateRole::CipherOriginator, CertificateRole::SignatureOriginator]);
        envelope.certificates.add(CertificateRole::CipherAddressee, &self.addressee);
        for entry in self.certificates.entries {
            let single = matches!(
                entry.role,
                CertificateRole::CipherOriginator
                    | CertificateRole::CipherAddressee
                    | CertificateRole::SignatureOriginator
            );
            if single {
                // The content points to the certificate by this Id.
                if let Some(own) = envelope
                    .certificates
                    .entries
                    .iter_mut()
                    .find(|own| own.role == entry.role && own.certificate == entry.certificate)
                {
                    own.id = entry.id;
                }
            } else if envelope.certificates.by_id(&entry.id).is_none() {
                envelope.certificates.entries.push(entry);
            }
        }
        if logged {
            envelope.qualities = Qualities::PLAIN;
        }
        envelope.custom_headers = self.custom_headers;
        envelope.content = Some(self.content);
    }
}

impl Request {
    /// The order with what every order of this client carries.
    pub(super) fn new(
        client: &Client,
        control: ControlBlock,
        order: Order,
        fill: impl FnOnce(&mut Envelope),
    ) -> Self {
        let kind = order.kind();
        let mut envelope = Envelope::new(control, order);
        envelope.languages.clone_from(&client.languages);
        envelope.features = Some(FeatureDescription::ours());
        // Outside a dialogue the intermediary knows our cipher certificate from the order itself; inside one from
        // initDialog, and the schemas of the small orders allow none (facts 5.1).
        let outside = envelope.control.conversation_id.is_none();
        let roles: &[CertificateRole] = match kind {
            MessageKind::ExitDialog | MessageKind::FetchDelivery | MessageKind::FetchProcessCard => {
                &[CertificateRole::SignatureOriginator]
            }
            MessageKind::GetMessageId if !outside => &[CertificateRole::SignatureOriginator],
            _ => &[CertificateRole::CipherOriginator, CertificateRole::SignatureOriginator],
        };
        envelope.certificates = client.certificates(roles);
        fill(&mut envelope);
        Self { envelope, sign: client.signature.is_some(), encrypt: client.target() }
    }

    /// What the response must match.
    pub(super) fn expected(&self) -> Expected {
        let control = &self.envelope.control;
        Expected {
            kind: self.envelope.kind().response().unwrap_or(MessageKind::Fault),
            challenge: control.challenge.clone().unwrap_or_default(),
            conversation_id: control.conversation_id.clone(),
            sequence_number: control.sequence_number,
        }
    }

    /// Signs and encrypts the order; the caller streams its attachments, whose digests are known before.
    ///
    /// # Errors
    /// 9000 if our own keys or content are not usable; nothing was sent.
    pub fn seal(
        &self,
        signer: Option<(&dyn Signer, SigningOptions)>,
        attachments: &[PartDigests],
        random: &mut dyn Random,
    ) -> Result<Outgoing, Refused> {
        if self.sign && signer.is_none() {
            return Err(Refused::new(FeedbackCode::S9000, "the order must be signed and there is no signer"));
        }
        self.envelope.seal(signer.filter(|_| self.sign), self.encrypt.as_ref(), attachments, random)
    }
}
