//! How much each of many may hold at the same time.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Anteile: counts what each address holds. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
    each: usize,
}

/// One of the things an address holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Shares,
    of: IpAddr,
}

impl Shares {
    /// At most `each` for one address.
    pub(crate) fn new(each: usize) -> Self {
        Self { held: Arc::default(), each }
    }

    /// One more for this address; `None` if it holds its share. Loopback has no bound: there a proxy stands for many.
    pub(crate) fn take(&self, of: IpAddr) -> Option<Share> {
        let of = network(of);
        let mut held = self.held.lock();
        let count = held.entry(of).or_default();
        if *count >= self.each && !of.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Share { shares: self.clone(), of })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held.lock();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_share_and_gets_it_back() {
        let shares = Shares::new(2);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(address);
        let held = [shares.take(one).unwrap(), shares.take(one).unwrap()];
        assert!(shares.take(one).is_none());
        assert!(shares.take(other).is_some(), "another address has a share of its own");
        drop(held);
        assert!(shares.take(one).is_some());
        assert!(shares.held.lock().is_empty(), "what nobody holds is forgotten");
    }

    #[test]
    fn a_customer_of_ipv6_has_one_share_and_a_proxy_beside_us_any_number() {
        let shares = Shares::new(1);
        let _held = shares.take(address("2001:db8:1:2::1")).unwrap();
        assert!(shares.take(address("2001:db8:1:2:ffff::9")).is_none(), "the same /64");
        assert!(shares.take(address("2001:db8:1:3::1")).is_some());
        let _mapped = shares.take(address("::ffff:192.0.2.1")).unwrap();
        assert!(shares.take(address("192.0.2.1")).is_none(), "the same address of IPv4");
        let _proxy = [shares.take(address("127.0.0.1")).unwrap(), shares.take(address("127.0.0.1")).unwrap()];
    }
}
