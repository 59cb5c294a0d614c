/// `osci2017:FeatureDescription`: what the sender of the message can do and the limits it sets. Signed like every other
/// header block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureDescription {
    /// `MaxMessageSize` in KB.
    pub max_message_size: Option<u64>,
    /// `MinChunkSize` in KB.
    pub min_chunk_size: Option<u64>,
    /// `MaxChunkSize` in KB.
    pub max_chunk_size: Option<u64>,
    /// `ChunkMessageTimeout`; the unit is not settled, we take milliseconds (facts 10). The spelling `…TimeOut` of
    /// schemas before Korrigendum 8 is read as well.
    pub chunk_message_timeout: Option<u64>,
    /// `Feature` elements; unknown keys are kept and ignored.
    pub features: Vec<Feature>,
}

/// One feature, e.g. `GCMPaddingModus` since version `1.7.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// `Key`
    pub key: String,
    /// `Version` of the library that brought it.
    pub version: String,
}

impl FeatureDescription {
    /// Attachments without Base64.
    pub const DISABLE_BASE64: (&str, &str) = ("DisableBase64", "1.2.0");
    /// RSA-OAEP key transport.
    pub const OAEP: (&str, &str) = ("OAEPEncryption", "1.6.0");
    /// SHA-3 digests.
    pub const SHA3: (&str, &str) = ("SHA3HashAlgo", "1.6.3");
    /// AES-GCM.
    pub const GCM: (&str, &str) = ("GCMPaddingModus", "1.7.0");
    /// Chunked transfer.
    pub const PARTIAL: (&str, &str) = ("PartialMessageTransmission", "1.8.0");
    /// GCM with an IV of 12 octets.
    pub const IV96: (&str, &str) = ("Support96Bit12ByteIV", "1.9.0");

    /// What this crate can do, without limits.
    pub fn ours() -> Self {
        let features = [Self::DISABLE_BASE64, Self::OAEP, Self::SHA3, Self::GCM, Self::PARTIAL, Self::IV96]
            .map(|(key, version)| Feature { key: key.to_owned(), version: version.to_owned() })
            .to_vec();
        Self { features, ..Self::default() }
    }

    /// Whether a feature is announced.
    pub fn has(&self, feature: (&str, &str)) -> bool {
        self.features.iter().any(|announced| announced.key == feature.0)
    }
}
