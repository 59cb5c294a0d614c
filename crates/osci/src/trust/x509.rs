//! Signatures over certificates, revocation lists and OCSP responses.

use aws_lc_rs::signature as sig;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AlgorithmIdentifier;

use crate::certificate::{Certificate, Curve, PublicKeyKind};

/// What a signature by a certificate authority says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verified {
    Right,
    Wrong,
    /// SHA-1, RSA below 2048 bits, an unknown curve: not verifiable here, which is not the same as wrong.
    Unsupported,
}

/// Verifies the signature of `issuer` over `signed`. Authorities get the bounds of aws-lc (RSA of 2048 bits and more,
/// SHA-2); the stricter ones of the policy are about the certificates of roles.
pub(super) fn verify(
    algorithm: &AlgorithmIdentifier<'_>,
    signed: &[u8],
    signature: &[u8],
    issuer: &Certificate,
) -> Verified {
    let Some(method) = method(algorithm, issuer.key()) else { return Verified::Unsupported };
    match sig::UnparsedPublicKey::new(method, issuer.key_bytes()).verify(signed, signature) {
        Ok(()) => Verified::Right,
        Err(_) => Verified::Wrong,
    }
}

fn method(
    algorithm: &AlgorithmIdentifier<'_>,
    key: PublicKeyKind,
) -> Option<&'static dyn sig::VerificationAlgorithm> {
    let oid = algorithm.algorithm.to_id_string();
    match key {
        PublicKeyKind::Rsa { bits } if bits >= 2048 => match oid.as_str() {
            "1.2.840.113549.1.1.11" => Some(&sig::RSA_PKCS1_2048_8192_SHA256),
            "1.2.840.113549.1.1.12" => Some(&sig::RSA_PKCS1_2048_8192_SHA384),
            "1.2.840.113549.1.1.13" => Some(&sig::RSA_PKCS1_2048_8192_SHA512),
            "1.2.840.113549.1.1.10" => pss(algorithm),
            _ => None,
        },
        PublicKeyKind::Ec { curve } => match (curve, oid.as_str()) {
            (Curve::P256, "1.2.840.10045.4.3.2") => Some(&sig::ECDSA_P256_SHA256_ASN1),
            (Curve::P256, "1.2.840.10045.4.3.3") => Some(&sig::ECDSA_P256_SHA384_ASN1),
            (Curve::P256, "1.2.840.10045.4.3.4") => Some(&sig::ECDSA_P256_SHA512_ASN1),
            (Curve::P384, "1.2.840.10045.4.3.2") => Some(&sig::ECDSA_P384_SHA256_ASN1),
            (Curve::P384, "1.2.840.10045.4.3.3") => Some(&sig::ECDSA_P384_SHA384_ASN1),
            (Curve::P384, "1.2.840.10045.4.3.4") => Some(&sig::ECDSA_P384_SHA512_ASN1),
            (Curve::P521, "1.2.840.10045.4.3.2") => Some(&sig::ECDSA_P521_SHA256_ASN1),
            (Curve::P521, "1.2.840.10045.4.3.3") => Some(&sig::ECDSA_P521_SHA384_ASN1),
            (Curve::P521, "1.2.840.10045.4.3.4") => Some(&sig::ECDSA_P521_SHA512_ASN1),
            _ => None,
        },
        PublicKeyKind::Rsa { .. } | PublicKeyKind::Other => None,
    }
}

/// PSS with one SHA-2 in both places and a salt as long as the digest, which is what authorities use.
fn pss(algorithm: &AlgorithmIdentifier<'_>) -> Option<&'static dyn sig::VerificationAlgorithm> {
    let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(algorithm) else {
        return None;
    };
    let hash = parameters.hash_algorithm_oid().to_id_string();
    let mgf = parameters.mask_gen_algorithm().ok()?;
    if mgf.mgf.to_id_string() != "1.2.840.113549.1.1.8" || mgf.hash.to_id_string() != hash {
        return None;
    }
    match (hash.as_str(), parameters.salt_length()) {
        ("2.16.840.1.101.3.4.2.1", 32) => Some(&sig::RSA_PSS_2048_8192_SHA256),
        ("2.16.840.1.101.3.4.2.2", 48) => Some(&sig::RSA_PSS_2048_8192_SHA384),
        ("2.16.840.1.101.3.4.2.3", 64) => Some(&sig::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}
