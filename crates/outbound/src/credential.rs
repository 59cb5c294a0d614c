//! Secrets by reference.

use dds_delivery::Fault;
use dds_depot::SecretRef;
use dds_message::Code;
use zeroize::Zeroizing;

/// Geheimnisreferenz of a target. Looked up for every attempt, so that a secret that was missing or renewed takes
/// effect without a restart; the secret itself is in memory only while it is used. Its file is read on the thread that
/// asks: that takes less time than to hand it to another.
#[derive(Debug, Clone)]
pub(crate) struct Credential(pub(crate) SecretRef);

impl Credential {
    /// The secret; otherwise DDS-D010, which names the reference.
    pub(crate) fn read(&self) -> Result<Zeroizing<String>, Fault> {
        let found = match &self.0 {
            SecretRef::Env(name) => std::env::var(name).ok().map(Zeroizing::new),
            SecretRef::File(path) => std::fs::read_to_string(path).ok().map(Zeroizing::new),
        };
        found
            .map(|secret| Zeroizing::new(secret.trim().to_owned()))
            .filter(|secret| !secret.is_empty())
            .ok_or_else(|| {
                let text = (format!("{} ist nicht lesbar", self.0), format!("{} cannot be read", self.0));
                Fault { code: Code::SECRET_MISSING, detail: text.into() }
            })
    }
}
