//! The SOAP service against zeep, an independent client in Python. Needs `python3` (or what `DDS_PYTHON`
//! names) with the package `zeep`.

use std::{path::Path, process::Command};

use crate::support::{Service, TOKEN};
use dds_inbound::Options;

#[tokio::test]
async fn zeep_speaks_both_versions() {
    let present =
        Command::new(python()).args(["-c", "import zeep"]).output().is_ok_and(|run| run.status.success());
    if !present {
        eprintln!(
            "NOT TESTED: python3 with zeep is missing (pip install zeep); SOAP interoperability is unproven here"
        );
        return;
    }
    let service = Service::start(Options::default()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/zeep/zeep_client.py");
    let base = service.url("");
    let run =
        tokio::task::spawn_blocking(move || Command::new(python()).arg(script).args([&base, TOKEN]).output());
    let run = run.await.unwrap().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{out}\n{errors}");
    eprintln!("{out}");
    assert_eq!(out.lines().count(), 10);

    let taken = service.fake.taken();
    assert_eq!(taken.len(), 4);
    assert_eq!(taken[0].attachments[0].name, "Ausweis Müller.pdf");
    assert_eq!(taken[0].attachments[1].size, 1 << 20);
}

/// The interpreter with the independent peers: what `DDS_PYTHON` names, else `python3`.
fn python() -> String {
    std::env::var("DDS_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}
