//! A delivery as the store takes it: its document, its lane, and the evidence of what made it.

use bytes::Bytes;
use dds_depot::{Order, Plan, PlannedDelivery, Release};
use dds_message::{Code, DeliveryId, Digest, EntryFacts, Facts, JournalEvent, Problem, Timestamp};
use dds_store::{NewDelivery, NewEntry, Output};

use crate::{Router, dispatch::Work, route};

/// Makes the document of the one delivery of `plan` out of a stored message: the delivery, and the evidence of what
/// made it.
pub(crate) async fn prepare(
    router: &Router,
    release: &Release,
    work: &Work,
    plan: &Plan,
    facts: &Facts,
    id: DeliveryId,
) -> Result<(NewDelivery, NewEntry), Problem> {
    let invalid = || {
        let text = (
            "die Nachricht ist unter dem aktiven Depotstand nicht gültig",
            "the message is not valid under the active release",
        );
        Problem::new(Code::RULES_VIOLATED, text)
    };
    let subject = work.subject(release, &[]);
    let job = route::job(release, &subject, plan, facts, &[id]);
    let result = router.inner.parts.pool.run(job).await.map_err(|error| error.problem)?;
    let (Some(planned), Some(bytes)) = (plan.deliveries.first(), result.outputs.first()) else {
        return Err(Problem { findings: result.findings, ..invalid() });
    };
    let at = router.inner.parts.clock.now();
    Ok(new_delivery(release, work, plan, planned, facts, id, bytes, at))
}

#[allow(clippy::too_many_arguments, reason = "a delivery is where everything known about a message meets")]
pub(crate) fn new_delivery(
    release: &Release,
    work: &Work,
    plan: &Plan,
    planned: &PlannedDelivery,
    facts: &Facts,
    id: DeliveryId,
    bytes: &Bytes,
    at: Timestamp,
) -> (NewDelivery, NewEntry) {
    let digest = Digest::of(bytes);
    let mut data = EntryFacts::new().with("product", &planned.product);
    if let Some(stylesheet) = &planned.stylesheet {
        data.note("stylesheet", stylesheet);
        data.note("stylesheet_digest", release.file(stylesheet).map(|bytes| Digest::of(bytes)));
        data.note("sources", release.sources_digest(stylesheet));
    }
    data.note("output", digest);
    data.note("bytes", bytes.len());
    data.note("authority", &planned.authority);
    let entry = NewEntry {
        delivery: Some(id),
        target: Some(planned.target.clone()),
        data,
        ..NewEntry::new(JournalEvent::DeliveryPrepared)
    };
    // Without the version of the rule: the messages of one case may be of several.
    let lane = match (plan.order, &facts.case) {
        (Order::Case, Some(case)) => {
            let names =
                [work.source.as_str(), facts.procedure.as_str(), case.as_str(), planned.target.as_str()];
            Some(lane(&names))
        }
        _ => None,
    };
    let delivery = NewDelivery {
        id,
        target: planned.target.clone(),
        authority: Some(planned.authority.clone()),
        product: Some(planned.product.clone()),
        output: Some(Output {
            bytes: bytes.clone(),
            media_type: planned.media_type.clone(),
            file_name: planned.file_name.clone(),
            digest,
        }),
        lane,
        pull: planned.pull,
        due: at,
        deadline: work.at.plus(plan.deadline),
    };
    (delivery, entry)
}

/// Number of the lane that these names share.
pub(crate) fn lane(names: &[&str]) -> u64 {
    let digest = Digest::of(names.join("\n").as_bytes());
    let mut first = [0u8; 8];
    first.copy_from_slice(&digest.0[..8]);
    u64::from_be_bytes(first)
}
