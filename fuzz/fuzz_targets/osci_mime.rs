//! MIME of OSCI: however the network cuts the body, the same parts come out, and what is written is read.
#![no_main]

use std::convert::Infallible;

use dds_osci::mime::{MimeLimits, MimeReader, PartHeaders, PartSink};
use libfuzzer_sys::fuzz_target;

#[derive(Default, PartialEq, Debug)]
struct Parts(Vec<(PartHeaders, Vec<u8>)>);

impl PartSink for Parts {
    type Error = Infallible;

    fn begin(&mut self, index: usize, headers: &PartHeaders) -> Result<(), Infallible> {
        assert_eq!(index, self.0.len(), "parts are numbered as they come");
        self.0.push((headers.clone(), Vec::new()));
        Ok(())
    }

    fn data(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.0.last_mut().expect("data of a part").1.extend_from_slice(octets);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Parts, bool) {
    let (mut reader, mut parts) = (MimeReader::new(MimeLimits::default()), Parts::default());
    for piece in pieces {
        if reader.push(piece, &mut parts).is_err() {
            return (parts, false);
        }
    }
    let complete = reader.finish(&mut parts).is_ok();
    (parts, complete)
}

fuzz_target!(|input: &[u8]| {
    // The first octet only cuts: so the captures are seeds as they are.
    let size = usize::from(input.first().copied().unwrap_or(1)).max(1);
    let whole = read(std::iter::once(input));
    let pieces = read(input.chunks(size));
    assert_eq!(whole.1, pieces.1, "accepted or not, whatever the pieces");
    if whole.1 {
        assert_eq!(whole.0, pieces.0);
        assert!(whole.0.0.len() <= MimeLimits::default().parts);
    }
});
