//! Places for attempts: who may begin one now.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use dds_message::TargetId;
use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Places over all targets, given out by two rules:
///
/// - A target has no more of them than it may.
/// - A host gets another one only while more are free than it has. Attempts at a host that accepts connections and
///   never answers thus leave places to others, however many targets it serves: one such host leaves half of all free,
///   `n` of them one in `n + 1`.
///
/// A place that becomes free goes to the host that has the fewest, there to whom waits longest.
pub(crate) struct Places(Mutex<State>);

struct State {
    free: usize,
    closed: bool,
    /// Hosts that have places or wait for some.
    hosts: HashMap<Arc<str>, Host>,
}

#[derive(Default)]
struct Host {
    taken: usize,
    /// Places by target; no entry is none.
    targets: HashMap<TargetId, usize>,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    target: TargetId,
    parallel: usize,
    go: oneshot::Sender<Place>,
}

/// A place that is taken; free again when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    host: Arc<str>,
    target: TargetId,
}

impl Places {
    pub(crate) fn new(all: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: all, closed: false, hosts: HashMap::new() })))
    }

    /// A place for an attempt at `target`, of which there may be `parallel` at a time. `None` if they are closed.
    pub(crate) async fn take(
        self: &Arc<Self>,
        host: &Arc<str>,
        target: &TargetId,
        parallel: usize,
    ) -> Option<Place> {
        let (go, gone) = oneshot::channel();
        let waiting = Waiting { target: target.clone(), parallel: parallel.max(1), go };
        {
            let mut state = self.0.lock();
            if state.closed {
                return None;
            }
            state.hosts.entry(Arc::clone(host)).or_default().waiting.push_back(waiting);
        }
        self.give_out();
        gone.await.ok()
    }

    /// No attempt begins any more; whoever waits for a place gets none.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.hosts.values_mut().for_each(|host| host.waiting.clear());
    }

    fn give_out(self: &Arc<Self>) {
        loop {
            let Some((host, Waiting { target, go, .. })) = self.0.lock().next() else { return };
            // Sent to nobody, the place is dropped and thus free again.
            let _unwanted = go.send(Place { places: Arc::clone(self), host, target });
        }
    }
}

impl State {
    /// Who gets a place now, if anybody.
    fn next(&mut self) -> Option<(Arc<str>, Waiting)> {
        self.hosts.retain(|_, host| host.is_needed());
        let free = self.free;
        let served = self.hosts.iter_mut().filter(|(_, host)| host.taken < free);
        let ready = served.filter_map(|(name, host)| host.first().map(|at| (name, host, at)));
        let (name, host, at) = ready.min_by_key(|(_, host, _)| host.taken)?;
        let waiting = host.waiting.remove(at)?;
        host.taken += 1;
        *host.targets.entry(waiting.target.clone()).or_default() += 1;
        self.free -= 1;
        Some((Arc::clone(name), waiting))
    }

    fn leave(&mut self, host: &Arc<str>, target: &TargetId) {
        self.free += 1;
        let Some(host) = self.hosts.get_mut(host) else { return };
        host.taken -= 1;
        if let Some(taken) = host.targets.get_mut(target) {
            *taken -= 1;
        }
        host.targets.retain(|_, taken| *taken > 0);
    }
}

impl Host {
    fn is_needed(&mut self) -> bool {
        self.waiting.retain(|waiting| !waiting.go.is_closed());
        self.taken > 0 || !self.waiting.is_empty()
    }

    /// Which of those that wait may go first.
    fn first(&self) -> Option<usize> {
        let taken = |target| self.targets.get(target).copied().unwrap_or(0);
        self.waiting.iter().position(|waiting| taken(&waiting.target) < waiting.parallel)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.lock().leave(&self.host, &self.target);
        self.places.give_out();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    struct Bench(Arc<Places>);

    impl Bench {
        /// What is given out at once; `target` is `host/…`.
        fn take(&self, target: &str, parallel: usize) -> Option<Place> {
            let host = Arc::from(target.split('/').next().unwrap());
            self.0.take(&host, &TargetId::parse(target).unwrap(), parallel).now_or_never().flatten()
        }

        fn fill(&self, targets: impl Iterator<Item = String>) -> Vec<Place> {
            targets.filter_map(|target| self.take(&target, 8)).collect()
        }
    }

    #[test]
    fn one_host_leaves_half_of_all_free() {
        let bench = Bench(Places::new(64));
        let taken = bench.fill((0..40 * 8).map(|n| format!("dead/{}", n % 40)));
        assert_eq!(taken.len(), 32);
        assert!(bench.take("fine/1", 8).is_some());
    }

    #[test]
    fn many_hosts_leave_a_place_to_another() {
        let bench = Bench(Places::new(64));
        let taken = bench.fill((0..40 * 8).map(|n| format!("dead{}/1", n % 40)));
        assert_eq!(taken.len(), 63);
        assert!(bench.take("fine/1", 8).is_some());
    }

    #[test]
    fn a_target_has_as_many_as_it_may_now() {
        let bench = Bench(Places::new(64));
        let first = bench.take("a/1", 1);
        assert!(first.is_some());
        assert!(bench.take("a/1", 1).is_none(), "beyond what the target allows");
        assert!(bench.take("a/1", 2).is_some(), "a new release allows two");
        drop(first);
        assert!(bench.take("a/1", 1).is_some(), "all were given back, also by who did not wait any more");
        assert!(bench.0.0.lock().hosts.is_empty());
    }

    #[tokio::test]
    async fn who_waits_goes_in_turn_and_the_host_with_the_fewest_first() {
        let places = Places::new(3);
        let [many, few] = ["many", "few"].map(Arc::<str>::from);
        let target = TargetId::parse("t").unwrap();
        let one = places.take(&many, &target, 8).await;
        let two = places.take(&few, &target, 8).await;
        let mut waiting: Vec<_> =
            [&many, &many, &few].into_iter().map(|host| Box::pin(places.take(host, &target, 8))).collect();
        for take in &mut waiting {
            assert!(take.as_mut().now_or_never().is_none(), "one place is kept for a third host");
        }
        drop(two);
        let few_now = waiting.pop().unwrap().await;
        assert!(waiting.iter_mut().all(|take| take.as_mut().now_or_never().is_none()));
        drop((few_now, one));
        assert!(waiting.remove(0).await.is_some());
    }
}
