use super::{MessageKind, NamespaceContext};
use crate::xml::{NS_DS, NS_OSCI, NS_SOAP, NS_XENC, NS_XSI};

/// One signed unit of an envelope: a header block or the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its `Id`; the signature refers to it as `#id`.
    pub id: String,
    /// The element as it is sent.
    pub xml: Vec<u8>,
}

/// An envelope cut into the parts that a signature covers; the signature block goes after the ControlBlock
/// (facts 8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedEnvelope {
    /// Type of the message.
    pub kind: MessageKind,
    /// Id of the signer's certificate element, for `RetrievalMethod`; `None` if the message names no signer.
    pub signer_id: Option<String>,
    /// Id for the signature block, free in this message.
    pub signature_id: String,
    /// What the Envelope itself declares.
    pub namespaces: NamespaceContext,
    pub(crate) start: Vec<u8>,
    /// The ControlBlock.
    pub control: Part,
    /// The other header blocks.
    pub headers: Vec<Part>,
    pub(crate) between: Vec<u8>,
    /// The body.
    pub body: Part,
    pub(crate) end: Vec<u8>,
}

impl UnsignedEnvelope {
    /// All parts a signature must cover, in document order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.control).chain(&self.headers).chain(std::iter::once(&self.body))
    }

    /// `ClientSignature` or `SupplierSignature`: the element that takes the `ds:Signature`.
    pub fn signature_element(&self) -> &'static str {
        if self.kind.is_response() { "SupplierSignature" } else { "ClientSignature" }
    }

    /// The `xmlns` attributes that make a header block its own canonical form: what the Envelope declares and the five
    /// usual prefixes. The signature block must carry them too, for the Envelope of relayed content may bind other
    /// ones.
    pub fn block_declarations(&self) -> Vec<(String, String)> {
        block_namespaces(&self.namespaces).declarations()
    }

    /// The octets of the XML document, with the complete signature block (element
    /// [`Self::signature_element`]) if there is one.
    pub fn assemble(&self, signature_block: Option<&[u8]>) -> Vec<u8> {
        let block = signature_block.unwrap_or_default();
        let parts: usize = self.parts().map(|part| part.xml.len()).sum();
        let around = self.start.len() + self.between.len() + self.end.len();
        let mut xml = Vec::with_capacity(around + parts + block.len());
        xml.extend_from_slice(&self.start);
        xml.extend_from_slice(&self.control.xml);
        xml.extend_from_slice(block);
        for header in &self.headers {
            xml.extend_from_slice(&header.xml);
        }
        xml.extend_from_slice(&self.between);
        xml.extend_from_slice(&self.body.xml);
        xml.extend_from_slice(&self.end);
        xml
    }
}

/// The namespaces in force inside a header block we write.
pub(super) fn block_namespaces(envelope: &NamespaceContext) -> NamespaceContext {
    envelope.with([("ds", NS_DS), ("osci", NS_OSCI), ("soap", NS_SOAP), ("xenc", NS_XENC), ("xsi", NS_XSI)])
}
