//! A delivery becomes a message of the main path: whose it is, document first, attachments streamed, signatures last.

use std::sync::Arc;

use bytes::Bytes;
use dds_courier::{AttachmentList, Identity, Trust};
use dds_message::{Channel, Clock, Code, Digest, Digesting, Format, Problem, SourceId};
use dds_osci::{
    certificate::Certificate,
    content::Content,
    feedback::FeedbackCode,
    german,
    intake::IntakeConfig,
    intermediary::Attachment,
    message::{CertificateRole, Envelope},
    trust::{CertificateUse, RevocationDemand},
    xml::Document,
};
use dds_postbox::{Postbox, Reply, StoredPart};
use dds_router::{ACCEPTED_IN_ORDER, Acknowledgement, Answer, Begin, Handle, Intake};
use futures::{StreamExt as _, stream};

use super::content::{Part, Picked, Reading, authors, media_type};
use crate::{AuthorRule, Limits, Sources, body::large_attachment, name};

/// A delivery as it lies with us.
pub(super) struct Delivered {
    /// Envelope of the order or response that brought it.
    pub(super) document: Document,
    /// What it says.
    pub(super) envelope: Envelope,
    /// Its attachments.
    pub(super) attachments: Vec<Attachment<StoredPart>>,
    /// Key against duplicates where somebody vouches for the sender: the MessageId.
    pub(super) key: String,
    /// It is the reply to something we mediated.
    pub(super) reply: Option<Reply>,
    /// An intermediary that is ours or that we trust has signed it, and so vouches for the originator's signature
    /// certificate.
    pub(super) vouched: bool,
}

impl Delivered {
    /// The certificate whose holder, as an intermediary vouches, signed the order. The originator's cipher certificate
    /// says nothing about who he is: he need not have its key to send.
    fn originator(&self) -> Option<&Certificate> {
        self.envelope.certificates.certificate(CertificateRole::SignatureOriginator).filter(|_| self.vouched)
    }
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

/// A delivery that was read and proved as far as it had to be: what is left is the router's word.
pub(super) enum Prepared {
    /// Nobody has brought it before.
    New { intake: Box<dyn Intake>, document: Bytes, format: Format },
    /// The router has it, and said this of it.
    Known(Result<Acknowledgement, Problem>),
}

impl Prepared {
    /// Nothing that is accepted after it counts before it.
    pub(super) fn keeps_its_place(&self) -> bool {
        match self {
            Self::New { document, .. } => document.len() <= ACCEPTED_IN_ORDER,
            Self::Known(_) => true,
        }
    }

    /// Hands it to the router. `Ok` after the router has it durably.
    pub(super) async fn accept(self) -> Result<Acknowledgement, Problem> {
        match self {
            Self::New { intake, document, format } => intake.accept(document, format).await,
            Self::Known(first) => first,
        }
    }
}

impl Door {
    /// Reads a delivery, proves who wrote it, and brings its attachments to the router. Nothing counts before it is
    /// accepted.
    pub(super) async fn prepare(
        &self,
        delivered: Delivered,
        identity: &Identity,
    ) -> Result<Prepared, Problem> {
        let delivered = Arc::new(delivered);
        let (source, early, key) = match delivered.originator() {
            Some(originator) => (self.source(originator)?, None, delivered.key.clone()),
            None => {
                let content = self.open(&delivered, identity).await?;
                // Nobody vouches for a sender: only the author himself can say who it is.
                self.authors_trusted(&content, AuthorRule::Required).await?;
                let key = key_of_authors(&content);
                (self.source_of_authors(&content)?, Some(content), key)
            }
        };
        let limits = self.sources.limits(&source).unwrap_or(self.limits);
        let mut intake = match (self.begin(&source, &key, delivered.reply).await?, &early) {
            // What the authors have signed is the key; it need not be read once more.
            (Begin::Known { first, .. }, Some(_)) => return Ok(Prepared::Known(first)),
            // A MessageId only says that it is the same: whoever gave it out may have done so twice (DDS-I010).
            (begin, _) => begin.intake(),
        };
        let content = match early {
            Some(content) => content,
            None => self.open(&delivered, identity).await?,
        };
        let (picked, mut content) = self.pick(&delivered, content, limits).await?;
        let Picked { document, format, parts, list } = picked;
        for (number, part) in (1..).zip(parts) {
            let limit = limits.attachment_bytes;
            self.hand_over(intake.as_mut(), (number, part), &list, limit, &mut content).await?;
        }
        authors(&content, Reading::Complete)?;
        let remarks = self.authors_trusted(&content, self.sources.author(&source)).await?;
        intake.remark(remarks.iter().map(|code| format!("OSCI {code}")).collect());
        Ok(Prepared::New { intake, document, format })
    }

    async fn begin(&self, source: &SourceId, key: &str, reply: Option<Reply>) -> Result<Begin, Problem> {
        let key = format!("osci:{key}");
        match reply {
            None => self.handle.begin(source, Channel::Osci, Some(&key)).await,
            Some(Reply { message, kind }) => {
                let answer = Answer { kind, message: Some(message), case: None };
                self.handle.begin_answer(source, Channel::Osci, Some(&key), answer).await
            }
        }
    }

    /// Streams a content beside the document to the router; at most so many bytes of it. What its author's signature
    /// covers is settled when all of it has passed.
    async fn hand_over(
        &self,
        intake: &mut dyn Intake,
        (number, part): (usize, Part),
        list: &AttachmentList,
        longest: u64,
        content: &mut Content,
    ) -> Result<(), Problem> {
        let (part, attachment) = match part {
            Part::Attached(part, attachment) => (part, attachment),
            Part::Inline { octets, .. } if octets.len() as u64 > longest => {
                return Err(large_attachment(longest));
            }
            Part::Inline { name, octets } => {
                let media_type = media_type(&octets);
                return intake
                    .attachment(&name_of(&name, number), media_type, stream::iter([Ok(octets)]).boxed())
                    .await
                    .map(drop);
            }
        };
        let (stream, settled) = self.clear(part, &attachment);
        let mut left = longest;
        let limited = stream.map(move |piece| {
            let piece = piece?;
            left = left.checked_sub(piece.len() as u64).ok_or_else(|| large_attachment(longest))?;
            Ok(piece)
        });
        let (name, media_type) = list
            .find(&attachment.content_id)
            .map_or((&attachment.content_id, &attachment.media_type), |file| (&file.name, &file.media_type));
        intake
            .attachment(&name_of(name, number), &name::media_type(Some(media_type)), limited.boxed())
            .await?;
        if let Ok(digests) = settled.await {
            content.settle(&digests);
        }
        Ok(())
    }

    /// What the authors' certificates are worth by the rule of the source, and the warnings that are no hindrance. An
    /// author is nobody the intermediary vouches for: the code table has only warnings for him (3701 to 3703, 3707), so
    /// whoever reads must look. A revoked certificate signs nothing for us, and neither does one without the answer
    /// that the policy demands.
    async fn authors_trusted(
        &self,
        content: &Content,
        rule: AuthorRule,
    ) -> Result<Vec<FeedbackCode>, Problem> {
        let signers = signers(content);
        if signers.is_empty() && rule == AuthorRule::Required {
            return Err(Problem::new(
                Code::OSCI_AUTHOR,
                ("kein Autor hat den Inhalt signiert", "no author has signed the content"),
            ));
        }
        let now = self.clock.now().to_jiff();
        self.trust.ask(signers.iter().copied(), now).await;
        let policy = self.trust.policy();
        let mut remarks = Vec::new();
        for signer in signers {
            let report = policy.check(signer, CertificateUse::AuthorSignature, now);
            let found = |code| report.findings.contains(&code);
            let unanswered = policy.revocation == RevocationDemand::Require && found(FeedbackCode::S3707);
            let untrusted = rule != AuthorRule::Any && found(FeedbackCode::S3702);
            if found(FeedbackCode::S3703) || unanswered || untrusted {
                let (certificate, why) = (signer.sha256_hex(), report.detail_without_holder());
                let text = (
                    format!("das Zertifikat {certificate} des Autors gilt nicht ({})", german::reason(&why)),
                    format!("the author's certificate {certificate} does not count: {why}"),
                );
                return Err(Problem::new(Code::OSCI_AUTHOR, text));
            }
            remarks.extend(report.findings);
        }
        remarks.sort_unstable();
        remarks.dedup();
        Ok(remarks)
    }

    fn source(&self, certificate: &Certificate) -> Result<SourceId, Problem> {
        self.sources.by_certificate(&Digest::of(certificate.der())).ok_or_else(|| {
            let text = (
                "keine Quelle nennt das Zertifikat des Signierenden unter `certificates`",
                "no source names the certificate of the signer under `certificates`",
            );
            Problem::new(Code::NOT_AUTHENTICATED, text)
        })
    }

    /// The source whose certificates made every signature of the content: what another has signed beside it is not its
    /// word.
    fn source_of_authors(&self, content: &Content) -> Result<SourceId, Problem> {
        let mut sources = signers(content).into_iter().map(|signer| self.source(signer));
        let nobody = || {
            let text = ("niemand hat Auftrag oder Inhalt signiert", "nobody has signed order or content");
            Problem::new(Code::NOT_AUTHENTICATED, text)
        };
        let source = sources.next().ok_or_else(nobody)??;
        for other in sources {
            if other? != source {
                let text = (
                    "Autoren mehrerer Quellen haben einen Auftrag signiert, den selbst niemand signiert hat",
                    "authors of several sources have signed an order that nobody has signed",
                );
                return Err(Problem::new(Code::NOT_AUTHENTICATED, text));
            }
        }
        Ok(source)
    }
}

/// The name under which the `number`th attachment goes on: a file name as everywhere, or one of ours.
fn name_of(sent: &str, number: usize) -> String {
    name::file_name(sent).unwrap_or_else(|_| format!("anlage-{number}"))
}

/// Key against duplicates of what nobody vouches for: what the authors have signed. Whoever has seen a container can
/// send it again, under as many MessageIds as he likes; it stays the same message.
fn key_of_authors(content: &Content) -> String {
    let containers = content.all_containers();
    let signatures = containers.into_iter().flat_map(|container| &container.signatures);
    let mut signed: Vec<Digest> = signatures
        .map(|signature| {
            let mut hash = Digesting::default();
            hash.update(signature.signer.as_ref().map_or(b"".as_slice(), |signer| signer.der()));
            hash.update(signature.signing_time.as_deref().unwrap_or_default().as_bytes());
            signature.references.iter().for_each(|reference| hash.update(&reference.expected));
            hash.finish().0
        })
        .collect();
    signed.sort_unstable_by_key(|digest| digest.0);
    let mut hash = Digesting::default();
    signed.iter().for_each(|digest| hash.update(&digest.0));
    format!("signed/{}", hash.finish().0)
}

/// Whose signatures stand in the content.
fn signers(content: &Content) -> Vec<&Certificate> {
    let containers = content.all_containers();
    let signatures = containers.into_iter().flat_map(|container| &container.signatures);
    signatures.filter_map(|signature| signature.signer.as_ref()).collect()
}
