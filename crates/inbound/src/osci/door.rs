//! A delivery becomes a message of the main path: whose it is, document first, attachments streamed, signatures last.

use std::sync::Arc;

use dds_courier::{Identity, Trust};
use dds_message::{Channel, Clock, Code, Digest, Problem, SourceId};
use dds_osci::{
    content::Content,
    intake::IntakeConfig,
    intermediary::Attachment,
    message::{CertificateRole, Envelope},
    trust::{CertificateUse, OnlineResult},
    xml::Document,
};
use dds_postbox::{Postbox, Reply, StoredPart};
use dds_router::{Acknowledgement, Answer, Begin, Handle};
use futures::StreamExt as _;

use super::content::{Opened, authors, too_large};
use crate::{Limits, Sources};

/// A delivery as it lies with us.
pub(super) struct Delivered {
    /// Envelope of the order or response that brought it.
    pub(super) document: Document,
    /// What it says.
    pub(super) envelope: Envelope,
    /// Its attachments.
    pub(super) attachments: Vec<Attachment<StoredPart>>,
    /// Key against duplicates: the MessageId.
    pub(super) key: String,
    /// It is the reply to something we mediated.
    pub(super) reply: Option<Reply>,
}

/// What takes deliveries over.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) handle: Arc<dyn Handle>,
    pub(super) sources: Arc<dyn Sources>,
    pub(super) limits: Limits,
    pub(super) intake: Arc<IntakeConfig>,
    pub(super) postbox: Postbox,
    pub(super) trust: Trust,
    pub(super) clock: Arc<dyn Clock>,
}

impl Door {
    /// Hands a delivery to the router. `Ok` after the router has it durably.
    pub(super) async fn take(
        &self,
        delivered: Delivered,
        identity: &Identity,
    ) -> Result<Acknowledgement, Problem> {
        let source = self.source(&delivered.envelope)?;
        let limits = self.sources.limits(&source).unwrap_or(self.limits);
        let key = format!("osci:{}", delivered.key);
        let begun = match delivered.reply {
            None => self.handle.begin(&source, Channel::Osci, Some(&key)).await,
            Some(Reply { message, kind }) => {
                let answer = Answer { kind, message: Some(message), case: None };
                self.handle.begin_answer(&source, Channel::Osci, Some(&key), answer).await
            }
        };
        let mut intake = match begun? {
            Begin::New(intake) => intake,
            // The key names the delivery, wherever it comes from; it need not be opened once more.
            Begin::Known { first, .. } => return first,
        };
        let opened = self.open(delivered, identity, limits).await?;
        let Opened { document, format, parts, list, mut content } = opened;
        for (part, attachment) in parts {
            let (stream, settled) = self.clear(part, &attachment);
            let mut left = limits.attachment_bytes;
            let limited = stream.map(move |piece| {
                let piece = piece?;
                left =
                    left.checked_sub(piece.len() as u64).ok_or_else(|| too_large(limits.attachment_bytes))?;
                Ok(piece)
            });
            let (name, media_type) = list
                .find(&attachment.content_id)
                .map_or((&attachment.content_id, &attachment.media_type), |file| {
                    (&file.name, &file.media_type)
                });
            intake.attachment(name, media_type, limited.boxed()).await?;
            if let Ok(digests) = settled.await {
                content.settle(&digests);
            }
        }
        authors(&content, true)?;
        self.unrevoked(&content).await?;
        intake.accept(document, format).await
    }

    /// The author of a content is nobody the intermediary vouches for: the code table has only warnings for him (3701 to 3703), so
    /// whoever reads must look. A revoked certificate signs nothing for us.
    async fn unrevoked(&self, content: &Content) -> Result<(), Problem> {
        let containers = content.all_containers();
        let signatures = containers.iter().flat_map(|container| &container.signatures);
        let signers: Vec<_> = signatures.filter_map(|signature| signature.signer.as_ref()).collect();
        let now = super::server::time(self.clock.now());
        self.trust.ask(signers.iter().copied(), now).await;
        let policy = self.trust.policy();
        for signer in signers {
            let report = policy.check(signer, CertificateUse::AuthorSignature, now);
            if matches!(report.online, Some(OnlineResult::Revoked(_))) {
                let holder = signer.sha256_hex();
                return Err(Problem::new(
                    Code::OSCI_AUTHOR,
                    format!("the author's certificate {holder} is revoked"),
                ));
            }
        }
        Ok(())
    }

    /// The source is who the originator's certificate says: verified by the intermediary that is ours or that we trust.
    fn source(&self, envelope: &Envelope) -> Result<SourceId, Problem> {
        [CertificateRole::SignatureOriginator, CertificateRole::CipherOriginator]
            .into_iter()
            .filter_map(|role| envelope.certificates.certificate(role))
            .find_map(|certificate| self.sources.by_certificate(&Digest::of(certificate.der())))
            .ok_or_else(|| {
                Problem::new(
                    Code::NOT_AUTHENTICATED,
                    "no source names the originator's certificate under `certificates`",
                )
            })
    }
}
