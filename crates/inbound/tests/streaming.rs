//! Attachments flow through: memory does not grow with their size. A binary of its own, because it measures itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, also in its helpers"
)]

#[path = "channels/support.rs"]
mod support;

use bytes::Bytes;
use dds_inbound::Options;
use reqwest::{Body, multipart::Form, multipart::Part};
use support::{DOCUMENT, Service, TOKEN, client};

const SIZE: u64 = 200 << 20;
const PIECE: usize = 64 << 10;
/// Growth allowed for sender, receiver and their buffers together.
const GROWTH_KB: u64 = 24 << 10;

#[tokio::test]
async fn two_hundred_megabytes_pass_in_constant_memory() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let send = |size: u64| {
        let piece = Bytes::from_iter((0..PIECE).map(|n| (n % 256) as u8));
        let pieces = futures::stream::iter(
            std::iter::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()))
                .take(size as usize / PIECE),
        );
        let attachment = Part::stream_with_length(Body::wrap_stream(pieces), size).file_name("gross.bin");
        let form = Form::new()
            .part("attachment", attachment)
            .part("message", Part::text(DOCUMENT).mime_str("application/xml").unwrap());
        client.post(service.url("/v1/messages")).bearer_auth(TOKEN).multipart(form).send()
    };
    // Buffers and threads are there after the first.
    assert_eq!(send(8 << 20).await.unwrap().status(), 202);
    let before = memory("VmRSS:");
    assert_eq!(send(SIZE).await.unwrap().status(), 202);
    let growth = memory("VmHWM:").saturating_sub(before);
    assert_eq!(service.fake.taken()[1].attachments[0].size, SIZE);
    eprintln!("200 MiB passed, peak {growth} KB above {before} KB");
    assert!(growth < GROWTH_KB, "{growth} KB above {before} KB");
}

/// A line of `/proc/self/status` in KB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.trim().trim_end_matches(" kB").parse().unwrap()
}
