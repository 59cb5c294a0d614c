//! What only shows on the wire: broken, slow and oversized requests, and an orderly end.

use std::time::Duration;

use crate::support::{DOCUMENT, Service, TOKEN, client};
use dds_inbound::{HttpLimits, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longest a test waits for an answer that must come.
const PATIENCE: Duration = Duration::from_secs(20);

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address).await.unwrap()
}

/// Everything until the other side closes.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read =
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an answer in time");
    drop(read);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn head(extra: &str) -> String {
    format!(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n{extra}\r\n"
    )
}

fn document(connection: &str) -> String {
    format!(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nConnection: {connection}\r\n\
         Content-Type: application/xml\r\nContent-Length: {}\r\n\r\n{DOCUMENT}",
        DOCUMENT.len()
    )
}

#[tokio::test]
async fn a_transfer_that_breaks_off_leaves_nothing() {
    let service = Service::start(Options::default()).await;
    let part = "--b\r\nContent-Disposition: form-data; name=\"message\"\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n--b\r\n\
                Content-Disposition: form-data; name=\"attachment\"; filename=\"a\"\r\n\r\nhalf";
    for (length, what) in
        [(part.len() + 5000, "fewer bytes than announced"), (part.len(), "no closing delimiter")]
    {
        eprintln!("{what}");
        let mut stream = connect(&service).await;
        let head =
            head(&format!("Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n"));
        stream.write_all(format!("{head}{part}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = answer(&mut stream).await;
        // hyper may close without an answer when the sender is gone; if one comes it is this.
        assert!(answer.is_empty() || answer.contains("DDS-I011"), "{answer}");
    }
    let mut stream = connect(&service).await;
    let head = head("Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n");
    stream.write_all(format!("{head}4\r\n<a/>\r\n").as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    drop(answer(&mut stream).await);
    assert!(service.fake.taken().is_empty());
}

/// The beginning of the next request lies behind the first one already.
#[tokio::test]
async fn an_acknowledgement_does_not_wait_for_the_next_request() {
    let service = Service::start(Options::default()).await;
    let mut stream = connect(&service).await;
    let first = document("keep-alive");
    stream.write_all(format!("{first}POST /v1/mess").as_bytes()).await.unwrap();
    let mut start = [0; 12];
    let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut start)).await;
    read.expect("an acknowledgement in time").unwrap();
    assert_eq!(&start, b"HTTP/1.1 202");
}

#[tokio::test]
async fn more_header_fields_than_are_read_get_an_answer() {
    let service = Service::start(Options::default()).await;
    let mut stream = connect(&service).await;
    let fields: String = (0..500).map(|number| format!("X-{number}: 1\r\n")).collect();
    stream.write_all(head(&fields).as_bytes()).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let service = Service::start(Options { idle_seconds: 1, ..Options::default() }).await;
    let mut stream = connect(&service).await;
    let head = head("Content-Type: text/xml\r\nContent-Length: 100\r\n");
    stream.write_all(format!("{head}<a>").as_bytes()).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("DDS-I012"), "{answer}");
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let options = Options { grace_seconds: 1, bytes_per_second: 1 << 30, ..Options::default() };
    let service = Service::start(options).await;
    let (mut reader, mut writer) = connect(&service).await.into_split();
    let head = head("Content-Type: text/xml\r\nContent-Length: 1000000000\r\n");
    let mut head = head.into_bytes();
    // Content-Length beyond the document limit is fine as long as the whole limit allows it.
    head.extend_from_slice(b"<a>");
    writer.write_all(&head).await.unwrap();
    let trickle = tokio::spawn(async move {
        // The rhythm of the sender, far quicker than the idle limit.
        let mut beat = tokio::time::interval(Duration::from_millis(20));
        while writer.write_all(b" ").await.is_ok() {
            beat.tick().await;
        }
    });
    let mut answer = vec![0; 12];
    tokio::time::timeout(PATIENCE, reader.read_exact(&mut answer)).await.expect("in time").unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    trickle.abort();
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let http = HttpLimits { head_seconds: 1, ..HttpLimits::default() };
    let service = Service::with(Options::default(), http, crate::support::table(), None).await;
    for beginning in ["", "POST /v1/mess", "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = connect(&service).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let answer = answer(&mut stream).await;
        assert!(!answer.contains("HTTP/1.1 2"), "{answer}");
    }
}

#[tokio::test]
async fn header_bombs_are_refused() {
    let service = Service::start(Options::default()).await;
    let many: String = (0..80).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "y".repeat(20_000));
    for headers in [&many, &long] {
        let mut stream = connect(&service).await;
        let body = format!("Content-Type: text/xml\r\nContent-Length: 4\r\n{headers}");
        stream.write_all(format!("{}<a/>", head(&body)).as_bytes()).await.unwrap();
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431") && answer.contains("DDS-I015"), "{answer}");
    }
    for headers in ["X: y\r\n".repeat(5000), format!("X: {}\r\n", "y".repeat(1 << 20))] {
        let mut stream = connect(&service).await;
        drop(stream.write_all(head(&headers).as_bytes()).await);
        let answer = answer(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let mut stream = connect(&service).await;
    stream
        .write_all(
            format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(4000)).as_bytes(),
        )
        .await
        .unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 431"));
    assert!(service.fake.taken().is_empty());
}

#[tokio::test]
async fn who_asks_first_is_refused_before_sending() {
    let service = Service::start(Options::default()).await;
    let mut stream = connect(&service).await;
    let head = head("Content-Type: text/xml\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("DDS-I003"), "{answer}");
}

#[tokio::test]
async fn a_refusal_reaches_who_is_still_sending() {
    let service = Service::start(Options::default()).await;
    let mut stream = connect(&service).await;
    let head = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/xml\r\nContent-Length: 8388608\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // A sender without token that does not listen before it has sent everything.
    stream.write_all(&vec![b' '; 8 << 20]).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("DDS-I001"), "{answer}");
}

#[tokio::test]
async fn requests_in_a_row_on_one_connection_are_answered_in_order() {
    let service = Service::start(Options::default()).await;
    let mut stream = connect(&service).await;
    let all = format!("{}{}{}", document("keep-alive"), document("keep-alive"), document("close"));
    stream.write_all(all.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.matches("HTTP/1.1 202").count(), 3);
    assert_eq!(service.fake.taken().len(), 3);
}

#[tokio::test]
async fn the_end_waits_for_what_is_in_flight_and_takes_nothing_new() {
    let service = Service::start(Options::default()).await;
    let address = service.address;
    let (waiting, go_on) = service.fake.pause();
    let mut stream = connect(&service).await;
    stream.write_all(document("keep-alive").as_bytes()).await.unwrap();
    waiting.notified().await;
    let mut ended = service.end();
    // The listener goes first; until then further connections may still be taken.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(futures::poll!(&mut ended).is_pending());
    go_on.notify_one();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 202"));
    tokio::time::timeout(PATIENCE, ended).await.expect("ends in time").unwrap();
}

#[tokio::test]
async fn the_end_does_not_wait_for_ever() {
    let http = HttpLimits { drain_seconds: 1, ..HttpLimits::default() };
    let service = Service::with(Options::default(), http, crate::support::table(), None).await;
    let (waiting, _go_on) = service.fake.pause();
    let mut stream = connect(&service).await;
    stream.write_all(document("keep-alive").as_bytes()).await.unwrap();
    waiting.notified().await;
    let fake = service.fake.clone();
    tokio::time::timeout(PATIENCE, service.end()).await.expect("ends in time").unwrap();
    assert!(fake.taken().is_empty());
    assert_eq!(answer(&mut stream).await, "");
}

#[tokio::test]
async fn a_busy_service_answers_many_at_once() {
    let (service, client) = (Service::start(Options::default()).await, client());
    let send = |_| {
        client
            .post(service.url("/v1/messages"))
            .bearer_auth(TOKEN)
            .header("content-type", "text/xml")
            .body(DOCUMENT)
            .send()
    };
    let answers = futures::future::join_all((0..200).map(send)).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status() == 202));
    assert_eq!(service.fake.taken().len(), 200);
}
