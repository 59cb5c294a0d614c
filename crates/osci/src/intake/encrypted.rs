//! A message inside `soapMessageEncrypted` (facts 7).
//!
//! One answer and the same work for every failure after the key was chosen (facts 17): a key that does not unwrap
//! is replaced by a random one, all octets are decrypted to the end, and what the plaintext looks like decides nothing
//! before the tag was verified.

use zeroize::Zeroizing;

use super::parts::Parts;
use super::{Held, IntakeConfig, PartStore, Received, TransportEncryption, collect, digests, failure, parse};
use crate::algorithm::{DigestAlgorithm, Hasher};
use crate::cipher::Decryption;
use crate::encryption::{self, CipherSource, KeyRecipient};
use crate::feedback::{FeedbackCode, Refused};
use crate::keys::{Decrypter, unwrap_or_random};
use crate::message::MessageKind;
use crate::mime::{MimeReader, PartHeaders, PartSink};
use crate::random::Random;
use crate::xml::{Document, NS_XENC, elements, is};

pub(super) struct Encrypted<P: PartStore> {
    cipher_id: String,
    seen: bool,
    transport: TransportEncryption,
    decryption: Decryption,
    plaintext: Zeroizing<Vec<u8>>,
    reader: Option<MimeReader>,
    inner: Inner<P>,
    /// The first thing wrong with the plaintext; counts only if the tag says that the partner wrote it.
    refused: Option<Refused>,
    /// Hashes the rest of a plaintext that cannot be split, so that octets cost about the same with and without a
    /// fault.
    sink: Option<Hasher>,
}

/// The random key drawn at the start of the reading.
struct Fallback<'a>(&'a [u8; 32]);

impl Random for Fallback<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        for (place, byte) in bytes.iter_mut().zip(self.0) {
            *place = *byte;
        }
    }
}

impl<P: PartStore> Encrypted<P> {
    pub(super) fn open(
        document: &Document,
        config: &IntakeConfig,
        decrypters: &[&dyn Decrypter],
        fallback: &[u8; 32],
        store: P,
    ) -> Result<Self, Refused> {
        let invalid = |what: &str| Refused::new(FeedbackCode::S9100, what);
        let body = document.body().ok_or_else(|| invalid("no Body"))?;
        let mut inside = elements(body);
        let data = inside
            .next()
            .filter(|node| is(*node, NS_XENC, "EncryptedData"))
            .ok_or_else(|| invalid("no EncryptedData"))?;
        if inside.next().is_some() || document.header().is_some() {
            return Err(invalid("soapMessageEncrypted holds more than one EncryptedData"));
        }
        let data = encryption::read(data, &config.policy)?;
        let (algorithm, iv) = data.method?;
        let [key] = data.keys.as_slice() else {
            return Err(invalid("transport encryption has exactly one EncryptedKey"));
        };
        let transport = key.transport.clone()?;
        let CipherSource::Attachment(cipher_id) = data.source else {
            return Err(invalid("no CipherReference"));
        };
        let KeyRecipient::Certificate(certificate) = &key.recipient else {
            return Err(invalid("EncryptedKey without X509Certificate"));
        };
        let decrypter =
            decrypters.iter().find(|decrypter| decrypter.certificate() == certificate).ok_or_else(|| {
                Refused::new(
                    FeedbackCode::S9200,
                    format!("no private key for certificate {}", certificate.sha256_hex()),
                )
            })?;
        // From here on every failure looks alike, unless the token with the key is lost.
        let session =
            unwrap_or_random(*decrypter, transport, &key.wrapped, algorithm, &mut Fallback(fallback))?;
        let decryption = Decryption::new(algorithm, iv, &session).map_err(|_| failure())?;
        let reader = MimeReader::new(config.mime);
        // What is appended to a ciphertext that nothing authenticates would tell by its padding what it is.
        let reader = if algorithm.is_authenticated() { reader } else { reader.without_epilogue() };
        Ok(Self {
            cipher_id,
            seen: false,
            transport: TransportEncryption {
                certificate: certificate.clone(),
                data: algorithm,
                iv,
                key: transport,
            },
            decryption,
            plaintext: Zeroizing::new(Vec::new()),
            reader: Some(reader),
            inner: Inner {
                root: Vec::new(),
                held: config.memory.begin(),
                limit: config.xml.bytes,
                parts: None,
                store: Some(store),
            },
            refused: None,
            sink: Hasher::new(DigestAlgorithm::Sha256),
        })
    }

    pub(super) fn begin(&mut self, headers: &PartHeaders) -> Result<(), Refused> {
        if self.seen || headers.content_id.as_deref() != Some(&self.cipher_id) {
            return Err(Refused::new(
                FeedbackCode::S9100,
                "an encrypted message has one part, the one that CipherReference names",
            ));
        }
        self.seen = true;
        Ok(())
    }

    pub(super) fn data(&mut self, octets: &[u8]) {
        self.plaintext.clear();
        self.decryption.update(octets, &mut self.plaintext);
        self.split();
    }

    fn split(&mut self) {
        if let Some(reader) = &mut self.reader {
            let Err(error) = reader.push(&self.plaintext, &mut self.inner) else { return };
            self.refused = Some(super::refused(error));
            self.reader = None;
        } else if let Some(sink) = &mut self.sink {
            sink.update(&self.plaintext);
        }
    }

    pub(super) fn finish(mut self, config: &IntakeConfig, bytes: u64) -> Result<Received<P>, Refused> {
        if !self.seen {
            return Err(Refused::new(FeedbackCode::S9100, "the encrypted part is missing"));
        }
        let authenticated = self.transport.data.is_authenticated();
        self.plaintext.clear();
        let mut rest = std::mem::take(&mut self.plaintext);
        let verified = self.decryption.finish(&mut rest);
        let (mut inner, mut refused) = (self.inner, self.refused);
        if let Some(mut reader) = self.reader {
            let ended = reader.push(&rest, &mut inner).and_then(|()| reader.finish(&mut inner));
            refused = ended.err().map(super::refused);
        }
        verified.map_err(|_| failure())?;
        let message = match refused {
            Some(refused) => Err(refused),
            None => inner.finish(config),
        };
        // Without authentication the plaintext may be the partner's or an attacker's: its faults are faults of
        // decryption.
        let (document, kind, parts, held) =
            message.map_err(|refused| if authenticated { refused } else { failure() })?;
        let (store, attachments) = parts.finish();
        Ok(Received {
            document,
            kind,
            attachments,
            transport: Some(self.transport),
            store,
            bytes,
            _held: held,
        })
    }
}

/// The message inside. Its envelope is kept as octets until the tag was verified.
struct Inner<P: PartStore> {
    root: Vec<u8>,
    held: Held,
    limit: usize,
    parts: Option<Parts<P>>,
    store: Option<P>,
}

impl<P: PartStore> Inner<P> {
    fn finish(self, config: &IntakeConfig) -> Result<(Document, MessageKind, Parts<P>, Held), Refused> {
        let (document, kind) = parse(self.root, config)?;
        if kind == MessageKind::MessageEncrypted {
            return Err(Refused::new(
                FeedbackCode::S9100,
                "an encrypted message inside an encrypted message",
            ));
        }
        let parts = self.parts.ok_or_else(|| Refused::new(FeedbackCode::S9100, "no root part"))?;
        Ok((document, kind, parts, self.held))
    }
}

impl<P: PartStore> PartSink for Inner<P> {
    type Error = Refused;

    fn begin(&mut self, _index: usize, headers: &PartHeaders) -> Result<(), Refused> {
        self.parts.as_mut().map_or(Ok(()), |parts| parts.begin(headers))
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Refused> {
        match &mut self.parts {
            None => collect(&mut self.root, &mut self.held, octets, self.limit),
            Some(parts) => parts.data(octets),
        }
    }

    fn end(&mut self) -> Result<(), Refused> {
        match (&mut self.parts, self.store.take()) {
            (None, Some(store)) => {
                self.parts = Some(Parts::new(store, digests::named(&self.root)));
                Ok(())
            }
            (Some(parts), _) => parts.end(),
            (None, None) => Ok(()),
        }
    }
}
