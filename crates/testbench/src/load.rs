//! Load: closed loop and constant arrival rate.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::Request;
use tokio::{task::JoinSet, time::Instant};

use crate::{Answered, Client, Error, Histogram, Outgoing};

/// How requests follow each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Each client sends its next request when it has the answer to the one before.
    Closed,
    /// So many requests per second in all, at fixed moments; latency counts from the intended moment, so that a
    /// stalled server cannot hide its stall (no coordinated omission).
    Rate(f64),
}

/// Lastlauf against one address.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where to.
    pub address: SocketAddr,
    /// Keep-alive connections; with [`Pace::Rate`] the most requests that can be under way.
    pub clients: usize,
    /// Pace.
    pub pace: Pace,
    /// Requests in all.
    pub requests: u64,
    /// Requests before these that are sent but not measured.
    pub warm_up: u64,
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct LoadReport {
    /// Answers measured, by status; 0 counts broken connections.
    pub by_status: BTreeMap<u16, u64>,
    /// From the first measured request to the last answer.
    pub elapsed: Duration,
    /// Latencies of all measured answers.
    pub latency: Histogram,
}

impl LoadReport {
    /// Answers with a status of 2xx.
    #[must_use]
    pub fn succeeded(&self) -> u64 {
        self.by_status.range(200..300).map(|(_, count)| count).sum()
    }

    /// Everything else.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.by_status.values().sum::<u64>() - self.succeeded()
    }

    /// Successes per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.succeeded() as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// Shared by the clients of a run.
struct Course<M, A> {
    load: Load,
    begin: Instant,
    next: AtomicU64,
    make: M,
    answered: A,
}

impl Load {
    /// Sends `make(n)` for n = 0, 1, … and shows each answer to `answered`. Every connection is opened before the
    /// first request.
    ///
    /// # Errors
    /// [`Error::Io`] if the first connections cannot be opened; later breaks are counted as status 0.
    pub async fn run<M, A>(&self, make: M, answered: A) -> Result<LoadReport, Error>
    where
        M: Fn(u64) -> Result<Request<Outgoing>, Error> + Send + Sync + 'static,
        A: Fn(u64, &Answered) + Send + Sync + 'static,
    {
        let mut clients = Vec::with_capacity(self.clients);
        for _ in 0..self.clients {
            let mut client = Client::new(self.address);
            client.warm().await?;
            clients.push(client);
        }
        let course = Arc::new(Course {
            load: self.clone(),
            begin: Instant::now(),
            next: AtomicU64::new(0),
            make,
            answered,
        });
        let mut running: JoinSet<Result<Share, Error>> = JoinSet::new();
        for client in clients {
            running.spawn(Arc::clone(&course).client(client));
        }
        let (mut report, mut first, mut last) = (LoadReport::default(), None::<Instant>, course.begin);
        while let Some(share) = running.join_next().await {
            let share =
                share.map_err(|_| Error::Unexpected("a client of the load run panicked".into()))??;
            for (status, count) in share.by_status {
                *report.by_status.entry(status).or_default() += count;
            }
            report.latency.merge(&share.latency);
            first = [first, share.first].into_iter().flatten().min();
            last = last.max(share.last.unwrap_or(last));
        }
        report.elapsed = last.saturating_duration_since(first.unwrap_or(last));
        Ok(report)
    }
}

/// What one client measured.
#[derive(Default)]
struct Share {
    by_status: BTreeMap<u16, u64>,
    latency: Histogram,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl<M, A> Course<M, A>
where
    M: Fn(u64) -> Result<Request<Outgoing>, Error>,
    A: Fn(u64, &Answered),
{
    async fn client(self: Arc<Self>, mut client: Client) -> Result<Share, Error> {
        let mut share = Share::default();
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= self.load.requests + self.load.warm_up {
                return Ok(share);
            }
            let request = (self.make)(n)?;
            let intended = match self.load.pace {
                Pace::Closed => Instant::now(),
                Pace::Rate(per_second) => {
                    let at = self.begin + Duration::from_secs_f64(n as f64 / per_second);
                    tokio::time::sleep_until(at).await;
                    at
                }
            };
            let status = match client.send(request).await {
                Ok(answer) => {
                    (self.answered)(n, &answer);
                    answer.status.as_u16()
                }
                Err(_) => 0,
            };
            if n < self.load.warm_up {
                continue;
            }
            let now = Instant::now();
            *share.by_status.entry(status).or_default() += 1;
            share.latency.record(now.saturating_duration_since(intended));
            share.first = Some(share.first.map_or(intended, |first| first.min(intended)));
            share.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FachverfahrenSim, Fault, http::whole};

    async fn run(pace: Pace, faults: &[(Fault, u64)]) -> (LoadReport, FachverfahrenSim) {
        let sim = FachverfahrenSim::rest_json().await.unwrap();
        for (fault, times) in faults {
            sim.faults().plan("/", fault.clone(), *times);
        }
        let load = Load { address: sim.address(), clients: 4, pace, requests: 100, warm_up: 10 };
        let make = |n: u64| {
            let id = uuid::Uuid::from_u128(u128::from(n)).to_string();
            Ok(Request::post("/x").header("Idempotency-Key", id).body(whole("{}"))?)
        };
        (load.run(make, |_, _| {}).await.unwrap(), sim)
    }

    #[tokio::test]
    async fn every_request_is_sent_once_and_measured() {
        let (report, sim) = run(Pace::Closed, &[(Fault::DropAfterReceiving, 3)]).await;
        assert_eq!(sim.inbox().len(), 110);
        assert_eq!(report.latency.count(), 100);
        assert_eq!((report.succeeded(), report.failed(), sim.inbox().repeats()), (100, 0, 0), "{report:?}");
        assert!(report.per_second() > 0.0);
    }

    #[tokio::test]
    async fn at_constant_rate_a_stall_shows_in_the_latency_of_those_who_wait() {
        // All four clients stall for 60 ms; the requests due meanwhile wait too, although each is answered quickly.
        let (report, _sim) = run(Pace::Rate(1_000.0), &[(Fault::Slow(Duration::from_millis(60)), 4)]).await;
        assert_eq!(report.failed(), 0);
        // Request 10 should have left after 10 ms and could only leave after 60: a lower bound on any machine.
        assert!(report.latency.max() >= Duration::from_millis(45), "{:?}", report.latency.max());
    }
}
