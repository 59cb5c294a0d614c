//! Frames of workers: a process that a stylesheet has taken over may write anything. What is read can be written and
//! read again, and nothing longer than allowed is even begun.
#![no_main]

use dds_worker::fuzz::{framed, reply, request};
use libfuzzer_sys::fuzz_target;

const LIMIT: u64 = 1 << 20;

type Read = fn(&[u8], u64) -> std::io::Result<Option<Vec<u8>>>;

fuzz_target!(|octets: &[u8]| {
    for read in [reply as Read, request] {
        // As it came, with its own length; and as the body of a frame whose length is right.
        let found = [read(octets, LIMIT), read(&framed(octets), LIMIT)];
        for written in found.into_iter().flatten().flatten() {
            let again = read(&written, u64::MAX).expect("what was written is read");
            assert_eq!(again.as_deref(), Some(written.as_slice()));
        }
    }
    if octets.len() > 1 {
        let short = octets.len() as u64 - 1;
        assert!(reply(&framed(octets), short).is_err(), "longer than allowed");
    }
});
