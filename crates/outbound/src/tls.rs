//! One TLS configuration for all connections to targets.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use crate::Error;

/// Vertrauen towards targets, as PEM. Empty: the certificates the operating system trusts, and no certificate of ours.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Further certification authorities, such as that of the municipal network.
    pub extra_roots: Vec<String>,
    /// Trust only `extra_roots`, not those of the operating system.
    pub only_extra_roots: bool,
    /// Certificate chain and key that we show to targets that ask for one.
    pub identity: Option<(String, String)>,
}

/// The provider of all cryptography: aws-lc-rs, as everywhere in the product.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// TLS 1.2 and 1.3 with certificate check; there is no switch to leave it out.
///
/// # Errors
/// [`Error::Certificates`] (DDS-C001) if a certificate or key cannot be used.
pub fn client_config(options: &TlsOptions) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots(options)?);
    let Some((chain, key)) = &options.identity else { return Ok(builder.with_no_client_auth()) };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().map_err(failed)?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(failed)?;
    builder.with_client_auth_cert(chain, key).map_err(failed)
}

fn roots(options: &TlsOptions) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if !options.only_extra_roots {
        // A damaged certificate among those of the system must not cost the others.
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
    }
    for pem in &options.extra_roots {
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            roots.add(certificate.map_err(failed)?).map_err(failed)?;
        }
    }
    Ok(roots)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Certificates(error.to_string())
}
