//! Envelopes without packaging: ControlBlock, order and header blocks.
#![no_main]

use dds_osci::message::Message;
use dds_osci::xml::{Document, limits, schema_location};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|envelope: &[u8]| {
    let Ok(document) = Document::parse(envelope.to_vec(), &limits()) else { return };
    let _location = schema_location(&document);
    if let Ok(Message::Envelope(envelope)) = Message::read(&document)
        && let Ok(written) = envelope.write()
    {
        let again = Document::parse(written.assemble(None), &limits()).expect("what we write is XML");
        let Ok(Message::Envelope(again)) = Message::read(&again) else { panic!("what we write we read") };
        assert_eq!(again.control, envelope.control);
        assert_eq!(again.kind(), envelope.kind());
    }
});
