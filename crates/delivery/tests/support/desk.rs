//! Targets played by the test: each attempt waits on the desk until the test answers it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use dds_delivery::{
    Adapter, Consignment, Fault, LiveTarget, Receipt, TargetDirectory, TargetPolicy, Verdict,
};
use dds_message::{AnswerKind, Code, DeliveryId, MessageId, TargetId, Text};
use tokio::sync::{mpsc, oneshot};

/// One attempt under way.
pub struct Call {
    pub target: TargetId,
    pub message: MessageId,
    pub delivery: DeliveryId,
    pub attempt: u32,
    pub answer: Option<(AnswerKind, MessageId)>,
    pub document: String,
    reply: oneshot::Sender<Verdict>,
}

impl Call {
    /// The target answers.
    pub fn says(self, verdict: Verdict) {
        self.reply.send(verdict).unwrap();
    }
}

pub struct Desk {
    pub targets: Arc<Targets>,
    calls: mpsc::UnboundedReceiver<Call>,
}

pub struct Targets {
    /// How targets are treated; those not named as `usual`.
    pub policies: Mutex<HashMap<TargetId, TargetPolicy>>,
    pub usual: Mutex<TargetPolicy>,
    /// Targets that the active release lacks.
    pub absent: Mutex<HashSet<TargetId>>,
    desk: mpsc::UnboundedSender<Call>,
}

impl Desk {
    pub fn new() -> Self {
        let (desk, calls) = mpsc::unbounded_channel();
        let targets =
            Targets { policies: Mutex::default(), usual: Mutex::default(), absent: Mutex::default(), desk };
        Self { targets: Arc::new(targets), calls }
    }

    /// The next attempt at any target.
    pub async fn call(&mut self) -> Call {
        soon(self.calls.recv()).await.unwrap()
    }

    /// Whether an attempt waits for its answer; it is dropped.
    pub fn is_empty(&mut self) -> bool {
        self.calls.try_recv().is_err()
    }
}

impl TargetDirectory for Targets {
    fn lookup(&self, target: &TargetId) -> Option<Arc<LiveTarget>> {
        if self.absent.lock().unwrap().contains(target) {
            return None;
        }
        let policy = self.policies.lock().unwrap().get(target).cloned();
        let policy = policy.unwrap_or_else(|| self.usual.lock().unwrap().clone());
        // `host/…`
        let host = Arc::from(target.as_str().split('/').next().unwrap());
        Some(Arc::new(LiveTarget { host, adapter: Arc::new(Line(self.desk.clone())), policy }))
    }
}

struct Line(mpsc::UnboundedSender<Call>);

#[async_trait]
impl Adapter for Line {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        let (reply, answer) = oneshot::channel();
        let call = Call {
            target: consignment.target.clone(),
            message: consignment.message,
            delivery: consignment.delivery,
            attempt: consignment.attempt,
            answer: consignment.answer,
            document: String::from_utf8_lossy(&consignment.document.bytes).into_owned(),
            reply,
        };
        if self.0.send(call).is_err() {
            return std::future::pending().await;
        }
        match answer.await {
            Ok(verdict) => verdict,
            // The test does not answer: neither does the target.
            Err(_) => std::future::pending().await,
        }
    }
}

pub fn delivered() -> Verdict {
    Verdict::Delivered(Receipt { reference: Some("A-1".to_owned()) })
}

pub fn refused(code: Code) -> Verdict {
    Verdict::Permanent(Fault { code, detail: Text::verbatim("HTTP 422") })
}

pub fn busy() -> Verdict {
    temporary(Code::TARGET_BUSY)
}

pub fn temporary(code: Code) -> Verdict {
    Verdict::Temporary { fault: Fault { code, detail: Text::verbatim("HTTP 503") }, retry_after: None }
}

/// Fails instead of hanging; nothing in these tests takes long.
pub async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("waited a minute in vain")
}
