//! 64 MB through the OSCI sender and into the intermediary, 32 MB in chunks, and 64 MB into a mailbox of our own,
//! without ever holding them: the peak of the process is measured, so this file has one test only. `DDS_STREAM_MIB`
//! sets another size; the way in: `crates/inbound/tests/osci_streaming.rs`.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;
#[path = "support/osci.rs"]
mod world;

use dds_osci::message::MessageKind;
use dds_outbound::Options;
use dds_testbench::ManualClock;
use support::{Made, Town, consignment, deliver, told};
use world::{Desktop, Place, way};

/// Peak of resident memory in KB (Linux).
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn large_attachments_pass_in_constant_memory() {
    // More would only take longer: every octet is encrypted twice and decrypted once, by a debug build.
    let mebibytes = std::env::var("DDS_STREAM_MIB").map_or(64, |text| text.parse().unwrap());
    let size: u64 = mebibytes << 20;
    let clock = ManualClock::default();
    let place = Place::start(&clock, &[]).await;
    let desktop = Desktop::new(&clock);
    let options = Options { osci: Some(desktop.sender(&clock)), ..Options::default() };
    let targets = Town { osci: Some(way(&place.url)), options: options.clone(), ..Town::default() }.targets();
    let mut in_chunks = way(&place.url);
    in_chunks["chunk_kb"] = serde_json::json!(4_096);
    let in_chunks = Town { osci: Some(in_chunks), options, ..Town::default() }.targets();
    // What libraries keep for good is no part of the measure.
    let small = deliver(&targets, &consignment("osci", 1, vec![Made::source("klein.pdf", 1 << 20)])).await;
    assert_eq!(told(&small).0, "delivered", "{small:?}");
    let attachment = Made::source("gross.pdf", size);
    let before = peak();
    let verdict = deliver(&targets, &consignment("osci", 2, vec![attachment])).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    let half = Made::source("halb.pdf", size / 2);
    let verdict = deliver(&in_chunks, &consignment("osci", 3, vec![half])).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    let options = Options { osci: Some(place.own_sender()), ..Options::default() };
    let own = Town { osci: Some(way("http://127.0.0.1:9/osci")), options, ..Town::default() }.targets();
    let verdict = deliver(&own, &consignment("osci", 4, vec![Made::source("eigen.pdf", size)])).await;
    assert_eq!(told(&verdict).0, "delivered", "{verdict:?}");
    let sent = peak();
    assert_eq!(place.count(MessageKind::StoreDelivery), 2);
    // The question what has arrived, and one more than the octets fill: there is an envelope too.
    let chunks = usize::try_from(size / 2 / (4 << 20)).unwrap() + 1;
    assert_eq!(place.count(MessageKind::PartialStoreDelivery), 1 + chunks);
    let (Some(before), Some(sent)) = (before, sent) else {
        return eprintln!("large_attachments_pass_in_constant_memory: memory NOT MEASURED, no /proc here");
    };
    eprintln!("{mebibytes} MiB sent, peak {before} KB before and {sent} KB after");
    assert!(sent - before < 24 * 1024, "peak grew by {} KB", sent - before);
}
