//! Opening while somebody else has the postbox open still.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may end by panic")]

mod support;

use support::postbox;

/// The process before us is in the middle of a step when we open: we wait for it.
#[test]
fn a_postbox_in_use_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    drop(postbox(folder.path()));
    let before = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    before.execute_batch("BEGIN IMMEDIATE; INSERT INTO meta VALUES ('test', x'00');").unwrap();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| drop(postbox(folder.path())));
        // It has come to the lock, or will; either way it must not fail.
        std::thread::yield_now();
        before.execute_batch("COMMIT").unwrap();
        opening.join().unwrap();
    });
}
