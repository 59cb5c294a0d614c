//! AES-CBC and 3DES-CBC, reading only, for partners a policy still allows it to (facts 7).

use aes::cipher::{BlockModeDecrypt, KeyIvInit as _, array::Array};
use zeroize::Zeroizing;

use super::CipherError;
use crate::algorithm::DataAlgorithm;

/// Bytes decrypted in one go, a multiple of both block lengths.
const STRIDE: usize = 8 * 1024;

pub(super) struct CbcDecryption {
    mode: Box<dyn Mode + Send>,
    block: usize,
    /// Octets that make no whole block yet, or the last block, which may be padding.
    held: Vec<u8>,
}

trait Mode {
    /// Decrypts whole blocks in place.
    fn decrypt(&mut self, blocks: &mut [u8]);
}

impl<C: BlockModeDecrypt> Mode for C {
    fn decrypt(&mut self, blocks: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(blocks);
        self.decrypt_blocks(blocks);
    }
}

impl CbcDecryption {
    pub(super) fn new(algorithm: DataAlgorithm, key: &[u8], iv: &[u8]) -> Option<Self> {
        use DataAlgorithm as A;
        let mode: Box<dyn Mode + Send> = match algorithm {
            A::Aes128Cbc => Box::new(cbc::Decryptor::<aes::Aes128>::new_from_slices(key, iv).ok()?),
            A::Aes192Cbc => Box::new(cbc::Decryptor::<aes::Aes192>::new_from_slices(key, iv).ok()?),
            A::Aes256Cbc => Box::new(cbc::Decryptor::<aes::Aes256>::new_from_slices(key, iv).ok()?),
            A::TripleDesCbc => Box::new(cbc::Decryptor::<des::TdesEde3>::new_from_slices(key, iv).ok()?),
            A::Aes128Gcm | A::Aes192Gcm | A::Aes256Gcm => return None,
        };
        Some(Self { mode, block: iv.len(), held: Vec::new() })
    }

    pub(super) fn update(&mut self, input: &[u8], out: &mut Vec<u8>) {
        // The last block stays back: only the end of the stream tells that it is the padded one.
        for piece in input.chunks(STRIDE) {
            self.held.extend_from_slice(piece);
            let whole = self.held.len().saturating_sub(1) / self.block * self.block;
            let start = out.len();
            out.extend(self.held.drain(..whole));
            if let Some(blocks) = out.get_mut(start..) {
                self.mode.decrypt(blocks);
            }
        }
    }

    /// Only the count byte of the padding is read: XML Encryption 5.2 leaves the fill bytes open.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), CipherError> {
        let mut last = Zeroizing::new(std::mem::take(&mut self.held));
        if last.len() != self.block {
            return Err(CipherError);
        }
        self.mode.decrypt(&mut last);
        let padding = usize::from(*last.last().ok_or(CipherError)?);
        let keep = self.block.checked_sub(padding).filter(|keep| *keep < self.block).ok_or(CipherError)?;
        out.extend_from_slice(&last[..keep]);
        Ok(())
    }
}
