//! Eigener Intermediär: what both directions know of the intermediary of this process.

use std::sync::Arc;

use dds_osci::{client::Client, intermediary::Intermediary};
use parking_lot::RwLock;
use tokio::sync::Notify;

/// The intermediary of this process: the rules in force, and who waits for what is stored. Orders from outside are
/// executed by `dds-inbound`; the sender of `dds-outbound` puts its deliveries into the same mailboxes without an
/// order. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OwnIntermediary {
    rules: Arc<RwLock<Arc<Intermediary>>>,
    wake: Arc<Notify>,
}

impl OwnIntermediary {
    /// An intermediary with these rules; `wake` is what the collector of our own mailboxes waits for.
    #[must_use]
    pub fn new(rules: Intermediary, wake: Arc<Notify>) -> Self {
        Self { rules: Arc::new(RwLock::new(Arc::new(rules))), wake }
    }

    /// The rules in force. Whoever takes them goes on with them to the end of what he does.
    #[must_use]
    pub fn rules(&self) -> Arc<Intermediary> {
        Arc::clone(&self.rules.read())
    }

    /// Puts other rules into force, for example with newer revocation lists.
    pub fn replace(&self, rules: Intermediary) {
        *self.rules.write() = Arc::new(rules);
    }

    /// Whether a client means this intermediary: it has pinned both of its certificates.
    #[must_use]
    pub fn is_meant_by(&self, client: &Client) -> bool {
        let rules = self.rules();
        client.intermediary_cipher.as_ref() == Some(&rules.cipher)
            && client.intermediary_signature.as_ref() == Some(&rules.signature)
    }

    /// Something was stored: the collector looks whether it is for us.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}
