//! Opening a ContentPackage as far as our keys reach.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AttachmentCipher, AttachmentPart, Container, Content, ContentBody, ContentItem, EncryptedContent, Layer,
    LayerState,
};
use crate::algorithm::DigestAlgorithm;
use crate::certificate::Certificate;
use crate::cipher::Decryption;
use crate::encryption::{self, CipherSource, EncryptedData, KeyRecipient, failure};
use crate::feedback::{FeedbackCode, Refused};
use crate::intake::IntakeConfig;
use crate::keys::{Decrypter, unwrap_or_random};
use crate::random::Random;
use crate::signature::{PartDigests, certificate_element, certificate_in, verify_content};
use crate::xml::{
    Document, NS_DS, NS_OSCI, NS_XENC, Node, base64_of, child, children, elements, is, text_of,
};

/// Cipher certificate headers of those who may read content (facts 10).
const READERS: [&str; 4] = [
    "CipherCertificateAddressee",
    "CipherCertificateOtherReader",
    "CipherCertificateOriginator",
    "CipherCertificateOtherAuthor",
];

/// Containers inside containers and layers inside layers.
const DEPTH: usize = 16;
/// Encrypted containers we try to open in one message: each costs an operation with the private key.
const LAYERS: usize = 64;
/// Author signatures we verify in one message.
const SIGNATURES: usize = 512;

/// Opens the content of a message: reads containers, decrypts those for our keys, verifies the authors' signatures, and
/// finds the keys of encrypted attachments. A message without content gives an empty [`Content`].
///
/// # Errors
/// 9100 for content of another structure, for a reference to an attachment that is missing, and beyond the bounds. A
/// layer that is broken is no error of the whole: see [`LayerState::Failed`].
pub fn open(
    envelope: &Document,
    attachments: &[PartDigests],
    decrypters: &[&dyn Decrypter],
    config: &IntakeConfig,
    random: &mut dyn Random,
) -> Result<Content, Refused> {
    let mut opening = Opening {
        envelope,
        attachments,
        decrypters,
        config,
        random,
        keys: BTreeMap::new(),
        digests: vec![DigestAlgorithm::Sha256],
        unopened: false,
        layers: 0,
        signatures: 0,
    };
    let Some(package) = envelope.body().and_then(|body| child(body, NS_OSCI, "ContentPackage")) else {
        return Ok(Content::default());
    };
    opening.enter(package)?;
    let mut content = Content::default();
    for node in elements(package) {
        if is(node, NS_OSCI, "ContentContainer") {
            content.containers.push(opening.container(envelope, node, 0)?);
        } else if is(node, NS_XENC, "EncryptedData") {
            let data = encryption::read(node, &config.policy)?;
            content.encrypted.push(opening.encrypted(data, 0)?);
        } else {
            return Err(invalid("ContentPackage"));
        }
    }
    // What is closed to us may refer to it.
    if !opening.unopened && opening.keys.values().any(|key| !key.used) {
        return Err(invalid("the key of an attachment that no Content refers to"));
    }
    Ok(content)
}

fn invalid(what: &str) -> Refused {
    Refused::new(FeedbackCode::S9100, format!("content has not the structure of OSCI ({what})"))
}

struct Opening<'a> {
    envelope: &'a Document,
    attachments: &'a [PartDigests],
    decrypters: &'a [&'a dyn Decrypter],
    config: &'a IntakeConfig,
    random: &'a mut dyn Random,
    /// Keys of encrypted attachments by Content-ID. They hold for the whole message: the library puts them into the
    /// outermost container of a layer, and again into each layer around it, wherever the Content stands (facts 11).
    keys: BTreeMap<String, AttachmentKey>,
    /// Digest algorithms that any signature over content names so far, and SHA-256.
    digests: Vec<DigestAlgorithm>,
    /// There is a layer into which we do not see.
    unopened: bool,
    layers: usize,
    signatures: usize,
}

struct AttachmentKey {
    cipher: AttachmentCipher,
    used: bool,
}

impl Opening<'_> {
    /// Takes note of the keys and digest algorithms in a ContentPackage or in the plaintext of a layer. Returns the
    /// Content-IDs of the attachments whose keys these are.
    fn enter(&mut self, root: Node<'_>) -> Result<BTreeSet<String>, Refused> {
        let mut found = BTreeSet::new();
        for node in root.descendants().filter(|node| holds_attachment_key(*node)) {
            let Ok(data) = encryption::read(node, &self.config.policy) else { continue };
            let Some((content_id, cipher)) = attachment_cipher(&data) else { continue };
            found.insert(content_id.clone());
            let known =
                self.keys.entry(content_id).or_insert(AttachmentKey { cipher: cipher.clone(), used: false });
            if !known.cipher.is_same_key(&cipher) {
                return Err(invalid("two keys for one attachment"));
            }
            if self.keys.len() > self.attachments.len() {
                return Err(invalid("more keys than attachments"));
            }
        }
        let methods = root.descendants().filter(|node| is(*node, NS_DS, "DigestMethod"));
        for algorithm in methods.filter_map(|node| DigestAlgorithm::from_uri(node.attribute("Algorithm")?)) {
            if !self.digests.contains(&algorithm) {
                self.digests.push(algorithm);
            }
        }
        Ok(found)
    }

    fn container(&mut self, document: &Document, node: Node<'_>, depth: usize) -> Result<Container, Refused> {
        if depth >= DEPTH {
            return Err(invalid("nested too deeply"));
        }
        let (mut contents, mut encrypted) = (Vec::new(), Vec::new());
        for part in elements(node) {
            if is(part, NS_OSCI, "Content") {
                contents.push(self.item(document, part, depth)?);
            } else if is(part, NS_XENC, "EncryptedData") {
                let data = encryption::read(part, &self.config.policy)?;
                if attachment_cipher(&data).is_none() {
                    encrypted.push(self.encrypted(data, depth + 1)?);
                }
            } else if !is(part, NS_DS, "Signature") {
                return Err(invalid("ContentContainer"));
            }
        }
        self.signatures += children(node, NS_DS, "Signature").count();
        if self.signatures > SIGNATURES {
            return Err(invalid("too many signatures"));
        }
        let signatures = verify_content(
            document,
            node.id(),
            self.envelope,
            self.attachments,
            &|content_id| self.keys.contains_key(content_id),
            &self.config.policy,
        );
        Ok(Container { id: node.attribute("Id").map(str::to_owned), contents, encrypted, signatures })
    }

    fn item(&mut self, document: &Document, node: Node<'_>, depth: usize) -> Result<ContentItem, Refused> {
        let mut inside = elements(node);
        let (first, second) = (inside.next(), inside.next());
        if second.is_some() {
            return Err(invalid("Content"));
        }
        let id = node.attribute("Id").map(str::to_owned);
        match (first, node.attribute("href")) {
            (None, Some(href)) => {
                let content_id = href.strip_prefix("cid:").ok_or_else(|| invalid("href"))?;
                let known = self
                    .attachments
                    .iter()
                    .find(|part| part.content_id == content_id)
                    .ok_or_else(|| Refused::new(FeedbackCode::S9100, "an attachment is missing"))?;
                let cipher = self.keys.get_mut(content_id).map(|key| {
                    key.used = true;
                    key.cipher.clone()
                });
                let mut digests = self.digests.clone();
                if cipher.is_none() {
                    digests.retain(|algorithm| known.get(*algorithm).is_none());
                }
                let part = AttachmentPart { content_id: content_id.to_owned(), cipher, digests };
                Ok(ContentItem { id, body: ContentBody::Attachment(part) })
            }
            (Some(inner), None) if is(inner, NS_OSCI, "Base64Content") => {
                let octets = text_of(inner)
                    .and_then(|text| base64_of(&text))
                    .ok_or_else(|| invalid("Base64Content"))?;
                Ok(ContentItem {
                    id: inner.attribute("Id").map(str::to_owned).or(id),
                    body: ContentBody::Inline(octets),
                })
            }
            (Some(inner), None) if is(inner, NS_OSCI, "ContentContainer") => {
                let container = self.container(document, inner, depth + 1)?;
                Ok(ContentItem { id, body: ContentBody::Container(Box::new(container)) })
            }
            _ => Err(invalid("Content")),
        }
    }

    fn encrypted(&mut self, data: EncryptedData, depth: usize) -> Result<EncryptedContent, Refused> {
        let mut readers = Vec::with_capacity(data.keys.len());
        for key in &data.keys {
            readers.push(self.reader(&key.recipient)?);
        }
        let state = match &data.method {
            // The key of an attachment stands in a container that we read: it is for us.
            Err(refused) if data.key.is_some() => LayerState::Failed(refused.clone()),
            _ => self.layer(&data, &readers, depth)?,
        };
        self.unopened |= !matches!(state, LayerState::Opened(_));
        Ok(EncryptedContent { id: data.id, readers, state })
    }

    /// The certificate element an EncryptedKey names; X509Data and unknown Ids are 9100 (facts 11).
    fn reader(&self, recipient: &KeyRecipient) -> Result<(String, Option<Certificate>), Refused> {
        let KeyRecipient::Element(id) = recipient else {
            return Err(invalid("X509Data in an EncryptedKey of content"));
        };
        let element = certificate_element(self.envelope, id, &READERS)
            .ok_or_else(|| invalid("RetrievalMethod names no reader"))?;
        Ok((id.clone(), certificate_in(element)))
    }

    fn layer(
        &mut self,
        data: &EncryptedData,
        readers: &[(String, Option<Certificate>)],
        depth: usize,
    ) -> Result<LayerState, Refused> {
        let ours = data.keys.iter().zip(readers).filter_map(|(key, (_, certificate))| {
            let certificate = certificate.as_ref()?;
            let decrypter =
                self.decrypters.iter().find(|decrypter| decrypter.certificate() == certificate)?;
            Some((*decrypter, key))
        });
        // Algorithms we refuse concern only those who would read this part.
        let Some((decrypter, key)) = ours.min_by_key(|(_, key)| key.transport.is_err()) else {
            return Ok(LayerState::Closed);
        };
        let (algorithm, iv, transport) = match (&data.method, &key.transport) {
            (Ok((algorithm, iv)), Ok(transport)) => (*algorithm, *iv, *transport),
            (Err(refused), _) | (_, Err(refused)) => return Ok(LayerState::Failed(refused.clone())),
        };
        let CipherSource::Value(octets) = &data.source else {
            return Err(invalid("an encrypted container in an attachment"));
        };
        self.layers += 1;
        if self.layers > LAYERS || depth >= DEPTH {
            return Err(invalid("too many encrypted layers"));
        }
        let session = match unwrap_or_random(decrypter, transport, &key.wrapped, algorithm, self.random) {
            Ok(session) => session,
            Err(lost) => return Ok(LayerState::Failed(lost.into())),
        };
        let mut plaintext = Vec::with_capacity(octets.len());
        let decrypted = Decryption::new(algorithm, iv, &session).and_then(|mut decryption| {
            decryption.update(octets, &mut plaintext);
            decryption.finish(&mut plaintext)
        });
        if decrypted.is_err() {
            return Ok(LayerState::Failed(failure()));
        }
        Ok(match self.plaintext(plaintext, depth) {
            Ok(layer) => LayerState::Opened(Box::new(layer)),
            Err(refused) if algorithm.is_authenticated() => LayerState::Failed(refused),
            Err(_) => LayerState::Failed(failure()),
        })
    }

    /// Plaintext is one ContentContainer element with its declarations; its Ids are a world of their own, certificates
    /// stay those of the envelope.
    fn plaintext(&mut self, plaintext: Vec<u8>, depth: usize) -> Result<Layer, Refused> {
        let document =
            Document::parse(plaintext, &self.config.xml).map_err(|error| invalid(&error.to_string()))?;
        let root = document.root();
        if !is(root, NS_OSCI, "ContentContainer") {
            return Err(invalid("the plaintext is no ContentContainer"));
        }
        let keys = self.enter(root)?;
        let container = self.container(&document, root, depth + 1)?;
        Ok(Layer { document, container, keys })
    }
}

fn holds_attachment_key(node: Node<'_>) -> bool {
    let key = |info| child(info, NS_DS, "MgmtData").is_some();
    is(node, NS_XENC, "EncryptedData") && child(node, NS_DS, "KeyInfo").is_some_and(key)
}

/// EncryptedData with the key in MgmtData describes an encrypted attachment.
fn attachment_cipher(data: &EncryptedData) -> Option<(String, AttachmentCipher)> {
    match data {
        EncryptedData {
            key: Some(key),
            source: CipherSource::Attachment(content_id),
            method: Ok((algorithm, iv)),
            ..
        } => {
            let cipher = AttachmentCipher { data: *algorithm, iv: *iv, key: key.clone() };
            Some((content_id.clone(), cipher))
        }
        _ => None,
    }
}
