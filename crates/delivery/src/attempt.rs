//! One attempt at one delivery: from lease to settlement.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dds_message::{Attachment, Code, Direction, EntryFacts, JournalEvent, MessageId, Timestamp};
use dds_store::{
    Attempting, BlobRef, BlobStore, ByteStream, Claimed, MessageKey, NewEntry, Outcome, Settled, Settlement,
    Shipment, StoreError,
};
use dds_telemetry::{Attribute, DeliveryDeadLettered, Span, Step, TargetHeld};
use parking_lot::Mutex;

use crate::{
    AttachmentSource, Consignment, Ending, Fault, LiveTarget, Scheduler, TargetPolicy, Verdict,
    breaker::{Breaker, Permission},
    places::Place,
    retry,
    settle::tell_completed,
};

/// Runs the attempt that `claimed` gives the right to.
pub(crate) async fn run(scheduler: &Scheduler, claimed: Claimed) {
    let now = scheduler.parts.clock.now();
    let found = scheduler.parts.targets.lookup(&claimed.delivery.target);
    if now >= claimed.delivery.deadline {
        let code = if found.is_some() { Code::DEADLINE_PASSED } else { Code::TARGET_UNKNOWN };
        return give_up(scheduler, &claimed, code).await;
    }
    let newly_missing = scheduler.lacks(&claimed.delivery.target, found.is_none());
    let Some(target) = found else { return missing(scheduler, &claimed, now, newly_missing).await };
    let open = retry::after_maintenance(&target.policy, now);
    if open > now {
        return give_back(scheduler, &claimed, open).await;
    }
    let Some(place) = place(scheduler, &claimed, &target).await else { return };
    if !still_held(scheduler, &claimed, target.policy.attempt_timeout).await {
        return;
    }
    let breaker = scheduler.breakers.of(&claimed.delivery.target);
    let asking = scheduler.parts.clock.now();
    let asked = breaker.lock().ask(asking);
    match asked {
        Permission::Go => {}
        // The backlog stays in the queue until the probe has ended, or should have.
        Permission::Probe => {
            pause(scheduler, &claimed, Some(asking.plus(target.policy.attempt_timeout))).await;
        }
        Permission::Wait(until) => return give_back(scheduler, &claimed, until).await,
    }
    match consignment(scheduler, &claimed).await {
        Ok(consignment) => attempt(scheduler, &claimed, &target, &breaker, &consignment, place).await,
        Err(error) => {
            tracing::error!(delivery = %claimed.delivery.id, code = %error.code(), %error, "delivery.unreadable");
            not_tried(scheduler, &claimed, &breaker).await;
            if error.is_lasting() {
                return give_up(scheduler, &claimed, Code::STORE_CORRUPT).await;
            }
            give_back(scheduler, &claimed, now.plus(Duration::from_secs(60))).await;
        }
    }
}

/// How often the active release is asked for a target that it lacks.
const MISSING_PAUSE: Duration = Duration::from_secs(60);

/// The active release lacks the target. A corrected release or the one before brings it back, so what waits for it does
/// so until its deadline.
async fn missing(scheduler: &Scheduler, claimed: &Claimed, now: Timestamp, newly: bool) {
    let (target, until) = (&claimed.delivery.target, now.plus(MISSING_PAUSE));
    if newly {
        let held = TargetHeld { target, until, code: Code::TARGET_UNKNOWN };
        let _facts = scheduler.parts.telemetry.record(&held);
    }
    pause(scheduler, claimed, Some(until)).await;
    give_back(scheduler, claimed, until).await;
}

/// A place for the attempt. `None` if none came before the lease ran out: the delivery is in the queue again.
async fn place(scheduler: &Scheduler, claimed: &Claimed, target: &LiveTarget) -> Option<Place> {
    let parallel = target.policy.parallel.min(scheduler.options.per_target);
    let place = scheduler.places.take(&target.host, &claimed.delivery.target, parallel);
    tokio::time::timeout(scheduler.options.lease, place).await.ok()?
}

/// Whether the lease outlived the wait for a place; lets it outlive the attempt too, however long that may
/// take: a lease that ends before would give the target a second one beside it.
async fn still_held(scheduler: &Scheduler, claimed: &Claimed, attempt_timeout: Duration) -> bool {
    let (lease, now) = (&claimed.lease, scheduler.parts.clock.now());
    let time = attempt_timeout.saturating_add(scheduler.options.lease);
    match scheduler.parts.journal.extend(lease, time, now).await {
        Ok(held) => held,
        Err(error) => {
            tracing::error!(delivery = %claimed.delivery.id, code = %error.code(), "delivery.lease_not_extended");
            false
        }
    }
}

async fn attempt(
    scheduler: &Scheduler,
    claimed: &Claimed,
    target: &LiveTarget,
    breaker: &Mutex<Breaker>,
    consignment: &Consignment,
    place: Place,
) {
    if !target.policy.deduplicates && !mark_attempt(scheduler, claimed, consignment.attempt).await {
        return not_tried(scheduler, claimed, breaker).await;
    }
    let (began, moment) = (scheduler.parts.clock.now(), scheduler.parts.telemetry.moment());
    let verdict = match tokio::time::timeout(
        target.policy.attempt_timeout,
        target.adapter.deliver(consignment),
    )
    .await
    {
        Ok(verdict) => verdict,
        Err(_) => Verdict::Temporary {
            fault: Fault {
                code: Code::IN_DOUBT,
                detail: ("der Versuch dauerte zu lange", "attempt timed out").into(),
            },
            retry_after: None,
        },
    };
    let now = scheduler.parts.clock.now();
    scheduler.parts.telemetry.span(moment, span(consignment, &verdict, &attributes(consignment)));
    let turn = heed(&verdict, &mut breaker.lock(), now, &target.policy);
    match turn {
        Turn::Dead(until, code) => {
            let held = TargetHeld { target: &claimed.delivery.target, until, code };
            let _facts = scheduler.parts.telemetry.record(&held);
            pause(scheduler, claimed, Some(until)).await;
        }
        Turn::Back => pause(scheduler, claimed, None).await,
        Turn::None => {}
    }
    // The target is done with it; that our disk is not yet is no reason to keep it waiting.
    drop(place);
    conclude(scheduler, claimed, consignment, verdict, &target.policy, (began, now)).await;
}

fn attributes(consignment: &Consignment) -> [Attribute<'_>; 3] {
    [("delivery", &consignment.delivery), ("target", &consignment.target), ("attempt", &consignment.attempt)]
}

fn span<'a>(consignment: &Consignment, verdict: &Verdict, attributes: &'a [Attribute<'a>]) -> Span<'a> {
    let code = match verdict {
        Verdict::Delivered(_) => None,
        Verdict::Temporary { fault, .. } | Verdict::Permanent(fault) => Some(fault.code),
    };
    Span { step: Step::Deliver, message: consignment.message, code, attributes }
}

/// A person must renew a credential; asking more often helps nobody, and may lock the account.
const CREDENTIAL_PAUSE: Duration = Duration::from_secs(300);

/// What an attempt changes about its target.
enum Turn {
    None,
    /// Paused until then, and why.
    Dead(Timestamp, Code),
    /// The pause is over: whatever waited goes ahead.
    Back,
}

/// Tells the breaker how the target fares.
fn heed(verdict: &Verdict, breaker: &mut Breaker, now: Timestamp, policy: &TargetPolicy) -> Turn {
    match verdict {
        // It says nothing about the target: as if the attempt had not taken place.
        Verdict::Temporary { fault, .. } if is_own(fault.code) => {
            if breaker.not_tried() {
                Turn::Back
            } else {
                Turn::None
            }
        }
        Verdict::Temporary { fault, .. } => {
            let (threshold, pause) = policy.breaker;
            let refused = matches!(fault.code, Code::CREDENTIAL_REFUSED | Code::SECRET_MISSING);
            let pause = if refused { pause.max(CREDENTIAL_PAUSE) } else { pause };
            let opened = breaker.failed(now, (threshold, pause));
            opened.map_or(Turn::None, |until| Turn::Dead(until, fault.code))
        }
        Verdict::Delivered(_) | Verdict::Permanent(_) if breaker.alive() => Turn::Back,
        Verdict::Delivered(_) | Verdict::Permanent(_) => Turn::None,
    }
}

/// Whether a fault is one of our own: what was to be sent cannot be read, or a step of ours broke off.
fn is_own(code: Code) -> bool {
    matches!(
        code,
        Code::STORE_UNAVAILABLE
            | Code::STORE_FULL
            | Code::STORE_CORRUPT
            | Code::FATE_UNKNOWN
            | Code::KEY_MISSING
            | Code::NOT_FOUND
            | Code::INTERNAL
    )
}

/// The attempt that was allowed did not take place: if it was the probe, another may be.
async fn not_tried(scheduler: &Scheduler, claimed: &Claimed, breaker: &Mutex<Breaker>) {
    let probe = breaker.lock().not_tried();
    if probe {
        pause(scheduler, claimed, None).await;
    }
}

/// Keeps everything for the target in the queue until then; `None` lets it go.
async fn pause(scheduler: &Scheduler, claimed: &Claimed, until: Option<Timestamp>) {
    let target = &claimed.delivery.target;
    if let Err(error) = scheduler.parts.journal.hold(target, until).await {
        tracing::error!(%target, code = %error.code(), "target.pause_not_changed");
    }
}

/// What the verdict makes of the delivery.
async fn conclude(
    scheduler: &Scheduler,
    claimed: &Claimed,
    consignment: &Consignment,
    verdict: Verdict,
    policy: &TargetPolicy,
    (began, now): (Timestamp, Timestamp),
) {
    let delivery = &claimed.delivery;
    let (outcome, fault) = match verdict {
        Verdict::Delivered(receipt) => (Outcome::Delivered { receipt: receipt.reference }, None),
        Verdict::Permanent(fault) => (Outcome::DeadLetter { code: fault.code }, Some(fault)),
        // Bytes were sent and no answer came: a target that cannot deduplicate might get it twice. A person asks it.
        Verdict::Temporary { fault, .. } if fault.code == Code::IN_DOUBT && !policy.deduplicates => {
            (Outcome::DeadLetter { code: Code::IN_DOUBT }, Some(fault))
        }
        // What is damaged or gone stays so, until a person brings it back.
        Verdict::Temporary { fault, .. } if matches!(fault.code, Code::STORE_CORRUPT | Code::NOT_FOUND) => (
            Outcome::DeadLetter { code: Code::STORE_CORRUPT },
            Some(Fault { code: Code::STORE_CORRUPT, ..fault }),
        ),
        Verdict::Temporary { fault, retry_after } => {
            let at = retry::next_due(policy, delivery.id, consignment.attempt, now, retry_after);
            let outcome = if at >= delivery.deadline {
                Outcome::DeadLetter { code: Code::DEADLINE_PASSED }
            } else {
                Outcome::Retry { at, code: fault.code }
            };
            (outcome, Some(fault))
        }
    };
    let ending = Ending {
        delivery,
        lease: claimed.lease,
        outcome,
        fault: fault.as_ref(),
        took: now.since(began),
        at: now,
    };
    if write(scheduler, ending.settlement()).await {
        scheduler.parts.telemetry.record(&ending.ended());
    }
}

/// Gives up a delivery that its target did not fetch in time.
pub(crate) async fn overdue(scheduler: &Scheduler, claimed: &Claimed) {
    give_up(scheduler, claimed, Code::DEADLINE_PASSED).await;
}

async fn give_up(scheduler: &Scheduler, claimed: &Claimed, code: Code) {
    let delivery = &claimed.delivery;
    let product = delivery.product.as_deref().unwrap_or_default();
    let event = DeliveryDeadLettered { delivery: delivery.id, target: &delivery.target, product, code };
    let entry = NewEntry {
        delivery: Some(delivery.id),
        target: Some(delivery.target.clone()),
        code: Some(code),
        data: scheduler.parts.telemetry.record(&event),
        ..NewEntry::new(JournalEvent::DeliveryDeadLetter)
    };
    let at = scheduler.parts.clock.now();
    let settlement =
        Settlement { lease: claimed.lease, outcome: Outcome::DeadLetter { code }, at, late: false, entry };
    write(scheduler, settlement).await;
}

/// Settles; repeats while the store is not available, because the outcome is known only here. If the process ends
/// first, the lease runs out and the target gets the same delivery id again. Answers whether it took effect.
async fn write(scheduler: &Scheduler, settlement: Settlement) -> bool {
    let mut wait = Duration::from_millis(100);
    loop {
        match scheduler.parts.journal.settle(vec![settlement.clone()]).await {
            Ok(settled) => {
                if settlement.late && settled.first() == Some(&Settled::Stale) {
                    unused(scheduler, settlement.entry).await;
                }
                return tell_completed(&scheduler.parts.telemetry, &settled);
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::Unknown(_) | StoreError::Full(_))) => {
                tracing::error!(delivery = %settlement.lease.delivery, code = %error.code(), "delivery.not_settled_yet");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(30));
            }
            Err(error) => {
                tracing::error!(delivery = %settlement.lease.delivery, code = %error.code(), %error, "delivery.not_settled");
                return false;
            }
        }
    }
}

/// A target has what was meanwhile redirected or called off: that decision stands, and the journal tells who has it
/// nevertheless.
async fn unused(scheduler: &Scheduler, entry: NewEntry) {
    let entry = NewEntry { event: JournalEvent::DeliveryLateReceipt, ..entry };
    tracing::warn!(delivery = ?entry.delivery, target = ?entry.target, "delivery.late_receipt");
    if let Err(error) = scheduler.parts.journal.note(entry).await {
        tracing::error!(code = %error.code(), %error, "delivery.late_receipt_not_noted");
    }
}

async fn give_back(scheduler: &Scheduler, claimed: &Claimed, due: Timestamp) {
    if let Err(error) = scheduler.parts.journal.release(&claimed.lease, due).await {
        tracing::error!(delivery = %claimed.delivery.id, code = %error.code(), "delivery.lease_not_given_back");
    }
}

async fn mark_attempt(scheduler: &Scheduler, claimed: &Claimed, attempt: u32) -> bool {
    let data = EntryFacts::new().with("attempt", attempt);
    let entry = NewEntry {
        delivery: Some(claimed.delivery.id),
        target: Some(claimed.delivery.target.clone()),
        data,
        ..NewEntry::new(JournalEvent::DeliveryAttempting)
    };
    match scheduler.parts.journal.attempting(Attempting { lease: claimed.lease, entry }).await {
        Ok(held) => held,
        Err(error) => {
            tracing::error!(delivery = %claimed.delivery.id, code = %error.code(), "delivery.attempt_not_marked");
            false
        }
    }
}

async fn consignment(scheduler: &Scheduler, claimed: &Claimed) -> Result<Consignment, StoreError> {
    let delivery = &claimed.delivery;
    let shipment = scheduler.parts.journal.shipment(delivery.id).await?;
    let attachments = attachments(scheduler, delivery.message, &shipment)?;
    let answer = match (shipment.direction, shipment.answers) {
        (Direction::Answer(kind), Some(application)) => Some((kind, application)),
        _ => None,
    };
    Ok(Consignment {
        delivery: delivery.id,
        message: delivery.message,
        attempt: delivery.attempts + 1,
        target: delivery.target.clone(),
        accepted: shipment.accepted,
        procedure: shipment.procedure,
        authority: delivery.authority.clone(),
        case: shipment.case,
        answer,
        document: shipment.output,
        attachments,
    })
}

fn attachments(
    scheduler: &Scheduler,
    message: MessageId,
    shipment: &Shipment,
) -> Result<Vec<Arc<dyn AttachmentSource>>, StoreError> {
    if shipment.attachments.is_empty() {
        return Ok(Vec::new());
    }
    let key = Arc::new(scheduler.parts.vault.unwrap_key(message, &shipment.key)?);
    let source = |stored: &dds_store::StoredAttachment| -> Arc<dyn AttachmentSource> {
        Arc::new(StoredFile {
            attachment: stored.attachment.clone(),
            blob: stored.blob.clone(),
            key: Arc::clone(&key),
            blobs: Arc::clone(&scheduler.parts.blobs),
        })
    };
    Ok(shipment.attachments.iter().map(source).collect())
}

/// An attachment in the blob store.
pub struct StoredFile {
    /// Its description.
    pub attachment: Attachment,
    /// Where its bytes lie.
    pub blob: BlobRef,
    /// Key of its message.
    pub key: Arc<MessageKey>,
    /// The store.
    pub blobs: Arc<dyn BlobStore>,
}

#[async_trait]
impl AttachmentSource for StoredFile {
    fn describe(&self) -> &Attachment {
        &self.attachment
    }

    async fn open(&self) -> Result<ByteStream, StoreError> {
        self.blobs.open(&self.blob, &self.key).await
    }
}
