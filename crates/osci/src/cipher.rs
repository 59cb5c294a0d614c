//! Encryption of data (Datenverschlüsselung): streaming, in constant memory (facts 7).
//!
//! Octets are `IV ‖ ciphertext ‖ tag` for GCM and `IV ‖ ciphertext` for the legacy CBC. **The plaintext of a
//! [`Decryption`] is not authenticated before [`Decryption::finish`] says so**: keep it where it can be thrown away.
//!
//! GCM is put together here from AES-CTR and GHASH of RustCrypto, because OSCI needs what no complete implementation
//! offers at once: streams of any size and IVs of sixteen bytes (Korrigendum 6). docs/decisions/0011 has the figures.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::algorithm::{DataAlgorithm, IvLength};

mod cbc;
mod gcm;

use cbc::CbcDecryption;
use gcm::{Gcm, TAG};

/// Decryption failed. One value for every reason (wrong key, altered octets, truncation, padding): feedback 9202.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the data cannot be decrypted")]
pub struct CipherError;

/// Decrypts a stream.
pub struct Decryption {
    algorithm: DataAlgorithm,
    iv_len: usize,
    key: Zeroizing<Vec<u8>>,
    /// The IV as far as it has come; empty once `engine` is set.
    iv: Vec<u8>,
    engine: Option<Engine>,
}

enum Engine {
    Gcm {
        gcm: Box<Gcm>,
        /// The last octets seen: the tag, should the stream end here.
        held: Vec<u8>,
    },
    Cbc(CbcDecryption),
}

impl Decryption {
    /// A fresh decryption.
    ///
    /// # Errors
    /// [`CipherError`] if the key has not the length of the algorithm.
    pub fn new(algorithm: DataAlgorithm, iv: IvLength, key: &[u8]) -> Result<Self, CipherError> {
        if key.len() != algorithm.key_len() {
            return Err(CipherError);
        }
        let iv_len = algorithm.iv_len(iv);
        let key = Zeroizing::new(key.to_vec());
        Ok(Self { algorithm, iv_len, key, iv: Vec::with_capacity(iv_len), engine: None })
    }

    /// Takes octets of any number, appends plaintext to `out`.
    pub fn update(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut input = input;
        if self.engine.is_none() {
            let (iv, rest) = input.split_at(input.len().min(self.iv_len - self.iv.len()));
            self.iv.extend_from_slice(iv);
            input = rest;
            if self.iv.len() < self.iv_len {
                return;
            }
            self.engine = Engine::new(self.algorithm, &self.key, &self.iv);
        }
        match &mut self.engine {
            Some(Engine::Gcm { gcm, held }) => {
                let ready = (held.len() + input.len()).saturating_sub(TAG);
                let from_held = ready.min(held.len());
                gcm.decrypt(&held[..from_held], out);
                held.drain(..from_held);
                let (now, later) = input.split_at(ready - from_held);
                gcm.decrypt(now, out);
                held.extend_from_slice(later);
            }
            Some(Engine::Cbc(cbc)) => cbc.update(input, out),
            None => {}
        }
    }

    /// Ends the stream; only `Ok` makes the plaintext trustworthy (and for CBC not even that: it is unauthenticated).
    ///
    /// # Errors
    /// [`CipherError`] if anything was wrong.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), CipherError> {
        match self.engine {
            Some(Engine::Gcm { gcm, held }) => {
                let tag = gcm.tag().ok_or(CipherError)?;
                aws_lc_rs::constant_time::verify_slices_are_equal(&tag, &held).map_err(|_| CipherError)
            }
            Some(Engine::Cbc(cbc)) => cbc.finish(out),
            None => Err(CipherError),
        }
    }
}

impl Engine {
    fn new(algorithm: DataAlgorithm, key: &[u8], iv: &[u8]) -> Option<Self> {
        if algorithm.is_authenticated() {
            Gcm::new(key, iv).map(|gcm| Self::Gcm { gcm: Box::new(gcm), held: Vec::with_capacity(2 * TAG) })
        } else {
            CbcDecryption::new(algorithm, key, iv).map(Self::Cbc)
        }
    }
}

/// Encrypts a stream with AES-GCM.
pub struct Encryption {
    gcm: Box<Gcm>,
    /// The IV until it is written.
    iv: Vec<u8>,
}

impl Encryption {
    /// A fresh encryption. The pair of key and IV must never be used twice: take a new key for each stream.
    ///
    /// # Errors
    /// [`CipherError`] if the algorithm is not GCM or key or IV have the wrong length.
    pub fn new(
        algorithm: DataAlgorithm,
        iv_length: IvLength,
        key: &[u8],
        iv: &[u8],
    ) -> Result<Self, CipherError> {
        if !algorithm.is_authenticated() || key.len() != algorithm.key_len() || iv.len() != iv_length.bytes()
        {
            return Err(CipherError);
        }
        let gcm = Gcm::new(key, iv).ok_or(CipherError)?;
        Ok(Self { gcm: Box::new(gcm), iv: iv.to_vec() })
    }

    /// Length of the octets of a plaintext of this length, to announce it.
    #[must_use]
    pub const fn octets_len(iv_length: IvLength, plaintext: u64) -> u64 {
        plaintext + iv_length.bytes() as u64 + TAG as u64
    }

    /// Takes plaintext of any number, appends octets to `out` (the IV first).
    pub fn update(&mut self, input: &[u8], out: &mut Vec<u8>) {
        out.append(&mut self.iv);
        self.gcm.encrypt(input, out);
    }

    /// Appends the tag.
    ///
    /// # Errors
    /// [`CipherError`] if the stream was longer than the 64 GiB one key and IV of GCM may cover; what was written is
    /// then worthless.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), CipherError> {
        out.append(&mut self.iv);
        out.extend_from_slice(&self.gcm.tag().ok_or(CipherError)?);
        Ok(())
    }
}

impl std::fmt::Debug for Decryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decryption").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Encryption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encryption").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
