//! Cipher keys that an identity had before.

use std::{collections::HashMap, sync::Arc};

use dds_courier::Identity;
use dds_osci::{intermediary::Fingerprint, keys::Decrypter};

/// Frühere Schlüssel: what is still encrypted for them is read, as long as they are kept.
#[derive(Clone, Default)]
pub struct FormerKeys(Arc<HashMap<Fingerprint, Vec<Arc<dyn Decrypter>>>>);

impl FormerKeys {
    /// Identities, and the keys that each had before.
    pub fn new(kept: impl IntoIterator<Item = (Identity, Vec<Arc<dyn Decrypter>>)>) -> Self {
        let mut keys: HashMap<Fingerprint, Vec<Arc<dyn Decrypter>>> = HashMap::new();
        for (identity, former) in kept {
            let present = identity.cipher_certificate().sha256_hex().to_owned();
            keys.entry(present).or_default().extend(former);
        }
        Self(Arc::new(keys))
    }

    /// Everything that decrypts for an identity, its present key first.
    pub(super) fn decrypters(&self, identity: &Identity) -> Vec<Arc<dyn Decrypter>> {
        let former = self.0.get(identity.cipher_certificate().sha256_hex());
        std::iter::once(&identity.cipher).chain(former.into_iter().flatten()).cloned().collect()
    }
}
