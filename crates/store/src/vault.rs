//! Keys: one per message, wrapped under the root key of the store, which the master key wraps.
//!
//! Deleting the wrapped key of a message makes everything stored under it unreadable for good, wherever copies of the
//! bytes may lie. The operator can change the master key, because only the root key depends on it. Any engine of the
//! store can share one [`Vault`].

use std::sync::Arc;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk},
    rand,
};
use dds_message::{DeliveryId, MessageId};
use zeroize::Zeroizing;

use crate::{Lease, StoreError};

/// Length of every key in bytes (AES-256).
const KEY: usize = 32;
/// Length of a nonce of AES-GCM in bytes (NIST SP 800-38D, 8.2).
pub(crate) const NONCE: usize = 12;

/// Hauptschlüssel, 256 bits. Comes from the operator, is never stored, and is overwritten when dropped.
pub struct MasterKey(Zeroizing<[u8; KEY]>);

impl MasterKey {
    /// Reads 64 hex digits; anything else is [`StoreError::Key`] (`DDS-S004`).
    pub fn from_hex(text: &str) -> Result<Self, StoreError> {
        let mut key = Zeroizing::new([0; KEY]);
        hex::decode_to_slice(text.trim(), key.as_mut_slice())
            .map_err(|_| StoreError::Key("not 64 hex digits; \"drehscheibe key\" makes one".into()))?;
        Ok(Self(key))
    }

    /// A new random key.
    pub fn generate() -> Result<Self, StoreError> {
        Ok(Self(random_key()?))
    }

    /// The key as 64 hex digits, to be written where only the operator can read it.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// `root` for storing, readable under this key only.
    pub(crate) fn wrap(&self, root: &RootKey) -> Result<Vec<u8>, StoreError> {
        seal(&derive(&prk(&self.0), ROOT)?, NAME, root.0.as_slice())
    }

    /// What [`Self::wrap`] made; `None` if another key made it.
    pub(crate) fn unwrap(&self, wrapped: &[u8]) -> Result<Option<RootKey>, StoreError> {
        let clear = open(&derive(&prk(&self.0), ROOT)?, NAME, wrapped).map(Zeroizing::new);
        Ok(clear.and_then(|clear| clear.as_slice().try_into().ok()).map(|key| RootKey(Zeroizing::new(key))))
    }

    /// The root key of a store of form 3 or older, whose message keys the master key itself wrapped. `None` if
    /// `check_value`, which such a store kept to tell, was made under another key.
    pub(crate) fn as_root(&self, check_value: &[u8]) -> Result<Option<RootKey>, StoreError> {
        let clear = open(&derive(&prk(&self.0), &[b"dds check 1"])?, NAME, check_value);
        Ok(clear.filter(|clear| clear == NAME).map(|_| RootKey(self.0.clone())))
    }
}

/// Wurzelschlüssel of a store, 256 bits: made once, kept wrapped by the master key, overwritten when dropped.
pub(crate) struct RootKey(Zeroizing<[u8; KEY]>);

impl RootKey {
    pub(crate) fn generate() -> Result<Self, StoreError> {
        Ok(Self(random_key()?))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Key of one message, 256 bits; overwritten when dropped.
#[derive(Clone)]
pub struct MessageKey(Zeroizing<[u8; KEY]>);

impl MessageKey {
    /// A key of its own for each `purpose`, so that no two uses can share a nonce.
    pub(crate) fn derive(&self, purpose: &[&[u8]]) -> Result<LessSafeKey, StoreError> {
        derive(&Prk::new_less_safe(HKDF_SHA256, self.0.as_slice()), purpose)
    }

    /// Encrypts a value kept outside this store, bound to `context` (table and row).
    pub fn seal_value(&self, context: &[u8], clear: &[u8]) -> Result<Vec<u8>, StoreError> {
        seal(&self.derive(&[b"dds value 1"])?, context, clear)
    }

    /// Decrypts what [`Self::seal_value`] made; [`StoreError::Corrupt`] if it was made for another context or changed.
    pub fn open_value(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        open(&self.derive(&[b"dds value 1"])?, context, sealed)
            .ok_or_else(|| StoreError::Corrupt("a sealed value does not decrypt".into()))
    }
}

impl std::fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MessageKey(…)")
    }
}

/// A message key encrypted under the root key for one message: nonce, ciphertext, tag; 60 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

/// Makes, wraps and unwraps message keys under the root key of one store. Cheap to clone.
///
/// The wrapping key is derived per message (HKDF, RFC 5869), so the limit of 2^32 random nonces per key
/// (NIST SP 800-38D, 8.3) is never near, and a wrapped key is of no use for another message.
#[derive(Clone)]
pub struct Vault(Arc<Prk>);

impl Vault {
    /// The vault of a store.
    pub(crate) fn new(root: &RootKey) -> Self {
        Self(Arc::new(prk(&root.0)))
    }

    /// A vault without a store, for tests of what takes one: the same key gives the same vault.
    #[must_use]
    pub fn apart(key: &MasterKey) -> Self {
        Self(Arc::new(prk(&key.0)))
    }

    /// A new key for `message`, and its wrapped form for [`crate::NewMessage::key`].
    pub fn new_message_key(&self, message: MessageId) -> Result<(MessageKey, WrappedKey), StoreError> {
        let key = random_key()?;
        let wrapped = seal(&self.wrapping(message)?, message.0.as_bytes(), key.as_slice())?;
        Ok((MessageKey(key), WrappedKey(wrapped)))
    }

    /// The key of `message`. [`StoreError::Corrupt`] if it was wrapped for another message or changed.
    pub fn unwrap_key(&self, message: MessageId, wrapped: &WrappedKey) -> Result<MessageKey, StoreError> {
        let what = || StoreError::Corrupt(format!("key of message {message} does not open"));
        let clear = Zeroizing::new(
            open(&self.wrapping(message)?, message.0.as_bytes(), &wrapped.0).ok_or_else(what)?,
        );
        let key = clear.as_slice().try_into().map_err(|_| what())?;
        Ok(MessageKey(Zeroizing::new(key)))
    }

    /// Beglaubigung of a lease: a number that only who holds this vault can tell, so that a lease which comes back with
    /// it was given out, for this delivery, in whatever life of the process.
    pub fn vouch_for(&self, lease: &Lease) -> Result<u64, StoreError> {
        let Lease { delivery: DeliveryId(delivery), epoch } = lease;
        let purpose: &[&[u8]] = &[b"dds lease 1", delivery.as_bytes(), &epoch.to_be_bytes()];
        let mut number = [0; Number::BYTES];
        self.0.expand(purpose, Number).and_then(|key| key.fill(&mut number)).map_err(no_crypto)?;
        Ok(u64::from_be_bytes(number))
    }

    fn wrapping(&self, message: MessageId) -> Result<LessSafeKey, StoreError> {
        derive(&self.0, &[b"dds wrap 1", message.0.as_bytes()])
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault(…)")
    }
}

/// Output of HKDF that is no key but a number.
struct Number;

impl Number {
    const BYTES: usize = 8;
}

impl KeyType for Number {
    fn len(&self) -> usize {
        Self::BYTES
    }
}

const NAME: &[u8] = b"datendrehscheibe";
/// What the master key is used for.
const ROOT: &[&[u8]] = &[b"dds root 1"];

fn prk(key: &[u8; KEY]) -> Prk {
    Prk::new_less_safe(HKDF_SHA256, key)
}

fn random_key() -> Result<Zeroizing<[u8; KEY]>, StoreError> {
    let mut key = Zeroizing::new([0; KEY]);
    rand::fill(key.as_mut_slice()).map_err(no_crypto)?;
    Ok(key)
}

fn derive(root: &Prk, purpose: &[&[u8]]) -> Result<LessSafeKey, StoreError> {
    let key = root.expand(purpose, &AES_256_GCM).map_err(no_crypto)?;
    Ok(LessSafeKey::new(UnboundKey::from(key)))
}

/// Nonce, ciphertext and tag of `clear`, bound to `context`.
pub(crate) fn seal(key: &LessSafeKey, context: &[u8], clear: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE];
    rand::fill(&mut nonce).map_err(no_crypto)?;
    let mut sealed = Vec::with_capacity(NONCE + clear.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(clear);
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut sealed[NONCE..],
        )
        .map_err(no_crypto)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

/// What [`seal`] sealed, or `None` if key, context or bytes are not the same.
pub(crate) fn open(key: &LessSafeKey, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
    let mut clear = rest.to_vec();
    let length =
        key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), &mut clear).ok()?.len();
    clear.truncate(length);
    Some(clear)
}

/// The operating system gives no randomness, or the library refuses its own key sizes: nothing the caller can mend.
fn no_crypto(_: aws_lc_rs::error::Unspecified) -> StoreError {
    StoreError::Unavailable("cryptographic library failed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> MessageId {
        MessageId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_wrapped_key_opens_only_for_its_message_and_its_root_key() {
        let vault = Vault::new(&RootKey::generate().unwrap());
        let (key, wrapped) = vault.new_message_key(id(1)).unwrap();
        assert_eq!(wrapped.0.len(), 60);
        assert_eq!(vault.unwrap_key(id(1), &wrapped).unwrap().0, key.0);
        assert!(matches!(vault.unwrap_key(id(2), &wrapped), Err(StoreError::Corrupt(_))));
        let other = Vault::new(&RootKey::generate().unwrap());
        assert!(matches!(other.unwrap_key(id(1), &wrapped), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn a_vault_vouches_for_its_own_leases_alone() {
        let (root, of) = (RootKey::generate().unwrap(), |n| DeliveryId(uuid::Uuid::from_u128(n)));
        let (vault, lease) = (Vault::new(&root), Lease { delivery: of(1), epoch: 7 });
        let number = vault.vouch_for(&lease).unwrap();
        assert_eq!(Vault::new(&root).vouch_for(&lease).unwrap(), number, "also after a restart");
        for other in [Lease { epoch: 8, ..lease }, Lease { delivery: of(2), ..lease }] {
            assert_ne!(vault.vouch_for(&other).unwrap(), number);
        }
        let other = Vault::new(&RootKey::generate().unwrap());
        assert_ne!(other.vouch_for(&lease).unwrap(), number);
    }

    #[test]
    fn a_root_key_opens_only_under_the_master_key_that_wrapped_it() {
        let (master, root) = (MasterKey::generate().unwrap(), RootKey::generate().unwrap());
        let wrapped = master.wrap(&root).unwrap();
        assert_eq!(wrapped.len(), 60);
        assert_eq!(master.unwrap(&wrapped).unwrap().unwrap().0, root.0);
        assert!(MasterKey::generate().unwrap().unwrap(&wrapped).unwrap().is_none());
        assert!(master.unwrap(&wrapped[..59]).unwrap().is_none());
    }

    #[test]
    fn a_master_key_is_64_hex_digits_and_never_shown() {
        let text = "0f".repeat(32);
        let key = MasterKey::from_hex(&format!("{text}\n")).unwrap();
        assert_eq!(*key.to_hex(), text);
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
        for wrong in ["", "0f", &"zz".repeat(32), &"0f".repeat(33)] {
            assert!(matches!(MasterKey::from_hex(wrong), Err(StoreError::Key(_))));
        }
    }
}
