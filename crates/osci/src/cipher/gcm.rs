//! AES-GCM (NIST SP 800-38D) as a stream, for IVs of any length.

use aes::cipher::consts::U16;
use aes::cipher::{
    BlockCipherEncrypt, BlockSizeUser, InnerIvInit as _, KeyInit, StreamCipher, StreamCipherCoreWrapper,
};
use aes::{Aes128, Aes192, Aes256};
use ctr::{CtrCore, flavors::Ctr32BE};
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;
use zeroize::{Zeroize as _, Zeroizing};

/// Length of the tag in bytes.
pub(super) const TAG: usize = 16;
const BLOCK: usize = 16;

/// Most bytes under one key and IV: 2³² − 2 blocks.
const MAX_BYTES: u64 = ((1 << 32) - 2) * BLOCK as u64;

/// Bytes encrypted and hashed in one go, so that the second pass finds them in the first-level cache.
const STRIDE: usize = 8 * 1024;

/// The state of one stream, for one direction.
pub(super) struct Gcm {
    stream: Box<dyn KeyStream + Send>,
    hash: Hash,
    /// Encrypted J₀, which hides the hash in the tag.
    mask: Zeroizing<[u8; TAG]>,
    /// Set when more than [`MAX_BYTES`] were asked for.
    exhausted: bool,
}

/// AES in counter mode, whatever its key length.
trait KeyStream {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), ()>;
}

impl<C: StreamCipher> KeyStream for C {
    fn apply(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
        self.try_apply_keystream(bytes).map_err(|_| ())
    }
}

impl Gcm {
    /// Key of 16, 24 or 32 bytes.
    pub(super) fn new(key: &[u8], iv: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Self::with::<Aes128>(key, iv),
            24 => Self::with::<Aes192>(key, iv),
            32 => Self::with::<Aes256>(key, iv),
            _ => None,
        }
    }

    fn with<C>(key: &[u8], iv: &[u8]) -> Option<Self>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit + Send + 'static,
    {
        let cipher = C::new_from_slice(key).ok()?;
        let mut hash_key = ghash::Key::default();
        cipher.encrypt_block(&mut hash_key);
        let hash = GHash::new(&hash_key);
        hash_key.as_mut_slice().zeroize();
        let counter = first_counter(hash.clone(), iv).into();
        let core = CtrCore::<C, Ctr32BE>::inner_iv_init(cipher, &counter);
        let mut stream = StreamCipherCoreWrapper::from_core(core);
        let mut mask = Zeroizing::new([0; TAG]);
        stream.apply(&mut *mask).ok()?;
        Some(Self { stream: Box::new(stream), hash: Hash::new(hash), mask, exhausted: false })
    }

    pub(super) fn encrypt(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        out.reserve(plain.len());
        for piece in plain.chunks(STRIDE) {
            let start = out.len();
            out.extend_from_slice(piece);
            let Some(octets) = out.get_mut(start..) else { return };
            self.apply(octets);
            self.hash.update(octets);
        }
    }

    pub(super) fn decrypt(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        out.reserve(octets.len());
        for piece in octets.chunks(STRIDE) {
            let start = out.len();
            self.hash.update(piece);
            out.extend_from_slice(piece);
            let Some(plain) = out.get_mut(start..) else { return };
            self.apply(plain);
        }
    }

    fn apply(&mut self, bytes: &mut [u8]) {
        if self.hash.len > MAX_BYTES || self.stream.apply(bytes).is_err() {
            self.exhausted = true;
        }
    }

    /// The tag; `None` if the stream was too long.
    pub(super) fn tag(self) -> Option<[u8; TAG]> {
        if self.exhausted || self.hash.len > MAX_BYTES {
            return None;
        }
        let mut tag = self.hash.finish();
        tag.iter_mut().zip(self.mask.iter()).for_each(|(byte, mask)| *byte ^= mask);
        Some(tag)
    }
}

/// J₀ of SP 800-38D 7.1: twelve bytes of IV stand for themselves, others are hashed.
fn first_counter(mut hash: GHash, iv: &[u8]) -> [u8; BLOCK] {
    let mut counter = [0; BLOCK];
    if let Some((head, tail)) = counter.split_first_chunk_mut::<12>()
        && let Ok(iv) = <&[u8; 12]>::try_from(iv)
    {
        *head = *iv;
        tail.copy_from_slice(&[0, 0, 0, 1]);
        return counter;
    }
    hash.update_padded(iv);
    hash.update(&[lengths(0, iv.len() as u64).into()]);
    hash.finalize().into()
}

/// The last block of GHASH: both lengths in bits.
fn lengths(additional: u64, octets: u64) -> [u8; BLOCK] {
    (((u128::from(additional) * 8) << 64) | (u128::from(octets) * 8)).to_be_bytes()
}

/// GHASH over a stream that does not come in blocks.
struct Hash {
    hash: GHash,
    /// Begin of a block that is not complete.
    partial: [u8; BLOCK],
    len: u64,
}

impl Hash {
    fn new(hash: GHash) -> Self {
        Self { hash, partial: [0; BLOCK], len: 0 }
    }

    fn update(&mut self, mut octets: &[u8]) {
        let filled = usize::try_from(self.len % BLOCK as u64).unwrap_or(0);
        self.len = self.len.saturating_add(octets.len() as u64);
        if filled > 0 {
            let (head, rest) = octets.split_at(octets.len().min(BLOCK - filled));
            self.partial[filled..filled + head.len()].copy_from_slice(head);
            octets = rest;
            if filled + head.len() < BLOCK {
                return;
            }
            self.hash.update(&[self.partial.into()]);
        }
        let (blocks, rest) = ghash::Block::slice_as_chunks(octets);
        self.hash.update(blocks);
        self.partial[..rest.len()].copy_from_slice(rest);
    }

    fn finish(mut self) -> [u8; BLOCK] {
        let filled = usize::try_from(self.len % BLOCK as u64).unwrap_or(0);
        self.hash.update_padded(&self.partial[..filled]);
        self.hash.update(&[lengths(0, self.len).into()]);
        self.hash.finalize().into()
    }
}
