//! The way back: a Fachverfahren answers some applications with receipt, further request (Nachforderung) and decision
//! (Bescheid). The form server gets them by callback; the portal fetches and confirms them.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use dds_message::{AnswerKind, Digest, MessageId, MessageState};
use dds_store::Journal;
use dds_testbench::{About, AnsweringFachverfahren, Ledger, PortalSim};
use serde::Serialize;

use super::{
    cast::Way,
    senders::Sent,
    stage::{ANSWERING, PORTAL, Stage, failed, token_of},
};
use crate::{Failure, node};

/// One application in so many is answered, half of them by callback.
const SHARE: usize = 20;
/// In the order in which an authority sends them.
const KINDS: [AnswerKind; 3] = [AnswerKind::Receipt, AnswerKind::FurtherRequest, AnswerKind::Decision];
/// For what the router has acknowledged and not yet brought.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of the answers.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct AnswerReport {
    /// Answers the router acknowledged.
    pub(crate) sent: u64,
    /// Of these, called back to the form server, unchanged and for the right application.
    pub(crate) by_callback: u64,
    /// Of these, fetched and confirmed by the portal, unchanged and for the right application.
    pub(crate) fetched: u64,
    /// Of these, arrived nowhere.
    pub(crate) lost: u64,
    /// Arrivals beyond those.
    pub(crate) duplicates: u64,
    /// The lost ones: which kind, to which application.
    #[serde(skip)]
    pub(crate) missing: Vec<(AnswerKind, MessageId)>,
    /// An application that was answered, and the decision about it.
    #[serde(skip)]
    pub(crate) told: Vec<MessageId>,
}

impl AnswerReport {
    /// Everything arrived once.
    pub(crate) const fn is_good(&self) -> bool {
        self.lost == 0 && self.duplicates == 0
    }
}

/// An answer that the router acknowledged.
struct Answer {
    id: MessageId,
    application: MessageId,
    kind: AnswerKind,
    document: Bytes,
}

/// Answers a share of the applications that were `sent`, at least one of each source, and waits for what arrives.
pub(crate) async fn play(stage: &Stage, sent: &[Sent]) -> Result<AnswerReport, Failure> {
    let (dropped, posted): (Vec<&Sent>, Vec<&Sent>) =
        sent.iter().filter(|one| one.valid).partition(|one| one.way == Way::Folder);
    let some = (sent.len() / SHARE / 2).max(1);
    let called_back = answer(stage, &dropped, some).await?;
    let to_fetch = answer(stage, &posted, some).await?;

    let mut report = AnswerReport { sent: (called_back.len() + to_fetch.len()) as u64, ..Default::default() };
    report.told = to_fetch.iter().rev().take(1).flat_map(|last| [last.application, last.id]).collect();
    let fetched = fetch(stage, &to_fetch, &mut report).await?;
    let called = await_calls(stage, &called_back, &mut report).await;
    let missing = called_back
        .iter()
        .chain(&to_fetch)
        .filter(|one| !fetched.contains(&one.id) && !called.contains(&one.id));
    report.missing = missing.map(|one| (one.kind, one.application)).collect();
    report.lost = report.missing.len() as u64;
    Ok(report)
}

/// Sends the answers of the authority to the first `some` applications that reached it.
async fn answer(stage: &Stage, applications: &[&Sent], some: usize) -> Result<Vec<Answer>, Failure> {
    let store = node::reader(&stage.config)?;
    let mut authority = AnsweringFachverfahren::new(stage.rest(), token_of(ANSWERING));
    let mut answers = Vec::new();
    for id in applications.iter().filter_map(|one| one.message) {
        if answers.len() == some * KINDS.len() {
            break;
        }
        let record = store.message(id).await?.filter(|record| record.state == MessageState::Completed);
        let Some(record) = record else { continue };
        // With both the router compares them: an answer to another case would be refused.
        let about = About { message: Some(id), case: record.case.map(|case| case.as_str().to_owned()) };
        for kind in KINDS {
            let document = Bytes::from(format!(
                "<antwort xmlns=\"urn:example:fachverfahren\" antrag=\"{id}\">{}</antwort>",
                kind.german()
            ));
            let key = format!("{id}-{}", kind.as_str());
            let (told, _) = authority.answer(&key, kind, &about, document.clone()).await.map_err(failed)?;
            answers.push(Answer { id: told, application: id, kind, document });
        }
    }
    Ok(answers)
}

/// The portal looks for the answers to its applications, reads and confirms them. Which it got.
async fn fetch(
    stage: &Stage,
    answers: &[Answer],
    report: &mut AnswerReport,
) -> Result<BTreeSet<MessageId>, Failure> {
    let mut fetched = BTreeSet::new();
    let mut portal = PortalSim::new(stage.rest(), token_of(PORTAL), Ledger::default());
    for of_one in answers.chunk_by(|one, next| one.application == next.application) {
        let Some(application) = of_one.first().map(|first| first.application) else { continue };
        let listed = listed(of_one.len(), PATIENCE, async || portal.answers(application).await).await;
        for (id, kind) in listed.map_err(failed)? {
            let document = portal.answer(id).await.map_err(failed)?;
            let fresh = portal.confirm(id).await.map_err(failed)?;
            let meant = of_one.iter().any(|one| (one.id, one.kind, &one.document) == (id, kind, &document));
            if !(meant && fresh && fetched.insert(id)) {
                report.duplicates += 1;
            }
        }
    }
    report.fetched = fetched.len() as u64;
    Ok(fetched)
}

/// What is listed once all that is `wanted` is. What is late when patience ends counts as lost, but nothing else does.
async fn listed<T, E>(
    wanted: usize,
    patience: Duration,
    mut list: impl AsyncFnMut() -> Result<Vec<T>, E>,
) -> Result<Vec<T>, E> {
    let mut found = Vec::new();
    let complete = async {
        loop {
            found = list().await?;
            if found.len() >= wanted {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(patience, complete).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => Ok(found),
    }
}

/// The form server waits for its calls. Which answers they brought.
async fn await_calls(stage: &Stage, answers: &[Answer], report: &mut AnswerReport) -> BTreeSet<MessageId> {
    let inbox = stage.callback.inbox();
    // What is missing when patience ends counts as lost.
    let _complete = inbox.wait_for(answers.len(), PATIENCE).await;
    let calls = inbox.all();
    let arrived = |one: &&Answer| {
        calls.iter().any(|call| {
            call.answer == Some((one.kind, one.application))
                && call.document.digest == Digest::of(&one.document)
        })
    };
    let called: BTreeSet<MessageId> = answers.iter().filter(arrived).map(|one| one.id).collect();
    report.by_callback = called.len() as u64;
    report.duplicates += (calls.len() as u64).saturating_sub(report.by_callback) + inbox.duplicates();
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_that_are_late_take_no_others_with_them() {
        // The third does not come in time.
        let found = listed(3, Duration::ZERO, async || Ok::<_, ()>(vec!["receipt", "request"])).await;
        assert_eq!(found, Ok(vec!["receipt", "request"]));
        // It comes, but later than the others.
        let mut looks = [vec![1], vec![1, 2], vec![1, 2, 3]].into_iter();
        let found = listed(3, PATIENCE, async || looks.next().ok_or("asked once more")).await;
        assert_eq!(found, Ok(vec![1, 2, 3]));
        assert_eq!(listed::<(), _>(1, PATIENCE, async || Err("gone")).await, Err("gone"));
    }
}
