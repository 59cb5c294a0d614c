//! PKCS#12 files.

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use zeroize::Zeroizing;

use super::KeyError;
use crate::certificate::Certificate;

/// Private key (PKCS#8) and its certificate.
pub(super) fn read(der: &[u8], pin: &str) -> Result<(Zeroizing<Vec<u8>>, Certificate), KeyError> {
    let unreadable = |text: &str| KeyError::Unreadable(text.to_owned());
    let store = KeyStore::from_pkcs12(der, pin, Pkcs12ImportPolicy::Relaxed).map_err(|_| KeyError::Pin)?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or_else(|| unreadable("the PKCS#12 file has no private key with a certificate"))?;
    let certificate =
        chain.certs().first().ok_or_else(|| unreadable("the PKCS#12 file has no certificate"))?;
    let key = Zeroizing::new(chain.key().as_der().to_vec());
    Ok((key, Certificate::from_der(certificate.as_der().to_vec())?))
}
