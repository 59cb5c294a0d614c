//! A process inside the sandbox really cannot reach anything. The witness tries everything twice, before and inside,
//! so that a test that cannot fail would be seen.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::Command;

#[test]
fn inside_the_sandbox_nothing_can_be_opened_connected_or_started() {
    let folder = std::env::temp_dir().join(format!("dds-worker-sandbox-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let witness = Command::new(env!("CARGO_BIN_EXE_dds-worker-probe")).arg("witness").arg(&folder).output();
    std::fs::remove_dir_all(&folder).unwrap();
    let output = witness.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = |line: &str| text.lines().any(|said| said == line);
    assert!(said("missing nothing"), "no seccomp on this machine? {text}");
    for attempt in
        ["read", "list", "write", "rename", "restore", "udp", "tcp", "pair", "thread", "process", "signal"]
    {
        assert!(said(&format!("free {attempt} ok")), "{attempt} before the sandbox: {text}");
        assert!(said(&format!("caged {attempt} refused")), "{attempt} inside the sandbox: {text}");
    }
    assert!(said("caged memory refused"), "{text}");
    assert!(output.status.success(), "the witness itself died: {:?} {text}", output.status);
}
