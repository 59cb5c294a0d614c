//! RSA-PSS with SHA-3, verification only.
//!
//! aws-lc has PSS with SHA-2 only. Verification handles public values alone, so plain big-integer arithmetic without
//! constant time is right here; signing would need the private operation and is therefore not offered in software.

use num_bigint::BigUint;

use crate::algorithm::{DigestAlgorithm, Hasher};

/// Bounds of the modulus in bits, and of the exponent: a certificate is an adversary's input, and the time of the
/// power grows with both.
const MODULUS_BITS: std::ops::RangeInclusive<u64> = 1024..=8192;
const MAX_EXPONENT_BITS: u64 = 33;

/// RSASSA-PSS-VERIFY of RFC 8017 8.1.2, MGF1 and message digest alike, salt as long as the digest.
pub(super) fn verify(key: &[u8], digest: DigestAlgorithm, message: &[u8], signature: &[u8]) -> bool {
    let Some((n, e)) = parse(key) else { return false };
    let modulus_bits = n.bits();
    if !MODULUS_BITS.contains(&modulus_bits) || e.bits() > MAX_EXPONENT_BITS || !n.bit(0) || !e.bit(0) {
        return false;
    }
    let octets = |bits: u64| usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
    if signature.len() != octets(modulus_bits) {
        return false;
    }
    let s = BigUint::from_bytes_be(signature);
    if s >= n {
        return false;
    }
    let em_bits = modulus_bits - 1;
    let value = s.modpow(&e, &n).to_bytes_be();
    let em_len = octets(em_bits);
    let Some(pad) = em_len.checked_sub(value.len()) else { return false };
    let mut encoded = vec![0; pad];
    encoded.extend(value);
    Hasher::digest(digest, message).and_then(|hash| verify_encoding(digest, &hash, &mut encoded, em_bits))
        == Some(true)
}

/// EMSA-PSS-VERIFY of RFC 8017 9.1.2.
fn verify_encoding(digest: DigestAlgorithm, hash: &[u8], encoded: &mut [u8], em_bits: u64) -> Option<bool> {
    let (hash_len, salt_len) = (hash.len(), hash.len());
    let (&last, body) = encoded.split_last()?;
    encoded_long_enough(body.len() + 1, hash_len, salt_len)?;
    let db_len = body.len() - hash_len;
    let h = body[db_len..].to_vec();
    let unused = u32::try_from(8 * encoded.len() as u64 - em_bits).ok()?;
    let mask = 0xff_u8.checked_shr(unused)?;
    let db = &mut encoded[..db_len];
    if last != 0xbc || db[0] & !mask != 0 {
        return Some(false);
    }
    mgf1(digest, &h, db)?;
    db[0] &= mask;
    let (zeros, rest) = db.split_at(db_len - salt_len - 1);
    if zeros.iter().any(|byte| *byte != 0) || rest[0] != 1 {
        return Some(false);
    }
    let mut hasher = Hasher::new(digest)?;
    hasher.update(&[0; 8]);
    hasher.update(hash);
    hasher.update(&rest[1..]);
    Some(hasher.finish() == h)
}

fn encoded_long_enough(len: usize, hash: usize, salt: usize) -> Option<()> {
    (len >= hash + salt + 2).then_some(())
}

/// XORs MGF1(seed) over `target`.
fn mgf1(digest: DigestAlgorithm, seed: &[u8], target: &mut [u8]) -> Option<()> {
    let block = digest.implementation()?.output_len;
    for (counter, chunk) in target.chunks_mut(block).enumerate() {
        let mut hasher = Hasher::new(digest)?;
        hasher.update(seed);
        hasher.update(&u32::try_from(counter).ok()?.to_be_bytes());
        chunk.iter_mut().zip(hasher.finish()).for_each(|(byte, mask)| *byte ^= mask);
    }
    Some(())
}

/// Modulus and exponent of a PKCS#1 `RSAPublicKey`.
fn parse(key: &[u8]) -> Option<(BigUint, BigUint)> {
    let (_, sequence) = x509_parser::der_parser::ber::parse_ber_sequence(key).ok()?;
    let numbers = sequence.as_sequence().ok()?;
    let number = |index: usize| numbers.get(index)?.as_slice().ok().map(BigUint::from_bytes_be);
    Some((number(0)?, number(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: DigestAlgorithm = DigestAlgorithm::Sha3_256;

    /// EMSA-PSS-ENCODE for 2047 bits, after `damage` of the data block before it is masked.
    fn encode(damage: impl Fn(&mut [u8])) -> Vec<u8> {
        let hash = Hasher::digest(DIGEST, b"x").unwrap();
        let salt = [3; 32];
        let h = Hasher::digest(DIGEST, &[&[0; 8], hash.as_slice(), &salt].concat()).unwrap();
        let mut db = [vec![0; 256 - 32 - 1 - 33], vec![1], salt.to_vec()].concat();
        damage(&mut db);
        mgf1(DIGEST, &h, &mut db).unwrap();
        db[0] &= 0x7f;
        [db, h, vec![0xbc]].concat()
    }

    fn verified(mut encoded: Vec<u8>) -> Option<bool> {
        verify_encoding(DIGEST, &Hasher::digest(DIGEST, b"x").unwrap(), &mut encoded, 2047)
    }

    #[test]
    fn every_part_of_the_encoding_counts() {
        assert_eq!(verified(encode(|_| {})), Some(true));
        assert_eq!(verified(encode(|db| db[100] = 1)), Some(false), "padding");
        assert_eq!(verified(encode(|db| db[190] = 2)), Some(false), "padding before the separator");
        assert_eq!(verified(encode(|db| db[191] = 0)), Some(false), "separator");
        assert_eq!(verified(encode(|db| db[200] ^= 1)), Some(false), "salt");
        for (index, what) in [(0, "unused bit"), (230, "hash"), (255, "trailer")] {
            let mut encoded = encode(|_| {});
            encoded[index] ^= 0x80;
            assert_eq!(verified(encoded), Some(false), "{what}");
        }
        assert_eq!(verified(vec![0xbc; 65]), None, "too short");
    }
}
