//! Drop folder (Transferverzeichnis): one folder per case, or one ZIP.
//!
//! Everything is written in a folder of the delivery whose name begins with a dot, made durable, and appears under its
//! final name by one rename. Who looks sees all of a delivery or nothing.

mod name;
mod write;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use dds_delivery::{Adapter, AttachmentSource, Consignment, Verdict};
use dds_message::Code;
use serde_json::json;

use crate::fault::{broke_off, delivered, joined, kind, permanent, temporary, unreadable_attachment};

/// Lieferschein: what was delivered, to whom, with which digests.
pub(crate) const SLIP: &str = "zustellung.json";

/// `folder`.
pub(crate) struct Folder {
    pub(crate) folder: PathBuf,
    pub(crate) layout: Layout,
}

/// Form of a delivery (`options.layout`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `folder-per-case`: a folder with document, attachments and slip.
    Folder,
    /// `container`: the same in one ZIP.
    Container,
}

/// Attempts at all folders since the process began.
static ATTEMPTS: AtomicU64 = AtomicU64::new(0);

/// One attempt, for the thread that writes.
struct Parcel {
    folder: PathBuf,
    layout: Layout,
    /// Folder of this delivery while it is written.
    private: String,
    /// Name in there; each attempt of this process has its own, so that one that was given up cannot write into a later
    /// one.
    hidden: String,
    /// Name when it is complete.
    visible: String,
    slip: Vec<u8>,
    document: (String, Bytes),
    attachments: Vec<(String, Arc<dyn AttachmentSource>)>,
    /// The attempt was given up: leave nothing behind.
    given_up: Arc<AtomicBool>,
}

#[async_trait]
impl Adapter for Folder {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        let parcel = Parcel::pack(self, consignment);
        let reference = parcel.visible.clone();
        let given_up = GivenUp(Arc::clone(&parcel.given_up));
        let runtime = tokio::runtime::Handle::current();
        let written = tokio::task::spawn_blocking(move || write::write(&parcel, &runtime)).await;
        drop(given_up);
        match written {
            Ok(Ok(())) => delivered(Some(&reference)),
            Ok(Err(Failure::Read(code))) => unreadable_attachment(code),
            Ok(Err(Failure::Write(error))) => judge(&error),
            Err(error) => broke_off(&error),
        }
    }
}

/// Why a parcel was not written.
enum Failure {
    Read(Code),
    Write(std::io::Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Write(error)
    }
}

const FOLDER: (&str, &str) = ("Transferverzeichnis", "transfer folder");

fn judge(error: &std::io::Error) -> Verdict {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded => temporary(Code::TARGET_BUSY, joined(FOLDER, &kind(error))),
        FileTooLarge => {
            let text = ("Transferverzeichnis: Datei zu groß", "transfer folder: file too large");
            permanent(Code::TARGET_TOO_LARGE, text)
        }
        _ => temporary(Code::TARGET_UNREACHABLE, joined(FOLDER, &kind(error))),
    }
}

/// Tells the writing thread when nobody waits for it any more.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Parcel {
    fn pack(folder: &Folder, consignment: &Consignment) -> Self {
        let mut names = name::Names::taken(SLIP);
        let document =
            (names.claim(&consignment.document.file_name, "dokument"), consignment.document.bytes.clone());
        let attachments: Vec<_> = consignment
            .attachments
            .iter()
            .map(|source| (names.claim(&source.describe().name, "anlage"), Arc::clone(source)))
            .collect();
        let slip = slip(consignment, &document.0, &attachments);
        let ending = if folder.layout == Layout::Container { ".zip" } else { "" };
        Self {
            folder: folder.folder.clone(),
            layout: folder.layout,
            private: format!(".tmp-{}", consignment.delivery),
            hidden: format!("{}{ending}", ATTEMPTS.fetch_add(1, Ordering::Relaxed)),
            visible: format!("{}{ending}", name::of_delivery(consignment)),
            slip,
            document,
            attachments,
            given_up: Arc::default(),
        }
    }
}

fn slip(
    consignment: &Consignment,
    document: &str,
    attachments: &[(String, Arc<dyn AttachmentSource>)],
) -> Vec<u8> {
    let output = &consignment.document;
    let mut files = vec![json!({
        "name": document, "medientyp": output.media_type, "bytes": output.bytes.len(), "sha256": output.digest,
    })];
    files.extend(attachments.iter().map(|(name, source)| {
        let described = source.describe();
        json!({
            "name": name, "original": described.name, "medientyp": described.media_type, "bytes": described.size,
            "sha256": described.digest,
        })
    }));
    let slip = json!({
        "zustellung": consignment.delivery,
        "nachricht": consignment.message,
        "ziel": consignment.target,
        "behoerde": consignment.authority,
        "verfahren": consignment.procedure,
        "vorgang": consignment.case,
        "angenommen": consignment.accepted.to_string(),
        "dateien": files,
    });
    format!("{slip:#}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn a_full_disk_is_temporary_and_a_file_too_large_is_not() {
        let told = |kind| match judge(&Error::from(kind)) {
            Verdict::Temporary { fault, .. } => ("temporary", fault.code),
            Verdict::Permanent(fault) => ("permanent", fault.code),
            Verdict::Delivered(_) => panic!("{kind}"),
        };
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert_eq!(told(kind), ("temporary", Code::TARGET_BUSY));
        }
        assert_eq!(told(ErrorKind::FileTooLarge), ("permanent", Code::TARGET_TOO_LARGE));
        for kind in [ErrorKind::NotFound, ErrorKind::PermissionDenied, ErrorKind::StaleNetworkFileHandle] {
            assert_eq!(told(kind), ("temporary", Code::TARGET_UNREACHABLE));
        }
    }
}
