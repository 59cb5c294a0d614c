//! One attempt.

use async_trait::async_trait;
use dds_delivery::{Adapter, Consignment, Verdict};
use dds_depot::OsciWay;
use dds_message::{Code, DeliveryId, Text};
use dds_osci::{
    feedback::{FeedbackClass, FeedbackCode},
    german,
    laufzettel::ProcessCardBundle,
    message::MessageId,
};
use dds_postbox::{PostboxError, Sent, SentState};
use jiff::SignedDuration;
use tokio::task::spawn_blocking;

use super::{
    OsciSender,
    judge::{self, Meaning, meaning, told},
    line::{CardsMissing, Line, Unanswered},
    parcel::Parcel,
    partner::{Flaw, Mode, Partner},
};
use crate::fault::{because, broke_off, delivered, permanent, temporary};

/// A push that the process card shows as begun and not ended is under way for so long at most; afterwards nobody will
/// end it.
const PUSH_LIMIT: SignedDuration = SignedDuration::from_mins(10);

/// `osci`.
pub(crate) struct Osci {
    pub(super) sender: OsciSender,
    pub(super) partner: Partner,
}

#[async_trait]
impl Adapter for Osci {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        self.attempt(consignment).await.unwrap_or_else(|verdict| verdict)
    }
}

/// What the process card says of an order whose answer is not known.
enum Past {
    /// It was executed.
    Arrived,
    /// The intermediary never had it.
    Unknown,
    /// It is being pushed, or was and nobody knows how that ended.
    Pushed {
        /// Last change of the card.
        since: jiff::Timestamp,
    },
}

impl Osci {
    pub(crate) fn new(sender: OsciSender, way: &OsciWay) -> Result<Self, Flaw> {
        let partner = Partner::new(way, &sender)?;
        Ok(Self { sender, partner })
    }

    /// The order of things that makes "never twice" true: the id is durable, then the order leaves; what was begun is
    /// asked for first.
    async fn attempt(&self, consignment: &Consignment) -> Result<Verdict, Verdict> {
        if let Some(refused) = self.partner.refused(&self.sender.trust, self.sender.now()).await {
            // No message is at fault: all of them go on when the office has a certificate that counts.
            let (certificate, why) = (refused.certificate.sha256_hex(), refused.detail_without_holder());
            let text = (
                format!("das Zertifikat {certificate} gilt nicht ({})", german::reason(&why)),
                format!("certificate {certificate} does not count: {why}"),
            );
            return Err(temporary(Code::OSCI_CERTIFICATE, text));
        }
        if let Some(own) = self.own() {
            return self.deposit(own, consignment).await;
        }
        let mut line = Line::new(&self.sender, &self.partner.address, self.partner.client.clone());
        let id = match self.sent(consignment.delivery).await? {
            Some(sent) if sent.state != SentState::Begun => return Ok(received(&sent.message_id)),
            Some(sent) => match self.past(&mut line, &sent.message_id).await? {
                Past::Unknown => sent.message_id,
                past => return self.settled(&mut line, consignment, sent.message_id, past).await,
            },
            None => self.new_id(&mut line, consignment).await?,
        };
        match self.send(&mut line, consignment, &id).await? {
            // Executed since we asked, expired at the intermediary, or issued to a certificate we had before.
            code if meaning(code) == Meaning::NotFree => match self.past(&mut line, &id).await? {
                Past::Unknown => {
                    let id = self.new_id(&mut line, consignment).await?;
                    let code = self.send(&mut line, consignment, &id).await?;
                    self.conclude(&mut line, consignment, id, code).await
                }
                past => self.settled(&mut line, consignment, id, past).await,
            },
            code => self.conclude(&mut line, consignment, id, code).await,
        }
    }

    /// Gets a MessageId and keeps it before anything is sent with it.
    async fn new_id(&self, line: &mut Line<'_>, consignment: &Consignment) -> Result<MessageId, Verdict> {
        let answer = line.ask(|client, random| client.get_message_id(random), &[]).await;
        let answer = answer.map_err(|why| judge::unanswered(&why, false))?;
        let code = judge::decisive(&answer.feedback);
        let Some(id) = answer.value.message_id.filter(|_| code.is_success()) else {
            return Err(judge::ended(code).unwrap_or_else(|| temporary(Code::OSCI_REFUSED, told(code))));
        };
        let sent = self.noted(consignment, &id, SentState::Begun);
        let keeping = self.sender.postbox.run(move |boxes| {
            let known = boxes.is_sent_for_another(&sent.message_id, sent.delivery)?;
            if !known {
                boxes.keep_sent(&sent)?;
            }
            Ok::<_, PostboxError>(known)
        });
        if keeping.await.map_err(store)? {
            // Its process card would be that of the other delivery.
            let text = (
                "der Intermediär gibt eine MessageId ein zweites Mal aus",
                "the intermediary gives out a MessageId a second time",
            );
            return Err(temporary(Code::OSCI_ANSWER, text));
        }
        Ok(id)
    }

    /// Sends the order whole; the deciding feedback.
    pub(super) async fn hand_over(
        &self,
        line: &mut Line<'_>,
        consignment: &Consignment,
        id: &MessageId,
        parcel: &Parcel,
    ) -> Result<FeedbackCode, Verdict> {
        let (delivery, attachments) = (parcel.delivery.clone(), &parcel.attachments);
        let feedback = match &self.partner.mode {
            Mode::Store => {
                let order =
                    line.ask(|client, random| client.store(id.clone(), delivery, random), attachments);
                order.await.map(|answer| answer.feedback)
            }
            Mode::Forward(receiver) => {
                let order = line.ask(
                    |client, random| client.forward(receiver, id.clone(), delivery, random),
                    attachments,
                );
                order.await.map(|answer| answer.feedback)
            }
            Mode::Mediate(receiver) => {
                let order = line.ask_in_dialogue(
                    |open, random| open.mediate(receiver, Some(id.clone()), delivery, random),
                    attachments,
                );
                match order.await {
                    Ok((open, answer, came)) => {
                        if answer.is_success() && answer.value.envelope.content.is_some() {
                            self.keep_reply(consignment, id, came).await?;
                        }
                        // Any further order says that the reply was received.
                        line.close(open).await;
                        Ok(answer.feedback)
                    }
                    Err(why) => Err(why),
                }
            }
        };
        let feedback = feedback.map_err(|why: Unanswered| judge::unanswered(&why, true))?;
        let warnings: Vec<_> =
            feedback.codes().into_iter().filter(|code| code.number() / 1000 == 3).collect();
        if !warnings.is_empty() {
            tracing::warn!(message_id = %id, ?warnings, "osci.warnings");
        }
        Ok(judge::decisive(&feedback))
    }

    /// The verdict of an order that was answered.
    async fn conclude(
        &self,
        line: &mut Line<'_>,
        consignment: &Consignment,
        id: MessageId,
        code: FeedbackCode,
    ) -> Result<Verdict, Verdict> {
        match meaning(code) {
            Meaning::Done => self.concluded(consignment, id, Past::Arrived).await,
            Meaning::NotPushed => {
                self.forget(consignment.delivery).await?;
                Err(temporary(Code::TARGET_UNREACHABLE, told(code)))
            }
            Meaning::Doubt => match self.past(line, &id).await? {
                Past::Arrived => self.settled(line, consignment, id, Past::Arrived).await,
                Past::Unknown if code.class() == FeedbackClass::Warning => Err(judge::warned(code)),
                // The intermediary says itself that the push is over.
                Past::Unknown | Past::Pushed { .. } => self.doubtful(consignment, told(code)).await,
            },
            Meaning::NotFree => Err(temporary(Code::OSCI_REFUSED, told(code))),
            Meaning::Wait(code_of_ours) => Err(temporary(code_of_ours, told(code))),
            Meaning::Never(code_of_ours) => Err(permanent(code_of_ours, told(code))),
        }
    }

    /// The verdict of what the process card says; a reply that waits for us comes first. It comes by the order itself
    /// under its MessageId, which delivers nothing any more.
    async fn settled(
        &self,
        line: &mut Line<'_>,
        consignment: &Consignment,
        id: MessageId,
        past: Past,
    ) -> Result<Verdict, Verdict> {
        if matches!(past, Past::Arrived) && self.reply_waits(line, &id).await? {
            let code = self.send(line, consignment, &id).await?;
            match meaning(code) {
                Meaning::Done => tracing::info!(message_id = %id, "osci.reply_fetched"),
                Meaning::Wait(code_of_ours) => return Err(temporary(code_of_ours, told(code))),
                // It was given out meanwhile, or the intermediary lets it go no more: the delivery is none the worse.
                _ => tracing::warn!(message_id = %id, %code, "osci.reply_missing"),
            }
        }
        self.concluded(consignment, id, past).await
    }

    /// The verdict of what is known of an order.
    async fn concluded(
        &self,
        consignment: &Consignment,
        id: MessageId,
        past: Past,
    ) -> Result<Verdict, Verdict> {
        match past {
            Past::Arrived => {
                // From here on the tracker follows it, also to fill the Laufzettel of what was pushed and is received
                // already.
                self.keep_stored(consignment, &id).await?;
                Ok(received(&id))
            }
            Past::Pushed { since } if self.sender.now().duration_since(since) > PUSH_LIMIT => {
                self.doubtful(
                    consignment,
                    ("der OSCI-Laufzettel kennt keinen Empfang", "the process card knows no reception")
                        .into(),
                )
                .await
            }
            Past::Pushed { .. } | Past::Unknown => {
                let text = ("der Intermediär stellt noch zu", "the push is under way");
                Err(temporary(Code::IN_DOUBT, text))
            }
        }
    }

    /// Nobody can say whether the recipient has it: a person asks. If that person sends it again, it goes with an id of
    /// its own.
    async fn doubtful(&self, consignment: &Consignment, detail: Text) -> Result<Verdict, Verdict> {
        self.forget(consignment.delivery).await?;
        Err(permanent(Code::IN_DOUBT, detail))
    }

    async fn past(&self, line: &mut Line<'_>, id: &MessageId) -> Result<Past, Verdict> {
        Ok(self.card(line, id).await?.map_or(Past::Unknown, |card| self.read(&card)))
    }

    /// The process card with this id, as far as the intermediary knows it.
    pub(super) async fn card(
        &self,
        line: &mut Line<'_>,
        id: &MessageId,
    ) -> Result<Option<ProcessCardBundle>, Verdict> {
        match line.cards(std::slice::from_ref(id)).await {
            Ok(cards) => Ok(cards.into_iter().next()),
            Err(CardsMissing::Unanswered(why)) => Err(judge::unanswered(&why, false)),
            Err(CardsMissing::Refused(code)) => {
                Err(judge::ended(code).unwrap_or_else(|| temporary(Code::OSCI_REFUSED, told(code))))
            }
        }
    }

    /// A card of a stored delivery says that it is in the mailbox; that of a pushed one says so only with a reception.
    fn read(&self, bundle: &ProcessCardBundle) -> Past {
        if self.partner.mode == Mode::Store || bundle.card.reception.is_some() {
            return Past::Arrived;
        }
        Past::Pushed { since: bundle.card.recent_modification }
    }

    async fn sent(&self, delivery: DeliveryId) -> Result<Option<Sent>, Verdict> {
        self.sender.postbox.run(move |boxes| boxes.sent(delivery)).await.map_err(store)
    }

    fn noted(&self, consignment: &Consignment, id: &MessageId, state: SentState) -> Sent {
        Sent {
            delivery: consignment.delivery,
            target: consignment.target.clone(),
            message_id: id.clone(),
            state,
            at: self.sender.now(),
        }
    }

    async fn keep_stored(&self, consignment: &Consignment, id: &MessageId) -> Result<(), Verdict> {
        let sent = self.noted(consignment, id, SentState::Stored);
        self.sender.postbox.run(move |boxes| boxes.keep_sent(&sent)).await.map_err(store)?;
        self.end_transfer(consignment.delivery).await
    }

    async fn forget(&self, delivery: DeliveryId) -> Result<(), Verdict> {
        self.sender.postbox.run(move |boxes| boxes.forget_sent(delivery)).await.map_err(store)?;
        self.end_transfer(delivery).await
    }

    /// The chunks of a delivery are needed no more.
    pub(super) async fn end_transfer(&self, delivery: DeliveryId) -> Result<(), Verdict> {
        let ended =
            self.sender.postbox.run(move |boxes| boxes.end_transfer(delivery)).await.map_err(store)?;
        if !ended.is_empty() {
            let postbox = self.sender.postbox.clone();
            let discarding = spawn_blocking(move || postbox.discard(&ended));
            discarding.await.map_err(|error| broke_off(&error))?;
        }
        Ok(())
    }
}

pub(super) fn received(id: &MessageId) -> Verdict {
    delivered(Some(id.as_str()))
}

/// What was sent stays as it was; the next attempt finds out.
pub(super) fn store(error: PostboxError) -> Verdict {
    temporary(
        Code::OSCI_POSTBOX,
        because(("die OSCI-Ablage ist nicht verfügbar", "the OSCI postbox is not available"), error),
    )
}
