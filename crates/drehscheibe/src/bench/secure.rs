//! S: V with OSCI on both sides. A portal stores encrypted and signed orders at the built-in intermediary, in our own
//! mailbox; what is taken from there goes the path of V; the office gets it encrypted and signed in its mailbox.
//! All roles have RSA keys of 3072 bits. The orders are sealed before the clock starts, and the answers and the mailbox
//! of the office are read after it has stopped: the router's work is measured, not that of its partners.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use dds_config::read_release;
use dds_osci::{
    algorithm::SignatureAlgorithm,
    intermediary::Rules,
    keys::{Signer as _, SoftwareKey},
};
use dds_testbench::{Client, Load, OsciPki, Pace, osci_post, whole};
use hyper::Request;
use parking_lot::Mutex;

use super::{
    Report, Stopwatch, measure,
    path::{Partners, Peak, bound, fill, template, with_one_target},
    workers,
};
use crate::{
    Failure,
    cli::Bench,
    commands::check,
    demo::{OsciOptions, RouterProcess, Stage, StageOptions, failed, texts},
};

/// Private operations of the router per message: for the order of the portal decrypt it and sign the answer; open the
/// content; sign the content for the office, whose mailbox lies at our own intermediary.
const PRIVATE_OPERATIONS: f64 = 4.0;
const WARM_UP: u64 = 20;

pub(super) async fn run(options: &Bench) -> Result<Report, Failure> {
    // The orders are sealed before the clock starts, each with a MessageId: a client may hold so many.
    let most = Rules::default().unused_ids as u64 - WARM_UP;
    let messages = options.messages.unwrap_or(most);
    if messages > most {
        return Err(Failure::argument((
            format!("Szenario S geht mit höchstens {most} Nachrichten"),
            format!("scenario S takes at most {most} messages"),
        )));
    }
    let built = read_release(&check::paths(&options.sources))?;
    let release = with_one_target(&built, true, options)?;
    let osci = OsciOptions { fixtures: texts(&options.fixtures)?, rsa: true };
    let stage_options = StageOptions { osci: Some(osci), ..StageOptions::default() };
    let stage = Box::pin(Stage::around(&release, stage_options)).await?;
    let template = template(options)?;
    let missing = || Failure::internal(("die Bühne hat kein OSCI", "the stage has no OSCI"));
    let act = stage.osci.as_ref().ok_or_else(missing)?;
    let address = stage.config.osci.as_ref().map(|osci| osci.listen).ok_or_else(missing)?;

    let router = RouterProcess::start(&stage).await?;
    let idle = measure::usage(router.id());
    let prepared = act.prepare(&template, 0..messages + WARM_UP).await?;
    let bodies: Arc<Vec<Bytes>> = Arc::new(prepared.iter().map(|order| order.body.clone()).collect());
    let answers: Arc<Mutex<BTreeMap<u64, Bytes>>> = Arc::default();
    post(address, options.clients, &bodies, 0..WARM_UP, &answers).await?;
    delivered(stage.admin(), WARM_UP).await?;

    let peak = Peak::watch(router.id());
    let (began, partners) = (measure::usage(router.id()), Partners::of(router.id()));
    let watch = Stopwatch::start();
    let load = post(address, options.clients, &bodies, WARM_UP..messages + WARM_UP, &answers).await?;
    delivered(stage.admin(), messages + WARM_UP).await?;
    let seconds = watch.seconds();
    let (used, partners) = (measure::usage(router.id()), partners.milliseconds(messages));
    let rss = peak.end().await;

    for (number, order) in (0_u64..).zip(prepared) {
        let answer = answers.lock().remove(&number).unwrap_or_default();
        act.conclude(order, &answer)?;
    }
    let fetched = act.fetch().await?;
    let once: BTreeSet<&String> = fetched.iter().collect();
    if once.len() as u64 != messages + WARM_UP {
        let (arrived, all) = (once.len(), messages + WARM_UP);
        return Err(Failure::internal((
            format!("{arrived} von {all} Zustellungen kamen an"),
            format!("{arrived} of {all} deliveries arrived"),
        )));
    }
    router.stop().await?;

    let mut report = Report::new(
        "S",
        "V with OSCI: 10 KB stored at the intermediary, fetched, decrypted, verified, routed, signed, encrypted, stored for the office",
    );
    fill(&mut report, &load, messages, messages as f64 / seconds);
    report.cpu_seconds_per_1000 = (used.cpu - began.cpu) / (messages as f64 / 1_000.0);
    report.rss_above_idle_mb = rss.saturating_sub(idle.rss) as f64 / 1e6;
    let private = private_operations_per_second()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let of_private = cores as f64 * private / PRIVATE_OPERATIONS;
    let alone = workers::alone(stage.release.clone(), template, messages.min(2_000)).await?;
    report.more.insert("accepted_per_second", load.per_second());
    report.more.insert("duplicates", (fetched.len() - once.len()) as f64);
    report.more.insert("rsa_3072_private_per_second_and_core", private);
    report.more.insert("private_operations_per_message", PRIVATE_OPERATIONS);
    report.more.insert("bound_of_the_private_operations_per_second", of_private);
    report.more.insert("workers_alone_per_second", alone);
    report.more.insert("partners_cpu_seconds_per_1000", partners);
    report.more.insert("bound_with_a_router_for_nothing", bound(&[of_private, alone], partners));
    Ok(report)
}

/// Posts the orders of `numbers` in a closed loop and keeps the answers.
async fn post(
    address: SocketAddr,
    clients: usize,
    bodies: &Arc<Vec<Bytes>>,
    numbers: std::ops::Range<u64>,
    answers: &Arc<Mutex<BTreeMap<u64, Bytes>>>,
) -> Result<dds_testbench::LoadReport, Failure> {
    let load =
        Load { address, clients, pace: Pace::Closed, requests: numbers.end - numbers.start, warm_up: 0 };
    let (bodies, answers, first) = (Arc::clone(bodies), Arc::clone(answers), numbers.start);
    let order = move |n: u64| {
        let body = usize::try_from(first + n).ok().and_then(|place| bodies.get(place)).cloned();
        osci_post(address, body.unwrap_or_default())
    };
    let report = load
        .run(order, move |n, answered| drop(answers.lock().insert(first + n, answered.body.clone())))
        .await
        .map_err(failed)?;
    if report.failed() > 0 {
        return Err(Failure::internal((
            format!("nicht alle Aufträge wurden angenommen: {:?}", report.by_status),
            format!("not all orders were taken: {:?}", report.by_status),
        )));
    }
    Ok(report)
}

/// Waits until the router counts so many deliveries as delivered.
async fn delivered(admin: SocketAddr, count: u64) -> Result<(), Failure> {
    let mut client = Client::new(admin);
    for _ in 0..6_000 {
        let page = Request::get("/metrics").body(whole(Bytes::new())).map_err(failed)?;
        let answered = client.send(page).await.map_err(failed)?;
        let text = String::from_utf8_lossy(&answered.body).into_owned();
        let line = text.lines().find(|line| {
            line.starts_with("dds_in_state")
                && line.contains("\"delivery\"")
                && line.contains("\"delivered\"")
        });
        let number = line.and_then(|line| line.rsplit(' ').next()).and_then(|last| last.parse::<u64>().ok());
        if number.unwrap_or(0) >= count {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::internal((
        format!("nicht alle {count} Zustellungen kamen in fünf Minuten an ihr Ende"),
        format!("not all of {count} deliveries came to their end in five minutes"),
    )))
}

/// Signatures with RSA 3072 on one core, in this run.
fn private_operations_per_second() -> Result<f64, Failure> {
    const ROUNDS: u32 = 300;
    let identity =
        OsciPki::new().and_then(|pki| pki.with_rsa_signatures().identity("mass")).map_err(failed)?;
    let key: &SoftwareKey = identity.signature.as_ref();
    let watch = Stopwatch::start();
    for round in 0..ROUNDS {
        key.sign(SignatureAlgorithm::RsaSha256, &round.to_be_bytes()).map_err(failed)?;
    }
    Ok(f64::from(ROUNDS) / watch.seconds())
}
