//! Who may send us a message now: places, how long one is waited for, and how many of them one address may hold.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::Pace;

/// How many messages are received at the same time, and how slowly.
#[derive(Debug, Clone, Copy)]
pub struct GateOptions {
    /// Messages at the same time.
    pub places: usize,
    /// Of these, from one address. Loopback is excepted: there a proxy stands for many.
    pub places_of_one: usize,
    /// A message waits for a place so long; then its sender is told to come back (503).
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
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place; given back when dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Option<Share>,
}

struct Share {
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
    of: IpAddr,
}

impl Gate {
    /// A gate with these bounds.
    #[must_use]
    pub fn new(options: GateOptions) -> Self {
        Self { options, places: Arc::new(Semaphore::new(options.places)), held: Arc::default() }
    }

    /// A place for a message from this address; `None` if there is none in time, or the address holds its share.
    pub(super) async fn enter(&self, address: Option<IpAddr>) -> Option<Place> {
        let share = match address.map(network).filter(|address| !address.is_loopback()) {
            Some(of) => Some(self.share(of)?),
            None => None,
        };
        let permit =
            timeout(self.options.patience, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()?;
        Some(Place { _permit: permit, _share: share })
    }

    pub(super) const fn pace(&self) -> Pace {
        self.options.pace
    }

    fn share(&self, of: IpAddr) -> Option<Share> {
        let mut held = self.held.lock();
        let count = held.entry(of).or_default();
        if *count >= self.options.places_of_one {
            return None;
        }
        *count += 1;
        Some(Share { held: Arc::clone(&self.held), of })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        if let Some(count) = held.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.of);
            }
        }
    }
}

/// One customer of IPv6 has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
        address => address,
    }
}
