//! Whole messages in the clear: MIME, envelope, every typed message, content; `inspect` says something about anything.
#![no_main]

use dds_osci::content;
use dds_osci::inspect::inspect;
use dds_osci::intake::{IntakeConfig, read_all};
use dds_osci::message::Message;
use dds_osci::random::SystemRandom;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let config = IntakeConfig::default();
    let report = inspect(octets, &[], &config, &mut SystemRandom);
    assert!(
        !report.to_string().chars().any(|char| char.is_control() && char != '\n'),
        "nothing drives the terminal"
    );
    let json = report.to_json();
    serde_json::from_str::<serde_json::Value>(&json).expect("the report is JSON");
    if let Ok(received) = read_all(&config, &[], &mut SystemRandom, octets) {
        let _message = Message::read(&received.document);
        let _content =
            content::open(&received.document, &received.digests(), &[], &config, &mut SystemRandom);
    }
});
