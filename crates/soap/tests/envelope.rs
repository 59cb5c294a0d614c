//! Envelopes and faults of both versions, and bytes that are neither.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, also in its helpers"
)]

use dds_message::{Actor, Code, Finding, Problem, Severity};
use dds_soap::{Envelope, Fault, FaultCode, SoapError, Version, escape, http, parse};
use proptest::prelude::*;

const BOTH: [Version; 2] = [Version::V11, Version::V12];

#[test]
fn what_was_built_is_read_back() {
    for version in BOTH {
        let bytes = Envelope::build(
            version,
            b"<a:h xmlns:a=\"urn:a\">x</a:h>",
            b"<b:op xmlns:b=\"urn:b\">\xc3\xa4</b:op>",
        );
        let parsed = parse(&bytes).unwrap();
        assert_eq!(parsed.version, version);
        assert_eq!(parsed.body, "<b:op xmlns:b=\"urn:b\">ä</b:op>".as_bytes());
        assert_eq!((parsed.headers[0].namespace.as_str(), parsed.headers[0].name.as_str()), ("urn:a", "h"));
        assert_eq!(parsed.headers[0].xml, b"<a:h xmlns:a=\"urn:a\">x</a:h>");
        assert!(parsed.payload().unwrap().has_tag_name(("urn:b", "op")));
        assert!(parsed.fault().is_none());
    }
}

#[test]
fn the_body_is_a_slice_of_the_input() {
    let bytes = Envelope::build(Version::V12, b"", b" text <a/> more ");
    let parsed = parse(&bytes).unwrap();
    let offset = parsed.body.as_ptr() as usize - bytes.as_ptr() as usize;
    assert_eq!(&bytes[offset..offset + parsed.body.len()], b" text <a/> more ");
    let empty = Envelope::build(Version::V11, b"", b"");
    assert_eq!(parse(&empty).unwrap().body, b"");
    assert!(parse(&empty).unwrap().payload().is_none());
}

#[test]
fn a_payload_stands_alone_with_the_declarations_it_inherits() {
    let bytes = br#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:default" xmlns:p="urn:outer?a=1&amp;b=2">
<e:Body><doc p:a='1' xmlns:q="urn:q"><q:b/></doc></e:Body></e:Envelope>"#;
    let parsed = parse(bytes).unwrap();
    let alone = String::from_utf8(parsed.standalone(&parsed.payload().unwrap())).unwrap();
    assert!(alone.contains("xmlns:p=\"urn:outer?a=1&amp;b=2\""), "{alone}");
    let document = roxmltree::Document::parse(&alone).unwrap();
    assert!(document.root_element().has_tag_name(("urn:default", "doc")));
    assert_eq!(document.root_element().attribute(("urn:outer?a=1&b=2", "a")), Some("1"));
}

#[test]
fn a_payload_that_leaves_the_default_namespace_stays_outside_it() {
    let bytes = br#"<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><doc xmlns=""/></Body></Envelope>"#;
    let parsed = parse(bytes).unwrap();
    assert_eq!(parsed.standalone(&parsed.payload().unwrap()), b"<doc xmlns=\"\"/>");
}

#[test]
fn a_document_loses_what_cannot_stand_in_a_body() {
    let document = b"\xef\xbb\xbf<?xml version='1.0'?>\n<a/>\n";
    assert_eq!(Envelope::embeddable(document), b"<a/>");
    assert_eq!(Envelope::embeddable(b"<a/>"), b"<a/>");
    assert_eq!(Envelope::embeddable(b"<?xml-stylesheet?><a/>"), b"<?xml-stylesheet?><a/>");
}

#[test]
fn headers_that_must_be_understood_are_found_if_they_are_for_us() {
    let header = |attributes: &str| {
        let bytes = format!(
            "<s:Envelope xmlns:s=\"{}\"><s:Header><x:sec xmlns:x=\"urn:x\" {attributes}/></s:Header><s:Body/></s:Envelope>",
            Version::V12.namespace()
        );
        let parsed = parse(bytes.as_bytes()).unwrap();
        assert!(parsed.not_understood(&[("urn:x", "sec")]).is_none());
        parsed.not_understood(&[]).is_some()
    };
    assert!(header("s:mustUnderstand=\"true\""));
    assert!(header("s:mustUnderstand=\"1\" s:role=\"http://www.w3.org/2003/05/soap-envelope/role/next\""));
    assert!(!header("s:mustUnderstand=\"1\" s:role=\"urn:someone-else\""));
    assert!(!header("s:mustUnderstand=\"0\""));
    assert!(!header("mustUnderstand=\"1\""));
}

#[test]
fn a_fault_keeps_its_detail_in_both_versions() {
    let mut problem = Problem::new(Code::SCHEMA_INVALID, ("2 Befunde <&>", "2 findings <&>"));
    problem.findings.push(Finding {
        severity: Severity::Error,
        rule: "cvc-type.1".into(),
        location: "/a[1]".into(),
        text: "\"x\" is not a date".into(),
    });
    for version in BOTH {
        let fault = Fault::of(&problem);
        let bytes = fault.to_bytes(version);
        let read = Fault::parse(&bytes).unwrap();
        assert_eq!(read, fault);
        assert_eq!((read.code, read.problem_code()), (FaultCode::Sender, Some(Code::SCHEMA_INVALID)));
        let entry = Code::SCHEMA_INVALID.entry();
        assert_eq!(read.reason, format!("{}: 2 Befunde <&>", entry.german));
        let detail = read.detail.unwrap();
        assert_eq!(detail.reason_english, format!("{}: 2 findings <&>", entry.english));
        assert_eq!(detail.actor, Actor::Sender.as_str());
        assert_eq!(detail.remedy, entry.remedy_german);
    }
    assert_eq!(Fault::of(&Problem::new(Code::STORE_FULL, ("x", "x"))).code, FaultCode::Receiver);
}

#[test]
fn foreign_faults_are_read_by_their_first_word() {
    let fault = |code: &str| {
        let body = format!(
            "<s:Fault xmlns:s=\"{}\"><faultcode>{code}</faultcode><faultstring>no</faultstring><detail><x/></detail></s:Fault>",
            Version::V11.namespace()
        );
        Fault::parse(&Envelope::build(Version::V11, b"", body.as_bytes())).unwrap()
    };
    assert_eq!(fault("s:Client.Authentication").code, FaultCode::Sender);
    assert_eq!(fault("s:Server").code, FaultCode::Receiver);
    assert_eq!(fault("ns:4711").code, FaultCode::Receiver);
    assert_eq!((fault("x").reason.as_str(), fault("x").detail), ("no", None));
}

#[test]
fn what_is_no_envelope_is_refused_with_its_reason() {
    let with =
        |inner: &str| format!("<s:Envelope xmlns:s=\"{}\">{inner}</s:Envelope>", Version::V12.namespace());
    let error = |text: &str| parse(text.as_bytes()).unwrap_err();
    assert_eq!(error("<a/>").code(), Code::BAD_REQUEST);
    assert_eq!(error("<s:Envelope xmlns:s='urn:soap-3'><s:Body/></s:Envelope>"), SoapError::Version);
    assert!(matches!(error(&with("")), SoapError::NotAnEnvelope(_)));
    assert!(matches!(error(&with("<s:Body/><s:Header/>")), SoapError::NotAnEnvelope(_)));
    assert!(matches!(error(&with("<Body/>")), SoapError::NotAnEnvelope(_)));
    assert_eq!(error(&with("<s:Body>")).code(), Code::NOT_WELL_FORMED);
    assert_eq!(error(&format!("<!DOCTYPE a>{}", with("<s:Body/>"))).code(), Code::NOT_WELL_FORMED);
    assert_eq!(
        error(&with(&format!("<s:Body>{}{}</s:Body>", "<a>".repeat(500), "</a>".repeat(500)))).code(),
        Code::NOT_WELL_FORMED
    );
    let small = dds_soap::limits(10);
    assert_eq!(
        dds_soap::parse_with(with("<s:Body/>").as_bytes(), &small).unwrap_err().code(),
        Code::TOO_LARGE
    );
    assert!(parse(b"\xff\xfe").is_err());
    assert!(Fault::parse(with("<s:Body/>").as_bytes()).is_err());
}

#[test]
fn the_bindings_tell_version_and_action() {
    let v11 = http::read("text/xml; charset=\"UTF-8\"", Some("\"urn:a#b\"")).unwrap();
    assert_eq!((v11.version, v11.action.as_deref()), (Version::V11, Some("urn:a#b")));
    assert_eq!(http::read("text/xml", Some("\"\"")).unwrap().action, None);
    assert_eq!(http::read("text/xml", None), Err(http::BindingError::ActionMissing));
    let v12 = http::read("application/soap+xml;action=\"urn:a;b\";charset=utf-8", None).unwrap();
    assert_eq!((v12.version, v12.action.as_deref()), (Version::V12, Some("urn:a;b")));
    assert_eq!(http::read("application/soap+xml", None).unwrap().action, None);
    assert_eq!(http::read("text/xml; charset=latin1", Some("")), Err(http::BindingError::Charset));
    assert_eq!(http::read("multipart/related", None), Err(http::BindingError::MediaType));
    for version in BOTH {
        let (content_type, action) = http::write(version, "urn:x#send");
        let read = http::read(&content_type, action.as_deref()).unwrap();
        assert_eq!((read.version, read.action.as_deref()), (version, Some("urn:x#send")));
    }
}

proptest! {
    /// Law: foreign bytes never panic, whatever they are.
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        drop(parse(&bytes));
        drop(Fault::parse(&bytes));
        prop_assert!(Envelope::embeddable(&bytes).len() <= bytes.len());
        drop(http::read(&String::from_utf8_lossy(&bytes), None));
    }

    /// Law: nor does anything that looks like an envelope.
    #[test]
    fn no_near_envelope_panics(body in "[<>/a-c:= \"'&;!\\-\\[\\]?xmlnsFault]{0,200}", cut in 0usize..400) {
        for version in BOTH {
            let bytes = Envelope::build(version, b"", body.as_bytes());
            let bytes = &bytes[..bytes.len().min(cut + 100)];
            if let Ok(parsed) = parse(bytes) {
                if let Some(payload) = parsed.payload() {
                    let alone = parsed.standalone(&payload);
                    prop_assert!(roxmltree::Document::parse(std::str::from_utf8(&alone).unwrap()).is_ok());
                }
                drop(parsed.fault());
            }
        }
    }

    /// Law: any text survives a fault.
    #[test]
    fn any_reason_is_read_back(reason in "\\PC{0,80}") {
        let fault = Fault { code: FaultCode::Receiver, reason: reason.trim().to_owned(), detail: None };
        for version in BOTH {
            prop_assert_eq!(Fault::parse(&fault.to_bytes(version)).unwrap(), fault.clone());
        }
    }

    /// Law: what is escaped reads back as it was.
    #[test]
    fn escaped_text_reads_back(text in "[ -~\t\nÄß€]{0,60}") {
        let xml = format!("<a b=\"{}\">{}</a>", escape(&text.replace(['\t', '\n'], " ")), escape(&text));
        let document = roxmltree::Document::parse(&xml).unwrap();
        prop_assert_eq!(document.root_element().text().unwrap_or_default(), text.as_str());
    }
}
