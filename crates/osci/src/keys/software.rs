//! [`SoftwareKey`]: a private key in the memory of the process.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::{rsa, signature as sig};
use base64::Engine as _;
use zeroize::Zeroizing;

use super::{Decrypter, KeyError, Signer, pem_block, pkcs12};
use crate::algorithm::{KeyTransport, SignatureAlgorithm};
use crate::certificate::{Certificate, Curve, PublicKeyKind, oaep as oaep_algorithm};

/// A private key with its certificate, from PKCS#12, PEM or PKCS#8. aws-lc wipes the key when it is dropped.
pub struct SoftwareKey {
    certificate: Certificate,
    key: Private,
}

enum Private {
    Rsa {
        signing: sig::RsaKeyPair,
        oaep: rsa::OaepPrivateDecryptingKey,
        pkcs1: rsa::Pkcs1PrivateDecryptingKey,
    },
    /// One key pair per digest the curve can be used with: the algorithm is part of aws-lc's key pair.
    Ec(Vec<(SignatureAlgorithm, sig::EcdsaKeyPair)>),
}

impl SoftwareKey {
    /// Reads a PKCS#12 file (.p12, .pfx): legacy encryption (3DES, RC2) and PBES2.
    ///
    /// # Errors
    /// [`KeyError::Pin`] if the PIN is wrong; [`KeyError::Unreadable`] if there is no key with a certificate; those of
    /// [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_pkcs12(der: &[u8], pin: &str) -> Result<Self, KeyError> {
        let (key, certificate) = pkcs12::read(der, pin)?;
        Self::from_pkcs8(&key, certificate)
    }

    /// Reads PEM texts: `PRIVATE KEY` (PKCS#8) or `RSA PRIVATE KEY`, and the first `CERTIFICATE`.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] if there is no such block; those of [`from_pkcs8`](Self::from_pkcs8).
    pub fn from_pem(key_pem: &str, certificate_pem: &str) -> Result<Self, KeyError> {
        let certificate = Certificate::from_pem(certificate_pem)?;
        let unreadable = |text: &str| KeyError::Unreadable(text.to_owned());
        let body = Zeroizing::new(
            pem_block(key_pem, &["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]).ok_or_else(|| {
                unreadable("no PRIVATE KEY block in the PEM text (encrypted keys: use PKCS#12)")
            })?,
        );
        let der = base64::engine::general_purpose::STANDARD
            .decode(body.as_bytes())
            .map_err(|_| unreadable("the PRIVATE KEY block is not Base64"))?;
        Self::from_pkcs8(&Zeroizing::new(der), certificate)
    }

    /// Takes a key as PKCS#8 (or PKCS#1, SEC1) DER with its certificate.
    ///
    /// # Errors
    /// [`KeyError::Unreadable`] if the key cannot be read; [`KeyError::Mismatch`] if it is not the certificate's;
    /// [`KeyError::Unsuitable`] for curves other than P-256, P-384, P-521.
    pub fn from_pkcs8(der: &[u8], certificate: Certificate) -> Result<Self, KeyError> {
        let key = match certificate.key() {
            PublicKeyKind::Rsa { .. } => rsa_key(der)?,
            PublicKeyKind::Ec { curve } => ec_key(der, curve)?,
            PublicKeyKind::Other => {
                return Err(KeyError::Unsuitable("only RSA and EC keys are used in OSCI"));
            }
        };
        if key.public_key() != certificate.key_bytes() {
            return Err(KeyError::Mismatch);
        }
        Ok(Self { certificate, key })
    }
}

impl Private {
    fn public_key(&self) -> &[u8] {
        use sig::KeyPair as _;
        match self {
            Self::Rsa { signing, .. } => signing.public_key().as_ref(),
            Self::Ec(pairs) => pairs.first().map_or(&[], |(_, pair)| pair.public_key().as_ref()),
        }
    }
}

fn rsa_key(der: &[u8]) -> Result<Private, KeyError> {
    let unreadable =
        |_| KeyError::Unreadable("not an RSA key of 2048 to 8192 bits in PKCS#8 or PKCS#1".to_owned());
    let signing =
        sig::RsaKeyPair::from_pkcs8(der).or_else(|_| sig::RsaKeyPair::from_der(der)).map_err(unreadable)?;
    let pkcs8: Pkcs8V1Der<'_> = signing.as_der().map_err(|_| KeyError::Operation)?;
    let decrypting = rsa::PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(unreadable)?;
    Ok(Private::Rsa {
        signing,
        oaep: rsa::OaepPrivateDecryptingKey::new(decrypting.clone()).map_err(|_| KeyError::Operation)?,
        pkcs1: rsa::Pkcs1PrivateDecryptingKey::new(decrypting).map_err(|_| KeyError::Operation)?,
    })
}

fn ec_key(der: &[u8], curve: Curve) -> Result<Private, KeyError> {
    use SignatureAlgorithm as A;
    let algorithms: &[(A, &'static sig::EcdsaSigningAlgorithm)] = match curve {
        Curve::P256 => &[(A::EcdsaSha256, &sig::ECDSA_P256_SHA256_FIXED_SIGNING)],
        Curve::P384 => &[(A::EcdsaSha384, &sig::ECDSA_P384_SHA384_FIXED_SIGNING)],
        Curve::P521 => &[
            (A::EcdsaSha512, &sig::ECDSA_P521_SHA512_FIXED_SIGNING),
            (A::EcdsaSha384, &sig::ECDSA_P521_SHA384_FIXED_SIGNING),
            (A::EcdsaSha256, &sig::ECDSA_P521_SHA256_FIXED_SIGNING),
        ],
        Curve::Other => return Err(KeyError::Unsuitable("EC keys are on P-256, P-384 or P-521")),
    };
    let pair = |(name, algorithm): &(A, &'static sig::EcdsaSigningAlgorithm)| {
        sig::EcdsaKeyPair::from_pkcs8(algorithm, der)
            .or_else(|_| sig::EcdsaKeyPair::from_private_key_der(algorithm, der))
            .map(|pair| (*name, pair))
            .map_err(|_| KeyError::Unreadable(format!("not an EC key on {curve}")))
    };
    algorithms.iter().map(pair).collect::<Result<_, _>>().map(Private::Ec)
}

impl Signer for SoftwareKey {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        use SignatureAlgorithm as A;
        match &self.key {
            Private::Rsa { signing, .. } => {
                let encoding: &'static dyn sig::RsaEncoding = match algorithm {
                    A::RsaSha256 => &sig::RSA_PKCS1_SHA256,
                    A::RsaSha512 => &sig::RSA_PKCS1_SHA512,
                    A::PssSha256 => &sig::RSA_PSS_SHA256,
                    A::PssSha512 => &sig::RSA_PSS_SHA512,
                    _ => {
                        return Err(KeyError::Unsuitable(
                            "an RSA key in software signs with SHA-256 or SHA-512",
                        ));
                    }
                };
                let mut signature = vec![0; signing.public_modulus_len()];
                signing
                    .sign(encoding, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| KeyError::Operation)?;
                Ok(signature)
            }
            Private::Ec(pairs) => {
                let (_, pair) = pairs
                    .iter()
                    .find(|(name, _)| *name == algorithm)
                    .ok_or(KeyError::Unsuitable("the EC key does not sign with this digest"))?;
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Operation)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

impl Decrypter for SoftwareKey {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn unwrap_key(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Private::Rsa { oaep, pkcs1, .. } = &self.key else {
            return Err(KeyError::Unsuitable("keys are unwrapped with RSA"));
        };
        let mut out = Zeroizing::new(vec![0; oaep.key_size_bytes()]);
        let len = match transport {
            KeyTransport::Oaep(digest) => oaep.decrypt(oaep_algorithm(digest)?, wrapped, &mut out, None),
            KeyTransport::Rsa15 => pkcs1.decrypt(wrapped, &mut out),
        }
        .map_err(|_| KeyError::Operation)?
        .len();
        out.truncate(len);
        Ok(out)
    }
}

impl std::fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
