//! Reading an envelope: its type, its header blocks, its body.

use super::fields::{attribute, invalid, only};
use super::order::Fault;
use super::{
    ContentPackage, ControlBlock, CustomHeader, Envelope, Message, MessageKind, NamespaceContext, Qualities,
    Quality, RoleCertificates, read_blocks, read_order,
};
use crate::feedback::{FeedbackCode, Refused};
use crate::xml::{Document, NS_OSCI, NS_OSCI2017, NS_SOAP, Node, elements, is, schema_location};

impl Message {
    /// Reads an unencrypted message: structure and values, not signatures and not the rules of dialogues.
    ///
    /// # Errors
    /// 9100 if it is no OSCI message; 9400 if the ControlBlock holds what cannot be dialogue data.
    pub fn read(document: &Document) -> Result<Self, Refused> {
        let root = document.envelope().ok_or_else(|| invalid("the root element is not a SOAP Envelope"))?;
        only(root, &[(NS_SOAP, "Header"), (NS_SOAP, "Body")])?;
        let body = document.body().ok_or_else(|| invalid("not exactly one Body"))?;
        // The fault is the one message without schemaLocation (facts 3); with one it is none.
        let Some(location) = schema_location(document) else {
            return Fault::read(body).map(Self::Fault);
        };
        let kind = MessageKind::from_schema_location(location)
            .filter(|kind| *kind != MessageKind::MessageEncrypted)
            .ok_or_else(|| invalid("xsi:schemaLocation names no unencrypted OSCI message"))?;
        let header = document.header().ok_or_else(|| invalid("not exactly one Header"))?;
        attribute(body, "Id")?;
        read_envelope(document, kind, header, body).map(|envelope| Self::Envelope(Box::new(envelope)))
    }
}

impl Envelope {
    /// Reads an order or a response.
    ///
    /// # Errors
    /// As [`Message::read`]; a fault is refused with 9100.
    pub fn read(document: &Document) -> Result<Self, Refused> {
        match Message::read(document)? {
            Message::Envelope(envelope) => Ok(*envelope),
            Message::Fault(fault) => Err(invalid(format!("a fault ({}), no envelope", fault.code))),
        }
    }
}

/// What the header blocks yield before the order is known.
#[derive(Default)]
struct Blocks<'a> {
    control: Option<ControlBlock>,
    languages: Option<Vec<String>>,
    qualities: Qualities,
    order: Option<Node<'a>>,
    intermediary: Option<RoleCertificates>,
    certificates: Option<RoleCertificates>,
    features: Option<super::FeatureDescription>,
    custom: Vec<CustomHeader>,
    signed: bool,
}

fn read_envelope(
    document: &Document,
    kind: MessageKind,
    header: Node<'_>,
    body: Node<'_>,
) -> Result<Envelope, Refused> {
    let mut blocks = Blocks::default();
    for block in elements(header) {
        // Only what has an Id can be signed (facts 3, "Header blocks").
        let id = attribute(block, "Id")?;
        if id.is_empty() {
            return Err(invalid("a header block with an empty Id"));
        }
        read_block(document, kind, block, &mut blocks)?;
    }
    let order_node = if read_order::is_in_body(kind) {
        if blocks.order.is_some() {
            return Err(invalid(format!("{kind} has its order element in the Body")));
        }
        let name = read_order::element_name(kind);
        only(body, &[(NS_OSCI, name.as_str())])?;
        super::fields::one(body, NS_OSCI, &name)?
    } else {
        only(body, &[(NS_OSCI, "ContentPackage")])?;
        blocks.order.ok_or_else(|| invalid(format!("{kind} has no order element")))?
    };
    let package = super::fields::optional(body, NS_OSCI, "ContentPackage")?;
    check_presence(kind, &blocks, package.is_some())?;
    Ok(Envelope {
        control: blocks.control.ok_or_else(|| invalid("no ControlBlock"))?,
        languages: blocks.languages.unwrap_or_default(),
        qualities: blocks.qualities,
        order: read_order::read(kind, order_node)?,
        intermediary_certificates: blocks.intermediary.unwrap_or_default(),
        certificates: blocks.certificates.unwrap_or_default(),
        features: blocks.features,
        custom_headers: blocks.custom,
        content: package.map(|package| ContentPackage::of(document, package)),
    })
}

fn read_block<'a>(
    document: &Document,
    kind: MessageKind,
    block: Node<'a>,
    blocks: &mut Blocks<'a>,
) -> Result<(), Refused> {
    let name = block.tag_name().name();
    match block.tag_name().namespace() {
        Some(NS_OSCI) => match name {
            "ControlBlock" => once(&mut blocks.control, read_blocks::control(block)?, name),
            "ClientSignature" | "SupplierSignature" => {
                let expected = if kind.is_response() { "SupplierSignature" } else { "ClientSignature" };
                if name != expected || std::mem::replace(&mut blocks.signed, true) {
                    return Err(invalid(format!("{name} is out of place")));
                }
                Ok(())
            }
            "DesiredLanguages" => {
                let list =
                    attribute(block, "LanguagesList")?.split_ascii_whitespace().map(str::to_owned).collect();
                once(&mut blocks.languages, list, name)
            }
            "QualityOfTimestamp" => read_quality(block, &mut blocks.qualities),
            "IntermediaryCertificates" => {
                once(&mut blocks.intermediary, read_blocks::certificates(block, true)?, name)
            }
            "NonIntermediaryCertificates" => {
                once(&mut blocks.certificates, read_blocks::certificates(block, false)?, name)
            }
            _ => take_order(kind, block, &mut blocks.order),
        },
        Some(NS_OSCI2017) if name == "FeatureDescription" => {
            once(&mut blocks.features, read_blocks::features(block)?, name)
        }
        Some(NS_OSCI2017) => take_order(kind, block, &mut blocks.order),
        namespace => {
            blocks.custom.push(CustomHeader {
                id: attribute(block, "Id")?.to_owned(),
                namespace: namespace.unwrap_or_default().to_owned(),
                name: name.to_owned(),
                xml: document.source(block).as_bytes().to_vec(),
                namespaces: block
                    .parent_element()
                    .map_or_else(NamespaceContext::default, NamespaceContext::inside),
            });
            Ok(())
        }
    }
}

fn once<T>(slot: &mut Option<T>, value: T, name: &str) -> Result<(), Refused> {
    if slot.replace(value).is_some() {
        return Err(invalid(format!("more than one {name}")));
    }
    Ok(())
}

fn take_order<'a>(kind: MessageKind, block: Node<'a>, slot: &mut Option<Node<'a>>) -> Result<(), Refused> {
    let expected = read_order::element_name(kind);
    if !is(block, read_order::namespace(kind), &expected) {
        return Err(invalid(format!("unexpected header block {} in {kind}", block.tag_name().name())));
    }
    once(slot, block, &expected)
}

fn read_quality(block: Node<'_>, qualities: &mut Qualities) -> Result<(), Refused> {
    let quality = match attribute(block, "Quality")? {
        "plain" => Quality::Plain,
        "cryptographic" => Quality::Cryptographic,
        _ => return Err(invalid("unknown Quality of a time stamp")),
    };
    let slot = match attribute(block, "Service")? {
        "creation" => &mut qualities.creation,
        "reception" => &mut qualities.reception,
        _ => return Err(invalid("unknown Service of a time stamp")),
    };
    once(slot, quality, "QualityOfTimestamp of one service")
}

/// What the envelope schemas demand beyond the order element (facts 5), as far as anything depends on it.
fn check_presence(kind: MessageKind, blocks: &Blocks<'_>, content: bool) -> Result<(), Refused> {
    use MessageKind as K;
    if !kind.is_response() && blocks.languages.as_ref().is_none_or(Vec::is_empty) {
        return Err(invalid("DesiredLanguages is missing"));
    }
    let deliveries = matches!(
        kind,
        K::StoreDelivery
            | K::ForwardDelivery
            | K::AcceptDelivery
            | K::MediateDelivery
            | K::ProcessDelivery
            | K::PartialStoreDelivery
    );
    if deliveries && !content {
        return Err(invalid(format!("{kind} has no ContentPackage")));
    }
    let may_have_content = deliveries
        || matches!(
            kind,
            K::ResponseToFetchDelivery
                | K::ResponseToMediateDelivery
                | K::ResponseToProcessDelivery
                | K::ResponseToPartialFetchDelivery
        );
    if content && !may_have_content {
        return Err(invalid(format!("{kind} has a ContentPackage")));
    }
    if matches!(kind, K::StoreDelivery | K::ForwardDelivery)
        && (blocks.qualities.creation.is_none() || blocks.qualities.reception.is_none())
    {
        return Err(invalid(format!("{kind} needs both QualityOfTimestamp blocks")));
    }
    let certificate = |role| blocks.certificates.as_ref().is_some_and(|block| block.first(role).is_some());
    match kind {
        // Without it the response could not be encrypted: the table has a code of its own.
        K::InitDialog if !certificate(super::CertificateRole::CipherOriginator) => {
            Err(Refused::new(FeedbackCode::S9500, "initDialog without CipherCertificateOriginator"))
        }
        K::StoreDelivery if !certificate(super::CertificateRole::CipherAddressee) => {
            Err(invalid("storeDelivery without CipherCertificateAddressee"))
        }
        _ => Ok(()),
    }
}
