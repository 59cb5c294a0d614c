//! Portals and form servers that send the cast's messages by every channel, and repeat what broke off.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_message::MessageId;
use dds_testbench::{Answered, Error, Ledger, PortalSim};
use indicatif::ProgressBar;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::{
    cast::{Cast, Role, Way, attachments},
    stage::{PORTAL, Stage, failed, token_of},
};
use crate::Failure;

/// Connections side by side.
const PORTALS: u64 = 8;
/// Series of the variants; messages of one demo differ from each other by their number.
const SERIES: u32 = 1;

/// What was sent and what came of it at the door.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) procedure: String,
    pub(crate) fixture: String,
    pub(crate) way: Way,
    pub(crate) valid: bool,
    /// Id of the accepted message; `None`: refused, or not known yet (drop folder).
    pub(crate) message: Option<MessageId>,
    /// Name of the submission in the drop folder.
    pub(crate) submission: Option<String>,
}

/// Senders at work.
pub(crate) struct Senders {
    tasks: JoinSet<Result<(), Failure>>,
    shared: Arc<Shared>,
}

struct Shared {
    stage: Arc<Stage>,
    cast: Arc<Cast>,
    ledger: Ledger,
    messages: u64,
    next: AtomicU64,
    sent: Mutex<Vec<Sent>>,
    bar: ProgressBar,
}

impl Senders {
    /// Begins to send messages 0 to `messages`.
    pub(crate) fn start(
        stage: &Arc<Stage>,
        cast: &Arc<Cast>,
        ledger: Ledger,
        messages: u64,
        bar: ProgressBar,
    ) -> Self {
        let shared = Arc::new(Shared {
            stage: Arc::clone(stage),
            cast: Arc::clone(cast),
            ledger,
            messages,
            next: AtomicU64::new(0),
            sent: Mutex::new(Vec::new()),
            bar,
        });
        let mut tasks = JoinSet::new();
        for _ in 0..PORTALS.min(messages.max(1)) {
            tasks.spawn(Arc::clone(&shared).work());
        }
        Self { tasks, shared }
    }

    /// Waits until `count` messages were sent.
    pub(crate) async fn until(&self, count: u64) {
        while (self.shared.sent.lock().len() as u64) < count.min(self.shared.messages) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until all are sent.
    pub(crate) async fn finish(mut self) -> Result<Vec<Sent>, Failure> {
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(failed)??;
        }
        Ok(std::mem::take(&mut *self.shared.sent.lock()))
    }
}

impl Shared {
    async fn work(self: Arc<Self>) -> Result<(), Failure> {
        let mut portal = PortalSim::new(self.stage.rest(), token_of(PORTAL), self.ledger.clone());
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= self.messages {
                return Ok(());
            }
            let (role, way) = self.cast.pick(n);
            let document = role.template.variant(SERIES, n);
            let mut sent = Sent {
                procedure: role.procedure.clone(),
                fixture: role.name.clone(),
                way,
                valid: role.valid,
                message: None,
                submission: None,
            };
            if way == Way::Folder {
                let name = format!("sendung-{n}");
                portal
                    .drop_into(&self.stage.inbox(), &name, role.media_type, &document, &attachments(n))
                    .map_err(failed)?;
                sent.submission = Some(name);
            } else {
                sent.message = self.post(&mut portal, n, role, way, document).await?;
            }
            self.sent.lock().push(sent);
            self.bar.inc(1);
        }
    }

    /// Posts until there is an answer: after a broken connection the same key again, as a real portal must.
    async fn post(
        &self,
        portal: &mut PortalSim,
        n: u64,
        role: &Role,
        way: Way,
        document: Bytes,
    ) -> Result<Option<MessageId>, Failure> {
        let key = format!("demo-{n}");
        for attempt in 0..6_000_u32 {
            let answer = match (way, attempt) {
                (Way::Soap, _) => portal.post_soap(&key, role.media_type, &document, &[]).await,
                (Way::Multipart, 0) => {
                    portal.post_parts(&key, role.media_type, document.clone(), attachments(n)).await
                }
                (Way::Multipart, _) => {
                    portal.repeat_parts(&key, role.media_type, document.clone(), attachments(n)).await
                }
                (_, 0) => portal.post(&key, role.media_type, document.clone()).await,
                _ => portal.repeat(&key, role.media_type, document.clone()).await,
            };
            match answer {
                Ok(answer) if answer.status.as_u16() == 503 => {}
                Ok(answer) => return Ok(id_of(&answer).inspect(|id| self.ledger.accepted(*id))),
                Err(Error::Io(_) | Error::Http(_)) => {}
                Err(other) => return Err(failed(other)),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Failure::internal((
            "eine Nachricht bekam eine Minute lang keine Antwort",
            "a message got no answer for a minute",
        )))
    }
}

/// The message id of an acknowledgement by REST or SOAP.
fn id_of(answer: &Answered) -> Option<MessageId> {
    if !answer.status.is_success() {
        return None;
    }
    if let Some(id) = answer.json()["id"].as_str() {
        return MessageId::parse(id).ok();
    }
    let text = String::from_utf8_lossy(&answer.body);
    text.split(['<', '>'])
        .find_map(|piece| (piece.len() == 36).then(|| MessageId::parse(piece).ok()).flatten())
}
