//! What a partner who does not read costs: no thread.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

use std::{sync::Arc, time::Duration};

use dds_courier::Package;
use dds_message::{Clock, Timestamp};
use dds_osci::{intermediary::Attachment, outgoing::Outgoing, outgoing::PartHasher, random::SystemRandom};
use dds_postbox::{Options, Postbox};
use dds_store::{MasterKey, Vault};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::{task::spawn_blocking, time::timeout};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp(1_790_000_000_000)
    }
}

#[test]
fn a_reader_who_waits_holds_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        folder: folder.path().to_owned(),
        vault: Vault::apart(&MasterKey::generate().unwrap()),
        clock: Arc::new(Noon),
    };
    let postbox = Postbox::open(options).unwrap();
    let octets: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    let mut parts = postbox.parts().unwrap();
    let handle = parts.put(&octets).unwrap();
    let range = |offset: u64, bytes: u64| Attachment {
        content_id: format!("ab-{offset}@anlage"),
        media_type: "application/octet-stream".to_owned(),
        bytes,
        offset,
        digests: PartHasher::new("unused", &[]).finish(),
        handle: handle.clone(),
    };
    let attachments = vec![range(0, octets.len() as u64), range(300_001, 12)];
    let outgoing = Outgoing::plain(b"<huelle/>".to_vec(), &mut SystemRandom);
    let package = Package { outgoing, attachments };
    let length = package.length().unwrap();

    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let mut stream = Box::pin(package.stream(postbox));
        let first = stream.next().await.unwrap().unwrap();
        assert!(first.len() < octets.len(), "in pieces");
        // The reader pauses; the one thread is free.
        timeout(Duration::from_secs(20), spawn_blocking(|| {})).await.expect("a free thread").unwrap();
        let rest: Vec<_> = stream.try_collect().await.unwrap();
        let all = [vec![first], rest].concat().concat();
        assert_eq!(all.len() as u64, length);
        let holds = |part: &[u8]| all.windows(part.len()).any(|window| window == part);
        assert!(holds(&octets[..70_000]) && holds(&octets[990_000..]));
        assert!(all.windows(14).any(|window| window == [&octets[300_001..300_013], b"\r\n"].concat()));
    });
    drop(parts);
}
