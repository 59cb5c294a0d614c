//! Reading process cards.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{
    CertType, Inspection, MathResult, OfflineResult, OnlineResult, ProcessCard, ProcessCardBundle, Stamp,
};
use crate::feedback::Refused;
use crate::message::MessageId;
use crate::message::fields::{attribute, invalid, one, optional, text};
use crate::xml::{NS_OSCI, Node, base64_of, children, is};

/// `ProcessCardBundle`, also under its names in responseToMediateDelivery.
pub(crate) fn bundle(node: Node<'_>) -> Result<ProcessCardBundle, Refused> {
    let id = text(one(node, NS_OSCI, "MessageId")?)?;
    let message_id = MessageId::from_wire(&id)
        .ok_or_else(|| invalid("MessageId of a process card is not Base64 of text"))?;
    let report = one(node, NS_OSCI, "InspectionReport")?;
    Ok(ProcessCardBundle {
        message_id,
        card: card(one(node, NS_OSCI, "ProcessCard")?)?,
        inspections: children(report, NS_OSCI, "Inspection").map(inspection).collect::<Result<_, _>>()?,
    })
}

fn card(node: Node<'_>) -> Result<ProcessCard, Refused> {
    let stamp_of = |name| optional(node, NS_OSCI, name)?.map(stamp).transpose();
    Ok(ProcessCard {
        recent_modification: date_time(attribute(node, "RecentModification")?)?,
        creation: stamp_of("Creation")?,
        forwarding: stamp_of("Forwarding")?,
        reception: stamp_of("Reception")?,
        subject: optional(node, NS_OSCI, "Subject")?.map(text).transpose()?,
    })
}

fn stamp(node: Node<'_>) -> Result<Stamp, Refused> {
    if let Some(plain) = optional(node, NS_OSCI, "Plain")? {
        return Ok(Stamp::Plain(date_time(&text(plain)?)?));
    }
    let signed = one(node, NS_OSCI, "Cryptographic")?;
    let value =
        base64_of(&text(signed)?).ok_or_else(|| invalid("a cryptographic time stamp is not Base64"))?;
    Ok(Stamp::Cryptographic { algorithm: signed.attribute("Algorithm").map(str::to_owned), value })
}

fn inspection(node: Node<'_>) -> Result<Inspection, Refused> {
    let value = |name| text(one(node, NS_OSCI, name)?);
    let result = |name| one(node, NS_OSCI, name).and_then(|element| attribute(element, "Result"));
    Ok(Inspection {
        timestamp: stamp(one(node, NS_OSCI, "Timestamp")?)?,
        subject: value("X509SubjectName")?,
        issuer: value("X509IssuerName")?,
        serial: value("X509SerialNumber")?.trim().to_owned(),
        cert_type: match attribute(one(node, NS_OSCI, "CertType")?, "Type")? {
            "advanced" => CertType::Advanced,
            "qualified" => CertType::Qualified,
            "accredited" => CertType::Accredited,
            _ => CertType::Unknown,
        },
        math: match result("MathResult")? {
            "ok" => MathResult::Ok,
            "corrupted" => MathResult::Corrupted,
            _ => MathResult::Indeterminate,
        },
        offline: match result("OfflineResult")? {
            "valid" => OfflineResult::Valid,
            "invalid" => OfflineResult::Invalid,
            _ => OfflineResult::Indeterminate,
        },
        online: optional(node, NS_OSCI, "OnlineResult")?.map(online).transpose()?,
    })
}

fn online(node: Node<'_>) -> Result<OnlineResult, Refused> {
    let mut found = OnlineResult {
        // Anything but a clear "ok" must not read as not revoked.
        revoked: attribute(node, "Result")? != "ok",
        ocsp: None,
        crl: None,
        ldap: None,
    };
    for child in node.children().filter(Node::is_element) {
        let octets =
            || base64_of(&text(child)?).ok_or_else(|| invalid("evidence of an inspection is not Base64"));
        // "OSCP": the misprint of the schemas before Korrigendum 8.
        if is(child, NS_OSCI, "OCSP") || is(child, NS_OSCI, "OSCP") {
            found.ocsp = Some(octets()?);
        } else if is(child, NS_OSCI, "LDAP") {
            found.ldap = Some(octets()?);
        } else if is(child, NS_OSCI, "CRL") {
            found.crl = Some(date_time(&text(child)?)?);
        }
    }
    Ok(found)
}

/// `xsd:dateTime`; without a time zone it counts as UTC.
pub(crate) fn date_time(value: &str) -> Result<Timestamp, Refused> {
    let value = value.trim();
    if let Ok(at) = value.parse::<Timestamp>() {
        return Ok(at);
    }
    value
        .parse::<DateTime>()
        .and_then(|civil| civil.to_zoned(TimeZone::UTC))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| invalid("not an xsd:dateTime"))
}
