//! Attachments on their way into the store.

use std::collections::HashSet;
use std::fmt::Display;

use super::digests::MultiHasher;
use super::{AttachmentRef, PartStore};
use crate::algorithm::DigestAlgorithm;
use crate::feedback::{FeedbackCode, Refused};
use crate::mime::PartHeaders;
use crate::signature::PartDigests;

pub(super) struct Parts<P: PartStore> {
    store: P,
    algorithms: Vec<DigestAlgorithm>,
    ids: HashSet<String>,
    done: Vec<AttachmentRef<P::Handle>>,
    current: Option<Current>,
}

struct Current {
    content_id: String,
    media_type: String,
    bytes: u64,
    hasher: MultiHasher,
}

impl<P: PartStore> Parts<P> {
    pub(super) fn new(store: P, algorithms: Vec<DigestAlgorithm>) -> Self {
        Self { store, algorithms, ids: HashSet::new(), done: Vec::new(), current: None }
    }

    pub(super) fn begin(&mut self, headers: &PartHeaders) -> Result<(), Refused> {
        let invalid = |what: &str| Refused::new(FeedbackCode::S9100, what);
        let content_id =
            headers.content_id.clone().ok_or_else(|| invalid("an attachment has no Content-ID"))?;
        if !self.ids.insert(content_id.clone()) {
            return Err(invalid("two attachments with one Content-ID"));
        }
        self.store.begin(headers).map_err(failed)?;
        let hasher = MultiHasher::new(&self.algorithms);
        self.current =
            Some(Current { content_id, media_type: headers.content_type.clone(), bytes: 0, hasher });
        Ok(())
    }

    pub(super) fn data(&mut self, octets: &[u8]) -> Result<(), Refused> {
        if let Some(current) = &mut self.current {
            current.bytes += octets.len() as u64;
            current.hasher.update(octets);
            self.store.write(octets).map_err(failed)?;
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), Refused> {
        if let Some(Current { content_id, media_type, bytes, hasher }) = self.current.take() {
            let handle = self.store.end().map_err(failed)?;
            let digests = PartDigests { content_id: content_id.clone(), digests: hasher.finish() };
            self.done.push(AttachmentRef { content_id, media_type, bytes, digests, handle });
        }
        Ok(())
    }

    pub(super) fn finish(self) -> (P, Vec<AttachmentRef<P::Handle>>) {
        (self.store, self.done)
    }
}

fn failed(error: impl Display) -> Refused {
    Refused::new(FeedbackCode::S9000, format!("the store cannot take an attachment: {error}"))
}
