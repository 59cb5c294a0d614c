//! With which algorithm an identity signs.

use std::sync::Arc;

use dds_config::OsciSignature;
use dds_message::Code;
use dds_osci::{
    algorithm::SignatureAlgorithm,
    certificate::Certificate,
    german,
    keys::{KeyError, Signer},
};

use crate::Failure;

/// A key that signs with another algorithm than it would by itself.
struct Wished {
    key: Arc<dyn Signer>,
    algorithm: SignatureAlgorithm,
}

impl Signer for Wished {
    fn certificate(&self) -> &Certificate {
        self.key.certificate()
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.key.sign(algorithm, message)
    }

    fn default_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// The key as the configuration wishes it to sign. It signs once here, because which algorithms a key has is known to
/// nobody but the key: a token may have others than software.
pub(super) fn with(key: Arc<dyn Signer>, wished: Option<OsciSignature>) -> Result<Arc<dyn Signer>, Failure> {
    let Some(wished) = wished else { return Ok(key) };
    let algorithm = algorithm(wished);
    match key.sign(algorithm, b"signature_algorithm") {
        Ok(signature) if key.certificate().verify(algorithm, b"signature_algorithm", &signature) => {
            Ok(Arc::new(Wished { key, algorithm }))
        }
        refused => {
            let kind = key.certificate().key().to_string();
            let why = refused.err().unwrap_or(KeyError::Operation).to_string();
            let text = (
                format!(
                    "signature_algorithm: der Schlüssel ({}) signiert so nicht: {}",
                    german::of(&kind).unwrap_or_else(|| kind.clone()),
                    german::reason(&why)
                ),
                format!("signature_algorithm: the key ({kind}) does not sign so: {why}"),
            );
            Err(Failure::new(Code::OSCI_KEYS, text))
        }
    }
}

const fn algorithm(wished: OsciSignature) -> SignatureAlgorithm {
    match wished {
        OsciSignature::RsaSha256 => SignatureAlgorithm::RsaSha256,
        OsciSignature::RsaSha512 => SignatureAlgorithm::RsaSha512,
        OsciSignature::PssSha256 => SignatureAlgorithm::PssSha256,
        OsciSignature::PssSha512 => SignatureAlgorithm::PssSha512,
        OsciSignature::EcdsaSha256 => SignatureAlgorithm::EcdsaSha256,
        OsciSignature::EcdsaSha384 => SignatureAlgorithm::EcdsaSha384,
        OsciSignature::EcdsaSha512 => SignatureAlgorithm::EcdsaSha512,
    }
}
