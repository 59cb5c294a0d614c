//! Who only holds a place, and brings nothing or too little.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request, middleware::map_request};
use dds_inbound::{
    HttpLimits, Listener, Pace, Peer,
    osci::{Gate, GateOptions, OsciContext, RecipientEndpoint, routes},
};
use dds_osci::{
    intake::{IntakeConfig, read_all},
    message::Message,
    random::SystemRandom,
    recipient::Recipient,
};
use dds_testbench::ManualClock;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::world::{Machine, Place, application, identity, keys, serve, town};

/// The passive recipient behind this gate.
fn recipient(options: GateOptions) -> (Machine, Router) {
    let machine = Machine::new(&ManualClock::default());
    let context = OsciContext { gate: Gate::new(options), ..machine.boot() };
    let recipient = Recipient::new(town().clone(), keys().town.signature_certificate().clone(), Vec::new());
    let receiving = RecipientEndpoint { context, recipient, identity: identity(&keys().town) };
    (machine, routes(None, Some(Arc::new(receiving))))
}

/// The same on loopback. The header `from` says from where a request comes.
async fn start(options: GateOptions) -> (Machine, String) {
    let (machine, routes) = recipient(options);
    let placed = map_request(|mut request: Request| async move {
        let address = request.headers().get("from").map(|text| text.to_str().unwrap().parse().unwrap());
        request.extensions_mut().insert(Peer { address, ..Peer::default() });
        request
    });
    (machine, serve(routes.layer(placed)).await)
}

/// Begins a message of which nothing comes; the first line of what is answered. `100` means that the body is waited
/// for.
async fn begin(host: &str, from: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /osci/empfang HTTP/1.1\r\nhost: a\r\nfrom: {from}\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let line = line(&mut stream).await;
    (stream, line)
}

/// A fault 9000 with `Retry-After`.
const AWAY: &str = "200 9000 again";

/// The status of the next answer, with the code of the fault in it and whether one may come again.
async fn line(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    if status != "200" {
        return status;
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let received = read_all(&IntakeConfig::default(), &[], &mut SystemRandom, &body).unwrap();
    let Message::Fault(fault) = Message::read(&received.document).unwrap() else { panic!("no fault") };
    let again = if head.contains("retry-after: 5\r\n") { "again" } else { "never" };
    format!("{status} {} {again}", fault.code)
}

fn patient() -> GateOptions {
    let hour = Duration::from_secs(3600);
    GateOptions {
        patience: Duration::ZERO,
        pace: Pace { idle: hour, grace: hour, bytes_per_second: 1 },
        ..GateOptions::default()
    }
}

#[tokio::test]
async fn a_sender_below_the_least_rate_is_given_up() {
    let pace = Pace { grace: Duration::from_millis(1), bytes_per_second: 1 << 40, ..patient().pace };
    let (_machine, host) = start(GateOptions { pace, places: 1, ..patient() }).await;
    for _ in 0..2 {
        let (mut stream, waited) = begin(&host, "192.0.2.1").await;
        assert_eq!((waited.as_str(), line(&mut stream).await.as_str()), ("100", "408"));
    }
}

#[tokio::test]
async fn nobody_waits_for_a_place_without_end() {
    let (_machine, host) = start(GateOptions { places: 1, ..patient() }).await;
    let (_held, waited) = begin(&host, "192.0.2.1").await;
    assert_eq!(waited, "100");
    assert_eq!(begin(&host, "192.0.2.2").await.1, AWAY);
}

/// The intermediary knows that the recipient has nothing: whoever sends over it may send again (9809), and nobody has
/// to ask (9810).
#[tokio::test]
async fn a_push_that_finds_no_place_is_no_matter_of_doubt() {
    let (_machine, host) = start(GateOptions { places: 0, ..patient() }).await;
    let url = format!("http://{host}/osci/empfang");
    let place = Place::start(&ManualClock::default(), &[&url]).await;
    let refused =
        place.portal.forward(&url, town(), application(0).as_bytes()).await.unwrap_err().to_string();
    assert!(refused.contains("9809"), "{refused}");
}

#[tokio::test]
async fn one_address_holds_not_all_places() {
    let (_machine, host) = start(GateOptions { places_of_one: 1, ..patient() }).await;
    for (one, same, other) in [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("192.0.2.3", "::ffff:192.0.2.3", "192.0.2.4"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
    ] {
        let (held, first) = begin(&host, one).await;
        assert_eq!((first.as_str(), begin(&host, same).await.1.as_str()), ("100", AWAY), "{same}");
        assert_eq!(begin(&host, other).await.1, "100", "{other}");
        drop(held);
    }
    // A proxy on this machine stands for many.
    let (_held, first) = begin(&host, "127.0.0.1").await;
    assert_eq!((first.as_str(), begin(&host, "127.0.0.1").await.1.as_str()), ("100", "100"));
}

/// Who only begins requests, or opens connections and says nothing, has the connections of the listener for as long as
/// a head may take.
#[tokio::test]
async fn heads_that_never_end_and_silent_connections_are_given_up() {
    const CONNECTIONS: usize = 4;
    let (_machine, routes) = recipient(patient());
    let limits = HttpLimits { connections: CONNECTIONS, head_seconds: 1, ..HttpLimits::default() };
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), None, limits).await.unwrap();
    let host = listener.address().unwrap().to_string();
    tokio::spawn(listener.serve(routes, std::future::pending()));
    let head = "POST /osci/empfang HTTP/1.1\r\nhost: a\r\n";
    let mut held = Vec::new();
    for beginning in ["", "POST /osci/emp", head, ""].into_iter().cycle().take(2 * CONNECTIONS) {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        held.push(stream);
    }
    // Not even an order: it is answered by a fault, and then the connection rests. It is closed too.
    let mut stream = TcpStream::connect(&host).await.unwrap();
    stream.write_all(format!("{head}content-length: 3\r\n\r\nabc").as_bytes()).await.unwrap();
    let answered = async {
        let answer = line(&mut stream).await;
        (answer, stream.read_to_end(&mut Vec::new()).await.unwrap())
    };
    let answered = tokio::time::timeout(Duration::from_secs(60), answered).await.expect("its turn comes");
    assert_eq!(answered, ("200 9100 never".to_owned(), 0));
    drop(held);
}
