//! Ids of the blocks we write, beside Ids that others chose.

use std::collections::HashSet;

use crate::xml::Document;

/// The Ids that relayed content, custom headers and certificates bring along. They must stay, because signatures point
/// to them; ours give way. Otherwise a sender could name a container `controlblock`, and the message that hands the
/// delivery out would have the same Id twice: nobody could read it, and it would block the mailbox.
#[derive(Default)]
pub(super) struct Ids {
    documents: Vec<Document>,
    names: HashSet<String>,
}

impl Ids {
    pub(super) fn add_document(&mut self, document: Document) {
        self.documents.push(document);
    }

    pub(super) fn add_name(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    /// The usual Id, or the next one that is free.
    pub(super) fn free(&self, usual: &str) -> String {
        let taken = |id: &str| {
            self.names.contains(id) || self.documents.iter().any(|document| document.by_id(id).is_some())
        };
        let mut id = usual.to_owned();
        while taken(&id) {
            id.push('_');
        }
        id
    }
}
