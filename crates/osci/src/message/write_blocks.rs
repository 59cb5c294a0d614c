//! Writing the header blocks that all messages share.

use super::ids::Ids;
use super::{
    CertificateRole, ControlBlock, FeatureDescription, NamespaceContext, Part, Quality, RoleCertificates,
};
use crate::feedback::Feedback;
use crate::xml::{NS_OSCI2017, XmlWriter, base64_lines};

const NEXT: &str = "http://schemas.xmlsoap.org/soap/actor/next";
const NONE: &str = "http://www.w3.org/2001/12/soap-envelope/actor/none";

/// Writes blocks under one set of namespaces, each its own canonical form: declarations by prefix, then the attributes
/// without prefix by name, then those of SOAP.
pub(super) struct Block<'a> {
    namespaces: NamespaceContext,
    ids: &'a Ids,
}

impl<'a> Block<'a> {
    pub(super) const fn new(namespaces: NamespaceContext, ids: &'a Ids) -> Self {
        Self { namespaces, ids }
    }

    /// A block for the next node (`actor/next`).
    pub(super) fn part(
        &self,
        name: &str,
        id: &str,
        attributes: &[(&str, String)],
        inside: impl FnOnce(&mut XmlWriter),
    ) -> Part {
        self.write(name, id, attributes, Some(NEXT), inside)
    }

    fn write(
        &self,
        name: &str,
        id: &str,
        attributes: &[(&str, String)],
        actor: Option<&str>,
        inside: impl FnOnce(&mut XmlWriter),
    ) -> Part {
        let id = self.ids.free(id);
        let effi = name.starts_with("osci2017:").then_some(("osci2017", NS_OSCI2017));
        let mut all = self.namespaces.with(effi).declarations();
        let mut own: Vec<_> =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        own.push(("Id".to_owned(), id.clone()));
        own.sort();
        all.extend(own);
        if let Some(actor) = actor {
            all.push(("soap:actor".to_owned(), actor.to_owned()));
            all.push(("soap:mustUnderstand".to_owned(), "1".to_owned()));
        }
        let mut writer = XmlWriter::new();
        writer.start(name, &all);
        inside(&mut writer);
        Part { id, xml: writer.finish() }
    }
}

pub(super) fn control(block: &Block<'_>, control: &ControlBlock) -> Part {
    let mut attributes = Vec::new();
    if let Some(id) = &control.conversation_id {
        attributes.push(("ConversationId", id.clone()));
    }
    if let Some(number) = control.sequence_number {
        attributes.push(("SequenceNumber", number.to_string()));
    }
    block.part("osci:ControlBlock", "controlblock", &attributes, |writer| {
        if let Some(response) = &control.response {
            writer.element("osci:Response", response);
        }
        if let Some(challenge) = &control.challenge {
            writer.element("osci:Challenge", challenge);
        }
    })
}

pub(super) fn quality(block: &Block<'_>, service: &str, quality: Quality) -> Part {
    let wanted = match quality {
        Quality::Plain => "plain",
        Quality::Cryptographic => "cryptographic",
    };
    let attributes = [("Quality", wanted.to_owned()), ("Service", service.to_owned())];
    block.part("osci:QualityOfTimestamp", &format!("qualityoftimestamp_{service}"), &attributes, |_| {})
}

/// The certificate block, in the order of the schema; none if there is no certificate.
pub(super) fn certificates(block: &Block<'_>, name: &str, certificates: &RoleCertificates) -> Option<Part> {
    if certificates.is_empty() {
        return None;
    }
    Some(block.write(&format!("osci:{name}"), &name.to_ascii_lowercase(), &[], Some(NONE), |writer| {
        for role in CertificateRole::ALL {
            for entry in certificates.entries.iter().filter(|entry| entry.role == role) {
                let element = format!("osci:{}", role.element());
                let id: &[(&str, &str)] = &[("Id", entry.id.as_str())];
                writer
                    .start(&element, if entry.id.is_empty() { &[] } else { id })
                    .open("ds:X509Data")
                    .element("ds:X509Certificate", &base64_lines(entry.certificate.der()))
                    .end()
                    .end();
            }
        }
    }))
}

pub(super) fn features(block: &Block<'_>, features: &FeatureDescription) -> Part {
    let limits = [
        ("ChunkMessageTimeout", features.chunk_message_timeout),
        ("MaxChunkSize", features.max_chunk_size),
        ("MaxMessageSize", features.max_message_size),
        ("MinChunkSize", features.min_chunk_size),
    ];
    let attributes: Vec<_> =
        limits.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect();
    // The one block without actor and mustUnderstand (schema EFFI).
    block.write("osci2017:FeatureDescription", "featuredescription", &attributes, None, |writer| {
        writer.open("osci2017:SupportedFeatures");
        for feature in &features.features {
            writer.empty("osci2017:Feature", &[("Key", &feature.key), ("Version", &feature.version)]);
        }
        writer.end();
    })
}

/// `Feedback` or `InsideFeedback`.
pub(super) fn feedback(writer: &mut XmlWriter, name: &str, feedback: &Feedback) {
    writer.open(name);
    for entry in &feedback.entries {
        let language: Vec<_> = entry.language.iter().map(|tag| ("xml:lang", tag)).collect();
        writer
            .start("osci:Entry", &language)
            .element("osci:Code", &entry.code.to_string())
            .element("osci:Text", &entry.text)
            .end();
    }
    writer.end();
}
