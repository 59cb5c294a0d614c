//! Algorithms: the URIs OSCI messages name them by, and the policy that says which of them are good enough.
//!
//! A URI that is recognised is not thereby allowed: SHA-1, RIPEMD-160, CBC and RSA-1.5 are known so that a refusal and
//! `osci inspect` can name them. What is allowed, [`CryptoPolicy`] says.

use aws_lc_rs::digest;

use crate::certificate::{Curve, PublicKeyKind};

/// Declares an enum whose variants are named by URIs, with both directions of the mapping from one table.
macro_rules! named_by_uri {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $uri:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every algorithm of this kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The URI the algorithm has in a message.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$variant => $uri,)+ }
            }

            /// The algorithm a URI names; `None` if it is none that OSCI knows.
            #[must_use]
            pub fn from_uri(uri: &str) -> Option<Self> {
                match uri { $($uri => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named_by_uri! {
    /// Digest (Hashwert) of a reference, `ds:DigestMethod`. K1–10 name SHA-256/512 and SHA-3; SHA-384, which they have
    /// inside OAEP only, is read in references too.
    DigestAlgorithm {
        /// The default of OSCI.
        Sha256 = "http://www.w3.org/2001/04/xmlenc#sha256",
        /// Written in RSA-OAEP and ecdsa-sha384 only; read as the digest of a reference too, which the schemas (K1–10)
        /// do not list.
        Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384",
        /// SHA-512.
        Sha512 = "http://www.w3.org/2001/04/xmlenc#sha512",
        /// SHA3-256 (Korrigendum 5).
        Sha3_256 = "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
        /// SHA3-384 (Korrigendum 5).
        Sha3_384 = "http://www.w3.org/2007/05/xmldsig-more#sha3-384",
        /// SHA3-512 (Korrigendum 5).
        Sha3_512 = "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
        /// Legacy, removed by Korrigendum 3; refused unless a policy allows it.
        Sha1 = "http://www.w3.org/2000/09/xmldsig#sha1",
        /// Legacy, removed by Korrigendum 4; recognised so that the refusal can name it, never computed.
        Ripemd160 = "http://www.w3.org/2001/04/xmlenc#ripemd160",
    }
}

impl DigestAlgorithm {
    /// The implementation; `None` for RIPEMD-160, which is never computed.
    pub(crate) fn implementation(self) -> Option<&'static digest::Algorithm> {
        Some(match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha3_256 => &digest::SHA3_256,
            Self::Sha3_384 => &digest::SHA3_384,
            Self::Sha3_512 => &digest::SHA3_512,
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Ripemd160 => return None,
        })
    }
}

named_by_uri! {
    /// Signature algorithm, `ds:SignatureMethod` (facts 8, K1–10). ECDSA values are r‖s of fixed length, not DER.
    SignatureAlgorithm {
        /// RSA PKCS#1 v1.5 with SHA-256; the default of OSCI.
        RsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        /// RSA PKCS#1 v1.5 with SHA-512.
        RsaSha512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        /// RSA-PSS, SHA-256, salt as long as the digest.
        PssSha256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        /// RSA-PSS, SHA-512.
        PssSha512 = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
        /// RSA-PSS, SHA3-256; verified, not written by [`SoftwareKey`](crate::keys::SoftwareKey).
        PssSha3_256 = "http://www.w3.org/2007/05/xmldsig-more#sha3-256-rsa-MGF1",
        /// RSA-PSS, SHA3-384; verified, not written.
        PssSha3_384 = "http://www.w3.org/2007/05/xmldsig-more#sha3-384-rsa-MGF1",
        /// RSA-PSS, SHA3-512; verified, not written.
        PssSha3_512 = "http://www.w3.org/2007/05/xmldsig-more#sha3-512-rsa-MGF1",
        /// ECDSA with SHA-256.
        EcdsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        /// ECDSA with SHA-384 (Korrigendum 9; old partners do not know it).
        EcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        /// ECDSA with SHA-512.
        EcdsaSha512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        /// Legacy, removed by Korrigendum 3.
        RsaSha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        /// Legacy, removed by Korrigendum 4; recognised, never verified.
        RsaRipemd160 = "http://www.w3.org/2001/04/xmldsig-more/rsa-ripemd160",
    }
}

impl SignatureAlgorithm {
    /// The digest inside the signature.
    #[must_use]
    pub const fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaSha256 | Self::PssSha256 | Self::EcdsaSha256 => DigestAlgorithm::Sha256,
            Self::EcdsaSha384 => DigestAlgorithm::Sha384,
            Self::RsaSha512 | Self::PssSha512 | Self::EcdsaSha512 => DigestAlgorithm::Sha512,
            Self::PssSha3_256 => DigestAlgorithm::Sha3_256,
            Self::PssSha3_384 => DigestAlgorithm::Sha3_384,
            Self::PssSha3_512 => DigestAlgorithm::Sha3_512,
            Self::RsaSha1 => DigestAlgorithm::Sha1,
            Self::RsaRipemd160 => DigestAlgorithm::Ripemd160,
        }
    }
}

named_by_uri! {
    /// Encryption of data (Datenverschlüsselung), `xenc:EncryptionMethod` (facts 7).
    DataAlgorithm {
        /// AES-128-GCM.
        Aes128Gcm = "http://www.w3.org/2009/xmlenc11#aes128-gcm",
        /// AES-192-GCM.
        Aes192Gcm = "http://www.w3.org/2009/xmlenc11#aes192-gcm",
        /// AES-256-GCM; what we write.
        Aes256Gcm = "http://www.w3.org/2009/xmlenc11#aes256-gcm",
        /// Legacy, unauthenticated; readable only where a policy allows it.
        Aes128Cbc = "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
        /// Legacy, unauthenticated.
        Aes192Cbc = "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
        /// Legacy, unauthenticated.
        Aes256Cbc = "http://www.w3.org/2001/04/xmlenc#aes256-cbc",
        /// Legacy, unauthenticated.
        TripleDesCbc = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
    }
}

impl DataAlgorithm {
    /// Length of the key in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Cbc => 16,
            Self::Aes192Gcm | Self::Aes192Cbc | Self::TripleDesCbc => 24,
            Self::Aes256Gcm | Self::Aes256Cbc => 32,
        }
    }

    /// Length of the IV in bytes. Only GCM has a choice; CBC has the length of its block.
    #[must_use]
    pub const fn iv_len(self, gcm: IvLength) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => gcm.bytes(),
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
            Self::TripleDesCbc => 8,
        }
    }

    /// Whether the algorithm authenticates what it encrypts.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm)
    }
}

/// Length of the IV of AES-GCM (Korrigendum 6). Without an `osci128:IvLength` element it is sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IvLength {
    /// 12 bytes, announced by `IvLength Value="12"`; what we write.
    Twelve,
    /// 16 bytes, when nothing is announced.
    Sixteen,
}

impl IvLength {
    /// The length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Twelve => 12,
            Self::Sixteen => 16,
        }
    }

    /// From the `Value` of `osci128:IvLength`, `None` standing for an absent element. Any other value is refused
    /// (feedback 9202).
    #[must_use]
    pub fn from_element(value: Option<&str>) -> Option<Self> {
        match value {
            None | Some("16") => Some(Self::Sixteen),
            Some("12") => Some(Self::Twelve),
            Some(_) => None,
        }
    }
}

/// Key transport (Schlüsseltransport): how the key of the data is wrapped for the certificate of a reader (facts 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyTransport {
    /// `xmlenc11#rsa-oaep`, empty label, MGF1 with the same digest: SHA-256 (default), SHA-384 or SHA-512.
    Oaep(DigestAlgorithm),
    /// `xmlenc#rsa-1_5`, deprecated since library 2.3.0; readable only where a policy allows it.
    Rsa15,
}

impl KeyTransport {
    const OAEP_URI: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
    const RSA15_URI: &str = "http://www.w3.org/2001/04/xmlenc#rsa-1_5";

    /// What OSCI writes by default: OAEP with SHA-256.
    pub const DEFAULT: Self = Self::Oaep(DigestAlgorithm::Sha256);

    /// `EncryptionMethod@Algorithm`.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Oaep(_) => Self::OAEP_URI,
            Self::Rsa15 => Self::RSA15_URI,
        }
    }

    /// `xenc11:MGF@Algorithm`; `None` for RSA-1.5 and for digests OAEP does not have in OSCI.
    #[must_use]
    pub const fn mgf_uri(self) -> Option<&'static str> {
        match self {
            Self::Oaep(DigestAlgorithm::Sha256) => Some("http://www.w3.org/2009/xmlenc11#mgf1sha256"),
            Self::Oaep(DigestAlgorithm::Sha384) => Some("http://www.w3.org/2009/xmlenc11#mgf1sha384"),
            Self::Oaep(DigestAlgorithm::Sha512) => Some("http://www.w3.org/2009/xmlenc11#mgf1sha512"),
            Self::Oaep(_) | Self::Rsa15 => None,
        }
    }

    /// `ds:DigestMethod` of OAEP.
    #[must_use]
    pub const fn digest(self) -> Option<DigestAlgorithm> {
        match self {
            Self::Oaep(digest) => Some(digest),
            Self::Rsa15 => None,
        }
    }

    /// From the three URIs of a message. OAEP needs both its children and one hash in both; RSA-1.5 has neither.
    /// `xmlenc#rsa-oaep-mgf1p` is not part of OSCI. `None` is feedback 9202.
    #[must_use]
    pub fn from_uris(method: &str, mgf: Option<&str>, digest: Option<&str>) -> Option<Self> {
        match (method, mgf, digest) {
            (Self::OAEP_URI, Some(mgf), Some(digest)) => {
                let transport = Self::Oaep(DigestAlgorithm::from_uri(digest)?);
                (transport.mgf_uri() == Some(mgf)).then_some(transport)
            }
            (Self::RSA15_URI, None, None) => Some(Self::Rsa15),
            _ => None,
        }
    }
}

/// Which algorithms and keys of a message are good enough. `Default` is strict: what K1–10 allow and the Saxon
/// intermediary's rule of July 2024 (RSA of at least 3072 bits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CryptoPolicy {
    /// Read CBC and 3DES. Unauthenticated, open to padding oracles.
    pub allow_cbc: bool,
    /// Read keys wrapped by RSA-1.5.
    pub allow_rsa15: bool,
    /// Accept SHA-1 in signatures and digests.
    pub allow_sha1: bool,
    /// Shortest RSA key accepted, in bits.
    pub min_rsa_bits: u32,
    /// EC curves accepted.
    pub curves: Vec<Curve>,
}

impl Default for CryptoPolicy {
    fn default() -> Self {
        Self {
            allow_cbc: false,
            allow_rsa15: false,
            allow_sha1: false,
            min_rsa_bits: 3072,
            curves: vec![Curve::P256, Curve::P384, Curve::P521],
        }
    }
}

impl CryptoPolicy {
    /// Whether a digest may stand in a message.
    #[must_use]
    pub const fn accepts_digest(&self, digest: DigestAlgorithm) -> bool {
        match digest {
            DigestAlgorithm::Sha1 => self.allow_sha1,
            DigestAlgorithm::Ripemd160 => false,
            _ => true,
        }
    }

    /// Whether a signature may be made this way.
    #[must_use]
    pub const fn accepts_signature(&self, algorithm: SignatureAlgorithm) -> bool {
        self.accepts_digest(algorithm.digest())
    }

    /// Whether data may be encrypted this way.
    #[must_use]
    pub const fn accepts_data(&self, algorithm: DataAlgorithm) -> bool {
        algorithm.is_authenticated() || self.allow_cbc
    }

    /// Whether a key may be wrapped this way.
    #[must_use]
    pub const fn accepts_transport(&self, transport: KeyTransport) -> bool {
        match transport {
            KeyTransport::Oaep(_) => transport.mgf_uri().is_some(),
            KeyTransport::Rsa15 => self.allow_rsa15,
        }
    }

    /// Whether a key is long enough or on an accepted curve.
    #[must_use]
    pub fn accepts_key(&self, key: PublicKeyKind) -> bool {
        match key {
            PublicKeyKind::Rsa { bits } => bits >= self.min_rsa_bits,
            PublicKeyKind::Ec { curve } => self.curves.contains(&curve),
            PublicKeyKind::Other => false,
        }
    }
}

/// A digest that is fed piece by piece.
pub struct Hasher(digest::Context);

impl Hasher {
    /// A fresh digest; `None` for RIPEMD-160, which is never computed.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm) -> Option<Self> {
        algorithm.implementation().map(|implementation| Self(digest::Context::new(implementation)))
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }

    /// The digest of one slice.
    #[must_use]
    pub fn digest(algorithm: DigestAlgorithm, bytes: &[u8]) -> Option<Vec<u8>> {
        algorithm
            .implementation()
            .map(|implementation| digest::digest(implementation, bytes).as_ref().to_vec())
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
