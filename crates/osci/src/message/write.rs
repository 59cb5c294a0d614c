//! Writing an envelope in the serialisation that every partner verifies (facts 3 and 9).

use std::borrow::Cow;

use super::ids::Ids;
use super::parts::block_namespaces;
use super::write_blocks::{Block, certificates, control, features, quality};
use super::{
    Envelope, Fault, NamespaceContext, Part, RoleCertificates, UnsignedEnvelope, read_order, write_order,
};
use crate::feedback::{FaultSide, FeedbackCode, Language, Refused};
use crate::xml::{Document, NS_OSCI, NS_SOAP, XmlWriter, limits_of_ours};

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\r\n";
const BODY_ID: &str = "body";

impl Envelope {
    /// Writes the envelope, cut into its parts. The Envelope declares the namespaces its content was written under, so
    /// that relayed author signatures stay valid (facts 11); every header block declares all it uses.
    ///
    /// # Errors
    /// 9000 if content or a custom header is not well-formed XML.
    pub fn write(&self) -> Result<UnsignedEnvelope, Refused> {
        let kind = self.kind();
        let namespaces = self
            .content
            .as_ref()
            .map_or_else(NamespaceContext::default, |content| content.namespaces.for_envelope());
        let soap = prefixed(namespaces.prefix_of(NS_SOAP).unwrap_or("soap"));
        let mut start = XmlWriter::new();
        let mut attributes = namespaces.declarations();
        if let Some(location) = kind.schema_location() {
            attributes.push(("xsi:schemaLocation".to_owned(), location));
        }
        start.start(&format!("{soap}Envelope"), &attributes).open(&format!("{soap}Header"));
        let mut ids = Ids::default();
        let custom = self.custom(&namespaces, &mut ids)?;
        self.certificates.entries.iter().for_each(|entry| ids.add_name(&entry.id));
        let body = self.body(&namespaces, &soap, &mut ids)?;
        let own = self.intermediary_certificates.renamed(|id| ids.free(id));
        let signer_id = self.signer().map(|signer| {
            if signer.role.is_intermediary() { ids.free(&signer.id) } else { signer.id.clone() }
        });
        let block = Block::new(block_namespaces(&namespaces), &ids);
        let envelope = UnsignedEnvelope {
            kind,
            signer_id,
            signature_id: ids.free(if kind.is_response() { "suppliersignature" } else { "clientsignature" }),
            start: [DECLARATION.as_bytes(), &open_tags(start, &soap)].concat(),
            control: control(&block, &self.control),
            headers: self.headers(&block, &own).into_iter().chain(custom).collect(),
            between: format!("</{soap}Header>").into_bytes(),
            body,
            end: format!("</{soap}Envelope>").into_bytes(),
            namespaces,
        };
        Ok(envelope)
    }

    /// The blocks between ControlBlock and custom headers.
    fn headers(&self, block: &Block<'_>, intermediary: &RoleCertificates) -> Vec<Part> {
        let mut headers = Vec::new();
        if !self.languages.is_empty() {
            headers.push(block.part(
                "osci:DesiredLanguages",
                "desiredlanguages",
                &[("LanguagesList", self.languages.join(" "))],
                |_| {},
            ));
        }
        headers.extend(self.qualities.creation.map(|wanted| quality(block, "creation", wanted)));
        headers.extend(self.qualities.reception.map(|wanted| quality(block, "reception", wanted)));
        if !read_order::is_in_body(self.kind()) {
            headers.push(write_order::header(block, &self.order));
        }
        headers.extend(certificates(block, "IntermediaryCertificates", intermediary));
        headers.extend(certificates(block, "NonIntermediaryCertificates", &self.certificates));
        headers.extend(self.features.as_ref().map(|announced| features(block, announced)));
        headers
    }

    fn custom(&self, namespaces: &NamespaceContext, ids: &mut Ids) -> Result<Vec<Part>, Refused> {
        let mut parts = Vec::new();
        for header in &self.custom_headers {
            let xml = declare(&header.xml, &header.namespaces, namespaces)?.into_owned();
            ids.add_document(placed(&xml, namespaces)?);
            parts.push(Part { id: header.id.clone(), xml });
        }
        Ok(parts)
    }

    fn body(&self, namespaces: &NamespaceContext, soap: &str, ids: &mut Ids) -> Result<Part, Refused> {
        let content = self.content.as_ref();
        let content =
            content.map(|content| declare(&content.xml, &content.namespaces, namespaces)).transpose()?;
        if let Some(content) = &content {
            ids.add_document(placed(content, namespaces)?);
        }
        let id = ids.free(BODY_ID);
        let mut writer = XmlWriter::new();
        let mut attributes = namespaces.declarations();
        attributes.push(("Id".to_owned(), id.clone()));
        writer.start(&format!("{soap}Body"), &attributes);
        match &content {
            Some(content) => {
                writer.raw(content);
            }
            None if read_order::is_in_body(self.kind()) => write_order::body(&mut writer, &self.order),
            None => {}
        }
        Ok(Part { id, xml: writer.finish() })
    }
}

impl Fault {
    /// Writes the fault: no schemaLocation, no Header, no Ids; children qualified by nothing, as SOAP 1.1 has them
    /// (facts 15). It is neither signed nor encrypted.
    pub fn write(&self, language: Language) -> Vec<u8> {
        let mut writer = XmlWriter::new();
        let side = match self.side {
            FaultSide::Client => "soap:Client",
            FaultSide::Server => "soap:Server",
        };
        let text = if self.text.is_empty() { self.code.text(language) } else { &self.text };
        writer.raw(DECLARATION.as_bytes());
        writer
            .start("soap:Envelope", &[("xmlns:osci", NS_OSCI), ("xmlns:soap", NS_SOAP)])
            .open("soap:Body")
            .open("soap:Fault")
            .element("faultcode", side)
            .element("faultstring", text)
            .open("detail")
            .element("osci:Code", &self.code.to_string());
        writer.finish()
    }
}

/// The opened tags without the end tags that `finish` would add.
fn open_tags(writer: XmlWriter, soap: &str) -> Vec<u8> {
    let mut xml = writer.finish();
    let closing = format!("</{soap}Header></{soap}Envelope>").len();
    xml.truncate(xml.len().saturating_sub(closing));
    xml
}

fn prefixed(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("{prefix}:") }
}

/// Adds to the start tag of a moved element the bindings that were in force around it, that it does not make itself,
/// and that are others in its new place. What changes with the surroundings is not made by the element.
fn declare<'a>(
    xml: &'a [u8],
    before: &NamespaceContext,
    now: &NamespaceContext,
) -> Result<Cow<'a, [u8]>, Refused> {
    let lost = before.lost_in(now);
    if lost.is_empty() {
        return Ok(Cow::Borrowed(xml));
    }
    let elsewhere: Vec<_> = lost.iter().map(|(prefix, uri)| (*prefix, format!("{uri}#elsewhere"))).collect();
    let elsewhere = before.with(elsewhere.iter().map(|(prefix, uri)| (*prefix, uri.as_str())));
    let (here, there) = (bound_by(xml, before)?, bound_by(xml, &elsewhere)?);
    let name_end = xml.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'));
    let (name, rest) = xml.split_at(name_end.unwrap_or(xml.len()));
    let mut tag = XmlWriter::new();
    let inherited = lost.into_iter().filter(|(prefix, _)| here.get(prefix) != there.get(prefix));
    tag.attributes(&NamespaceContext::from_bindings([]).with(inherited).declarations());
    Ok(Cow::Owned([name, &tag.finish(), rest].concat()))
}

/// The bindings in force inside an element that stands among these.
fn bound_by(xml: &[u8], around: &NamespaceContext) -> Result<NamespaceContext, Refused> {
    let document = placed(xml, around)?;
    let element = document.root().first_element_child().ok_or_else(|| broken("there is no element"))?;
    Ok(NamespaceContext::inside(element))
}

/// Content that others wrote, among these bindings.
fn placed(xml: &[u8], around: &NamespaceContext) -> Result<Document, Refused> {
    let mut place = XmlWriter::new();
    place.start("place", &around.declarations()).raw(xml);
    Document::parse(place.finish(), &limits_of_ours()).map_err(|error| broken(error.to_string()))
}

fn broken(detail: impl Into<String>) -> Refused {
    Refused::new(FeedbackCode::S9000, detail)
}
