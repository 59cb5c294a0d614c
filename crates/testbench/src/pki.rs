//! Certificates for one test.

use std::sync::Arc;

use dds_message::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;

/// Test-PKI: a certification authority of its own with a key that lives as long as this value.
pub struct TestPki {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    root_pem: String,
}

/// A certificate with its key.
pub struct Identity {
    /// Certificate, PEM.
    pub certificate_pem: String,
    /// Key (PKCS #8), PEM.
    pub key_pem: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl TestPki {
    /// A new authority.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn new() -> Result<Self, Error> {
        let mut params = params("Test-Wurzel", Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let root = params.self_signed(&key).map_err(failed)?;
        Ok(Self { root: root.der().clone(), root_pem: root.pem(), issuer: Issuer::new(params, key) })
    }

    /// The root certificate, PEM: what a peer must trust.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// A server certificate for `localhost` and `127.0.0.1`.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn server(&self) -> Result<Identity, Error> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        self.sign(params("localhost", names)?, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate for `name`.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn client(&self, name: &str) -> Result<Identity, Error> {
        self.sign(params(name, Vec::new())?, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// TLS of a server with a fresh certificate; `demand_client`: only clients with a certificate of this authority
    /// get in.
    ///
    /// # Errors
    /// [`Error::Certificate`].
    pub fn server_config(&self, demand_client: bool) -> Result<Arc<ServerConfig>, Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let builder = if demand_client {
            let mut roots = RootCertStore::empty();
            roots.add(self.root.clone()).map_err(failed)?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().map_err(failed)?)
        } else {
            builder.with_no_client_auth()
        };
        let identity = self.server()?;
        let chain = vec![identity.certificate.clone(), self.root.clone()];
        Ok(Arc::new(builder.with_single_cert(chain, identity.key()).map_err(failed)?))
    }

    fn sign(&self, mut params: CertificateParams, usage: ExtendedKeyUsagePurpose) -> Result<Identity, Error> {
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Identity {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        })
    }
}

impl Identity {
    /// SHA-256 of the certificate (DER), as sources name it in their configuration.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.certificate)
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()))
    }
}

fn params(name: &str, alternatives: Vec<String>) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(alternatives).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}
