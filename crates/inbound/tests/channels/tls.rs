//! TLS and client certificates.

use crate::support::{DOCUMENT, Service, TOKEN, builder, problem};
use dds_inbound::{HttpLimits, Options, Tls};
use dds_message::{Digest, SourceId};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::{Certificate, Client, Identity};

struct Authority(CertifiedIssuer<'static, KeyPair>);

struct Leaf {
    certificate: String,
    key: String,
    digest: Digest,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self, name: &str) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Leaf {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            digest: Digest::of(certificate.der()),
        }
    }
}

impl Leaf {
    fn identity(&self) -> Identity {
        Identity::from_pem(format!("{}{}", self.certificate, self.key).as_bytes()).unwrap()
    }
}

async fn send(client: &Client, service: &Service, token: Option<&str>) -> reqwest::Result<reqwest::Response> {
    let url = format!("https://localhost:{}/v1/messages", service.address.port());
    let request = client.post(url).header("content-type", "application/xml").body(DOCUMENT);
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
    .send()
    .await
}

#[tokio::test]
async fn a_client_certificate_or_a_token_tells_the_source() {
    let (authority, strangers) = (Authority::new(), Authority::new());
    let server = authority.issue("localhost");
    let (known, unknown, foreign) =
        (authority.issue("portal"), authority.issue("other"), strangers.issue("portal"));
    let tls = Tls::from_pem(
        server.certificate.as_bytes(),
        server.key.as_bytes(),
        Some(authority.0.pem().as_bytes()),
    )
    .unwrap();
    let portal = SourceId::parse("portal").unwrap();
    let sources = crate::support::table().with_certificate(portal.clone(), known.digest);
    let service = Service::with(Options::default(), HttpLimits::default(), sources, Some(tls)).await;

    let root = Certificate::from_pem(authority.0.pem().as_bytes()).unwrap();
    let bare = || builder().tls_certs_only([root.clone()]).resolve("localhost", service.address);
    let with = |leaf: &Leaf| bare().identity(leaf.identity()).build().unwrap();
    let anonymous = bare().build().unwrap();

    assert_eq!(send(&with(&known), &service, None).await.unwrap().status(), 202);
    assert_eq!(send(&anonymous, &service, Some(TOKEN)).await.unwrap().status(), 202);
    // A token counts before a certificate: a gateway with one certificate can send for several sources.
    assert_eq!(send(&with(&known), &service, Some(TOKEN)).await.unwrap().status(), 202);
    let sources: Vec<String> = service.fake.taken().iter().map(|taken| taken.source.to_string()).collect();
    assert_eq!(sources, ["portal", "amt24", "amt24"]);

    problem(send(&anonymous, &service, None).await.unwrap(), 401, "DDS-I001").await;
    problem(send(&with(&unknown), &service, None).await.unwrap(), 401, "DDS-I001").await;
    problem(send(&with(&known), &service, Some("falsch")).await.unwrap(), 401, "DDS-I001").await;
    assert!(send(&with(&foreign), &service, None).await.is_err(), "of another authority: no connection");
    assert_eq!(service.fake.taken().len(), 3);
}

#[tokio::test]
async fn the_wsdl_names_the_address_it_was_asked_at() {
    let authority = Authority::new();
    let server = authority.issue("localhost");
    let tls = Tls::from_pem(server.certificate.as_bytes(), server.key.as_bytes(), None).unwrap();
    let service =
        Service::with(Options::default(), HttpLimits::default(), crate::support::table(), Some(tls)).await;
    let root = Certificate::from_pem(authority.0.pem().as_bytes()).unwrap();
    let client = builder().tls_certs_only([root]).resolve("localhost", service.address).build().unwrap();
    let base = format!("https://localhost:{}/soap/v1", service.address.port());
    let wsdl = client.get(format!("{base}?wsdl")).send().await.unwrap().text().await.unwrap();
    assert!(wsdl.contains(&format!("location=\"{base}\"")));
}

#[test]
fn what_is_no_key_or_certificate_is_refused_at_the_start() {
    let leaf = Authority::new().issue("localhost");
    let other = Authority::new().issue("localhost");
    assert!(Tls::from_pem(b"", leaf.key.as_bytes(), None).is_err());
    assert!(Tls::from_pem(leaf.certificate.as_bytes(), b"no key", None).is_err());
    assert!(Tls::from_pem(leaf.certificate.as_bytes(), other.key.as_bytes(), None).is_err());
    assert!(Tls::from_pem(leaf.certificate.as_bytes(), leaf.key.as_bytes(), Some(b"")).is_err());
}
