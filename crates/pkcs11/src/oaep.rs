//! EME-OAEP decoding (RFC 8017 7.1.2, step 3) for tokens that have only the bare RSA operation.

use dds_osci::algorithm::{DigestAlgorithm, Hasher};
use zeroize::Zeroizing;

/// Takes the padding off. Which of its parts is wrong must not show, not even in the time it takes (Manger 2001):
/// everything is computed in any case, and the one decision is made at the end.
pub(crate) fn decode(digest: DigestAlgorithm, raw: &[u8], modulus: usize) -> Option<Zeroizing<Vec<u8>>> {
    let label = Hasher::digest(digest, &[])?;
    let hash = label.len();
    // Lengths are public. Some tokens strip leading zeros of the number.
    if modulus < 2 * hash + 2 || raw.len() > modulus {
        return None;
    }
    let mut encoded = Zeroizing::new(vec![0; modulus]);
    encoded.get_mut(modulus - raw.len()..)?.copy_from_slice(raw);
    let (&mut first, rest) = encoded.split_first_mut()?;
    let (seed, block) = rest.split_at_mut(hash);
    mask(digest, block, seed)?;
    mask(digest, seed, block)?;

    let mut wrong = first;
    for (byte, expected) in block.iter().zip(&label) {
        wrong |= byte ^ expected;
    }
    // All ones until the 01 that separates the padding from the message.
    let mut searching = 0xff_u8;
    let mut start = 0;
    for (index, byte) in block.iter().enumerate().skip(hash) {
        let (zero, one) = (is_zero(*byte), is_zero(*byte ^ 1));
        wrong |= searching & !zero & !one;
        start |= (index + 1) & usize::from(searching & one & 1).wrapping_neg();
        searching &= !one;
    }
    wrong |= searching;
    if wrong == 0 { block.get(start..).map(|message| Zeroizing::new(message.to_vec())) } else { None }
}

/// `ff` for zero, `00` for anything else, without a branch.
const fn is_zero(byte: u8) -> u8 {
    ((byte | byte.wrapping_neg()) >> 7).wrapping_sub(1)
}

/// XORs MGF1(seed) over `target`.
fn mask(digest: DigestAlgorithm, seed: &[u8], target: &mut [u8]) -> Option<()> {
    let mut done = 0;
    for counter in 0_u32.. {
        let Some(rest) = target.get_mut(done..).filter(|rest| !rest.is_empty()) else { break };
        let mut hasher = Hasher::new(digest)?;
        hasher.update(seed);
        hasher.update(&counter.to_be_bytes());
        let block = Zeroizing::new(hasher.finish());
        rest.iter_mut().zip(block.iter()).for_each(|(byte, mask)| *byte ^= mask);
        done += block.len();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EME-OAEP encoding with a seed of ones, the inverse of the above.
    fn encode(digest: DigestAlgorithm, message: &[u8], modulus: usize) -> Vec<u8> {
        encode_for(b"", 0, digest, message, modulus)
    }

    fn encode_for(
        label: &[u8],
        fill: u8,
        digest: DigestAlgorithm,
        message: &[u8],
        modulus: usize,
    ) -> Vec<u8> {
        let label = Hasher::digest(digest, label).unwrap();
        let padding = modulus - 2 * label.len() - 2 - message.len();
        let mut block = [label.as_slice(), &vec![fill; padding], &[1], message].concat();
        let mut seed = vec![1; label.len()];
        mask(digest, &seed, &mut block).unwrap();
        mask(digest, &block, &mut seed).unwrap();
        [&[0], seed.as_slice(), &block].concat()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
            for len in [0, 1, 16, 32, 100] {
                let message = vec![1; len];
                let encoded = encode(digest, &message, 384);
                assert_eq!(decode(digest, &encoded, 384).unwrap().as_slice(), message);
                assert_eq!(
                    decode(digest, &encoded[1..], 384).unwrap().as_slice(),
                    message,
                    "a leading zero stripped"
                );
            }
        }
    }

    #[test]
    fn every_damage_is_found() {
        let digest = DigestAlgorithm::Sha256;
        let encoded = encode(digest, &[7; 32], 384);
        for index in 0..384 {
            let mut damaged = encoded.clone();
            damaged[index] ^= 0x10;
            let decoded = decode(digest, &damaged, 384);
            assert!(decoded.is_none_or(|message| message.as_slice() != [7; 32]), "byte {index}");
        }
        for index in 0..1 + 32 + 32 {
            let mut damaged = encoded.clone();
            damaged[index] ^= 1;
            assert!(decode(digest, &damaged, 384).is_none(), "byte {index}");
        }
        assert!(
            decode(digest, &encode_for(b"label", 0, digest, &[7; 32], 384), 384).is_none(),
            "OSCI has no label"
        );
        assert!(decode(digest, &encode_for(b"", 2, digest, &[7; 32], 384), 384).is_none(), "padding");
        assert!(decode(digest, &[], 0).is_none());
        assert!(decode(digest, &[0; 384], 384).is_none());
        assert!(decode(digest, &[0; 385], 384).is_none());
    }

    #[test]
    fn zero_is_found_without_a_branch() {
        assert!((0..=255).all(|byte| is_zero(byte) == if byte == 0 { 0xff } else { 0 }));
    }
}
