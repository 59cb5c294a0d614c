//! Faults on request.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

/// Störung: what a simulator does instead of answering properly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Reads the request, keeps nothing, answers this status.
    Refuse(u16),
    /// The same with `Retry-After` in seconds.
    RefuseFor(u16, u32),
    /// Reads the request and never answers.
    Hang,
    /// Works properly after this pause.
    Slow(Duration),
    /// Keeps the message, then closes the connection without an answer: the sender must repeat.
    DropAfterReceiving,
    /// Closes the connection without reading.
    Drop,
    /// Keeps the message, then answers this status: the sender believes it failed.
    KeepAndAnswer(u16),
}

/// Störungsplan: which requests fail, by path prefix; cheap to clone. Without an entry everything works.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plans>>);

/// By path prefix: faults in order, each for so many requests.
type Plans = HashMap<String, VecDeque<(Fault, u64)>>;

impl Faults {
    /// The next `times` requests whose path begins with `prefix` meet `fault`, after those planned before.
    pub fn plan(&self, prefix: &str, fault: Fault, times: u64) {
        if times > 0 {
            self.0.lock().entry(prefix.to_owned()).or_default().push_back((fault, times));
        }
    }

    /// How many requests planned faults still wait for.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.0.lock().values().flatten().map(|(_, left)| left).sum()
    }

    /// From now on everything works.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// The fault that this request meets; counts it.
    pub(crate) fn next(&self, path: &str) -> Option<Fault> {
        let mut plans = self.0.lock();
        let prefix =
            plans.iter().find(|(prefix, queue)| path.starts_with(prefix.as_str()) && !queue.is_empty());
        let prefix = prefix.map(|(prefix, _)| prefix.clone())?;
        let queue = plans.get_mut(&prefix)?;
        let (fault, left) = queue.front_mut()?;
        let fault = fault.clone();
        *left -= 1;
        if *left == 0 {
            queue.pop_front();
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_order_and_only_to_their_prefix() {
        let faults = Faults::default();
        faults.plan("/a", Fault::Refuse(503), 2);
        faults.plan("/a", Fault::Hang, 1);
        assert_eq!((faults.next("/b/x"), faults.pending()), (None, 3));
        assert_eq!(faults.next("/a/x"), Some(Fault::Refuse(503)));
        assert_eq!(faults.next("/a/x"), Some(Fault::Refuse(503)));
        assert_eq!(faults.next("/a/x"), Some(Fault::Hang));
        assert_eq!((faults.next("/a/x"), faults.pending()), (None, 0));
    }
}
