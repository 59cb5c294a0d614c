//! An invented authority, and an OCSP responder of it on a real socket that answers as the test wants. Also used by the
//! tests of the crates that ask responders.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Bytes, http::StatusCode, response::IntoResponse as _, routing::post};
use dds_courier::{Patience, Responder, Trust};
use dds_osci::{certificate::Certificate, trust::TrustPolicy};
use dds_postbox::Postbox;
use jiff::Timestamp;
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose as Ku,
    SigningKey as _,
};
use rustls::{ClientConfig, RootCertStore};

/// A value in DER.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let mut out = match content.len() {
        0..0x80 => vec![tag, length[3]],
        0x80..0x100 => vec![tag, 0x81, length[3]],
        0x100..0x1_0000 => vec![tag, 0x82, length[2], length[3]],
        _ => vec![tag, 0x83, length[1], length[2], length[3]],
    };
    out.extend(content);
    out
}

/// The first value: its content, and what follows it.
fn first(der: &[u8]) -> (&[u8], &[u8]) {
    let (start, length) = match der[1] {
        0x82 => (4, usize::from(der[2]) << 8 | usize::from(der[3])),
        0x81 => (3, usize::from(der[2])),
        short => (2, usize::from(short)),
    };
    (&der[start..start + length], &der[start + length..])
}

/// What the responder says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Says {
    Good,
    /// Good, a minute before anything else was said; without a nonce, as whoever has kept an answer sends it.
    GoodBefore,
    Revoked,
    /// Good, a second after anything else was said.
    GoodAgain,
    Unknown,
    /// Its time is over.
    Stale,
    /// Signed by somebody else.
    Forged,
    /// Another nonce.
    Replayed,
    /// Good, and longer than anybody needs.
    Oversized,
    Trouble,
    Nothing,
}

/// Now.
pub(crate) fn at() -> Timestamp {
    "2026-11-22T08:00:00Z".parse().unwrap()
}

pub(crate) fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params
}

pub(crate) type Ca = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn ca(name: &str) -> Ca {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![Ku::KeyCertSign, Ku::CrlSign];
    Ca::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_der(der.to_vec()).unwrap()
}

pub(crate) fn issued(name: &str, ca: &Ca) -> Certificate {
    let mut params = params(name);
    params.key_usages = vec![Ku::DigitalSignature];
    certificate(params.signed_by(&KeyPair::generate().unwrap(), ca).unwrap().der())
}

/// An authority with its responder.
pub(crate) struct Authority {
    pub(crate) ca: Arc<Ca>,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
    pub(crate) url: String,
}

impl Authority {
    pub(crate) async fn new(name: &str) -> Self {
        let (ca, says, asked) =
            (Arc::new(ca(name)), Arc::new(Mutex::new(Says::Good)), Arc::<AtomicUsize>::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ocsp", listener.local_addr().unwrap());
        let world = Self { ca, says, asked, url };
        let (ca, says, asked) = (world.ca.clone(), world.says.clone(), world.asked.clone());
        let serve = move |body: Bytes| async move {
            asked.fetch_add(1, Ordering::SeqCst);
            let says = *says.lock();
            match says {
                Says::Nothing => std::future::pending().await,
                Says::Trouble => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                says => answer(&ca, &body, says).into_response(),
            }
        };
        let router = Router::new().route("/ocsp", post(move |body: Bytes| serve.clone()(body)));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        world
    }

    pub(crate) fn anchor(&self) -> Certificate {
        certificate(self.ca.der())
    }

    pub(crate) fn say(&self, says: Says) {
        *self.says.lock() = says;
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(crate) fn asking(policy: TrustPolicy, responders: Vec<Responder>) -> Trust {
    remembering(policy, responders, None)
}

pub(crate) fn remembering(
    policy: TrustPolicy,
    responders: Vec<Responder>,
    postbox: Option<Postbox>,
) -> Trust {
    let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    Trust::asking(policy, responders, tls, Patience::default(), postbox).unwrap()
}

fn answer(ca: &Ca, request: &[u8], says: Says) -> Vec<u8> {
    let request = first(first(request).0).0;
    let (list, extensions) = first(request);
    let certificate_id = tlv(0x30, &[first(first(list).0).0]);
    let nonce = first(first(extensions).0).0.to_vec();
    let mut nonce = tlv(0xa1, &[&tlv(0x30, &[&nonce])]);
    match says {
        Says::Replayed => *nonce.last_mut().unwrap() ^= 1,
        Says::GoodBefore => nonce.clear(),
        _ => {}
    }
    let time = |text: &str| tlv(0x18, &[text.as_bytes()]);
    let status = match says {
        Says::Revoked => tlv(0xa1, &[&time("20260401000000Z")]),
        Says::Unknown => vec![0x82, 0],
        _ => vec![0x80, 0],
    };
    let (this, next) = match says {
        Says::Stale => ("20260501000000Z", "20260502000000Z"),
        Says::GoodBefore => ("20261122075800Z", "20261122140000Z"),
        Says::GoodAgain => ("20261122075901Z", "20261122140000Z"),
        _ => ("20261122075900Z", "20261122140000Z"),
    };
    let single = tlv(0x30, &[&certificate_id, &status, &time(this), &tlv(0xa0, &[&time(next)])]);
    let name = certificate_name(ca);
    let data = tlv(0x30, &[&tlv(0xa1, &[&name]), &time("20261122075900Z"), &tlv(0x30, &[&single]), &nonce]);
    let stranger = KeyPair::generate().unwrap();
    let key = if says == Says::Forged { &stranger } else { ca.key() };
    let algorithm = tlv(0x30, &[&tlv(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]])]);
    let certificates = match says {
        Says::Oversized => tlv(0xa0, &[&tlv(0x30, &[&tlv(4, &[&[0; 100_000]])])]),
        _ => Vec::new(),
    };
    let basic = tlv(0x30, &[&data, &algorithm, &tlv(3, &[&[0], &key.sign(&data).unwrap()]), &certificates]);
    let kind = tlv(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1]]);
    let bytes = tlv(0xa0, &[&tlv(0x30, &[&kind, &tlv(4, &[&basic])])]);
    tlv(0x30, &[&tlv(10, &[&[0]]), &bytes])
}

/// Name of an authority: the issuer in what it signs itself is its subject.
fn certificate_name(ca: &Ca) -> Vec<u8> {
    let mut rest = first(first(ca.der()).0).0;
    // version, serial number, algorithm
    for _ in 0..3 {
        rest = first(rest).1;
    }
    tlv(0x30, &[first(rest).0])
}
