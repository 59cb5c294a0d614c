//! The REST interface over real sockets: what is taken, what is refused, and how.

use crate::support::{DOCUMENT, OTHER_TOKEN, Service, TOKEN, client, problem};
use dds_inbound::{Limits, Options};
use dds_message::{AnswerKind, CODES, Code, Digest, Format};
use reqwest::{Client, RequestBuilder, multipart::Form, multipart::Part};
use serde_json::Value;

fn post(client: &Client, service: &Service) -> RequestBuilder {
    client.post(service.url("/v1/messages")).bearer_auth(TOKEN)
}

fn xml(request: RequestBuilder, document: &str) -> RequestBuilder {
    request.header("content-type", "application/xml").body(document.to_owned())
}

fn message() -> Part {
    Part::text(DOCUMENT).mime_str("application/xml").unwrap()
}

#[tokio::test]
async fn a_single_document_is_accepted_and_acknowledged() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let response = xml(post(&client, &service), DOCUMENT).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    let taken = service.fake.taken();
    assert_eq!(body["id"], taken[0].id.to_string());
    assert_eq!(body["accepted"], "2026-11-22T00:00:00.123Z");
    assert_eq!(body["state"], "accepted");
    assert_eq!(body["duplicate"], false);
    assert_eq!(body["status_url"], location);
    assert_eq!((taken[0].format, taken[0].document.as_ref()), (Format::Xml, DOCUMENT.as_bytes()));

    let status: Value =
        client.get(service.url(&location)).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(status["id"], body["id"]);
    assert_eq!(status["deliveries"][0]["state"], "prepared");
    assert_eq!(status["problem"], Value::Null);
}

#[tokio::test]
async fn json_is_taken_as_it_comes() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let request = post(&client, &service).header("content-type", "application/json; charset=UTF-8");
    assert_eq!(request.body(r#"{"anmeldung":{}}"#).send().await.unwrap().status(), 202);
    assert_eq!(service.fake.taken()[0].format, Format::Json);
}

#[tokio::test]
async fn attachments_come_in_any_order_with_their_bytes_and_names() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let big: Vec<u8> = (0..3_000_000u32).map(|n| if n % 97 == 0 { b'\r' } else { (n % 256) as u8 }).collect();
    let pdf = Part::bytes(b"%PDF\r\n--not-the-boundary\r\n".to_vec())
        .file_name("C:\\Eigene Dateien\\Ausweis Jürgen.pdf")
        .mime_str("application/pdf")
        .unwrap();
    let form = Form::new()
        .part("attachment", pdf)
        .part("message", message())
        .part("attachment", Part::bytes(big.clone()).file_name("bild.bin"))
        .part("attachment", Part::bytes(Vec::new()).file_name("leer.txt").mime_str("text/plain").unwrap());
    let response = post(&client, &service).multipart(form).send().await.unwrap();
    assert_eq!(response.status(), 202, "{}", response.text().await.unwrap());

    let taken = service.fake.taken();
    let attachments = &taken[0].attachments;
    assert_eq!(attachments.len(), 3);
    assert_eq!(attachments[0].name, "Ausweis Jürgen.pdf");
    assert_eq!(attachments[0].media_type, "application/pdf");
    assert_eq!(attachments[0].digest, Digest::of(b"%PDF\r\n--not-the-boundary\r\n"));
    assert_eq!((attachments[1].size, attachments[1].digest), (3_000_000, Digest::of(&big)));
    assert_eq!((attachments[2].size, attachments[2].name.as_str()), (0, "leer.txt"));
    assert_eq!(taken[0].document, DOCUMENT.as_bytes());
}

#[tokio::test]
async fn the_same_key_again_gets_the_answer_of_the_first() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let send = || xml(post(&client, &service).header("idempotency-key", "schluessel-1"), DOCUMENT).send();
    let first: Value = send().await.unwrap().json().await.unwrap();
    let again = send().await.unwrap();
    assert_eq!(again.status(), 200);
    let again: Value = again.json().await.unwrap();
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &Value::Bool(true)));
    assert_eq!(service.fake.taken().len(), 1);
}

#[tokio::test]
async fn who_is_not_known_gets_nothing() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let bare = client.post(service.url("/v1/messages"));
    for request in [
        xml(bare.try_clone().unwrap(), DOCUMENT),
        xml(bare.try_clone().unwrap().bearer_auth("falsch"), DOCUMENT),
        xml(bare.try_clone().unwrap().header("authorization", "Bearer "), DOCUMENT),
        xml(bare.try_clone().unwrap().basic_auth("amt24", Some(TOKEN)), DOCUMENT),
        client.get(service.url("/v1/messages/00000000-0000-7000-8000-000000000000")),
    ] {
        let response = request.send().await.unwrap();
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        problem(response, 401, "DDS-I001").await;
    }
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn each_malformed_request_has_its_refusal() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let post = || post(&client, &service);
    let form = |form: Form| post().multipart(form);
    let file = || Part::bytes(vec![1, 2, 3]).file_name("a.bin");
    let part = format!(
        "--x\r\nContent-Disposition: form-data; name=message\r\nContent-Type: text/xml\r\n\r\n{DOCUMENT}\r\n"
    );
    let second = "--x\r\nContent-Disposition: form-data; name=attachment; filename=a\r\n\r\na\r\n--x--\r\n";
    let key = "idempotency-key";
    let cases = [
        ("two keys", xml(post().header(key, "a").header(key, "b"), DOCUMENT), 400, "DDS-I004"),
        ("two tokens", xml(post().header("authorization", "Bearer x"), DOCUMENT), 400, "DDS-I004"),
        ("two types", xml(post().header("content-type", "text/xml"), DOCUMENT), 400, "DDS-I004"),
        (
            "an attachment behind the end",
            post()
                .header("content-type", "multipart/form-data; boundary=x")
                .body(format!("{part}--x--\r\n{second}")),
            400,
            "DDS-I004",
        ),
        ("no media type", post().body("x"), 415, "DDS-I006"),
        ("other media type", post().header("content-type", "text/csv").body("x"), 415, "DDS-I006"),
        (
            "other charset",
            post().header("content-type", "text/xml; charset=iso-8859-1").body("x"),
            415,
            "DDS-I006",
        ),
        (
            "DOCTYPE",
            xml(post(), "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"),
            400,
            "DDS-I005",
        ),
        ("cut off", xml(post(), "<a><b></a>"), 400, "DDS-I005"),
        ("empty key", xml(post().header("idempotency-key", ""), DOCUMENT), 400, "DDS-I004"),
        ("key with space", xml(post().header("idempotency-key", "a b"), DOCUMENT), 400, "DDS-I004"),
        ("long key", xml(post().header("idempotency-key", "k".repeat(201)), DOCUMENT), 400, "DDS-I004"),
        ("no boundary", post().header("content-type", "multipart/form-data").body("x"), 400, "DDS-I004"),
        ("no message", form(Form::new().part("attachment", file())), 400, "DDS-I004"),
        (
            "two messages",
            form(Form::new().part("message", message()).part("message", message())),
            400,
            "DDS-I004",
        ),
        ("message without type", form(Form::new().text("message", DOCUMENT)), 415, "DDS-I006"),
        (
            "misnamed attachments",
            form(Form::new().part("message", message()).part("attachments", file())),
            400,
            "DDS-I004",
        ),
        (
            "misnamed before the message",
            form(Form::new().part("anlage", file()).part("message", message())),
            400,
            "DDS-I004",
        ),
        (
            "attachment without name",
            form(Form::new().part("message", message()).part("attachment", Part::bytes(vec![1]))),
            400,
            "DDS-I004",
        ),
        (
            "attachment called ..",
            form(Form::new().part("message", message()).part("attachment", file().file_name("a/.."))),
            400,
            "DDS-I004",
        ),
    ];
    for (what, request, status, code) in cases {
        eprintln!("{what}");
        problem(request.send().await.unwrap(), status, code).await;
    }
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn a_misnamed_part_is_named_to_the_sender() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let file = || Part::bytes(vec![1, 2, 3]).file_name("a.bin");
    let form = Form::new().part("message", message()).part("attachment", file()).part("anlage2", file());
    let told = problem(post(&client, &service).multipart(form).send().await.unwrap(), 400, "DDS-I004").await;
    for (language, word) in [("detail", "Teil"), ("detail_en", "part")] {
        let detail = told[language].as_str().unwrap();
        assert!(
            detail.contains(word) && detail.contains("\"anlage2\"") && detail.contains("attachment"),
            "{detail}"
        );
    }
    // What an answer refers to stands before its document; behind it, it would have been passed over.
    let answer = Form::new()
        .part("answer", Part::text("<a/>").mime_str("application/xml").unwrap())
        .text("case", "V-2026/17");
    let sent = client.post(service.url("/v1/answers?kind=receipt&case=V-1")).bearer_auth(OTHER_TOKEN);
    let told = problem(sent.multipart(answer).send().await.unwrap(), 400, "DDS-I004").await;
    assert!(told["detail_en"].as_str().unwrap().contains("before"), "{told}");
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn what_failed_inside_is_told_without_the_words_of_the_engine() {
    let (service, client) = (Service::start(Options::default()).await, client());
    for code in [Code::STORE_UNAVAILABLE, Code::INTERNAL] {
        *service.fake.refuse.lock() = Some(code);
        let response = xml(post(&client, &service), DOCUMENT).send().await.unwrap();
        let told = problem(response, code.entry().status, code.as_str()).await;
        let entry = code.entry();
        assert_eq!((&told["detail"], &told["detail_en"]), (&entry.german.into(), &entry.english.into()));
    }
}

#[tokio::test]
async fn limits_hold_for_document_attachment_count_and_whole() {
    let limits = Limits { document_bytes: 1000, attachment_bytes: 5000, total_bytes: 20_000, attachments: 2 };
    let (service, client) = (Service::start(Options { limits, ..Options::default() }).await, client());
    let file = |size: usize| Part::bytes(vec![b'x'; size]).file_name("a.bin");
    let form = || Form::new().part("message", message());
    let large = format!("<a>{}</a>", "x".repeat(1000));
    let pieces = std::iter::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 4096])).take(64);
    let stream = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let cases = [
        ("document", xml(post(&client, &service), &large)),
        (
            "document as part",
            post(&client, &service).multipart(
                Form::new().part("message", Part::text(large.clone()).mime_str("text/xml").unwrap()),
            ),
        ),
        ("attachment", post(&client, &service).multipart(form().part("attachment", file(5001)))),
        (
            "count",
            post(&client, &service).multipart(
                form().part("attachment", file(1)).part("attachment", file(1)).part("attachment", file(1)),
            ),
        ),
        ("announced", post(&client, &service).multipart(form().part("x", file(30_000)))),
        ("unannounced", post(&client, &service).header("content-type", "text/xml").body(stream)),
    ];
    for (what, request) in cases {
        eprintln!("{what}");
        problem(request.send().await.unwrap(), 413, "DDS-I003").await;
    }
    assert!(service.fake.taken().is_empty());
    let fits = form().part("attachment", file(5000)).part("attachment", file(5000));
    assert_eq!(post(&client, &service).multipart(fits).send().await.unwrap().status(), 202);
}

#[tokio::test]
async fn the_number_of_header_fields_is_that_of_the_options() {
    let http = dds_inbound::HttpLimits { headers: 120, ..dds_inbound::HttpLimits::default() };
    for (allowed, sent, status) in [(20, 30, 431), (120, 110, 202), (120, 130, 431)] {
        let options = Options { headers: allowed, ..Options::default() };
        let service = Service::with(options, http.clone(), crate::support::table(), None).await;
        let mut request = xml(post(&client(), &service), DOCUMENT);
        for number in 0..sent {
            request = request.header(format!("x-{number}"), "y");
        }
        let response = request.send().await.unwrap();
        if status == 202 {
            assert_eq!(response.status(), 202);
        } else {
            problem(response, status, "DDS-I015").await;
        }
    }
}

#[tokio::test]
async fn too_many_at_once_are_told_when_to_come_back() {
    let options = Options { intakes: 1, retry_after: 7, ..Options::default() };
    let (service, client) = (Service::start(options).await, client());
    let (waiting, go_on) = service.fake.pause();
    let first = tokio::spawn(xml(post(&client, &service), DOCUMENT).send());
    waiting.notified().await;
    let second = xml(post(&client, &service), DOCUMENT).send().await.unwrap();
    assert_eq!(second.headers()["retry-after"], "7");
    problem(second, 503, "DDS-I009").await;
    go_on.notify_one();
    assert_eq!(first.await.unwrap().unwrap().status(), 202);
    *service.fake.pause.lock() = None;
    assert_eq!(xml(post(&client, &service), DOCUMENT).send().await.unwrap().status(), 202);
}

#[tokio::test]
async fn what_the_router_refuses_reaches_the_sender() {
    let (service, client) = (Service::start(Options::default()).await, client());
    for (code, retry) in
        [(Code::NOT_ALLOWED, false), (Code::STORE_UNAVAILABLE, true), (Code::STORE_FULL, false)]
    {
        *service.fake.refuse.lock() = Some(code);
        let response = xml(post(&client, &service), DOCUMENT).send().await.unwrap();
        assert_eq!(response.headers().contains_key("retry-after"), retry);
        problem(response, code.entry().status, code.as_str()).await;
    }
}

#[tokio::test]
async fn wrong_places_and_methods_are_problems_too() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let document = problem(client.get(service.url("/v2/x")).send().await.unwrap(), 404, "DDS-I007").await;
    assert_eq!(document["instance"], "/v2/x");
    let response = client.put(service.url("/v1/messages")).body("x").send().await.unwrap();
    assert_eq!(response.headers()["allow"], "POST");
    problem(response, 405, "DDS-I014").await;
    let response = client.delete(service.url("/soap/v1")).send().await.unwrap();
    assert!(response.headers()["allow"].to_str().unwrap().contains("POST"));
    problem(response, 405, "DDS-I014").await;
}

#[tokio::test]
async fn a_source_sees_only_its_own() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let body: Value = xml(post(&client, &service), DOCUMENT).send().await.unwrap().json().await.unwrap();
    let url = service.url(body["status_url"].as_str().unwrap());
    problem(client.get(&url).bearer_auth(OTHER_TOKEN).send().await.unwrap(), 404, "DDS-I007").await;
    for path in ["/v1/messages/keine-kennung", "/v1/answers/00000000-0000-7000-8000-000000000000"] {
        problem(client.get(service.url(path)).bearer_auth(TOKEN).send().await.unwrap(), 404, "DDS-I007")
            .await;
    }
}

#[tokio::test]
async fn an_answer_finds_its_way_back_to_the_source() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let body: Value = xml(post(&client, &service), DOCUMENT).send().await.unwrap().json().await.unwrap();
    let id = body["id"].as_str().unwrap();
    let answers =
        |query: &str| client.post(service.url(&format!("/v1/answers{query}"))).bearer_auth(OTHER_TOKEN);

    let by_query = xml(answers(&format!("?kind=decision&message={id}")), "<bescheid/>");
    assert_eq!(by_query.send().await.unwrap().status(), 202);
    let form = Form::new()
        .text("kind", "further-request")
        .text("case", "V-2026/17")
        .part("answer", Part::text("<nachforderung/>").mime_str("application/xml").unwrap())
        .part("attachment", Part::bytes(vec![7; 10]).file_name("anlage.pdf"));
    assert_eq!(answers("").multipart(form).send().await.unwrap().status(), 202);
    let taken = service.fake.taken();
    assert_eq!(taken[1].answer, Some((AnswerKind::Decision, Some(taken[0].id), None)));
    assert_eq!(taken[2].answer, Some((AnswerKind::FurtherRequest, None, Some("V-2026/17".into()))));
    assert_eq!(taken[2].attachments.len(), 1);

    let list: Value = client
        .get(service.url(&format!("/v1/messages/{id}/answers")))
        .bearer_auth(TOKEN)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(list["answers"][0]["kind"], "decision");
    let url = service.url(list["answers"][0]["document_url"].as_str().unwrap());
    let document = client.get(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(document.headers()["content-type"], "application/xml");
    assert_eq!(document.text().await.unwrap(), "<bescheid/>");
    assert!(service.fake.received.lock().is_empty(), "reading is no receipt");

    for query in ["", &format!("?kind=gruss&message={id}"), "?kind=receipt", "?kind=receipt&message=x"] {
        problem(xml(answers(query), "<a/>").send().await.unwrap(), 400, "DDS-I004").await;
    }
}

/// Whichever of two references won, the answer could reach another citizen.
#[tokio::test]
async fn an_answer_that_refers_twice_is_refused() {
    let (service, client) = (Service::start(Options::default()).await, client());
    for (query, twice) in [
        ("?message=01a206eb-b787-753d-aef9-eca443592a08", "message"),
        ("?kind=receipt", "kind"),
        ("?case=V-1", "case"),
        ("", "message"),
    ] {
        let mut form = Form::new()
            .text("kind", "decision")
            .text("message", "01a206f8-983c-75b1-87a0-33d70543ca71")
            .text("case", "V-2");
        if query.is_empty() {
            form = form.text("message", "01a206eb-b787-753d-aef9-eca443592a08");
        }
        let form = form.part("answer", Part::text("<a/>").mime_str("application/xml").unwrap());
        let sent = client.post(service.url(&format!("/v1/answers{query}"))).bearer_auth(OTHER_TOKEN);
        let told = problem(sent.multipart(form).send().await.unwrap(), 400, "DDS-I004").await;
        assert!(
            told["detail_en"].as_str().unwrap().starts_with(&format!("{twice} is given twice")),
            "{told}"
        );
    }
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn an_answer_is_read_with_its_attachments_and_then_confirmed() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let body: Value = xml(post(&client, &service), DOCUMENT).send().await.unwrap().json().await.unwrap();
    let id = body["id"].as_str().unwrap();
    let form = Form::new()
        .text("kind", "decision")
        .text("message", id.to_owned())
        .part("answer", Part::text("<bescheid/>").mime_str("application/xml").unwrap())
        .part("attachment", Part::bytes(vec![7; 10]).file_name("Bescheid Müller.pdf"));
    let answers = client.post(service.url("/v1/answers")).bearer_auth(OTHER_TOKEN);
    assert_eq!(answers.multipart(form).send().await.unwrap().status(), 202);

    let get = |url: &str| client.get(service.url(url)).bearer_auth(TOKEN).send();
    let status: Value = get(body["status_url"].as_str().unwrap()).await.unwrap().json().await.unwrap();
    let answer = &status["answers"][0];
    let list: Value = get(answer["attachments_url"].as_str().unwrap()).await.unwrap().json().await.unwrap();
    let one = &list["attachments"][0];
    assert_eq!((&one["name"], &one["size"]), (&"Bescheid Müller.pdf".into(), &10.into()));
    assert_eq!(one["sha256"], Digest::of(&[7; 10]).to_string());
    let url = one["url"].as_str().unwrap();
    for method in [reqwest::Method::GET, reqwest::Method::HEAD] {
        let read = client.request(method, service.url(url)).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(read.status(), 200);
        assert_eq!(read.headers()["content-length"], "10");
        assert_eq!(
            read.headers()["content-disposition"],
            "attachment; filename*=UTF-8''Bescheid%20M%C3%BCller.pdf"
        );
        assert_eq!(read.headers()["x-content-type-options"], "nosniff");
    }
    let prefix = url.strip_suffix('1').unwrap();
    for none in ["0", "2", "x"] {
        problem(get(&format!("{prefix}{none}")).await.unwrap(), 404, "DDS-I007").await;
    }
    assert!(service.fake.received.lock().is_empty(), "reading is no receipt");
    for duplicate in [false, true] {
        let confirm = client.post(service.url(answer["receipt_url"].as_str().unwrap())).bearer_auth(TOKEN);
        let told: Value = confirm.send().await.unwrap().json().await.unwrap();
        assert_eq!(told, serde_json::json!({ "id": answer["id"], "duplicate": duplicate }));
    }
}

#[tokio::test]
async fn every_code_has_a_page_without_scripts() {
    let (service, client) = (Service::start(Options::default()).await, client());
    for entry in CODES {
        let response = client.get(service.url(&format!("/codes/{}", entry.code))).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(
            response.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'")
        );
        let page = response.text().await.unwrap();
        for text in [entry.code.as_str(), entry.german, entry.english, entry.actor.german()] {
            assert!(page.contains(text), "{text} in {page}");
        }
        assert!(!page.contains("<script"));
    }
    problem(client.get(service.url("/codes/DDS-Z999")).send().await.unwrap(), 404, "DDS-I007").await;
    let index = client.get(service.url("/")).send().await.unwrap().text().await.unwrap();
    assert!(index.contains("lang=\"de\"") && index.contains("/openapi.json"));
}

#[tokio::test]
async fn the_openapi_document_names_every_route_and_resolves() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let document: Value =
        client.get(service.url("/openapi.json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/v1/messages",
        "/v1/messages/{id}",
        "/v1/messages/{id}/answers",
        "/v1/answers",
        "/v1/answers/{id}",
        "/v1/answers/{id}/attachments",
        "/v1/answers/{id}/attachments/{number}",
        "/v1/answers/{id}/receipt",
        "/v1/mailbox/{target}/next",
        "/v1/mailbox/{target}/deliveries/{delivery}/document",
        "/v1/mailbox/{target}/deliveries/{delivery}/attachments/{number}",
        "/v1/mailbox/{target}/deliveries/{delivery}/ack",
        "/v1/mailbox/{target}/deliveries/{delivery}/reject",
        "/v1/mailbox/{target}/deliveries/{delivery}/extend",
        "/codes/{code}",
        "/openapi.json",
    ] {
        assert!(paths.iter().any(|known| *known == path), "{path}");
    }
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["responses"].as_object().is_some_and(|all| !all.is_empty()), "{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(!operations.contains(&id), "{id} twice");
            operations.push(id);
            // What can happen at every address; and no room, where something is written.
            let writes = method == "post" || path.ends_with("/next");
            let everywhere = ["400", "401", "431", "500", "503"].into_iter();
            for status in everywhere.chain(writes.then_some("507")).filter(|_| path.starts_with("/v1/")) {
                assert!(!operation["responses"][status].is_null(), "{method} {path}: {status}");
            }
        }
    }
    let mut references = 0;
    resolve(&document, &document, &mut references);
    assert!(references > 40, "{references}");

    // The schema of the problem promises exactly what is sent.
    let refused = client.get(service.url("/v1/nichts")).send().await.unwrap();
    let sent = problem(refused, 404, "DDS-I007").await;
    let mut sent: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    let schema = &document["components"]["schemas"]["Problem"]["required"];
    let mut promised: Vec<&str> = schema.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    sent.sort_unstable();
    promised.sort_unstable();
    assert_eq!(sent, promised);
}

fn resolve(whole: &Value, part: &Value, references: &mut usize) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                *references += 1;
                assert!(whole.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            members.values().for_each(|member| resolve(whole, member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| resolve(whole, item, references)),
        _ => {}
    }
}
