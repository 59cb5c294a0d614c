//! The way to one authority, its certificates read.

use dds_courier::{Trust, intermediary_of};
use dds_depot::{OsciMode, OsciWay};
use dds_message::{AnswerKind, Code, Problem};
use dds_osci::{
    certificate::Certificate,
    client::Client,
    message::{CertificateRole, RoleCertificates},
    trust::{CertificateReport, CertificateUse},
};
use jiff::Timestamp;

use super::OsciSender;

/// An [`OsciWay`] that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub(crate) address: String,
    /// We, as the intermediary sees us.
    pub(crate) client: Client,
    pub(crate) addressee: Certificate,
    pub(crate) mode: Mode,
    /// What a reply is for the source of the application.
    pub(crate) reply: AnswerKind,
    /// What is larger goes in chunks of so many KB.
    pub(crate) chunk_kb: Option<u64>,
    pub(crate) subject: Option<String>,
    readers: Vec<Certificate>,
}

/// Zustellart with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Into the mailbox.
    Store,
    /// Pushed to this address.
    Forward(String),
    /// Pushed to this address; the reply comes back.
    Mediate(String),
}

/// What is wrong with a way: German, English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A certificate: DDS-O003.
    Certificate((&'static str, &'static str)),
    /// Another value.
    Value((&'static str, &'static str)),
}

/// What a way names, read.
struct Named {
    intermediary_cipher: Certificate,
    intermediary_signature: Certificate,
    addressee: Certificate,
    readers: Vec<Certificate>,
    mode: Mode,
}

impl Named {
    fn read(way: &OsciWay) -> Result<Self, Flaw> {
        let read = |pem: &String, flaw| Certificate::from_pem(pem).map_err(|_| Flaw::Certificate(flaw));
        let receiver = || {
            way.receiver.clone().ok_or(Flaw::Value((
                "es hat keinen Empfänger (receiver) für OSCI",
                "it has no receiver for OSCI",
            )))
        };
        if way.subject.as_ref().is_some_and(|subject| subject.contains(['<', '&'])) {
            // The Java library writes the subject unescaped into the process card of the recipient (facts 5).
            return Err(Flaw::Value((
                "sein OSCI-Betreff enthält < oder &",
                "its OSCI subject contains < or &",
            )));
        }
        if way.chunk_kb.is_some() && way.mode != OsciMode::Store {
            return Err(Flaw::Value((
                "nur in ein Postfach geht eine Zustellung in Teilen",
                "only into a mailbox a delivery goes in chunks",
            )));
        }
        let mut readers = Vec::new();
        for pem in &way.readers {
            readers.push(read(
                pem,
                ("ein Zertifikat seiner Leser ist fehlerhaft", "a certificate of its readers is malformed"),
            )?);
        }
        Ok(Self {
            intermediary_cipher: read(
                &way.intermediary_cipher,
                (
                    "das Verschlüsselungszertifikat seines Intermediärs ist fehlerhaft",
                    "the cipher certificate of its intermediary is malformed",
                ),
            )?,
            intermediary_signature: read(
                &way.intermediary_signature,
                (
                    "das Signaturzertifikat seines Intermediärs ist fehlerhaft",
                    "the signature certificate of its intermediary is malformed",
                ),
            )?,
            addressee: read(
                &way.addressee,
                (
                    "das Verschlüsselungszertifikat der Behörde ist fehlerhaft",
                    "the cipher certificate of the authority is malformed",
                ),
            )?,
            readers,
            mode: match way.mode {
                OsciMode::Store => Mode::Store,
                OsciMode::Forward => Mode::Forward(receiver()?),
                OsciMode::Mediate => Mode::Mediate(receiver()?),
            },
        })
    }
}

/// The certificates that the way of an office names: the key under which each stands, and what it is used for.
///
/// # Errors
/// What is wrong with the way (DDS-O003 for a certificate, DDS-D007): its deliveries would wait.
pub fn certificates_of(way: &OsciWay) -> Result<Vec<(&'static str, Certificate, CertificateUse)>, Problem> {
    use CertificateUse as Use;
    let named = Named::read(way).map_err(|flaw| match flaw {
        Flaw::Certificate(what) => Problem::new(Code::OSCI_CERTIFICATE, what),
        Flaw::Value(what) => Problem::new(Code::TARGET_UNKNOWN, what),
    })?;
    let mut all = vec![
        ("intermediary_cipher", named.intermediary_cipher, Use::ReaderCipher),
        ("intermediary_signature", named.intermediary_signature, Use::AddresseeSignature),
        ("addressee", named.addressee, Use::AddresseeCipher),
    ];
    all.extend(named.readers.into_iter().map(|reader| ("readers", reader, Use::ReaderCipher)));
    Ok(all)
}

impl Partner {
    pub(crate) fn new(way: &OsciWay, sender: &OsciSender) -> Result<Self, Flaw> {
        let Named { intermediary_cipher, intermediary_signature, addressee, readers, mode } =
            Named::read(way)?;
        let identity = &sender.identity;
        let mut client = Client::new(
            identity.cipher_certificate().clone(),
            identity.signature_certificate().clone(),
            intermediary_cipher,
            intermediary_signature,
        );
        // Signatures of answers are judged as their encryption is.
        client.policy = sender.courier.desk().intake.policy.clone();
        Ok(Self {
            address: way.intermediary.clone(),
            client,
            addressee,
            mode,
            reply: way.reply.unwrap_or(AnswerKind::Receipt),
            chunk_kb: way.chunk_kb.map(std::num::NonZeroU64::get),
            subject: way.subject.clone(),
            readers,
        })
    }

    /// Checks the certificates of this way before anything is encrypted for them. The first that is refused.
    pub(crate) async fn refused(&self, trust: &Trust, now: Timestamp) -> Option<CertificateReport> {
        use CertificateUse as Use;
        let readers = self.readers.iter().map(|reader| (reader, Use::ReaderCipher));
        let all: Vec<_> = std::iter::once((&self.addressee, Use::AddresseeCipher))
            .chain(readers)
            .chain(intermediary_of(&self.client))
            .collect();
        trust.named(&all, now).await.into_iter().find(|report| {
            let (warnings, certificate) = (&report.findings, report.certificate.sha256_hex());
            if !report.is_refused() && !warnings.is_empty() {
                tracing::warn!(certificate, ?warnings, "osci.certificate_warnings");
            }
            report.is_refused()
        })
    }

    /// For whom and over whom a delivery goes: SHA-256 of the certificates of addressee, intermediary and readers.
    pub(crate) fn parties(&self) -> String {
        let Client { intermediary_cipher, intermediary_signature, .. } = &self.client;
        let others = intermediary_cipher.iter().chain(intermediary_signature).chain(&self.readers);
        let all: Vec<&str> =
            std::iter::once(&self.addressee).chain(others).map(Certificate::sha256_hex).collect();
        all.join(" ")
    }

    /// Who reads the content, by the Id that points to the certificate; and the certificates the order must carry for
    /// it beside that of the addressee. Without configured readers the addressee reads.
    pub(crate) fn readers(&self) -> (Vec<(String, Certificate)>, RoleCertificates) {
        let addressee =
            (CertificateRole::CipherAddressee.usual_id(&self.addressee, 0), self.addressee.clone());
        let mut others = RoleCertificates::default();
        if self.readers.is_empty() {
            return (vec![addressee], others);
        }
        let readers = self.readers.iter().map(|reader| {
            if *reader == self.addressee {
                return addressee.clone();
            }
            (others.add(CertificateRole::CipherOtherReader, reader).to_owned(), reader.clone())
        });
        (readers.collect(), others)
    }
}
