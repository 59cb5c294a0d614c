//! OSCI-PKI: certificates and key pairs of invented parties.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dds_osci::{
    certificate::Certificate,
    keys::{Decrypter, Signer, SoftwareKey},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RevokedCertParams, RsaKeySize,
    SerialNumber, SignatureAlgorithm, date_time_ymd,
};

use crate::Error;

/// OSCI-PKI of one run: a certification authority, and key pairs it has certified.
pub struct OsciPki {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
    certified: AtomicU64,
    signing: &'static SignatureAlgorithm,
}

/// The two key pairs of an OSCI role: RSA 3072 to decrypt, P-256 or RSA 3072 to sign.
#[derive(Clone)]
pub struct OsciIdentity {
    /// Decrypts.
    pub cipher: Arc<SoftwareKey>,
    /// Signs.
    pub signature: Arc<SoftwareKey>,
    /// Cipher certificate, PEM.
    pub cipher_pem: String,
    /// Signature certificate, PEM.
    pub signature_pem: String,
    cipher_key_pem: String,
    signature_key_pem: String,
}

impl OsciPki {
    /// A new authority.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn new() -> Result<Self, Error> {
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "OSCI-Test-Wurzel");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let root = params.self_signed(&key).map_err(failed)?;
        Ok(Self {
            root_pem: root.pem(),
            issuer: Issuer::new(params, key),
            certified: AtomicU64::new(0),
            signing: &PKCS_ECDSA_P256_SHA256,
        })
    }

    /// Roles of this authority sign with RSA 3072 from now on, as most of those in operation do.
    #[must_use]
    pub const fn with_rsa_signatures(mut self) -> Self {
        self.signing = &PKCS_RSA_SHA256;
        self
    }

    /// The root certificate, PEM.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// A revocation list (Sperrliste) with these certificates, PEM; valid for a century.
    ///
    /// # Errors
    /// [`Error::Certificate`] also for a certificate of another authority.
    pub fn revoke(&self, certificates: &[&Certificate]) -> Result<String, Error> {
        let revoked = certificates.iter().map(|certificate| {
            Ok(RevokedCertParams {
                serial_number: SerialNumber::from(certificate.serial().parse::<u64>().map_err(failed)?),
                revocation_time: date_time_ymd(2020, 1, 1),
                reason_code: None,
                invalidity_date: None,
            })
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2120, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect::<Result<_, Error>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).and_then(|list| list.pem()).map_err(failed)
    }

    /// Key pairs for a role. Takes a moment: RSA primes are searched for.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn identity(&self, name: &str) -> Result<OsciIdentity, Error> {
        let cipher = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(failed)?;
        let signature = if self.signing == &PKCS_RSA_SHA256 {
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072).map_err(failed)?
        } else {
            KeyPair::generate_for(self.signing).map_err(failed)?
        };
        let usage = [KeyUsagePurpose::KeyEncipherment, KeyUsagePurpose::DataEncipherment];
        let cipher_pem = self.certify(&format!("{name}-cipher"), &usage, &cipher)?;
        let signature_pem =
            self.certify(&format!("{name}-signature"), &[KeyUsagePurpose::DigitalSignature], &signature)?;
        let (cipher_key_pem, signature_key_pem) = (cipher.serialize_pem(), signature.serialize_pem());
        Ok(OsciIdentity {
            cipher: Arc::new(SoftwareKey::from_pem(&cipher_key_pem, &cipher_pem).map_err(failed)?),
            signature: Arc::new(SoftwareKey::from_pem(&signature_key_pem, &signature_pem).map_err(failed)?),
            cipher_pem,
            signature_pem,
            cipher_key_pem,
            signature_key_pem,
        })
    }

    fn certify(&self, name: &str, usages: &[KeyUsagePurpose], key: &KeyPair) -> Result<String, Error> {
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = usages.to_vec();
        params.serial_number = Some(SerialNumber::from(self.certified.fetch_add(1, Ordering::Relaxed) + 1));
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &self.issuer).map_err(failed)?.pem())
    }
}

impl OsciIdentity {
    /// The certificate that others encrypt for; it names the mailbox.
    #[must_use]
    pub fn cipher_certificate(&self) -> &Certificate {
        Decrypter::certificate(self.cipher.as_ref())
    }

    /// The certificate that others verify with.
    #[must_use]
    pub fn signature_certificate(&self) -> &Certificate {
        Signer::certificate(self.signature.as_ref())
    }

    /// Writes `<name>-cipher.key`, `<name>-cipher.pem` and the same for the signature.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> std::io::Result<()> {
        for (ending, text) in [
            ("cipher.key", &self.cipher_key_pem),
            ("cipher.pem", &self.cipher_pem),
            ("signature.key", &self.signature_key_pem),
            ("signature.pem", &self.signature_pem),
        ] {
            std::fs::write(folder.join(format!("{name}-{ending}")), text)?;
        }
        Ok(())
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}
