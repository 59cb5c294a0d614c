//! Partners who do not read, or say next to nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

use std::{path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::post};
use dds_courier::{Courier, Desk, ExchangeError, Package, Timeouts};
use dds_message::{Clock, Timestamp};
use dds_osci::{intermediary::Attachment, outgoing::Outgoing, outgoing::PartHasher, random::SystemRandom};
use dds_postbox::{Options, Postbox};
use dds_store::{MasterKey, Vault};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp(1_790_000_000_000)
    }
}

fn postbox(folder: &Path) -> Postbox {
    let options = Options {
        folder: folder.to_owned(),
        vault: Vault::apart(&MasterKey::generate().unwrap()),
        clock: Arc::new(Noon),
    };
    Postbox::open(options).unwrap()
}

/// An octet now and then is no answer.
#[tokio::test]
async fn a_partner_who_drips_has_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk { intake: Arc::default(), postbox: postbox(folder.path()) };
    let drops = stream::iter(0..1_000).then(|_| async {
        sleep(Duration::from_millis(50)).await;
        Ok::<_, std::convert::Infallible>("a")
    });
    let drops = Arc::new(std::sync::Mutex::new(Some(drops)));
    let answer = move || async move { Body::from_stream(drops.lock().unwrap().take().unwrap()) };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await.unwrap() });
    let timeouts = Timeouts { silence: Duration::from_millis(500), ..Timeouts::default() };
    let trusting = rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty());
    let courier = Courier::new(desk, trusting.with_no_client_auth(), timeouts).unwrap();
    let package = Package {
        outgoing: Outgoing::plain(b"<huelle/>".to_vec(), &mut SystemRandom),
        attachments: Vec::new(),
    };
    let answered = courier.exchange(&address, package, Vec::new()).await;
    assert!(matches!(&answered, Err(ExchangeError::NoAnswer(why)) if why == "time-out"), "{answered:?}");
}

#[test]
fn a_reader_who_waits_holds_no_thread() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
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
