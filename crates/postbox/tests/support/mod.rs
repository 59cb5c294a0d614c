//! A postbox at a fixed time. Opened again in the same folder it has the same key.

use std::{path::Path, sync::Arc};

use dds_message::{Clock, Timestamp};
use dds_postbox::{Options, Postbox};
use dds_store::{MasterKey, Vault};

/// When it is, in milliseconds.
pub(crate) const NOW: i64 = 1_790_000_000_000;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

pub(crate) fn postbox(folder: &Path) -> Postbox {
    let options = Options {
        folder: folder.to_owned(),
        vault: Vault::apart(&MasterKey::from_hex(&"ab".repeat(32)).unwrap()),
        clock: Arc::new(Noon),
    };
    Postbox::open(options).unwrap()
}
