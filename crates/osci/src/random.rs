//! Randomness as an argument: challenges, boundaries, session keys and IVs come from a [`Random`].

/// A source of random bytes. Everything secret in OSCI comes from it, so an implementation outside tests must be
/// cryptographically strong ([`SystemRandom`]).
pub trait Random {
    /// Fills `bytes` completely.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// The generator of aws-lc, seeded by the operating system and reseeded by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        // aws-lc stops the process rather than hand out weak bytes; the error of its Rust face is that of older
        // back ends. Without randomness there is nothing sensible left to do, and zeros would be a silent disaster.
        if aws_lc_rs::rand::fill(bytes).is_err() {
            std::process::abort();
        }
    }
}

impl<R: Random + ?Sized> Random for &mut R {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}
