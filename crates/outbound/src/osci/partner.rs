//! The way to one authority, its certificates read.

use dds_courier::Identity;
use dds_depot::{OsciMode, OsciWay};
use dds_osci::{
    certificate::Certificate,
    client::Client,
    message::{CertificateRole, RoleCertificates},
};

/// An [`OsciWay`] that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub(crate) address: String,
    /// We, as the intermediary sees us.
    pub(crate) client: Client,
    pub(crate) addressee: Certificate,
    pub(crate) mode: Mode,
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

/// What is wrong with a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A certificate: DDS-O003.
    Certificate(&'static str),
    /// Another value.
    Value(&'static str),
}

impl Partner {
    pub(crate) fn new(way: &OsciWay, identity: &Identity) -> Result<Self, Flaw> {
        let read = |pem: &String, flaw| Certificate::from_pem(pem).map_err(|_| Flaw::Certificate(flaw));
        let receiver = || way.receiver.clone().ok_or(Flaw::Value("it has no receiver for OSCI"));
        if way.subject.as_ref().is_some_and(|subject| subject.contains(['<', '&'])) {
            // The Java library writes the subject unescaped into the process card of the recipient (DOSSIER 10).
            return Err(Flaw::Value("its OSCI subject contains < or &"));
        }
        let mut readers = Vec::new();
        for pem in &way.readers {
            readers.push(read(pem, "a certificate of its readers is malformed")?);
        }
        Ok(Self {
            address: way.intermediary.clone(),
            client: Client::new(
                identity.cipher_certificate().clone(),
                identity.signature_certificate().clone(),
                read(&way.intermediary_cipher, "the cipher certificate of its intermediary is malformed")?,
                read(
                    &way.intermediary_signature,
                    "the signature certificate of its intermediary is malformed",
                )?,
            ),
            addressee: read(&way.addressee, "the cipher certificate of the authority is malformed")?,
            mode: match way.mode {
                OsciMode::Store => Mode::Store,
                OsciMode::Forward => Mode::Forward(receiver()?),
                OsciMode::Mediate => Mode::Mediate(receiver()?),
            },
            subject: way.subject.clone(),
            readers,
        })
    }

    /// Who reads the content, by the Id that points to the certificate; and the certificates the order must carry for it beside that
    /// of the addressee. Without configured readers the addressee reads.
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
