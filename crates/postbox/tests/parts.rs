//! Attachments stay exactly as long as something durable names them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{future::Future as _, pin::pin, task::Context};

use dds_postbox::{Postbox, PostboxError, StoredPart};
use support::postbox;

fn read(postbox: &Postbox, part: &StoredPart) -> Result<Vec<u8>, PostboxError> {
    let mut reader = postbox.open_part(part)?;
    let mut octets = Vec::new();
    while let Some(piece) = reader.next_chunk()? {
        octets.extend_from_slice(&piece);
    }
    Ok(octets)
}

/// A client that disconnects, or a visit given up at shutdown, drops the future while the step is being committed. What
/// the step made durable must not lose its attachments by that.
#[tokio::test]
async fn parts_kept_in_a_step_outlive_who_waited_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let mut parts = postbox.parts().unwrap();
    let part = parts.put(b"Anlage").unwrap();
    {
        let mut waiting = pin!(postbox.run(move |_| {
            parts.keep();
            Ok::<_, PostboxError>(())
        }));
        // Polled once, so that the step is on its way; then nobody waits any more.
        let _under_way = waiting.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop()));
    }
    // Steps run in their order: when this one is done, so is the one before.
    postbox.run(|_| Ok::<_, PostboxError>(())).await.unwrap();
    assert_eq!(read(&postbox, &part).unwrap(), b"Anlage");
}

#[tokio::test]
async fn parts_that_nobody_keeps_vanish() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let mut parts = postbox.parts().unwrap();
    let part = parts.put(b"Anlage").unwrap();
    assert_eq!(read(&postbox, &part).unwrap(), b"Anlage");
    drop(parts);
    assert!(read(&postbox, &part).is_err());
}
