//! Writing an envelope in the serialisation that every partner verifies (facts 3 and 9).

use super::ids::Ids;
use super::parts::block_namespaces;
use super::write_blocks::{Block, certificates, control, features, quality};
use super::{
    Envelope, Fault, NamespaceContext, Part, RoleCertificates, UnsignedEnvelope, read_order, write_order,
};
use crate::c14n::canonical_bytes;
use crate::feedback::{FaultSide, FeedbackCode, Language, Refused};
use crate::xml::{Document, NS_OSCI, NS_SOAP, XmlError, XmlWriter, limits};

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
            let xml = declare(&header.xml, &header.namespaces, namespaces).into_owned();
            let mut wrapper = XmlWriter::new();
            wrapper.start("wrapper", &namespaces.declarations()).raw(&xml);
            let document = read_back(wrapper.finish())?;
            let element = document.root().first_element_child();
            let canonical = element.map(canonical_bytes).ok_or_else(|| broken("a custom header is empty"))?;
            ids.add_document(document);
            parts.push(Part::foreign(header.id.clone(), xml, canonical));
        }
        Ok(parts)
    }

    fn body(&self, namespaces: &NamespaceContext, soap: &str, ids: &mut Ids) -> Result<Part, Refused> {
        let Some(content) = &self.content else {
            let id = ids.free(BODY_ID);
            let mut writer = body_writer(namespaces, soap, &id);
            if read_order::is_in_body(self.kind()) {
                write_order::body(&mut writer, &self.order);
            }
            return Ok(Part::safe(id, writer.finish()));
        };
        let raw = declare(&content.xml, &content.namespaces, namespaces);
        let mut id = ids.free(BODY_ID);
        loop {
            let mut writer = body_writer(namespaces, soap, &id);
            writer.raw(&raw);
            let xml = writer.finish();
            match Document::parse(xml.clone(), &unbounded()) {
                // The content has our Id: ours gives way.
                Err(XmlError::DuplicateId(taken)) if taken == id => id = ids.free(&format!("{id}_")),
                Err(error) => return Err(broken(error.to_string())),
                Ok(document) => {
                    let canonical = canonical_bytes(document.root());
                    ids.add_document(document);
                    return Ok(Part::foreign(id, xml, canonical));
                }
            }
        }
    }
}

fn body_writer(namespaces: &NamespaceContext, soap: &str, id: &str) -> XmlWriter {
    let mut writer = XmlWriter::new();
    let mut attributes = namespaces.declarations();
    attributes.push(("Id".to_owned(), id.to_owned()));
    writer.start(&format!("{soap}Body"), &attributes);
    writer
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

/// Adds to the start tag of a moved element the prefixes that were in force around it and are not any more.
fn declare<'a>(
    xml: &'a [u8],
    before: &NamespaceContext,
    now: &NamespaceContext,
) -> std::borrow::Cow<'a, [u8]> {
    let lost: Vec<_> =
        before.bindings().filter(|binding| !now.bindings().any(|other| other == *binding)).collect();
    if lost.is_empty() {
        return std::borrow::Cow::Borrowed(xml);
    }
    let name_end =
        xml.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'/' | b'>')).unwrap_or(xml.len());
    let tag_end = xml.iter().position(|byte| *byte == b'>').unwrap_or(xml.len());
    let start_tag = String::from_utf8_lossy(xml.get(..tag_end).unwrap_or_default());
    let mut out = xml.get(..name_end).unwrap_or_default().to_vec();
    for (name, uri) in
        NamespaceContext::from_bindings(lost.iter().map(|(p, u)| ((*p).to_owned(), (*u).to_owned())))
            .declarations()
    {
        // What the element declares itself wins.
        if !start_tag.split(['=', ' ', '\t', '\n']).any(|word| word == name) {
            let mut attribute = XmlWriter::new();
            attribute.empty("x", &[(name, uri)]);
            let written = attribute.finish();
            let inside =
                written.strip_prefix(b"<x").and_then(|rest| rest.strip_suffix(b"></x>")).unwrap_or_default();
            out.extend_from_slice(inside);
        }
    }
    out.extend_from_slice(xml.get(name_end..).unwrap_or_default());
    std::borrow::Cow::Owned(out)
}

fn read_back(xml: Vec<u8>) -> Result<Document, Refused> {
    Document::parse(xml, &unbounded()).map_err(|error| broken(error.to_string()))
}

/// What came in within the limits may grow a little on its way out.
fn unbounded() -> dds_xml::Limits {
    dds_xml::Limits { bytes: usize::MAX, text: usize::MAX, ..limits() }
}

fn broken(detail: impl Into<String>) -> Refused {
    Refused::new(FeedbackCode::S9000, detail)
}
