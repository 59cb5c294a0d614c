//! Replies of a mail server: however the network cuts them, the same replies; nothing of their text is told.
#![no_main]

use dds_outbound::fuzz::{SmtpReply, smtp_replies};
use libfuzzer_sys::fuzz_target;

fn read(octets: &[u8], piece: usize) -> Vec<SmtpReply> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(smtp_replies(octets, piece))
}

fuzz_target!(|octets: &[u8]| {
    let whole = read(octets, octets.len().max(1));
    // The first octet only cuts: so conversations are seeds as they are.
    let piece = usize::from(octets.first().copied().unwrap_or(1)).max(1);
    assert_eq!(whole, read(octets, piece));
    for reply in whole {
        assert!((1..=100).contains(&reply.lines.len()), "a reply has lines, and not without end");
        assert!(reply.lines.iter().all(|line| line.len() <= 3 * 4096 && !line.contains('\n')));
        assert!(
            reply.told.bytes().all(|byte| byte.is_ascii_digit() || b" .".contains(&byte)),
            "codes are told, never text: {}",
            reply.told
        );
        if let Some(id) = reply.queue_id {
            assert!(id.chars().all(|char| !char.is_control() && !char.is_whitespace()), "{id:?}");
        }
    }
});
