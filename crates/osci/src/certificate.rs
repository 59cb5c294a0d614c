//! Certificates (Zertifikate) of roles: parsed once, shared cheaply, equal when their DER is equal.
//!
//! Nothing here decides about trust; see [`crate::trust`].

use std::borrow::Borrow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use aws_lc_rs::{digest, signature as sig};
use jiff::Timestamp;
use thiserror::Error;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::algorithm::{KeyTransport, SignatureAlgorithm};
use crate::keys::KeyError;
use crate::xml::base64_of;

mod ecdsa;
mod pss;
mod wrap;

pub(crate) use wrap::oaep;

/// Why bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Not Base64.
    #[error("the certificate is not Base64")]
    Base64,
    /// Not one X.509 certificate in DER, or bytes after it.
    #[error("not an X.509 certificate: {0}")]
    Malformed(String),
}

/// Certificates read lately. Every message brings half a dozen, the same again and again: those of its author, of the
/// intermediary and of its readers.
static LATELY: LazyLock<Mutex<HashSet<Certificate>>> = LazyLock::new(Mutex::default);
/// At most so many are kept; then it begins anew.
const KEPT: usize = 512;
/// A longer one is not kept (octets).
const KEPT_LENGTH: usize = 8 << 10;

/// What kind of public key a certificate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublicKeyKind {
    /// RSA with the length of its modulus.
    Rsa {
        /// Length of the modulus in bits.
        bits: u32,
    },
    /// Elliptic curve.
    Ec {
        /// The curve.
        curve: Curve,
    },
    /// Anything else; never accepted.
    Other,
}

impl fmt::Display for PublicKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA, {bits} bit"),
            Self::Ec { curve } => write!(f, "EC, {curve}"),
            Self::Other => f.write_str("unknown kind of key"),
        }
    }
}

/// Elliptic curve of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256 (secp256r1).
    P256,
    /// NIST P-384 (secp384r1).
    P384,
    /// NIST P-521 (secp521r1).
    P521,
    /// Another curve, for example Brainpool; signatures on it cannot be verified here.
    Other,
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Other => "another curve",
        })
    }
}

/// One X.509 certificate.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    sha256_hex: String,
    subject: String,
    subject_der: Vec<u8>,
    issuer: String,
    issuer_der: Vec<u8>,
    serial: String,
    not_before: Timestamp,
    not_after: Timestamp,
    key: PublicKeyKind,
    /// `SubjectPublicKeyInfo` as in the certificate.
    spki: Vec<u8>,
    /// The key itself: RSAPublicKey or the EC point.
    key_bytes: Vec<u8>,
    usage: Option<KeyUsage>,
}

/// The bits of `keyUsage` that OSCI asks for.
#[derive(Debug, Clone, Copy)]
struct KeyUsage {
    sign: bool,
    encrypt: bool,
}

impl Certificate {
    /// Reads one certificate.
    ///
    /// # Errors
    /// [`CertificateError::Malformed`] if the bytes are not exactly one certificate.
    pub fn from_der(der: Vec<u8>) -> Result<Self, CertificateError> {
        let lately = || LATELY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lately().get(der.as_slice()) {
            return Ok(known.clone());
        }
        let certificate = Self::parse(der)?;
        if certificate.der().len() <= KEPT_LENGTH {
            let mut kept = lately();
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(certificate.clone());
        }
        Ok(certificate)
    }

    fn parse(der: Vec<u8>) -> Result<Self, CertificateError> {
        let malformed = |error: &dyn fmt::Display| CertificateError::Malformed(error.to_string());
        let (rest, x509) = X509Certificate::from_der(&der).map_err(|error| malformed(&error))?;
        if !rest.is_empty() {
            return Err(malformed(&"bytes after the certificate"));
        }
        let time = |time: x509_parser::time::ASN1Time| {
            Timestamp::from_second(time.timestamp()).map_err(|error| malformed(&error))
        };
        let spki = x509.public_key();
        let usage = x509.key_usage().map_err(|error| malformed(&error))?.map(|extension| KeyUsage {
            sign: extension.value.digital_signature() || extension.value.non_repudiation(),
            encrypt: extension.value.key_encipherment() || extension.value.data_encipherment(),
        });
        let (not_before, not_after) = (time(x509.validity().not_before)?, time(x509.validity().not_after)?);
        let inner = Inner {
            sha256_hex: hex(digest::digest(&digest::SHA256, &der).as_ref()),
            subject: x509.subject().to_string(),
            subject_der: x509.subject().as_raw().to_vec(),
            issuer: x509.issuer().to_string(),
            issuer_der: x509.issuer().as_raw().to_vec(),
            serial: x509.serial.to_string(),
            not_before,
            not_after,
            key: kind(spki),
            spki: spki.raw.to_vec(),
            key_bytes: spki.subject_public_key.data.to_vec(),
            usage,
            der: Vec::new(),
        };
        drop(x509);
        Ok(Self(Arc::new(Inner { der, ..inner })))
    }

    /// Reads a certificate as it stands in `ds:X509Certificate`: Base64, white space ignored.
    ///
    /// # Errors
    /// [`CertificateError::Base64`] and those of [`from_der`](Self::from_der).
    pub fn from_base64(text: &str) -> Result<Self, CertificateError> {
        Self::from_der(base64_of(text).ok_or(CertificateError::Base64)?)
    }

    /// Reads the first `CERTIFICATE` block of a PEM text.
    ///
    /// # Errors
    /// As [`from_base64`](Self::from_base64); [`CertificateError::Malformed`] if there is no block.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let body = crate::keys::pem_block(pem, &["CERTIFICATE"])
            .ok_or_else(|| CertificateError::Malformed("no CERTIFICATE block in the PEM text".to_owned()))?;
        Self::from_base64(&body)
    }

    /// The certificate as bytes.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER in lower-case hex: the tail of the Ids of certificate elements (facts 10) and the name of
    /// the certificate in configuration and logs.
    #[must_use]
    pub fn sha256_hex(&self) -> &str {
        &self.0.sha256_hex
    }

    /// Subject name, for people and `X509SubjectName`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Issuer name, for people and `X509IssuerName`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Subject name as encoded, by which paths are built (RFC 5280, 4.1.2.4).
    pub(crate) fn subject_der(&self) -> &[u8] {
        &self.0.subject_der
    }

    /// Issuer name as encoded.
    pub(crate) fn issuer_der(&self) -> &[u8] {
        &self.0.issuer_der
    }

    /// Serial number, decimal.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.0.serial
    }

    /// First moment of validity.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// Last moment of validity.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// RSAPublicKey or EC point, to compare with a private key.
    pub(crate) fn key_bytes(&self) -> &[u8] {
        &self.0.key_bytes
    }

    /// Kind and strength of the key.
    #[must_use]
    pub fn key(&self) -> PublicKeyKind {
        self.0.key
    }

    /// Whether `keyUsage` permits signatures: digitalSignature or nonRepudiation, or no `keyUsage` at all (facts 8).
    #[must_use]
    pub fn may_sign(&self) -> bool {
        self.0.usage.is_none_or(|usage| usage.sign)
    }

    /// Whether `keyUsage` permits the encryption of keys or data, or there is no `keyUsage`.
    #[must_use]
    pub fn may_encrypt(&self) -> bool {
        self.0.usage.is_none_or(|usage| usage.encrypt)
    }

    /// Verifies a signature mathematically. ECDSA values are r‖s. Neither trust nor policy is asked: a SHA-1 signature
    /// or a 1024-bit key can be right here and refused elsewhere. RIPEMD-160 and Brainpool are never right.
    #[must_use]
    pub fn verify(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        use SignatureAlgorithm as A;
        let rsa = |parameters: &'static dyn sig::VerificationAlgorithm| {
            matches!(self.0.key, PublicKeyKind::Rsa { .. })
                && sig::UnparsedPublicKey::new(parameters, &self.0.key_bytes)
                    .verify(message, signature)
                    .is_ok()
        };
        match algorithm {
            A::RsaSha256 => rsa(&sig::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            A::RsaSha512 => rsa(&sig::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
            A::RsaSha1 => rsa(&sig::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
            A::PssSha256 => rsa(&sig::RSA_PSS_2048_8192_SHA256),
            A::PssSha512 => rsa(&sig::RSA_PSS_2048_8192_SHA512),
            A::PssSha3_256 | A::PssSha3_384 | A::PssSha3_512 => {
                matches!(self.0.key, PublicKeyKind::Rsa { .. })
                    && pss::verify(&self.0.key_bytes, algorithm.digest(), message, signature)
            }
            A::EcdsaSha256 | A::EcdsaSha384 | A::EcdsaSha512 => match self.0.key {
                PublicKeyKind::Ec { curve } => {
                    ecdsa::verify(curve, &self.0.key_bytes, algorithm.digest(), message, signature)
                }
                _ => false,
            },
            A::RsaRipemd160 => false,
        }
    }

    /// Wraps a key for the owner of this certificate.
    ///
    /// # Errors
    /// [`KeyError::Unsuitable`] if the key is not RSA of 2048 to 8192 bits or the transport is not one OSCI has.
    pub fn wrap_key(&self, transport: KeyTransport, key: &[u8]) -> Result<Vec<u8>, KeyError> {
        wrap::wrap_key(&self.0.spki, transport, key)
    }
}

fn kind(spki: &x509_parser::x509::SubjectPublicKeyInfo<'_>) -> PublicKeyKind {
    match spki.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            // key_size() counts whole octets; the rule of 3072 bits is about the modulus itself.
            let modulus = num_bigint::BigUint::from_bytes_be(rsa.modulus);
            PublicKeyKind::Rsa { bits: u32::try_from(modulus.bits()).unwrap_or(u32::MAX) }
        }
        Ok(PublicKey::EC(_)) => {
            let curve = spki
                .algorithm
                .parameters
                .as_ref()
                .and_then(|p| p.as_oid().ok())
                .map(|oid| oid.to_id_string());
            PublicKeyKind::Ec {
                curve: match curve.as_deref() {
                    Some("1.2.840.10045.3.1.7") => Curve::P256,
                    Some("1.3.132.0.34") => Curve::P384,
                    Some("1.3.132.0.35") => Curve::P521,
                    _ => Curve::Other,
                },
            }
        }
        _ => PublicKeyKind::Other,
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.der.hash(state);
    }
}

impl Borrow<[u8]> for Certificate {
    /// The DER, by which certificates are compared.
    fn borrow(&self) -> &[u8] {
        &self.0.der
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, {})", self.0.subject, self.0.key)
    }
}

#[cfg(test)]
mod tests;
