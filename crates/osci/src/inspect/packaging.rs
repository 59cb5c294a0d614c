//! The MIME packaging by itself, for messages whose reading was refused.

use crate::algorithm::DigestAlgorithm;
use crate::intake::MultiHasher;
use crate::mime::{MimeError, MimeLimits, MimeReader, PartHeaders, PartSink, ReadError};
use crate::signature::PartDigests;

/// A message taken apart: the root part, and digests of the others.
#[derive(Default)]
pub(super) struct Packaging {
    /// Root part.
    pub(super) root: Vec<u8>,
    /// The other parts, with a digest by every algorithm there is: which ones the envelope names is not known yet.
    pub(super) parts: Vec<PartDigests>,
    current: Option<(String, MultiHasher)>,
}

impl Packaging {
    /// Takes a message apart, whatever its parts hold.
    pub(super) fn read(octets: &[u8], limits: MimeLimits) -> Result<Self, MimeError> {
        let mut packaging = Self::default();
        let mut reader = MimeReader::new(limits);
        let read = reader.push(octets, &mut packaging).and_then(|()| reader.finish(&mut packaging));
        match read {
            Ok(()) => Ok(packaging),
            Err(ReadError::Mime(error)) => Err(error),
            Err(ReadError::Sink(never)) => match never {},
        }
    }
}

impl PartSink for Packaging {
    type Error = std::convert::Infallible;

    fn begin(&mut self, index: usize, headers: &PartHeaders) -> Result<(), Self::Error> {
        let id = headers.content_id.clone().unwrap_or_default();
        self.current = (index > 0).then(|| (id, MultiHasher::new(DigestAlgorithm::ALL)));
        Ok(())
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Self::Error> {
        match &mut self.current {
            Some((_, hasher)) => hasher.update(octets),
            None => self.root.extend_from_slice(octets),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Self::Error> {
        if let Some((content_id, hasher)) = self.current.take() {
            self.parts.push(PartDigests { content_id, digests: hasher.finish() });
        }
        Ok(())
    }
}
