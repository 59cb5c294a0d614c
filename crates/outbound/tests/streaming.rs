//! 100 MB through every adapter without ever holding them: the peak of the process is measured, so this file has one
//! test only.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_outbound::MailSecurity;
use dds_testbench::{FachverfahrenSim, FolderSim, MailOptions, MailServerSim};
use support::{Made, Town, consignment, deliver, told};

/// Peak of resident memory in KB (Linux).
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn a_hundred_megabytes_pass_in_constant_memory() {
    const SIZE: u64 = 100 << 20;
    let folder = tempfile::tempdir().unwrap();
    let _reader = FolderSim::new(folder.path()).unwrap();
    let rest = FachverfahrenSim::rest_json().await.unwrap();
    let soap = FachverfahrenSim::soap11().await.unwrap();
    let mail =
        MailServerSim::start(MailOptions { size: Some(1 << 30), ..MailOptions::default() }).await.unwrap();
    let attachment = Made::source("gross.pdf", SIZE);
    let before = peak();
    for (office, town) in [
        ("rest", Town::at(&rest.url())),
        ("soap", Town::at(&soap.url())),
        ("folder", Town::in_folder(folder.path())),
        ("zip", Town::in_folder(folder.path())),
        ("office", Town::with_mail(mail.address(), MailSecurity::Plain)),
    ] {
        let mut sent = consignment(office, 1, vec![attachment.clone()]);
        if office == "soap" {
            sent.document.bytes =
                r#"<n><inhalt xmlns="urn:datendrehscheibe:anlage:1" name="gross.pdf"/></n>"#.into();
        }
        let verdict = deliver(&town.targets(), &sent).await;
        assert_eq!(told(&verdict).0, "delivered", "{office}: {verdict:?}");
    }
    assert_eq!(rest.inbox().all()[0].attachments[0].digest, attachment.describe().digest);
    assert!(soap.inbox().all()[0].document.size > SIZE * 4 / 3);
    assert!(mail.mails()[0].size > SIZE * 4 / 3);
    let (Some(before), Some(after)) = (before, peak()) else {
        return eprintln!("a_hundred_megabytes_pass_in_constant_memory: memory NOT MEASURED, no /proc here");
    };
    assert!(after - before < 24 * 1024, "peak grew by {} KB", after - before);
}
