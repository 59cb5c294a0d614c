//! The reply to a mediated delivery: put into a mailbox of ours before anything tells the intermediary that we have it.
//! From there the collector of `dds-inbound` takes it to the source of the application (Rückkanal), as an answer of its
//! case.
//!
//! Who crashed or lost the connection before that finds the reply at the intermediary, if that one keeps replies, and
//! gets it by the same order under the same MessageId; see `dds_osci::intermediary`.

use dds_delivery::{Consignment, Verdict};
use dds_osci::{
    intake::Received,
    intermediary::{Attachment, Delivery, Mailboxes as _},
    message::MessageId,
};
use dds_postbox::{Parts, PostboxError, REPLIES, Reply};

use super::{
    adapter::{Osci, store},
    line::Line,
    partner::Mode,
};

impl Osci {
    /// Whether the reply to what was mediated under this id lies at the intermediary and waits for us: it has a card
    /// without reception. Only such a card makes it worth while, and safe, to send the order again.
    pub(super) async fn reply_waits(&self, line: &mut Line<'_>, id: &MessageId) -> Result<bool, Verdict> {
        if !matches!(self.partner.mode, Mode::Mediate(_)) {
            return Ok(false);
        }
        let card = self.card(line, &id.of_reply()).await?;
        Ok(card.is_some_and(|card| card.card.reception.is_none()))
    }

    /// Makes the reply durable. Its id is ours, so that no partner can choose one that is taken.
    pub(super) async fn keep_reply(
        &self,
        consignment: &Consignment,
        id: &MessageId,
        came: Received<Parts>,
    ) -> Result<(), Verdict> {
        let delivery = Delivery {
            id: MessageId::new(format!("antwort/{}/{id}", consignment.delivery)),
            mailbox: REPLIES.to_owned(),
            submitted: self.sender.now(),
            envelope: came.document.bytes().to_vec(),
            attachments: came.attachments.iter().map(Attachment::from).collect(),
        };
        let reply = Reply { message: consignment.message, kind: self.partner.reply };
        let parts = came.store;
        let keeping = self.sender.postbox.run(move |boxes| {
            // Fetched again, because the receipt for it never left.
            if boxes.has_delivery(&delivery.id)? {
                return Ok(());
            }
            boxes.put_delivery(&delivery)?;
            boxes.keep_reply(&delivery.id, &reply)?;
            // Within the step: the attempt may be given up while it is committed, and parts that nobody has kept
            // vanish.
            parts.keep();
            Ok::<_, PostboxError>(())
        });
        keeping.await.map_err(store)
    }
}
