//! Where attachments go while they stream in.

use crate::mime::PartHeaders;

/// Ablage für Anlagen: takes attachments one after the other. The crate does no I/O; implementations write to the blob
/// store.
///
/// Whatever was written may turn out to be forged (transport encryption is authenticated at the very end): it becomes
/// final only when [`Intake::finish`](super::Intake::finish) returns the store.
pub trait PartStore {
    /// What names a stored attachment.
    type Handle: Clone + std::fmt::Debug;
    /// Why the store could not take something; becomes feedback 9000, so keep details for yourself and the log.
    type Error: std::fmt::Display;

    /// The next attachment begins.
    ///
    /// # Errors
    /// When the store cannot take it.
    fn begin(&mut self, headers: &PartHeaders) -> Result<(), Self::Error>;

    /// Its next octets.
    ///
    /// # Errors
    /// When the store cannot take them.
    fn write(&mut self, octets: &[u8]) -> Result<(), Self::Error>;

    /// It is complete.
    ///
    /// # Errors
    /// When the store cannot keep it.
    fn end(&mut self) -> Result<Self::Handle, Self::Error>;
}

/// Attachments in memory, for tests and small tools. The handle is the index in [`Self::parts`].
#[derive(Debug, Default)]
pub struct MemoryStore {
    /// Octets of the attachments in the order of the message.
    pub parts: Vec<Vec<u8>>,
}

impl PartStore for MemoryStore {
    type Handle = usize;
    type Error = std::convert::Infallible;

    fn begin(&mut self, _: &PartHeaders) -> Result<(), Self::Error> {
        self.parts.push(Vec::new());
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Self::Error> {
        if let Some(part) = self.parts.last_mut() {
            part.extend_from_slice(octets);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<usize, Self::Error> {
        Ok(self.parts.len().saturating_sub(1))
    }
}
