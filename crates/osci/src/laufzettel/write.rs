//! Writing process cards.

use jiff::Timestamp;

use super::{CertType, Inspection, MathResult, OfflineResult, ProcessCardBundle, Stamp};
use crate::xml::{XmlWriter, base64_lines};

/// Writes a bundle under the given element name.
pub(crate) fn write_bundle(writer: &mut XmlWriter, name: &str, bundle: &ProcessCardBundle) {
    writer.open(name).element("osci:MessageId", &bundle.message_id.to_wire());
    let card = &bundle.card;
    writer.start("osci:ProcessCard", &[("RecentModification", write_date_time(card.recent_modification))]);
    let stamps = [
        ("osci:Creation", &card.creation),
        ("osci:Forwarding", &card.forwarding),
        ("osci:Reception", &card.reception),
    ];
    for (name, stamp) in stamps {
        if let Some(stamp) = stamp {
            write_stamp(writer, name, stamp);
        }
    }
    if let Some(subject) = &card.subject {
        writer.element("osci:Subject", subject);
    }
    writer.end().open("osci:InspectionReport");
    for inspection in &bundle.inspections {
        write_inspection(writer, inspection);
    }
    writer.end().end();
}

fn write_stamp(writer: &mut XmlWriter, name: &str, stamp: &Stamp) {
    writer.open(name);
    match stamp {
        Stamp::Plain(at) => writer.element("osci:Plain", &write_date_time(*at)),
        Stamp::Cryptographic { algorithm, value } => {
            let attributes: Vec<_> = algorithm.iter().map(|uri| ("Algorithm", uri)).collect();
            writer.start("osci:Cryptographic", &attributes).text(&base64_lines(value)).end()
        }
    };
    writer.end();
}

fn write_inspection(writer: &mut XmlWriter, inspection: &Inspection) {
    writer.open("osci:Inspection");
    write_stamp(writer, "osci:Timestamp", &inspection.timestamp);
    writer
        .element("osci:X509SubjectName", &inspection.subject)
        .element("osci:X509IssuerName", &inspection.issuer)
        .element("osci:X509SerialNumber", &inspection.serial);
    let cert_type = match inspection.cert_type {
        CertType::Advanced => "advanced",
        CertType::Qualified => "qualified",
        CertType::Accredited => "accredited",
        CertType::Unknown => "unknown",
    };
    let math = match inspection.math {
        MathResult::Ok => "ok",
        MathResult::Corrupted => "corrupted",
        MathResult::Indeterminate => "indeterminate",
    };
    let offline = match inspection.offline {
        OfflineResult::Valid => "valid",
        OfflineResult::Invalid => "invalid",
        OfflineResult::Indeterminate => "indeterminate",
    };
    writer
        .empty("osci:CertType", &[("Type", cert_type)])
        .empty("osci:MathResult", &[("Result", math)])
        .empty("osci:OfflineResult", &[("Result", offline)]);
    if let Some(online) = &inspection.online {
        writer.start("osci:OnlineResult", &[("Result", if online.revoked { "revoked" } else { "ok" })]);
        if let Some(ocsp) = &online.ocsp {
            writer.element("osci:OCSP", &base64_lines(ocsp));
        }
        if let Some(crl) = online.crl {
            writer.element("osci:CRL", &write_date_time(crl));
        }
        if let Some(ldap) = &online.ldap {
            writer.element("osci:LDAP", &base64_lines(ldap));
        }
        writer.end();
    }
    writer.end();
}

/// `xsd:dateTime` in UTC.
pub(crate) fn write_date_time(at: Timestamp) -> String {
    at.to_string()
}
