//! An order in its turn: dialogue, signature, certificates, then the order itself (facts 16, steps 4 to 9).

use super::dialogue::{Place, enter, message_id};
use super::reply::Frame;
use super::{
    Client, Dialogue, Examined, IdState, Intermediary, Mailboxes, Reply, Step, StoreFailed, cards, chunks,
    fetch, push, store,
};
use crate::algorithm::{DigestAlgorithm, Hasher};
use crate::certificate::PublicKeyKind;
use crate::feedback::{Feedback, FeedbackClass, FeedbackCode, Refused};
use crate::message::{ChunkInformation, ChunkRequest, MessageKind, Order};
use crate::random::Random;
use crate::trust::CertificateReport;

/// An order about to be executed: everything about it has been found right.
pub(super) struct Turn<'a, M: Mailboxes> {
    pub(super) intermediary: &'a Intermediary,
    pub(super) boxes: &'a mut M,
    pub(super) random: &'a mut dyn Random,
    pub(super) order: Examined<M::Handle>,
    pub(super) frame: Frame,
    /// `None` outside a dialogue.
    pub(super) dialogue: Option<Dialogue>,
    pub(super) client: Client,
    pub(super) warnings: Vec<FeedbackCode>,
}

/// Result of a step of an order: refusals are for the client, failures of the store for the driver.
pub(super) type Outcome<H> = Result<Result<Step<H>, Refusal>, StoreFailed>;

/// A typed refusal: code, and a text of its own where the table has no exact word.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) refused: Refused,
    pub(super) text: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub(super) fn new(code: FeedbackCode, detail: impl Into<String>) -> Self {
        Self { refused: Refused::new(code, detail), text: None }
    }

    pub(super) const fn explained(mut self, german: &'static str, english: &'static str) -> Self {
        self.text = Some((german, english));
        self
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self { refused, text: None }
    }
}

impl<H: Clone + std::fmt::Debug> Examined<H> {
    /// Executes the order on the state. The driver runs this inside one transaction and commits before anything leaves.
    ///
    /// # Errors
    /// [`StoreFailed`]: roll back and answer with the fault 9000; the client may send the same order again.
    pub fn execute<M: Mailboxes<Handle = H>>(
        self,
        intermediary: &Intermediary,
        boxes: &mut M,
        random: &mut dyn Random,
    ) -> Result<Step<H>, StoreFailed> {
        let kind = self.kind();
        let unreadable = match kind {
            // Their answers carry what belongs to the holder of the certificate only.
            MessageKind::FetchDelivery
            | MessageKind::FetchProcessCard
            | MessageKind::PartialFetchDelivery
            | MessageKind::MediateDelivery => true,
            _ => intermediary.rules.encryption_required,
        };
        let fault = |refused: &Refused| Ok(Step::Answer(Reply::fault(refused)));
        if unreadable && self.transport.is_none() {
            return fault(&Refused::new(FeedbackCode::S9300, format!("{kind} must be encrypted")));
        }
        let (place, frame) = match enter(&self, intermediary, boxes, random)? {
            Ok(entered) => entered,
            Err(refused) => return fault(&refused),
        };
        if let Some(refused) = self.fault() {
            return fault(&refused);
        }
        let dialogue = match place {
            Place::Homeless => {
                return Ok(refuse(
                    &self,
                    intermediary,
                    &frame,
                    &[],
                    &Refusal::new(FeedbackCode::S9802, "no dialogue"),
                ));
            }
            Place::Implicit => None,
            Place::In(dialogue) => {
                boxes.keep_dialogue(&dialogue)?;
                Some(dialogue)
            }
            // It is kept when the order is executed.
            Place::Opens(dialogue) => Some(dialogue),
        };
        let warnings = self.findings(|class| class == FeedbackClass::Warning);
        if let Some(refusal) = self.unsound(intermediary, dialogue.as_ref()) {
            return Ok(refuse(&self, intermediary, &frame, &warnings, &refusal));
        }
        let mut client = self.client();
        if let Some(dialogue) = &dialogue {
            client.cipher.clone_from(&dialogue.client.cipher);
        }
        let mut turn = Turn { intermediary, boxes, random, order: self, frame, dialogue, client, warnings };
        turn.acknowledge()?;
        match turn.perform()? {
            Ok(step) => Ok(step),
            Err(refusal) => Ok(refuse(&turn.order, intermediary, &turn.frame, &turn.warnings, &refusal)),
        }
    }

    /// What is wrong with the client's cipher certificate: nothing could be answered to him.
    pub(super) fn fault(&self) -> Option<Refused> {
        let codes = self.findings(|class| matches!(class, FeedbackClass::Fault(_)));
        codes.last().map(|code| Refused::new(*code, "the client's cipher certificate"))
    }

    /// What is wrong with signature or certificates, as a typed refusal.
    pub(super) fn unsound(
        &self,
        intermediary: &Intermediary,
        dialogue: Option<&Dialogue>,
    ) -> Option<Refusal> {
        let expected = dialogue.and_then(|dialogue| dialogue.client.signature.as_ref());
        match &self.signer {
            Err(refused) => return Some(refused.clone().into()),
            Ok(None) if intermediary.rules.signature_required || expected.is_some() => {
                return Some(Refusal::new(FeedbackCode::S9600, "the order is not signed"));
            }
            // A dialogue belongs to who opened it: another valid signature is a wrong one here.
            Ok(Some(signer)) if expected.is_some_and(|expected| expected != signer) => {
                return Some(Refusal::new(
                    FeedbackCode::S9601,
                    "signed by another than the one who opened the dialogue",
                ));
            }
            Ok(_) => {}
        }
        let errors = self.findings(|class| class == FeedbackClass::Error);
        let code = *errors.last()?;
        let report = self.reports.iter().find(|report| report.findings.contains(&code));
        let detail = report.map(CertificateReport::detail_without_holder).unwrap_or_default();
        let mut refusal = Refusal::new(code, detail);
        if let Some(report) = report
            && matches!(report.certificate.key(), PublicKeyKind::Rsa { bits } if bits < intermediary.trust.min_rsa_bits)
        {
            refusal = refusal.explained(
                "Der RSA-Schlüssel des Zertifikats ist zu kurz; die Mindestlänge dieses Intermediärs ist unterschritten (üblich: 3072 Bit)",
                "The RSA key of the certificate is shorter than this intermediary demands (usually 3072 bits)",
            );
        }
        Some(refusal)
    }
}

impl<M: Mailboxes> Turn<'_, M> {
    /// Any further order of a dialogue says that the last response arrived: deliveries in it are received
    /// (specification 1.2, section 4; facts 12).
    fn acknowledge(&mut self) -> Result<(), StoreFailed> {
        let Some(dialogue) = &mut self.dialogue else { return Ok(()) };
        let handed_out = std::mem::take(&mut dialogue.handed_out);
        if handed_out.is_empty() {
            return Ok(());
        }
        self.boxes.keep_dialogue(dialogue)?;
        for id in handed_out {
            if let Some(mut card) = self.boxes.card(&id)?
                && card.bundle.card.reception.is_none()
            {
                card.receive(self.order.at);
                self.boxes.keep_card(&card)?;
            }
            self.boxes.end_rendered(&id)?;
        }
        Ok(())
    }

    fn perform(&mut self) -> Outcome<M::Handle> {
        match self.order.envelope.order.clone() {
            Order::InitDialog => {
                if !self.finds_room()? {
                    return Ok(Err(Refusal::new(FeedbackCode::S9811, "too many dialogues are open")));
                }
                if let Some(dialogue) = &self.dialogue {
                    self.boxes.keep_dialogue(dialogue)?;
                }
                let feedback = self.frame.done(&self.warnings);
                self.answer(Order::ResponseToInitDialog(feedback))
            }
            Order::ExitDialog => {
                if let Some(dialogue) = &self.dialogue {
                    self.boxes.end_dialogue(&dialogue.conversation)?;
                }
                let feedback = self.frame.done(&self.warnings);
                self.answer(Order::ResponseToExitDialog(feedback))
            }
            Order::GetMessageId => self.issue(),
            Order::StoreDelivery { message_id, subject } => store::store(self, &message_id, subject),
            Order::ForwardDelivery { receiver, message_id, subject } => {
                push::forward(self, &receiver, &message_id, subject)
            }
            Order::MediateDelivery { receiver, message_id, subject } => {
                push::mediate(self, &receiver, message_id, subject)
            }
            Order::FetchDelivery(selection) => fetch::fetch(self, selection),
            Order::FetchProcessCard(query) => cards::fetch(self, query),
            Order::PartialStoreDelivery { message_id, chunk, .. } => chunks::store(self, &message_id, chunk),
            Order::PartialFetchDelivery { selection, chunk } => chunks::fetch(self, selection, chunk),
            // `examine` lets no other kind through.
            _ => Ok(Err(Refusal::new(FeedbackCode::S9811, "an order without executor"))),
        }
    }

    /// Whether one more dialogue may be open. A dialogue without an order gives way: its initDialog may be one that
    /// somebody posts again and again, and he cannot go on without the Challenge in our encrypted answer.
    fn finds_room(&mut self) -> Result<bool, StoreFailed> {
        let (rules, client) = (&self.intermediary.rules, self.client.fingerprint());
        let (open, own) = self.boxes.open_dialogues(&client)?;
        if own >= rules.client_dialogues {
            return self.boxes.end_unbegun(Some(&client));
        }
        Ok(open < rules.dialogues || self.boxes.end_unbegun(None)?)
    }

    /// One order is issued one MessageId, however often it comes: a client whose answer was lost gets it once more,
    /// and whoever posts the order of another again gets him no further ones. Within a dialogue nothing comes twice.
    fn issue(&mut self) -> Outcome<M::Handle> {
        let client = self.client.fingerprint();
        let challenge = self.order.envelope.control.challenge.as_ref().filter(|_| self.dialogue.is_none());
        let order =
            challenge.and_then(|challenge| Hasher::digest(DigestAlgorithm::Sha256, challenge.as_bytes()));
        let known = match &order {
            Some(order) => self.boxes.issued_for(order, &client)?,
            None => None,
        };
        let id = match known {
            Some((id, IdState::Free)) => id,
            Some(_) => {
                let refusal =
                    Refusal::new(FeedbackCode::S9400, "the MessageId of this order was used before");
                return Ok(Err(refusal.explained(
                    "Dieser Auftrag wurde schon beantwortet und seine MessageId verwendet; ein neuer Auftrag braucht eine neue Challenge",
                    "This order was answered before and its MessageId used; a new order needs a new Challenge",
                )));
            }
            None if self.boxes.unused_ids(&client)? >= self.intermediary.rules.unused_ids => {
                return Ok(Err(Refusal::new(FeedbackCode::S9811, "too many unused MessageIds")));
            }
            None => {
                let id = message_id(self.order.at, self.random);
                self.boxes.issue_id(&id, &client, order.as_deref(), self.order.at)?;
                id
            }
        };
        let feedback = self.frame.done(&self.warnings);
        self.answer(Order::ResponseToGetMessageId { feedback, message_id: Some(id) })
    }

    pub(super) fn answer(&self, order: Order) -> Outcome<M::Handle> {
        Ok(Ok(Step::Answer(self.frame.reply(self.intermediary, order))))
    }
}

/// The typed response of a refused order: the code, nothing else.
pub(super) fn refuse<H>(
    order: &Examined<H>,
    intermediary: &Intermediary,
    frame: &Frame,
    warnings: &[FeedbackCode],
    refusal: &Refusal,
) -> Step<H> {
    let code = refusal.refused.code;
    let feedback = match refusal.text {
        Some((german, english)) => frame.explained(code, german, english),
        None => frame.refusal(warnings, code),
    };
    let mut reply = frame.reply(intermediary, refused_response(&order.envelope.order, feedback));
    reply.refused = Some(refusal.refused.clone());
    Step::Answer(reply)
}

pub(super) fn refused_response(order: &Order, feedback: Feedback) -> Order {
    match order.clone() {
        Order::InitDialog => Order::ResponseToInitDialog(feedback),
        Order::ExitDialog => Order::ResponseToExitDialog(feedback),
        Order::StoreDelivery { .. } => Order::ResponseToStoreDelivery { feedback, card: None },
        Order::FetchDelivery(echo) => Order::ResponseToFetchDelivery { feedback, echo, card: None },
        Order::FetchProcessCard(echo) => {
            Order::ResponseToFetchProcessCard { feedback, echo, cards: Vec::new() }
        }
        Order::ForwardDelivery { .. } => Order::ResponseToForwardDelivery { feedback, card: None },
        Order::MediateDelivery { .. } => {
            Order::ResponseToMediateDelivery { feedback, request_card: None, reply_card: None }
        }
        Order::PartialStoreDelivery { chunk, .. } => Order::ResponseToPartialStoreDelivery {
            inside: None,
            feedback,
            card: None,
            chunk: match chunk {
                ChunkRequest::Chunk(chunk) => ChunkInformation { size: None, total_size: None, ..chunk },
                ChunkRequest::InfoOnly => {
                    ChunkInformation { received: Some(Vec::new()), ..ChunkInformation::default() }
                }
            },
        },
        Order::PartialFetchDelivery { selection, chunk } => Order::ResponseToPartialFetchDelivery {
            feedback,
            echo: selection,
            chunk: ChunkInformation { number: chunk.number, ..ChunkInformation::default() },
            message_id: None,
        },
        _ => Order::ResponseToGetMessageId { feedback, message_id: None },
    }
}
