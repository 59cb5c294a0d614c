//! Long polls wait, and whoever waits holds a connection: only so many do.

use std::{collections::HashMap, sync::Arc};

use dds_message::{Code, Problem, TargetId};
use parking_lot::Mutex;

/// Wartende Abholer: long polls under way, of all mailboxes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Polls {
    waiting: Arc<Mutex<HashMap<TargetId, usize>>>,
    all: usize,
}

impl Polls {
    /// Long polls that wait for one target. Two nodes of a Fachverfahren with some workers each need no more, and a
    /// broken connection that nobody has noticed yet leaves room for the next.
    pub const PER_TARGET: usize = 8;

    /// At most so many wait together.
    #[must_use]
    pub fn new(all: usize) -> Self {
        Self { waiting: Arc::default(), all }
    }

    /// How many wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.lock().values().sum()
    }

    /// A place for as long as the returned value lives.
    ///
    /// # Errors
    /// DDS-I016 when the target itself has too many, DDS-I009 when there are too many in all.
    pub(super) fn begin(&self, target: &TargetId) -> Result<Poll, Problem> {
        let mut waiting = self.waiting.lock();
        if waiting.get(target).is_some_and(|count| *count >= Self::PER_TARGET) {
            let count = Self::PER_TARGET;
            let text = (
                format!("{count} Abholer dieses Ziels warten schon"),
                format!("{count} long polls of this target wait already"),
            );
            return Err(Problem::new(Code::TOO_MANY_POLLS, text));
        }
        if waiting.values().sum::<usize>() >= self.all {
            let text = ("zu viele Abholer warten zugleich", "too many long polls wait");
            return Err(Problem::new(Code::OVERLOADED, text));
        }
        *waiting.entry(target.clone()).or_default() += 1;
        Ok(Poll { polls: self.clone(), target: target.clone() })
    }
}

/// One of them.
pub(super) struct Poll {
    polls: Polls,
    target: TargetId,
}

impl Drop for Poll {
    fn drop(&mut self) {
        let mut waiting = self.polls.waiting.lock();
        if let Some(count) = waiting.get_mut(&self.target) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.target);
            }
        }
    }
}
