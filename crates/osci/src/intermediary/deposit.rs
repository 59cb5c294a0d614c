//! Einlieferung ohne Leitung: the process that runs the intermediary puts a delivery of its own into a mailbox.
//!
//! It is what getMessageId and storeDelivery are on the wire, with the same code from the certificates to the process
//! card. Nobody can reach it from outside: whoever calls it vouches that he is the client. What an order on the wire
//! has beside that, and why a deposit has it or not:
//!
//! | | |
//! |---|---|
//! | signature of the order | not made. It proves to the intermediary who sent; here the process would prove to itself which key it holds. No reader ever sees it: responses are signed by the intermediary. The author's signature of the content stays as it is |
//! | transport encryption, dialogue, feedback | nothing travels and nobody is answered; warnings come back to the caller |
//! | certificates of originator, addressee, readers | in the envelope as on the wire, with the Ids that content and keys point to |
//! | inspections | one for each certificate that was checked, by the same policy, the originator's two included: an inspection says that a certificate is good, not that something was signed with it |
//! | originator of the process card | both certificates of the client: he finds the card over the wire too |
//! | Creation, subject, custom headers | as on the wire |
//! | MessageId | issued to the client and used in the same step. How many a client may hold unused is no question: he holds none |
//! | InsideFeedback, chunks | none: there is nothing to cut |
//! | signature, encryption required | encryption protects a wire. A client without signature certificate is refused (9600) where signatures are required |

use std::collections::HashSet;

use jiff::Timestamp;

use super::dialogue::message_id;
use super::store::{mailbox, put};
use super::{Attachment, Examined, Intermediary, Mailboxes, StoreFailed};
use crate::certificate::Certificate;
use crate::client::{Client, Delivery};
use crate::feedback::{FeedbackClass, FeedbackCode, Refused};
use crate::laufzettel::ProcessCardBundle;
use crate::message::{Envelope, MessageId, check_references};
use crate::mime::{MimeLimits, is_attachment_name};
use crate::random::Random;
use crate::xml::{Document, limits};

/// A delivery of the process itself, examined and ready for its mailbox.
#[derive(Debug)]
pub struct Deposit<H> {
    id: MessageId,
    subject: Option<String>,
    order: Examined<H>,
}

/// A delivery that lies in its mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposited {
    /// Its MessageId.
    pub id: MessageId,
    /// Its process card.
    pub card: ProcessCardBundle,
    /// Warnings (3xxx) that the feedback of an order would carry.
    pub warnings: Vec<FeedbackCode>,
}

impl Intermediary {
    /// Examines a delivery of the process itself, as [`Self::examine`] does an order. `client` is its originator, whose
    /// keys the process holds; `attachments` are those of the content; `now` as there.
    ///
    /// # Errors
    /// 9000 when the content cannot be written, 9100 when it is longer than an envelope may be, refers to an attachment
    /// that is not there, or has more of them than a message, two of one name, or one whose name is none.
    pub fn deposit<H>(
        &self,
        client: &Client,
        delivery: Delivery,
        attachments: Vec<Attachment<H>>,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<Deposit<H>, Refused> {
        let (id, subject) = (message_id(now, random), delivery.subject.clone());
        let (request, _) = client.store(id.clone(), delivery, random);
        let octets = request.envelope.write()?.assemble(None);
        check_parts(&attachments)?;
        // Read as an order is: what lies in a mailbox must be readable when it is fetched.
        let document = Document::parse(octets, &limits())
            .map_err(|error| Refused::new(FeedbackCode::S9100, error.to_string()))?;
        let envelope = Envelope::read(&document)?;
        check_references(&document, attachments.iter().map(|attachment| attachment.content_id.as_str()))?;
        let reports = self.check_certificates(&envelope, client.signature.as_ref(), now);
        let order = Examined {
            octets: document.bytes().to_vec(),
            attachments,
            transport: None,
            signer: Ok(client.signature.clone()),
            reports,
            fetchable: Ok(()),
            at: now,
            envelope,
        };
        Ok(Deposit { id, subject, order: order.look_ahead(self) })
    }
}

/// What the reader of a MIME message would refuse.
fn check_parts<H>(attachments: &[Attachment<H>]) -> Result<(), Refused> {
    let names: HashSet<&str> = attachments.iter().map(|attachment| attachment.content_id.as_str()).collect();
    let limits = MimeLimits::default();
    let most = limits.parts;
    // The envelope is a part too.
    if attachments.len() >= most
        || names.len() < attachments.len()
        || !names.iter().all(|name| is_attachment_name(name, &limits))
    {
        let detail = format!("a message has less than {most} attachments, each with a plain name of its own");
        return Err(Refused::new(FeedbackCode::S9100, detail));
    }
    Ok(())
}

impl<H: Clone + std::fmt::Debug> Deposit<H> {
    /// As [`Examined::certificates`].
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.order.certificates()
    }

    /// As [`Examined::recheck`].
    #[must_use]
    pub fn recheck(self, intermediary: &Intermediary) -> Self {
        Self { order: self.order.recheck(intermediary), ..self }
    }

    /// Puts the delivery into its mailbox, or says with the code of a feedback why not; then nothing was changed. The
    /// driver runs this inside one transaction, together with what it notes itself, and commits before it tells
    /// anybody.
    ///
    /// # Errors
    /// [`StoreFailed`]: roll back; the same may be tried again.
    pub fn put<M: Mailboxes<Handle = H>>(
        self,
        intermediary: &Intermediary,
        boxes: &mut M,
    ) -> Result<Result<Deposited, Refused>, StoreFailed> {
        let Self { id, subject, order } = self;
        let unsound = || order.unsound(intermediary, None).map(|refusal| refusal.refused);
        if let Some(refused) = order.fault().or_else(unsound) {
            return Ok(Err(refused));
        }
        let client = order.client();
        let mailbox = match mailbox(boxes, intermediary, &order, &client)? {
            Ok(mailbox) => mailbox,
            Err(refusal) => return Ok(Err(refusal.refused)),
        };
        boxes.issue_id(&id, &client.fingerprint(), None, order.at)?;
        let card = put(boxes, &order, &client, (&id, subject), mailbox)?;
        let warnings = order.findings(|class| class == FeedbackClass::Warning);
        Ok(Ok(Deposited { id, card, warnings }))
    }
}
