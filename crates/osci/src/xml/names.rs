//! Namespaces and identifiers of facts 3, 7 and 8.

/// SOAP 1.1.
pub const NS_SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// OSCI-Transport 1.2 of 2002: everything but what came with later Korrigenda.
pub const NS_OSCI: &str = "http://www.osci.de/2002/04/osci";
/// Korrigendum 7: FeatureDescription, partial messages, ChunkInformation, InsideFeedback.
pub const NS_OSCI2017: &str = "http://xoev.de/transport/osci12/7";
/// Korrigendum 8: IvLength.
pub const NS_OSCI128: &str = "http://xoev.de/transport/osci12/8";
/// XML Signature.
pub const NS_DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// XML Encryption 1.0.
pub const NS_XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// XML Encryption 1.1 (MGF, AES-GCM, RSA-OAEP).
pub const NS_XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
/// XML Schema instance, for `xsi:schemaLocation`.
pub const NS_XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// XAdES 1.3.2, for the signing time of content signatures.
pub const NS_XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
/// The namespace of the prefix `xml`.
pub const NS_XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Inclusive canonicalisation without comments, the only one OSCI uses (facts 8).
pub const C14N_INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
/// Exclusive canonicalisation; recognised to name it in a refusal.
pub const NS_C14N_EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// Base64 transform: the digest is over the decoded octets.
pub const TRANSFORM_BASE64: &str = "http://www.w3.org/2000/09/xmldsig#base64";
/// Media type of encrypted content containers.
pub const MIME_TEXT_XML: &str = "text/xml";
