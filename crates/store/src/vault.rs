//! Keys: one per message, wrapped by the master key.

// Filled by the implementation: AES-256-GCM wrapping, chunked encryption of payloads.

/// Hauptschlüssel, 256 bits.
pub struct MasterKey;
/// Key of one message, 256 bits.
pub struct MessageKey;
/// A message key encrypted with the master key.
#[derive(Debug, Clone)]
pub struct WrappedKey(pub Vec<u8>);
