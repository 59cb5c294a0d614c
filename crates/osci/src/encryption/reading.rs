//! `xenc:EncryptedData` as data.

use zeroize::Zeroizing;

use crate::algorithm::{CryptoPolicy, DataAlgorithm, IvLength, KeyTransport};
use crate::certificate::Certificate;
use crate::feedback::{FeedbackCode, Refused};
use crate::signature::certificate_in;
use crate::xml::{NS_DS, NS_OSCI128, NS_XENC, NS_XENC11, Node, base64_of, elements, is, text_of};

/// One `xenc:EncryptedData`.
#[derive(Debug, Clone)]
pub struct EncryptedData {
    /// Its Id, when it has one.
    pub id: Option<String>,
    /// How the data is encrypted, and the length of the IV; or why we do not decrypt that, which concerns its readers
    /// only.
    pub method: Result<(DataAlgorithm, IvLength), Refused>,
    /// Keys, one for each reader. Several in one KeyInfo are against the schema and real (facts 11).
    pub keys: Vec<EncryptedKey>,
    /// `ds:MgmtData`: the key itself, for encrypted attachments inside an encrypted container.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// Where the octets are.
    pub source: CipherSource,
}

/// One `xenc:EncryptedKey`.
#[derive(Debug, Clone)]
pub struct EncryptedKey {
    /// How the key is wrapped, or why we do not unwrap that.
    pub transport: Result<KeyTransport, Refused>,
    /// For whom.
    pub recipient: KeyRecipient,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
}

/// How an EncryptedKey names its recipient.
#[derive(Debug, Clone)]
pub enum KeyRecipient {
    /// The certificate itself: transport encryption.
    Certificate(Certificate),
    /// Id of a certificate element of the envelope: content.
    Element(String),
}

/// Where the encrypted octets are.
#[derive(Debug, Clone)]
pub enum CipherSource {
    /// `CipherValue`, decoded.
    Value(Vec<u8>),
    /// `CipherReference URI="cid:…"`: the attachment of that Content-ID.
    Attachment(String),
}

/// Reads one `xenc:EncryptedData` strictly: EncryptionMethod, KeyInfo, CipherData, nothing else.
///
/// # Errors
/// 9100 for another structure (`KeySize`, `EncryptionProperties`, …). Algorithms that are unknown or that the policy
/// refuses, and IV lengths other than 12 and 16 (Korrigendum 6; facts 7), are 9202 at the place where they stand.
pub fn read(node: Node<'_>, policy: &CryptoPolicy) -> Result<EncryptedData, Refused> {
    let mut parts = elements(node);
    let method = parts
        .next()
        .filter(|part| is(*part, NS_XENC, "EncryptionMethod"))
        .ok_or_else(|| structure("EncryptionMethod"))?;
    let info = parts.next().filter(|part| is(*part, NS_DS, "KeyInfo")).ok_or_else(|| structure("KeyInfo"))?;
    let data = parts
        .next()
        .filter(|part| is(*part, NS_XENC, "CipherData"))
        .ok_or_else(|| structure("CipherData"))?;
    if !is(node, NS_XENC, "EncryptedData") || parts.next().is_some() {
        return Err(structure("EncryptedData"));
    }
    let method = data_method(method, policy)?;
    let (mut keys, mut key) = (Vec::new(), None);
    for part in elements(info) {
        if is(part, NS_XENC, "EncryptedKey") {
            keys.push(encrypted_key(part, policy)?);
        } else if is(part, NS_DS, "MgmtData") && key.is_none() {
            key = Some(Zeroizing::new(decoded(part, "MgmtData")?));
        } else {
            return Err(structure("KeyInfo"));
        }
    }
    if keys.is_empty() == key.is_none() {
        return Err(structure("KeyInfo"));
    }
    let source = cipher_data(data)?;
    Ok(EncryptedData { id: node.attribute("Id").map(str::to_owned), method, keys, key, source })
}

fn structure(what: &str) -> Refused {
    Refused::new(FeedbackCode::S9100, format!("EncryptedData has not the structure of OSCI ({what})"))
}

fn algorithm_refused(what: &str) -> Refused {
    Refused::new(FeedbackCode::S9202, format!("encryption algorithm unknown or not allowed ({what})"))
}

/// `Err`: the structure is not OSCI's.
fn data_method(
    method: Node<'_>,
    policy: &CryptoPolicy,
) -> Result<Result<(DataAlgorithm, IvLength), Refused>, Refused> {
    let uri = method.attribute("Algorithm").unwrap_or_default();
    let Some(algorithm) = DataAlgorithm::from_uri(uri).filter(|known| policy.accepts_data(*known)) else {
        // What is not known may have parts that are not known.
        return Ok(Err(algorithm_refused(uri)));
    };
    let mut parts = elements(method);
    let announced = parts.next();
    if parts.next().is_some() || announced.is_some_and(|part| !is(part, NS_OSCI128, "IvLength")) {
        return Err(structure("EncryptionMethod"));
    }
    let value = announced.map(|part| part.attribute("Value").unwrap_or_default());
    let iv = IvLength::from_element(value).ok_or_else(|| algorithm_refused("IvLength"));
    Ok(iv.map(|iv| (algorithm, iv)))
}

fn encrypted_key(node: Node<'_>, policy: &CryptoPolicy) -> Result<EncryptedKey, Refused> {
    let mut parts = elements(node);
    let method = parts
        .next()
        .filter(|part| is(*part, NS_XENC, "EncryptionMethod"))
        .ok_or_else(|| structure("EncryptedKey"))?;
    let info = parts
        .next()
        .filter(|part| is(*part, NS_DS, "KeyInfo"))
        .ok_or_else(|| structure("EncryptedKey/KeyInfo"))?;
    let data = parts
        .next()
        .filter(|part| is(*part, NS_XENC, "CipherData"))
        .ok_or_else(|| structure("EncryptedKey/CipherData"))?;
    if parts.next().is_some() {
        return Err(structure("EncryptedKey"));
    }
    let transport = key_method(method, policy);
    let mut names = elements(info);
    let name = names.next().ok_or_else(|| structure("EncryptedKey/KeyInfo"))?;
    if names.next().is_some() {
        return Err(structure("EncryptedKey/KeyInfo"));
    }
    let recipient = if is(name, NS_DS, "RetrievalMethod") {
        let id = name
            .attribute("URI")
            .and_then(|uri| uri.strip_prefix('#'))
            .ok_or_else(|| structure("RetrievalMethod"))?;
        KeyRecipient::Element(id.to_owned())
    } else if is(name, NS_DS, "X509Data") {
        KeyRecipient::Certificate(certificate_in(info).ok_or_else(|| structure("X509Data"))?)
    } else {
        return Err(structure("EncryptedKey/KeyInfo"));
    };
    match cipher_data(data)? {
        CipherSource::Value(wrapped) => Ok(EncryptedKey { transport, recipient, wrapped }),
        CipherSource::Attachment(_) => Err(structure("EncryptedKey/CipherReference")),
    }
}

fn key_method(method: Node<'_>, policy: &CryptoPolicy) -> Result<KeyTransport, Refused> {
    let uri = method.attribute("Algorithm").unwrap_or_default();
    let (mut mgf, mut digest) = (None, None);
    for part in elements(method) {
        // Both orders are read; OAEPparams, a second one or anything else is refused (facts 7).
        let place = if is(part, NS_XENC11, "MGF") {
            &mut mgf
        } else if is(part, NS_DS, "DigestMethod") {
            &mut digest
        } else {
            return Err(algorithm_refused(uri));
        };
        if place.replace(part.attribute("Algorithm").unwrap_or_default()).is_some() {
            return Err(algorithm_refused(uri));
        }
    }
    KeyTransport::from_uris(uri, mgf, digest)
        .filter(|known| policy.accepts_transport(*known))
        .ok_or_else(|| algorithm_refused(uri))
}

fn cipher_data(data: Node<'_>) -> Result<CipherSource, Refused> {
    let mut parts = elements(data);
    let only = parts.next().filter(|_| parts.next().is_none()).ok_or_else(|| structure("CipherData"))?;
    if is(only, NS_XENC, "CipherValue") {
        return Ok(CipherSource::Value(decoded(only, "CipherValue")?));
    }
    if !is(only, NS_XENC, "CipherReference") {
        return Err(structure("CipherData"));
    }
    // `Transforms/Transform base64` is ceremonial: the MIME headers say whether the part is Base64 (facts 7).
    let id = only.attribute("URI").and_then(|uri| uri.strip_prefix("cid:")).filter(|id| !id.is_empty());
    let transforms_known = elements(only).all(|part| {
        is(part, NS_XENC, "Transforms")
            && elements(part).all(|step| step.attribute("Algorithm") == Some(crate::xml::TRANSFORM_BASE64))
    });
    match id {
        Some(id) if transforms_known => Ok(CipherSource::Attachment(id.to_owned())),
        _ => Err(structure("CipherReference")),
    }
}

fn decoded(node: Node<'_>, what: &str) -> Result<Vec<u8>, Refused> {
    text_of(node).and_then(|text| base64_of(&text)).ok_or_else(|| structure(what))
}
