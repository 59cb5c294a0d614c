//! ECDSA with values r‖s. aws-lc has fixed-length verification only for the usual pairs of curve and digest; a partner
//! may combine P-256 with SHA-512, so the value is written as DER, for which every pair exists.

use aws_lc_rs::signature as sig;

use super::Curve;
use crate::algorithm::DigestAlgorithm;

/// Length of r and of s in bytes.
pub(super) const fn field_len(curve: Curve) -> Option<usize> {
    match curve {
        Curve::P256 => Some(32),
        Curve::P384 => Some(48),
        Curve::P521 => Some(66),
        Curve::Other => None,
    }
}

pub(super) fn verify(
    curve: Curve,
    point: &[u8],
    digest: DigestAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    use DigestAlgorithm as D;
    let algorithm: &'static dyn sig::VerificationAlgorithm = match (curve, digest) {
        (Curve::P256, D::Sha256) => &sig::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, D::Sha384) => &sig::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, D::Sha512) => &sig::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, D::Sha256) => &sig::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, D::Sha384) => &sig::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, D::Sha512) => &sig::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, D::Sha256) => &sig::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, D::Sha384) => &sig::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, D::Sha512) => &sig::ECDSA_P521_SHA512_ASN1,
        _ => return false,
    };
    let Some(len) = field_len(curve) else { return false };
    if signature.len() != 2 * len {
        return false;
    }
    let (r, s) = signature.split_at(len);
    sig::UnparsedPublicKey::new(algorithm, point).verify(message, &der(r, s)).is_ok()
}

/// `SEQUENCE { INTEGER r, INTEGER s }`; at most 141 bytes, so lengths take one or two octets.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(r.len() + s.len() + 8);
    for number in [r, s] {
        let digits = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        let pad = digits.first().is_none_or(|first| *first >= 0x80);
        body.extend([0x02, u8::try_from(digits.len() + usize::from(pad)).unwrap_or(u8::MAX)]);
        body.extend(pad.then_some(0));
        body.extend(digits);
    }
    let mut out = vec![0x30];
    if body.len() >= 0x80 {
        out.push(0x81);
    }
    out.push(u8::try_from(body.len()).unwrap_or(u8::MAX));
    out.append(&mut body);
    out
}
