//! Two connections with the same key at the same time: the second waits for the first (invariant I8).

use std::{collections::HashMap, sync::Arc};

use dds_message::SourceId;
use parking_lot::Mutex;
use tokio::sync::watch;

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
