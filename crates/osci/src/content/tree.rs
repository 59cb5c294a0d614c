//! What was found in a ContentPackage.

use std::collections::BTreeSet;

use super::AttachmentCipher;
use crate::algorithm::DigestAlgorithm;
use crate::certificate::Certificate;
use crate::feedback::Refused;
use crate::signature::{ContentSignature, PartDigests};
use crate::xml::Document;

/// Geöffnetes ContentPackage.
#[derive(Debug, Default)]
pub struct Content {
    /// Containers that are readable without decryption.
    pub containers: Vec<Container>,
    /// Encrypted containers, opened as far as our keys reach.
    pub encrypted: Vec<EncryptedContent>,
}

/// `osci:ContentContainer`.
#[derive(Debug)]
pub struct Container {
    /// Its Id; the library reads containers without.
    pub id: Option<String>,
    /// Its contents in order.
    pub contents: Vec<ContentItem>,
    /// Encrypted containers inside.
    pub encrypted: Vec<EncryptedContent>,
    /// One verdict for each author's signature over this container; empty: not signed.
    pub signatures: Vec<ContentSignature>,
}

/// `osci:Content`.
#[derive(Debug)]
pub struct ContentItem {
    /// Id of the Content or of its Base64Content.
    pub id: Option<String>,
    /// What it holds.
    pub body: ContentBody,
}

/// The three kinds of content.
#[derive(Debug)]
pub enum ContentBody {
    /// Octets inside the message, decoded.
    Inline(Vec<u8>),
    /// An attachment.
    Attachment(AttachmentPart),
    /// A container in the container, for example of another author.
    Container(Box<Container>),
}

/// An attachment as content.
#[derive(Debug, Clone)]
pub struct AttachmentPart {
    /// `Content-ID` of the MIME part.
    pub content_id: String,
    /// Present when the octets of the part are encrypted on content level.
    pub cipher: Option<AttachmentCipher>,
    /// Digests of the clear octets that signatures over the content wait for. An attachment that is not encrypted was
    /// digested when it came, by what its envelope names; signatures in encrypted containers may name others.
    pub digests: Vec<DigestAlgorithm>,
}

/// `xenc:EncryptedData` of a container.
#[derive(Debug)]
pub struct EncryptedContent {
    /// Its Id.
    pub id: Option<String>,
    /// For whom it is encrypted: Id of the certificate element in the envelope, and the certificate when it is there.
    pub readers: Vec<(String, Option<Certificate>)>,
    /// What became of it.
    pub state: LayerState,
}

/// State of an encrypted container.
#[derive(Debug)]
pub enum LayerState {
    /// Encrypted for others.
    Closed,
    /// Decrypted.
    Opened(Box<Layer>),
    /// For us, but broken: 9202, or 9100 when the plaintext is no container.
    Failed(Refused),
}

/// A decrypted layer.
#[derive(Debug)]
pub struct Layer {
    /// The plaintext; evidence for signatures.
    pub document: Document,
    /// The container that it is.
    pub container: Container,
    /// Content-IDs of the encrypted attachments whose keys stand in the plaintext: who signs the layer signs the keys.
    pub keys: BTreeSet<String>,
}

impl Content {
    /// Every container that can be read, outer ones first.
    #[must_use]
    pub fn all_containers(&self) -> Vec<&Container> {
        let mut found = Vec::new();
        self.containers.iter().for_each(|container| container.collect(&mut found));
        self.encrypted.iter().for_each(|encrypted| encrypted.collect(&mut found));
        found
    }

    /// Every encrypted container, opened or not.
    #[must_use]
    pub fn all_encrypted(&self) -> Vec<&EncryptedContent> {
        let inside = self.all_containers().into_iter().flat_map(|container| &container.encrypted);
        self.encrypted.iter().chain(inside).collect()
    }

    /// Every attachment that a readable container refers to.
    #[must_use]
    pub fn attachments(&self) -> Vec<&AttachmentPart> {
        let items = self.all_containers().into_iter().flat_map(|container| &container.contents);
        items
            .filter_map(|item| if let ContentBody::Attachment(part) = &item.body { Some(part) } else { None })
            .collect()
    }

    /// Settles the signatures that wait for the clear octets of an attachment; see
    /// [`AttachmentReader`](super::AttachmentReader).
    pub fn settle(&mut self, plaintext: &PartDigests) {
        self.each_signature(&mut |signature| signature.settle(plaintext));
    }

    /// Settles the signatures over an encrypted attachment whose plaintext cannot be had, because it was altered.
    pub fn settle_broken(&mut self, content_id: &str) {
        self.each_signature(&mut |signature| signature.settle_broken(content_id));
    }

    fn each_signature(&mut self, settle: &mut dyn FnMut(&mut ContentSignature)) {
        self.containers.iter_mut().for_each(|container| container.each_signature(settle));
        self.encrypted.iter_mut().for_each(|encrypted| encrypted.each_signature(settle));
    }
}

impl Container {
    fn collect<'a>(&'a self, found: &mut Vec<&'a Self>) {
        found.push(self);
        for item in &self.contents {
            if let ContentBody::Container(inner) = &item.body {
                inner.collect(found);
            }
        }
        self.encrypted.iter().for_each(|encrypted| encrypted.collect(found));
    }

    fn each_signature(&mut self, settle: &mut dyn FnMut(&mut ContentSignature)) {
        self.signatures.iter_mut().for_each(&mut *settle);
        for item in &mut self.contents {
            if let ContentBody::Container(inner) = &mut item.body {
                inner.each_signature(settle);
            }
        }
        self.encrypted.iter_mut().for_each(|encrypted| encrypted.each_signature(settle));
    }
}

impl EncryptedContent {
    fn collect<'a>(&'a self, found: &mut Vec<&'a Container>) {
        if let LayerState::Opened(layer) = &self.state {
            layer.container.collect(found);
        }
    }

    fn each_signature(&mut self, settle: &mut dyn FnMut(&mut ContentSignature)) {
        if let LayerState::Opened(layer) = &mut self.state {
            layer.container.each_signature(settle);
        }
    }
}
