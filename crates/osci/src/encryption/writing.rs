//! Writing `xenc:EncryptedData`: AES-GCM and RSA-OAEP only, 12-byte IV unless the partner needs another.

use base64::Engine as _;
use zeroize::Zeroizing;

use crate::algorithm::{DataAlgorithm, IvLength, KeyTransport};
use crate::certificate::Certificate;
use crate::keys::KeyError;
use crate::random::Random;
use crate::xml::{
    ENVELOPE_NAMESPACES, MIME_TEXT_XML, NS_DS, NS_OSCI128, NS_SOAP, NS_XENC, NS_XENC11, NS_XSI,
    TRANSFORM_BASE64, XmlWriter, base64_lines,
};

/// For whom and how a message is encrypted for transport (Transportverschlüsselung).
#[derive(Debug, Clone)]
pub struct TransportTarget {
    /// Cipher certificate of the receiver.
    pub certificate: Certificate,
    /// GCM only.
    pub data: DataAlgorithm,
    /// 12 unless the partner lacks `Support96Bit12ByteIV`.
    pub iv: IvLength,
    /// OAEP; RSA-1.5 where a partner can do nothing else and policy allows it.
    pub key: KeyTransport,
}

impl TransportTarget {
    /// AES-256-GCM with a 12-byte IV and RSA-OAEP: the defaults (facts 7).
    #[must_use]
    pub const fn new(certificate: Certificate) -> Self {
        Self { certificate, data: DataAlgorithm::Aes256Gcm, iv: IvLength::Twelve, key: KeyTransport::DEFAULT }
    }
}

/// A fresh session key with its IV.
pub struct KeyWrap {
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
    /// The IV.
    pub iv: Vec<u8>,
}

impl KeyWrap {
    /// A fresh key for one message or attachment; never used twice, so the IV cannot repeat under it.
    #[must_use]
    pub fn fresh(data: DataAlgorithm, iv: IvLength, random: &mut dyn Random) -> Self {
        let mut key = Zeroizing::new(vec![0; data.key_len()]);
        random.fill(&mut key);
        let mut octets = vec![0; data.iv_len(iv)];
        random.fill(&mut octets);
        Self { key, iv: octets }
    }
}

impl std::fmt::Debug for KeyWrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyWrap(…)")
    }
}

/// The outer envelope `soapMessageEncrypted` with the wrapped key; the octets travel as attachment `cipher_id`.
///
/// # Errors
/// [`KeyError`] when the certificate cannot wrap the key.
pub fn write_transport(target: &TransportTarget, key: &[u8], cipher_id: &str) -> Result<Vec<u8>, KeyError> {
    let wrapped = target.certificate.wrap_key(target.key, key)?;
    let mut writer = XmlWriter::new();
    writer.raw(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\r\n");
    let location = crate::message::MessageKind::MessageEncrypted.schema_location().unwrap_or_default();
    writer.start(
        "soap:Envelope",
        &[
            ("xmlns:ds", NS_DS),
            ("xmlns:soap", NS_SOAP),
            ("xmlns:xenc", NS_XENC),
            ("xmlns:xsi", NS_XSI),
            ("xsi:schemaLocation", &location),
        ],
    );
    writer.open("soap:Body").start("xenc:EncryptedData", &[("MimeType", "Multipart/Related")]);
    method(&mut writer, target.data, target.iv);
    writer.open("ds:KeyInfo").open("xenc:EncryptedKey");
    key_method(&mut writer, target.key);
    writer
        .open("ds:KeyInfo")
        .open("ds:X509Data")
        .element("ds:X509Certificate", &base64_lines(target.certificate.der()))
        .end()
        .end();
    writer.open("xenc:CipherData").element("xenc:CipherValue", &base64_lines(&wrapped)).end().end().end();
    reference(&mut writer, cipher_id);
    Ok(writer.finish())
}

/// `xenc:EncryptedData` of a container for readers: `octets` is IV, ciphertext and tag. Each reader is the Id of the
/// certificate element and the certificate. Carries the five declarations of the envelope, so that a decrypted
/// container finds them (facts 11).
///
/// # Errors
/// [`KeyError`] when a certificate cannot wrap the key.
pub fn write_content(
    id: &str,
    readers: &[(&str, &Certificate)],
    transport: KeyTransport,
    (data, iv): (DataAlgorithm, IvLength),
    key: &[u8],
    octets: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut writer = XmlWriter::new();
    let mut attributes = ENVELOPE_NAMESPACES.to_vec();
    attributes.extend([("Id", id), ("MimeType", MIME_TEXT_XML)]);
    writer.start("xenc:EncryptedData", &attributes);
    method(&mut writer, data, iv);
    writer.open("ds:KeyInfo");
    for (reader, certificate) in readers {
        let wrapped = certificate.wrap_key(transport, key)?;
        writer.open("xenc:EncryptedKey");
        key_method(&mut writer, transport);
        let uri = format!("#{reader}");
        writer
            .open("ds:KeyInfo")
            .empty(
                "ds:RetrievalMethod",
                &[("Type", "http://www.w3.org/2000/09/xmldsig#X509Data"), ("URI", &uri)],
            )
            .end();
        writer.open("xenc:CipherData").element("xenc:CipherValue", &base64_lines(&wrapped)).end().end();
    }
    writer.end();
    writer.open("xenc:CipherData").element("xenc:CipherValue", &base64_lines(octets)).end();
    Ok(writer.finish())
}

/// `xenc:EncryptedData` that describes an encrypted attachment; it belongs into a container that is encrypted itself,
/// because it carries the key in the clear (facts 11).
pub(crate) fn write_attachment(
    content_id: &str,
    (data, iv): (DataAlgorithm, IvLength),
    key: &[u8],
) -> Vec<u8> {
    let mut writer = XmlWriter::new();
    writer.start("xenc:EncryptedData", &[("Id", format!("Attachment{content_id}"))]);
    method(&mut writer, data, iv);
    writer
        .open("ds:KeyInfo")
        .element("ds:MgmtData", &base64::engine::general_purpose::STANDARD.encode(key))
        .end();
    reference(&mut writer, content_id);
    writer.finish()
}

fn method(writer: &mut XmlWriter, data: DataAlgorithm, iv: IvLength) {
    writer.start("xenc:EncryptionMethod", &[("Algorithm", data.uri())]);
    if iv == IvLength::Twelve {
        writer.empty("osci128:IvLength", &[("xmlns:osci128", NS_OSCI128), ("Value", "12")]);
    }
    writer.end();
}

fn key_method(writer: &mut XmlWriter, transport: KeyTransport) {
    writer.start("xenc:EncryptionMethod", &[("Algorithm", transport.uri())]);
    if let (Some(mgf), Some(digest)) = (transport.mgf_uri(), transport.digest()) {
        writer.empty("xenc11:MGF", &[("xmlns:xenc11", NS_XENC11), ("Algorithm", mgf)]);
        writer.empty("ds:DigestMethod", &[("Algorithm", digest.uri())]);
    }
    writer.end();
}

fn reference(writer: &mut XmlWriter, content_id: &str) {
    writer.open("xenc:CipherData").start("xenc:CipherReference", &[("URI", format!("cid:{content_id}"))]);
    writer
        .open("xenc:Transforms")
        .empty("ds:Transform", &[("Algorithm", TRANSFORM_BASE64)])
        .end()
        .end()
        .end();
}
