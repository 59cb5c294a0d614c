//! Content data (Inhaltsdaten, facts 11): opening what a message carries, and building it.
//!
//! Containers nest and are encrypted in layers; attachments may be encrypted with a key that lies in a container.
//! [`open`] goes as deep as our keys reach. It never reads past a signature: the verdict on each author's signature
//! stands beside the container it covers.

mod attachment;
mod draft;
mod opening;
mod tree;

pub use attachment::{AttachmentCipher, AttachmentEncryption, AttachmentReader};
pub use draft::{Author, ContainerDraft, encrypt_container, package};
pub use opening::open;
pub use tree::{
    AttachmentPart, Container, Content, ContentBody, ContentItem, EncryptedContent, Layer, LayerState,
};
