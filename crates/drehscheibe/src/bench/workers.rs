//! What the workers alone can do: the same messages recognised, matched, validated and transformed, without channels,
//! store and delivery. No router can be faster with these engines on this machine.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use dds_depot::Release;
use dds_message::{Clock, Format, MessageId, SourceId};
use dds_router::{Subject, judge, recognise};
use dds_telemetry::SystemClock;
use dds_testbench::Template;
use dds_worker::{Pool, PoolOptions};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Stopwatch;
use crate::{
    Failure,
    demo::{PORTAL, failed},
    node,
};

/// Messages per second that a pool as the router has it gets through with nothing else running.
pub(super) async fn alone(release: Release, template: Template, messages: u64) -> Result<f64, Failure> {
    let options = PoolOptions::default();
    let side_by_side = options.processes * 2;
    let pool = Pool::start(options).await?;
    node::load(&pool, &release).await?;
    let work = Arc::new(Work { pool, release, template, next: AtomicU64::default() });
    work.run(messages / 10, side_by_side).await?;
    let watch = Stopwatch::start();
    work.run(messages, side_by_side).await?;
    Ok(messages as f64 / watch.seconds())
}

struct Work {
    pool: Pool,
    release: Release,
    template: Template,
    next: AtomicU64,
}

impl Work {
    async fn run(self: &Arc<Self>, messages: u64, side_by_side: usize) -> Result<(), Failure> {
        self.next.store(0, Ordering::Relaxed);
        let mut tasks = JoinSet::new();
        for _ in 0..side_by_side {
            let this = Arc::clone(self);
            tasks.spawn(async move {
                loop {
                    let n = this.next.fetch_add(1, Ordering::Relaxed);
                    if n >= messages {
                        return Ok::<_, Failure>(());
                    }
                    Box::pin(this.one(this.template.variant(7, n))).await?;
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(failed)??;
        }
        Ok(())
    }

    async fn one(&self, document: Bytes) -> Result<(), Failure> {
        let (at, source) = (SystemClock.now(), SourceId::parse(PORTAL).map_err(failed)?);
        let limits = dds_xml::Limits::default();
        let (facts, recognised) = recognise(&self.release, &document, Format::Xml, &limits, &at.legal_day())?;
        let subject = Subject {
            id: MessageId(Uuid::now_v7()),
            at,
            source: &source,
            document: &document,
            format: Format::Xml,
            attachments: &[],
            release: self.release.id(),
            case_holders: &[],
        };
        let outcome = judge(&self.pool, &self.release, &subject, &facts, recognised).await;
        outcome.stopped.map_or(Ok(()), |(_, problem)| Err(problem.into()))
    }
}
