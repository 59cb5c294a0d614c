//! How much memory the envelopes of all messages that are being received may hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::feedback::{FeedbackCode, Refused};

/// Octets of one envelope that always have room: an order without inline content has some 20 KB.
const FREE: usize = 128 * 1024;

/// Speicher für Umschläge: shared by all messages that are read with a configuration. Cheap to clone.
///
/// Attachments go to a store, envelopes stand in memory until the message is done with; whoever sends many long ones at
/// the same time, and slowly, would fill it.
#[derive(Debug, Clone)]
pub struct EnvelopeMemory(Arc<AtomicUsize>);

impl EnvelopeMemory {
    /// Room for so many octets, small envelopes not counted.
    #[must_use]
    pub fn new(octets: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(octets)))
    }

    pub(super) fn begin(&self) -> Held {
        Held { memory: self.clone(), octets: 0 }
    }
}

impl Default for EnvelopeMemory {
    /// 96 MiB: three of the longest.
    fn default() -> Self {
        Self::new(96 << 20)
    }
}

/// What one message holds; given back when dropped.
#[derive(Debug)]
pub(super) struct Held {
    memory: EnvelopeMemory,
    octets: usize,
}

impl Held {
    /// Room for an envelope of this length.
    ///
    /// # Errors
    /// 9000: there is none now, the sender may try again.
    pub(super) fn grow(&mut self, length: usize) -> Result<(), Refused> {
        let more = length.saturating_sub(FREE).saturating_sub(self.octets);
        let free = &self.memory.0;
        let taken = free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(more));
        taken.map_err(|_| {
            Refused::new(FeedbackCode::S9000, "the envelopes being received fill their memory")
        })?;
        self.octets += more;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.fetch_add(self.octets, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{Intake, IntakeConfig, MemoryStore};
    use crate::outgoing::{Outgoing, message_bytes};
    use crate::random::SystemRandom;

    #[test]
    fn what_is_held_is_given_back() {
        let memory = EnvelopeMemory::new(100);
        let (mut one, mut other) = (memory.begin(), memory.begin());
        one.grow(FREE + 60).unwrap();
        one.grow(FREE + 80).unwrap();
        other.grow(FREE).unwrap();
        assert_eq!(other.grow(FREE + 30).unwrap_err().code, FeedbackCode::S9000);
        other.grow(FREE + 20).unwrap();
        drop(one);
        other.grow(FREE + 100).unwrap();
    }

    /// Whoever is slow holds what he has sent so far: the envelope. All of them together are bounded.
    #[test]
    fn slow_messages_share_the_memory_of_their_configuration() {
        let config = IntakeConfig::default();
        let envelope = Outgoing::plain(vec![b' '; 31 << 20], &mut SystemRandom);
        let octets = message_bytes(envelope, &[]).unwrap();
        let begun = &octets[..octets.len() - 1000];
        let start = || Intake::new(&config, &[], &mut SystemRandom, MemoryStore::default());
        let mut slow: Vec<_> = (0..4).map(|_| start()).collect();
        let taken: Vec<_> =
            slow.iter_mut().map(|message| message.push(begun).map_err(|no| no.code)).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Ok(()), Err(FeedbackCode::S9000)]);
        // A small one always has room, and all of them when the others are gone.
        start().push(&octets[..100_000]).unwrap();
        drop(slow);
        start().push(begun).unwrap();
    }
}
