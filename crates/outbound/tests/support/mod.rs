//! A release with one office per adapter, consignments, and attachments made on the fly.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking, as tests do")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use dds_delivery::{AttachmentSource, Consignment, TargetDirectory as _, Verdict};
use dds_depot::{Contents, Filed, InForce, Release};
use dds_message::{
    Attachment, CaseRef, Code, DeliveryId, Digest, MessageId, ProcedureId, TargetId, Timestamp,
};
use dds_outbound::{MailRelay, MailSecurity, Options, Targets};
use dds_store::{ByteStream, Output, StoreError};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

pub(crate) const ARS: &str = "146120000000";

/// What differs from test to test.
#[derive(Default)]
pub(crate) struct Town {
    pub(crate) endpoint: Option<String>,
    pub(crate) secret: Option<String>,
    pub(crate) folder: Option<String>,
    pub(crate) options: Options,
    pub(crate) attachment_limit: Option<u64>,
    /// OSCI way of the office `osci`.
    pub(crate) osci: Option<Value>,
}

impl Town {
    pub(crate) fn at(endpoint: &str) -> Self {
        Self { endpoint: Some(endpoint.to_owned()), ..Self::default() }
    }

    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_string_lossy().into_owned()), ..Self::default() }
    }

    pub(crate) fn with_mail(address: std::net::SocketAddr, security: MailSecurity) -> Self {
        let mail = MailRelay {
            host: "localhost".to_owned(),
            port: address.port(),
            security,
            account: None,
            from: "drehscheibe@sachsen.example".to_owned(),
            own_name: "drehscheibe.example".to_owned(),
            silence: std::time::Duration::from_secs(20),
            max_bytes: u64::MAX,
        };
        Self { options: Options { mail: Some(mail), ..Options::default() }, ..Self::default() }
    }

    pub(crate) fn targets(self) -> Targets {
        let release = self.release();
        self.targets_of(release)
    }

    /// The targets of another release than its own.
    pub(crate) fn targets_of(self, in_force: impl Into<InForce>) -> Targets {
        Targets::new(self.options, in_force).unwrap()
    }

    pub(crate) fn release(&self) -> Release {
        let limits = self.attachment_limit.map_or(json!({}), |bytes| json!({ "attachment_bytes": bytes }));
        let product = |name: &str, adapter: &str, options: Value| -> Value {
            json!({
                "product": name, "version": "1.0", "kind": "fachverfahren",
                "title": name, "adapter": adapter, "stylesheet": "x.xsl", "output": "xml",
                "media_type": "application/xml", "file_name": "vorgang.xml", "deduplicates": true,
                "options": options, "limits": limits,
            })
        };
        let products = [
            product("fv-rest", "rest", json!({ "path": "/api", "attachments": "multipart" })),
            product("fv-plain", "rest", json!({ "path": "api", "attachments": "none" })),
            product(
                "fv-soap",
                "soap",
                json!({ "path": "/soap", "soap_action": "urn:neu", "attachments": "base64" }),
            ),
            product("fv-folder", "folder", json!({ "layout": "folder-per-case" })),
            product("fv-zip", "folder", json!({ "layout": "container" })),
            product("fv-box", "mailbox", json!({})),
            product("fv-osci", "rest", json!({ "path": "/api" })),
            product("mail-office", "mail", json!({ "subject": "Neuer Antrag für die Behörde" })),
        ];
        let offices: BTreeMap<&str, Value> =
            ["rest", "plain", "soap", "folder", "zip", "box"]
                .into_iter()
                .map(|name| (name, json!({ "name": name, "fachverfahren": format!("fv-{name}@1.0") })))
                .chain([("office", json!({ "name": "office", "mail": true }))])
                .chain(self.osci.iter().map(|way| {
                    ("osci", json!({ "name": "osci", "fachverfahren": "fv-osci@1.0", "osci": way }))
                }))
                .collect();
        let mut files = dds_depot::Files::new();
        let filed_products = products
            .into_iter()
            .map(|value| {
                let folder = format!("rules/products/{}/1.0", value["product"].as_str().unwrap());
                files.insert(format!("{folder}/x.xsl"), Arc::from(b"<x/>".as_slice()));
                filed(&format!("{folder}/product.toml"), value)
            })
            .collect();
        let mut town = json!({
            "ars": ARS, "name": "Dresden, Stadt", "profile": "gross", "mail": "poststelle@dresden.example",
        });
        for (key, value) in [("endpoint", &self.endpoint), ("secret", &self.secret), ("folder", &self.folder)]
        {
            if let Some(value) = value {
                town[key] = json!(value);
            }
        }
        let source = json!({
            "id": "amt24", "name": "Amt24", "tokens": [Digest::of(b"portal-token")], "mailboxes": [],
            "answers": { "kind": "fetch" },
        });
        // Fetches the box of the town with its certificate; the other one may fetch nothing.
        let fetching = |id: &str, mailboxes: Value| {
            let value = json!({
                "id": id, "name": id, "certificates": [Digest::of(id.as_bytes())], "mailboxes": mailboxes,
                "answers": { "kind": "fetch" },
            });
            filed(&format!("config/sources/{id}.toml"), value)
        };
        let contents = Contents {
            products: filed_products,
            profiles: vec![filed(
                "config/profiles/gross.toml",
                json!({ "title": "Groß", "office": offices }),
            )],
            municipalities: vec![filed(&format!("config/municipalities/{ARS}-dresden.toml"), town)],
            sources: vec![
                filed("config/sources/amt24.toml", source),
                fetching("leitstelle", json!([format!("{ARS}/box/*")])),
                fetching("fremd", json!([])),
            ],
            ..Contents::default()
        };
        Release::build(contents, files).unwrap_or_else(|findings| panic!("{findings:#?}"))
    }
}

fn filed<T: serde::de::DeserializeOwned>(file: &str, value: Value) -> Filed<T> {
    Filed { file: file.to_owned(), value: serde_json::from_value(value).unwrap() }
}

pub(crate) fn target(office: &str) -> TargetId {
    let last = if office == "office" { "mail".to_owned() } else { format!("fv-{office}") };
    TargetId::parse(&format!("{ARS}/{office}/{last}")).unwrap()
}

pub(crate) fn consignment(
    office: &str,
    number: u128,
    attachments: Vec<Arc<dyn AttachmentSource>>,
) -> Consignment {
    let bytes = Bytes::from_static("<vorgang>Größe</vorgang>".as_bytes());
    let message = MessageId(Uuid::from_u128(number));
    Consignment {
        delivery: DeliveryId::derive(message, &target(office), "hundesteuer@1.0", 0),
        message,
        attempt: 1,
        target: target(office),
        accepted: Timestamp(1_795_334_400_000),
        procedure: Some(ProcedureId::parse("hundesteuer").unwrap()),
        authority: None,
        case: Some(CaseRef::parse("HS-2026/17").unwrap()),
        answer: None,
        document: Output {
            digest: Digest::of(&bytes),
            bytes,
            media_type: "application/xml".to_owned(),
            file_name: "vorgang.xml".to_owned(),
        },
        attachments,
    }
}

pub(crate) async fn deliver(targets: &Targets, consignment: &Consignment) -> Verdict {
    targets.lookup(&consignment.target).unwrap().adapter.deliver(consignment).await
}

/// Short form of a verdict: `delivered`, or `temporary`/`permanent` with code and English detail.
pub(crate) fn told(verdict: &Verdict) -> (&'static str, Option<Code>, String) {
    match verdict {
        Verdict::Delivered(receipt) => ("delivered", None, receipt.reference.clone().unwrap_or_default()),
        Verdict::Temporary { fault, .. } => ("temporary", Some(fault.code), fault.detail.english.clone()),
        Verdict::Permanent(fault) => ("permanent", Some(fault.code), fault.detail.english.clone()),
    }
}

/// An attachment whose bytes are made while they are read: `size` bytes in pieces of 64 KB.
pub(crate) struct Made(Attachment);

impl Made {
    pub(crate) fn source(name: &str, size: u64) -> Arc<dyn AttachmentSource> {
        use sha2::Digest as _;
        let mut hash = sha2::Sha256::new();
        for piece in Self::pieces(size) {
            hash.update(&piece);
        }
        Arc::new(Self(Attachment {
            name: name.to_owned(),
            media_type: "application/pdf".to_owned(),
            size,
            digest: Digest(hash.finalize().into()),
        }))
    }

    fn pieces(size: u64) -> impl Iterator<Item = Bytes> {
        let piece = Bytes::from((0..65_536_u32).map(|n| (n % 251) as u8).collect::<Vec<_>>());
        let full = size / 65_536;
        (0..=full)
            .map(move |n| if n < full { piece.clone() } else { piece.slice(..(size % 65_536) as usize) })
    }
}

#[async_trait]
impl AttachmentSource for Made {
    fn describe(&self) -> &Attachment {
        &self.0
    }

    async fn open(&self) -> Result<ByteStream, StoreError> {
        Ok(futures::stream::iter(Self::pieces(self.0.size).filter(|piece| !piece.is_empty()).map(Ok)).boxed())
    }
}

/// An attachment that cannot be read to its end.
pub(crate) struct Damaged(Attachment);

impl Damaged {
    pub(crate) fn source() -> Arc<dyn AttachmentSource> {
        let digest = Digest::of(b"");
        Arc::new(Self(Attachment {
            name: "a.pdf".into(),
            media_type: "application/pdf".into(),
            size: 200_000,
            digest,
        }))
    }
}

#[async_trait]
impl AttachmentSource for Damaged {
    fn describe(&self) -> &Attachment {
        &self.0
    }

    async fn open(&self) -> Result<ByteStream, StoreError> {
        let pieces = [Ok(Bytes::from(vec![b'x'; 65_536])), Err(StoreError::Corrupt("piece 2".to_owned()))];
        Ok(futures::stream::iter(pieces).boxed())
    }
}

/// A server that reads one whole request (with `Content-Length`) per connection and answers `response`, whatever it is.
pub(crate) async fn canned(response: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let response = response.clone();
            tokio::spawn(async move {
                let (mut request, mut piece) = (Vec::new(), [0; 4096]);
                loop {
                    let read = stream.read(&mut piece).await.unwrap_or(0);
                    request.extend_from_slice(&piece[..read]);
                    let text = String::from_utf8_lossy(&request).to_lowercase();
                    let Some(head) = text.find("\r\n\r\n") else { continue };
                    let length =
                        text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
                    let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
                    if read == 0 || request.len() >= head + 4 + length {
                        break;
                    }
                }
                let _sent = stream.write_all(response.as_bytes()).await.is_ok();
                let _closed = stream.shutdown().await.is_ok();
            });
        }
    });
    format!("http://{address}")
}

pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}
