//! A key that is known: two connections with the same key at the same time, of which the second waits for the first
//! (invariant I8), and what comes again under a key that was accepted.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dds_message::{Attachment, Digest, Digesting, Format, Problem, SourceId};
use dds_store::{Accepted, StoreError, imprint};
use futures::{StreamExt, stream::BoxStream};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    Acknowledgement, Intake,
    accept::{Answers, way},
};

type Key = (SourceId, String);

/// Keys being received right now.
#[derive(Debug, Clone, Default)]
pub(crate) struct InFlight {
    keys: Arc<Mutex<HashMap<Key, watch::Sender<()>>>>,
}

/// The right to receive under a key; others wait until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    keys: Arc<Mutex<HashMap<Key, watch::Sender<()>>>>,
    key: Key,
}

impl InFlight {
    /// Takes the key, waiting while another connection holds it.
    pub(crate) async fn take(&self, source: &SourceId, sender_key: &str) -> Turn {
        let key = (source.clone(), sender_key.to_owned());
        loop {
            let mut ended = {
                let mut keys = self.keys.lock();
                match keys.get(&key) {
                    Some(holder) => holder.subscribe(),
                    None => {
                        keys.insert(key.clone(), watch::Sender::new(()));
                        return Turn { keys: Arc::clone(&self.keys), key };
                    }
                }
            };
            // Ends with an error when the holder's sender is dropped: its turn is over, ask again.
            while ended.changed().await.is_ok() {}
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
    }
}

/// Reads what comes under a known key and keeps none of it.
pub(crate) struct Repetition {
    pub(crate) first: Accepted,
    /// What the sender is told if it is the same.
    pub(crate) told: Result<Acknowledgement, Problem>,
    pub(crate) answers: Answers,
    pub(crate) attachments: Vec<Attachment>,
}

#[async_trait]
impl Intake for Repetition {
    async fn attachment(
        &mut self,
        name: &str,
        media_type: &str,
        mut body: BoxStream<'_, Result<Bytes, Problem>>,
    ) -> Result<Attachment, Problem> {
        let mut digesting = Digesting::default();
        while let Some(piece) = body.next().await {
            digesting.update(&piece?);
        }
        let (digest, size) = digesting.finish();
        let attachment =
            Attachment { name: name.to_owned(), media_type: media_type.to_owned(), size, digest };
        self.attachments.push(attachment.clone());
        Ok(attachment)
    }

    async fn accept(self: Box<Self>, document: Bytes, _format: Format) -> Result<Acknowledgement, Problem> {
        let (direction, answers) = way(self.answers);
        let document = Digest::of(&document);
        let imprint = imprint(direction, answers, document, &self.attachments);
        if self.first.is(document, imprint) { self.told } else { Err(StoreError::KeyReused.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_waits_until_the_first_is_done() {
        let in_flight = InFlight::default();
        let source = SourceId::parse("amt24").unwrap();
        let first = in_flight.take(&source, "k").await;
        let second = tokio::spawn({
            let (in_flight, source) = (in_flight.clone(), source.clone());
            async move { in_flight.take(&source, "k").await }
        });
        let _other_key = in_flight.take(&source, "other").await;
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
    }
}
