//! Keys on a PKCS#11 token (smart card, hardware security module) as [`Signer`] and [`Decrypter`] of OSCI.
//!
//! The private key never leaves the token. A [`Module`] is the driver of the vendor, loaded once; [`Module::key`]
//! finds a key and its certificate. Sessions are opened as they are needed, so keys are used from many threads.
//!
//! ```no_run
//! use dds_pkcs11::{KeyLocation, Module};
//! use dds_osci::keys::Signer as _;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let module = Module::load("/usr/lib/softhsm/libsofthsm2.so".as_ref())?;
//! let location = KeyLocation { token: "Stadt".to_owned(), label: "osci-signatur".to_owned() };
//! let key = module.key(&location, "123456", None)?;
//! let signature = key.sign(key.default_algorithm(), b"SignedInfo")?;
//! # Ok(()) }
//! ```

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")
)]

use std::path::Path;
use std::sync::Arc;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use dds_osci::algorithm::{DigestAlgorithm, Hasher, KeyTransport, SignatureAlgorithm};
use dds_osci::certificate::{Certificate, PublicKeyKind};
use dds_osci::keys::{Decrypter, KeyError, Signer};
use parking_lot::Mutex;
use zeroize::Zeroizing;

mod oaep;

/// Where a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLocation {
    /// Label of the token (`CKA_LABEL` of the slot's token).
    pub token: String,
    /// Label of the private key; its certificate has the same label or the same `CKA_ID`.
    pub label: String,
}

/// The driver of a token.
#[derive(Debug, Clone)]
pub struct Module(Pkcs11);

impl Module {
    /// Loads the driver, a shared library of the token's vendor. Code of that library then runs in this process.
    ///
    /// # Errors
    /// [`KeyError::Token`] if it cannot be loaded or initialised.
    pub fn load(library: &Path) -> Result<Self, KeyError> {
        let context = Pkcs11::new(library).map_err(|error| {
            KeyError::Token(format!("the driver {} cannot be loaded: {error}", library.display()))
        })?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(Self(context)),
            Err(error) => Err(token_error(&error)),
        }
    }

    /// Finds a private key and its certificate, which is read from the token unless it is given.
    ///
    /// # Errors
    /// [`KeyError::Pin`] for a wrong or locked PIN; [`KeyError::Token`] if token, key or certificate are not there;
    /// [`KeyError::Mismatch`] if the token signs or decrypts with another key than the certificate's.
    pub fn key(
        &self,
        location: &KeyLocation,
        pin: &str,
        certificate: Option<Certificate>,
    ) -> Result<TokenKey, KeyError> {
        let slot = self.slot(&location.token)?;
        let store = Store { context: self.0.clone(), slot, label: location.label.clone(), pin: pin.into() };
        let first = store.open()?;
        let certificate = match certificate {
            Some(certificate) => certificate,
            None => store.certificate(&first)?,
        };
        Ok(TokenKey { certificate, store, idle: Arc::new(Mutex::new(vec![first])) })
    }

    fn slot(&self, token: &str) -> Result<Slot, KeyError> {
        let slots = self.0.get_slots_with_token().map_err(|error| token_error(&error))?;
        let found = slots
            .into_iter()
            .find(|slot| self.0.get_token_info(*slot).is_ok_and(|info| info.label() == token));
        found.ok_or_else(|| KeyError::Token(format!("no token with the label \"{token}\"")))
    }
}

/// A private key on a token, with its certificate.
#[derive(Clone)]
pub struct TokenKey {
    certificate: Certificate,
    store: Store,
    /// Sessions nobody uses just now. A PKCS#11 session serves one thread at a time.
    idle: Arc<Mutex<Vec<Opened>>>,
}

/// How to reach the key again.
#[derive(Clone)]
struct Store {
    context: Pkcs11,
    slot: Slot,
    label: String,
    pin: AuthPin,
}

/// A session in which the key was found.
struct Opened {
    session: Session,
    key: ObjectHandle,
}

impl Store {
    /// Opens a session, logs in unless the process already is, finds the key.
    fn open(&self) -> Result<Opened, KeyError> {
        let session = self.context.open_ro_session(self.slot).map_err(|error| token_error(&error))?;
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinLocked | RvError::PinLenRange, _)) => {
                return Err(KeyError::Pin);
            }
            Err(error) => return Err(token_error(&error)),
        }
        let template =
            [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Label(self.label.clone().into_bytes())];
        let found = session.find_objects(&template).map_err(|error| token_error(&error))?;
        match found.as_slice() {
            [key] => Ok(Opened { key: *key, session }),
            [] => Err(KeyError::Token(format!("no private key with the label \"{}\"", self.label))),
            _ => Err(KeyError::Token(format!("several private keys have the label \"{}\"", self.label))),
        }
    }

    /// The certificate with the `CKA_ID` of the key, or with its label.
    fn certificate(&self, opened: &Opened) -> Result<Certificate, KeyError> {
        let session = &opened.session;
        let id =
            session.get_attributes(opened.key, &[AttributeType::Id]).map_err(|error| token_error(&error))?;
        let names = id.into_iter().chain([Attribute::Label(self.label.clone().into_bytes())]);
        for name in names {
            let template = [Attribute::Class(ObjectClass::CERTIFICATE), name];
            let found = session.find_objects(&template).map_err(|error| token_error(&error))?;
            let Some(object) = found.first() else { continue };
            let values = session
                .get_attributes(*object, &[AttributeType::Value])
                .map_err(|error| token_error(&error))?;
            if let Some(Attribute::Value(der)) = values.into_iter().next() {
                return Ok(Certificate::from_der(der)?);
            }
        }
        Err(KeyError::Token(format!("no certificate beside the key \"{}\"", self.label)))
    }
}

impl TokenKey {
    /// Runs an operation in a session. If the token was lost meanwhile (removed, restarted), it is reached once more
    /// in a fresh session; an operation that merely failed is not repeated and keeps its session, so that a forged
    /// message costs no new login.
    fn with<T>(&self, operation: impl Fn(&Opened) -> Result<T, Error>) -> Result<Result<T, Error>, KeyError> {
        let idle = self.idle.lock().pop();
        if let Some(opened) = idle {
            let result = operation(&opened);
            if !matches!(&result, Err(error) if is_lost(error)) {
                self.idle.lock().push(opened);
                return Ok(result);
            }
            // What else is idle belongs to the lost token too. Dropping the sessions closes them.
            self.idle.lock().clear();
        }
        let opened = self.store.open()?;
        let result = operation(&opened);
        self.idle.lock().push(opened);
        Ok(result)
    }

    fn decrypt(
        &self,
        mechanism: &Mechanism<'_>,
        wrapped: &[u8],
    ) -> Result<Result<Zeroizing<Vec<u8>>, Error>, KeyError> {
        self.with(|opened| opened.session.decrypt(mechanism, opened.key, wrapped).map(Zeroizing::new))
    }
}

impl Signer for TokenKey {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        use SignatureAlgorithm as A;
        let is_rsa = matches!(self.certificate.key(), PublicKeyKind::Rsa { .. });
        let mechanism = match algorithm {
            A::RsaSha256 if is_rsa => Mechanism::Sha256RsaPkcs,
            A::RsaSha512 if is_rsa => Mechanism::Sha512RsaPkcs,
            A::PssSha256 if is_rsa => Mechanism::Sha256RsaPkcsPss(PkcsPssParams {
                hash_alg: MechanismType::SHA256,
                mgf: PkcsMgfType::MGF1_SHA256,
                s_len: 32.into(),
            }),
            A::PssSha512 if is_rsa => Mechanism::Sha512RsaPkcsPss(PkcsPssParams {
                hash_alg: MechanismType::SHA512,
                mgf: PkcsMgfType::MGF1_SHA512,
                s_len: 64.into(),
            }),
            // Every token has the bare mechanism, whose value is r‖s; the digest is made here.
            A::EcdsaSha256 | A::EcdsaSha384 | A::EcdsaSha512 if !is_rsa => Mechanism::Ecdsa,
            _ => return Err(KeyError::Unsuitable("the token does not sign with this algorithm")),
        };
        let digest = if is_rsa { None } else { Hasher::digest(algorithm.digest(), message) };
        let signed = digest.as_deref().unwrap_or(message);
        let signature = self
            .with(|opened| opened.session.sign(&mechanism, opened.key, signed))?
            .map_err(|error| token_error(&error))?;
        // A key that is not the certificate's would make messages nobody can verify.
        if self.certificate.verify(algorithm, message, &signature) {
            Ok(signature)
        } else {
            Err(KeyError::Mismatch)
        }
    }
}

impl Decrypter for TokenKey {
    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn unwrap_key(&self, transport: KeyTransport, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let failed = |_| KeyError::Operation;
        let digest = match transport {
            KeyTransport::Rsa15 => return self.decrypt(&Mechanism::RsaPkcs, wrapped)?.map_err(failed),
            KeyTransport::Oaep(digest) => digest,
        };
        let (hash, mgf) = match digest {
            DigestAlgorithm::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
            DigestAlgorithm::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
            DigestAlgorithm::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
            _ => return Err(KeyError::Unsuitable("OAEP takes SHA-256, SHA-384 or SHA-512")),
        };
        let parameters = PkcsOaepParams::new(hash, mgf, PkcsOaepSource::empty());
        match self.decrypt(&Mechanism::RsaPkcsOaep(parameters), wrapped)? {
            Err(error) if is_unsupported(&error) => {
                // The token has OAEP with SHA-1 only, or none: it does the power, we take the padding off.
                let PublicKeyKind::Rsa { bits } = self.certificate.key() else {
                    return Err(KeyError::Unsuitable("keys are unwrapped with RSA"));
                };
                let encoded = self.decrypt(&Mechanism::RsaX509, wrapped)?.map_err(failed)?;
                let modulus = usize::try_from(bits.div_ceil(8)).map_err(|_| KeyError::Operation)?;
                oaep::decode(digest, &encoded, modulus).ok_or(KeyError::Operation)
            }
            result => result.map_err(failed),
        }
    }
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// Whether the session or the token behind it is gone.
fn is_lost(error: &Error) -> bool {
    use RvError as R;
    matches!(
        error,
        Error::Pkcs11(
            R::SessionHandleInvalid
                | R::SessionClosed
                | R::DeviceRemoved
                | R::DeviceError
                | R::TokenNotPresent
                | R::UserNotLoggedIn
                | R::KeyHandleInvalid
                | R::ObjectHandleInvalid,
            _
        )
    )
}

/// Whether the token refused the mechanism before it saw the wrapped key: the same answer for every message.
fn is_unsupported(error: &Error) -> bool {
    use RvError as R;
    matches!(
        error,
        Error::Pkcs11(
            R::MechanismInvalid | R::MechanismParamInvalid | R::ArgumentsBad,
            Function::DecryptInit
        )
    )
}

fn token_error(error: &Error) -> KeyError {
    KeyError::Token(error.to_string())
}
