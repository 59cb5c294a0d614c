//! Uploads: however the network cuts the body into pieces, the same parts come out.
#![no_main]

use dds_inbound::multipart::{Event, PartHead, Splitter};
use libfuzzer_sys::fuzz_target;

const CONTENT_TYPE: &str = "multipart/form-data; boundary=grenze";

/// Parts with their content, and whether the body was accepted.
fn split<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<(PartHead, Vec<u8>)>, bool) {
    let mut splitter = Splitter::new(CONTENT_TYPE).expect("a boundary");
    let mut parts: Vec<(PartHead, Vec<u8>)> = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        loop {
            match splitter.event() {
                Ok(Event::Hungry | Event::End) => break,
                Ok(Event::Part(head)) => parts.push((head, Vec::new())),
                Ok(Event::Data(bytes)) => {
                    parts.last_mut().expect("data of a part").1.extend_from_slice(&bytes)
                }
                Ok(Event::PartEnd) => {}
                Err(_) => return (parts, false),
            }
        }
    }
    let complete = splitter.finish().is_ok();
    (parts, complete)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, body) = input;
    let whole = split(std::iter::once(body));
    let pieces = split(body.chunks(usize::from(size).max(1)));
    assert_eq!(whole.1, pieces.1, "accepted or not, whatever the pieces");
    if whole.1 {
        assert_eq!(whole.0, pieces.0);
    }
});
