//! A lease as a target holds it: its number, and behind it the digits with which the store vouches for it.
//!
//! The numbers of leases count up and are not kept: without the digits, one that was never given out could not be told
//! from one of an earlier life of the process.

use dds_message::DeliveryId;
use dds_store::{Lease, StoreError, Vault};

/// Digits that vouch for the number.
const DIGITS: usize = 10;

/// What the target gets.
pub(super) fn text(vault: &Vault, lease: &Lease) -> Result<String, StoreError> {
    let vouched = vault.vouch_for(lease)? % 10_u64.pow(DIGITS as u32);
    Ok(format!("{}{vouched:0DIGITS$}", lease.epoch))
}

/// The lease of this text; `None` if it was never given out for this delivery.
pub(super) fn read(vault: &Vault, delivery: DeliveryId, given: &str) -> Result<Option<Lease>, StoreError> {
    let number = given.len().checked_sub(DIGITS).and_then(|end| given.get(..end)?.parse().ok());
    let Some(lease) = number.map(|epoch| Lease { delivery, epoch }) else { return Ok(None) };
    Ok((text(vault, &lease)? == given).then_some(lease))
}

#[cfg(test)]
mod tests {
    use dds_store::MasterKey;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn only_a_text_that_was_given_out_for_the_delivery_is_read() {
        let vault = Vault::apart(&MasterKey::generate().unwrap());
        let delivery = DeliveryId(Uuid::from_u128(1));
        let lease = Lease { delivery, epoch: (1 << 32) + 1 };
        let given = text(&vault, &lease).unwrap();
        assert_eq!(given.len(), 10 + DIGITS);
        let read = |delivery, text: &str| read(&vault, delivery, text).unwrap();
        assert_eq!(read(delivery, &given), Some(lease));
        assert_eq!(read(DeliveryId(Uuid::from_u128(2)), &given), None, "of another delivery");
        let changed = |place: usize| {
            let mut digits = given.clone().into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + 1) % 10;
            String::from_utf8(digits).unwrap()
        };
        for place in 0..given.len() {
            assert_eq!(read(delivery, &changed(place)), None, "{place}");
        }
        for other in ["", "0", "4294967297", &format!("+{given}"), &format!("0{given}"), &given[1..]] {
            assert_eq!(read(delivery, other), None, "{other}");
        }
    }
}
