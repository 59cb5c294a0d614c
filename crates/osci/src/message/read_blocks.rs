//! Reading the header blocks that all messages share.

use super::fields::{attribute, invalid, number, one, only, optional, text};
use super::{CertificateRole, ControlBlock, Feature, FeatureDescription, RoleCertificate, RoleCertificates};
use crate::certificate::Certificate;
use crate::feedback::{Feedback, FeedbackCode, FeedbackEntry, Refused};
use crate::xml::{NS_DS, NS_OSCI, NS_OSCI2017, NS_XML, Node, children, elements};

/// Longest ConversationId, Challenge and Response we carry around; the wire sets no bound, lawful ones have 30.
const LONGEST: usize = 256;

/// Certificates of one block, and their octets: each is checked, and the process card tells of each. Lawful messages
/// have a handful.
const MOST_CERTIFICATES: usize = 256;
const MOST_OCTETS: usize = 768 << 10;

pub(super) fn control(block: Node<'_>) -> Result<ControlBlock, Refused> {
    only(block, &[(NS_OSCI, "Response"), (NS_OSCI, "Challenge")])?;
    let value = |name| -> Result<Option<String>, Refused> {
        let value = optional(block, NS_OSCI, name)?.map(text).transpose()?;
        match value {
            Some(value) if value.len() > LONGEST => Err(invalid(format!("{name} is too long"))),
            value => Ok(value),
        }
    };
    let wrong = |name: &str| Refused::new(FeedbackCode::S9400, format!("{name} is not a number"));
    let digits = |text: &str| {
        !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let conversation_id = block.attribute("ConversationId").map(str::to_owned);
    if conversation_id.as_deref().is_some_and(|id| !digits(id)) {
        return Err(wrong("ConversationId"));
    }
    let sequence_number = block
        .attribute("SequenceNumber")
        .map(|text| {
            if digits(text) {
                text.parse::<u32>().map_err(|_| wrong("SequenceNumber"))
            } else {
                Err(wrong("SequenceNumber"))
            }
        })
        .transpose()?;
    Ok(ControlBlock {
        response: value("Response")?,
        challenge: value("Challenge")?,
        conversation_id,
        sequence_number,
    })
}

pub(super) fn certificates(block: Node<'_>, intermediary: bool) -> Result<RoleCertificates, Refused> {
    let mut read = RoleCertificates::default();
    let mut octets = 0;
    for element in elements(block) {
        let name = element.tag_name().name();
        let role = CertificateRole::from_element(name)
            .filter(|role| {
                element.tag_name().namespace() == Some(NS_OSCI) && role.is_intermediary() == intermediary
            })
            .ok_or_else(|| invalid(format!("unexpected {name} in a certificate block")))?;
        let many = matches!(
            role,
            CertificateRole::CipherOtherAuthor
                | CertificateRole::CipherOtherReader
                | CertificateRole::SignatureOtherAuthor
        );
        if !many && read.first(role).is_some() {
            return Err(invalid(format!("more than one {name}")));
        }
        let data = one(element, NS_DS, "X509Data")?;
        let encoded = text(one(data, NS_DS, "X509Certificate")?)?;
        let certificate =
            Certificate::from_base64(&encoded).map_err(|error| invalid(format!("{name}: {error}")))?;
        octets += certificate.der().len();
        if read.entries.len() >= MOST_CERTIFICATES || octets > MOST_OCTETS {
            return Err(invalid("too many certificates"));
        }
        let id = element.attribute("Id").unwrap_or_default().to_owned();
        read.entries.push(RoleCertificate { role, id, certificate });
    }
    Ok(read)
}

pub(super) fn features(block: Node<'_>) -> Result<FeatureDescription, Refused> {
    let list = one(block, NS_OSCI2017, "SupportedFeatures")?;
    let timeout = match number(block, "ChunkMessageTimeout")? {
        None => number(block, "ChunkMessageTimeOut")?,
        known => known,
    };
    Ok(FeatureDescription {
        max_message_size: number(block, "MaxMessageSize")?,
        min_chunk_size: number(block, "MinChunkSize")?,
        max_chunk_size: number(block, "MaxChunkSize")?,
        chunk_message_timeout: timeout,
        features: children(list, NS_OSCI2017, "Feature")
            .map(|feature| {
                Ok(Feature {
                    key: attribute(feature, "Key")?.to_owned(),
                    version: attribute(feature, "Version")?.to_owned(),
                })
            })
            .collect::<Result<_, Refused>>()?,
    })
}

/// `Feedback`, `InsideFeedback`.
pub(super) fn feedback(node: Node<'_>) -> Result<Feedback, Refused> {
    let entries = children(node, NS_OSCI, "Entry")
        .map(|entry| {
            let code = text(one(entry, NS_OSCI, "Code")?)?;
            Ok(FeedbackEntry {
                language: entry.attribute((NS_XML, "lang")).map(str::to_owned),
                code: code.trim().parse().map_err(|_| invalid("a feedback code without four digits"))?,
                text: optional(entry, NS_OSCI, "Text")?.map(text).transpose()?.unwrap_or_default(),
            })
        })
        .collect::<Result<Vec<_>, Refused>>()?;
    if entries.is_empty() {
        return Err(invalid("Feedback without an Entry"));
    }
    Ok(Feedback { entries })
}
