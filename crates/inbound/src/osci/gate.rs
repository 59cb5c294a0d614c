//! Who may send us a message now: places, how long one is waited for, and how many of them one address may hold.

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    Pace,
    share::{Share, Shares},
};

/// How many messages are received at the same time, and how slowly.
#[derive(Debug, Clone, Copy)]
pub struct GateOptions {
    /// Messages at the same time.
    pub places: usize,
    /// Of these, from one address. Loopback is excepted: there a proxy stands for many.
    pub places_of_one: usize,
    /// A message waits for a place so long; then its sender is told to come back (fault 9000 with `Retry-After`).
    pub patience: Duration,
    /// How slow a sender may be.
    pub pace: Pace,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self { places: 256, places_of_one: 64, patience: Duration::from_secs(10), pace: Pace::default() }
    }
}

/// Einlass. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate {
    options: GateOptions,
    places: Arc<Semaphore>,
    shares: Shares,
}

/// A place; given back when dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Option<Share>,
}

impl Gate {
    /// A gate with these bounds.
    #[must_use]
    pub fn new(options: GateOptions) -> Self {
        let shares = Shares::new(options.places_of_one);
        Self { options, places: Arc::new(Semaphore::new(options.places)), shares }
    }

    /// A place for a message from this address; `None` if there is none in time, or the address holds its share.
    pub(super) async fn enter(&self, address: Option<IpAddr>) -> Option<Place> {
        let share = match address {
            Some(of) => Some(self.shares.take(of)?),
            None => None,
        };
        let permit =
            timeout(self.options.patience, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()?;
        Some(Place { _permit: permit, _share: share })
    }

    pub(super) const fn pace(&self) -> Pace {
        self.options.pace
    }
}
