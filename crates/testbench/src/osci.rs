//! OSCI partners: a portal that stores or forwards, and an office that fetches its mailbox.

use std::{net::SocketAddr, path::Path};

use bytes::Bytes;
use dds_osci::{
    algorithm::KeyTransport,
    certificate::Certificate,
    client::{Client, Delivery, Lost, Request, Single, Stored},
    content::{Author, ContainerDraft, ContentBody, encrypt_container, open, package},
    feedback::{Feedback, FeedbackCode, Refused},
    intake::{IntakeConfig, MemoryStore, Received, read_all},
    keys::{Decrypter, Signer, SoftwareKey},
    message::{CertificateRole, ContentPackage, MessageId, RoleCertificates},
    outgoing::message_bytes,
    random::SystemRandom,
    signature::{SigningOptions, Verdict},
};
use hyper::{Method, Request as HttpRequest};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SignatureAlgorithm,
};

use crate::{
    Error,
    http::{self, Outgoing, whole},
};

/// OSCI-PKI of one run: a certification authority, and key pairs it has certified.
pub struct OsciPki {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
    signing: &'static SignatureAlgorithm,
}

/// The two key pairs of an OSCI role: RSA 3072 to decrypt, P-256 or RSA 3072 to sign.
pub struct OsciIdentity {
    /// Decrypts.
    pub cipher: SoftwareKey,
    /// Signs.
    pub signature: SoftwareKey,
    /// Cipher certificate, PEM.
    pub cipher_pem: String,
    /// Signature certificate, PEM.
    pub signature_pem: String,
    cipher_key_pem: String,
    signature_key_pem: String,
}

impl OsciPki {
    /// A new authority.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "OSCI-Test-Wurzel");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let root = params.self_signed(&key).map_err(failed)?;
        Ok(Self { root_pem: root.pem(), issuer: Issuer::new(params, key), signing: &PKCS_ECDSA_P256_SHA256 })
    }

    /// Roles of this authority sign with RSA 3072 from now on, as most of those in operation do.
    #[must_use]
    pub const fn with_rsa_signatures(mut self) -> Self {
        self.signing = &PKCS_RSA_SHA256;
        self
    }

    /// The root certificate, PEM.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Key pairs for a role. Takes a moment: RSA primes are searched for.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn identity(&self, name: &str) -> Result<OsciIdentity, Error> {
        let cipher = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(failed)?;
        let signature = if self.signing == &PKCS_RSA_SHA256 {
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(failed)?
        } else {
            KeyPair::generate_for(self.signing).map_err(failed)?
        };
        let usage = [KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::DataEncipherment];
        let cipher_pem = self.certify(&format!("{name}-cipher"), &usage, &cipher)?;
        let signature_pem =
            self.certify(&format!("{name}-signature"), &[KeyUsagePurpose::DigitalSignature], &signature)?;
        let (cipher_key_pem, signature_key_pem) = (cipher.serialize_pem(), signature.serialize_pem());
        Ok(OsciIdentity {
            cipher: SoftwareKey::from_pem(&cipher_key_pem, &cipher_pem).map_err(failed)?,
            signature: SoftwareKey::from_pem(&signature_key_pem, &signature_pem).map_err(failed)?,
            cipher_pem,
            signature_pem,
            cipher_key_pem,
            signature_key_pem,
        })
    }

    fn certify(&self, name: &str, usages: &[KeyUsagePurpose], key: &KeyPair) -> Result<String, Error> {
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = usages.to_vec();
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer).map_err(failed)?.pem())
    }
}

impl OsciIdentity {
    /// Writes `<name>-cipher.key`, `<name>-cipher.pem` and the same for the signature.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> std::io::Result<()> {
        for (ending, text) in [
            ("cipher.key", &self.cipher_key_pem),
            ("cipher.pem", &self.cipher_pem),
            ("signature.key", &self.signature_key_pem),
            ("signature.pem", &self.signature_pem),
        ] {
            std::fs::write(folder.join(format!("{name}-{ending}")), text)?;
        }
        Ok(())
    }
}

/// An OSCI user at an intermediary.
pub struct OsciPeer {
    identity: OsciIdentity,
    client: Client,
    address: SocketAddr,
    intake: IntakeConfig,
}

/// A storeDelivery ready to be posted.
pub struct OsciPrepared {
    /// The HTTP body, signed and encrypted.
    pub body: Bytes,
    awaiting: Single<Stored>,
}

/// What was fetched.
#[derive(Debug, Clone)]
pub struct OsciFetched {
    /// MessageId.
    pub id: String,
    /// First content.
    pub document: Vec<u8>,
    /// Whether every container is signed by an author and every signature is valid.
    pub signed: bool,
}

impl OsciPeer {
    /// A user with an identity, at the intermediary behind `http://ADDRESS/osci`.
    #[must_use]
    pub fn new(
        identity: OsciIdentity,
        address: SocketAddr,
        cipher: Certificate,
        signature: Certificate,
    ) -> Self {
        let own = (
            Decrypter::certificate(&identity.cipher).clone(),
            Signer::certificate(&identity.signature).clone(),
        );
        let client = Client::new(own.0, own.1, cipher, signature);
        Self { identity, client, address, intake: IntakeConfig::default() }
    }

    /// Stores a document in the mailbox of `addressee`, signed by us as author and encrypted for him.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn store(&self, addressee: &Certificate, document: &[u8]) -> Result<MessageId, Error> {
        let id = self.message_id().await?;
        let (request, awaiting) =
            self.client.store(id.clone(), self.delivery(addressee, document)?, &mut SystemRandom);
        let received = self.send(&request).await?;
        let answer = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback).map(|()| id)
    }

    /// Does everything for [`Self::store`] but the posting: the MessageId is there, the order is sealed.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn prepare(&self, addressee: &Certificate, document: &[u8]) -> Result<OsciPrepared, Error> {
        let id = self.message_id().await?;
        let (request, awaiting) =
            self.client.store(id, self.delivery(addressee, document)?, &mut SystemRandom);
        Ok(OsciPrepared { body: self.seal(&request)?, awaiting })
    }

    /// Whether the answer to a prepared order says that the delivery is in the mailbox.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub fn conclude(&self, prepared: OsciPrepared, answer: &[u8]) -> Result<(), Error> {
        let received = self.receive(answer);
        let answer = prepared.awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback)
    }

    /// Has a document pushed to the passive recipient at `receiver`.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn forward(
        &self,
        receiver: &str,
        addressee: &Certificate,
        document: &[u8],
    ) -> Result<MessageId, Error> {
        let id = self.message_id().await?;
        let delivery = self.delivery(addressee, document)?;
        let (request, awaiting) = self.client.forward(receiver, id.clone(), delivery, &mut SystemRandom);
        let received = self.send(&request).await?;
        let answer = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback).map(|()| id)
    }

    /// Fetches all that waits in our mailbox, in one dialogue.
    ///
    /// # Errors
    /// [`Error::Unexpected`] with the feedback.
    pub async fn fetch_all(&self) -> Result<Vec<OsciFetched>, Error> {
        let (request, awaiting) = self.client.init(&mut SystemRandom);
        let received = self.send(&request).await?;
        let mut dialogue = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        let mut fetched = Vec::new();
        loop {
            let (request, awaiting) = dialogue.fetch(None, &mut SystemRandom);
            let received = self.send(&request).await?;
            let (next, answer) = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
            dialogue = next;
            if answer.feedback.decisive() == FeedbackCode::S9803 {
                break;
            }
            done(&answer.feedback)?;
            let received = received.map_err(|refused| Error::Unexpected(refused.to_string()))?;
            let id = answer.value.card.map_or_else(String::new, |card| card.message_id.as_str().to_owned());
            fetched.push(self.read(id, &received)?);
        }
        let (request, awaiting) = dialogue.exit(&mut SystemRandom);
        let received = self.send(&request).await?;
        awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        Ok(fetched)
    }

    fn read(&self, id: String, received: &Received<MemoryStore>) -> Result<OsciFetched, Error> {
        let refused = |refused: Refused| Error::Unexpected(refused.to_string());
        let keys: [&dyn Decrypter; 1] = [&self.identity.cipher];
        let content = open(&received.document, &received.digests(), &keys, &self.intake, &mut SystemRandom)
            .map_err(refused)?;
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
        Ok(OsciFetched { id, document, signed })
    }

    async fn message_id(&self) -> Result<MessageId, Error> {
        let (request, awaiting) = self.client.get_message_id(&mut SystemRandom);
        let received = self.send(&request).await?;
        let answer = awaiting.receive(received.as_ref().map_err(Clone::clone)).map_err(lost)?;
        done(&answer.feedback)?;
        answer.value.message_id.ok_or_else(|| Error::Unexpected("no MessageId".to_owned()))
    }

    fn delivery(&self, addressee: &Certificate, document: &[u8]) -> Result<Delivery, Error> {
        let author = Signer::certificate(&self.identity.signature);
        let key_id = CertificateRole::SignatureOriginator.usual_id(author, 0);
        let authors = [Author { signer: &self.identity.signature, key_id: &key_id, time: None }];
        let draft = ContainerDraft::new("Antrag").inline("Antragsdaten", document);
        let container = draft.write(&authors, SigningOptions::default()).map_err(unexpected)?;
        let mut certificates = RoleCertificates::default();
        let reader = certificates.add(CertificateRole::CipherAddressee, addressee).to_owned();
        let readers = [(reader.as_str(), addressee)];
        let encrypted = encrypt_container(
            "AntragVerschluesselt",
            &container,
            &readers,
            KeyTransport::DEFAULT,
            &mut SystemRandom,
        )
        .map_err(unexpected)?;
        let mut delivery = Delivery::new(ContentPackage::new(package(&[encrypted], &[])), addressee.clone());
        delivery.certificates = certificates;
        Ok(delivery)
    }

    async fn send(&self, request: &Request) -> Result<Result<Received<MemoryStore>, Refused>, Error> {
        let post = osci_post(self.address, self.seal(request)?)?;
        let answered = http::Client::new(self.address).send(post).await?.success()?;
        Ok(self.receive(&answered.body))
    }

    fn seal(&self, request: &Request) -> Result<Bytes, Error> {
        let signer = Some((&self.identity.signature as &dyn Signer, SigningOptions::default()));
        let outgoing = request.seal(signer, &[], &mut SystemRandom).map_err(unexpected)?;
        Ok(message_bytes(outgoing, &[]).map_err(unexpected)?.into())
    }

    fn receive(&self, body: &[u8]) -> Result<Received<MemoryStore>, Refused> {
        let keys: [&dyn Decrypter; 1] = [&self.identity.cipher];
        read_all(&self.intake, &keys, &mut SystemRandom, body)
    }
}

/// The HTTP request that carries an order to the intermediary behind `http://ADDRESS/osci`.
///
/// # Errors
/// None that can be met with an address.
pub fn osci_post(address: SocketAddr, body: Bytes) -> Result<HttpRequest<Outgoing>, Error> {
    HttpRequest::builder()
        .method(Method::POST)
        .uri("/osci")
        .header("host", address.to_string())
        .header("content-type", "text/xml")
        .body(whole(body))
        .map_err(unexpected)
}

fn done(feedback: &Feedback) -> Result<(), Error> {
    if feedback.is_success() {
        return Ok(());
    }
    Err(Error::Unexpected(format!("OSCI feedback {}", feedback.decisive())))
}

fn lost(lost: Lost) -> Error {
    Error::Unexpected(format!("OSCI dialogue ended with {}: {lost}", lost.code()))
}

fn unexpected(error: impl std::fmt::Display) -> Error {
    Error::Unexpected(error.to_string())
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}
