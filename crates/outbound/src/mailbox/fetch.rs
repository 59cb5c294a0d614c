//! What is there, document and attachments.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use dds_depot::Target;
use dds_message::{Code, DeliveryId, DeliveryState, Direction, Problem, content_disposition};
use dds_store::{ClaimFilter, Claimed, DeliveryRecord, MessageRecord, Shipment, StoreError};
use futures::TryStreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::{Mailbox, lease};
use crate::fault::too_large;

impl Mailbox {
    /// The next delivery under lease (200), or 204 if none comes within `wait`. What is there is handed out, however
    /// many wait.
    pub(super) async fn next(&self, target: &Target, wait: Duration) -> Result<Response, Problem> {
        let filter = ClaimFilter::Pull(target.id.clone());
        let mut closing = self.closing.clone();
        let over = async {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // An error means that nobody can close any more: the wait decides.
                Ok(_) = closing.wait_for(|closing| *closing) => {}
            }
        };
        tokio::pin!(over);
        let mut place = None;
        loop {
            let now = self.clock.now();
            let claimed = self.journal.claim(&filter, 1, self.lease, now).await?;
            if let Some(claimed) = claimed.into_iter().next() {
                if self.too_large(target, &claimed).await? {
                    continue;
                }
                return match self.journal.shipment(claimed.delivery.id).await {
                    Ok(shipment) => Ok(Json(self.describe(&claimed, &shipment)?).into_response()),
                    Err(error) if error.is_lasting() => {
                        self.damaged(&claimed, &error).await?;
                        continue;
                    }
                    Err(error) => Err(error.into()),
                };
            }
            if wait.is_zero() {
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            if place.is_none() {
                place = Some(self.polls.begin(&target.id)?);
            }
            let due = self.journal.next_due(&filter).await?;
            tokio::select! {
                biased;
                () = &mut over => return Ok(StatusCode::NO_CONTENT.into_response()),
                () = self.journal.wait(&filter, due, now) => {}
            }
        }
    }

    /// A delivery with more bytes of attachments than the product takes becomes a dead letter (DDS-D006), as it would
    /// at a target that is pushed to.
    async fn too_large(&self, target: &Target, claimed: &Claimed) -> Result<bool, Problem> {
        let Some(limit) = target.max_attachment_bytes else { return Ok(false) };
        let message = self.message(&claimed.delivery).await?;
        let bytes: u64 = message.attachments.iter().map(|stored| stored.attachment.size).sum();
        let Some(fault) = too_large(bytes, limit) else { return Ok(false) };
        self.give_up(&claimed.delivery, claimed.lease, fault.code, &fault.detail).await?;
        Ok(true)
    }

    /// A document that cannot be read any more becomes a dead letter (DDS-S003), as it would for a target that is
    /// pushed to; whoever fetches gets what is behind it.
    async fn damaged(&self, claimed: &Claimed, error: &StoreError) -> Result<(), Problem> {
        let delivery = &claimed.delivery;
        unreadable(delivery.id, error);
        let text = ("das Dokument ist nicht mehr lesbar", "the document cannot be read any more").into();
        self.give_up(delivery, claimed.lease, Code::STORE_CORRUPT, &text).await
    }

    fn describe(&self, claimed: &Claimed, shipment: &Shipment) -> Result<Value, Problem> {
        let delivery = &claimed.delivery;
        let output = &shipment.output;
        let base = format!("/v1/mailbox/{}/deliveries/{}", delivery.target, delivery.id);
        let attachments: Vec<_> = (1_usize..)
            .zip(&shipment.attachments)
            .map(|(number, stored)| {
                let described = &stored.attachment;
                json!({
                    "url": format!("{base}/attachments/{number}"), "name": described.name,
                    "media_type": described.media_type, "size": described.size, "sha256": described.digest,
                })
            })
            .collect();
        let answer = match shipment.direction {
            Direction::Answer(kind) => json!({ "kind": kind, "message": shipment.answers }),
            Direction::Application => Value::Null,
        };
        Ok(json!({
            "delivery": delivery.id,
            "message": delivery.message,
            "attempt": delivery.attempts + 1,
            "accepted": shipment.accepted.to_string(),
            "authority": delivery.authority,
            "procedure": shipment.procedure,
            "case": shipment.case,
            "answer": answer,
            "document": {
                "url": format!("{base}/document"), "name": output.file_name, "media_type": output.media_type,
                "size": output.bytes.len(), "sha256": output.digest,
            },
            "attachments": attachments,
            "lease": lease::text(&self.vault, &claimed.lease)?,
            "lease_until": claimed.until.to_string(),
        }))
    }

    pub(super) async fn document(&self, target: &Target, delivery: DeliveryId) -> Result<Response, Problem> {
        let record = self.readable(target, delivery).await?;
        let output = self.journal.shipment(record.id).await?.output;
        Ok((file(&output.media_type, &output.file_name, output.bytes.len() as u64), output.bytes)
            .into_response())
    }

    pub(super) async fn attachment(
        &self,
        target: &Target,
        delivery: DeliveryId,
        number: usize,
    ) -> Result<Response, Problem> {
        let record = self.readable(target, delivery).await?;
        let message = self.message(&record).await?;
        let unknown = || Problem::new(Code::NOT_FOUND, ("keine solche Anlage", "no such attachment"));
        let stored =
            number.checked_sub(1).and_then(|place| message.attachments.get(place)).ok_or_else(unknown)?;
        let wrapped = message.key.as_ref().ok_or_else(unknown)?;
        let key = self.vault.unwrap_key(message.id, wrapped)?;
        let told = move |error: &StoreError| unreadable(delivery, error);
        let stream = self.blobs.open(&stored.blob, &key).await.inspect_err(told)?.inspect_err(told);
        let described = &stored.attachment;
        let headers = file(&described.media_type, &described.name, described.size);
        Ok((headers, Body::from_stream(stream)).into_response())
    }

    /// A delivery of this target whose content it may see: not one that was redirected to somebody else, called off
    /// or rejected.
    async fn readable(&self, target: &Target, delivery: DeliveryId) -> Result<DeliveryRecord, Problem> {
        let record = self.own(target, delivery).await?;
        match record.state {
            DeliveryState::Prepared | DeliveryState::InDoubt | DeliveryState::Delivered => Ok(record),
            DeliveryState::DeadLetter | DeliveryState::Redirected | DeliveryState::Cancelled => Err(gone()),
        }
    }

    /// A delivery of this target.
    pub(super) async fn own(&self, target: &Target, delivery: DeliveryId) -> Result<DeliveryRecord, Problem> {
        let record = self.journal.delivery(delivery).await?;
        record.filter(|record| record.target == target.id && record.pull).ok_or_else(gone)
    }

    async fn message(&self, delivery: &DeliveryRecord) -> Result<MessageRecord, Problem> {
        self.journal.message(delivery.message).await?.ok_or_else(gone)
    }
}

/// Who fetches sees only that the answer breaks off; whether the delivery is given up, a person decides.
fn unreadable(delivery: DeliveryId, error: &StoreError) {
    tracing::error!(%delivery, code = %error.code(), %error, "delivery.unreadable");
}

fn gone() -> Problem {
    let text = ("keine solche Zustellung dieses Ziels", "no such delivery of this target");
    Problem::new(Code::NOT_FOUND, text)
}

/// Headers of a file.
fn file(media_type: &str, name: &str, size: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, media_type.to_owned());
    put(header::CONTENT_LENGTH, size.to_string());
    put(header::CONTENT_DISPOSITION, content_disposition(name));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned());
    put(header::CACHE_CONTROL, "no-store".to_owned());
    headers
}
