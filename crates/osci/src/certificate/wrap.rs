//! Wrapping of a data key with the public RSA key of a certificate.

use aws_lc_rs::rsa;

use crate::algorithm::{DigestAlgorithm, KeyTransport};
use crate::keys::KeyError;

/// The OAEP of aws-lc with MGF1 over the same digest.
pub(crate) fn oaep(digest: DigestAlgorithm) -> Result<&'static rsa::OaepAlgorithm, KeyError> {
    match digest {
        DigestAlgorithm::Sha256 => Ok(&rsa::OAEP_SHA256_MGF1SHA256),
        DigestAlgorithm::Sha384 => Ok(&rsa::OAEP_SHA384_MGF1SHA384),
        DigestAlgorithm::Sha512 => Ok(&rsa::OAEP_SHA512_MGF1SHA512),
        _ => Err(KeyError::Unsuitable("OAEP takes SHA-256, SHA-384 or SHA-512")),
    }
}

pub(super) fn wrap_key(spki: &[u8], transport: KeyTransport, key: &[u8]) -> Result<Vec<u8>, KeyError> {
    let unsuitable = |_| KeyError::Unsuitable("keys are wrapped for RSA certificates of 2048 to 8192 bits");
    let public = rsa::PublicEncryptingKey::from_der(spki).map_err(unsuitable)?;
    let mut out = vec![0; public.key_size_bytes()];
    let written = match transport {
        KeyTransport::Oaep(digest) => {
            let algorithm = oaep(digest)?;
            let public = rsa::OaepPublicEncryptingKey::new(public).map_err(|_| KeyError::Operation)?;
            public.encrypt(algorithm, key, &mut out, None).map_err(|_| KeyError::Operation)?.len()
        }
        KeyTransport::Rsa15 => {
            let public = rsa::Pkcs1PublicEncryptingKey::new(public).map_err(|_| KeyError::Operation)?;
            public.encrypt(key, &mut out).map_err(|_| KeyError::Operation)?.len()
        }
    };
    out.truncate(written);
    Ok(out)
}
