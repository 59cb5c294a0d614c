//! Process cards (*Laufzettel*) and inspections (*Prüfberichte*).

use jiff::Timestamp;

use crate::message::MessageId;
use crate::trust::{self, CertificateReport, RevocationSource};
pub use crate::trust::{MathResult, OfflineResult};

mod read;
mod stored;
mod write;

pub(crate) use read::{bundle, date_time};
pub(crate) use write::{write_bundle, write_date_time};

/// A time stamp as the sender asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// `Plain`: an `xsd:dateTime`.
    Plain(Timestamp),
    /// `Cryptographic`: a signed time stamp, octets and the URI of its algorithm.
    Cryptographic {
        /// `Algorithm`
        algorithm: Option<String>,
        /// The octets (Base64 on the wire).
        value: Vec<u8>,
    },
}

/// `ProcessCardBundle`: the process card of a delivery with its inspections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCardBundle {
    /// Id of the delivery.
    pub message_id: MessageId,
    /// The times.
    pub card: ProcessCard,
    /// One per certificate that was checked.
    pub inspections: Vec<Inspection>,
}

/// `ProcessCard`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessCard {
    /// Last change of the card.
    pub recent_modification: Timestamp,
    /// The intermediary recognised the order of the sender.
    pub creation: Option<Stamp>,
    /// The message to the recipient was built.
    pub forwarding: Option<Stamp>,
    /// The recipient has it: positive feedback of a passive one, the next order in the dialogue of an active one.
    pub reception: Option<Stamp>,
    /// Subject (*Betreff*).
    pub subject: Option<String>,
}

/// `Inspection`: what the intermediary found out about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// When it was checked.
    pub timestamp: Stamp,
    /// `X509SubjectName`
    pub subject: String,
    /// `X509IssuerName`
    pub issuer: String,
    /// `X509SerialNumber`, decimal.
    pub serial: String,
    /// `CertType`
    pub cert_type: CertType,
    /// `MathResult`: the signature over the certificate.
    pub math: MathResult,
    /// `OfflineResult`: validity.
    pub offline: OfflineResult,
    /// `OnlineResult`: revocation, if it was asked for.
    pub online: Option<OnlineResult>,
}

/// Level of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertType {
    /// `advanced` (*fortgeschritten*)
    Advanced,
    /// `qualified` (*qualifiziert*)
    Qualified,
    /// `accredited` (*akkreditiert*), Korrigendum 1.
    Accredited,
    /// `unknown`
    Unknown,
}

/// Result of the check of revocation, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnlineResult {
    /// `Result`: `revoked`, else `ok`.
    pub revoked: bool,
    /// `OCSP`: the answer of the responder.
    pub ocsp: Option<Vec<u8>>,
    /// `CRL`: when the list was issued.
    pub crl: Option<Timestamp>,
    /// `LDAP`
    pub ldap: Option<Vec<u8>>,
}

impl Inspection {
    /// The inspection of a checked certificate. Its level (advanced, qualified) cannot be told from a path alone.
    pub fn of(report: &CertificateReport, at: Timestamp) -> Self {
        let online = report.online.as_ref().map(|online| {
            let (revoked, source) = match online {
                trust::OnlineResult::Ok(source) => (false, source),
                trust::OnlineResult::Revoked(source) => (true, source),
            };
            let (crl, ocsp) = match source {
                RevocationSource::Crl(issued) => (Some(*issued), None),
                RevocationSource::Ocsp(answer) => (None, Some(answer.clone())),
            };
            OnlineResult { revoked, ocsp, crl, ldap: None }
        });
        Self {
            timestamp: Stamp::Plain(at),
            subject: report.certificate.subject().to_owned(),
            issuer: report.certificate.issuer().to_owned(),
            serial: report.certificate.serial().to_owned(),
            cert_type: CertType::Unknown,
            math: report.math,
            offline: report.offline,
            online,
        }
    }
}
