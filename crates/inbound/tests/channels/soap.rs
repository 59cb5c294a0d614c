//! The SOAP web service over real sockets, both versions.

use crate::support::{Service, TOKEN, both_languages, client};
use base64::{Engine, engine::general_purpose::STANDARD};
use dds_inbound::{Limits, Options, soap::NAMESPACE};
use dds_message::{Channel, Code, Digest, Finding, Format, Problem, Severity};
use dds_soap::{Envelope, Fault, FaultCode, Version, http, parse};
use reqwest::Response;

const BOTH: [Version; 2] = [Version::V11, Version::V12];

async fn call(service: &Service, version: Version, envelope: Vec<u8>, token: &str) -> Response {
    let (content_type, action) = http::write(version, &format!("{NAMESPACE}#submit"));
    let mut request = client()
        .post(service.url("/soap/v1"))
        .header("content-type", content_type)
        .bearer_auth(token)
        .body(envelope);
    if let Some(action) = action {
        request = request.header("soapaction", action);
    }
    request.send().await.unwrap()
}

async fn body(service: &Service, version: Version, body: &str) -> (u16, Vec<u8>) {
    let response = call(service, version, Envelope::build(version, b"", body.as_bytes()), TOKEN).await;
    assert_eq!(response.headers()["content-type"], http::answer_type(version));
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
}

/// Text of a child of the answer's payload.
fn field(envelope: &[u8], name: &str) -> String {
    let parsed = parse(envelope).unwrap();
    let payload = parsed.payload().unwrap();
    let child = payload.children().find(|child| child.has_tag_name((NAMESPACE, name)));
    child
        .unwrap_or_else(|| panic!("{name} in {}", String::from_utf8_lossy(envelope)))
        .text()
        .unwrap()
        .to_owned()
}

fn submit(inner: &str) -> String {
    format!(
        "<e:submit xmlns:e=\"{NAMESPACE}\" xmlns:h=\"urn:datendrehscheibe:hundesteuer:1\">{inner}</e:submit>"
    )
}

#[tokio::test]
async fn a_document_in_xml_arrives_with_its_namespaces_and_attachments() {
    let service = Service::start(Options::default()).await;
    for (round, version) in BOTH.into_iter().enumerate() {
        let clear: Vec<u8> = (0..100_000u32).map(|n| (n % 253) as u8).collect();
        let inner = format!(
            "<e:key>k{round}</e:key><e:document> <h:anmeldung art=\"x\"><h:kopf/></h:anmeldung> </e:document>\
             <e:attachment name=\"Ausweis Müller.pdf\" mediaType=\"application/pdf\">{}</e:attachment>\
             <e:attachment name=\"leer.txt\"/>",
            STANDARD.encode(&clear)
        );
        let (status, answer) = body(&service, version, &submit(&inner)).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let taken = service.fake.taken().pop().unwrap();
        assert_eq!(field(&answer, "id"), taken.id.to_string());
        assert_eq!(
            (field(&answer, "state"), field(&answer, "duplicate")),
            ("accepted".into(), "false".into())
        );
        assert_eq!(
            (taken.channel, taken.format, taken.key),
            (Channel::Soap, Format::Xml, Some(format!("k{round}")))
        );
        let document = std::str::from_utf8(&taken.document).unwrap();
        let document = roxmltree::Document::parse(document).unwrap();
        assert!(document.root_element().has_tag_name(("urn:datendrehscheibe:hundesteuer:1", "anmeldung")));
        assert_eq!(taken.attachments[0].digest, Digest::of(&clear));
        assert_eq!(taken.attachments[0].name, "Ausweis Müller.pdf");
        assert_eq!((taken.attachments[1].size, taken.attachments.len()), (0, 2));

        let (_, again) = body(&service, version, &submit(&inner)).await;
        assert_eq!((field(&again, "id"), field(&again, "duplicate")), (taken.id.to_string(), "true".into()));

        let question = format!("<status xmlns=\"{NAMESPACE}\"><id>{}</id></status>", taken.id);
        let (status, answer) = body(&service, version, &question).await;
        assert_eq!(
            (status, field(&answer, "state"), field(&answer, "delivery")),
            (200, "accepted".into(), "prepared".into())
        );
    }
    assert_eq!(service.fake.taken().len(), 2);
}

#[tokio::test]
async fn an_encoded_document_may_be_json() {
    let service = Service::start(Options::default()).await;
    let inner =
        format!("<e:encodedDocument format=\"json\">{}</e:encodedDocument>", STANDARD.encode("{\"a\":{}}"));
    assert_eq!(body(&service, Version::V12, &submit(&inner)).await.0, 200);
    let taken = &service.fake.taken()[0];
    assert_eq!((taken.format, taken.document.as_ref()), (Format::Json, &b"{\"a\":{}}"[..]));
}

#[tokio::test]
async fn each_refusal_is_a_fault_with_code_actor_and_remedy() {
    let limits = Limits { document_bytes: 300, attachment_bytes: 100, attachments: 1, ..Limits::default() };
    let service = Service::start(Options { limits, soap_bytes: 20_000, ..Options::default() }).await;
    let document = "<e:document><a/></e:document>";
    let attachment =
        |size: usize| format!("<e:attachment name=\"a\">{}</e:attachment>", STANDARD.encode(vec![1; size]));
    let cases = [
        (submit(""), 400, Code::BAD_REQUEST),
        (submit(&format!("{document}<e:encodedDocument/>")), 400, Code::BAD_REQUEST),
        (submit("<e:document><a/><b/></e:document>"), 400, Code::BAD_REQUEST),
        (submit("<e:document/>"), 400, Code::BAD_REQUEST),
        (submit("<e:encodedDocument>???</e:encodedDocument>"), 400, Code::BAD_REQUEST),
        (submit("<e:encodedDocument format=\"pdf\"/>"), 400, Code::BAD_REQUEST),
        (submit(&format!("<e:key>a b</e:key>{document}")), 400, Code::BAD_REQUEST),
        (submit(&format!("{document}<e:key>zu-spaet</e:key>")), 400, Code::BAD_REQUEST),
        (submit(&format!("{document}{document}")), 400, Code::BAD_REQUEST),
        (submit(&format!("Text{document}")), 400, Code::BAD_REQUEST),
        (format!("{}{}", submit(document), submit(document)), 400, Code::BAD_REQUEST),
        (submit(&format!("{document}<e:attachment name=\"a\">A=</e:attachment>")), 400, Code::BAD_REQUEST),
        (submit(&format!("{document}<e:attachment>AAAA</e:attachment>")), 400, Code::BAD_REQUEST),
        (submit(&format!("<e:document><a>{}</a></e:document>", "x".repeat(300))), 413, Code::TOO_LARGE),
        (submit(&format!("{document}{}", attachment(200))), 413, Code::TOO_LARGE),
        (submit(&format!("{document}{0}{0}", attachment(10))), 413, Code::TOO_LARGE),
        ("x".repeat(30_000), 413, Code::TOO_LARGE),
        ("<a><b></a>".to_owned(), 400, Code::NOT_WELL_FORMED),
        ("<a/>".to_owned(), 400, Code::BAD_REQUEST),
        (String::new(), 400, Code::BAD_REQUEST),
        (format!("<status xmlns=\"{NAMESPACE}\"><id>x</id></status>"), 400, Code::NOT_FOUND),
        (format!("<status xmlns=\"{NAMESPACE}\"><id>x</id><mehr/></status>"), 400, Code::BAD_REQUEST),
    ];
    for (request, status_12, code) in cases {
        for version in BOTH {
            let (status, answer) = body(&service, version, &request).await;
            let shown: String = request.chars().take(120).collect();
            let fault = Fault::parse(&answer).unwrap();
            assert_eq!(fault.problem_code(), Some(code), "{shown}: {}", fault.reason);
            assert_eq!(fault.code, FaultCode::Sender);
            let detail = fault.detail.unwrap();
            assert_eq!(detail.actor, "sender");
            both_languages("remedy", &detail.remedy.into(), &detail.remedy_english.into());
            let (german, english) = (fault.reason, detail.reason_english);
            let entry = code.entry();
            let told = (german.strip_prefix(entry.german), english.strip_prefix(entry.english));
            let (Some(german), Some(english)) = told else { panic!("{german} / {english}") };
            both_languages(&shown, &german.into(), &english.into());
            // SOAP 1.1: a fault is a 500, unless HTTP itself has a word for it.
            let expected = if version == Version::V11 && status_12 == 400 { 500 } else { status_12 };
            assert_eq!(status, expected, "{shown}");
        }
    }
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn an_attachment_that_is_not_as_the_wsdl_says_is_refused_by_its_name() {
    let service = Service::start(Options::default()).await;
    let document = "<e:document><a/></e:document>";
    for (inner, named) in [
        (format!("{document}<e:attachments name=\"a\">YQ==</e:attachments>"), "<attachments>"),
        (format!("{document}<attachment name=\"a\">YQ==</attachment>"), "<attachment>"),
        (format!("<e:attachment name=\"a\">YQ==</e:attachment>{document}"), "<attachment>"),
        (
            format!(
                "{document}<e:attachment name=\"a\"><xop:Include xmlns:xop=\"http://www.w3.org/2004/08/xop/include\" \
                 href=\"cid:1\"/></e:attachment>"
            ),
            "<Include>",
        ),
        ("<e:encodedDocument><e:xml/></e:encodedDocument>".to_owned(), "<xml>"),
    ] {
        for version in BOTH {
            let (_, answer) = body(&service, version, &submit(&inner)).await;
            let fault = Fault::parse(&answer).unwrap();
            assert_eq!(fault.problem_code(), Some(Code::BAD_REQUEST), "{inner}");
            assert!(fault.reason.contains(named), "{named}: {}", fault.reason);
        }
    }
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn the_status_of_a_rejected_message_lists_its_findings() {
    let service = Service::start(Options::default()).await;
    let (_, answer) = body(&service, Version::V11, &submit("<e:document><a/></e:document>")).await;
    let finding = Finding {
        severity: Severity::Error,
        rule: "pflicht".to_owned(),
        location: "/a/b[1]".to_owned(),
        text: "b < 1 fehlt".to_owned(),
    };
    let problem = Problem::new(Code::SCHEMA_INVALID, ("wie der Test es will", "as the test wants it"));
    *service.fake.problem.lock() = Some(Problem { findings: vec![finding], ..problem });
    let question = format!("<status xmlns=\"{NAMESPACE}\"><id>{}</id></status>", field(&answer, "id"));
    let (status, answer) = body(&service, Version::V12, &question).await;
    assert_eq!((status, field(&answer, "finding").as_str()), (200, "b < 1 fehlt"));
    let parsed = parse(&answer).unwrap();
    let names: Vec<_> =
        parsed.payload().unwrap().children().map(|child| child.tag_name().name().to_owned()).collect();
    assert_eq!(names, ["id", "accepted", "state", "problem", "finding", "delivery"], "as the WSDL says");
    let child =
        |name| parsed.payload().unwrap().children().find(|one| one.tag_name().name() == name).unwrap();
    let problem = child("problem");
    assert_eq!(problem.text(), Some("wie der Test es will"));
    assert_eq!(problem.attribute("english"), Some("as the test wants it"));
    let remedy = Code::SCHEMA_INVALID.entry().remedy_english;
    assert_eq!(problem.attribute("remedyEnglish"), Some(remedy));
    let finding = child("finding");
    let attributes = ["severity", "rule", "location"].map(|name| finding.attribute(name).unwrap());
    assert_eq!(attributes, ["error", "pflicht", "/a/b[1]"]);
    let wsdl = client().get(service.url("/soap/v1?wsdl")).send().await.unwrap().text().await.unwrap();
    let (_, described) = wsdl.split_once("name=\"statusResponse\"").unwrap();
    assert!(described.contains("<xsd:element name=\"finding\""));
}

#[test]
fn what_to_do_fits_the_interface_that_was_called() {
    for code in [Code::BAD_REQUEST, Code::UNSUPPORTED_MEDIA] {
        let entry = code.entry();
        for text in [entry.remedy_german, entry.remedy_english] {
            assert!(text.contains("SOAP") && text.contains("REST"), "{text}");
        }
    }
}

#[tokio::test]
async fn doors_before_the_envelope_answer_with_faults_too() {
    let service = Service::start(Options::default()).await;
    for version in BOTH {
        let response = call(&service, version, Envelope::build(version, b"", b""), "falsch").await;
        assert_eq!(response.status(), 401);
        assert!(response.headers().contains_key("www-authenticate"));
        assert_eq!(
            Fault::parse(&response.bytes().await.unwrap()).unwrap().problem_code(),
            Some(Code::NOT_AUTHENTICATED)
        );

        let header =
            format!("<x xmlns=\"urn:x\" xmlns:s=\"{}\" s:mustUnderstand=\"1\"/>", version.namespace());
        let response =
            call(&service, version, Envelope::build(version, header.as_bytes(), b"<a/>"), TOKEN).await;
        assert_eq!(Fault::parse(&response.bytes().await.unwrap()).unwrap().code, FaultCode::MustUnderstand);

        let other = if version == Version::V11 { Version::V12 } else { Version::V11 };
        let response = call(&service, version, Envelope::build(other, b"", b"<a/>"), TOKEN).await;
        assert_eq!(Fault::parse(&response.bytes().await.unwrap()).unwrap().code, FaultCode::VersionMismatch);

        *service.fake.refuse.lock() = Some(Code::STORE_UNAVAILABLE);
        let request = Envelope::build(version, b"", submit("<e:document><a/></e:document>").as_bytes());
        let response = call(&service, version, request, TOKEN).await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
            (503, "5")
        );
        assert_eq!(Fault::parse(&response.bytes().await.unwrap()).unwrap().code, FaultCode::Receiver);
        *service.fake.refuse.lock() = None;
    }
    let request = |content_type: &'static str| {
        client()
            .post(service.url("/soap/v1"))
            .bearer_auth(TOKEN)
            .header("content-type", content_type)
            .body("<a/>")
            .send()
    };
    for (content_type, status, code) in
        [("multipart/related", 415, Code::UNSUPPORTED_MEDIA), ("text/xml", 500, Code::BAD_REQUEST)]
    {
        let response = request(content_type).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(Fault::parse(&response.bytes().await.unwrap()).unwrap().problem_code(), Some(code));
    }
}

#[tokio::test]
async fn the_wsdl_is_well_formed_and_names_the_host() {
    let service = Service::start(Options::default()).await;
    let wsdl = client().get(service.url("/soap/v1?wsdl")).send().await.unwrap().text().await.unwrap();
    roxmltree::Document::parse(&wsdl).unwrap();
    assert_eq!(wsdl.matches(&format!("location=\"http://{}/soap/v1\"", service.address)).count(), 2);

    let public = Options { public_url: Some("https://drehscheibe.example/".into()), ..Options::default() };
    let service = Service::start(public).await;
    let wsdl = client().get(service.url("/soap/v1?wsdl")).send().await.unwrap().text().await.unwrap();
    assert!(wsdl.contains("location=\"https://drehscheibe.example/soap/v1\""));
}
