//! Private keys: [`Signer`] and [`Decrypter`] as ports, and [`SoftwareKey`] that holds a key in memory.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::algorithm::{DataAlgorithm, KeyTransport, SignatureAlgorithm};
use crate::certificate::{Certificate, CertificateError, Curve, PublicKeyKind};
use crate::feedback::{FeedbackCode, Refused};
use crate::random::Random;

mod pkcs12;
mod software;

pub use software::SoftwareKey;

/// Why a key could not be loaded or used. Never carries key material or a PIN.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The key or algorithm does not fit the operation.
    #[error("the key does not fit: {0}")]
    Unsuitable(&'static str),
    /// The operation failed. For unwrapping this is all there is to say, whatever the reason was.
    #[error("the operation with the key failed")]
    Operation,
    /// The file with the key cannot be read.
    #[error("the key cannot be read: {0}")]
    Unreadable(String),
    /// The PIN is wrong or the file was altered.
    #[error("wrong PIN, or the key file is damaged")]
    Pin,
    /// Key and certificate do not belong together.
    #[error("private key and certificate do not belong together")]
    Mismatch,
    /// The certificate beside the key cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The token (smart card, HSM) is not usable: absent, locked, removed.
    #[error("the token cannot be used: {0}")]
    Token(String),
}

/// Trouble with a key of ours is not the partner's: 9000.
impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        Self::new(FeedbackCode::S9000, error.to_string())
    }
}

/// Makes signatures for one role.
pub trait Signer: Send + Sync {
    /// The signature certificate.
    fn certificate(&self) -> &Certificate;

    /// Signs the message itself (hashing is part of the algorithm). ECDSA values are r‖s.
    ///
    /// # Errors
    /// [`KeyError::Unsuitable`] if key and algorithm do not fit; [`KeyError::Operation`] or [`KeyError::Token`].
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// The algorithm for this key when nobody asks for another: RSA with SHA-256 (the default of OSCI), or ECDSA with
    /// the digest of the curve.
    fn default_algorithm(&self) -> SignatureAlgorithm {
        match self.certificate().key() {
            PublicKeyKind::Ec { curve: Curve::P384 } => SignatureAlgorithm::EcdsaSha384,
            PublicKeyKind::Ec { curve: Curve::P521 } => SignatureAlgorithm::EcdsaSha512,
            PublicKeyKind::Ec { .. } => SignatureAlgorithm::EcdsaSha256,
            PublicKeyKind::Rsa { .. } | PublicKeyKind::Other => SignatureAlgorithm::RsaSha256,
        }
    }
}

/// Unwraps data keys for one role.
pub trait Decrypter: Send + Sync {
    /// The cipher certificate, by which a message says whom it is for.
    fn certificate(&self) -> &Certificate;

    /// Unwraps a data key. Do not show a partner that this failed: use [`unwrap_or_random`].
    ///
    /// # Errors
    /// [`KeyError::Unsuitable`], [`KeyError::Operation`] or [`KeyError::Token`].
    fn unwrap_key(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError>;
}

/// Unwraps a data key, or returns a random one of the right length if that fails or the length is wrong, so that a
/// broken key ends exactly where a broken ciphertext ends: at the tag (feedback 9202). This closes the oracle of
/// Bleichenbacher (RSA-1.5) and Manger (OAEP); facts 17.
///
/// The random key is drawn in any case, and chosen byte by byte without a branch on the outcome.
///
/// # Errors
/// [`KeyError::Token`] alone: a token that is not there says nothing about the wrapped key, and it is not the sender
/// who must act.
pub fn unwrap_or_random(
    decrypter: &dyn Decrypter,
    transport: KeyTransport,
    wrapped: &[u8],
    algorithm: DataAlgorithm,
    random: &mut dyn Random,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut key = Zeroizing::new(vec![0; algorithm.key_len()]);
    random.fill(&mut key);
    let unwrapped = match decrypter.unwrap_key(transport, wrapped) {
        Err(lost @ KeyError::Token(_)) => return Err(lost),
        result => result.unwrap_or_default(),
    };
    let fits = u8::from(unwrapped.len() == key.len());
    let mask = fits.wrapping_neg();
    for (index, byte) in key.iter_mut().enumerate() {
        let candidate = unwrapped.get(index).copied().unwrap_or(0);
        *byte = (candidate & mask) | (*byte & !mask);
    }
    Ok(key)
}

/// The Base64 body of the first PEM block with one of these labels.
pub(crate) fn pem_block(pem: &str, labels: &[&str]) -> Option<String> {
    let mut lines = pem.lines().map(str::trim);
    let label = lines.find_map(|line| {
        let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        labels.iter().find(|wanted| **wanted == label)
    })?;
    let end = format!("-----END {label}-----");
    let mut body = String::new();
    for line in lines {
        if line == end {
            return Some(body);
        }
        body.push_str(line);
    }
    None
}

#[cfg(test)]
mod tests;
