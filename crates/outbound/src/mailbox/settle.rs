//! Acknowledging, rejecting, extending.

use std::time::Duration;

use axum::Json;
use dds_delivery::{Ending, Fault, settle};
use dds_depot::Target;
use dds_message::{Code, DeliveryId, DeliveryState, Problem, Text};
use dds_store::{DeliveryRecord, Lease, Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Mailbox, call::How, lease};
use crate::fault::reference_form;

/// Body of all three calls.
#[derive(Debug, Deserialize)]
struct Body {
    /// As `next` gave it.
    lease: String,
    /// `ack`: the target's own reference.
    #[serde(default)]
    reference: Option<String>,
    /// `reject`: why, as a short name.
    #[serde(default)]
    reason: Option<String>,
    /// `reject`: why, for people. Read so that it is no error; kept nowhere, because it may name a person.
    #[serde(default, rename = "text")]
    _text: Option<String>,
}

impl Mailbox {
    pub(super) async fn settle(
        &self,
        target: &Target,
        delivery: DeliveryId,
        how: How,
        body: &[u8],
    ) -> Result<Json<Value>, Problem> {
        let bad = |german: &str, english: &str| Problem::new(Code::BAD_REQUEST, (german, english));
        let body: Body = serde_json::from_slice(body).map_err(|_| {
            bad(
                "der Körper muss JSON mit dem Mitglied lease sein",
                "the body must be JSON with the member lease",
            )
        })?;
        if body.lease.is_empty() || !body.lease.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad("lease ist keine, die ausgegeben wurde", "lease is not one that was given out"));
        }
        let record = self.own(target, delivery).await?;
        // Repeated by one who did not get our answer; nothing changes, whatever lease it names.
        if matches!(how, How::Acknowledge) && record.state == DeliveryState::Delivered {
            return Ok(Json(json!({ "state": "delivered", "duplicate": true })));
        }
        let lease = lease::read(&self.vault, delivery, &body.lease)?.ok_or_else(lost)?;
        match how {
            How::Acknowledge => self.acknowledge(&record, lease, body.reference.as_deref()).await,
            How::Reject => {
                let reason = body.reason.as_deref().and_then(reason).ok_or_else(|| {
                    bad(
                        "reason muss 1 bis 40 Zeichen aus a-z 0-9 - _ . haben (was nur Menschen lesen, gehört in text)",
                        "reason must be 1 to 40 of a-z 0-9 - _ . (what only people can read goes into text)",
                    )
                })?;
                self.reject(&record, lease, &reason).await
            }
            How::Extend => self.extend(lease, &body.lease).await,
        }
    }

    /// A receipt counts whenever it comes: with a lost lease too, as long as the delivery is still open.
    async fn acknowledge(
        &self,
        record: &DeliveryRecord,
        lease: Lease,
        reference: Option<&str>,
    ) -> Result<Json<Value>, Problem> {
        let receipt = reference.and_then(reference_form);
        self.write(record, lease, Outcome::Delivered { receipt }, None).await?;
        Ok(Json(json!({ "state": "delivered", "duplicate": false })))
    }

    /// The delivery becomes a dead letter (DDS-D008): somebody must clear up the reason.
    async fn reject(
        &self,
        record: &DeliveryRecord,
        lease: Lease,
        reason: &str,
    ) -> Result<Json<Value>, Problem> {
        let code = Code::FETCH_REJECTED;
        let text = (format!("Grund {reason}"), format!("reason {reason}")).into();
        self.give_up(record, lease, code, &text).await?;
        Ok(Json(json!({ "state": "dead_letter", "code": code })))
    }

    pub(super) async fn give_up(
        &self,
        record: &DeliveryRecord,
        lease: Lease,
        code: Code,
        detail: &Text,
    ) -> Result<(), Problem> {
        let fault = Fault { code, detail: detail.clone() };
        self.write(record, lease, Outcome::DeadLetter { code }, Some(fault)).await
    }

    async fn extend(&self, lease: Lease, text: &str) -> Result<Json<Value>, Problem> {
        let now = self.clock.now();
        if !self.journal.extend(&lease, self.lease, now).await? {
            return Err(lost());
        }
        Ok(Json(json!({ "lease": text, "lease_until": now.plus(self.lease).to_string() })))
    }

    /// Settles the delivery.
    async fn write(
        &self,
        record: &DeliveryRecord,
        lease: Lease,
        outcome: Outcome,
        fault: Option<Fault>,
    ) -> Result<(), Problem> {
        let acknowledges = fault.is_none();
        let ending = Ending {
            delivery: record,
            lease,
            outcome,
            fault: fault.as_ref(),
            // How long the target had it is its own affair; our part took no time.
            took: Duration::ZERO,
            at: self.clock.now(),
        };
        if settle(self.journal.as_ref(), &self.telemetry, &ending).await? {
            return Ok(());
        }
        // Two acknowledgements at the same time: the other one was first, and that is just as good.
        let now = self.journal.delivery(record.id).await?;
        let delivered = now.is_some_and(|now| now.state == DeliveryState::Delivered);
        if acknowledges && delivered { Ok(()) } else { Err(lost()) }
    }
}

fn lost() -> Problem {
    let text = (
        "diese Lease ist abgelaufen, oder die Zustellung wurde anders beendet",
        "this lease has run out, or the delivery was settled otherwise",
    );
    Problem::new(Code::LEASE_LOST, text)
}

fn reason(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    ((1..=40).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
}
