//! TLS of a listener.

use std::sync::Arc;

use parking_lot::RwLock;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// TLS 1.2 and 1.3 for a listener, with optional client certificates. Clones share what [`Tls::renew`] puts in force.
#[derive(Clone)]
pub struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

/// Why TLS cannot be set up; the operator must act (`DDS-C001`).
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Not PEM, or nothing of the expected kind in it.
    #[error("{what}: {source}")]
    Pem {
        /// Which of the three.
        what: &'static str,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// Key and certificate do not fit, or rustls does not take them.
    #[error("certificate or key not usable: {0}")]
    Rustls(#[from] rustls::Error),
    /// The client certificate authorities are not usable.
    #[error("client certificate authorities not usable: {0}")]
    ClientAuthorities(#[from] rustls::server::VerifierBuilderError),
}

impl Tls {
    /// From PEM: the certificate chain (own certificate first), its key, and the authorities (CA) whose client
    /// certificates are taken as credentials; `None`: no client certificates are asked for. A client without
    /// certificate can still come with a token.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn from_pem(chain: &[u8], key: &[u8], client_authorities: Option<&[u8]>) -> Result<Self, TlsError> {
        Ok(Self { config: Arc::new(RwLock::new(server_config(chain, key, client_authorities)?)) })
    }

    /// Renewed certificates: connections from now on are shown these and judged by these authorities; those that stand
    /// go on. On an error everything stays as it was.
    ///
    /// # Errors
    /// [`TlsError`]
    pub fn renew(&self, chain: &[u8], key: &[u8], client_authorities: Option<&[u8]>) -> Result<(), TlsError> {
        *self.config.write() = server_config(chain, key, client_authorities)?;
        Ok(())
    }

    /// What the next connection gets.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read())
    }
}

fn server_config(
    chain: &[u8],
    key: &[u8],
    client_authorities: Option<&[u8]>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let chain = certificates(chain, "certificate chain")?;
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem { what: "private key", source })?;
    let verifier = client_authorities.map(|authorities| verifier(authorities, &provider)).transpose()?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn verifier(pem: &[u8], provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(pem, "client certificate authorities")? {
        roots.add(authority)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    Ok(builder.allow_unauthenticated().build()?)
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::Pem { what, source })
}
